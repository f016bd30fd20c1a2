/// Transients against exact solutions: the whole circuit as a dense system, diagonalised.

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <Eigen/Dense>
#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/solver/transient.hpp>

#include "support/arrays.hpp"
#include "support/catch.hpp"
#include "support/ngspice.hpp"
#include "support/random_circuit.hpp"
#include "support/reference_arrays.hpp"

using xbar::Index;
using xbar::Matrix;
using xbar::Vector;
using xbar::WireResistance;
using xbar::device::Waveform;
using xbar::solver::Capacitance;
using xbar::solver::Circuit;
using xbar::solver::make_capacitance;
using xbar::solver::make_circuit;
using xbar::solver::transient;
using xbar::solver::TransientInput;
using xbar::solver::TransientOptions;
using xbar::solver::TransientResult;
using xbar_test::Contains;
using xbar_test::random_matrix;
using xbar_test::relative_error;

namespace {

constexpr double open = std::numeric_limits<double>::infinity();

// With the default tolerance: what it promises.
constexpr double current_tolerance = 1e-6;
constexpr double energy_tolerance = 1e-6;

// Corners (second, factor) of one shape for all inputs; straight between them.
using Shape = std::vector<std::pair<double, double>>;

double at(const Shape& shape, double time) {
  for (std::size_t k = 0; k + 1 < shape.size(); ++k) {
    const auto [t0, s0] = shape[k];
    const auto [t1, s1] = shape[k + 1];
    if (time <= t1) return s0 + (s1 - s0) * (time - t0) / (t1 - t0);
  }
  return shape.back().second;
}

// The exact solution. Nodes that zero resistance joins are one; those of a terminal are known. The
// others, C x' + K x = known inputs, are taken apart into modes, K v = lambda C v, each of which
// follows a straight input by c0 + c1 t + c2 exp(-lambda t).
class DenseTransient {
 public:
  DenseTransient(const Circuit& circuit, const Capacitance& capacitance, const Vector& V)
      : m_(circuit.wordlines()), n_(circuit.bitlines()), group_(size(2 * m_ * n_ + m_ + n_)) {
    for (Index k = 0; k < count(); ++k) group_[size(k)] = k;
    const auto wire = [&](Index a, Index b, double ohm) {
      if (ohm == 0) {
        join(a, b);
      } else if (std::isfinite(ohm)) {
        branches_.push_back({a, b, 1 / ohm});
      }
    };
    for (Index i = 0; i < m_; ++i) {
      wire(source(i), u(i, 0), circuit.left_ohm(i));
      wire(source(i), u(i, n_ - 1), circuit.right_ohm(i));
      for (Index j = 0; j < n_; ++j) {
        if (j + 1 < n_) wire(u(i, j), u(i, j + 1), circuit.wordline_segment_ohm(i, j));
        if (i + 1 < m_) wire(w(i, j), w(i + 1, j), circuit.bitline_segment_ohm(i, j));
        wire(u(i, j), w(i, j), 1 / circuit.conductance(i, j));
      }
    }
    for (Index j = 0; j < n_; ++j) {
      wire(sink(j), w(0, j), circuit.top_ohm(j));
      wire(sink(j), w(m_ - 1, j), circuit.bottom_ohm(j));
    }
    for (Index i = 0; i < m_; ++i) {
      for (Index j = 0; j < n_; ++j) {
        const auto value = [&](const Matrix& farad) {
          return farad.size() == 0 ? 0.0 : farad.size() == 1 ? farad(0, 0) : farad(i, j);
        };
        capacitors_.push_back({u(i, j), -1, value(capacitance.wordline_farad)});
        capacitors_.push_back({w(i, j), -1, value(capacitance.bitline_farad)});
        if (i + 1 < m_) {
          capacitors_.push_back({u(i, j), u(i + 1, j), value(capacitance.wordline_coupling_farad)});
        }
        if (j + 1 < n_) {
          capacitors_.push_back({w(i, j), w(i, j + 1), value(capacitance.bitline_coupling_farad)});
        }
      }
    }
    solve_modes(V);
  }

