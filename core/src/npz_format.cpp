#include "npz_format.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include <xbar/core/array_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/core/zip_reader.hpp>

#include "npy_format.hpp"
#include "printable.hpp"
#include "zip_handles.hpp"

namespace xbar {
namespace {

constexpr std::string_view suffix = ".npy";

class NpzReader {
 public:
  NpzReader(std::string_view bytes, const std::string& name)
      : name_(name), archive_(bytes, name, "an .npz file (a zip archive)") {}

  std::map<std::string, ArrayFile> read() {
    std::map<std::string, ArrayFile> arrays;
    for (std::uint64_t index = 0; index < archive_.member_count(); ++index) {
      const std::optional<std::string> raw_name = archive_.member_name(index);
      if (!raw_name) fail("a member has no readable name");
      std::string key = *raw_name;
      if (!key.ends_with(suffix)) continue;
      const std::string member_name = fmt::format("{}: member {}", name_, detail::printable(key));
      const std::string bytes = archive_.read(index, member_name);
      const detail::NpyHeader header = detail::read_npy_header(bytes, member_name);
      if (!detail::npy_obstacle(header).empty()) continue;
      key.resize(key.size() - suffix.size());
      if (!arrays.emplace(key, detail::decode_npy(bytes, header, member_name)).second) {
        fail(fmt::format("member {} occurs twice", detail::printable(*raw_name)));
      }
    }
    return arrays;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw IoError(fmt::format("{}: malformed .npz: {}", name_, what));
  }

  const std::string& name_;
  ZipReader archive_;
};

}  // namespace

std::map<std::string, ArrayFile> parse_npz(std::string_view bytes, const std::string& name) {
  return NpzReader(bytes, name).read();
}

std::string detail::format_npz(const std::map<std::string, Matrix>& arrays,
                               const std::string& name) {
  detail::ZipError error;
  const auto fail = [&name](const std::string& why) {
    throw IoError(fmt::format("{}: cannot pack the arrays: {}", name, why));
  };
  const detail::ZipSource sink(zip_source_buffer_create(nullptr, 0, 0, error.get()));
  if (!sink) fail(error.text());
  zip_source_keep(sink.get());  // the archive releases one reference, `sink` the other
  detail::ZipArchive archive = detail::open_zip(detail::ZipSource(sink.get()), ZIP_TRUNCATE, error);
  if (!archive) fail(error.text());

  std::vector<std::string> members;  // the archive reads them when it is closed
  members.reserve(arrays.size());
  for (const auto& [key, values] : arrays) {
    members.push_back(format_npy(values, false));
    detail::ZipSource source(
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
