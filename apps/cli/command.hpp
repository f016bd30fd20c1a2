#pragma once

/// What a subcommand is: its flags, declared once, and what it does.

#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

namespace xbar::cli {

/// One subcommand. The flags of its CLI11 app are also the keys of its TOML configuration.
class Command {
 public:
  virtual ~Command() = default;
  Command() = default;
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  [[nodiscard]] virtual std::string name() const = 0;
  [[nodiscard]] virtual std::string description() const = 0;
  /// Declares the flags.
  virtual void declare(CLI::App& app) = 0;
  /// Whether --config names a file of the command's own, not one of its flags.
  [[nodiscard]] virtual bool reads_config() const { return false; }
  /// Runs with the flags parsed. @return exit code (0, or 1 if a check the user asked for failed)
  virtual int run() = 0;

  /// Adds this command to the program.
  void attach(CLI::App& program);
  [[nodiscard]] CLI::App* app() const { return app_; }

  /// The flags with values of their own, from the command line or the configuration file.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> given() const;

  /// Takes over the configuration file, refuses unknown flags, asks for missing ones.
  /// @throws InvalidArgument
  void finish_parsing();

  /// Whether the command could run with this configuration, --out aside.
  /// @param text    as a configuration file has it
  /// @param origin  for messages
  /// @throws InvalidArgument
  void check_config(std::string_view text, const std::string& origin);

 protected:
  /// The flag must be given, on the command line or in the configuration file.
  void require(CLI::Option* option) { required_.push_back(option); }

  /// It makes a difference that the flag is given, even with its default.
  void acts_when_given(const CLI::Option* option) { acts_when_given_.push_back(option); }

  /// A configuration file (--config) that repeats this command: all flags but `left_out` with their
  /// values. What acts_when_given() and was not, or has no value, is a comment.
  [[nodiscard]] std::string config_text(const std::vector<std::string>& left_out) const;

  [[nodiscard]] const std::string& config_path() const { return config_path_; }

  /// All flags with their values as text, given or default, for run.json.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> settings() const;

 private:
  void ask_for_missing() const;

  CLI::App* app_ = nullptr;
  std::string config_path_;
  std::vector<CLI::Option*> required_;
  std::vector<const CLI::Option*> acts_when_given_;
};

}  // namespace xbar::cli
