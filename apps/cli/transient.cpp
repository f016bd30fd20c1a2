#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <xbar/core/array_file.hpp>
#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/device/waveform.hpp>
#include <xbar/report/plot.hpp>
#include <xbar/solver/transient.hpp>

#include "cell_flags.hpp"
#include "circuit_flags.hpp"
#include "commands.hpp"
#include "console.hpp"
#include "flags.hpp"
#include "run_folder.hpp"

namespace xbar::cli {
namespace {

// Lines of a plot that can be told apart.
constexpr Index most_lines = 6;

Json to_json(const solver::TransientReport& report) {
  return {{"steps", report.steps},           {"rejected", report.rejected},
          {"factors", report.factors},       {"solves", report.solves},
          {"iterations", report.iterations}, {"largest_error", report.largest_error},
          {"seconds", report.seconds}};
}

class TransientCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "transient"; }
  [[nodiscard]] std::string description() const override {
    return "bitline currents over time, with node capacitances";
  }

  void declare(CLI::App& app) override {
    require(add_conductance_flag(app, conductance_path_));
    require(add_input_vector_flag(app, voltage_path_));
    circuit_flags_.add(app, CircuitFlags::Unselected::any);
    cell_flags_.add(app);
    require(app.add_option("--node-farad", node_,
                           "capacitance of every node to ground, or a file, m x n")
                ->type_name("FARAD|FILE"));
    app.add_option("--coupling-farad", coupling_,
                   "capacitance between neighbouring lines at every cell");
    rise_option_ = app.add_option("--rise-second", rise_second_,
                                  "inputs rise linearly from 0 during this time; 0: a jump");
    waveform_option_ =
        app.add_option("--waveform", waveform_,
                       fmt::format("instead: what the voltages are multiplied by over time\n{}",
                                   device::waveform_help()))
            ->type_name("KIND:KEY=VALUE,...");
    require(app.add_option("--stop-second", options_.stop_second, "end of the simulated time"));
    require(app.add_option("--steps", options_.steps,
                           "K: currents are written at K + 1 equally spaced times from 0"));
    app.add_option("--tolerance", options_.tolerance,
                   "largest estimated error of a time step, share of the peak");
    app.add_option("--settle-tolerance", settle_tolerance_,
                   "settled: within this share of the final current; 0: do not ask");
    app.add_option("--current-out", current_path_, "write the currents, (K+1) x n, ampere")
        ->type_name("FILE");
    app.add_option("--plot-out", plot_path_, "draw the currents over time, .svg")
        ->type_name("FILE");
    app.add_flag("--json", json_, "print one JSON object and nothing else");
  }

  int run() override {
    check();
    const auto cells = cell_flags_.model();
    const solver::Circuit circuit = circuit_flags_.circuit(read_conductance(conductance_path_));
    const solver::TerminalVoltage terminals =
        circuit_flags_.terminal_voltage(read_input_vector(voltage_path_), circuit);
    const solver::TransientInput input{
        terminals.wordline.col(0), terminals.bitline_input(0, circuit.bitlines()), {shape()}, {}};
    ProgressBar bar;
    options_.progress = bar.callback();
    options_.settle_tolerance = settle_tolerance_;
    const solver::TransientResult result =
        cell_flags_.linear()
            ? solver::transient(circuit, capacitance(circuit), input, options_)
            : solver::transient(circuit, *cells, capacitance(circuit), input, options_);
    if (!current_path_.empty()) write_array(current_path_, result.current);
    if (!plot_path_.empty()) write_file_atomically(plot_path_, plot(result));
    if (json_) {
      print_json(result);
    } else {
      print(result);
    }
    return 0;
  }

