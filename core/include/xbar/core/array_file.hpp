#pragma once

/// Arrays on disk: NumPy .npy and .npz, and .csv. Row = wordline.

#include <filesystem>
#include <map>
#include <string>

#include <xbar/core/matrix.hpp>

namespace xbar {

/// An array file as read: 1-D arrays have `columns == 1` and `is_vector`.
struct ArrayFile {
  Matrix values;
  bool is_vector = false;
};

/// Reads a .npy (float64 or float32 of either byte order, integers too; C or Fortran order; format
/// versions 1 to 3) or a .csv file (comma, semicolon or blank separated; '#' starts a comment).
/// @throws IoError for a missing, truncated, empty or malformed file, for any other element type
///         (strings, objects, complex) and for more than two dimensions; the message names the file,
///         what was expected and what was found.
[[nodiscard]] ArrayFile read_array(const std::filesystem::path& path);

/// Writes float64, C order, version 1.0, atomically; `as_vector` writes shape (rows,).
/// A path that ends in .csv is written as text with 17 significant digits.
void write_array(const std::filesystem::path& path, const Matrix& values, bool as_vector = false);

/// Writes named matrices into one .npz (NumPy's zip of .npy), atomically.
void write_npz(const std::filesystem::path& path, const std::map<std::string, Matrix>& arrays);

/// Reads every 1-D or 2-D numeric array of a .npz.
[[nodiscard]] std::map<std::string, ArrayFile> read_npz(const std::filesystem::path& path);

}  // namespace xbar
