#include "jpeg_image.hpp"

#include <array>
#include <csetjmp>
#include <cstddef>
#include <cstdio>
#include <vector>

#include <fmt/format.h>
#include <jpeglib.h>  // needs <cstdio> before it

#include <xbar/core/error.hpp>

namespace xbar::nn::detail {
namespace {

/// libjpeg reports an error by calling back, and the call must not return: jump to where it began.
struct ErrorManager {
  jpeg_error_mgr base{};  // first: libjpeg hands out a pointer to it
  std::jmp_buf back{};
  std::array<char, JMSG_LENGTH_MAX> message{};
};

void fail(j_common_ptr decoder) {
  auto* const errors = reinterpret_cast<ErrorManager*>(decoder->err);
  decoder->err->format_message(decoder, errors->message.data());
  std::longjmp(errors->back, 1);
}

// Warnings count as errors: they say that the data are damaged and the pixels made up.
void warn(j_common_ptr decoder, int level) {
  if (level < 0) fail(decoder);
}

/// Begins as zero; destroying it again does nothing.
struct Decoder {
  Decoder() { jpeg.err = jpeg_std_error(&errors.base); }
  ~Decoder() { jpeg_destroy_decompress(&jpeg); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  ErrorManager errors;
  jpeg_decompress_struct jpeg{};
};

// The functions below are left by longjmp, so they hold nothing that has a destructor.

bool read_header(Decoder& decoder, std::string_view bytes) {
  if (setjmp(decoder.errors.back) != 0) return false;
  jpeg_create_decompress(&decoder.jpeg);
  jpeg_mem_src(&decoder.jpeg, reinterpret_cast<const unsigned char*>(bytes.data()),
               static_cast<unsigned long>(bytes.size()));
  jpeg_read_header(&decoder.jpeg, TRUE);
  return true;
}

// `rows`: height x width x 3.
bool read_rows(Decoder& decoder, std::uint8_t* rows) {
  if (setjmp(decoder.errors.back) != 0) return false;
  decoder.jpeg.out_color_space = JCS_RGB;
  jpeg_start_decompress(&decoder.jpeg);
  while (decoder.jpeg.output_scanline < decoder.jpeg.output_height) {
    JSAMPROW row = rows + static_cast<std::size_t>(decoder.jpeg.output_scanline) *
                              decoder.jpeg.output_width * 3;
    jpeg_read_scanlines(&decoder.jpeg, &row, 1);
  }
  jpeg_finish_decompress(&decoder.jpeg);
  return true;
}

}  // namespace

void decode_jpeg(std::string_view bytes, const std::string& name, Index height, Index width,
                 std::uint8_t* out) {
  Decoder decoder;
  decoder.errors.base.error_exit = fail;
  decoder.errors.base.emit_message = warn;
  const auto check = [&](bool done) {
    if (!done)
      throw IoError(fmt::format("{}: damaged JPEG: {}", name, decoder.errors.message.data()));
  };
  check(read_header(decoder, bytes));
  const jpeg_decompress_struct& jpeg = decoder.jpeg;
  if (static_cast<Index>(jpeg.image_height) != height ||
      static_cast<Index>(jpeg.image_width) != width || jpeg.num_components != 3) {
    throw IoError(
        fmt::format("{}: expected a JPEG file of {} x {} pixels in 3 colours, got {} x {} "
                    "in {}",
                    name, height, width, jpeg.image_height, jpeg.image_width, jpeg.num_components));
  }
  const auto size = static_cast<std::size_t>(height * width);
  std::vector<std::uint8_t> rows(3 * size);
  check(read_rows(decoder, rows.data()));
  for (std::size_t i = 0; i < size; ++i) {
    for (std::size_t channel = 0; channel < 3; ++channel) {
      out[channel * size + i] = rows[3 * i + channel];
    }
  }
}

}  // namespace xbar::nn::detail
