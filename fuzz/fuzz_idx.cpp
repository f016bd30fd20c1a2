#include <cstddef>
#include <cstdint>
#include <string_view>

#include <xbar/core/error.hpp>
#include <xbar/nn/data/idx_file.hpp>

/// Any bytes, plain or gzip, are an array or an IoError; nothing else happens.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    const auto array = xbar::nn::parse_idx(bytes, "input");
    std::size_t count = 1;
    for (const xbar::Index length : array.shape) count *= static_cast<std::size_t>(length);
    if (count != array.values.size()) __builtin_trap();
  } catch (const xbar::IoError&) {
  }
  return 0;
}
