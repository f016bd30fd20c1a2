#include <fmt/format.h>

#include <xbar/core/atomic_file.hpp>
#include <xbar/solver/newton.hpp>
#include <xbar/solver/solve.hpp>
#include <xbar/solver/spice_netlist.hpp>

#include "cell_flags.hpp"
#include "circuit_flags.hpp"
#include "commands.hpp"
#include "flags.hpp"
#include "verbosity.hpp"

namespace xbar::cli {
namespace {

class SpiceCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "spice"; }
  [[nodiscard]] std::string description() const override {
    return "the array as a netlist that ngspice runs, with the expected currents";
  }

  void declare(CLI::App& app) override {
    require(add_conductance_flag(app, conductance_path_));
    require(add_input_vector_flag(app, voltage_path_));
    circuit_flags_.add(app, CircuitFlags::Unselected::any);
    cell_flags_.add(app);
    require(app.add_option("--out", out_path_, "write the netlist, .cir")->type_name("FILE"));
  }

  int run() override {
    const auto cells = cell_flags_.model();
    const solver::Circuit circuit = circuit_flags_.circuit(read_conductance(conductance_path_));
    const solver::TerminalVoltage terminals =
        circuit_flags_.terminal_voltage(read_input_vector(voltage_path_), circuit);
    const Matrix current = cell_flags_.linear()
                               ? solver::solve(circuit, terminals).current
                               : solver::solve_newton(circuit, *cells, terminals).current;
    write_file_atomically(
        out_path_,
        solver::spice_netlist(circuit, *cells, terminals.wordline.col(0),
                              terminals.bitline_input(0, circuit.bitlines()), current.col(0)));
    remark("{0}\nnext: ngspice -b {0}\n", out_path_);
    return 0;
  }

 private:
  std::string conductance_path_;
  std::string voltage_path_;
  CircuitFlags circuit_flags_;
  CellFlags cell_flags_;
  std::string out_path_;
};

}  // namespace

std::unique_ptr<Command> make_spice_command() { return std::make_unique<SpiceCommand>(); }

}  // namespace xbar::cli