  // Sink currents at these times, one row each.
  [[nodiscard]] Matrix currents(const Shape& shape, const Vector& times) const {
    Matrix current(times.size(), n_);
    for (Index k = 0; k < times.size(); ++k) {
      const Vector x = nodes(shape, times(k));
      current.row(k).setZero();
      for (Index j = 0; j < n_; ++j) {
        const Index ground = find(sink(j));
        for (const Branch& b : branches_) {
          const Index from = find(b.a);
          const Index to = find(b.b);
          if (from == to || (from != ground && to != ground)) continue;
          current(k, j) += b.value * (x(from == ground ? to : from) - x(ground));
        }
      }
    }
    return current;
  }

 private:
  struct Branch {
    Index a, b;
    double value;
  };
  static std::size_t size(Index k) { return static_cast<std::size_t>(k); }
  [[nodiscard]] Index u(Index i, Index j) const { return i * n_ + j; }
  [[nodiscard]] Index w(Index i, Index j) const { return m_ * n_ + i * n_ + j; }
  [[nodiscard]] Index source(Index i) const { return 2 * m_ * n_ + i; }
  [[nodiscard]] Index sink(Index j) const { return 2 * m_ * n_ + m_ + j; }
  [[nodiscard]] Index count() const { return static_cast<Index>(group_.size()); }
  [[nodiscard]] Index find(Index k) const {
    while (group_[size(k)] != k) k = group_[size(k)];
    return k;
  }
  // Terminals have the highest numbers and stay the names of their groups.
  void join(Index a, Index b) {
    a = find(a);
    b = find(b);
    group_[size(std::min(a, b))] = std::max(a, b);
  }

  void solve_modes(const Vector& V) {
    known_ = Vector::Zero(count());
    known_.segment(source(0), m_) = V;
    std::vector<Index> place(size(count()), -1);
    for (Index k = 0; k < source(0); ++k) {
      if (find(k) != k) continue;
      place[size(k)] = static_cast<Index>(free_.size());
      free_.push_back(k);
    }
    const auto f = static_cast<Index>(free_.size());
    Eigen::MatrixXd K = Eigen::MatrixXd::Zero(f, f);
    Eigen::MatrixXd C = Eigen::MatrixXd::Zero(f, f);
    Vector from_value = Vector::Zero(f);  // input per unit of the shape and of its slope
    Vector from_slope = Vector::Zero(f);
    const auto stamp = [&](const Branch& b, Eigen::MatrixXd& matrix, Vector& input) {
      const Index ends[] = {find(b.a), b.b < 0 ? -1 : find(b.b)};
      if (ends[0] == ends[1]) return;
      for (const int e : {0, 1}) {
        if (ends[e] < 0 || place[size(ends[e])] < 0) continue;
        const Index row = place[size(ends[e])];
        matrix(row, row) += b.value;
        const Index other = ends[1 - e];
        if (other < 0) continue;
        if (place[size(other)] >= 0) {
          matrix(row, place[size(other)]) -= b.value;
        } else {
          input(row) += b.value * known_(other);
        }
      }
    };
    for (const Branch& b : branches_) stamp(b, K, from_value);
    for (const Branch& b : capacitors_) stamp(b, C, from_slope);
    if (f == 0) return;
    const Eigen::GeneralizedSelfAdjointEigenSolver<Eigen::MatrixXd> modes(K, C);
    rate_ = modes.eigenvalues();
    vectors_ = modes.eigenvectors();  // V^T C V = 1
    value_ = vectors_.transpose() * from_value;
    slope_ = vectors_.transpose() * from_slope;
  }

  [[nodiscard]] Vector nodes(const Shape& shape, double time) const {
    Vector x = known_ * at(shape, time);
    Vector y = Vector::Zero(rate_.size());
    Shape pieces = shape;
    pieces.emplace_back(open, shape.back().second);
    for (std::size_t k = 0; k + 1 < pieces.size() && pieces[k].first < time; ++k) {
      const double length = std::min(pieces[k + 1].first, time) - pieces[k].first;
      const double slope = k + 1 < shape.size() ? (shape[k + 1].second - shape[k].second) /
                                                      (shape[k + 1].first - shape[k].first)
                                                : 0.0;
      for (Index e = 0; e < y.size(); ++e) {
        const double b0 = value_(e) * shape[k].second + slope_(e) * slope;
        const double b1 = value_(e) * slope;
        const double c1 = b1 / rate_(e);
        const double c0 = (b0 - c1) / rate_(e);
        y(e) = c0 + c1 * length + (y(e) - c0) * std::exp(-rate_(e) * length);
      }
    }
    if (y.size() > 0) {
      const Vector free = vectors_ * y;
      for (std::size_t k = 0; k < free_.size(); ++k) x(free_[k]) = free(static_cast<Index>(k));
    }
    return x;
  }

