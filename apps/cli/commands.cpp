#include "commands.hpp"

namespace xbar::cli {

std::vector<std::unique_ptr<Command>> all_commands() {
  std::vector<std::unique_ptr<Command>> commands;
  commands.push_back(make_solve_command());
  commands.push_back(make_effective_command());
  commands.push_back(make_spice_command());
  commands.push_back(make_transient_command());
  commands.push_back(make_device_command());
  commands.push_back(make_program_command());
  commands.push_back(make_fit_command());
  commands.push_back(make_validate_command());
  commands.push_back(make_calibrate_command());
  commands.push_back(make_train_command());
  commands.push_back(make_evaluate_command());
  commands.push_back(make_remap_command());
  commands.push_back(make_export_command());
  commands.push_back(make_sweep_command());
  commands.push_back(make_report_command());
  commands.push_back(make_info_command());
  commands.push_back(make_quickstart_command());
  commands.push_back(make_completion_command());
  commands.push_back(make_man_command());
  return commands;
}

}  // namespace xbar::cli
