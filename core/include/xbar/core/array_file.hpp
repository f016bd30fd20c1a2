#pragma once

/// Arrays on disk: NumPy .npy and .npz, and .csv. Row = wordline.

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include <xbar/core/matrix.hpp>

namespace xbar {

/// An array file as read: 1-D arrays have `columns == 1` and `is_vector`.
struct ArrayFile {
  Matrix values;
  bool is_vector = false;
};

/// Reads a .npy (float64 or float32 of either byte order, integers too; C or Fortran order; format
/// versions 1 to 3) or a .csv file (comma, semicolon or blank separated; '#' starts a comment; one
/// column is a vector). NaN and infinity are values like any other: the caller checks.
/// A file that starts as a .npy is read as one whatever it is called.
/// @throws IoError for a missing, truncated, empty or malformed file, for any other element type
///         (strings, objects, complex) and for more than two dimensions; the message names the
///         file, what was expected and what was found.
[[nodiscard]] ArrayFile read_array(const std::filesystem::path& path);

/// Writes float64, C order, version 1.0, atomically; `as_vector` writes shape (rows,).
/// A path that ends in .csv is written as text with 17 significant digits.
/// @throws InvalidArgument for an empty matrix and for `as_vector` with more than one column;
///         IoError if the file cannot be written.
void write_array(const std::filesystem::path& path, const Matrix& values, bool as_vector = false);

/// Writes named matrices into one .npz (NumPy's zip of .npy), atomically. Equal arrays give equal
/// bytes: no time of day is stored.
/// @throws InvalidArgument for no array, an empty one or an empty name; IoError as write_array.
void write_npz(const std::filesystem::path& path, const std::map<std::string, Matrix>& arrays);

/// Reads every non-empty 1-D or 2-D numeric array of a .npz. Members that hold something else
/// (strings, three dimensions, no .npy at all) are left out.
/// @throws IoError for a missing file, one that is no zip archive, and a damaged member.
[[nodiscard]] std::map<std::string, ArrayFile> read_npz(const std::filesystem::path& path);

/// The same on bytes in memory; `name` stands for the file in messages.
[[nodiscard]] ArrayFile parse_npy(std::string_view bytes, const std::string& name);
[[nodiscard]] ArrayFile parse_csv(std::string_view bytes, const std::string& name);
[[nodiscard]] std::map<std::string, ArrayFile> parse_npz(std::string_view bytes,
                                                         const std::string& name);

}  // namespace xbar
