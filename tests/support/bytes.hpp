#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace xbar_test {

/// The bytes that hexadecimal text spells; blanks do not count.
inline std::string from_hex(std::string_view text) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string bytes;
  int high = -1;
  for (const char c : text) {
    if (c == ' ') continue;
    if (high < 0) {
      high = digit(c);
    } else {
      bytes += static_cast<char>(high * 16 + digit(c));
      high = -1;
    }
  }
  return bytes;
}

/// `value` as `width` bytes, least significant first.
inline std::string little(std::uint64_t value, int width) {
  std::string bytes;
  for (int i = 0; i < width; ++i) bytes += static_cast<char>((value >> (8 * i)) & 0xffU);
  return bytes;
}

}  // namespace xbar_test
