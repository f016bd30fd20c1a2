#include <cmath>

#include <fmt/format.h>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/fit/iv_fit.hpp>

#include "text_table.hpp"

namespace xbar::fit {

IvData parse_iv_data(std::string_view text, const std::string& name) {
  const TextTable table = split_table(text, name);
  const std::size_t columns = table.width();
  if (columns != 2 && columns != 3) {
    throw IoError(fmt::format(
        "{}: expected 2 columns, volt and ampere, or 3, time, volt and ampere, found {}", name,
        columns));
  }
  IvData data{name, {}, {}};
  for (std::size_t r = table.has_heading() ? 1 : 0; r < table.rows.size(); ++r) {
    data.volt.push_back(table.number(table.rows[r], columns - 2, "volt"));
    data.ampere.push_back(table.number(table.rows[r], columns - 1, "ampere"));
  }
  return data;
}

IvData read_iv_data(const std::filesystem::path& path) {
  return parse_iv_data(read_file(path), path.string());
}

}  // namespace xbar::fit
