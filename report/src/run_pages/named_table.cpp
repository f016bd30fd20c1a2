#include "named_table.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <xbar/core/array_file.hpp>
#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>

namespace xbar::report::pages {

std::vector<double> NamedTable::column(std::string_view name) const {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) {
    throw IoError(fmt::format("{}: expected a column {}, found none", file, name));
  }
  const auto column = values.col(found - names.begin());
  return {column.begin(), column.end()};
}

bool NamedTable::has(std::string_view name) const {
  return std::find(names.begin(), names.end(), name) != names.end();
}

NamedTable read_named_table(const std::filesystem::path& path) {
  const std::string text = read_file(path);
  NamedTable table{path.string(), {}, {}};
  std::string head = text.substr(0, text.find('\n'));
  if (head.ends_with('\r')) head.pop_back();
  for (std::size_t begin = 0; begin <= head.size();) {
    const std::size_t comma = std::min(head.find(',', begin), head.size());
    table.names.push_back(head.substr(begin, comma - begin));
    begin = comma + 1;
  }
  const auto columns = static_cast<Index>(table.names.size());
  const bool rows = text.find_first_not_of("\r\n", head.size()) != std::string::npos;
  // As a comment the names keep their line, so that messages count right.
  table.values = rows ? parse_csv("#" + text, table.file).values : Matrix(0, columns);
  if (table.values.cols() != columns) {
    throw IoError(fmt::format("{}: expected {} columns like the names, found {}", table.file,
                              columns, table.values.cols()));
  }
  return table;
}

}  // namespace xbar::report::pages
