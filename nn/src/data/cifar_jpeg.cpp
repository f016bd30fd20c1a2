#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <fmt/format.h>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/core/parallel.hpp>
#include <xbar/core/zip_reader.hpp>
#include <xbar/nn/data/cifar_jpeg.hpp>

#include "jpeg_image.hpp"

namespace xbar::nn {
namespace {

// A JPEG file of 32 x 32 pixels has about 1 kB; what is larger is not read.
constexpr std::uint64_t largest_member = 64 * 1024;

// The label in the name of image `index`: "00017_6.jpg".
std::uint8_t label_of(std::string member, std::uint64_t index, const std::string& archive) {
  const std::string stem = fmt::format("{:05}_", index);
  const std::size_t digit = stem.size();
  if (member.size() != digit + 5 || !member.starts_with(stem) || !member.ends_with(".jpg") ||
      member[digit] < '0' || member[digit] > '9') {
    std::replace_if(
        member.begin(), member.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    throw IoError(fmt::format("{}: expected {}LABEL.jpg, LABEL from 0 to 9, as member {}, got '{}'",
                              archive, stem, index, member));
  }
  return static_cast<std::uint8_t>(member[digit] - '0');
}

}  // namespace

CifarImages parse_cifar_jpeg(std::string_view bytes, const std::string& name) {
  ZipReader archive(bytes, name, "a zip archive of JPEG files");
  const auto count = static_cast<Index>(archive.member_count());
  if (count < 1) throw IoError(fmt::format("{}: expected JPEG files in it, got none", name));
  CifarImages images;
  // One thread reads a block of members in order, all decode it, which is what takes the time.
  constexpr Index block = 1024;
  for (Index begin = 0; begin < count; begin += block) {
    const Index size = std::min(block, count - begin);
    std::vector<std::string> names;
    std::vector<std::string> files;
    for (Index i = 0; i < size; ++i) {
      const auto index = static_cast<std::uint64_t>(begin + i);
      const std::string member = archive.member_name(index).value_or("");
      images.labels.push_back(label_of(member, index, name));
      names.push_back(fmt::format("{}: {}", name, member));
      files.push_back(archive.read(index, names.back(), largest_member));
    }
    images.pixels.resize(static_cast<std::size_t>((begin + size) * cifar_pixels));
    parallel_for(size, [&](Index i) {
      const auto at = static_cast<std::size_t>(i);
      detail::decode_jpeg(files[at], names[at], cifar_side, cifar_side,
                          images.pixels.data() + (begin + i) * cifar_pixels);
    });
  }
  return images;
}

CifarImages read_cifar_jpeg(const std::filesystem::path& path) {
  return parse_cifar_jpeg(read_file(path), path.string());
}

}  // namespace xbar::nn
