#include "npz_format.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <zip.h>

#include <xbar/core/array_file.hpp>
#include <xbar/core/error.hpp>

#include "npy_format.hpp"
#include "printable.hpp"

namespace xbar {
namespace {

constexpr std::string_view suffix = ".npy";

struct SourceFree {
  void operator()(zip_source_t* source) const { zip_source_free(source); }
};
struct ArchiveDiscard {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
struct MemberClose {
  void operator()(zip_file_t* member) const { zip_fclose(member); }
};
using Source = std::unique_ptr<zip_source_t, SourceFree>;
using Archive = std::unique_ptr<zip_t, ArchiveDiscard>;
using Member = std::unique_ptr<zip_file_t, MemberClose>;

/// The library's error record, released on every way out.
class ZipError {
 public:
  ZipError() { zip_error_init(&error_); }
  ZipError(const ZipError&) = delete;
  ZipError& operator=(const ZipError&) = delete;
  ZipError(ZipError&&) = delete;
  ZipError& operator=(ZipError&&) = delete;
  ~ZipError() { zip_error_fini(&error_); }
  zip_error_t* get() { return &error_; }
  std::string text() { return zip_error_strerror(&error_); }

 private:
  zip_error_t error_{};
};

/// The archive takes the source over, except when it cannot be opened.
Archive open_archive(Source source, int flags, ZipError& error) {
  Archive archive(source ? zip_open_from_source(source.get(), flags, error.get()) : nullptr);
  if (archive) static_cast<void>(source.release());
  return archive;
}

class NpzReader {
 public:
  NpzReader(std::string_view bytes, const std::string& name)
      : name_(name), file_size_(bytes.size()) {
    if (bytes.empty()) {  // the zip library takes it for an archive without members
      throw IoError(
          fmt::format("{}: expected an .npz file (a zip archive), got an empty file", name));
    }
    ZipError error;
    archive_ =
        open_archive(Source(zip_source_buffer_create(bytes.data(), bytes.size(), 0, error.get())),
                     ZIP_RDONLY, error);
    if (!archive_) {
      throw IoError(fmt::format("{}: expected an .npz file (a zip archive), got {} bytes: {}", name,
                                bytes.size(), error.text()));
    }
  }

  std::map<std::string, ArrayFile> read() {
    std::map<std::string, ArrayFile> arrays;
    const zip_int64_t count = zip_get_num_entries(archive_.get(), 0);
    for (zip_int64_t i = 0; i < count; ++i) {
      const auto index = static_cast<zip_uint64_t>(i);
      const char* const raw_name = zip_get_name(archive_.get(), index, 0);
      if (raw_name == nullptr) fail("a member has no readable name");
      std::string key = raw_name;
      if (!key.ends_with(suffix)) continue;
      const std::string member_name = fmt::format("{}: member {}", name_, detail::printable(key));
      const std::string bytes = member(index, member_name);
      const detail::NpyHeader header = detail::read_npy_header(bytes, member_name);
      if (!detail::npy_obstacle(header).empty()) continue;
      key.resize(key.size() - suffix.size());
      if (!arrays.emplace(key, detail::decode_npy(bytes, header, member_name)).second) {
        fail(fmt::format("member {} occurs twice", detail::printable(raw_name)));
      }
    }
    return arrays;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw IoError(fmt::format("{}: malformed .npz: {}", name_, what));
  }

  std::string member(zip_uint64_t index, const std::string& member_name) {
    zip_stat_t status;
    zip_stat_init(&status);
    constexpr zip_uint64_t needed = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD;
    if (zip_stat_index(archive_.get(), index, 0, &status) != 0 ||
        (status.valid & needed) != needed) {
      throw IoError(fmt::format("{}: its size cannot be read", member_name));
    }
    check_size(status, member_name);
    const Member file(zip_fopen_index(archive_.get(), index, 0));
    if (!file) {
      throw IoError(
          fmt::format("{}: cannot be unpacked: {}", member_name, zip_strerror(archive_.get())));
    }
    // One byte more than announced: the library checks the checksum at the end of the data only.
    std::string bytes(status.size + 1, '\0');
    std::size_t filled = 0;
    while (filled < bytes.size()) {
      const zip_int64_t got = zip_fread(file.get(), bytes.data() + filled, bytes.size() - filled);
      if (got < 0) {
        throw IoError(
            fmt::format("{}: cannot be unpacked: {}", member_name, zip_file_strerror(file.get())));
      }
      if (got == 0) break;
      filled += static_cast<std::size_t>(got);
    }
    if (filled != status.size) {
      throw IoError(fmt::format("{}: expected {} bytes, got {}{}", member_name, status.size, filled,
                                filled > status.size ? " or more" : ""));
    }
    bytes.resize(filled);
    return bytes;
  }

