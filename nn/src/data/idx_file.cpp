#include <algorithm>
#include <array>
#include <cstddef>

#include <fmt/format.h>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/nn/data/idx_file.hpp>

#include "byte_source.hpp"

namespace xbar::nn {
namespace {

using detail::ByteSource;

constexpr unsigned unsigned_byte = 0x08;
constexpr unsigned most_axes = 4;

std::array<unsigned char, 4> header_word(ByteSource& source, const std::string& name) {
  std::array<unsigned char, 4> word{};
  if (source.read(word.data(), word.size()) != word.size()) {
    throw IoError(fmt::format("{}: truncated within the IDX header", name));
  }
  return word;
}

std::vector<Index> read_shape(ByteSource& source, const std::string& name) {
  const auto magic = header_word(source, name);
  if (magic[0] != 0 || magic[1] != 0) {
    throw IoError(
        fmt::format("{}: expected an IDX file (two zero bytes first), got {:#04x} {:#04x}", name,
                    magic[0], magic[1]));
  }
  if (magic[2] != unsigned_byte) {
    throw IoError(fmt::format("{}: expected IDX element type 0x08 (unsigned byte), got {:#04x}",
                              name, magic[2]));
  }
  if (magic[3] < 1 || magic[3] > most_axes) {
    throw IoError(fmt::format("{}: expected an IDX array of 1 to 4 axes, got {}", name, magic[3]));
  }
  std::vector<Index> shape;
  for (unsigned axis = 0; axis < magic[3]; ++axis) {
    Index length = 0;
    for (const unsigned char byte : header_word(source, name)) length = length * 256 + byte;
    if (length == 0) {
      throw IoError(
          fmt::format("{}: expected a non-empty array, axis {} has length 0", name, axis));
    }
    shape.push_back(length);
  }
  return shape;
}

}  // namespace

IdxArray parse_idx(std::string_view bytes, const std::string& name) {
  ByteSource source(bytes, name);
  IdxArray array;
  array.shape = read_shape(source, name);
  std::size_t count = 1;
  for (const Index length : array.shape) {
    if (__builtin_mul_overflow(count, static_cast<std::size_t>(length), &count)) {
      throw IoError(fmt::format("{}: the IDX shape {} is impossibly large", name,
                                fmt::join(array.shape, " x ")));
    }
  }
  // Grown as the data arrive: the header alone must not make us ask for terabytes.
  constexpr std::size_t first_step = std::size_t{1} << 20U;
  std::size_t filled = 0;
  while (filled < count) {
    array.values.resize(std::min(count, std::max(first_step, 2 * filled)));
    const std::size_t got = source.read(array.values.data() + filled, array.values.size() - filled);
    filled += got;
    if (filled < array.values.size()) {
      throw IoError(fmt::format("{}: truncated: expected {} bytes of data for shape {}, got {}",
                                name, count, fmt::join(array.shape, " x "), filled));
    }
  }
  // Asking for one byte more also lets zlib check the checksum, which stands at the end.
  unsigned char extra = 0;
  if (source.read(&extra, 1) != 0) {
    throw IoError(fmt::format("{}: expected {} bytes of data for shape {}, got more", name, count,
                              fmt::join(array.shape, " x ")));
  }
  return array;
}

IdxArray read_idx(const std::filesystem::path& path) {
  return parse_idx(read_file(path), path.string());
}

}  // namespace xbar::nn
