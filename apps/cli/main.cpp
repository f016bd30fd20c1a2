/// The xbar program: one file a subcommand; this one parses, dispatches and maps errors to exit
/// codes.

#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/suggest.hpp>
#include <xbar/core/version.hpp>

#include "commands.hpp"
#include "console.hpp"
#include "mpi_session.hpp"

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

int run(int argc, char** argv) {
  CLI::App program{"xbar: circuit-accurate resistive crossbars for neural networks", "xbar"};
  program.set_version_flag("--version", std::string("xbar ") + version);
  program.require_subcommand(0, 1);
  const std::vector<std::unique_ptr<Command>> commands = all_commands();
  std::vector<std::string> names;
  for (const auto& command : commands) {
    command->attach(program);
    names.push_back(command->name());
  }

  if (argc > 1 && argv[1][0] != '-') {
    const std::string word = argv[1];
    bool known = false;
    for (const std::string& name : names) known = known || name == word;
    if (!known) {
      throw InvalidArgument(fmt::format("unknown command '{}'; xbar --help lists the commands{}",
                                        word, did_you_mean(word, names)));
    }
  }
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
  for (const auto& command : commands) {
    if (!command->app()->parsed()) continue;
    command->finish_parsing();
    catch_signals();
    return command->run();
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
    fmt::print(stderr, "xbar: {}\n", error.what());
    code = xbar::cli::exit_code(error.code());
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "xbar: out of memory\n");
  } catch (const std::exception& error) {
    fmt::print(stderr, "xbar: unexpected failure: {}\n", error.what());
  }
  xbar::cli::MpiSession::abort(code);
  return code;
}
