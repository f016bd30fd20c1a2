#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include <fmt/format.h>

#include <xbar/core/array_file.hpp>
#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/report/plot.hpp>
#include <xbar/solver/branch_currents.hpp>
#include <xbar/solver/newton.hpp>
#include <xbar/solver/solve.hpp>

#include "cell_flags.hpp"
#include "circuit_flags.hpp"
#include "commands.hpp"
#include "flags.hpp"
#include "run_folder.hpp"
#include "verbosity.hpp"

namespace xbar::cli {
namespace {

// Node voltages that are kept for the summary without being asked for: 256 MiB, which is 16 input
// vectors of a 1024 x 1024 array.
constexpr Index affordable_voltages = Index{1} << 25;

struct IrDrop {
  double largest = 0;  // magnitude, volt
  double mean = 0;     // of the magnitudes, volt
  Index i = 0;         // cell of the largest
  Index j = 0;
};

IrDrop summary(const Matrix& drop) {
  IrDrop result;
  result.largest = drop.cwiseAbs().maxCoeff(&result.i, &result.j);
  result.mean = drop.cwiseAbs().mean();
  return result;
}

// Power and IR drop of each input vector.
struct Losses {
  std::vector<solver::Power> power;
  std::vector<IrDrop> ir_drop;
};

Json to_json(const solver::SolveReport& report) {
  Json json = {{"method", solver::method_name(report.method)},
               {"fell_back", report.fell_back},
               {"iterations", report.iterations},
               {"kcl_residual", report.kcl_residual},
               {"kcl_worst", report.kcl_worst},
               {"condition", report.condition},
               {"bytes", report.bytes},
               {"factor_seconds", report.factor_seconds},
               {"solve_seconds", report.solve_seconds}};
  if (report.fell_back) json["fallback_reason"] = report.fallback_reason;
  return json;
}

Json to_json(const solver::NewtonReport& report, const std::string& cell) {
  Json json = {{"method", solver::newton_method_name(report.method)},
               {"cell", cell},
               {"fell_back", report.fell_back},
               {"iterations", report.iterations()},
               {"inner_iterations", report.inner_iterations()},
               {"residual", report.residual()},
               {"kcl_residual", report.kcl_residual},
               {"kcl_worst", report.kcl_worst},
               {"solve_seconds", report.seconds},
               {"inputs", Json::array()}};
  if (report.condition > 0) json["condition"] = report.condition;
  if (report.fell_back) json["fallback_reason"] = report.fallback_reason;
  for (const solver::NewtonPath& path : report.inputs) {
    json["inputs"].push_back({{"iterations", path.iterations},
                              {"inner_iterations", path.inner_iterations},
                              {"limited", path.limited},
                              {"residual", path.residual},
                              {"damping", path.damping},
                              {"worst_cell", {path.worst_i, path.worst_j}}});
  }
  return json;
}

// A solution of either kind of cells.
struct Solved {
  Matrix current;
  std::vector<solver::NodeVoltages> nodes;
  std::vector<Matrix> cell_current;  // of non-linear cells, one a set of nodes
  Json report;
  std::string brief;

  // The linear circuit with these voltages and currents.
  [[nodiscard]] solver::Circuit linear_circuit(const solver::Circuit& circuit,
                                               std::size_t input) const {
    return cell_current.empty() ? circuit
                                : solver::chord_circuit(circuit, nodes[input], cell_current[input]);
  }
};

// The value of each input vector; for a single vector as such, without a list around it.
template <typename Item, typename Value>
Json for_each_input(const std::vector<Item>& items, bool as_vector, const Value& value) {
  if (as_vector) return value(items.front());
  Json list = Json::array();
  for (const Item& item : items) list.push_back(value(item));
  return list;
}

class SolveCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "solve"; }
  [[nodiscard]] std::string description() const override {
    return "bitline currents of a wired array, exact";
  }

  void declare(CLI::App& app) override {
    require(add_conductance_flag(app, conductance_path_));
    require(app.add_option("--voltage", voltage_path_, "m, or m x p for p input vectors, volt")
                ->type_name("FILE"));
    circuit_flags_.add(app, CircuitFlags::Unselected::any);
    app.add_option("--method", method_,
                   "line (conjugate gradients) or direct (CHOLMOD; KLU for non-linear cells)")
        ->type_name("line|direct");
    cell_flags_.add(app);
    app.add_option("--current-out", current_path_, "write the currents, n or n x p, ampere")
        ->type_name("FILE");
    app.add_option("--nodes-out", nodes_path_,
                   "write all node voltages to an .npz: wordline_voltage, bitline_voltage")
        ->type_name("FILE");
    app.add_option("--results-out", results_path_,
                   "write these and cell_current, cell_power, wordline_current, bitline_current, "
                   "ir_drop to "
                   "an .npz")
        ->type_name("FILE");
    app.add_option("--map-out", map_path_,
                   "draw the voltage that each cell lacks (IR drop), for one input vector, .svg")
        ->type_name("FILE");
    app.add_flag("--json", json_, "print one JSON object and nothing else");
  }

