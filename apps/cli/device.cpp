#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>

#include <fmt/format.h>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/device/dynamics/registry.hpp>
#include <xbar/device/integrate.hpp>
#include <xbar/report/plot.hpp>

#include "commands.hpp"
#include "console.hpp"
#include "flags.hpp"
#include "run_folder.hpp"
#include "verbosity.hpp"

namespace xbar::cli {
namespace {

constexpr Index most_points = 10'000'000;

std::vector<double> even_times(double duration, Index points) {
  std::vector<double> times;
  for (Index k = 0; k < points; ++k) {
    times.push_back(duration * static_cast<double>(k) / static_cast<double>(points - 1));
  }
  times.back() = duration;
  return times;
}

/// Where the state stands between off and on at the k-th time.
double fraction(const device::DynamicCell& cell, const device::Trace& trace, std::size_t k) {
  return cell.fraction({trace.state.row(static_cast<Index>(k)).data(), cell.states().size()});
}

std::string csv(const device::DynamicCell& cell, const device::Trace& trace) {
  const bool warm = !trace.kelvin.empty() && !std::isnan(trace.kelvin.front());
  std::string text = "time_second,voltage_volt,current_ampere";
  if (warm) text += ",temperature_kelvin";
  for (const device::StateVariable& s : cell.states()) text += "," + s.name;
  text += ",fraction_on\n";
  for (std::size_t k = 0; k < trace.time_second.size(); ++k) {
    auto out = std::back_inserter(text);
    fmt::format_to(out, "{:.17g},{:.17g},{:.17g}", trace.time_second[k], trace.voltage_volt[k],
                   trace.current_ampere[k]);
    if (warm) fmt::format_to(out, ",{:.17g}", trace.kelvin[k]);
    for (Index s = 0; s < trace.state.cols(); ++s) {
      fmt::format_to(out, ",{:.17g}", trace.state(static_cast<Index>(k), s));
    }
    fmt::format_to(out, ",{:.17g}\n", fraction(cell, trace, k));
  }
  return text;
}

std::string plot(const std::string& title, const report::Axis& x, const report::Axis& y,
                 const std::vector<double>& at, const std::vector<double>& values) {
  report::LinePlot plot;
  plot.title = title;
  plot.x = x;
  plot.y = y;
  report::Series series;
  series.name = title;
  series.x = at;
  series.y = values;
  series.markers = false;
  series.colour = report::Colour::blue;
  plot.series.push_back(std::move(series));
  return plot.svg();
}

class DeviceCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "device"; }
  [[nodiscard]] std::string description() const override {
    return "one cell under a voltage over time: current and state";
  }

  void declare(CLI::App& app) override {
    require(app.add_option("--model", model_,
                           fmt::format("cell: {}", fmt::join(device::dynamic_model_names(), ", ")))
                ->type_name(fmt::to_string(fmt::join(device::dynamic_model_names(), "|"))));
    app.add_option("--parameter", parameters_,
                   "NAME=VALUE that differs from the model's default; several times. A wrong name "
                   "lists them all");
    app.add_option(
        "--waveform", waveform_,
        "voltage over time (default: a sweep that shows the loop): " + device::waveform_help());
    app.add_option("--waveform-file", waveform_file_, "the same as points, .csv: time,voltage")
        ->type_name("FILE");
    app.add_option("--initial", initial_,
                   "state to start from, 0 (off) to 1 (on); default: the one that positive "
                   "voltages leave");
    app.add_option("--initial-siemens", initial_siemens_, "the same as a conductance, siemens");
    app.add_option("--temperature", temperature_, "ambient, kelvin, where the model has one");
    app.add_option("--tolerance", options_.tolerance, "relative local error of a step");
    app.add_option("--integrator", integrator_, "automatic, dormand-prince or rosenbrock")
        ->type_name("automatic|dormand-prince|rosenbrock");
    app.add_option("--points", points_, "evenly spaced times to write; 0: the integrator's steps");
    app.add_option("--out", out_path_, "folder of the run")->type_name("DIR");
    app.add_flag("--json", json_, "print one JSON object and nothing else");
  }

