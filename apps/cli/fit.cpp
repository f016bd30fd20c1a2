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
#include "fit_results.hpp"
#include "run_folder.hpp"
#include "verbosity.hpp"

namespace xbar::cli {
namespace {

class FitCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "fit"; }
  [[nodiscard]] std::string description() const override {
    return "measured pulses, I-V sweeps or retention to a device";
  }

  void declare(CLI::App& app) override {
    app.add_option("--pulses", pulse_paths_,
                   "conductances after each pulse, .csv (docs/fitting.md); several are one device")
        ->type_name("FILE");
    app.add_option("--iv", iv_path_, "a sweep, .csv: volt,ampere or time,volt,ampere")
        ->type_name("FILE");
    app.add_option("--retention", retention_path_, "readings over time, .csv: second,reading")
        ->type_name("FILE");
    app.add_option("--format", format_, "layout of --pulses: long, columns, ramps or aihwkit")
        ->type_name("long|columns|ramps|aihwkit");
    app.add_option("--direction", directions_,
                   "of the pulses of each file of format ramps: up or down")
        ->type_name("up|down");
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
    const int kinds = (pulse_paths_.empty() ? 0 : 1) + (iv_path_.empty() ? 0 : 1) +
                      (retention_path_.empty() ? 0 : 1);
    if (kinds != 1) {
      throw InvalidArgument(
          fmt::format("fit: expected one of --pulses, --iv and --retention, found {}", kinds));
    }
    RunFolder folder(out_->count() > 0 ? std::filesystem::path(out_path_) : free_run_folder(name()),
                     name(), settings(), false);
    const std::string text = !pulse_paths_.empty() ? fit_pulse_files(folder)
                             : !iv_path_.empty()   ? fit_sweep(folder)
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
  [[nodiscard]] fit::PulseData read_pulses() const {
    fit::PulseLayoutOptions layout = layout_;
    layout.layout = fit::parse_pulse_layout(format_);
    const bool ramps = layout.layout == fit::PulseLayout::ramps;
    if (directions_.size() != (ramps ? pulse_paths_.size() : 0)) {
      throw InvalidArgument(fmt::format(
          "--direction: expected up or down for each of {} files of format ramps, found {}",
          ramps ? pulse_paths_.size() : 0, directions_.size()));
    }
    std::vector<fit::PulseData> parts;
    for (std::size_t k = 0; k < pulse_paths_.size(); ++k) {
      if (ramps) {
        if (directions_[k] != "up" && directions_[k] != "down") {
          throw InvalidArgument(
              fmt::format("--direction: expected up or down, found {}", directions_[k]));
        }
        layout.up = directions_[k] == "up";
      }
      parts.push_back(fit::read_pulse_data(pulse_paths_[k], layout));
    }
    return fit::join(std::move(parts));
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
    write_file_atomically(folder.file("residuals.csv"), residuals_csv(found));
    write_file_atomically(folder.file("device.toml"), device::to_toml(found.device));
    folder.results() = pulse_results(found);
    return pulse_text(found) +
           fmt::format("next: xbar train --device {} ...\n", folder.file("device.toml").string());
  }

  std::string fit_sweep(RunFolder& folder) {
    const fit::IvData data = fit::read_iv_data(iv_path_);
    const fit::IvFit found = fit::fit_iv(data, options_.folds);
    write_file_atomically(folder.file("residuals.csv"), sweep_csv(data, found));
    Json models = Json::array();
    std::string text = fmt::format("{:<18} {:>10} {:>10}   % of the largest current\n", "model",
                                   "held out", "branches");
    constexpr double percent = 100;
    for (std::size_t k = 0; k < found.models.size(); ++k) {
      const fit::IvModelFit& m = found.models[k];
      std::vector<fit::Estimate> conductances;
      for (const fit::IvBranch& branch : m.branches) conductances.push_back(branch.conductance);
      models.push_back({{"name", m.name},
                        {"parameters", estimates_json(m.parameters)},
                        {"conductances", estimates_json(conductances)},
                        {"rms", m.rms},
                        {"validated_rms", m.validated_rms},
                        {"excess", m.excess},
                        {"excess_error", m.excess_error}});
      text += fmt::format("{:<18} {:>10.3g} {:>10.3g}{}\n", m.name, percent * m.validated_rms,
                          percent * m.rms, k == found.best ? "   chosen" : "");
    }
    const fit::IvModelFit& best = found.models[found.best];
    std::string next = fmt::format("next: xbar solve --cell {}", best.name);
    for (const fit::Estimate& e : best.parameters) {
      text += estimate_text(e) + '\n';
      next += fmt::format(" --cell-parameter {}={:.6g}", e.name, e.value);
    }
    for (const fit::IvBranch& branch : best.branches) {
      text += estimate_text(branch.conductance) + '\n';
    }
    folder.results() = {
        {"kind", "iv"}, {"best", best.name}, {"models", models}, {"residuals", "residuals.csv"}};
    return text + next + " ...\n";
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
  std::string iv_path_;
  std::string retention_path_;
  std::string format_ = "long";
  std::vector<std::string> directions_;
  fit::PulseLayoutOptions layout_;
  std::vector<std::string> models_ = {"auto"};
  std::string fit_to_ = "curve";
  fit::PulseFitOptions options_;
  std::string out_path_;
  CLI::Option* out_ = nullptr;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_fit_command() { return std::make_unique<FitCommand>(); }

}  // namespace xbar::cli
