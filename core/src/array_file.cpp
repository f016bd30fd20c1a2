#include <algorithm>
#include <string>

#include <fmt/format.h>

#include <xbar/core/array_file.hpp>
#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>

#include "csv_format.hpp"
#include "npy_format.hpp"
#include "npz_format.hpp"
#include "printable.hpp"

namespace xbar {
namespace {

std::string lower_extension(const std::filesystem::path& path) {
  std::string text = path.extension().string();
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

void check_not_empty(const Matrix& values, const std::string& name) {
  if (values.size() == 0) {
    throw InvalidArgument(fmt::format("{}: expected a non-empty array to write, got {} x {}", name,
                                      values.rows(), values.cols()));
  }
}

}  // namespace

ArrayFile read_array(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  const std::string extension = lower_extension(path);
  if (extension == ".npy" || detail::is_npy(bytes)) return parse_npy(bytes, path.string());
  if (extension == ".csv") return parse_csv(bytes, path.string());
  throw IoError(fmt::format("{}: expected an array file, .npy or .csv, got extension {}",
                            path.string(), detail::printable(extension)));
}

void write_array(const std::filesystem::path& path, const Matrix& values, bool as_vector) {
  check_not_empty(values, path.string());
  if (as_vector && values.cols() != 1) {
    throw InvalidArgument(fmt::format("{}: expected one column to write as a vector, got {}",
                                      path.string(), values.cols()));
  }
  write_file_atomically(path, lower_extension(path) == ".csv"
                                  ? detail::format_csv(values)
                                  : detail::format_npy(values, as_vector));
}

void write_npz(const std::filesystem::path& path, const std::map<std::string, Matrix>& arrays) {
  if (arrays.empty()) {
    throw InvalidArgument(fmt::format("{}: expected arrays to write, got none", path.string()));
  }
  for (const auto& [key, values] : arrays) {
    if (key.empty() || key.find('\0') != std::string::npos) {
      throw InvalidArgument(
          fmt::format("{}: expected an array name of one or more characters, got {}", path.string(),
                      detail::printable(key)));
    }
    check_not_empty(values, fmt::format("{}: array {}", path.string(), detail::printable(key)));
  }
  write_file_atomically(path, detail::format_npz(arrays, path.string()));
}

std::map<std::string, ArrayFile> read_npz(const std::filesystem::path& path) {
  return parse_npz(read_file(path), path.string());
}

}  // namespace xbar
