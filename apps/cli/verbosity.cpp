#include "verbosity.hpp"

#include <cstdio>
#include <cstdlib>

#include <unistd.h>

namespace xbar::cli {
namespace {

Verbosity chosen = Verbosity::normal;

std::string paint(std::string_view code, std::string_view text) {
  return colours_on_stderr() ? fmt::format("\033[{}m{}\033[0m", code, text) : std::string(text);
}

}  // namespace

void add_verbosity_flags(CLI::App& app) {
  CLI::Option* quiet = app.add_flag_callback(
      "--quiet", [] { chosen = Verbosity::quiet; }, "print results and errors only");
  CLI::Option* verbose = app.add_flag_callback(
      "--verbose", [] { chosen = Verbosity::verbose; },
      "also print, on stderr: versions, choices made, phases and their times");
  quiet->excludes(verbose);
}

Verbosity verbosity() { return chosen; }

void detail(std::string_view line) {
  if (chosen == Verbosity::verbose) fmt::print(stderr, "xbar: {}\n", line);
}

Phase::~Phase() { detail(fmt::format("{}: {:.3f} s", name_, watch_.seconds())); }

bool colours_on_stderr() {
  const char* refused = std::getenv("NO_COLOR");
  if (refused != nullptr && *refused != '\0') return false;
  const char* terminal = std::getenv("TERM");
  return isatty(STDERR_FILENO) == 1 && terminal != nullptr && std::string_view(terminal) != "dumb";
}

std::string in_alarm(std::string_view text) { return paint("1;31", text); }

std::string in_accent(std::string_view text) { return paint("36", text); }

}  // namespace xbar::cli
