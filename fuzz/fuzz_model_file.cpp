#include <cstddef>
#include <cstdint>
#include <string_view>

#include <xbar/core/error.hpp>
#include <xbar/nn/model_file.hpp>

/// Any bytes are a network that gives one value a class, or an error; nothing else happens.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const xbar::nn::ModelLimits limits{.layers = 100, .weights = 100'000, .values = 1'000'000};
  try {
    const auto network = xbar::nn::parse_model(bytes, "input", {3, 8, 8}, 10, limits);
    if (network.output_shape() != xbar::nn::Shape{10}) __builtin_trap();
    if (network.layers().empty() || network.name().empty()) __builtin_trap();
  } catch (const xbar::Error&) {
  }
  return 0;
}