  Index m_;
  Index n_;
  std::vector<Index> group_;
  std::vector<Branch> branches_, capacitors_;
  std::vector<Index> free_;
  Vector known_;
  Vector rate_, value_, slope_;
  Eigen::MatrixXd vectors_;
};

Waveform waveform(const Shape& shape) { return Waveform::piecewise_linear(shape); }

// 1 V from `rise` on.
Shape ramp(double rise) { return {{0, 0}, {rise, 1}}; }

TransientInput input_of(const Vector& V, const Shape& shape) {
  return {V, {}, {waveform(shape)}, {}};
}

TransientOptions options_of(double stop, Index steps) {
  TransientOptions options;
  options.stop_second = stop;
  options.steps = steps;
  return options;
}

struct Case {
  Circuit circuit;
  Capacitance capacitance;
  Vector voltage;
  Shape shape;
  double stop;
};

// Largest error of the currents, share of the peak; checks the energy balance on the way.
double error_of(const Case& test, TransientOptions options) {
  options.stop_second = test.stop;
  options.steps = 50;
  const TransientResult result =
      transient(test.circuit, test.capacitance, input_of(test.voltage, test.shape), options);
  CAPTURE(result.report.brief());
  if (options.fixed_step_second == 0 && options.tolerance == TransientOptions{}.tolerance) {
    REQUIRE(result.report.energy_imbalance <= energy_tolerance);
    REQUIRE(result.report.largest_error <= options.tolerance);
  }
  const Matrix exact = DenseTransient(test.circuit, test.capacitance, test.voltage)
                           .currents(test.shape, result.time);
  return relative_error(result.current, exact);
}

// 4 x 3, time constants from 1e-14 s (a node and a segment) to 4.5e-12 s (a wordline and its
// driver).
Case usual_case() {
  return {make_circuit(random_matrix(4, 3, 1e-5, 1e-4, 1), {500, 100, 2.5, 3.5}),
          make_capacitance(3e-15), random_matrix(4, 1, -0.3, 0.3, 2).col(0), ramp(1e-12), 2e-11};
}

}  // namespace

TEST_CASE("solver/transient: the reference transients at 1e-5 of the peak", "[solver]") {
  for (const auto& [name, conductance, voltage, wires, reference, data] :
       xbar_test::reference_arrays("linear_transient", 2)) {
    const auto K = reference.rows() - 1;
    const double stop = data.at("time_second").back();
    const double rise = data.at("rise_second");
    const TransientInput input{
        voltage.col(0), {}, {Waveform::step(0, 1, 0, rise, std::max(rise, stop))}, {}};
    const TransientResult result =
        transient(make_circuit(conductance, wires), make_capacitance(data.at("node_farad")), input,
                  options_of(stop, K));
    CAPTURE(name, result.report.brief());
    REQUIRE(relative_error(result.current, reference) <= 1e-5);
    REQUIRE(result.report.energy_imbalance <= energy_tolerance);
  }
}

TEST_CASE("solver/transient: one cell follows its ramp", "[solver]") {
  // sink_ohm 0 holds the bitline node: one capacitor, tau = C / (1/R_s + G) = 1e-12 s, and
  // u = V G_s / (G_s + G) (t - tau (1 - exp(-t/tau))) / rise on the ramp.
  constexpr double G = 1e-3;
  constexpr double Gs = 1e-3;
  constexpr double tau = 1e-12;
  constexpr double rise = 3e-12;
  constexpr double V = 0.5;
  const auto on_ramp = [&](double t) {
    return t <= 0 ? 0.0 : (t - tau * (1 - std::exp(-t / tau))) / rise;
  };
  TransientOptions options = options_of(12e-12, 100);
  options.settle_tolerance = 1e-3;
  options.node_voltages = true;
  const TransientResult result = transient(
      make_circuit(Matrix::Constant(1, 1, G), {1 / Gs, 0, 0, 0}), make_capacitance(tau * (G + Gs)),
      input_of(Vector::Constant(1, V), ramp(rise)), options);
  CAPTURE(result.report.brief());
  const double final = V * Gs / (Gs + G) * G;
  Matrix exact(101, 1);
  for (Index k = 0; k <= 100; ++k) {
    REQUIRE_THAT(result.time(k), xbar_test::WithinRel(static_cast<double>(k) * 12e-14, 1e-14));
    exact(k, 0) = final * (on_ramp(result.time(k)) - on_ramp(result.time(k) - rise));
  }
  REQUIRE(result.current(0, 0) == 0);
  REQUIRE(relative_error(result.current, exact) <= current_tolerance);
  REQUIRE(result.report.energy_imbalance <= energy_tolerance);
  REQUIRE_THAT(result.nodes.wordline(0, 0),
               xbar_test::WithinRel(exact(100, 0) / G, current_tolerance));
  REQUIRE(result.nodes.bitline(0, 0) == 0);
  // Behind the ramp, 1 - I/I_final = tau/rise (exp(rise/tau) - 1) exp(-t/tau). An error of 1e-6 in
  // the current is one of 1e-3 tau in the time.
  const double settling = tau * std::log(tau / rise * (std::exp(rise / tau) - 1) / 1e-3);
  REQUIRE_THAT(result.final_current(0), xbar_test::WithinRel(final, 1e-12));
  REQUIRE_THAT(result.settling_second(0), xbar_test::WithinAbs(settling, 1e-3 * tau));
}

