/// Transients of non-linear cells against an explicit integration of the whole circuit, node by
/// node, which solves no system of equations.

#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <Eigen/Dense>
#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/device/cell_models.hpp>
#include <xbar/solver/newton.hpp>
#include <xbar/solver/transient.hpp>

#include "support/arrays.hpp"
#include "support/catch.hpp"
#include "support/message.hpp"
#include "support/ngspice.hpp"
#include "support/random_circuit.hpp"

using xbar::Index;
using xbar::Matrix;
using xbar::Vector;
using xbar::device::CellModel;
using xbar::device::make_cell_model;
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

// With the default tolerance: what it promises.
constexpr double current_tolerance = 1e-6;
constexpr double energy_tolerance = 1e-6;

constexpr double rise = 1e-12;

std::unique_ptr<CellModel> cells_of(std::string_view name,
                                    std::map<std::string, double> parameters = {}) {
  return make_cell_model(name, {std::move(parameters), {}, {}});
}

struct Model {
  const char* name;
  std::unique_ptr<CellModel> cells;
};

std::vector<Model> all_models() {
  std::vector<Model> models;
  models.push_back({"linear", cells_of("linear")});
  models.push_back({"sinh", cells_of("sinh", {{"sinh_alpha", 5}})});
  models.push_back({"series-resistance", cells_of("series-resistance", {{"sinh_alpha", 4}})});
  models.push_back({"transistor", cells_of("transistor")});
  models.push_back({"selector", cells_of("selector", {{"selector_volt", 0.1}})});
  xbar::device::CellSettings settings;
  settings.table = Matrix{{-2, -9}, {-0.3, -0.2}, {0, 0}, {0.2, 0.1}, {0.5, 0.4}, {2, 9}};
  models.push_back({"table", make_cell_model("table", settings)});
  return models;
}

TransientInput ramp(const Vector& V) { return {V, {}, {Waveform::step(0, 1, 0, rise, 1)}, {}}; }

TransientOptions options_of(double stop, Index steps) {
  TransientOptions options;
  options.stop_second = stop;
  options.steps = steps;
  return options;
}

struct Case {
  Circuit circuit;
  double node_farad;
  double coupling_farad;
  Vector voltage;
  double stop;
};

// 4 x 3; the shortest time constant is a node's, 3 fF behind two segments of 2.5 ohm.
Case usual_case(double volt = 0.6) {
  return {make_circuit(random_matrix(4, 3, 1e-5, 1e-4, 1), {500, 100, 2.5, 3.5}), 3e-15, 0,
          random_matrix(4, 1, -volt, volt, 2).col(0), 1e-11};
}

