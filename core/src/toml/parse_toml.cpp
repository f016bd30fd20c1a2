#include "parse_toml.hpp"

#include <algorithm>
#include <cstddef>
#include <string>

#include <fmt/format.h>

#include <xbar/core/error.hpp>

namespace xbar {
namespace {

bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }

std::size_t run_of(std::string_view text, std::size_t at) {
  return std::min(text.find_first_not_of(text[at], at), text.size()) - at;
}

// The end of the string that begins at `at`; where it is cut off or an escape begins with a letter
// beyond ASCII, that place.
std::size_t end_of_string(std::string_view text, std::size_t at) {
  const char quote = text[at];
  constexpr std::size_t three = 3;
  const bool many_lines = run_of(text, at) >= three;
  for (at += many_lines ? three : 1; at < text.size();) {
    if (text[at] == '\\' && quote == '"') {
      // A '\' at the end of a line takes the white space behind it along.
      const std::string_view skipped = many_lines ? " \t\r\n" : "";
      at = std::min(text.find_first_not_of(skipped, at + 1), text.size());
      if (at == text.size() || !is_ascii(text[at])) return at;
      if (text[at - 1] == '\\') ++at;
    } else if (text[at] == quote) {
      if (!many_lines) return at + 1;
      const std::size_t quotes = run_of(text, at);
      if (quotes >= three) return at + std::min(quotes, three + 2);  // the first two are content
      at += quotes;
    } else if (text[at] == '\n' && !many_lines) {
      return at;
    } else {
      ++at;
    }
  }
  return at;
}

// toml++ 3.3 takes some letters beyond ASCII for impossible (__builtin_unreachable) where it looks
// for white space: outside of strings and comments, where TOML has none, and behind the '\' that
// ends a line of a string, where we do without.
class LetterOutOfPlace {
 public:
  explicit LetterOutOfPlace(std::string_view text) : text_(text) {}

  /// The first of them, or the end. Behind what is no TOML it may be anywhere: toml++ stops there.
  [[nodiscard]] std::size_t find() {
    while (at_ < text_.size() && is_ascii(text_[at_])) skip();
    return std::min(at_, text_.size());
  }

 private:
  void skip() {
    const char c = text_[at_];
    if (c == '#') {
      at_ = text_.find('\n', at_);
    } else if (c == '"' || c == '\'') {
      at_ = end_of_string(text_, at_);
    } else if (c == '\n') {
      if (open_.empty()) in_value_ = false;
      ++at_;
    } else if (in_value_) {
      skip_in_value(c);
    } else {
      in_value_ = c == '=';
      if (c == '}') close();
      ++at_;
    }
  }

  void skip_in_value(char c) {
    constexpr std::string_view ends = " \t\r\n,]}#";
    if (c == '[' || c == '{') {
      open_.push_back(c);
      in_value_ = c == '[';
    } else if (c == ']' || c == '}') {
      close();
    } else if (c == ',') {
      in_value_ = open_.empty() || open_.back() == '[';
    } else if (ends.find(c) == std::string_view::npos) {
      // A value that has begun without a quote: a quote within begins no string.
      while (at_ < text_.size() && is_ascii(text_[at_]) &&
             ends.find(text_[at_]) == std::string_view::npos) {
        ++at_;
      }
      return;
    }
    ++at_;
  }

  void close() {
    if (!open_.empty()) open_.pop_back();
    in_value_ = true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string open_;  // brackets of arrays and inline tables
  bool in_value_ = false;
};

void refuse_letters_out_of_place(std::string_view text, const std::string& file) {
  const std::size_t at = LetterOutOfPlace(text).find();
  if (at >= text.size()) return;
  const std::string_view before = text.substr(0, at);
  const std::string_view line = before.substr(before.rfind('\n') + 1);  // npos + 1 is 0
  const auto begins_letter = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
  throw IoError(fmt::format(
      "{}:{}:{}: not TOML: expected ASCII outside of strings and comments and behind a '\\', found "
      "byte 0x{:02x}",
      file, 1 + std::count(before.begin(), before.end(), '\n'),
      1 + std::count_if(line.begin(), line.end(), begins_letter),
      static_cast<unsigned>(static_cast<unsigned char>(text[at]))));
}

}  // namespace

toml::table parse_toml(std::string_view text, const std::string& file) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  refuse_letters_out_of_place(text, file);
  try {
    return toml::parse(text, file);
  } catch (const toml::parse_error& error) {
    throw IoError(fmt::format("{}:{}:{}: not TOML: {}", file, error.source().begin.line,
                              error.source().begin.column, error.description()));
  }
}

}  // namespace xbar
