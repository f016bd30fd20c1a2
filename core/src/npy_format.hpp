#pragma once

/// The .npy format in memory (NumPy Enhancement Proposal 1).

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <xbar/core/array_file.hpp>

namespace xbar::detail {

/// What stands before the data.
struct NpyHeader {
  std::string descr;  ///< element type, "<f8"; for a structured type its source text
  bool fortran_order = false;
  std::vector<std::uint64_t> shape;
  std::size_t data_offset = 0;
};

/// @return whether `bytes` start with the magic of a .npy.
[[nodiscard]] bool is_npy(std::string_view bytes);

/// @throws IoError if the header is malformed; what it announces is not judged.
[[nodiscard]] NpyHeader read_npy_header(std::string_view bytes, const std::string& name);

/// @return "" if the array is one that decode_npy reads, else why not: "expected ..., got ...".
[[nodiscard]] std::string npy_obstacle(const NpyHeader& header);

/// @throws IoError for an obstacle and for data of the wrong size.
[[nodiscard]] ArrayFile decode_npy(std::string_view bytes, const NpyHeader& header,
                                   const std::string& name);

/// Version 1.0, float64, C order; shape (rows,) if `as_vector`.
[[nodiscard]] std::string format_npy(const Matrix& values, bool as_vector);

}  // namespace xbar::detail