// Sink currents at K + 1 times by the classical Runge-Kutta method of fourth order: node voltages
// x' = C^-1 (b(t) - K x - A I(A^T x)). Steps of 2 fs are a quarter of what the shortest time
// constant allows; halving them changes no current by more than 1e-10 of the peak.
Matrix explicit_currents(const Case& test, const CellModel& cells, Index outputs) {
  const Circuit& c = test.circuit;
  const Index m = c.wordlines();
  const Index n = c.bitlines();
  const Index count = 2 * m * n;
  const auto u = [&](Index i, Index j) { return i * n + j; };
  const auto w = [&](Index i, Index j) { return m * n + i * n + j; };
  Eigen::MatrixXd K = Eigen::MatrixXd::Zero(count, count);
  Eigen::MatrixXd C = test.node_farad * Eigen::MatrixXd::Identity(count, count);
  Vector b = Vector::Zero(count);
  const auto between = [](Eigen::MatrixXd& matrix, Index a, Index e, double value) {
    matrix(a, a) += value;
    matrix(e, e) += value;
    matrix(a, e) -= value;
    matrix(e, a) -= value;
  };
  for (Index i = 0; i < m; ++i) {
    K(u(i, 0), u(i, 0)) += 1 / c.left_ohm(i);
    b(u(i, 0)) += test.voltage(i) / c.left_ohm(i);
    for (Index j = 0; j < n; ++j) {
      if (j + 1 < n) between(K, u(i, j), u(i, j + 1), 1 / c.wordline_segment_ohm(i, j));
      if (i + 1 < m) between(K, w(i, j), w(i + 1, j), 1 / c.bitline_segment_ohm(i, j));
      if (i + 1 < m) between(C, u(i, j), u(i + 1, j), test.coupling_farad);
      if (j + 1 < n) between(C, w(i, j), w(i, j + 1), test.coupling_farad);
    }
  }
  for (Index j = 0; j < n; ++j) K(w(m - 1, j), w(m - 1, j)) += 1 / c.bottom_ohm(j);
  const Eigen::MatrixXd inverse = C.inverse();
  const Eigen::MatrixXd rate = inverse * K;
  const Vector drive = inverse * b;
  Matrix current;
  Matrix derivative;
  const auto slope = [&](double t, const Vector& x) {
    const Matrix v =
        Eigen::Map<const Matrix>(x.data(), m, n) - Eigen::Map<const Matrix>(x.data() + m * n, m, n);
    cells.evaluate(c.conductance, v, current, derivative);
    Vector into(count);
    Eigen::Map<Matrix>(into.data(), m, n) = -current;
    Eigen::Map<Matrix>(into.data() + m * n, m, n) = current;
    return Vector(std::min(t / rise, 1.0) * drive - rate * x + inverse * into);
  };
  constexpr double longest = 2e-15;
  const double apart = test.stop / static_cast<double>(outputs);
  const auto steps = static_cast<Index>(std::ceil(apart / longest));
  const double h = apart / static_cast<double>(steps);
  Matrix result = Matrix::Zero(outputs + 1, n);
  Vector x = Vector::Zero(count);
  for (Index k = 1; k <= outputs; ++k) {
    for (Index s = 0; s < steps; ++s) {
      const double t = static_cast<double>((k - 1) * steps + s) * h;
      const Vector k1 = slope(t, x);
      const Vector k2 = slope(t + h / 2, x + h / 2 * k1);
      const Vector k3 = slope(t + h / 2, x + h / 2 * k2);
      const Vector k4 = slope(t + h, x + h * k3);
      x += h / 6 * (k1 + 2 * k2 + 2 * k3 + k4);
    }
    for (Index j = 0; j < n; ++j) result(k, j) = x(w(m - 1, j)) / c.bottom_ohm(j);
  }
  return result;
}

TransientResult run(const Case& test, const CellModel& cells, TransientOptions options) {
  return transient(test.circuit, cells, make_capacitance(test.node_farad, test.coupling_farad),
                   ramp(test.voltage), options);
}

}  // namespace

TEST_CASE("solver/transient: non-linear cells agree with an explicit integration", "[solver]") {
  constexpr Index outputs = 50;
  for (const Model& model : all_models()) {
    for (const double coupling : {0.0, 1e-15}) {
      Case test = usual_case();
      test.coupling_farad = coupling;
      const TransientResult result = run(test, *model.cells, options_of(test.stop, outputs));
      CAPTURE(model.name, coupling, result.report.brief());
      REQUIRE(relative_error(result.current, explicit_currents(test, *model.cells, outputs)) <=
              current_tolerance);
      REQUIRE(result.report.energy_imbalance <= energy_tolerance);
      REQUIRE(result.report.largest_error <= TransientOptions{}.tolerance);
    }
  }
}