TEST_CASE("solver/transient: a jump is the limit of steep ramps", "[solver]") {
  constexpr double tau = 1e-12;
  const Circuit circuit = make_circuit(Matrix::Constant(1, 1, 1e-3), {1000, 0, 0, 0});
  const TransientInput input{Vector::Ones(1), {}, {Waveform::step(0, 1, 2e-12, 0, 20e-12)}, {}};
  const TransientResult result =
      transient(circuit, make_capacitance(2e-15), input, options_of(10e-12, 40));
  Matrix exact(41, 1);
  for (Index k = 0; k <= 40; ++k) {
    const double t = result.time(k) - 2e-12;
    exact(k, 0) = t <= 0 ? 0 : 0.5e-3 * (1 - std::exp(-t / tau));
  }
  CAPTURE(result.report.brief());
  REQUIRE(relative_error(result.current, exact) <= current_tolerance);
  REQUIRE(result.report.energy_imbalance <= energy_tolerance);
  // Nothing happens before the jump: no step that ends there sees it.
  REQUIRE(result.report.rejected <= 10);
}

TEST_CASE("solver/transient: small arrays agree with their modes", "[solver]") {
  REQUIRE(error_of(usual_case(), {}) <= current_tolerance);
  // One cell with both of its nodes free: two modes.
  Case one = usual_case();
  one.circuit = make_circuit(Matrix::Constant(1, 1, 1e-4), {500, 100, 0, 0});
  one.voltage = Vector::Constant(1, 0.3);
  REQUIRE(error_of(one, {}) <= current_tolerance);
  // Driven and sensed at both ends, unequal wires, an open cell.
  Case uneven = usual_case();
  uneven.circuit = make_circuit(random_matrix(4, 3, 1e-5, 1e-4, 1), {500, 100, 2.5, 3.5},
                                xbar::solver::DriveEnds::both, xbar::solver::SenseEnds::both);
  uneven.circuit.wordline_ohm = random_matrix(4, 2, 1, 20, 3);
  uneven.circuit.bitline_ohm = random_matrix(3, 3, 1, 20, 4);
  uneven.circuit.conductance(2, 1) = 0;
  uneven.capacitance.wordline_farad = random_matrix(4, 3, 1e-15, 4e-15, 5);
  uneven.capacitance.bitline_farad = random_matrix(4, 3, 1e-15, 4e-15, 6);
  REQUIRE(error_of(uneven, {}) <= current_tolerance);
}

TEST_CASE("solver/transient: zero resistances merge capacitances or hold nodes", "[solver]") {
  for (int zeros = 1; zeros < 16; ++zeros) {
    Case test = usual_case();
    test.circuit = make_circuit(test.circuit.conductance,
                                {(zeros & 1) != 0 ? 0.0 : 500.0, (zeros & 2) != 0 ? 0.0 : 100.0,
                                 (zeros & 4) != 0 ? 0.0 : 2.5, (zeros & 8) != 0 ? 0.0 : 3.5});
    CAPTURE(zeros);
    REQUIRE(error_of(test, {}) <= current_tolerance);
    test.capacitance = make_capacitance(3e-15, 1e-15);
    REQUIRE(error_of(test, {}) <= current_tolerance);
  }
}