  int run() override {
    const solver::SolveMethod method = solver::parse_method(method_);
    const auto cells = cell_flags_.model();
    const solver::Circuit circuit = circuit_flags_.circuit(read_conductance(conductance_path_));
    const ArrayFile voltage = read_array(voltage_path_);
    const solver::TerminalVoltage terminals =
        circuit_flags_.terminal_voltage(voltage.values, circuit);
    check_map(terminals.inputs());
    const bool node_voltages =
        !nodes_path_.empty() || !results_path_.empty() || !map_path_.empty() ||
        2 * circuit.conductance.size() * terminals.inputs() <= affordable_voltages;
    const Solved result = solve(circuit, *cells, terminals, method, node_voltages);
    if (!current_path_.empty()) write_array(current_path_, result.current, voltage.is_vector);
    if (!nodes_path_.empty()) write_npz(nodes_path_, node_arrays(result, voltage.is_vector));
    const Losses losses = evaluate(circuit, terminals, result, voltage.is_vector);
    if (json_) {
      print_json(result, losses, voltage.is_vector);
    } else {
      print(result, losses, circuit);
    }
    return 0;
  }

 private:
  [[nodiscard]] Solved solve(const solver::Circuit& circuit, const device::CellModel& cells,
                             const solver::TerminalVoltage& terminals, solver::SolveMethod method,
                             bool node_voltages) const {
    const Phase phase("solve");
    if (cell_flags_.linear()) {
      solver::SolveOptions options;
      options.method = method;
      options.node_voltages = node_voltages;
      solver::SolveResult result = solver::solve(circuit, terminals, options);
      return {std::move(result.current),
              std::move(result.nodes),
              {},
              to_json(result.report),
              result.report.brief()};
    }
    solver::NewtonOptions options;
    options.method = method == solver::SolveMethod::line ? solver::NewtonMethod::line
                                                         : solver::NewtonMethod::klu;
    options.node_voltages = node_voltages;
    solver::NewtonResult result = solver::solve_newton(circuit, cells, terminals, options);
    return {std::move(result.current), std::move(result.nodes), std::move(result.cell_current),
            to_json(result.report, cell_flags_.name()), result.report.brief()};
  }

  void check_map(Index inputs) const {
    if (map_path_.empty()) return;
    if (!map_path_.ends_with(".svg")) {
      throw InvalidArgument(fmt::format("--map-out: expected a .svg file, got {}", map_path_));
    }
    if (inputs != 1) {
      throw InvalidArgument(
          fmt::format("--map-out: expected one input vector in {}, got {}", voltage_path_, inputs));
    }
  }

  // In names of arrays: nothing for a single vector, else its number.
  static std::string suffix(std::size_t input, bool as_vector) {
    return as_vector ? "" : fmt::format("_{}", input);
  }

  static std::map<std::string, Matrix> node_arrays(const Solved& result, bool as_vector) {
    std::map<std::string, Matrix> arrays;
    for (std::size_t k = 0; k < result.nodes.size(); ++k) {
      arrays["wordline_voltage" + suffix(k, as_vector)] = result.nodes[k].wordline;
      arrays["bitline_voltage" + suffix(k, as_vector)] = result.nodes[k].bitline;
    }
    return arrays;
  }

  // What follows from the node voltages, as far as they are there; writes --results-out and
  // --map-out.
  [[nodiscard]] Losses evaluate(const solver::Circuit& circuit,
                                const solver::TerminalVoltage& terminals, const Solved& result,
                                bool as_vector) const {
    Losses losses;
    std::map<std::string, Matrix> arrays;
    if (!results_path_.empty()) arrays = node_arrays(result, as_vector);
    for (std::size_t k = 0; k < result.nodes.size(); ++k) {
      const solver::NodeVoltages& nodes = result.nodes[k];
      const solver::Circuit linear = result.linear_circuit(circuit, k);
      const Vector wordline = terminals.wordline.col(static_cast<Index>(k));
      const Vector bitline = terminals.bitline_input(static_cast<Index>(k), circuit.bitlines());
      solver::BranchCurrents currents = solver::branch_currents(linear, wordline, bitline, nodes);
      Matrix drop = solver::ir_drop(circuit, wordline, bitline, nodes);
      losses.power.push_back(solver::power(linear, wordline, bitline, nodes, currents));
      losses.ir_drop.push_back(summary(drop));
      if (!map_path_.empty()) write_file_atomically(map_path_, map(drop));
      if (results_path_.empty()) continue;
      const std::string of = suffix(k, as_vector);
      arrays["cell_power" + of] = solver::cell_power(nodes, currents);
      arrays["cell_current" + of] = std::move(currents.cell);
      arrays["wordline_current" + of] = std::move(currents.wordline);
      arrays["bitline_current" + of] = std::move(currents.bitline);
      arrays["ir_drop" + of] = std::move(drop);
    }
    if (!results_path_.empty()) write_npz(results_path_, arrays);
    return losses;
  }

