#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <fmt/format.h>
#include <zip.h>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/core/parallel.hpp>
#include <xbar/nn/data/cifar_jpeg.hpp>

#include "jpeg_image.hpp"

namespace xbar::nn {
namespace {

struct ArchiveDiscard {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
struct MemberClose {
  void operator()(zip_file_t* member) const { zip_fclose(member); }
};
using Archive = std::unique_ptr<zip_t, ArchiveDiscard>;
using Member = std::unique_ptr<zip_file_t, MemberClose>;

// A JPEG file of 32 x 32 pixels has about 1 kB; what is larger is not read.
constexpr zip_uint64_t largest_member = 64 * 1024;

Archive open_archive(std::string_view bytes, const std::string& name) {
  if (bytes.empty()) {  // the zip library takes it for an archive without members
    throw IoError(fmt::format("{}: expected a zip archive of JPEG files, got an empty file", name));
  }
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* const source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
  Archive archive(source != nullptr ? zip_open_from_source(source, ZIP_RDONLY, &error) : nullptr);
  const std::string why = archive ? "" : zip_error_strerror(&error);
  zip_error_fini(&error);
  if (!archive) {
    zip_source_free(source);  // an archive that is open owns it
    throw IoError(fmt::format("{}: expected a zip archive of JPEG files, got {} bytes: {}", name,
                              bytes.size(), why));
  }
  return archive;
}

std::string read_member(zip_t* archive, zip_uint64_t index, const std::string& where) {
  zip_stat_t status;
  zip_stat_init(&status);
  if (zip_stat_index(archive, index, 0, &status) != 0 || (status.valid & ZIP_STAT_SIZE) == 0) {
    throw IoError(fmt::format("{}: its size cannot be read", where));
  }
  if (status.size > largest_member) {
    throw IoError(
        fmt::format("{}: expected at most {} bytes, got {}", where, largest_member, status.size));
  }
  const Member member(zip_fopen_index(archive, index, 0));
  if (!member) {
    throw IoError(fmt::format("{}: cannot be unpacked: {}", where, zip_strerror(archive)));
  }
  // One byte more than announced, and until nothing comes: the checksum is checked at the end only.
  std::string bytes(status.size + 1, '\0');
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    const zip_int64_t got = zip_fread(member.get(), bytes.data() + filled, bytes.size() - filled);
    if (got < 0) {
      throw IoError(
          fmt::format("{}: cannot be unpacked: {}", where, zip_file_strerror(member.get())));
    }
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  if (filled != status.size) {
    throw IoError(fmt::format("{}: expected {} bytes, got {}", where, status.size, filled));
  }
  bytes.resize(status.size);
  return bytes;
}

// The label in the name of image `index`: "00017_6.jpg".
std::uint8_t label_of(std::string member, zip_uint64_t index, const std::string& archive) {
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
  const Archive archive = open_archive(bytes, name);
  const auto count = static_cast<Index>(zip_get_num_entries(archive.get(), 0));
  if (count < 1) throw IoError(fmt::format("{}: expected JPEG files in it, got none", name));
  CifarImages images;
  // One thread reads a block of members in order, all decode it, which is what takes the time.
  constexpr Index block = 1024;
  for (Index begin = 0; begin < count; begin += block) {
    const Index size = std::min(block, count - begin);
    std::vector<std::string> names;
    std::vector<std::string> files;
    for (Index i = 0; i < size; ++i) {
      const auto index = static_cast<zip_uint64_t>(begin + i);
      const char* const member = zip_get_name(archive.get(), index, 0);
      images.labels.push_back(label_of(member != nullptr ? member : "", index, name));
      names.push_back(fmt::format("{}: {}", name, member));
      files.push_back(read_member(archive.get(), index, names.back()));
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
