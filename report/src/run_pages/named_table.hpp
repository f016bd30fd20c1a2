#pragma once

/// A .csv file whose first line names its columns.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <xbar/core/matrix.hpp>

namespace xbar::report::pages {

struct NamedTable {
  std::string file;  ///< for messages
  std::vector<std::string> names;
  Matrix values;  ///< a column each

  /// @throws IoError if no column has that name
  [[nodiscard]] std::vector<double> column(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const;
};

/// @throws IoError if the file is missing or damaged, or has not one number for each name in a line
[[nodiscard]] NamedTable read_named_table(const std::filesystem::path& path);

}  // namespace xbar::report::pages