  [[nodiscard]] std::string map(const Matrix& drop) const {
    report::Heatmap map;
    map.title = "Voltage that each cell lacks";
    map.values = drop;
    map.quantity = "IR drop";
    map.unit = "V";
    if (circuit_flags_.usual_ends()) map.ports = report::Ports::forward;
    // Rounding leaves a few negative values of no importance.
    if (-drop.minCoeff() > 1e-6 * drop.maxCoeff()) map.ramp = report::Ramp::diverging;
    return map.svg();
  }

  static void print(const Solved& result, const Losses& losses, const solver::Circuit& circuit) {
    const Index inputs = result.current.cols();
    const char* const which = inputs > 1 ? " (input 0)" : "";
    fmt::print("{} x {} array, {} input vector{}\n{}\n", circuit.wordlines(), circuit.bitlines(),
               inputs, inputs == 1 ? "" : "s", result.brief);
    const Index shown = std::min<Index>(result.current.rows(), 8);
    for (Index j = 0; j < shown; ++j) {
      fmt::print("  bitline {:>3}: {:.9e} A{}\n", j, result.current(j, 0), which);
    }
    if (shown < result.current.rows()) {
      fmt::print("  ... {} more; --current-out FILE writes them all\n",
                 result.current.rows() - shown);
    }
    if (losses.power.empty()) {
      fmt::print("power and IR drop of so many input vectors only with --results-out FILE\n");
      return;
    }
    const solver::Power& power = losses.power.front();
    const IrDrop& drop = losses.ir_drop.front();
    fmt::print(
        "power {:.4g} W{}: cells {:.4g}, wordlines {:.4g}, bitlines {:.4g}, terminals {:.4g}\n"
        "largest IR drop {:.4g} V at cell ({},{}), mean {:.4g} V{}\n",
        power.delivered_watt, which, power.cells_watt, power.wordlines_watt, power.bitlines_watt,
        power.terminals_watt, drop.largest, drop.i, drop.j, drop.mean, which);
  }

  static void print_json(const Solved& result, const Losses& losses, bool as_vector) {
    Json current = Json::array();
    for (Index j = 0; j < result.current.rows(); ++j) {
      if (as_vector) {
        current.push_back(result.current(j, 0));
        continue;
      }
      Json row = Json::array();
      for (Index k = 0; k < result.current.cols(); ++k) row.push_back(result.current(j, k));
      current.push_back(std::move(row));
    }
    Json document = {{"current_ampere", std::move(current)},
                     {"power_watt", nullptr},
                     {"ir_drop_volt", nullptr},
                     {"report", result.report}};
    if (!losses.power.empty()) {
      const auto power = [&](double solver::Power::*part) {
        return for_each_input(losses.power, as_vector,
                              [&](const solver::Power& p) { return Json(p.*part); });
      };
      document["power_watt"] = {{"delivered", power(&solver::Power::delivered_watt)},
                                {"cells", power(&solver::Power::cells_watt)},
                                {"wordlines", power(&solver::Power::wordlines_watt)},
                                {"bitlines", power(&solver::Power::bitlines_watt)},
                                {"terminals", power(&solver::Power::terminals_watt)}};
      const auto drop = [&](const auto& value) {
        return for_each_input(losses.ir_drop, as_vector, value);
      };
      document["ir_drop_volt"] = {
          {"largest", drop([](const IrDrop& d) { return Json(d.largest); })},
          {"mean", drop([](const IrDrop& d) { return Json(d.mean); })},
          {"where", drop([](const IrDrop& d) {
             return Json::array({d.i, d.j});
           })}};
    }
    fmt::print("{}\n", document.dump());
  }

  std::string conductance_path_;
  std::string voltage_path_;
  CircuitFlags circuit_flags_;
  std::string method_ = "line";
  CellFlags cell_flags_;
  std::string current_path_;
  std::string nodes_path_;
  std::string results_path_;
  std::string map_path_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_solve_command() { return std::make_unique<SolveCommand>(); }

}  // namespace xbar::cli
