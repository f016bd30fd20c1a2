#pragma once

/// All subcommands. A new one is one file, one line here and one in commands.cpp.

#include <memory>
#include <vector>

#include "command.hpp"

namespace xbar::cli {

[[nodiscard]] std::unique_ptr<Command> make_solve_command();
[[nodiscard]] std::unique_ptr<Command> make_effective_command();
[[nodiscard]] std::unique_ptr<Command> make_spice_command();
[[nodiscard]] std::unique_ptr<Command> make_transient_command();
[[nodiscard]] std::unique_ptr<Command> make_device_command();
[[nodiscard]] std::unique_ptr<Command> make_program_command();
[[nodiscard]] std::unique_ptr<Command> make_fit_command();
[[nodiscard]] std::unique_ptr<Command> make_validate_command();
[[nodiscard]] std::unique_ptr<Command> make_calibrate_command();
[[nodiscard]] std::unique_ptr<Command> make_train_command();
[[nodiscard]] std::unique_ptr<Command> make_evaluate_command();
[[nodiscard]] std::unique_ptr<Command> make_remap_command();
[[nodiscard]] std::unique_ptr<Command> make_export_command();
[[nodiscard]] std::unique_ptr<Command> make_sweep_command();
[[nodiscard]] std::unique_ptr<Command> make_report_command();
[[nodiscard]] std::unique_ptr<Command> make_info_command();
[[nodiscard]] std::unique_ptr<Command> make_quickstart_command();
[[nodiscard]] std::unique_ptr<Command> make_completion_command();
[[nodiscard]] std::unique_ptr<Command> make_man_command();

/// In the order of --help.
[[nodiscard]] std::vector<std::unique_ptr<Command>> all_commands();

}  // namespace xbar::cli