TEST_CASE("solver/transient: capacitances between lines", "[solver]") {
  for (const double coupling : {1e-16, 3e-15, 3e-14}) {
    Case test = usual_case();
    test.capacitance = make_capacitance(3e-15, coupling);
    CAPTURE(coupling);
    REQUIRE(error_of(test, {}) <= current_tolerance);
  }
  Case test = usual_case();
  test.capacitance.wordline_coupling_farad = random_matrix(3, 3, 1e-16, 1e-14, 7);
  test.capacitance.bitline_coupling_farad = random_matrix(4, 2, 1e-16, 1e-14, 8);
  REQUIRE(error_of(test, {}) <= current_tolerance);
}

TEST_CASE("solver/transient: random circuits agree with their modes", "[solver]") {
  int cases = 0;
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    const xbar_test::RandomCircuit drawn = xbar_test::random_circuit(seed, 4);
    if (drawn.floats || drawn.joined || drawn.shorted) continue;
    ++cases;
    const double coupling = seed % 3 == 0 ? 1e-15 : 0.0;
    const Case test{drawn.circuit, make_capacitance(3e-15, coupling), drawn.wordline_voltage,
                    ramp(1e-12), 2e-11};
    CAPTURE(seed);
    // Tolerances are of the currents at rest, which some do not reach within 20 ps.
    REQUIRE(error_of(test, {}) <= 10 * current_tolerance);
  }
  REQUIRE(cases >= 30);
}

TEST_CASE("solver/transient: second order in the step", "[solver]") {
  const Case test = usual_case();
  double last = 0;
  for (const double step : {8e-14, 4e-14, 2e-14, 1e-14}) {
    TransientOptions options;
    options.fixed_step_second = step;
    const double error = error_of(test, options);
    if (last > 0) {
      CAPTURE(step, error, last);
      const double order = std::log2(last / error);
      REQUIRE(order >= 1.8);
      REQUIRE(order <= 2.2);
    }
    last = error;
  }
}

TEST_CASE("solver/transient: the tolerance controls the error", "[solver]") {
  const Case test = usual_case();
  double last = open;
  Index last_steps = 0;
  for (double tolerance = 1e-4; tolerance > 1e-9; tolerance /= 8) {
    TransientOptions options;
    options.tolerance = tolerance;
    const double error = error_of(test, options);
    CAPTURE(tolerance, error, last);
    // An eighth of the local error is half the step and a quarter of the sum.
    REQUIRE(error <= 0.5 * last);
    if (last < open) REQUIRE(error >= last / 16);
    last = error;
    options.stop_second = test.stop;
    const Index steps =
        transient(test.circuit, test.capacitance, input_of(test.voltage, test.shape), options)
            .report.steps;
    REQUIRE(steps > last_steps);
    last_steps = steps;
  }
}

TEST_CASE("solver/transient: ends at the solution of the array at rest", "[solver]") {
  const Index n = 20;
  const Matrix conductance = random_matrix(24, n, 1e-5, 1e-4, 3);
  const Matrix voltage = random_matrix(24, 1, 0, 0.3, 4);
  const Circuit circuit = make_circuit(conductance, {200, 50, 1, 2});
  // The slowest mode has about 200 ohm x 40 nodes x 1 fF = 8e-12 s.
  TransientOptions options = options_of(5e-9, 10);
  options.node_voltages = true;
  const TransientResult result =
      transient(circuit, make_capacitance(1e-15), input_of(voltage.col(0), ramp(1e-12)), options);
  CAPTURE(result.report.brief());
  xbar::solver::SolveOptions keep;
  keep.node_voltages = true;
  const auto rest = xbar::solver::solve(circuit, {voltage, {}}, keep);
  REQUIRE(relative_error(result.current.row(10).transpose(), rest.current) <= 1e-8);
  REQUIRE(relative_error(result.nodes.wordline, rest.nodes[0].wordline) <= 1e-8);
  REQUIRE(relative_error(result.nodes.bitline, rest.nodes[0].bitline) <= 1e-8);
}

TEST_CASE("solver/transient: without capacitance every moment is at rest", "[solver]") {
  const Case test = usual_case();
  const TransientResult result = transient(
      test.circuit, make_capacitance(0), input_of(test.voltage, ramp(1e-12)), options_of(2e-12, 4));
  const Matrix rest = xbar::solver::solve(test.circuit, {test.voltage, {}}).current.transpose();
  REQUIRE(relative_error(result.current.row(1), 0.5 * rest) <= 1e-9);
  REQUIRE(relative_error(result.current.row(4), rest) <= 1e-9);
  REQUIRE(result.report.energy_imbalance <= 1e-9);
  REQUIRE(result.report.stored_joule == 0);
}

