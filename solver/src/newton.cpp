#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/parallel.hpp>
#include <xbar/core/stopwatch.hpp>
#include <xbar/solver/newton.hpp>

#include "kcl_residual.hpp"
#include "klu_tangent_solver.hpp"
#include "line_tangent_solver.hpp"

namespace xbar::solver {
namespace {

constexpr double open = std::numeric_limits<double>::infinity();

// Of the linear solves: the first ones need not be better than the tangents, the last ones decide.
constexpr double loosest_solve = 1e-3;
constexpr double tightest_solve = 1e-14;
// ... and those between conductances many orders of magnitude apart.
constexpr double astray_solve = 1e-8;
// An iteration that starts anew from a close guess takes small steps against errors that relax
// slowly and may think that it has arrived. So the last solve must also not have moved the currents
// by more than this.
constexpr double settled_change = 1e-6;
// From this residual on, cells are sent back to limited voltages, but not for ever; after that,
// line searches alone.
constexpr double astray_residual = 3;
constexpr int most_limited = 20;
// Cell currents below this share of (largest conductance) x (largest voltage) are none.
constexpr double negligible_share = 1e-22;
constexpr int halvings = 40;
// Residuals below this may stand still for rounding.
constexpr double rounding_level = 1e-9;
// A line search takes a step if the residual falls by this share of what the tangent promises.
constexpr double sufficient = 1e-4;
// The least conductance of a closed cell, against the largest: it keeps the Jacobian regular where
// cells are off, and since it changes the tangent but not the current, not the solution.
constexpr double least_share = 1e-12;

// Newton's method for one input vector after another.
class Newton {
 public:
  Newton(const Circuit& circuit, const device::CellModel& cells, const NewtonOptions& options)
      : circuit_(circuit), cells_(cells), options_(options) {
    if (options.method == NewtonMethod::line) {
      tangents_ = std::make_unique<LineTangentSolver>(circuit);
    } else {
      tangents_ = std::make_unique<KluTangentSolver>(circuit);
    }
  }

  void solve(const Vector& wordline_voltage, const Vector& bitline_voltage,
             const NodeVoltages* guess, Index input);

  // Of the last solve.
  [[nodiscard]] const NodeVoltages& nodes() const { return at_.nodes; }
  [[nodiscard]] const Matrix& cell_current() const { return at_.current; }
  [[nodiscard]] const NewtonPath& path() const { return path_; }
  [[nodiscard]] double condition() const { return tangents_->condition(); }
  // Whether there is more than the rounding of no current at all.
  [[nodiscard]] bool carries_current() const { return at_.scale > negligible_; }

 private:
  // Voltages that obey Kirchhoff's laws with cell currents `brought`, and what the cells say.
  struct State {
    NodeVoltages nodes;
    Matrix voltage;     // u - w
    Matrix brought;     // c
    Matrix current;     // I(v)
    Matrix derivative;  // dI/dv(v)
    double norm = 0;    // ||I - c||
    double scale = 0;   // ||c||

    [[nodiscard]] double relative() const { return norm > 0 ? norm / scale : 0.0; }
  };

  void applied_voltage(const Vector& wordline_voltage, const Vector& bitline_voltage,
                       Matrix& voltage) const;
  [[nodiscard]] Matrix deliverable(double highest) const;
  void evaluate(State& state) const;
  bool limit(const Matrix& brought, const Matrix& reached);
  double search(State& reached) const;
  [[noreturn]] void fail(const State& state, Index input, const char* why) const;

