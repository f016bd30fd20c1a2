#pragma once

/// How much the program says, and in what colours.

#include <string>
#include <string_view>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <xbar/core/stopwatch.hpp>

namespace xbar::cli {

enum class Verbosity {
  quiet,    ///< results and errors only
  normal,   ///< also what a person wants to know beside them, and progress on a terminal
  verbose,  ///< also, on stderr: versions, choices made, phases and their times
};

/// --quiet and --verbose, which act on the whole program.
void add_verbosity_flags(CLI::App& app);
[[nodiscard]] Verbosity verbosity();

/// On stdout, what is no result: a heading, where to look next. Left out with --quiet.
template <typename... Values>
void remark(fmt::format_string<Values...> text, Values&&... values) {
  if (verbosity() != Verbosity::quiet) fmt::print(text, std::forward<Values>(values)...);
}

/// A line on stderr, with --verbose only.
void detail(std::string_view line);

/// A part of a command's work; says what it took when it ends, with --verbose.
class Phase {
 public:
  explicit Phase(std::string name) : name_(std::move(name)) {}
  ~Phase();
  Phase(const Phase&) = delete;
  Phase& operator=(const Phase&) = delete;

 private:
  std::string name_;
  Stopwatch watch_;
};

/// Whether stderr shows colours: a terminal that knows them, and no NO_COLOR (no-color.org).
[[nodiscard]] bool colours_on_stderr();

/// `text`, for stderr, in bold red and in cyan where there are colours.
[[nodiscard]] std::string in_alarm(std::string_view text);
[[nodiscard]] std::string in_accent(std::string_view text);

}  // namespace xbar::cli
