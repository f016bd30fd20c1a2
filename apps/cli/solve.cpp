#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include <xbar/core/array_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/solver/solve.hpp>

#include "commands.hpp"
#include "flags.hpp"
#include "run_folder.hpp"

namespace xbar::cli {
namespace {

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
    add_wire_flags(app, wires_);
    app.add_option("--method", method_, "line (conjugate gradients) or direct (CHOLMOD)");
    add_cell_flag(app, cell_);
    app.add_option("--current-out", current_path_, "write the currents, n or n x p, ampere")
        ->type_name("FILE");
    app.add_option("--nodes-out", nodes_path_,
                   "write all node voltages to an .npz: wordline_voltage, bitline_voltage")
        ->type_name("FILE");
    app.add_flag("--json", json_, "print one JSON object and nothing else");
  }

  int run() override {
    check_cell(cell_);
    solver::SolveOptions options;
    options.method = solver::parse_method(method_);
    options.node_voltages = !nodes_path_.empty();
    const Matrix conductance = read_array(conductance_path_).values;
    const ArrayFile voltage = read_array(voltage_path_);
    const solver::SolveResult result = solver::solve(conductance, voltage.values, wires_, options);
    if (!current_path_.empty()) write_array(current_path_, result.current, voltage.is_vector);
    if (!nodes_path_.empty()) {
      std::map<std::string, Matrix> arrays;
      for (std::size_t k = 0; k < result.nodes.size(); ++k) {
        const std::string suffix = voltage.is_vector ? "" : fmt::format("_{}", k);
        arrays["wordline_voltage" + suffix] = result.nodes[k].wordline;
        arrays["bitline_voltage" + suffix] = result.nodes[k].bitline;
      }
      write_npz(nodes_path_, arrays);
    }
    if (json_) {
      print_json(result, voltage.is_vector);
    } else {
      print(result, conductance);
    }
    return 0;
  }

 private:
  static void print(const solver::SolveResult& result, const Matrix& conductance) {
    fmt::print("{} x {} array, {} input vector{}\n{}\n", conductance.rows(), conductance.cols(),
               result.current.cols(), result.current.cols() == 1 ? "" : "s", result.report.brief());
    const Index shown = std::min<Index>(result.current.rows(), 8);
    for (Index j = 0; j < shown; ++j) {
      fmt::print("  bitline {:>3}: {:.9e} A{}\n", j, result.current(j, 0),
                 result.current.cols() > 1 ? " (input 0)" : "");
    }
    if (shown < result.current.rows()) {
      fmt::print("  ... {} more; --current-out FILE writes them all\n",
                 result.current.rows() - shown);
    }
  }

  static void print_json(const solver::SolveResult& result, bool as_vector) {
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
    const solver::SolveReport& report = result.report;
    const Json document = {{"current_ampere", std::move(current)},
                           {"report",
                            {{"method", solver::method_name(report.method)},
                             {"fell_back", report.fell_back},
                             {"iterations", report.iterations},
                             {"kcl_residual", report.kcl_residual},
                             {"kcl_worst", report.kcl_worst},
                             {"bytes", report.bytes},
                             {"factor_seconds", report.factor_seconds},
                             {"solve_seconds", report.solve_seconds}}}};
    fmt::print("{}\n", document.dump());
  }

  std::string conductance_path_;
  std::string voltage_path_;
  WireResistance wires_;
  std::string method_ = "line";
  std::string cell_ = "linear";
  std::string current_path_;
  std::string nodes_path_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_solve_command() { return std::make_unique<SolveCommand>(); }

}  // namespace xbar::cli