  // A few bytes may claim to unpack to terabytes. Deflate never gains more than a factor of 1032,
  // and the packed members cannot be larger than the file together, so this bounds all memory.
  void check_size(const zip_stat_t& status, const std::string& member_name) {
    constexpr std::uint64_t deflate_gain = 1032;
    if (status.comp_method != ZIP_CM_STORE && status.comp_method != ZIP_CM_DEFLATE) {
      throw IoError(fmt::format("{}: expected it stored or deflated, got compression method {}",
                                member_name, status.comp_method));
    }
    const std::uint64_t gain = status.comp_method == ZIP_CM_STORE ? 1 : deflate_gain;
    if (status.comp_size > file_size_ - packed_ || status.size / gain > status.comp_size) {
      throw IoError(fmt::format("{}: {} bytes packed as {} are impossible in a file of {} bytes",
                                member_name, status.size, status.comp_size, file_size_));
    }
    packed_ += status.comp_size;
  }

  const std::string& name_;
  std::uint64_t file_size_;
  std::uint64_t packed_ = 0;
  Archive archive_;
};

}  // namespace

std::map<std::string, ArrayFile> parse_npz(std::string_view bytes, const std::string& name) {
  return NpzReader(bytes, name).read();
}

std::string detail::format_npz(const std::map<std::string, Matrix>& arrays,
                               const std::string& name) {
  ZipError error;
  const auto fail = [&name](const std::string& why) {
    throw IoError(fmt::format("{}: cannot pack the arrays: {}", name, why));
  };
  const Source sink(zip_source_buffer_create(nullptr, 0, 0, error.get()));
  if (!sink) fail(error.text());
  zip_source_keep(sink.get());  // the archive releases one reference, `sink` the other
  Archive archive = open_archive(Source(sink.get()), ZIP_TRUNCATE, error);
  if (!archive) fail(error.text());

  std::vector<std::string> members;  // the archive reads them when it is closed
  members.reserve(arrays.size());
  for (const auto& [key, values] : arrays) {
    members.push_back(format_npy(values, false));
    Source source(
        zip_source_buffer(archive.get(), members.back().data(), members.back().size(), 0));
    const zip_int64_t added = source
                                  ? zip_file_add(archive.get(), (key + std::string(suffix)).c_str(),
                                                 source.get(), ZIP_FL_ENC_UTF_8)
                                  : -1;
    if (added < 0) fail(fmt::format("{}: {}", printable(key), zip_strerror(archive.get())));
    static_cast<void>(source.release());
    const auto index = static_cast<zip_uint64_t>(added);
    constexpr zip_uint16_t midnight = 0;
    constexpr zip_uint16_t first_of_1980 =
        (1U << 5U) | 1U;  // month and day; the year counts from 1980
    if (zip_set_file_compression(archive.get(), index, ZIP_CM_STORE, 0) != 0 ||
        zip_file_set_dostime(archive.get(), index, midnight, first_of_1980, 0) != 0) {
      fail(fmt::format("{}: {}", printable(key), zip_strerror(archive.get())));
    }
  }
  if (zip_close(archive.get()) != 0) fail(zip_strerror(archive.get()));
  static_cast<void>(archive.release());

  if (zip_source_open(sink.get()) != 0 || zip_source_seek(sink.get(), 0, SEEK_END) != 0) {
    fail(zip_error_strerror(zip_source_error(sink.get())));
  }
  const zip_int64_t size = zip_source_tell(sink.get());
  if (size < 0 || zip_source_seek(sink.get(), 0, SEEK_SET) != 0) {
    fail(zip_error_strerror(zip_source_error(sink.get())));
  }
  std::string bytes(static_cast<std::size_t>(size), '\0');
  const zip_int64_t got = zip_source_read(sink.get(), bytes.data(), bytes.size());
  zip_source_close(sink.get());
  if (got != size) fail("the archive cannot be read back");
  return bytes;
}

}  // namespace xbar