 private:
  void check() const {
    if (rise_option_->count() + waveform_option_->count() != 1) {
      throw InvalidArgument(fmt::format("expected one of --rise-second and --waveform, got {}",
                                        rise_option_->count() == 0 ? "neither" : "both"));
    }
    const auto refuse = [](const char* flag, const char* expected, double found) {
      throw InvalidArgument(fmt::format("{}: expected {}, got {}", flag, expected, found));
    };
    if (!(rise_second_ >= 0) || !std::isfinite(rise_second_)) {
      refuse("--rise-second", "a time >= 0 s", rise_second_);
    }
    if (!(options_.stop_second > 0) || !std::isfinite(options_.stop_second)) {
      refuse("--stop-second", "a time > 0 s", options_.stop_second);
    }
    if (options_.steps < 1) {
      throw InvalidArgument(fmt::format("--steps: expected at least 1, got {}", options_.steps));
    }
    if (!(options_.tolerance >= 1e-12 && options_.tolerance <= 0.1)) {
      refuse("--tolerance", "a value from 1e-12 to 0.1", options_.tolerance);
    }
    if (!(settle_tolerance_ >= 0 && settle_tolerance_ < 1)) {
      refuse("--settle-tolerance", "a value >= 0 and below 1", settle_tolerance_);
    }
    if (!(coupling_ >= 0) || !std::isfinite(coupling_)) {
      refuse("--coupling-farad", "a capacitance >= 0 F", coupling_);
    }
    if (!plot_path_.empty() && !plot_path_.ends_with(".svg")) {
      throw InvalidArgument(fmt::format("--plot-out: expected a .svg file, got {}", plot_path_));
    }
  }

  [[nodiscard]] device::Waveform shape() const {
    if (waveform_option_->count() > 0) return device::parse_waveform(waveform_);
    return device::Waveform::step(0, 1, 0, rise_second_,
                                  std::max(rise_second_, options_.stop_second));
  }

  [[nodiscard]] solver::Capacitance capacitance(const solver::Circuit& circuit) const {
    const Index m = circuit.wordlines();
    const Index n = circuit.bitlines();
    Matrix node;
    if (const auto farad = as_number<double>(node_)) {
      node = Matrix::Constant(1, 1, *farad);
    } else if (node_.ends_with(".npy") || node_.ends_with(".csv")) {
      node = read_array(node_).values;
      if (node.rows() != m || node.cols() != n) {
        throw InvalidArgument(fmt::format("--node-farad {}: expected {} x {}, got {} x {}", node_,
                                          m, n, node.rows(), node.cols()));
      }
    } else {
      throw InvalidArgument(
          fmt::format("--node-farad: expected a number or a file, .npy or .csv, got '{}'", node_));
    }
    for (Index e = 0; e < node.size(); ++e) {
      const double farad = node.data()[e];
      if (farad >= 0 && std::isfinite(farad)) continue;
      throw InvalidArgument(
          fmt::format("--node-farad: expected finite capacitances >= 0 F, got {}", farad));
    }
    const Matrix between = Matrix::Constant(1, 1, coupling_);
    return {node, node, between, between};
  }

  // The bitlines of largest current.
  [[nodiscard]] static std::vector<Index> largest_lines(const Matrix& current) {
    std::vector<Index> lines(static_cast<std::size_t>(current.cols()));
    for (std::size_t j = 0; j < lines.size(); ++j) lines[j] = static_cast<Index>(j);
    const Vector peak = current.cwiseAbs().colwise().maxCoeff();
    std::stable_sort(lines.begin(), lines.end(),
                     [&](Index a, Index b) { return peak(a) > peak(b); });
    lines.resize(std::min(lines.size(), static_cast<std::size_t>(most_lines)));
    std::sort(lines.begin(), lines.end());
    return lines;
  }

  [[nodiscard]] static std::string plot(const solver::TransientResult& result) {
    report::LinePlot plot;
    plot.title = result.current.cols() > most_lines
                     ? fmt::format("Bitline currents, the {} largest", most_lines)
                     : "Bitline currents";
    plot.x = {.label = "Time", .unit = "s"};
    plot.y = {.label = "Current", .unit = "A"};
    const std::vector<double> time(result.time.begin(), result.time.end());
    for (const Index j : largest_lines(result.current)) {
      report::Series series;
      series.name = fmt::format("bitline {}", j);
      series.x = time;
      for (Index k = 0; k < result.current.rows(); ++k) series.y.push_back(result.current(k, j));
      series.markers = false;
      plot.series.push_back(std::move(series));
    }
    plot.width = 640;
    return plot.svg();
  }