TEST_CASE("solver/transient: non-linear cells, second order in the step", "[solver]") {
  const Case test = usual_case();
  for (const Model& model : all_models()) {
    // The second derivative of a table jumps at its rows: order 2 only between these.
    if (std::string_view(model.name) == "table") continue;
    const Matrix exact = explicit_currents(test, *model.cells, 50);
    double last = 0;
    for (const double step : {8e-14, 4e-14, 2e-14}) {
      TransientOptions options = options_of(test.stop, 50);
      options.fixed_step_second = step;
      const double error = relative_error(run(test, *model.cells, options).current, exact);
      if (last > 0) {
        CAPTURE(model.name, step, error, last);
        const double order = std::log2(last / error);
        REQUIRE(order >= 1.8);
        REQUIRE(order <= 2.2);
      }
      last = error;
    }
  }
}

TEST_CASE("solver/transient: cells that hardly bend are linear ones", "[solver]") {
  // sinh(a v) = a v (1 + (a v)^2 / 6): 1e-13 at a = 1e-6. Stages are solved to 3e-11 of the peak.
  const auto compare = [](const Circuit& circuit, const Vector& V, const Vector& B, double coupling,
                          double tolerance) {
    const TransientInput input{V, B, {Waveform::step(0, 1, 0, rise, 1)}, {}};
    TransientOptions options = options_of(1e-11, 20);
    options.settle_tolerance = 0.01;
    const Capacitance capacitance = make_capacitance(3e-15, coupling);
    const TransientResult linear = transient(circuit, capacitance, input, options);
    for (const auto& cells : {cells_of("linear"), cells_of("sinh", {{"sinh_alpha", 1e-6}})}) {
      const TransientResult same = transient(circuit, *cells, capacitance, input, options);
      CAPTURE(linear.report.brief(), same.report.brief());
      const double peak = linear.current.cwiseAbs().maxCoeff() + 1e-30;
      REQUIRE((same.current - linear.current).cwiseAbs().maxCoeff() <= tolerance * peak);
      REQUIRE_THAT(same.report.dissipated_joule,
                   xbar_test::WithinRel(linear.report.dissipated_joule, 1e-6));
      REQUIRE_THAT(same.report.delivered_joule,
                   xbar_test::WithinRel(linear.report.delivered_joule, 1e-6));
    }
  };
  const Case test = usual_case();
  compare(test.circuit, test.voltage, Vector::Zero(3), 0, 1e-9);
  // Held nodes, merged nodes, unequal lines, both ends: the steps may differ, the result may not
  // by more than the tolerance of both, of currents that some do not reach within 10 ps.
  int cases = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const xbar_test::RandomCircuit drawn = xbar_test::random_circuit(seed, 4);
    if (drawn.floats || drawn.joined || drawn.shorted) continue;
    ++cases;
    CAPTURE(seed);
    compare(drawn.circuit, drawn.wordline_voltage, drawn.bitline_voltage,
            seed % 3 == 0 ? 1e-15 : 0.0, 20 * current_tolerance);
  }
  REQUIRE(cases >= 20);
}

TEST_CASE("solver/transient: non-linear cells end at the solution of the array at rest",
          "[solver]") {
  const Circuit circuit = make_circuit(random_matrix(17, 13, 1e-5, 1e-4, 3), {200, 50, 1, 2});
  const Vector V = random_matrix(17, 1, -0.5, 0.5, 4).col(0);
  for (const Model& model : all_models()) {
    TransientOptions options = options_of(5e-9, 10);
    options.node_voltages = true;
    options.settle_tolerance = 1e-3;
    options.tolerance = 1e-10;
    const TransientResult result =
        transient(circuit, *model.cells, make_capacitance(1e-15), ramp(V), options);
    CAPTURE(model.name, result.report.brief());
    xbar::solver::NewtonOptions keep;
    keep.node_voltages = true;
    const auto rest = solve_newton(circuit, *model.cells, {V, {}}, keep);
    REQUIRE(relative_error(result.current.row(10).transpose(), rest.current) <= 1e-9);
    REQUIRE(relative_error(result.nodes.wordline, rest.nodes[0].wordline) <= 1e-9);
    REQUIRE(relative_error(result.nodes.bitline, rest.nodes[0].bitline) <= 1e-9);
    REQUIRE(relative_error(result.final_current, rest.current.col(0)) <= 1e-12);
    REQUIRE(result.settling_second.maxCoeff() < 1e-9);
    REQUIRE(result.report.energy_imbalance <= energy_tolerance);
    // What is stored is that of the voltages at rest, of 1 fF a node.
    const double stored =
        0.5e-15 * (rest.nodes[0].wordline.squaredNorm() + rest.nodes[0].bitline.squaredNorm());
    REQUIRE_THAT(result.report.stored_joule, xbar_test::WithinRel(stored, 1e-8));
  }
}

