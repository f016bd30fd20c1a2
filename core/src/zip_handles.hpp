#pragma once

/// Owners of the zip library's objects.

#include <memory>
#include <string>

#include <zip.h>

namespace xbar::detail {

struct ZipSourceFree {
  void operator()(zip_source_t* source) const { zip_source_free(source); }
};
struct ZipArchiveDiscard {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
struct ZipMemberClose {
  void operator()(zip_file_t* member) const { zip_fclose(member); }
};
using ZipSource = std::unique_ptr<zip_source_t, ZipSourceFree>;
using ZipArchive = std::unique_ptr<zip_t, ZipArchiveDiscard>;
using ZipMember = std::unique_ptr<zip_file_t, ZipMemberClose>;

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
inline ZipArchive open_zip(ZipSource source, int flags, ZipError& error) {
  ZipArchive archive(source ? zip_open_from_source(source.get(), flags, error.get()) : nullptr);
  if (archive) static_cast<void>(source.release());
  return archive;
}

}  // namespace xbar::detail
