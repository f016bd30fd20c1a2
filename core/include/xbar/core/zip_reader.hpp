#pragma once

/// Zip archives in memory, read with distrust.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace xbar {

/// The members of a zip archive, stored or deflated. For one thread at a time.
class ZipReader {
 public:
  /// @param bytes  the archive; must outlive the reader
  /// @param name   of the file, for messages
  /// @param kind   what the file is expected to be, for messages: "an .npz file (a zip archive)"
  /// @throws IoError naming the file if it is empty or no zip archive
  ZipReader(std::string_view bytes, const std::string& name, std::string_view kind);
  ZipReader(const ZipReader&) = delete;
  ZipReader& operator=(const ZipReader&) = delete;
  ~ZipReader();

  [[nodiscard]] std::uint64_t member_count() const;
  /// As it stands in the archive; empty if it has no readable name.
  [[nodiscard]] std::optional<std::string> member_name(std::uint64_t index) const;

  /// The unpacked member, its checksum verified. Together the members read may not claim to be
  /// larger than the archive can hold, which bounds the memory.
  /// @param where    the member, for messages
  /// @param largest  bytes, unpacked, that are accepted
  /// @throws IoError naming `where` if it is damaged, too large or packed in another way
  [[nodiscard]] std::string read(std::uint64_t index, const std::string& where,
                                 std::uint64_t largest = UINT64_MAX);

 private:
  struct Archive;
  std::unique_ptr<Archive> archive_;
};

}  // namespace xbar