TEST_CASE("solver/transient: settling times of non-linear cells", "[solver]") {
  const Case test = usual_case();
  const auto cells = cells_of("sinh", {{"sinh_alpha", 5}});
  TransientOptions options = options_of(20e-12, 20000);
  options.settle_tolerance = 0.05;
  const TransientResult result = run(test, *cells, options);
  const Matrix rest = solve_newton(test.circuit, *cells, {test.voltage, {}}).current;
  for (Index j = 0; j < 3; ++j) {
    Index last = 0;
    for (Index k = 0; k <= 20000; ++k) {
      if (std::abs(result.current(k, j) - rest(j, 0)) > 0.05 * std::abs(rest(j, 0))) last = k;
    }
    REQUIRE(last < 20000);
    REQUIRE(result.settling_second(j) >= result.time(last));
    REQUIRE(result.settling_second(j) <= result.time(last + 1));
  }
}

TEST_CASE("solver/transient: non-linear cells under pulses conserve energy in random circuits",
          "[solver]") {
  const std::vector<Model> models = all_models();
  int cases = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const xbar_test::RandomCircuit drawn = xbar_test::random_circuit(seed, 4);
    if (drawn.floats || drawn.joined || drawn.shorted) continue;
    const Model& model = models[seed % models.size()];
    const TransientInput input{
        drawn.wordline_voltage,
        drawn.bitline_voltage,
        {Waveform::pulses(
            {.delay = 1e-12, .rise = rise, .width = 3e-12, .fall = rise, .period = 8e-12})},
        {}};
    const TransientResult result = transient(drawn.circuit, *model.cells, make_capacitance(3e-15),
                                             input, options_of(1e-11, 10));
    CAPTURE(seed, model.name, result.report.brief());
    // What charges the nodes comes back, and may be far more than what is lost.
    const double volt = drawn.wordline_voltage.lpNorm<Eigen::Infinity>() +
                        drawn.bitline_voltage.lpNorm<Eigen::Infinity>();
    const double charging =
        3e-15 * volt * volt * static_cast<double>(drawn.circuit.conductance.size());
    const xbar::solver::TransientReport& report = result.report;
    REQUIRE(std::abs(report.delivered_joule - report.dissipated_joule - report.stored_joule) <=
            energy_tolerance * (report.dissipated_joule + charging));
    REQUIRE(report.dissipated_joule >= 0);
    ++cases;
  }
  REQUIRE(cases >= 20);
}

TEST_CASE("solver/transient: bare exponentials under 2 V", "[solver]") {
  // On ideal wires the cells would carry e^60 times G V.
  Case test = usual_case(2);
  const auto cells = cells_of("sinh", {{"sinh_alpha", 30}});
  const TransientResult result = run(test, *cells, options_of(test.stop, 50));
  CAPTURE(result.report.brief());
  REQUIRE(relative_error(result.current, explicit_currents(test, *cells, 50)) <= current_tolerance);
  REQUIRE(result.report.energy_imbalance <= energy_tolerance);
}

