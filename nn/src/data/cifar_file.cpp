#include <cstddef>

#include <fmt/format.h>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/nn/data/cifar_file.hpp>

namespace xbar::nn {
namespace {

constexpr unsigned coarse_classes = 20;

std::size_t label_bytes(CifarKind kind) { return kind == CifarKind::cifar10 ? 1 : 2; }

}  // namespace

int cifar_classes(CifarKind kind) { return kind == CifarKind::cifar10 ? 10 : 100; }

CifarImages parse_cifar(std::string_view bytes, const std::string& name, CifarKind kind,
                        std::optional<Index> count) {
  const std::size_t labels = label_bytes(kind);
  const std::size_t record = labels + static_cast<std::size_t>(cifar_pixels);
  if (count && bytes.size() != static_cast<std::size_t>(*count) * record) {
    throw IoError(fmt::format("{}: expected {} bytes, {} images of {}, got {}", name,
                              static_cast<std::size_t>(*count) * record, *count, record,
                              bytes.size()));
  }
  if (bytes.empty() || bytes.size() % record != 0) {
    throw IoError(
        fmt::format("{}: expected a whole number of images of {} bytes, got {} bytes, {} "
                    "after image {}",
                    name, record, bytes.size(), bytes.size() % record, bytes.size() / record));
  }
  const auto byte = [&](std::size_t place) { return static_cast<std::uint8_t>(bytes[place]); };
  const auto check = [&](const char* which, unsigned label, unsigned classes, std::size_t image) {
    if (label >= classes) {
      throw IoError(fmt::format("{}: expected {} below {}, got {} for image {}", name, which,
                                classes, label, image));
    }
  };
  CifarImages images;
  images.labels.reserve(bytes.size() / record);
  images.pixels.reserve(bytes.size() / record * static_cast<std::size_t>(cifar_pixels));
  for (std::size_t begin = 0; begin < bytes.size(); begin += record) {
    const std::size_t image = begin / record;
    if (kind == CifarKind::cifar100) check("coarse labels", byte(begin), coarse_classes, image);
    const std::uint8_t label = byte(begin + labels - 1);
    check(kind == CifarKind::cifar100 ? "fine labels" : "labels", label,
          static_cast<unsigned>(cifar_classes(kind)), image);
    images.labels.push_back(label);
    const std::string_view pixels = bytes.substr(begin + labels, record - labels);
    images.pixels.insert(images.pixels.end(), pixels.begin(), pixels.end());
  }
  return images;
}

CifarImages read_cifar(const std::filesystem::path& path, CifarKind kind,
                       std::optional<Index> count) {
  return parse_cifar(read_file(path), path.string(), kind, count);
}

}  // namespace xbar::nn
