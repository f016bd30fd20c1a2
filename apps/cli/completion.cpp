#include "completion.hpp"

#include <fmt/format.h>

#include "commands.hpp"

namespace xbar::cli {
namespace {

class CompletionCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "completion"; }
  [[nodiscard]] std::string description() const override {
    return "a script that completes commands, flags and values in a shell";
  }
  void declare(CLI::App& app) override {
    require(
        app.add_option("SHELL", shell_,
                       "bash: source <(xbar completion bash); zsh: the same with zsh, or a file "
                       "_xbar in $fpath; fish: xbar completion fish | source")
            ->type_name("bash|zsh|fish"));
  }
  int run() override {
    const std::vector<CommandHelp> commands = program_help(*app()->get_parent());
    const auto make = shell_ == "bash"  ? bash_completion
                      : shell_ == "zsh" ? zsh_completion
                                        : fish_completion;
    fmt::print("{}", make(commands));
    return 0;
  }

 private:
  std::string shell_;
};

}  // namespace

std::string shell_quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c == '\n' ? ' ' : c;
    }
  }
  return quoted + "'";
}

std::vector<std::string> plain_words(const FlagHelp& flag) {
  std::vector<std::string> words = flag.words();
  std::erase_if(words, is_placeholder);
  return words;
}

std::unique_ptr<Command> make_completion_command() { return std::make_unique<CompletionCommand>(); }

}  // namespace xbar::cli