TEST_CASE("solver/transient: a pulse train, corner by corner", "[solver]") {
  // Two pulses, then rest: corners at 1, 2, 4, 5, 7, 8, 10 and 11 ps.
  Case test = usual_case();
  test.shape = {{0, 0},     {1e-12, 0}, {2e-12, 1},  {4e-12, 1},  {5e-12, 0},
                {7e-12, 0}, {8e-12, 1}, {10e-12, 1}, {11e-12, 0}, {40e-12, 0}};
  test.stop = 40e-12;
  REQUIRE(error_of(test, {}) <= current_tolerance);
  // The same as a Waveform of its own kind.
  const TransientInput pulses{test.voltage,
                              {},
                              {Waveform::pulses({.delay = 1e-12,
                                                 .rise = 1e-12,
                                                 .width = 2e-12,
                                                 .fall = 1e-12,
                                                 .period = 6e-12,
                                                 .count = 2})},
                              {}};
  // From rest to rest, the charge through each sink is that of the array at rest: int x' = 0 leaves
  // K int x = int b, and each pulse has 3e-12 s of 1 V. The slowest mode has
  // 500 ohm x 9 fF = 4.5 ps, so that exp(-24) is left after 109 ps; the sum over points of 2 fs has
  // an error of (2e-15 s / 1e-12 s)^2 / 12.
  const TransientResult result =
      transient(test.circuit, test.capacitance, pulses, options_of(120e-12, 60000));
  const Matrix charge = result.current.colwise().sum() * 2e-15;
  const Matrix rest = xbar::solver::solve(test.circuit, {test.voltage, {}}).current.transpose();
  REQUIRE(relative_error(charge, rest * 6e-12) <= 1e-6);
  REQUIRE(result.report.stored_joule <= 1e-6 * result.report.dissipated_joule);
  REQUIRE(result.report.energy_imbalance <= energy_tolerance);
}

TEST_CASE("solver/transient: inputs superpose, each with a waveform of its own", "[solver]") {
  const Case test = usual_case();
  const auto run = [&](const Vector& V, const Vector& B, std::vector<Waveform> wordline,
                       std::vector<Waveform> bitline) {
    const TransientResult result =
        transient(test.circuit, test.capacitance, {V, B, std::move(wordline), std::move(bitline)},
                  options_of(10e-12, 20));
    REQUIRE(result.report.energy_imbalance <= energy_tolerance);
    return result.current;
  };
  const Waveform a = Waveform::step(0, 1, 1e-12, 2e-12, 20e-12);
  const Waveform b = waveform({{0, 0}, {3e-12, -1}, {5e-12, 2}});
  const Waveform sine = Waveform::sine({.frequency = 1e11, .count = 2});
  const Vector V{{0.3, 0.2, -0.1, 0.25}};
  const Vector B{{0.1, 0, -0.2}};
  const Matrix all = run(V, B, {a, b, a, b}, {sine});
  const Vector first{{0.3, 0, -0.1, 0}};
  const Vector second{{0, 0.2, 0, 0.25}};
  const Matrix sum = run(first, {}, {a}, {}) + run(second, {}, {b}, {}) +
                     run(Vector::Zero(4), B, {a}, {sine, sine, sine});
  REQUIRE(relative_error(all, sum) <= current_tolerance);
}

TEST_CASE("solver/transient: time constants far below the whole time", "[solver]") {
  // 0.1 fF behind 0.3 ohm relax in 3e-17 s. Until the ramp of 1e-11 s ends, 3 uA charge the node of
  // the held bitline, against 0.5 uA through the cells at rest: that corner takes steps of a
  // thousandth of the relaxation, 3e-20 s, in an interval of 1e-6 s.
  const Circuit circuit = make_circuit(Matrix::Constant(1, 2, 1e-6), {0.3, 0.3, 0.3, 0});
  const Vector V = Vector::Constant(1, 0.5);
  const Vector B{{0, 0.3}};
  TransientOptions options;
  options.stop_second = 1e-6;
  const TransientResult result = transient(
      circuit, make_capacitance(1e-16), {V, B, {Waveform::step(0, 1, 0, 1e-11, 1)}, {}}, options);
  CAPTURE(result.report.brief());
  REQUIRE(relative_error(result.current.row(1).transpose(),
                         xbar::solver::solve(circuit, {V, B}).current) <= current_tolerance);
  REQUIRE(result.report.energy_imbalance <= energy_tolerance);
}

