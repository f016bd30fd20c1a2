#include "byte_source.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#include <fmt/format.h>

#include <xbar/core/error.hpp>

namespace xbar::nn::detail {
namespace {

constexpr std::string_view gzip_magic = "\x1f\x8b";
constexpr int gzip_window_bits = 15 + 16;  // + 16: zlib's way to ask for the gzip wrapper

template <typename Size>
uInt clamped(Size size) {
  return static_cast<uInt>(std::min<std::size_t>(size, std::numeric_limits<uInt>::max()));
}

}  // namespace

ByteSource::ByteSource(std::string_view bytes, const std::string& name)
    : rest_(bytes), name_(name), packed_(bytes.starts_with(gzip_magic)) {
  if (packed_ && inflateInit2(&stream_, gzip_window_bits) != Z_OK) {
    throw IoError(fmt::format("{}: zlib cannot start to unpack", name_));
  }
}

ByteSource::~ByteSource() {
  if (packed_) inflateEnd(&stream_);
}

std::size_t ByteSource::read(unsigned char* to, std::size_t count) {
  if (packed_) return unpack(to, count);
  const std::size_t got = std::min(count, rest_.size());
  std::memcpy(to, rest_.data(), got);
  rest_.remove_prefix(got);
  return got;
}

std::size_t ByteSource::unpack(unsigned char* to, std::size_t count) {
  std::size_t filled = 0;
  while (filled < count && !ended_) {
    const uInt input = clamped(rest_.size());
    const uInt output = clamped(count - filled);
    stream_.next_in = reinterpret_cast<const Bytef*>(rest_.data());
    stream_.avail_in = input;
    stream_.next_out = to + filled;
    stream_.avail_out = output;
    const int status = inflate(&stream_, Z_NO_FLUSH);
    rest_.remove_prefix(input - stream_.avail_in);
    filled += output - stream_.avail_out;
    if (status == Z_STREAM_END) {
      // A gzip file may be several, one after the other.
      ended_ = rest_.empty();
      if (!ended_ && (!rest_.starts_with(gzip_magic) || inflateReset(&stream_) != Z_OK)) {
        throw IoError(
            fmt::format("{}: {} bytes of something else after the gzip data", name_, rest_.size()));
      }
    } else if (status == Z_BUF_ERROR || (status == Z_OK && rest_.empty() && filled < count)) {
      throw IoError(fmt::format("{}: the gzip data are cut short", name_));
    } else if (status != Z_OK) {
      throw IoError(fmt::format("{}: the gzip data are damaged: {}", name_,
                                stream_.msg != nullptr ? stream_.msg : zError(status)));
    }
  }
  return filled;
}

}  // namespace xbar::nn::detail
