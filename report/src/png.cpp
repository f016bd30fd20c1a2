#include "png.hpp"

#include <zlib.h>

#include <xbar/core/error.hpp>

namespace xbar::report {
namespace {

void append_u32(std::string& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    out += static_cast<char>(value >> shift & 0xFFu);
  }
}

void append_chunk(std::string& out, std::string_view type, std::string_view data) {
  append_u32(out, static_cast<std::uint32_t>(data.size()));
  const std::size_t start = out.size();
  out.append(type).append(data);
  const auto crc = crc32(0, reinterpret_cast<const Bytef*>(out.data() + start),
                         static_cast<uInt>(out.size() - start));
  append_u32(out, static_cast<std::uint32_t>(crc));
}

}  // namespace

std::string encode_png(std::span<const std::uint8_t> pixels, std::size_t width, std::size_t height,
                       std::span<const Rgb, ramp_levels> palette) {
  std::string raw;
  raw.reserve((width + 1) * height);
  for (std::size_t y = 0; y < height; ++y) {
    raw += '\0';  // no filter: indices have no gradient to predict
    raw.append(reinterpret_cast<const char*>(pixels.data() + y * width), width);
  }
  uLongf size = compressBound(static_cast<uLong>(raw.size()));
  std::string packed(size, '\0');
  if (compress2(reinterpret_cast<Bytef*>(packed.data()), &size,
                reinterpret_cast<const Bytef*>(raw.data()), static_cast<uLong>(raw.size()),
                Z_BEST_COMPRESSION) != Z_OK) {
    throw Error(ErrorCode::numerical, "report: zlib could not compress a picture");
  }
  packed.resize(size);

  std::string header;
  append_u32(header, static_cast<std::uint32_t>(width));
  append_u32(header, static_cast<std::uint32_t>(height));
  header.append("\x08\x03\x00\x00\x00", 5);  // 8 bits, palette, deflate, no filter, not interlaced
  std::string colours;
  for (const Rgb& c : palette) {
    colours += static_cast<char>(c.r);
    colours += static_cast<char>(c.g);
    colours += static_cast<char>(c.b);
  }
  colours.append(3, '\0');  // index 255
  std::string alpha(transparent_index, '\xFF');
  alpha += '\0';

  std::string png("\x89PNG\r\n\x1A\n", 8);
  append_chunk(png, "IHDR", header);
  append_chunk(png, "PLTE", colours);
  append_chunk(png, "tRNS", alpha);
  append_chunk(png, "IDAT", packed);
  append_chunk(png, "IEND", {});
  return png;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8 | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      out += k <= count ? digits[group >> (18 - 6 * k) & 63u] : '=';
    }
  }
  return out;
}

}  // namespace xbar::report