TEST_CASE("solver/transient: settling times", "[solver]") {
  const Case test = usual_case();
  TransientOptions options = options_of(test.stop, 20000);
  options.settle_tolerance = 0.05;
  const TransientResult result =
      transient(test.circuit, test.capacitance, input_of(test.voltage, test.shape), options);
  const Matrix rest = xbar::solver::solve(test.circuit, {test.voltage, {}}).current;
  REQUIRE(relative_error(result.final_current, rest) <= 1e-12);
  for (Index j = 0; j < 3; ++j) {
    Index last = 0;
    for (Index k = 0; k <= 20000; ++k) {
      if (std::abs(result.current(k, j) - rest(j, 0)) > 0.05 * std::abs(rest(j, 0))) last = k;
    }
    REQUIRE(last < 20000);
    REQUIRE(result.settling_second(j) >= result.time(last));
    REQUIRE(result.settling_second(j) <= result.time(last + 1));
  }
  // Stopped on the way; then not asked for.
  options.stop_second = 0.5e-12;
  const TransientResult early =
      transient(test.circuit, test.capacitance, input_of(test.voltage, test.shape), options);
  REQUIRE(std::isinf(early.settling_second(0)));
  options.settle_tolerance = 0;
  REQUIRE(transient(test.circuit, test.capacitance, input_of(test.voltage, test.shape), options)
              .settling_second.size() == 0);
}

TEST_CASE("solver/transient: ngspice agrees", "[solver]") {
  if (!xbar_test::have_ngspice()) return;
  const Index N = 4;
  const Matrix G = random_matrix(N, N, 1e-5, 1e-4, 5);
  const Vector V = random_matrix(N, 1, 0.1, 0.3, 6).col(0);
  const WireResistance wires{500, 100, 2.5, 3.5};
  constexpr double node = 3e-15;
  constexpr double coupling = 1e-15;
  std::string text = "4 x 4 array with capacitances\n";
  const auto out = std::back_inserter(text);
  for (Index i = 0; i < N; ++i) {
    fmt::format_to(out,
                   "v_{0} s_{0} 0 pwl(0 0 1e-12 {1:.17g} 1 {1:.17g})\nrs_{0} s_{0} u_{0}_0 500\n",
                   i, V(i));
    for (Index j = 0; j < N; ++j) {
      fmt::format_to(out, "rc_{0}_{1} u_{0}_{1} w_{0}_{1} {2:.17g}\n", i, j, 1 / G(i, j));
      fmt::format_to(out, "cu_{0}_{1} u_{0}_{1} 0 {2}\ncw_{0}_{1} w_{0}_{1} 0 {2}\n", i, j, node);
      if (j + 1 < N) {
        fmt::format_to(out,
                       "rw_{0}_{1} u_{0}_{1} u_{0}_{2} 2.5\nxw_{0}_{1} w_{0}_{1} w_{0}_{2} c\n", i,
                       j, j + 1);
      }
      if (i + 1 < N) {
        fmt::format_to(out,
                       "rb_{0}_{1} w_{0}_{1} w_{2}_{1} 3.5\nxu_{0}_{1} u_{0}_{1} u_{2}_{1} c\n", i,
                       j, i + 1);
      }
    }
    fmt::format_to(out, "rk_{0} w_3_{0} 0 100\n", i);
  }
  fmt::format_to(out,
                 ".subckt c a b\nc1 a b {}\n.ends\n.options reltol=1e-7 abstol=1e-16 vntol=1e-10\n"
                 ".tran 1e-13 1e-11 0 1e-14\n.control\nset numdgt=12\nrun\n"
                 "linearize v(w_3_0) v(w_3_1) v(w_3_2) v(w_3_3)\n",
                 coupling);
  for (Index j = 0; j < N; ++j) fmt::format_to(out, "print v(w_3_{})\n", j);
  text += "quit\n.endc\n.end\n";
  const std::string printed = xbar_test::run_ngspice(text);
  CAPTURE(printed);
  const TransientResult result = transient(make_circuit(G, wires), make_capacitance(node, coupling),
                                           input_of(V, ramp(1e-12)), options_of(1e-11, 100));
  // A header that names the voltage, now and then, and rows "index voltage".
  Matrix spice = Matrix::Constant(101, N, std::nan(""));
  Index bitline = 0;
  std::istringstream lines(printed);
  for (std::string line; std::getline(lines, line);) {
    for (Index j = 0; j < N; ++j) {
      if (line.find(fmt::format("v(w_3_{})", j)) != std::string::npos) bitline = j;
    }
    std::istringstream words(line);
    Index row = 0;
    double volt = 0;
    if (!(words >> row >> volt) || row < 0 || row > 100) continue;
    spice(row, bitline) = volt / 100;
  }
  // The trapezoidal rule with 100 steps a rise time.
  REQUIRE(relative_error(spice, result.current) <= 1e-4);
}

