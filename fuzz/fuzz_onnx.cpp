#include <cstddef>
#include <cstdint>
#include <string_view>

#include <xbar/core/error.hpp>
#include <xbar/onnx/import.hpp>

/// Any bytes are a network for the shape asked for, which runs, or an Error; nothing else happens.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const xbar::nn::ModelLimits small{.layers = 100, .weights = 100'000, .values = 100'000};
  try {
    xbar::nn::Network network = xbar::onnx::import_network(bytes, "input", {2, 6, 6}, 3, small);
    xbar::nn::Tensor x({2, 2, 6, 6});
    x.fill(0.5F);
    if (network.forward(x).shape() != xbar::nn::Shape{2, 3}) __builtin_trap();
  } catch (const xbar::InvalidArgument&) {
  } catch (const xbar::IoError&) {
  }
  return 0;
}
