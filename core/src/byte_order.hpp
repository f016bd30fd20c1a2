#pragma once

/// Numbers to and from bytes of a stated order, at any alignment.

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <string>

namespace xbar::detail {

template <typename T>
[[nodiscard]] T load(const char* bytes, std::endian order) {
  std::array<char, sizeof(T)> raw{};
  std::memcpy(raw.data(), bytes, sizeof(T));
  if (order != std::endian::native) std::reverse(raw.begin(), raw.end());
  return std::bit_cast<T>(raw);
}

/// Appends `value`, least significant byte first.
template <typename T>
void append_little(std::string& bytes, T value) {
  auto raw = std::bit_cast<std::array<char, sizeof(T)>>(value);
  if constexpr (std::endian::native == std::endian::big) std::reverse(raw.begin(), raw.end());
  bytes.append(raw.data(), raw.size());
}

}  // namespace xbar::detail