TEST_CASE("solver/transient: ngspice with behavioural sources agrees", "[solver]") {
  if (!xbar_test::have_ngspice()) return;
  const Case test = usual_case();
  const auto cells = cells_of("sinh", {{"sinh_alpha", 5}});
  std::string text = "4 x 3 array of sinh cells with capacitances\n";
  const auto out = std::back_inserter(text);
  for (Index i = 0; i < 4; ++i) {
    fmt::format_to(out,
                   "v_{0} s_{0} 0 pwl(0 0 1e-12 {1:.17g} 1 {1:.17g})\nrs_{0} s_{0} u_{0}_0 500\n",
                   i, test.voltage(i));
    for (Index j = 0; j < 3; ++j) {
      fmt::format_to(out,
                     "bc_{0}_{1} u_{0}_{1} w_{0}_{1} i={2:.17g}*sinh(5*v(u_{0}_{1},w_{0}_{1}))\n",
                     i, j, test.circuit.conductance(i, j) / 5);
      fmt::format_to(out, "cu_{0}_{1} u_{0}_{1} 0 3e-15\ncw_{0}_{1} w_{0}_{1} 0 3e-15\n", i, j);
      if (j < 2) fmt::format_to(out, "rw_{0}_{1} u_{0}_{1} u_{0}_{2} 2.5\n", i, j, j + 1);
      if (i < 3) fmt::format_to(out, "rb_{0}_{1} w_{0}_{1} w_{2}_{1} 3.5\n", i, j, i + 1);
    }
  }
  for (Index j = 0; j < 3; ++j) fmt::format_to(out, "rk_{0} w_3_{0} 0 100\n", j);
  text +=
      ".options reltol=1e-7 abstol=1e-16 vntol=1e-10\n.tran 1e-13 1e-11 0 1e-14\n.control\n"
      "set numdgt=12\nrun\nlinearize v(w_3_0) v(w_3_1) v(w_3_2)\n"
      "print v(w_3_0)\nprint v(w_3_1)\nprint v(w_3_2)\nquit\n.endc\n.end\n";
  const std::string printed = xbar_test::run_ngspice(text);
  CAPTURE(printed);
  const TransientResult result = run(test, *cells, options_of(1e-11, 100));
  // A header that names the voltage, now and then, and rows "index voltage".
  Matrix spice = Matrix::Constant(101, 3, std::nan(""));
  Index bitline = 0;
  std::istringstream lines(printed);
  for (std::string line; std::getline(lines, line);) {
    for (Index j = 0; j < 3; ++j) {
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

namespace {

// Ohmic, but not a number from 0.1 to 0.2 V.
class BrokenCell final : public CellModel {
  void compute(const Matrix& conductance, const Matrix& voltage, Matrix& current,
               Matrix& derivative) const override {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    const auto good = (voltage.array().abs() < 0.1 || voltage.array().abs() > 0.2).eval();
    current = good.select(conductance.cwiseProduct(voltage), nan);
    derivative = conductance;
  }
};

}  // namespace

TEST_CASE("solver/transient: a failure of the cells says when, where and how far", "[solver]") {
  Case test = usual_case();
  test.voltage.setConstant(0.05);
  // The first ramp stays below what the cells take; the second pulse goes to 2 V, where the array
  // at rest has a solution, but has to pass through what they do not take.
  TransientInput input{
      test.voltage, {}, {Waveform::piecewise_linear({{0, 0}, {1e-12, 1}, {6e-12, 1}})}, {}};
  const BrokenCell cells;
  (void)transient(test.circuit, cells, make_capacitance(3e-15), input, options_of(1e-11, 10));
  TransientInput beyond = input;
  beyond.wordline = {
      Waveform::piecewise_linear({{0, 0}, {1e-12, 1}, {5e-12, 1}, {6e-12, 40}, {7e-12, 0}})};
  const std::string message = xbar_test::message_of<xbar::NumericalError>([&] {
    (void)transient(test.circuit, cells, make_capacitance(3e-15), beyond, options_of(8e-12, 10));
  });
  REQUIRE_THAT(message, Contains("transient: at 5."));
  REQUIRE_THAT(message, Contains("Newton: "));
  REQUIRE_THAT(message, Contains("largest at cell ("));
}
