#include <cstddef>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/zip_reader.hpp>

#include "zip_handles.hpp"

namespace xbar {

using detail::ZipMember;

struct ZipReader::Archive {
  detail::ZipArchive zip;
  std::uint64_t file_size = 0;
  std::uint64_t packed = 0;  // of the members read

  // A few bytes may claim to unpack to terabytes. Deflate never gains more than a factor of 1032,
  // and the packed members cannot be larger than the file together, so this bounds all memory.
  void check_size(const zip_stat_t& status, const std::string& where) {
    constexpr std::uint64_t deflate_gain = 1032;
    if (status.comp_method != ZIP_CM_STORE && status.comp_method != ZIP_CM_DEFLATE) {
      throw IoError(fmt::format("{}: expected it stored or deflated, got compression method {}",
                                where, status.comp_method));
    }
    const std::uint64_t gain = status.comp_method == ZIP_CM_STORE ? 1 : deflate_gain;
    if (status.comp_size > file_size - packed || status.size / gain > status.comp_size) {
      throw IoError(fmt::format("{}: {} bytes packed as {} are impossible in a file of {} bytes",
                                where, status.size, status.comp_size, file_size));
    }
    packed += status.comp_size;
  }
};

ZipReader::ZipReader(std::string_view bytes, const std::string& name, std::string_view kind)
    : archive_(std::make_unique<Archive>()) {
  if (bytes.empty()) {  // the zip library takes it for an archive without members
    throw IoError(fmt::format("{}: expected {}, got an empty file", name, kind));
  }
  detail::ZipError error;
  archive_->zip = detail::open_zip(
      detail::ZipSource(zip_source_buffer_create(bytes.data(), bytes.size(), 0, error.get())),
      ZIP_RDONLY, error);
  archive_->file_size = bytes.size();
  if (!archive_->zip) {
    throw IoError(
        fmt::format("{}: expected {}, got {} bytes: {}", name, kind, bytes.size(), error.text()));
  }
}

ZipReader::~ZipReader() = default;

std::uint64_t ZipReader::member_count() const {
  return static_cast<std::uint64_t>(zip_get_num_entries(archive_->zip.get(), 0));
}

std::optional<std::string> ZipReader::member_name(std::uint64_t index) const {
  const char* const name = zip_get_name(archive_->zip.get(), index, 0);
  if (name == nullptr) return std::nullopt;
  return name;
}

std::string ZipReader::read(std::uint64_t index, const std::string& where, std::uint64_t largest) {
  zip_t* const zip = archive_->zip.get();
  zip_stat_t status;
  zip_stat_init(&status);
  constexpr zip_uint64_t needed = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD;
  if (zip_stat_index(zip, index, 0, &status) != 0 || (status.valid & needed) != needed) {
    throw IoError(fmt::format("{}: its size cannot be read", where));
  }
  if (status.size > largest) {
    throw IoError(
        fmt::format("{}: expected at most {} bytes, got {}", where, largest, status.size));
  }
  archive_->check_size(status, where);
  const ZipMember file(zip_fopen_index(zip, index, 0));
  if (!file) {
    throw IoError(fmt::format("{}: cannot be unpacked: {}", where, zip_strerror(zip)));
  }
  // One byte more than announced: the library checks the checksum at the end of the data only.
  std::string bytes(status.size + 1, '\0');
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    const zip_int64_t got = zip_fread(file.get(), bytes.data() + filled, bytes.size() - filled);
    if (got < 0) {
      throw IoError(
          fmt::format("{}: cannot be unpacked: {}", where, zip_file_strerror(file.get())));
    }
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  if (filled != status.size) {
    throw IoError(fmt::format("{}: expected {} bytes, got {}{}", where, status.size, filled,
                              filled > status.size ? " or more" : ""));
  }
  bytes.resize(filled);
  return bytes;
}

}  // namespace xbar
