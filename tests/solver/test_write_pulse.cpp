#include <cmath>
#include <functional>
#include <limits>
#include <memory>

#include <xbar/core/error.hpp>
#include <xbar/device/integrate.hpp>
#include <xbar/solver/write_pulse.hpp>

#include "support/arrays.hpp"
#include "support/catch.hpp"
#include "support/message.hpp"
#include "write_cells.hpp"

using namespace xbar;
using namespace xbar::solver;
using device::DynamicCell;
using device::Vteam;
using device::Waveform;
using xbar_test::array_circuit;
using xbar_test::contains;
using xbar_test::message_of;
using xbar_test::MirroredCell;
using xbar_test::relative_error;
using xbar_test::vteam_parameters;

namespace {

// x(duration) of dx/dt = f(v(t, x), x) by classical Runge-Kutta steps, clamped to the bounds.
double runge_kutta(const DynamicCell& cell, double x, double duration, int steps,
                   const std::function<double(double, double)>& volt) {
  const device::StateVariable& range = cell.states().front();
  const auto rate = [&](double t, double at) {
    double f = 0;
    const double inside = std::clamp(at, range.lower(), range.upper());
    cell.derivative(volt(t, inside), std::span(&inside, 1), std::span(&f, 1));
    return f;
  };
  const double h = duration / steps;
  for (int k = 0; k < steps; ++k) {
    const double t = k * h;
    const double a = rate(t, x);
    const double b = rate(t + h / 2, x + h / 2 * a);
    const double c = rate(t + h / 2, x + h / 2 * b);
    const double d = rate(t + h, x + h * c);
    x = std::clamp(x + h / 6 * (a + 2 * b + 2 * c + d), range.lower(), range.upper());
  }
  return x;
}

// Voltage across a cell behind `ohm` at `applied` volt: v + ohm I(v) = applied, by bisection.
double behind_resistance(const DynamicCell& cell, double x, double ohm, double applied) {
  double low = std::min(applied, 0.0);
  double high = std::max(applied, 0.0);
  for (int k = 0; k < 100; ++k) {
    const double middle = 0.5 * (low + high);
    const double sum = middle + ohm * cell.current(middle, std::span(&x, 1));
    (sum < applied ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

// State 0 of cell (i,j) after the cell alone has seen `waveform`.
double alone(const DynamicCell& cell, const Waveform& waveform, double x) {
  return device::integrate(cell, waveform, std::span(&x, 1), {.tolerance = 1e-9})
      .report.end_state.front();
}

const CellSelection corner{{0}, {0}};

}  // namespace

TEST_CASE("solver/write_pulse: a cell behind a resistance follows the equation of the loop") {
  const double ohm = 20e3;  // as much as the cell on the average, so that the voltage moves a lot
  const Circuit circuit = array_circuit(1, 1, {.source_ohm = 0.7 * ohm, .sink_ohm = 0.3 * ohm});
  SECTION("VTEAM, set at 2.2 V: the voltage across the cell falls as it switches on") {
    const Vteam cell(vteam_parameters());
    const double duration = 0.8e-6;
    const auto loop = [&](double /*t*/, double x) { return behind_resistance(cell, x, ohm, -2.2); };
    const double expected = runge_kutta(cell, 3e-9, duration, 20000, loop);
    // It has moved, and not to the end, else the comparison would say nothing.
    REQUIRE(expected < 2e-9);
    REQUIRE(expected > 0.2e-9);
    ArrayState state = array_state_of_fraction(cell, 1, 1, 0);
    const WriteReport report =
        apply_pulse(circuit, cell, corner, Bias::half, Waveform::dc(-2.2, duration), state,
                    {.step_tolerance = 1e-6, .cell_tolerance = 1e-9});
    // What the tolerance bounds is the predictor's error; the corrected value is better by far.
    const double error = std::abs(state.states[0](0, 0) - expected) / 3e-9;
    CHECK(error <= 1e-6);
    CHECK(report.steps > 50);
  }
  SECTION("Yakopcic, non-linear, under a triangle") {
    const auto cell = device::make_dynamic_cell("yakopcic");
    const double duration = 0.05;
    const double strong = 2e3;  // of some 1e-4 A at 1 V
    const Circuit behind = array_circuit(1, 1, {.source_ohm = strong});
    const auto drive = [&](double t) { return 1.5 * (1 - std::abs(2 * t / duration - 1)); };
    const auto loop = [&](double t, double x) {
      return behind_resistance(*cell, x, strong, drive(t));
    };
    const double expected = runge_kutta(*cell, 0.1, duration, 4000, loop);
    REQUIRE(expected > 0.15);
    REQUIRE(expected < 0.95);
    ArrayState state = array_state_of_fraction(*cell, 1, 1, 0.1);
    (void)apply_pulse(behind, *cell, corner, Bias::half,
                      Waveform::piecewise_linear({{0, 0}, {duration / 2, 1.5}, {duration, 0}}),
                      state, {.step_tolerance = 1e-6, .cell_tolerance = 1e-9});
    CHECK(std::abs(state.states[0](0, 0) - expected) <= 2e-6);
  }
}

TEST_CASE("solver/write_pulse: without wires each cell integrates the bias scheme's voltage") {
  // Thresholds so low that V/2 and V/3 move cells too.
  const Vteam cell(vteam_parameters(0.3));
  const double volt = -1.2;
  const double duration = 0.02e-6;
  const Index i = 1;
  const Index j = 0;
  for (const Bias bias : {Bias::half, Bias::third, Bias::grounded}) {
    CAPTURE(bias_name(bias));
    ArrayState state = array_state_of_fraction(cell, 2, 3, 0.4);
    const double x = state.states[0](0, 0);
    const WriteReport report = apply_pulse(array_circuit(2, 3, {}), cell, {{i}, {j}}, bias,
                                           Waveform::dc(volt, duration), state);
    const double on_wordline = bias == Bias::half    ? volt / 2
                               : bias == Bias::third ? volt / 3
                                                     : volt;
    const double on_bitline = bias == Bias::grounded ? 0 : on_wordline;
    const double elsewhere = bias == Bias::third ? -volt / 3 : 0;
    for (Index row = 0; row < 2; ++row) {
      for (Index column = 0; column < 3; ++column) {
        CAPTURE(row, column);
        const double own =
            row == i ? (column == j ? volt : on_wordline) : (column == j ? on_bitline : elsewhere);
        const double expected = own == 0 ? x : alone(cell, Waveform::dc(own, duration), x);
        // The cells' own tolerance, 1e-7 a step of some 50.
        CHECK(std::abs(state.states[0](row, column) - expected) <= 1e-6 * 3e-9);
        CHECK_THAT(report.peak_volt(row, column), xbar_test::WithinAbs(std::abs(own), 1e-12));
      }
    }
    CHECK(std::abs(report.disturb.value) > 1e-4);
    CHECK_THAT(report.unselected_volt.value,
               xbar_test::WithinAbs(std::max(std::abs(on_wordline), std::abs(elsewhere)), 1e-12));
  }
}

TEST_CASE(
    "solver/write_pulse: the selected cell switches and those at V/2 below threshold do not") {
  const Vteam cell(vteam_parameters());
  for (const Index size : {2, 8}) {
    CAPTURE(size);
    ArrayState state = array_state_of_fraction(cell, size, size, 0.2);
    const ArrayState before = state;
    const WriteReport report = apply_pulse(
        array_circuit(size, size,
                      {.source_ohm = 100, .sink_ohm = 100, .wordline_ohm = 5, .bitline_ohm = 5}),
        cell, {{size - 1}, {0}}, Bias::half, Waveform::dc(-1.8, 2e-6), state);
    CHECK(cell.fraction(state.at(size - 1, 0)) > 0.8);
    Matrix change = state.states[0] - before.states[0];
    change(size - 1, 0) = 0;
    CHECK(change.cwiseAbs().maxCoeff() == 0);
    CHECK(report.disturb.value == 0);
    CHECK(report.unselected_volt.value > 0.85);
    CHECK(report.unselected_volt.value < 1);
    // Only the one cell is ever integrated: twice a try.
    CHECK(report.integrations <= 2 * (report.steps + report.rejected));
  }
}

TEST_CASE(
    "solver/write_pulse: the farther a cell, the less voltage reaches it and the less it moves") {
  const Vteam cell(vteam_parameters());
  const Circuit circuit = array_circuit(
      8, 8, {.source_ohm = 200, .sink_ohm = 200, .wordline_ohm = 40, .bitline_ohm = 40});
  // Near both terminals; far from the driver alone; far from both.
  double former_volt = 2;
  double former_move = 1;
  for (const auto& [i, j] : {std::pair<Index, Index>{7, 0}, {7, 7}, {0, 7}}) {
    CAPTURE(i, j);
    ArrayState state = array_state_of_fraction(cell, 8, 8, 0.1);
    const WriteReport report =
        apply_pulse(circuit, cell, {{i}, {j}}, Bias::half, Waveform::dc(-1.9, 0.3e-6), state);
    const double move = cell.fraction(state.at(i, j)) - 0.1;
    CHECK(report.peak_volt(i, j) < former_volt - 0.01);
    CHECK(move < 0.99 * former_move);
    CHECK(move > 0);
    former_volt = report.peak_volt(i, j);
    former_move = move;
  }
}

TEST_CASE("solver/write_pulse: sources deliver what cells, wires and terminals turn into heat") {
  const WireResistance wires{
      .source_ohm = 300, .sink_ohm = 150, .wordline_ohm = 20, .bitline_ohm = 30};
  SECTION("a cell below threshold: V^2 t / (R + Rs), all by hand") {
    const Vteam cell(vteam_parameters());
    ArrayState state = array_state_of_fraction(cell, 1, 1, 1);  // 10 kohm
    const WriteReport report = apply_pulse(array_circuit(1, 1, wires), cell, corner, Bias::half,
                                           Waveform::dc(0.5, 2e-6), state);
    const double ampere = 0.5 / 10450.0;
    CHECK_THAT(report.energy.delivered_joule, xbar_test::WithinRel(0.5 * ampere * 2e-6, 1e-10));
    CHECK_THAT(report.energy.cells_joule,
               xbar_test::WithinRel(ampere * ampere * 10e3 * 2e-6, 1e-10));
    CHECK_THAT(report.energy.terminals_joule,
               xbar_test::WithinRel(ampere * ampere * 450 * 2e-6, 1e-10));
    CHECK_THAT(report.energy.integrated_joule,
               xbar_test::WithinRel(report.energy.cells_joule, 1e-10));
  }
  SECTION("arrays in which cells switch, under every bias") {
    for (const char* name : {"vteam", "yakopcic"}) {
      const bool own = std::string_view(name) == "vteam";
      const std::unique_ptr<DynamicCell> made =
          own ? std::make_unique<Vteam>(vteam_parameters(0.4)) : device::make_dynamic_cell(name);
      const DynamicCell& cell = *made;
      const double duration = own ? 0.05e-6 : 5e-3;
      for (const Bias bias : {Bias::half, Bias::third, Bias::grounded, Bias::floating}) {
        CAPTURE(name, bias_name(bias));
        ArrayState state = array_state_of_fraction(cell, 5, 4, 0.3);
        const Waveform pulse = Waveform::pulses({.high = cell.set_sign() * 1.5,
                                                 .rise = 0.1 * duration,
                                                 .width = duration,
                                                 .fall = 0.1 * duration});
        const WriteReport report =
            apply_pulse(array_circuit(5, 4, wires), cell, {{3}, {1, 2}}, bias, pulse, state);
        CHECK(cell.fraction(state.at(3, 1)) > 0.35);
        CHECK(report.energy.delivered_joule > 0);
        CHECK(report.energy.terminals_joule > 0);
        CHECK(report.energy.imbalance() <= 1e-9);
        // The other rule differs by up to 1e-3 of the energy so far in each of some 40 steps.
        CHECK_THAT(report.energy.integrated_joule,
                   xbar_test::WithinRel(report.energy.cells_joule, 2e-2));
      }
    }
  }
}

TEST_CASE("solver/write_pulse: macro steps are of the second order") {
  const Vteam cell(vteam_parameters());
  const Circuit circuit = array_circuit(
      2, 2, {.source_ohm = 9e3, .sink_ohm = 6e3, .wordline_ohm = 500, .bitline_ohm = 500});
  const auto run = [&](Index steps) {
    ArrayState state = array_state_of_fraction(cell, 2, 2, 0.1);
    const WriteReport report =
        apply_pulse(circuit, cell, {{0}, {0}}, Bias::half, Waveform::dc(-2.1, 0.5e-6), state,
                    {.cell_tolerance = 1e-12, .fixed_steps = steps});
    REQUIRE(report.steps == steps);
    return std::pair{state.states[0](0, 0) / 3e-9,
                     report.energy.integrated_joule / report.energy.cells_joule - 1};
  };
  const auto exact = run(1024).first;
  double former = 0;
  double former_gap = 0;
  for (const Index steps : {16, 32, 64}) {
    CAPTURE(steps);
    const auto [x, gap] = run(steps);
    const double error = std::abs(x - exact);
    CAPTURE(error, gap);
    if (steps > 16) {
      const double order = std::log2(former / error);
      CAPTURE(order);
      CHECK(order > 1.8);
      CHECK(order < 2.3);
      const double gap_order = std::log2(std::abs(former_gap / gap));
      CAPTURE(gap_order);
      CHECK(gap_order > 1.8);
      CHECK(gap_order < 2.3);
    }
    former = error;
    former_gap = gap;
  }
}

TEST_CASE(
    "solver/write_pulse: a waveform with corners and jumps does what it does to a cell alone") {
  const Vteam cell(vteam_parameters());
  const Waveform both = Waveform::piecewise_linear(
      {{0, 0}, {0.1e-6, -1.7}, {0.5e-6, -1.7}, {0.5e-6 + 1e-12, 1.4}, {0.9e-6, 1.6}, {1e-6, 0}});
  const Waveform train = Waveform::pulses(
      {.high = -1.6, .delay = 0.1e-6, .width = 0.2e-6, .period = 0.3e-6, .count = 3});
  const Waveform sine = Waveform::sine({.amplitude = 1.9, .frequency = 1e6});
  for (const Waveform& waveform : {both, train, sine}) {
    ArrayState state = array_state_of_fraction(cell, 1, 1, 0.2);
    const double expected = alone(cell, waveform, state.states[0](0, 0));
    (void)apply_pulse(array_circuit(1, 1, {}), cell, corner, Bias::half, waveform, state,
                      {.step_tolerance = 1e-5});
    CHECK(std::abs(state.states[0](0, 0) - expected) <= 2e-5 * 3e-9);
  }
}

TEST_CASE("solver/write_pulse: the transposed array with mirrored cells does the same") {
  const Vteam cell(vteam_parameters(0.6));
  const MirroredCell mirrored(cell);
  const Circuit circuit = array_circuit(
      3, 4, {.source_ohm = 400, .sink_ohm = 90, .wordline_ohm = 35, .bitline_ohm = 60});
  ArrayState state{{1e-9 * xbar_test::random_matrix(3, 4, 0.3, 2.9, 11)}};
  // Row and column orders are reversed as well.
  ArrayState other{{state.states[0].reverse().transpose()}};
  const WriteReport report =
      apply_pulse(circuit, cell, {{1}, {0, 2}}, Bias::half, Waveform::dc(-1.5, 0.1e-6), state);
  const WriteReport of_other = apply_pulse(transposed_circuit(circuit), mirrored, {{3, 1}, {1}},
                                           Bias::half, Waveform::dc(1.5, 0.1e-6), other);
  const Matrix back = other.states[0].transpose().reverse();
  CHECK(relative_error(back, state.states[0]) <= 1e-9);
  CHECK_THAT(of_other.energy.cells_joule, xbar_test::WithinRel(report.energy.cells_joule, 1e-9));
  CHECK(report.disturb.value != 0);
}

TEST_CASE("solver/write_pulse: both methods of Newton lead to the same states") {
  const auto cell = device::make_dynamic_cell("stanford-pku");
  const Circuit circuit = array_circuit(
      4, 4, {.source_ohm = 200, .sink_ohm = 200, .wordline_ohm = 10, .bitline_ohm = 10});
  Matrix states[2];
  const Matrix start = array_state_of_fraction(*cell, 4, 4, 0.3).states[0];
  for (const NewtonMethod method : {NewtonMethod::line, NewtonMethod::klu}) {
    ArrayState state = array_state_of_fraction(*cell, 4, 4, 0.3);
    (void)apply_pulse(circuit, *cell, {{1}, {2}}, Bias::half, Waveform::dc(1.6, 1e-7), state,
                      {.method = method});
    states[method == NewtonMethod::klu ? 1 : 0] = state.states[0];
  }
  CHECK(relative_error(states[0], start) >= 0.05);
  CHECK(relative_error(states[0], states[1]) <= 1e-8);
}

TEST_CASE("solver/write_pulse: open cells stay, and impossible requests are refused") {
  const Vteam cell(vteam_parameters());
  Circuit circuit = array_circuit(2, 2, {.source_ohm = 10, .sink_ohm = 10});
  circuit.conductance(0, 0) = 0;
  ArrayState state = array_state_of_fraction(cell, 2, 2, 0.5);
  const ArrayState before = state;
  const Waveform pulse = Waveform::dc(-2, 1e-7);
  (void)apply_pulse(circuit, cell, corner, Bias::half, pulse, state);
  CHECK(state.states[0](0, 0) == before.states[0](0, 0));

  const auto refused = [&](const CellSelection& selection, const WriteOptions& options = {}) {
    return message_of<InvalidArgument>(
        [&] { (void)apply_pulse(circuit, cell, selection, Bias::half, pulse, state, options); });
  };
  CHECK(contains(refused({{2}, {0}}), "wordlines from 0 to 1, got 2"));
  CHECK(contains(refused({{0}, {}}), "expected bitlines, got none"));
  CHECK(contains(refused(corner, {.step_tolerance = 0}), "step_tolerance: expected more than 0"));
  CHECK(contains(refused(corner, {.cell_tolerance = 1}), "cell_tolerance: expected more than 0"));
  circuit.conductance(0, 1) = std::numeric_limits<double>::infinity();
  CHECK(contains(refused(corner), "got a shorted cell at (0,1)"));
  circuit.conductance(0, 1) = 1;
  state.states[0](1, 0) = 4e-9;
  CHECK(contains(refused(corner), "position_metre: expected 0 to 3e-09, got 4e-09 at cell (1,0)"));
  CHECK(contains(message_of<InvalidArgument>([] { (void)parse_bias("v/4"); }),
                 "expected one of v/2, v/3, grounded, floating, got 'v/4'"));
  CHECK(parse_bias("V/2") == Bias::half);
  CHECK(parse_bias("V/3") == Bias::third);
  CHECK(contains(message_of<InvalidArgument>([&] {
                   Matrix targets = Matrix::Constant(2, 2, 5e-5);
                   targets(1, 1) = 1;
                   (void)array_state_of_conductance(cell, targets);
                 }),
                 "cell (1,1): conductance: expected 1e-05 to 0.0001 S"));
}

TEST_CASE("solver/write_pulse: a pulse that is interrupted leaves the states as they were") {
  const Vteam cell(vteam_parameters());
  ArrayState state = array_state_of_fraction(cell, 2, 2, 0.1);
  const ArrayState before = state;
  int calls = 0;
  WriteOptions options;
  options.progress = [&](const Progress&) {
    if (++calls == 4) throw Interrupted("enough");
  };
  CHECK_THROWS_AS(apply_pulse(array_circuit(2, 2, {.source_ohm = 5e3}), cell, corner, Bias::half,
                              Waveform::dc(-2, 1e-6), state, options),
                  Interrupted);
  CHECK(state.states[0] == before.states[0]);
}
