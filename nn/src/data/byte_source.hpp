#pragma once

/// Bytes in memory as a stream, unpacked on the way if they are gzip.

#include <cstddef>
#include <string>
#include <string_view>

#define ZLIB_CONST  // zlib then promises not to write to its input
#include <zlib.h>

namespace xbar::nn::detail {

/// Hands out a file's content piece by piece, so that a reader that knows what it expects never
/// unpacks more than that.
class ByteSource {
 public:
  /// @param name  stands for the file in messages and must outlive the source
  /// @throws IoError if the bytes begin as gzip but zlib refuses them.
  ByteSource(std::string_view bytes, const std::string& name);
  ~ByteSource();
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  ByteSource(ByteSource&&) = delete;
  ByteSource& operator=(ByteSource&&) = delete;

  /// Fills `to` with the next `count` bytes, fewer only at the end.
  /// @return how many.
  /// @throws IoError if the gzip data are damaged or cut short.
  [[nodiscard]] std::size_t read(unsigned char* to, std::size_t count);

 private:
  [[nodiscard]] std::size_t unpack(unsigned char* to, std::size_t count);

  std::string_view rest_;
  const std::string& name_;
  bool packed_ = false;
  bool ended_ = false;
  z_stream stream_{};
};

}  // namespace xbar::nn::detail
