/// The xbar program: one file a subcommand; this one parses, dispatches and maps errors to exit
/// codes.

#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <sys/resource.h>

#include <xbar/core/error.hpp>
#include <xbar/core/stopwatch.hpp>
#include <xbar/core/suggest.hpp>
#include <xbar/core/version.hpp>

#include "commands.hpp"
#include "config_file.hpp"
#include "console.hpp"
#include "flag_help.hpp"
#include "mpi_session.hpp"
#include "run_folder.hpp"
#include "verbosity.hpp"

namespace xbar::cli {
namespace {

enum ExitCode { done = 0, bad_input = 2, numerical_failure = 3, interrupted_by_user = 130 };

int exit_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::numerical:
      return numerical_failure;
    case ErrorCode::interrupted:
      return interrupted_by_user;
    case ErrorCode::invalid_argument:
    case ErrorCode::io:
      break;
  }
  return bad_input;
}

// OpenMP's threads spin while they wait unless OMP_WAIT_POLICY says otherwise, and libgomp reads it
// before main. On a machine that others use too, spinning makes training 10 to 30 times slower
// (docs/adr/0005-waiting-threads.md): where the user has not chosen, start again with "passive".
void let_threads_sleep(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr) return;
  setenv("OMP_WAIT_POLICY", "passive", 0);
  execv("/proc/self/exe", argv);  // returns only if that is not possible; then go on as we are
}

// What the flag named in CLI11's "Could not convert: --flag = value" takes.
std::string expected_type(const CLI::App& program, const std::string& message) {
  for (const CLI::App* command : program.get_subcommands()) {
    for (const CLI::Option* option : command->get_options()) {
      if (message.find(option->get_name() + " ") == std::string::npos) continue;
      const std::string type = option->get_type_name();
      return type.find("INT") == std::string::npos ? "a number" : "a whole number";
    }
  }
  return "a number";
}

std::string help_footer() {
  std::string text;
  for (const HelpSection& section : help_sections()) {
    text += fmt::format("\n{}:\n", section.heading);
    for (const HelpEntry& entry : section.entries) {
      text += fmt::format("  {:<26}{}\n", entry.name, entry.text);
    }
  }
  return text;
}

// Words that no command took: the first is meant to be a command or a flag of the program.
void refuse_extras(const CLI::App& program) {
  const std::vector<std::string> extras = program.remaining();
  if (extras.empty()) return;
  const std::string& word = extras.front();
  if (word.front() == '-') {
    throw InvalidArgument(fmt::format("unknown flag {}; xbar --help lists them{}", word,
                                      did_you_mean(word, flag_names(program))));
  }
  std::vector<std::string> names;
  for (const CLI::App* command : program.get_subcommands({})) names.push_back(command->get_name());
  throw InvalidArgument(fmt::format("unknown command '{}'; xbar --help lists the commands{}", word,
                                    did_you_mean(word, names)));
}

long peak_megabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1000;  // kilobytes
}

// With --verbose: what runs, with what it was asked, and what that took.
int run_command(Command& command) {
  if (verbosity() != Verbosity::verbose) return command.run();
  const Json computes = versions();
  for (const auto& [what, value] : computes.items()) {
    detail(fmt::format("{} {}", what, value.is_string() ? value.get<std::string>() : value.dump()));
  }
  for (const auto& [flag, value] : command.given()) detail(fmt::format("--{} {}", flag, value));
  const Stopwatch watch;
  const int code = command.run();
  detail(fmt::format("{} took {:.3f} s and {} MB of memory at most", command.name(),
                     watch.seconds(), peak_megabytes()));
  return code;
}

int run(int argc, char** argv) {
  CLI::App program{"xbar: circuit-accurate resistive crossbars for neural networks", "xbar"};
  program.set_version_flag("--version", std::string("xbar ") + version);
  program.require_subcommand(0, 1);
  program.allow_extras();  // refused below, with a suggestion
  add_verbosity_flags(program);
  program.footer(help_footer());
  const std::vector<std::unique_ptr<Command>> commands = all_commands();
  for (const auto& command : commands) command->attach(program);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ConversionError& error) {
    throw InvalidArgument(
        fmt::format("{}; expected {}", error.what(), expected_type(program, error.what())));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
      return program.exit(error);  // --help, --version
    }
    throw InvalidArgument(error.what());
  }
  refuse_extras(program);
  for (const auto& command : commands) {
    if (!command->app()->parsed()) continue;
    command->finish_parsing();
    catch_signals();
    return run_command(*command);
  }
  fmt::print("{}", program.help());
  return bad_input;
}

}  // namespace
}  // namespace xbar::cli

int main(int argc, char** argv) {
  xbar::cli::let_threads_sleep(argv);
  int code = xbar::cli::numerical_failure;
  try {
    return xbar::cli::run(argc, argv);
  } catch (const xbar::Error& error) {
    fmt::print(stderr, "{} {}\n", xbar::cli::in_alarm("xbar:"), error.what());
    code = xbar::cli::exit_code(error.code());
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "{} out of memory\n", xbar::cli::in_alarm("xbar:"));
  } catch (const std::exception& error) {
    fmt::print(stderr, "{} unexpected failure: {}\n", xbar::cli::in_alarm("xbar:"), error.what());
  }
  xbar::cli::MpiSession::abort(code);
  return code;
}
