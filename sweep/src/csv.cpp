#include <algorithm>
#include <set>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/sweep/table.hpp>

namespace xbar::sweep {
namespace {

std::string csv_cell(std::string_view cell) {
  if (cell.find_first_of(",\"\n\r") == std::string_view::npos) return std::string(cell);
  std::string text = "\"";
  for (const char c : cell) {
    if (c == '"') text += '"';
    text += c;
  }
  return text + '"';
}

/// Takes a text apart, record by record.
class Reader {
 public:
  Reader(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  [[nodiscard]] bool at_end() const { return at_ == text_.size(); }
  [[nodiscard]] std::size_t line() const { return line_; }

  bool skip_comment() {
    if (at_end() || text_[at_] != '#') return false;
    at_ = std::min(text_.find('\n', at_), text_.size() - 1) + 1;
    ++line_;
    return true;
  }

  std::vector<std::string> record() {
    std::vector<std::string> cells(1);
    while (true) {
      cells.back() = cell();
      if (at_end()) return cells;
      const char end = text_[at_++];
      if (end == '\n') {
        ++line_;
        return cells;
      }
      cells.emplace_back();
    }
  }

 private:
  std::string cell() {
    if (at_end() || text_[at_] != '"') {
      const std::size_t end = std::min(text_.find_first_of(",\n", at_), text_.size());
      std::string plain(text_.substr(at_, end - at_));
      if (plain.ends_with('\r')) plain.pop_back();
      at_ = end;
      return plain;
    }
    std::string quoted;
    for (++at_; true; ++at_) {
      if (at_end()) {
        throw IoError(
            fmt::format("{}:{}: expected a quote at the end of a cell, found the end of "
                        "the file",
                        name_, line_));
      }
      if (text_[at_] == '\n') ++line_;
      if (text_[at_] == '"') {
        ++at_;
        if (at_end() || text_[at_] != '"') break;
      }
      quoted += text_[at_];
    }
    if (text_.substr(at_).starts_with("\r\n")) ++at_;
    if (!at_end() && text_[at_] != ',' && text_[at_] != '\n') {
      throw IoError(fmt::format("{}:{}: expected a comma after a quoted cell, found '{}'", name_,
                                line_, text_[at_]));
    }
    return quoted;
  }

  std::string_view text_;
  const std::string& name_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

}  // namespace

std::string to_csv(const Table& table, std::string_view comment) {
  std::string text;
  while (!comment.empty()) {
    const std::size_t end = std::min(comment.find('\n'), comment.size());
    text += fmt::format("# {}\n", comment.substr(0, end));
    comment.remove_prefix(std::min(end + 1, comment.size()));
  }
  for (std::size_t c = 0; c < table.columns().size(); ++c) {
    text += (c == 0 ? "" : ",") + csv_cell(table.columns()[c]);
  }
  text += '\n';
  for (std::size_t r = 0; r < table.size(); ++r) {
    for (std::size_t c = 0; c < table.columns().size(); ++c) {
      text += (c == 0 ? "" : ",") + csv_cell(table.cell(r, c));
    }
    text += '\n';
  }
  return text;
}

Table parse_table(std::string_view csv, const std::string& name) {
  Reader reader(csv, name);
  while (reader.skip_comment()) {
  }
  if (reader.at_end()) {
    throw IoError(fmt::format("{}: expected a line with the names of columns, found none", name));
  }
  std::vector<std::string> columns = reader.record();
  if (std::set<std::string>(columns.begin(), columns.end()).size() != columns.size()) {
    throw IoError(fmt::format("{}: expected columns of different names, found one twice", name));
  }
  std::vector<std::vector<std::string>> rows;
  while (!reader.at_end()) {
    const std::size_t line = reader.line();
    std::vector<std::string> cells = reader.record();
    if (cells.size() != columns.size()) {
      throw IoError(fmt::format("{}:{}: expected {} cells like the names, found {}", name, line,
                                columns.size(), cells.size()));
    }
    rows.push_back(std::move(cells));
  }
  return {std::move(columns), std::move(rows)};
}

}  // namespace xbar::sweep