TEST_CASE("solver/transient: what makes no sense is refused", "[solver]") {
  const Case test = usual_case();
  const auto expect =
      [&](const std::string& message,
          const std::function<void(Case&, TransientInput&, TransientOptions&)>& change) {
        Case wrong = test;
        TransientInput input = input_of(test.voltage, test.shape);
        TransientOptions options = options_of(1e-12, 10);
        change(wrong, input, options);
        REQUIRE_THROWS_WITH(transient(wrong.circuit, wrong.capacitance, input, options),
                            Contains(message));
        REQUIRE_THROWS_AS(transient(wrong.circuit, wrong.capacitance, input, options),
                          xbar::InvalidArgument);
      };
  expect("stop_second: expected a time > 0 s, got 0",
         [](Case&, TransientInput&, TransientOptions& o) { o.stop_second = 0; });
  expect("stop_second", [](Case&, TransientInput&, TransientOptions& o) { o.stop_second = open; });
  expect("steps: expected at least 1, got 0",
         [](Case&, TransientInput&, TransientOptions& o) { o.steps = 0; });
  expect("tolerance",
         [](Case&, TransientInput&, TransientOptions& o) { o.tolerance = std::nan(""); });
  expect("fixed_step_second",
         [](Case&, TransientInput&, TransientOptions& o) { o.fixed_step_second = -1; });
  expect("settle_tolerance",
         [](Case&, TransientInput&, TransientOptions& o) { o.settle_tolerance = 1; });
  expect("wordline_farad: expected 1 x 1 or 4 x 3, got 2 x 3",
         [](Case& c, TransientInput&, TransientOptions&) {
           c.capacitance.wordline_farad = Matrix::Zero(2, 3);
         });
  expect("bitline_coupling_farad: expected 1 x 1 or 4 x 2, got 4 x 3",
         [](Case& c, TransientInput&, TransientOptions&) {
           c.capacitance.bitline_coupling_farad = Matrix::Zero(4, 3);
         });
  expect("bitline_farad: expected finite values >= 0 farad, got -1 at (0, 0)",
         [](Case& c, TransientInput&, TransientOptions&) {
           c.capacitance.bitline_farad = Matrix::Constant(1, 1, -1);
         });
  expect("shorted cells",
         [](Case& c, TransientInput&, TransientOptions&) { c.circuit.conductance(1, 1) = open; });
  expect("wordline voltage: expected 4 values, got 2",
         [](Case&, TransientInput& i, TransientOptions&) { i.wordline_voltage = Vector::Zero(2); });
  expect("wordline waveforms: expected one waveform or 4, got 0",
         [](Case&, TransientInput& i, TransientOptions&) { i.wordline.clear(); });
  expect("bitline waveforms: expected one waveform or 3, got 2",
         [](Case&, TransientInput& i, TransientOptions&) {
           i.bitline_voltage = Vector::Zero(3);
           i.bitline.assign(2, i.wordline.front());
         });
}

TEST_CASE("solver/transient: can be interrupted", "[solver]") {
  const Case test = usual_case();
  TransientOptions options = options_of(1e-11, 10);
  double last = -1;
  options.progress = [&](const xbar::Progress& progress) {
    REQUIRE(progress.total == 1e-11);
    REQUIRE(progress.done >= last);
    last = progress.done;
    if (progress.done > 5e-12) throw xbar::Interrupted("enough");
  };
  REQUIRE_THROWS_AS(
      transient(test.circuit, test.capacitance, input_of(test.voltage, test.shape), options),
      xbar::Interrupted);
  REQUIRE(last > 5e-12);
}
