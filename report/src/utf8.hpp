#pragma once

#include <cstddef>
#include <string_view>

namespace xbar::report {

inline constexpr char32_t replacement_character = 0xFFFD;

/// Takes one code point off the front of `text` (not empty). A byte that does not start a valid
/// sequence (overlong, surrogate, cut off, beyond U+10FFFF) is taken alone and gives U+FFFD.
inline char32_t take_code_point(std::string_view& text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  const std::size_t length = lead < 0x80            ? 1
                             : lead >> 5 == 0b110   ? 2
                             : lead >> 4 == 0b1110  ? 3
                             : lead >> 3 == 0b11110 ? 4
                                                    : 0;
  char32_t code = length == 1 ? lead : length == 0 ? 0 : lead & (0x7Fu >> length);
  bool valid = length != 0 && length <= text.size();
  for (std::size_t i = 1; valid && i < length; ++i) {
    valid = byte(i) >> 6 == 0b10;
    code = code << 6 | (byte(i) & 0x3Fu);
  }
  constexpr char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  valid =
      valid && code >= smallest[length] && code <= 0x10FFFF && !(code >= 0xD800 && code <= 0xDFFF);
  text.remove_prefix(valid ? length : 1);
  return valid ? code : replacement_character;
}

}  // namespace xbar::report
