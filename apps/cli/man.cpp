#include <fmt/format.h>

#include "commands.hpp"
#include "man_page.hpp"

namespace xbar::cli {
namespace {

class ManCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "man"; }
  [[nodiscard]] std::string description() const override {
    return "the manual page, for man: xbar man | man -l -";
  }
  void declare(CLI::App& /*app*/) override {}
  int run() override {
    fmt::print("{}", man_page(program_help(*app()->get_parent())));
    return 0;
  }
};

}  // namespace

std::unique_ptr<Command> make_man_command() { return std::make_unique<ManCommand>(); }

}  // namespace xbar::cli