  void print(const solver::TransientResult& result) const {
    const solver::TransientReport& report = result.report;
    fmt::print("{}\n", report.brief());
    constexpr Index most = 8;
    const Index n = result.current.cols();
    for (Index j = 0; j < std::min(n, most); ++j) {
      fmt::print("  bitline {:>3}: peak {:.6e} A, at the end {:.6e} A{}\n", j,
                 result.current.col(j).cwiseAbs().maxCoeff(),
                 result.current(result.current.rows() - 1, j), settled(result, j));
    }
    if (n > most) fmt::print("  ... {} more; --current-out FILE writes them all\n", n - most);
    if (result.settling_second.size() > 0) {
      Index slowest = 0;
      result.settling_second.maxCoeff(&slowest);
      fmt::print("all bitlines within {} of their final currents: {}\n", settle_tolerance_,
                 std::isinf(result.settling_second(slowest))
                     ? fmt::format("not by {:.6g} s (bitline {})", options_.stop_second, slowest)
                     : fmt::format("after {:.6g} s (bitline {} last)",
                                   result.settling_second(slowest), slowest));
    }
    fmt::print("energy {:.6g} J delivered, {:.6g} J dissipated, {:.6g} J stored\n",
               report.delivered_joule, report.dissipated_joule, report.stored_joule);
  }

  static std::string settled(const solver::TransientResult& result, Index j) {
    if (result.settling_second.size() == 0) return "";
    if (std::isinf(result.settling_second(j))) return ", not settled";
    return fmt::format(", settled after {:.6g} s", result.settling_second(j));
  }

  void print_json(const solver::TransientResult& result) const {
    Json settling = nullptr;
    Json final_current = nullptr;
    if (result.settling_second.size() > 0) {
      settling = Json::array();
      for (const double second : result.settling_second) {
        settling.push_back(std::isinf(second) ? Json(nullptr) : Json(second));
      }
      final_current = std::vector<double>(result.final_current.begin(), result.final_current.end());
    }
    const Vector end = result.current.row(result.current.rows() - 1);
    const Vector peak = result.current.cwiseAbs().colwise().maxCoeff();
    const solver::TransientReport& report = result.report;
    const Json document = {{"stop_second", options_.stop_second},
                           {"steps", options_.steps},
                           {"current_ampere", std::vector<double>(end.begin(), end.end())},
                           {"peak_current_ampere", std::vector<double>(peak.begin(), peak.end())},
                           {"final_current_ampere", std::move(final_current)},
                           {"settle_tolerance", settle_tolerance_},
                           {"settling_second", std::move(settling)},
                           {"energy_joule",
                            {{"delivered", report.delivered_joule},
                             {"dissipated", report.dissipated_joule},
                             {"stored", report.stored_joule},
                             {"imbalance", report.energy_imbalance}}},
                           {"cell", cell_flags_.name()},
                           {"report", to_json(report)}};
    fmt::print("{}\n", document.dump());
  }

  std::string conductance_path_;
  std::string voltage_path_;
  CircuitFlags circuit_flags_;
  CellFlags cell_flags_;
  std::string node_;
  double coupling_ = 0;
  double rise_second_ = 0;
  std::string waveform_;
  CLI::Option* rise_option_ = nullptr;
  CLI::Option* waveform_option_ = nullptr;
  solver::TransientOptions options_;
  double settle_tolerance_ = 1e-3;
  std::string current_path_;
  std::string plot_path_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_transient_command() { return std::make_unique<TransientCommand>(); }

}  // namespace xbar::cli
