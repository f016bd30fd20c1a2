#include <string_view>
#include <vector>

#include <fmt/format.h>

#include <xbar/core/array_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/solver/effective_conductance.hpp>
#include <xbar/solver/solve.hpp>
#include <xbar/surrogate_calibrate/calibrate.hpp>

#include "circuit_flags.hpp"
#include "commands.hpp"
#include "flags.hpp"

namespace xbar::cli {
namespace {

class EffectiveCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "effective"; }
  [[nodiscard]] std::string description() const override {
    return "effective conductance of a wired array: the matrix with I = G_eff^T V";
  }

  void declare(CLI::App& app) override {
    require(add_conductance_flag(app, conductance_path_));
    circuit_flags_.add(app, CircuitFlags::Unselected::no_voltage);
    std::vector<std::string_view> names;
    for (const surrogate::ModelInfo& info : surrogate::model_infos()) names.push_back(info.name);
    app.add_option("--model", model_, fmt::format("one of {}", fmt::join(names, ", ")))
        ->type_name(fmt::to_string(fmt::join(names, "|")));
    app.add_option("--operating-voltage", voltage_path_,
                   "typical inputs for --model operating-point; default: all inputs equal")
        ->type_name("FILE");
    app.add_option("--direction", direction_, "forward, or backward: the transposed read")
        ->type_name("forward|backward");
    app.add_option("--terminals", terminals_,
                   "resistors at the terminals in the backward read: keep or swap")
        ->type_name("keep|swap");
    require(app.add_option("--out", out_path_,
                           "write the matrix: m x n (forward) or n x m (backward), siemens")
                ->type_name("FILE"));
  }

  int run() override {
    const surrogate::ModelKind model = surrogate::parse_model(model_);
    const bool backward = parse_direction(direction_) == Direction::backward;
    const Terminals terminals = parse_terminals(terminals_);
    if (!voltage_path_.empty() && model != surrogate::ModelKind::operating_point) {
      throw InvalidArgument(fmt::format(
          "--operating-voltage: expected together with --model operating-point, got --model {}",
          model_));
    }
    const Matrix conductance = read_conductance(conductance_path_);
    const Matrix effective = model == surrogate::ModelKind::exact
                                 ? exact(conductance, backward, terminals)
                                 : modelled(model, conductance, backward, terminals);
    write_array(out_path_, effective);
    fmt::print(
        "{}: {} x {}, {} model, {} read; {:.1f} % of the current of ideal arithmetic at "
        "equal inputs\n",
        out_path_, effective.rows(), effective.cols(), surrogate::model_name(model), direction_,
        conductance.sum() > 0 ? 100 * effective.sum() / conductance.sum() : 100.0);
    return 0;
  }

 private:
  [[nodiscard]] Matrix exact(const Matrix& conductance, bool backward, Terminals terminals) const {
    Matrix forward = solver::effective_conductance(
        circuit_flags_.circuit(conductance, backward ? terminals : Terminals::keep));
    // Reciprocity: read backward between the same terminals, it is the transpose.
    if (backward) return forward.transpose();
    return forward;
  }

  [[nodiscard]] Matrix modelled(surrogate::ModelKind model, const Matrix& conductance,
                                bool backward, Terminals terminals) const {
    const WireResistance wires = circuit_flags_.plain_wires(model_);
    // Brings open cells in as well.
    solver::TransposedArray array{circuit_flags_.circuit(conductance).conductance, wires};
    if (backward) array = solver::transposed_array(array.conductance, wires, terminals);
    Vector inputs = Vector::Ones(array.conductance.rows());
    if (!voltage_path_.empty()) inputs = operating_voltage(array.conductance.rows(), backward);
    const Matrix effective =
        surrogate::effective_conductance(model, array.conductance, array.wires, inputs);
    return backward ? solver::from_transposed_order(effective) : effective;
  }

  [[nodiscard]] Vector operating_voltage(Index count, bool backward) const {
    const Matrix voltage = read_array(voltage_path_).values;
    if (voltage.rows() != count || voltage.cols() != 1) {
      throw InvalidArgument(fmt::format("{}: expected {} voltages, one {}, got {} x {}",
                                        voltage_path_, count, backward ? "a bitline" : "a wordline",
                                        voltage.rows(), voltage.cols()));
    }
    solver::check_voltage({voltage, {}}, count, 0);
    if (!(voltage.cwiseAbs().maxCoeff() > 0)) {
      throw InvalidArgument(
          fmt::format("{}: expected at least one voltage that is not 0", voltage_path_));
    }
    // The transposed array counts its inputs from the other end.
    if (backward) return voltage.col(0).reverse();
    return voltage.col(0);
  }

  std::string conductance_path_;
  CircuitFlags circuit_flags_;
  std::string model_ = "exact";
  std::string voltage_path_;
  std::string direction_ = "forward";
  std::string terminals_ = "keep";
  std::string out_path_;
};

}  // namespace

std::unique_ptr<Command> make_effective_command() { return std::make_unique<EffectiveCommand>(); }

}  // namespace xbar::cli
