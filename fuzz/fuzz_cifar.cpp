#include <cstddef>
#include <cstdint>
#include <string_view>

#include <xbar/core/error.hpp>
#include <xbar/nn/data/cifar_file.hpp>

/// Any bytes are images with labels in range or an IoError; nothing else happens.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using xbar::nn::CifarKind;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const CifarKind kind : {CifarKind::cifar10, CifarKind::cifar100}) {
    try {
      const auto images = xbar::nn::parse_cifar(bytes, "input", kind);
      if (images.pixels.size() != images.labels.size() * xbar::nn::cifar_pixels) __builtin_trap();
      for (const std::uint8_t label : images.labels) {
        if (label >= xbar::nn::cifar_classes(kind)) __builtin_trap();
      }
    } catch (const xbar::IoError&) {
    }
  }
  return 0;
}
