#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/fit/iv_fit.hpp>
#include <xbar/fit/pulse_fit.hpp>
#include <xbar/fit/retention_fit.hpp>
#include <xbar/report/run_page.hpp>

#include "commands.hpp"
#include "console.hpp"
#include "fit_amplitude.hpp"
#include "fit_results.hpp"
#include "fit_states.hpp"
#include "run_folder.hpp"
#include "verbosity.hpp"

namespace xbar::cli {
namespace {

class FitCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "fit"; }
  [[nodiscard]] std::string description() const override {
    return "measured pulses, distributions of steps, I-V sweeps or retention to a device";
  }

  void declare(CLI::App& app) override {
    app.add_option("--pulses", pulse_paths_,
                   "conductances after each pulse, .csv (docs/fitting.md); several are one device")
        ->type_name("FILE");
    app.add_option("--amplitude", amplitude_paths_,
                   "single pulses of varied voltage, .csv: the voltage law, alone or of --pulses")
        ->type_name("FILE");
    app.add_option("--distribution", distribution_paths_,
                   "measured distributions of the step: conductances, changes and cumulative "
                   "probabilities, three files a direction")
        ->delimiter(',')
        ->type_name("FILE");
    app.add_option("--cycling", cycling_path_,
                   "full SETs and RESETs, .csv: a cell's name, then ohm after each in turn")
        ->type_name("FILE");
    app.add_option("--iv", iv_path_, "a sweep, .csv: volt,ampere or time,volt,ampere")
        ->type_name("FILE");
    app.add_option("--retention", retention_path_, "readings over time, .csv: second,reading")
        ->type_name("FILE");
    app.add_option("--format", format_, "layout of --pulses: long, columns, ramps or aihwkit")
        ->type_name("long|columns|ramps|aihwkit");
    app.add_option(
           "--direction", directions_,
           "up or down: of each file of format ramps, of --amplitude files that do not say, "
           "of --distribution")
        ->type_name("up|down");
    app.add_option("--columns", amplitude_layout_.columns,
                   "names of the columns of --amplitude files without heading; - is left out")
        ->delimiter(',');
    app.add_option("--up-volt", amplitude_options_.up_volt,
                   "nominal voltage of up pulses; default: that of --pulses, else the largest");
    app.add_option("--down-volt", amplitude_options_.down_volt, "the same of down pulses");
    app.add_option("--tolerance", tolerance_,
                   "of the probabilities when a --distribution is thinned");
    app.add_option("--read-volt", layout_.read_volt, "at which currents of format ramps were read");
    app.add_option("--low-siemens", layout_.low_siemens, "what -1 of format aihwkit stands for");
    app.add_option("--high-siemens", layout_.high_siemens, "what 1 of format aihwkit stands for");
    app.add_option("--model", models_, "models to compare: auto (all) or names")->delimiter(',');
    app.add_option("--fit-to", fit_to_,
                   "curve: what the model draws by itself; steps: each pulse from the readings "
                   "before it, for very noisy pulses")
        ->type_name("curve|steps");
    app.add_option("--folds", options_.folds, "of the cross-validation");
    app.add_option("--g-min-siemens", options_.g_min_siemens,
                   "lower bound of the range; default: fitted");
    app.add_option("--g-max-siemens", options_.g_max_siemens,
                   "upper bound of the range; default: fitted");
    app.add_option("--seed", options_.seed, "which curve comes into which fold");
    out_ = app.add_option("--out", out_path_, "folder of the run; default: a new one under out/")
               ->type_name("DIR");
    app.add_flag("--json", json_, "print one JSON object and nothing else");
  }

  int run() override {
    const bool has_pulses = !pulse_paths_.empty() || !amplitude_paths_.empty();
    const int kinds = (has_pulses ? 1 : 0) + (distribution_paths_.empty() ? 0 : 1) +
                      (cycling_path_.empty() ? 0 : 1) + (iv_path_.empty() ? 0 : 1) +
                      (retention_path_.empty() ? 0 : 1);
    if (kinds != 1) {
      throw InvalidArgument(
          fmt::format("fit: expected one of --pulses and --amplitude, alone or together, "
                      "--distribution, --cycling, --iv and --retention, found {}",
                      kinds));
    }
    RunFolder folder(out_->count() > 0 ? std::filesystem::path(out_path_) : free_run_folder(name()),
                     name(), settings(), false);
    const std::string text = !pulse_paths_.empty()          ? fit_pulse_files(folder)
                             : !amplitude_paths_.empty()    ? fit_amplitude_files(folder)
                             : !distribution_paths_.empty() ? fit_distribution_files(folder)
                             : !cycling_path_.empty()       ? fit_cycles(folder)
                             : !iv_path_.empty()            ? fit_sweep(folder)
                                                            : fit_readings(folder);
    folder.save(true);
    write_file_atomically(folder.file("index.html"), report::run_page(folder.path()));
    if (json_) {
      fmt::print("{}\n", folder.results().dump());
    } else {
      fmt::print("{}", text);
      remark("written to {}\n", folder.path().string());
    }
    return 0;
  }