  int run() override {
    const device::ParameterValues values = parameter_values();
    const auto cell = device::make_dynamic_cell(model_, values);
    const device::Waveform waveform = make_waveform();
    const std::vector<double> initial = initial_state(*cell);
    options_.integrator = device::parse_integrator(integrator_);
    if (points_ < 0 || points_ == 1 || points_ > most_points) {
      throw InvalidArgument(
          fmt::format("--points: expected 0 or 2 to {}, got {}", most_points, points_));
    }
    if (points_ > 0) options_.times = even_times(waveform.duration(), points_);
    std::optional<RunFolder> folder;
    if (!out_path_.empty()) folder.emplace(out_path_, name(), settings(), false);
    device::Trace trace;
    {
      ProgressBar bar;
      options_.progress = bar.callback();
      trace = device::integrate(*cell, waveform, initial, options_);
    }
    const Json document = summary(*cell, values, trace);
    if (folder) {
      write_file_atomically(folder->file("trace.csv"), csv(*cell, trace));
      write_plots(*folder, *cell, trace);
      folder->results() = document;
      folder->results()["trace"] = "trace.csv";
      folder->save(true);
    }
    if (json_) {
      fmt::print("{}\n", document.dump());
    } else {
      print(*cell, trace);
    }
    return 0;
  }

 private:
  [[nodiscard]] device::ParameterValues parameter_values() const {
    device::ParameterValues values = read_parameters("--parameter", parameters_);
    if (!temperature_) return values;
    const std::string ambient = "ambient_kelvin";
    const auto known = device::dynamic_model_parameters(model_);
    if (std::none_of(known.begin(), known.end(),
                     [&](const auto& parameter) { return parameter.name == ambient; })) {
      throw InvalidArgument(fmt::format("--temperature: model {} has no temperature", model_));
    }
    if (!values.emplace(ambient, *temperature_).second) {
      throw InvalidArgument("--temperature: --parameter gives ambient_kelvin too");
    }
    return values;
  }

  [[nodiscard]] device::Waveform make_waveform() const {
    if (!waveform_.empty() && !waveform_file_.empty()) {
      throw InvalidArgument("--waveform: expected this or --waveform-file, got both");
    }
    if (!waveform_file_.empty()) return device::Waveform::file(waveform_file_);
    return device::parse_waveform(waveform_.empty() ? device::dynamic_model_waveform(model_)
                                                    : waveform_);
  }

  [[nodiscard]] std::vector<double> initial_state(const device::DynamicCell& cell) const {
    if (initial_ && initial_siemens_) {
      throw InvalidArgument("--initial: expected this or --initial-siemens, got both");
    }
    if (initial_siemens_) {
      try {
        return cell.state_of_conductance(*initial_siemens_);
      } catch (const InvalidArgument& error) {
        throw InvalidArgument(fmt::format("--initial-siemens: {}", error.what()));
      }
    }
    const double fraction = initial_.value_or(cell.set_sign() > 0 ? 0 : 1);
    if (!(fraction >= 0) || !(fraction <= 1)) {
      throw InvalidArgument(fmt::format("--initial: expected 0 to 1, got {}", fraction));
    }
    return cell.state_of_fraction(fraction);
  }

  [[nodiscard]] Json summary(const device::DynamicCell& cell, const device::ParameterValues& values,
                             const device::Trace& trace) const {
    Json parameters = Json::object();
    for (const device::ParameterInfo& p : device::dynamic_model_parameters(model_)) {
      const auto given = values.find(p.name);
      parameters[p.name] = given == values.end() ? p.standard : given->second;
    }
    Json end_state = Json::object();
    for (std::size_t k = 0; k < cell.states().size(); ++k) {
      end_state[cell.states()[k].name] = trace.report.end_state[k];
    }
    const auto [lowest, highest] =
        std::minmax_element(trace.current_ampere.begin(), trace.current_ampere.end());
    Json document = {{"model", model_},
                     {"parameters", parameters},
                     {"waveform", !waveform_file_.empty() ? "file:" + waveform_file_
                                  : waveform_.empty()     ? device::dynamic_model_waveform(model_)
                                                          : waveform_},
                     {"read_volt", cell.read_volt()},
                     {"on_ohm", 1 / cell.conductance(cell.state_of_fraction(1))},
                     {"off_ohm", 1 / cell.conductance(cell.state_of_fraction(0))},
                     {"lowest_current_ampere", *lowest},
                     {"highest_current_ampere", *highest},
                     {"energy_joule", trace.report.energy_joule},
                     {"end",
                      {{"second", trace.report.end_second},
                       {"state", end_state},
                       {"fraction_on", cell.fraction(trace.report.end_state)},
                       {"ohm", 1 / cell.conductance(trace.report.end_state)}}},
                     {"report",
                      {{"integrator", device::integrator_name(trace.report.integrator)},
                       {"tolerance", options_.tolerance},
                       {"steps", trace.report.steps},
                       {"rejected", trace.report.rejected},
                       {"evaluations", trace.report.evaluations},
                       {"bounds_hit", trace.report.bounds_hit}}}};
    if (!std::isnan(trace.kelvin.front())) {
      document["highest_kelvin"] = *std::max_element(trace.kelvin.begin(), trace.kelvin.end());
    }
    return document;
  }

