#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include <xbar/core/array_file.hpp>
#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/device/dynamics/registry.hpp>
#include <xbar/report/plot.hpp>
#include <xbar/solver/program.hpp>

#include "circuit_flags.hpp"
#include "commands.hpp"
#include "console.hpp"
#include "flags.hpp"
#include "program_state.hpp"
#include "run_folder.hpp"
#include "verbosity.hpp"

namespace xbar::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view log_head =
    "pass,wordline,bitline,pulse,volt,second,reading_siemens,error\n";

std::string log_lines(const std::vector<solver::ProgramPulse>& pulses) {
  std::string text;
  for (const solver::ProgramPulse& p : pulses) {
    text += fmt::format("{},{},{},{},{:.17g},{:.17g},{:.17g},{:.17g}\n", p.pass + 1, p.i, p.j,
                        p.number, p.volt, p.second, p.reading_siemens, p.error);
  }
  return text;
}

void append(const fs::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::app);
  file << text << std::flush;
  if (!file) throw IoError(fmt::format("{}: cannot be written", path.string()));
}

std::string picture(const std::string& title, const Matrix& values, const std::string& quantity,
                    const std::string& unit, report::Ramp ramp, bool usual_ends) {
  report::Heatmap map;
  map.title = title;
  map.values = values;
  map.quantity = quantity;
  map.unit = unit;
  map.ramp = ramp;
  if (usual_ends) map.ports = report::Ports::forward;
  return map.svg();
}

class ProgramCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "program"; }
  [[nodiscard]] std::string description() const override {
    return "write conductances into a wired array: pulses, program and verify";
  }

  void declare(CLI::App& app) override {
    require(app.add_option("--targets", targets_path_,
                           "m x n conductances, siemens, .npy or .csv; a row is a wordline")
                ->type_name("FILE"));
    require(app.add_option("--model", model_,
                           fmt::format("cell: {}", fmt::join(device::dynamic_model_names(), ", ")))
                ->type_name(fmt::to_string(fmt::join(device::dynamic_model_names(), "|"))));
    app.add_option("--parameter", parameters_,
                   "NAME=VALUE that differs from the model's default; several times. A wrong name "
                   "lists them all");
    app.add_option("--initial", initial_,
                   "state to start from, 0 (off) to 1 (on), or conductances, siemens, from a file")
        ->type_name("NUMBER|FILE");
    circuit_flags_.add(app, CircuitFlags::Unselected::no_voltage);
    // --bias and --by say which lines are selected and what the others are at.
    for (const char* flag : {"--selected-wordlines", "--unselected-wordlines",
                             "--selected-bitlines", "--unselected-bitlines"}) {
      line_flags_.push_back(app.get_option(flag)->group(""));
    }
    app.add_option("--bias", bias_, "unselected lines: v/2, v/3, grounded or floating")
        ->type_name("v/2|v/3|grounded|floating");
    app.add_option("--by", by_, "what is programmed together: cell, row or column")
        ->type_name("cell|row|column");
    app.add_option("--read", read_, "reads between pulses: ideal or wires (through the array)")
        ->type_name("ideal|wires");
    app.add_option("--tolerance", options_.tolerance, "|reading / target - 1| that will do");
    const auto ladder = [&](const std::string& prefix, solver::PulseLadder& values,
                            const std::string& which) {
      const std::string note = prefix.empty() ? "" : "; default: as without reset-";
      // Without any of these flags the ladders suit the cell.
      return std::array{app.add_option("--" + prefix + "pulse-second", values.pulse_second,
                                       "length of " + which + ", second" + note),
                        app.add_option("--" + prefix + "start-volt", values.start_volt,
                                       "amplitude of the first of " + which + ", volt, > 0" + note),
                        app.add_option("--" + prefix + "step-volt", values.step_volt,
                                       "what is added for each further one, volt" + note),
                        app.add_option("--" + prefix + "max-volt", values.max_volt,
                                       "largest amplitude, volt" + note)};
    };
    set_flags_ = ladder("", options_.set, "pulses (none of these flags: measured on the cell)");
    reset_flags_ = ladder("reset-", options_.reset, "RESET pulses");
    for (CLI::Option* flag : reset_flags_) flag->default_str("");
    max_pulses_ = app.add_option("--max-pulses", options_.max_pulses,
                                 "pulses a cell gets in a pass; with measured pulses 500");
    passes_ = app.add_option("--passes", options_.passes,
                             "times through the array, which ends once all cells are within "
                             "tolerance; a second one mends disturbed neighbours; with measured "
                             "pulses 10");
    app.add_option("--step-tolerance", options_.write.step_tolerance,
                   "relative error of a step in time of the array");
    out_ = app.add_option("--out", out_path_, "folder of the run; default: a new one under out/")
               ->type_name("DIR");
    resume_ = app.add_option("--resume", resume_path_,
                             "go on with the run in this folder; the other flags must be its own")
                  ->type_name("DIR");
    app.add_flag("--json", json_, "print one JSON object and nothing else");
  }

  int run() override {
    read_options();
    const auto cell =
        device::make_dynamic_cell(model_, read_parameters("--parameter", parameters_));
    const Matrix targets = read_array(targets_path_).values;
    const solver::Circuit circuit =
        circuit_flags_.circuit(Matrix::Ones(targets.rows(), targets.cols()));
    solver::ProgramState state = solver::start_program(*cell, initial_state(*cell, targets));
    if (!ladder_given()) {
      solver::suggest_pulses(circuit, *cell, targets, options_);
      if (max_pulses_->count() == 0) options_.max_pulses = measured_max_pulses;
      if (passes_->count() == 0) options_.passes = measured_passes;
    }
    const bool resume = resume_->count() > 0;
    RunFolder folder(resume              ? fs::path(resume_path_)
                     : out_->count() > 0 ? fs::path(out_path_)
                                         : free_run_folder("program"),
                     name(), settings(), resume, {"out", "resume", "json"});
    if (resume) {
      take_up(folder, *cell, targets, state);
    } else {
      // Refuses what cannot be done before anything is written.
      solver::check_program(circuit, *cell, targets, options_, state);
      fs::create_directories(folder.path());
      write_file_atomically(folder.file("log.csv"), log_head);
      save_program_state(folder.file("state.npz"), *cell, targets, state, log_head.size());
      folder.results() = files();
      folder.save(false);
    }
    const solver::ProgramReport report = program(folder, circuit, *cell, targets, state);
    folder.results() = summary(targets, state, report);
    folder.results().update(files());
    write_results(folder, targets, state, report);
    folder.save(true);
    if (json_) {
      fmt::print("{}\n", folder.results().dump());
    } else {
      print(folder, targets, state, report);
    }
    return report.reached + report.open == targets.size() ? 0 : 1;
  }

 private:
  static constexpr Index measured_max_pulses = 500;
  static constexpr Index measured_passes = 10;

  [[nodiscard]] bool ladder_given() const {
    const auto given = [](const CLI::Option* flag) { return flag->count() > 0; };
    return std::any_of(set_flags_.begin(), set_flags_.end(), given) ||
           std::any_of(reset_flags_.begin(), reset_flags_.end(), given);
  }

  void read_options() {
    for (const CLI::Option* flag : line_flags_) {
      if (flag->count() == 0) continue;
      // get_name() of a flag that the help leaves out is empty.
      throw InvalidArgument(
          fmt::format("program: expected no --{}: --bias and --by choose the lines",
                      flag->get_lnames().front()));
    }
    if (out_->count() > 0 && resume_->count() > 0) {
      throw InvalidArgument("--resume: expected without --out; it names the folder itself");
    }
    options_.bias = solver::parse_bias(bias_);
    options_.order = solver::parse_program_order(by_);
    options_.read = solver::parse_program_read(read_);
    const auto inherit = [&](std::size_t k, double solver::PulseLadder::*field) {
      if (reset_flags_[k]->count() == 0) options_.reset.*field = options_.set.*field;
    };
    inherit(0, &solver::PulseLadder::pulse_second);
    inherit(1, &solver::PulseLadder::start_volt);
    inherit(2, &solver::PulseLadder::step_volt);
    inherit(3, &solver::PulseLadder::max_volt);
  }

  [[nodiscard]] solver::ArrayState initial_state(const device::DynamicCell& cell,
                                                 const Matrix& targets) const {
    if (const auto fraction = as_number<double>(initial_)) {
      if (!(*fraction >= 0) || !(*fraction <= 1)) {
        throw InvalidArgument(fmt::format("--initial: expected 0 to 1, got {}", initial_));
      }
      return solver::array_state_of_fraction(cell, targets.rows(), targets.cols(), *fraction);
    }
    const Matrix conductance = read_array(initial_).values;
    if (conductance.rows() != targets.rows() || conductance.cols() != targets.cols()) {
      throw InvalidArgument(
          fmt::format("--initial {}: expected {} x {} as the targets, got {} x {}", initial_,
                      targets.rows(), targets.cols(), conductance.rows(), conductance.cols()));
    }
    try {
      return solver::array_state_of_conductance(cell, conductance);
    } catch (const InvalidArgument& error) {
      throw InvalidArgument(fmt::format("--initial {}: {}", initial_, error.what()));
    }
  }

  void take_up(const RunFolder& folder, const device::DynamicCell& cell, const Matrix& targets,
               solver::ProgramState& state) const {
    if (!fs::exists(folder.file("run.json"))) {
      throw InvalidArgument(fmt::format("--resume: expected the folder of a run, {} holds none",
                                        folder.path().string()));
    }
    const std::string file = folder.file("state.npz").string();
    const Index units = solver::program_units(options_.order, targets.rows(), targets.cols());
    const std::uintmax_t size =
        parse_program_state(read_file(file), file, cell, targets, units, state);
    // Lines of a unit that was not done to its end come again.
    const fs::path log = folder.file("log.csv");
    if (!fs::exists(log) || fs::file_size(log) < size) {
      throw IoError(fmt::format("{}: expected at least {} bytes", log.string(), size));
    }
    fs::resize_file(log, size);
  }

  // The state is written when the log is, so that what it counts of the log is always there.
  solver::ProgramReport program(const RunFolder& folder, const solver::Circuit& circuit,
                                const device::DynamicCell& cell, const Matrix& targets,
                                solver::ProgramState& state) {
    try {
      ProgressBar bar(model_);
      options_.progress = bar.callback();
      const fs::path log = folder.file("log.csv");
      return solver::program(
          circuit, cell, targets, options_, state,
          [&](const solver::ProgramState& now, const std::vector<solver::ProgramPulse>& pulses) {
            append(log, log_lines(pulses));
            save_program_state(folder.file("state.npz"), cell, targets, now, fs::file_size(log));
          });
    } catch (const Interrupted&) {
      throw Interrupted(fmt::format(
          "interrupted; finished cells are in {0}, go on with the same flags and --resume {0}",
          folder.path().string()));
    }
  }

  // What the page of the run needs to find its way, from the beginning on.
  [[nodiscard]] Json files() const {
    return {{"tolerance", options_.tolerance}, {"log", "log.csv"}, {"arrays", "results.npz"}};
  }

  static Json ladder_json(const solver::PulseLadder& ladder) {
    return {{"pulse_second", ladder.pulse_second},
            {"start_volt", ladder.start_volt},
            {"step_volt", ladder.step_volt},
            {"max_volt", ladder.max_volt},
            {"aim", ladder.aim}};
  }

  [[nodiscard]] Json summary(const Matrix& targets, const solver::ProgramState& state,
                             const solver::ProgramReport& report) const {
    const auto extreme = [](const solver::CellExtreme& e) {
      return Json{{"value", e.value}, {"cell", Json::array({e.i, e.j})}};
    };
    const solver::WriteEnergy& energy = state.energy;
    return {{"wordlines", targets.rows()},
            {"bitlines", targets.cols()},
            {"reached", report.reached},
            {"out_of_pulses", report.out_of_pulses},
            {"stuck", report.stuck},
            {"open", report.open},
            {"disturbed", report.disturbed_count},
            {"worst_error", report.worst_error},
            {"mean_error", report.mean_error},
            {"set_pulses", ladder_json(options_.set)},
            {"reset_pulses", ladder_json(options_.reset)},
            {"pulses", state.pulse_count},
            {"most_pulses_of_a_cell", state.pulses.maxCoeff()},
            {"pulse_second", state.pulse_second},
            {"energy_joule",
             {{"delivered", energy.delivered_joule},
              {"cells", energy.cells_joule},
              {"wordlines", energy.wordlines_joule},
              {"bitlines", energy.bitlines_joule},
              {"terminals", energy.terminals_joule},
              {"cells_integrated", energy.integrated_joule}}},
            {"energy_imbalance", state.worst_imbalance},
            {"largest_unselected_volt", extreme(state.unselected_volt)},
            {"largest_disturb", extreme(state.disturb)}};
  }

  void write_results(const RunFolder& folder, const Matrix& targets,
                     const solver::ProgramState& state, const solver::ProgramReport& report) const {
    write_npz(folder.file("results.npz"), {{"targets", targets},
                                           {"conductance", report.conductance},
                                           {"reading", report.reading},
                                           {"error", report.error},
                                           {"disturbed", report.disturbed},
                                           {"outcome", state.outcome},
                                           {"pulses", state.pulses},
                                           {"second", state.second},
                                           {"energy_joule", state.energy_joule}});
    const bool usual = circuit_flags_.usual_ends();
    const auto draw = [&](const char* file, const std::string& title, const Matrix& values,
                          const std::string& quantity, const std::string& unit, report::Ramp ramp) {
      write_file_atomically(folder.file(file), picture(title, values, quantity, unit, ramp, usual));
    };
    draw("targets.svg", "Target conductances", targets, "target", "S", report::Ramp::sequential);
    draw("error.svg", "Final error, reading / target - 1", report.error, "error", "",
         report::Ramp::diverging);
    draw("pulses.svg", "Pulses of each cell", state.pulses, "pulses", "", report::Ramp::sequential);
  }

  void print(const RunFolder& folder, const Matrix& targets, const solver::ProgramState& state,
             const solver::ProgramReport& report) const {
    for (const auto& [name, ladder] :
         {std::pair{"SET", options_.set}, std::pair{"RESET", options_.reset}}) {
      fmt::print("{} pulses of {:.3g} s from {:.4g} V by {:.3g} V to {:.4g} V{}\n", name,
                 ladder.pulse_second, ladder.start_volt, ladder.step_volt, ladder.max_volt,
                 ladder.aim > 0 ? fmt::format(", adaptive, {:.2g} of ln G each", ladder.aim) : "");
    }
    const solver::WriteEnergy& energy = state.energy;
    fmt::print(
        "{} x {} array: {} of {} cells within tolerance, worst error {:.3g} %, mean {:.3g} %\n",
        targets.rows(), targets.cols(), report.reached, targets.size() - report.open,
        100 * report.worst_error, 100 * report.mean_error);
    const auto count = [](Index cells, const char* what) {
      if (cells > 0) fmt::print("  {} {}\n", cells, what);
    };
    count(report.out_of_pulses,
          "out of pulses; where log.csv shows them jump over the target, try a shorter "
          "--pulse-second or a lower --start-volt, where they creep, a larger --step-volt");
    count(report.stuck, "stuck: the largest pulse moves them no more");
    count(report.open, "open");
    count(report.disturbed_count, "disturbed by pulses of other cells");
    fmt::print(
        "{} pulses, {:.4g} s in all, at most {} for a cell\n"
        "energy {:.4g} J: cells {:.4g}, wordlines {:.4g}, bitlines {:.4g}, terminals {:.4g}; "
        "balance "
        "to {:.1e}\n"
        "largest voltage of an unselected cell {:.4g} V at ({},{}), largest disturb by one pulse "
        "{:.2g} % of the range at ({},{})\n",
        state.pulse_count, state.pulse_second, static_cast<Index>(state.pulses.maxCoeff()),
        energy.delivered_joule, energy.cells_joule, energy.wordlines_joule, energy.bitlines_joule,
        energy.terminals_joule, state.worst_imbalance, state.unselected_volt.value,
        state.unselected_volt.i, state.unselected_volt.j, 100 * std::abs(state.disturb.value),
        state.disturb.i, state.disturb.j);
    remark("written to {}\n", folder.path().string());
  }

  std::string targets_path_;
  std::string model_;
  std::vector<std::string> parameters_;
  std::string initial_ = "0";
  CircuitFlags circuit_flags_;
  std::vector<CLI::Option*> line_flags_;
  std::string bias_ = "v/2";
  std::string by_ = "cell";
  std::string read_ = "ideal";
  solver::ProgramOptions options_;
  std::array<CLI::Option*, 4> set_flags_{};
  std::array<CLI::Option*, 4> reset_flags_{};
  CLI::Option* max_pulses_ = nullptr;
  CLI::Option* passes_ = nullptr;
  std::string out_path_;
  std::string resume_path_;
  CLI::Option* out_ = nullptr;
  CLI::Option* resume_ = nullptr;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_program_command() { return std::make_unique<ProgramCommand>(); }

}  // namespace xbar::cli