  const Circuit& circuit_;
  const device::CellModel& cells_;
  const NewtonOptions& options_;
  std::unique_ptr<TangentSolver> tangents_;
  State at_;
  State next_;
  Matrix conductance_;  // g of the tangents
  Matrix source_;       // j
  double negligible_ = 0;
  NewtonPath path_;
};

// The voltages that ideal wires would put across the cells; 0 on lines without a terminal.
void Newton::applied_voltage(const Vector& wordline_voltage, const Vector& bitline_voltage,
                             Matrix& voltage) const {
  voltage.resize(circuit_.wordlines(), circuit_.bitlines());
  for (Index i = 0; i < voltage.rows(); ++i) {
    const bool driven = std::min(circuit_.left_ohm(i), circuit_.right_ohm(i)) < open;
    for (Index j = 0; j < voltage.cols(); ++j) {
      const bool sensed = std::min(circuit_.top_ohm(j), circuit_.bottom_ohm(j)) < open;
      voltage(i, j) = driven && sensed ? wordline_voltage(i) - bitline_voltage(j) : 0.0;
    }
  }
}

void Newton::evaluate(State& state) const {
  cells_.evaluate(circuit_.conductance, state.voltage, state.current, state.derivative);
  state.norm = (state.current - state.brought).norm();
  state.scale = state.brought.norm();
}

// Where the exponential of a cell has run away from its tangent, the next tangent is not taken at
// the voltage `reached` but at the one at which the cell carries the current that the wires
// brought, which changes little with the tangent.
// @return whether any cell of next_ had run away; at_.voltage is then where the tangents are next
bool Newton::limit(const Matrix& brought, const Matrix& reached) {
  const auto off = (next_.current - brought).array().abs();
  const auto astray = (off > 0.5 * next_.current.array().abs().max(brought.array().abs()) &&
                       off > 1e-3 * brought.cwiseAbs().maxCoeff())
                          .eval();
  if (!astray.any()) return false;
  // Between 0 V and the larger of the two voltages, to 1/65536 of it.
  constexpr int bisections = 16;
  Matrix low = Matrix::Zero(reached.rows(), reached.cols());
  Matrix high = at_.voltage.cwiseAbs().cwiseMax(reached.cwiseAbs());
  const Matrix sign =
      (brought.array() < 0).select(Matrix::Constant(low.rows(), low.cols(), -1.0), 1.0);
  Matrix current;
  Matrix derivative;
  for (int k = 0; k < bisections; ++k) {
    const Matrix middle = 0.5 * (low + high);
    cells_.evaluate(circuit_.conductance, sign.cwiseProduct(middle), current, derivative);
    const auto above = (current.array().abs() > brought.array().abs()).eval();
    high = above.select(middle, high);
    low = above.select(low, middle);
  }
  at_.voltage = astray.select(sign.cwiseProduct(high), reached);
  return true;
}

// About the most that the terminals can bring to each cell.
Matrix Newton::deliverable(double highest) const {
  const auto together = [](double one, double other) { return 1 / (1 / one + 1 / other); };
  Matrix brought(circuit_.wordlines(), circuit_.bitlines());
  for (Index i = 0; i < brought.rows(); ++i) {
    const double source = together(circuit_.left_ohm(i), circuit_.right_ohm(i));
    for (Index j = 0; j < brought.cols(); ++j) {
      const double ohm = source + together(circuit_.top_ohm(j), circuit_.bottom_ohm(j));
      brought(i, j) = std::copysign(2 * highest / ohm, at_.voltage(i, j));
    }
  }
  return brought;
}

// Goes back towards at_ until the residual falls. Along the way all fields and the currents that
// the wires bring change linearly, so that each trial costs one evaluation of the cells, and the
// residual starts to fall as fast as itself: d/dt (I(v) - c) = -(I(v) - c) at t = 0.
// @return the share of the step taken, 0 if none
double Newton::search(State& reached) const {
  if (reached.norm <= (1 - sufficient) * at_.norm) return 1;
  const State full = reached;
  double t = 1;
  for (int k = 0; k < halvings; ++k) {
    t *= 0.5;
    reached.voltage = at_.voltage + t * (full.voltage - at_.voltage);
    reached.brought = at_.brought + t * (full.brought - at_.brought);
    evaluate(reached);
    if (!(reached.norm <= (1 - sufficient * t) * at_.norm)) continue;
    reached.nodes.wordline = at_.nodes.wordline + t * (full.nodes.wordline - at_.nodes.wordline);
    reached.nodes.bitline = at_.nodes.bitline + t * (full.nodes.bitline - at_.nodes.bitline);
    return t;
  }
  return 0;
}

void Newton::fail(const State& state, Index input, const char* why) const {
  Index i = 0;
  Index j = 0;
  (state.current - state.brought).cwiseAbs().maxCoeff(&i, &j);
  throw NumericalError(fmt::format(
      "Newton: {} after {} of {} iterations for input {}; residual {:.1e} of the cell currents, "
      "largest at cell ({},{}): {:.6e} A through the cell, {:.6e} A from the wires",
      why, path_.iterations, options_.max_iterations, input, state.relative(), i, j,
      state.current(i, j), state.brought(i, j)));
}

void Newton::solve(const Vector& wordline_voltage, const Vector& bitline_voltage,
                   const NodeVoltages* guess, Index input) {
  path_ = {};
  if (guess != nullptr) {
    at_.voltage = guess->wordline - guess->bitline;
  } else {
    applied_voltage(wordline_voltage, bitline_voltage, at_.voltage);
  }
  const double largest_siemens = circuit_.conductance.maxCoeff();
  const double highest =
      std::max(wordline_voltage.cwiseAbs().maxCoeff(), bitline_voltage.cwiseAbs().maxCoeff());
  negligible_ = negligible_share * largest_siemens * highest;
  next_.voltage = at_.voltage;
  cells_.evaluate(circuit_.conductance, next_.voltage, next_.current, next_.derivative);
  if (const Matrix brought = deliverable(highest);
      (next_.current.array().abs() > brought.array().abs()).any()) {
    limit(brought.cwiseAbs()
              .cwiseMin(next_.current.cwiseAbs())
              .cwiseProduct(next_.voltage.cwiseSign()),
          next_.voltage);
  }
  cells_.evaluate(circuit_.conductance, at_.voltage, at_.current, at_.derivative);
  bool balanced = false;  // at_ obeys Kirchhoff's laws
  double residual = 1;
  while (path_.iterations < options_.max_iterations) {
    const double steepest = at_.derivative.maxCoeff();
    const double least = least_share * (steepest > 0 ? steepest : largest_siemens);
    conductance_ = (circuit_.conductance.array() > 0).select(at_.derivative.cwiseMax(least), 0.0);
    source_ = at_.current - conductance_.cwiseProduct(at_.voltage);
    tangents_->factor(conductance_);
    // The next residual will be about the square of this one; the solve need not be better.
    const double promised = residual * residual;
    const double tolerance = promised < 10 * options_.tolerance ? tightest_solve
                             : residual > 1
                                 ? astray_solve
                                 : std::clamp(0.1 * promised, tightest_solve, loosest_solve);
    path_.inner_iterations +=
        tangents_->solve(wordline_voltage, bitline_voltage, source_,
                         balanced ? &at_.nodes : nullptr, tolerance, next_.nodes);
    next_.voltage = next_.nodes.wordline - next_.nodes.bitline;
    next_.brought = source_ + conductance_.cwiseProduct(next_.voltage);
    evaluate(next_);
    ++path_.iterations;
    const bool none = std::max(next_.norm, next_.scale) <= negligible_;
    const bool accurate = none || next_.norm <= options_.tolerance * next_.scale;
    if (!(next_.norm <= astray_residual * next_.scale) && path_.limited < most_limited &&
        limit(next_.brought, next_.voltage)) {
      ++path_.limited;
      path_.residual.push_back(next_.relative());
      path_.damping.push_back(1);
      cells_.evaluate(circuit_.conductance, at_.voltage, at_.current, at_.derivative);
      balanced = false;
      residual = path_.residual.back();
      continue;
    }
    // Rounding keeps the residual where it is.
    const bool still =
        balanced && at_.relative() <= rounding_level && !(next_.relative() < 0.5 * at_.relative());
    const bool settled =
        options_.method == NewtonMethod::klu ||
        (balanced && (next_.brought - at_.brought).norm() <= settled_change * next_.scale);
    const double share = balanced && !accurate && !still ? search(next_) : 1;
    path_.residual.push_back(next_.relative());
    path_.damping.push_back(share);
    if (share == 0) fail(at_, input, "no step lowers the residual");
    std::swap(at_, next_);
    balanced = true;
    residual = share < 1 ? std::max(1.0, at_.relative()) : at_.relative();
    if (none || ((accurate || still) && settled && tolerance <= tightest_solve)) {
      (at_.current - at_.brought).cwiseAbs().maxCoeff(&path_.worst_i, &path_.worst_j);
      return;
    }
  }
  fail(path_.iterations > 0 ? next_ : at_, input, "no convergence");
}

void check_cells(const Circuit& circuit) {
  for (Index i = 0; i < circuit.wordlines(); ++i) {
    for (Index j = 0; j < circuit.bitlines(); ++j) {
      if (circuit.conductance(i, j) < open) continue;
      throw InvalidArgument(fmt::format(
          "conductance: expected finite values for non-linear cells, got a shorted cell at ({},{})",
          i, j));
    }
  }
}

NewtonResult solve_by_method(const Circuit& circuit, const device::CellModel& cells,
                             const TerminalVoltage& voltage, const NewtonOptions& options) {
  const Index inputs = voltage.inputs();
  const Index n = circuit.bitlines();
  const auto count = static_cast<std::size_t>(inputs);
  NewtonResult result;
  result.report.method = options.method;
  result.report.inputs.resize(count);
  result.current.resize(n, inputs);
  if (options.node_voltages) {
    result.nodes.resize(count);
    result.cell_current.resize(count);
  }
  std::vector<KclResidual> residuals(count);
  const Index parts = std::min<Index>(inputs, thread_count());
  std::vector<double> condition(static_cast<std::size_t>(parts), 0.0);
  const auto solve_part = [&](Index part) {
    Newton newton(circuit, cells, options);
    for (Index k = part; k < inputs; k += parts) {
      const auto e = static_cast<std::size_t>(k);
      const Vector wordline_voltage = voltage.wordline.col(k);
      const Vector bitline_voltage = voltage.bitline_input(k, n);
      newton.solve(wordline_voltage, bitline_voltage,
                   options.guess.empty() ? nullptr : &options.guess[e], k);
      const NodeVoltages& nodes = newton.nodes();
      const Circuit chords = chord_circuit(circuit, nodes, newton.cell_current());
      result.current.col(k) = sink_currents(chords, wordline_voltage, bitline_voltage, nodes);
      if (newton.carries_current()) {
        residuals[e] = kcl_residual(chords, wordline_voltage, bitline_voltage, nodes);
      }
      if (!(residuals[e].relative < kcl_limit)) {
        throw NumericalError(
            fmt::format("Newton: input {} leaves a Kirchhoff residual of {:.1e} of the largest "
                        "cell current at {}",
                        k, residuals[e].relative, residuals[e].where()));
      }
      result.report.inputs[e] = newton.path();
      if (!options.node_voltages) continue;
      result.nodes[e] = nodes;
      result.cell_current[e] = newton.cell_current();
    }
    condition[static_cast<std::size_t>(part)] = newton.condition();
  };
  // A single input vector leaves the threads to the sweeps.
  if (parts == 1) {
    solve_part(0);
  } else {
    parallel_for(parts, solve_part);
  }
  const auto worst = std::max_element(
      residuals.begin(), residuals.end(),
      [](const KclResidual& a, const KclResidual& b) { return a.relative < b.relative; });
  result.report.kcl_residual = worst->relative;
  result.report.kcl_worst = fmt::format("{}, input {}", worst->where(), worst - residuals.begin());
  result.report.condition = *std::max_element(condition.begin(), condition.end());
  return result;
}

}  // namespace

std::string_view newton_method_name(NewtonMethod method) {
  return method == NewtonMethod::line ? "line" : "klu";
}

int NewtonReport::iterations() const {
  int most = 0;
  for (const NewtonPath& path : inputs) most = std::max(most, path.iterations);
  return most;
}

int NewtonReport::inner_iterations() const {
  int most = 0;
  for (const NewtonPath& path : inputs) most = std::max(most, path.inner_iterations);
  return most;
}

double NewtonReport::residual() const {
  double largest = 0;
  for (const NewtonPath& path : inputs) {
    if (!path.residual.empty()) largest = std::max(largest, path.residual.back());
  }
  return largest;
}

std::string NewtonReport::brief() const {
  return fmt::format(
      "Newton, {}{}: {} iterations ({} inner), residual {:.1e} of the cell currents, Kirchhoff "
      "residual {:.1e} of the largest cell current ({}), {:.3g} ms",
      newton_method_name(method), fell_back ? fmt::format(" ({})", fallback_reason) : "",
      iterations(), inner_iterations(), residual(), kcl_residual,
      kcl_worst.empty() ? "no current" : kcl_worst, 1e3 * seconds);
}

Circuit chord_circuit(const Circuit& circuit, const NodeVoltages& nodes,
                      const Matrix& cell_current) {
  Circuit chords = circuit;
  const Matrix voltage = nodes.wordline - nodes.bitline;
  // A cell without voltage has no current, whatever its conductance; open cells stay open.
  chords.conductance =
      (voltage.array() == 0)
          .select(circuit.conductance.array(), cell_current.array() / voltage.array());
  return chords;
}

NewtonResult solve_newton(const Circuit& circuit, const device::CellModel& cells,
                          const TerminalVoltage& voltage, const NewtonOptions& options) {
  check_circuit(circuit);
  check_cells(circuit);
  check_voltage(voltage, circuit.wordlines(), circuit.bitlines());
  if (!options.guess.empty() && static_cast<Index>(options.guess.size()) != voltage.inputs()) {
    throw InvalidArgument(fmt::format("guess: expected {}, one an input vector, got {}",
                                      voltage.inputs(), options.guess.size()));
  }
  const Stopwatch watch;
  NewtonResult result;
  try {
    result = solve_by_method(circuit, cells, voltage, options);
  } catch (const NumericalError& error) {
    if (options.method == NewtonMethod::klu) throw;
    NewtonOptions reference = options;
    reference.method = NewtonMethod::klu;
    result = solve_by_method(circuit, cells, voltage, reference);
    result.report.fell_back = true;
    result.report.fallback_reason = error.what();
  }
  result.report.seconds = watch.seconds();
  return result;
}

}  // namespace xbar::solver
