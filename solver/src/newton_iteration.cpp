#include "newton_iteration.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/interruption.hpp>

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
constexpr int halvings = 60;
// Residuals below this may stand still for rounding.
constexpr double rounding_level = 1e-9;
// A line search takes a step if the residual falls by this share of what the tangent promises.
constexpr double sufficient = 1e-4;
// The least conductance of a closed cell, against the largest: it keeps the Jacobian regular where
// cells are off, and since it changes the tangent but not the current, not the solution.
constexpr double least_share = 1e-12;
// Against its own I/v, where a piece of its curve is flat: else a cell at the end of a line that no
// terminal holds would be sent to where no line search finds it again.
constexpr double least_chord_share = 1e-4;

}  // namespace

NewtonIteration::NewtonIteration(const Circuit& circuit, const device::CellModel& cells,
                                 std::unique_ptr<TangentSolver> tangents, const Settings& settings)
    : circuit_(circuit), cells_(cells), tangents_(std::move(tangents)), settings_(settings) {}

// The voltages that ideal wires would put across the cells; 0 on lines without a terminal.
void NewtonIteration::applied_voltage(const Vector& wordline_voltage, const Vector& bitline_voltage,
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

void NewtonIteration::evaluate(State& state) const {
  cells_.evaluate(circuit_.conductance, state.voltage, state.current, state.derivative);
  state.norm = (state.current - state.brought).norm();
  state.scale = std::max(state.brought.norm(), settings_.current_scale);
}

// Where the exponential of a cell has run away from its tangent, the next tangent is not taken at
// the voltage `reached` but at the one at which the cell carries the current that the wires
// brought, which changes little with the tangent.
// @return whether any cell of next_ had run away; at_.voltage is then where the tangents are next
bool NewtonIteration::limit(const Matrix& brought, const Matrix& reached) {
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
Matrix NewtonIteration::deliverable(double highest) const {
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

// Where the cells would carry more than that at at_.voltage, they start where they carry it.
void NewtonIteration::begin_deliverable(double highest) {
  next_.voltage = at_.voltage;
  cells_.evaluate(circuit_.conductance, next_.voltage, next_.current, next_.derivative);
  const Matrix brought = deliverable(highest);
  if (!(next_.current.array().abs() > brought.array().abs()).any()) return;
  limit(
      brought.cwiseAbs().cwiseMin(next_.current.cwiseAbs()).cwiseProduct(next_.voltage.cwiseSign()),
      next_.voltage);
}

// Goes back towards at_ until the residual falls. Along the way all fields and the currents that
// the wires bring change linearly, so that each trial costs one evaluation of the cells, and the
// residual starts to fall as fast as itself: d/dt (I(v) - c) = -(I(v) - c) at t = 0.
// @return the share of the step taken, 0 if none
double NewtonIteration::search(State& reached) const {
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

void NewtonIteration::fail(const State& state, const char* why) const {
  Index i = 0;
  Index j = 0;
  // A NaN is no maximum.
  (state.current - state.brought)
      .cwiseAbs()
      .unaryExpr([](double off) { return off == off ? off : HUGE_VAL; })
      .maxCoeff(&i, &j);
  throw NumericalError(fmt::format(
      "Newton: {} after {} of {} iterations; residual {:.1e} of the cell currents, largest at cell "
      "({},{}): {:.6e} A through the cell, {:.6e} A from the wires",
      why, path_.iterations, settings_.max_iterations, state.relative(), i, j, state.current(i, j),
      state.brought(i, j)));
}

void NewtonIteration::solve(const Vector& wordline_voltage, const Vector& bitline_voltage,
                            const NodeVoltages* guess, double expected) {
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
  if (!(guess != nullptr && expected < 1)) begin_deliverable(highest);
  cells_.evaluate(circuit_.conductance, at_.voltage, at_.current, at_.derivative);
  if (at_.current.hasNaN()) {
    at_.brought.setZero(at_.current.rows(), at_.current.cols());
    at_.norm = at_.scale = 1;
    fail(at_, "cells without a current");
  }
  bool balanced = false;  // at_ obeys Kirchhoff's laws
  double residual = expected;
  while (path_.iterations < settings_.max_iterations) {
    poll_interruption();
    const double steepest = at_.derivative.maxCoeff();
    const double least = least_share * (steepest > 0 ? steepest : largest_siemens);
    const Matrix chord = (at_.voltage.array() == 0)
                             .select(Matrix::Zero(at_.voltage.rows(), at_.voltage.cols()),
                                     at_.current.cwiseQuotient(at_.voltage));
    conductance_ =
        (circuit_.conductance.array() > 0)
            .select(at_.derivative.cwiseMax(least).cwiseMax(least_chord_share * chord), 0.0);
    source_ = at_.current - conductance_.cwiseProduct(at_.voltage);
    tangents_->factor(conductance_);
    // The next residual will be about the square of this one; the solve need not be better.
    const double promised = residual * residual;
    const double tolerance = promised < 10 * settings_.tolerance ? tightest_solve
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
    // A line search may yet lead back from there.
    if (std::isnan(next_.norm) && !balanced) fail(next_, "cells without a current");
    const bool none = std::max(next_.norm, next_.scale) <= negligible_;
    const bool accurate = none || next_.norm <= settings_.tolerance * next_.scale;
    if (next_.norm > astray_residual * next_.scale && path_.limited < most_limited &&
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
    const bool settled = !settings_.confirm || (balanced && (next_.brought - at_.brought).norm() <=
                                                                settled_change * next_.scale);
    const double share = balanced && !accurate && !still ? search(next_) : 1;
    path_.residual.push_back(next_.relative());
    path_.damping.push_back(share);
    if (share == 0) fail(at_, "no step lowers the residual");
    std::swap(at_, next_);
    balanced = true;
    residual = share < 1 ? std::max(1.0, at_.relative()) : at_.relative();
    if (none || ((accurate || still) && settled && tolerance <= tightest_solve)) {
      (at_.current - at_.brought).cwiseAbs().maxCoeff(&path_.worst_i, &path_.worst_j);
      return;
    }
  }
  fail(path_.iterations > 0 ? next_ : at_, "no convergence");
}

}  // namespace xbar::solver
