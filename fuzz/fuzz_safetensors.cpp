#include <cstddef>
#include <cstdint>
#include <string_view>

#include <xbar/core/error.hpp>
#include <xbar/core/safetensors.hpp>

/// Any bytes are tensors whose shapes fit their values, or an IoError; nothing else happens.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    for (const auto& [name, tensor] : xbar::parse_safetensors(bytes, "input").tensors) {
      std::size_t count = 1;
      for (const std::int64_t length : tensor.shape) count *= static_cast<std::size_t>(length);
      if (count != tensor.values.size()) __builtin_trap();
    }
  } catch (const xbar::IoError&) {
  }
  return 0;
}