  void write_plots(const RunFolder& folder, const device::DynamicCell& cell,
                   const device::Trace& trace) const {
    const report::Axis time{"Time", "s"};
    const report::Axis volt{"Voltage", "V"};
    // At 0 V rounding leaves currents that would take the logarithmic axis down by decades.
    double largest_volt = 0;
    for (const double v : trace.voltage_volt) largest_volt = std::max(largest_volt, std::abs(v));
    std::vector<double> size;
    std::vector<double> share;
    for (std::size_t k = 0; k < trace.current_ampere.size(); ++k) {
      const bool at_zero = std::abs(trace.voltage_volt[k]) < 1e-9 * largest_volt;
      size.push_back(at_zero ? std::nan("") : std::abs(trace.current_ampere[k]));
      share.push_back(fraction(cell, trace, k));
    }
    const auto write = [&](const char* file, const std::string& svg) {
      write_file_atomically(folder.file(file), svg);
    };
    report::Axis on{"Share of the way from off to on"};
    on.min = 0;
    on.max = 1;
    write("loop.svg", plot(model_ + ": current against voltage", volt, {"Current", "A"},
                           trace.voltage_volt, trace.current_ampere));
    write("loop_log.svg",
          plot(model_ + ": size of the current", volt,
               {"Size of the current", "A", report::Scale::log}, trace.voltage_volt, size));
    write("voltage.svg", plot("Voltage", time, volt, trace.time_second, trace.voltage_volt));
    write("current.svg",
          plot("Current", time, {"Current", "A"}, trace.time_second, trace.current_ampere));
    write("state.svg", plot("State", time, on, trace.time_second, share));
  }

  void print(const device::DynamicCell& cell, const device::Trace& trace) const {
    const device::IntegrateReport& r = trace.report;
    fmt::print("{}: {:.4g} ohm on, {:.4g} ohm off at {} V\n", model_,
               1 / cell.conductance(cell.state_of_fraction(1)),
               1 / cell.conductance(cell.state_of_fraction(0)), cell.read_volt());
    const auto [lowest, highest] =
        std::minmax_element(trace.current_ampere.begin(), trace.current_ampere.end());
    fmt::print("current {:.4g} to {:.4g} A, energy {:.6g} J\n", *lowest, *highest, r.energy_joule);
    if (!std::isnan(trace.kelvin.front())) {
      fmt::print("temperature up to {:.4g} K\n",
                 *std::max_element(trace.kelvin.begin(), trace.kelvin.end()));
    }
    fmt::print("ends at {:.6g} s", r.end_second);
    for (std::size_t k = 0; k < cell.states().size(); ++k) {
      fmt::print(", {} {:.6g}", cell.states()[k].name, r.end_state[k]);
    }
    fmt::print(", {:.4g} ohm\n{}: {} steps, {} rejected, bounds reached {} times\n",
               1 / cell.conductance(r.end_state), device::integrator_name(r.integrator), r.steps,
               r.rejected, r.bounds_hit);
    if (out_path_.empty()) return;
    remark(
        "\nwritten to {0}: trace.csv, run.json, loop.svg, loop_log.svg, voltage.svg, "
        "current.svg, state.svg\nnext: xbar report {0}\n",
        out_path_);
  }

  std::string model_;
  std::vector<std::string> parameters_;
  std::string waveform_;
  std::string waveform_file_;
  std::optional<double> initial_;
  std::optional<double> initial_siemens_;
  std::optional<double> temperature_;
  device::IntegrateOptions options_;
  std::string integrator_ = "automatic";
  Index points_ = 1001;
  std::string out_path_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_device_command() { return std::make_unique<DeviceCommand>(); }

}  // namespace xbar::cli