 private:
  [[nodiscard]] bool is_up(std::size_t k) const {
    if (directions_[k] != "up" && directions_[k] != "down") {
      throw InvalidArgument(
          fmt::format("--direction: expected up or down, found {}", directions_[k]));
    }
    return directions_[k] == "up";
  }

  /// Directions are those of the files of --pulses, where they need them, then of --amplitude.
  [[nodiscard]] bool has_ramps() const {
    return !pulse_paths_.empty() && fit::parse_pulse_layout(format_) == fit::PulseLayout::ramps;
  }

  [[nodiscard]] fit::PulseData read_pulses() const {
    fit::PulseLayoutOptions layout = layout_;
    layout.layout = fit::parse_pulse_layout(format_);
    const bool ramps = has_ramps();
    const std::size_t wanted = ramps ? pulse_paths_.size() : 0;
    if (amplitude_paths_.empty() ? directions_.size() != wanted : directions_.size() < wanted) {
      throw InvalidArgument(fmt::format(
          "--direction: expected up or down for each of {} files of format ramps, found {}", wanted,
          directions_.size()));
    }
    std::vector<fit::PulseData> parts;
    for (std::size_t k = 0; k < pulse_paths_.size(); ++k) {
      if (ramps) layout.up = is_up(k);
      parts.push_back(fit::read_pulse_data(pulse_paths_[k], layout));
    }
    return fit::join(std::move(parts));
  }

  [[nodiscard]] fit::AmplitudeData read_amplitudes() const {
    const std::size_t used = has_ramps() ? pulse_paths_.size() : 0;
    const std::size_t left = directions_.size() - used;
    if (left != 0 && left != amplitude_paths_.size()) {
      throw InvalidArgument(
          fmt::format("--direction: expected up or down for each of {} files of --amplitude, or "
                      "none, found {}",
                      amplitude_paths_.size(), left));
    }
    std::vector<fit::AmplitudeData> parts;
    for (std::size_t k = 0; k < amplitude_paths_.size(); ++k) {
      fit::AmplitudeLayout layout = amplitude_layout_;
      if (left != 0) layout.up = is_up(used + k);
      parts.push_back(fit::read_amplitude_data(amplitude_paths_[k], layout));
    }
    return fit::join(parts);
  }

  std::string fit_amplitude_files(RunFolder& folder) {
    const fit::AmplitudeData data = read_amplitudes();
    amplitude_options_.folds = options_.folds;
    const fit::AmplitudeFit found = fit::fit_amplitudes(data, amplitude_options_);
    write_file_atomically(folder.file("voltages.csv"), amplitude_csv(found));
    write_file_atomically(folder.file("voltage.toml"), voltage_toml(found));
    folder.results() = amplitude_results(found);
    std::string text = amplitude_text(found);
    if (!found.cell) {
      return text + fmt::format("next: put the lines of {} into a device file\n",
                                folder.file("voltage.toml").string());
    }
    write_file_atomically(folder.file("device.toml"),
                          device::to_toml(amplitude_device(found, data)));
    folder.results()["device"] = "device.toml";
    return text + next_step(folder);
  }

  [[nodiscard]] static std::string next_step(const RunFolder& folder) {
    return fmt::format("next: xbar train --device {} ...\n", folder.file("device.toml").string());
  }

  std::string fit_distribution_files(RunFolder& folder) {
    const std::vector<std::string>& paths = distribution_paths_;
    if (paths.size() != 6 || directions_.size() != 2 || is_up(0) == is_up(1)) {
      throw InvalidArgument(
          fmt::format("--distribution: expected three files for each of --direction up down, found "
                      "{} files and {} directions",
                      paths.size(), directions_.size()));
    }
    const auto first = fit::read_step_distribution(paths[0], paths[1], paths[2]);
    const auto second = fit::read_step_distribution(paths[3], paths[4], paths[5]);
    const fit::DistributionFit found = is_up(0) ? fit::fit_distributions(first, second, tolerance_)
                                                : fit::fit_distributions(second, first, tolerance_);
    write_file_atomically(folder.file("bands.csv"), distribution_csv(found));
    write_file_atomically(folder.file("device.toml"), device::to_toml(found.device));
    folder.results() = distribution_results(found);
    return distribution_text(found) + next_step(folder);
  }

