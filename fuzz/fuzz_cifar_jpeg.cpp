#include <cstddef>
#include <cstdint>
#include <string_view>

#include <xbar/core/error.hpp>
#include <xbar/nn/data/cifar_jpeg.hpp>

/// Any bytes are a zip archive of images or an IoError; nothing else happens.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    const auto images = xbar::nn::parse_cifar_jpeg(bytes, "input");
    if (images.pixels.size() != images.labels.size() * xbar::nn::cifar_pixels) __builtin_trap();
  } catch (const xbar::IoError&) {
  }
  return 0;
}
