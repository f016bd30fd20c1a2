#pragma once

/// The IDX format of MNIST and its kin: two zero bytes, element type, number of axes, the axes'
/// lengths as big-endian 32-bit words, the data. http://yann.lecun.com/exdb/mnist

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <xbar/core/matrix.hpp>

namespace xbar::nn {

/// One array of bytes, C order.
struct IdxArray {
  std::vector<Index> shape;          ///< one to four axes, each >= 1
  std::vector<std::uint8_t> values;  ///< size: product of shape
};

/// Reads an IDX file of unsigned bytes, plain or packed by gzip (told by its first bytes).
/// @throws IoError naming the file if it is missing, truncated, longer than its shape says, empty,
///         damaged, or of another element type.
[[nodiscard]] IdxArray read_idx(const std::filesystem::path& path);

/// The same on bytes in memory; `name` stands for the file in messages.
[[nodiscard]] IdxArray parse_idx(std::string_view bytes, const std::string& name);

}  // namespace xbar::nn