  std::string fit_cycles(RunFolder& folder) {
    const fit::CyclingFit found = fit::fit_cycling(fit::read_cycling_data(cycling_path_));
    write_file_atomically(folder.file("cells.csv"), cycling_csv(found));
    write_file_atomically(folder.file("device.toml"), device::to_toml(found.device));
    folder.results() = cycling_results(found);
    return cycling_text(found) + next_step(folder);
  }

  std::string fit_pulse_files(RunFolder& folder) {
    const fit::PulseData data = read_pulses();
    if (models_ != std::vector<std::string>{"auto"}) options_.models = models_;
    if (fit_to_ != "curve" && fit_to_ != "steps") {
      throw InvalidArgument(fmt::format("--fit-to: expected curve or steps, found {}", fit_to_));
    }
    options_.to_steps = fit_to_ == "steps";
    fit::PulseFit found;
    {
      ProgressBar bar;
      options_.progress = bar.callback();
      found = fit::fit_pulses(data, options_);
    }
    folder.results() = pulse_results(found);
    std::string text = pulse_text(found);
    if (!amplitude_paths_.empty()) text += join_law(folder, found.device);
    write_file_atomically(folder.file("residuals.csv"), residuals_csv(found));
    write_file_atomically(folder.file("device.toml"), device::to_toml(found.device));
    return text + next_step(folder);
  }

  /// The voltage law of --amplitude, at the voltages of --pulses unless others are given.
  std::string join_law(RunFolder& folder, device::PulseDevice& device) {
    const fit::AmplitudeData data = read_amplitudes();
    fit::AmplitudeFitOptions& options = amplitude_options_;
    options.folds = options_.folds;
    if (options.up_volt == 0) options.up_volt = device.up.volt;
    if (options.down_volt == 0) options.down_volt = device.down.volt;
    const fit::AmplitudeFit law = fit::fit_amplitudes(data, options);
    set_voltage_law(law, data, device);
    write_file_atomically(folder.file("voltages.csv"), amplitude_csv(law));
    folder.results()["amplitude"] = amplitude_results(law);
    return amplitude_text(law);
  }

  std::string fit_sweep(RunFolder& folder) {
    const fit::IvData data = fit::read_iv_data(iv_path_);
    const fit::IvFit found = fit::fit_iv(data, options_.folds);
    write_file_atomically(folder.file("residuals.csv"), sweep_csv(data, found));
    folder.results() = sweep_results(data, found);
    return sweep_text(data, found);
  }

  std::string fit_readings(RunFolder& folder) {
    const fit::RetentionData data = fit::read_retention_data(retention_path_);
    const fit::RetentionFit found = fit::fit_retention(data);
    std::string csv = "time_second,measured,model\n";
    for (std::size_t k = 0; k < data.second.size(); ++k) {
      const double model = std::exp(found.start.value) *
                           std::pow(data.second[k] / data.second.front(), -found.exponent.value);
      fmt::format_to(std::back_inserter(csv), "{:.9g},{:.9g},{:.9g}\n", data.second[k],
                     data.reading[k], model);
    }
    write_file_atomically(folder.file("residuals.csv"), csv);
    folder.results() = {{"kind", "retention"},
                        {"best", "power law"},
                        {"exponent", estimate_json(found.exponent)},
                        {"rms", found.rms},
                        {"correlation", found.correlation},
                        {"residuals", "residuals.csv"}};
    std::string text = estimate_text(found.exponent) + '\n';
    text +=
        fmt::format("readings scatter by {:.3g} % about the law, neighbours' correlation {:.3g}\n",
                    100 * found.rms, found.correlation);
    if (found.exponent.value < 0) {
      text += "the readings rise with time: device files take exponents of falling ones only\n";
    }
    return text;
  }

  std::vector<std::string> pulse_paths_;
  std::vector<std::string> amplitude_paths_;
  std::vector<std::string> distribution_paths_;
  std::string cycling_path_;
  std::string iv_path_;
  std::string retention_path_;
  std::string format_ = "long";
  std::vector<std::string> directions_;
  fit::PulseLayoutOptions layout_;
  std::vector<std::string> models_ = {"auto"};
  std::string fit_to_ = "curve";
  fit::PulseFitOptions options_;
  fit::AmplitudeLayout amplitude_layout_;
  fit::AmplitudeFitOptions amplitude_options_;
  double tolerance_ = 0.01;
  std::string out_path_;
  CLI::Option* out_ = nullptr;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_fit_command() { return std::make_unique<FitCommand>(); }

}  // namespace xbar::cli
