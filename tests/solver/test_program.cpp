#include <cmath>
#include <vector>

#include <xbar/core/error.hpp>
#include <xbar/device/integrate.hpp>
#include <xbar/solver/program.hpp>

#include "support/arrays.hpp"
#include "support/catch.hpp"
#include "support/message.hpp"
#include "write_cells.hpp"

using namespace xbar;
using namespace xbar::solver;
using device::Vteam;
using xbar_test::array_circuit;
using xbar_test::contains;
using xbar_test::message_of;
using xbar_test::random_matrix;
using xbar_test::vteam_parameters;

namespace {

// Pulses that move a cell of vteam_parameters() by a few hundredths of its range where they begin.
ProgramOptions usual_options() {
  ProgramOptions options;
  options.tolerance = 0.02;
  options.set = {.pulse_second = 0.1e-6, .start_volt = 1.2, .step_volt = 0.05, .max_volt = 2.0};
  options.reset = options.set;
  return options;
}

constexpr WireResistance usual_wires{
    .source_ohm = 100, .sink_ohm = 100, .wordline_ohm = 10, .bitline_ohm = 10};

Matrix outcomes(const ProgramState& state, ProgramOutcome outcome) {
  return (state.outcome.array() == static_cast<double>(outcome)).cast<double>();
}

bool same(const ProgramState& a, const ProgramState& b) {
  return a.cells.states == b.cells.states && a.pass == b.pass && a.unit == b.unit &&
         a.pulses == b.pulses && a.outcome == b.outcome && a.second == b.second &&
         a.energy_joule == b.energy_joule && a.pulse_second == b.pulse_second &&
         a.pulse_count == b.pulse_count && a.energy.delivered_joule == b.energy.delivered_joule &&
         a.energy.integrated_joule == b.energy.integrated_joule &&
         a.unselected_volt.value == b.unselected_volt.value && a.disturb.value == b.disturb.value;
}

}  // namespace

TEST_CASE("solver/program: every cell comes to its target within the tolerance and the budget") {
  const Vteam cell(vteam_parameters());
  const Matrix targets = random_matrix(4, 5, 1.2e-5, 8e-5, 3);
  for (const ProgramOrder order : {ProgramOrder::cell, ProgramOrder::row, ProgramOrder::column}) {
    for (const double from : {0.0, 0.98}) {
      CAPTURE(static_cast<int>(order), from);
      ProgramOptions options = usual_options();
      options.order = order;
      ProgramState state = start_program(cell, array_state_of_fraction(cell, 4, 5, from));
      Index pulses = 0;
      const ProgramReport report =
          program(array_circuit(4, 5, usual_wires), cell, targets, options, state,
                  [&](const ProgramState&, const std::vector<ProgramPulse>& log) {
                    pulses += static_cast<Index>(log.size());
                  });
      CHECK(report.reached == 20);
      CHECK(report.out_of_pulses + report.stuck + report.open + report.disturbed_count == 0);
      CHECK(report.worst_error <= 0.02);
      CHECK(report.mean_error > 0);
      CHECK(xbar_test::relative_error(report.conductance, targets) <= 0.02);
      CHECK(state.pulses.maxCoeff() <= 200);
      CHECK(state.pulses.sum() == static_cast<double>(pulses));
      CHECK(state.worst_imbalance <= 1e-9);
      CHECK_THAT(state.energy_joule.sum(),
                 xbar_test::WithinRel(state.energy.delivered_joule, 1e-12));
      CHECK_THAT(state.pulse_second,
                 xbar_test::WithinRel(0.1e-6 * static_cast<double>(state.pulse_count), 1e-12));
      // Half of 2 V is below the threshold of 1 V.
      CHECK(state.disturb.value == 0);
      if (order == ProgramOrder::cell) CHECK(state.pulse_count == pulses);
      if (order != ProgramOrder::cell) CHECK(state.pulse_count < pulses);
    }
  }
}

TEST_CASE("solver/program: cells far from driver and sink need more pulses") {
  const Vteam cell(vteam_parameters());
  const Matrix targets = Matrix::Constant(6, 6, 5e-5);
  ProgramOptions options = usual_options();
  options.set.step_volt = options.reset.step_volt = 0.02;
  ProgramState state = start_program(cell, array_state_of_fraction(cell, 6, 6, 0));
  WireResistance wires = usual_wires;
  wires.wordline_ohm = wires.bitline_ohm = 60;
  const ProgramReport report = program(array_circuit(6, 6, wires), cell, targets, options, state);
  CHECK(report.reached == 36);
  // (5,0) is near both terminals, (0,5) far from both.
  CHECK(state.pulses(0, 5) >= state.pulses(5, 0) + 2);
  CHECK(state.pulses(0, 0) > state.pulses(5, 0));
  CHECK(state.pulses(5, 5) > state.pulses(5, 0));
}

TEST_CASE("solver/program: wired reads bring the array's own currents to the targets") {
  const Vteam cell(vteam_parameters());
  // Strong wires: the reading is well below the conductance.
  WireResistance wires = usual_wires;
  wires.source_ohm = wires.sink_ohm = 1000;
  const Matrix targets = random_matrix(3, 3, 1.5e-5, 4e-5, 5);
  ProgramOptions options = usual_options();
  options.set.max_volt = options.reset.max_volt = 1.95;
  options.read = ProgramRead::wires;
  ProgramState state = start_program(cell, array_state_of_fraction(cell, 3, 3, 0));
  const Circuit circuit = array_circuit(3, 3, wires);
  options.passes = 4;  // a cell's reading depends on its neighbours, which are programmed later
  const ProgramReport report = program(circuit, cell, targets, options, state);
  CHECK(report.reached == 9);
  CHECK(xbar_test::relative_error(report.reading, targets) <= 0.02);
  CHECK((report.conductance.array() > 1.02 * targets.array()).all());
  // VTEAM cells are ohmic: the reading is the wired array's current over the read voltage.
  Circuit linear = circuit;
  linear.conductance = report.conductance;
  const Matrix current = solve(linear, {Matrix::Identity(3, 3) * cell.read_volt(), {}}, {}).current;
  CHECK(xbar_test::relative_error(report.reading, current.transpose() / cell.read_volt()) <= 1e-9);
}

TEST_CASE("solver/program: disturbed neighbours are counted, and a second pass mends them") {
  // A threshold of 0.7 V lets V/2 of the stronger pulses through.
  const Vteam cell(vteam_parameters(0.7));
  const Matrix targets = random_matrix(4, 4, 1.5e-5, 8e-5, 9);
  ProgramOptions options = usual_options();
  options.set = {.pulse_second = 0.02e-6, .start_volt = 1.2, .step_volt = 0.05, .max_volt = 2.2};
  options.reset = options.set;
  const auto run = [&](Index passes, Bias bias, ProgramState& state) {
    options.passes = passes;
    options.bias = bias;
    state = start_program(cell, array_state_of_fraction(cell, 4, 4, 0));
    return program(array_circuit(4, 4, usual_wires), cell, targets, options, state);
  };
  ProgramState once;
  const ProgramReport first = run(1, Bias::half, once);
  CHECK(std::abs(once.disturb.value) > 1e-3);
  CHECK(first.disturbed_count > 0);
  CHECK(first.disturbed.sum() == static_cast<double>(first.disturbed_count));
  CHECK(first.reached == 16 - first.disturbed_count);
  // All have been within tolerance at their turn.
  CHECK(outcomes(once, ProgramOutcome::reached).sum() == 16);
  for (Index i = 0; i < 4; ++i) {
    for (Index j = 0; j < 4; ++j) {
      CHECK((std::abs(first.error(i, j)) > 0.02) == (first.disturbed(i, j) == 1));
    }
  }
  ProgramState twice;
  const ProgramReport second = run(2, Bias::half, twice);
  CHECK(second.disturbed_count < first.disturbed_count);
  // Under V/3 nothing unselected reaches the threshold.
  ProgramState third;
  CHECK(run(1, Bias::third, third).disturbed_count == 0);
  CHECK(third.disturb.value == 0);
}

TEST_CASE("solver/program: an exhausted budget and cells that do not move are reported") {
  const Vteam cell(vteam_parameters());
  Matrix targets(2, 2);
  targets << 2e-5, 9e-5, 1e-5, 3e-5;  // 1e-5 is what the cells have
  SECTION("three pulses are not enough") {
    ProgramOptions options = usual_options();
    options.max_pulses = 3;
    ProgramState state = start_program(cell, array_state_of_fraction(cell, 2, 2, 0));
    const ProgramReport report =
        program(array_circuit(2, 2, usual_wires), cell, targets, options, state);
    CHECK(state.pulses(0, 1) == 3);
    CHECK(state.pulses(1, 0) == 0);
    CHECK(report.out_of_pulses == 4 - report.reached);
    CHECK(state.outcome(0, 1) == static_cast<double>(ProgramOutcome::out_of_pulses));
    CHECK(report.error(0, 1) < -0.3);
    CHECK_THAT(report.worst_error, xbar_test::WithinAbs(std::abs(report.error(0, 1)), 1e-15));
    CHECK(state.outcome(1, 0) == static_cast<double>(ProgramOutcome::reached));
  }
  SECTION("pulses below the threshold") {
    ProgramOptions options = usual_options();
    options.set = {.pulse_second = 1e-7, .start_volt = 0.5, .step_volt = 0.2, .max_volt = 0.9};
    ProgramState state = start_program(cell, array_state_of_fraction(cell, 2, 2, 0));
    const ProgramReport report =
        program(array_circuit(2, 2, usual_wires), cell, targets, options, state);
    CHECK(report.stuck == 3);
    CHECK(report.reached == 1);
    // 0.5, 0.7 and 0.9 V; the fourth one if rounding leaves 0.9 a little short.
    CHECK(state.pulses(0, 0) <= 4);
    CHECK(report.conductance.maxCoeff() == report.conductance.minCoeff());
  }
  SECTION("an open cell") {
    Circuit circuit = array_circuit(2, 2, usual_wires);
    circuit.conductance(1, 1) = 0;
    targets(1, 1) = 7;  // nobody asks it
    ProgramState state = start_program(cell, array_state_of_fraction(cell, 2, 2, 0));
    const ProgramReport report = program(circuit, cell, targets, usual_options(), state);
    CHECK(report.open == 1);
    CHECK(report.reached == 3);
    CHECK(report.error(1, 1) == -1);
    CHECK(report.worst_error <= 0.02);
  }
}

TEST_CASE("solver/program: work that is interrupted goes on to the same result, bit for bit") {
  const Vteam cell(vteam_parameters(0.8));
  const Circuit circuit = array_circuit(3, 3, usual_wires);
  const Matrix targets = random_matrix(3, 3, 1.5e-5, 8e-5, 21);
  for (const ProgramOrder order : {ProgramOrder::cell, ProgramOrder::column}) {
    ProgramOptions options = usual_options();
    options.order = order;
    options.read = ProgramRead::wires;
    options.passes = 2;
    ProgramState whole = start_program(cell, array_state_of_fraction(cell, 3, 3, 0));
    const ProgramReport expected = program(circuit, cell, targets, options, whole);
    // Interrupted before every eleventh pulse, which is in the middle of units.
    ProgramState state = start_program(cell, array_state_of_fraction(cell, 3, 3, 0));
    int interruptions = 0;
    for (bool done = false; !done;) {
      int calls = 0;
      const ProgramState before = state;
      options.progress = [&](const Progress&) {
        // Not in the first unit, else it would never come to its end.
        const bool further = before.unit != state.unit || before.pass != state.pass;
        if (++calls % 11 == 0 && further) throw Interrupted("enough");
      };
      try {
        const ProgramReport report = program(circuit, cell, targets, options, state);
        CHECK(report.error == expected.error);
        done = true;
      } catch (const Interrupted&) {
        ++interruptions;
      }
    }
    CHECK(interruptions >= 2);
    CHECK(same(state, whole));
  }
}

TEST_CASE("solver/program: impossible targets and options are refused") {
  const Vteam cell(vteam_parameters());
  const Circuit circuit = array_circuit(2, 2, usual_wires);
  ProgramState state = start_program(cell, array_state_of_fraction(cell, 2, 2, 0));
  const auto refused = [&](const Matrix& targets, const ProgramOptions& options) {
    return message_of<InvalidArgument>(
        [&] { (void)program(circuit, cell, targets, options, state); });
  };
  Matrix targets = Matrix::Constant(2, 2, 5e-5);
  const ProgramOptions good = usual_options();
  targets(1, 0) = 2e-4;
  CHECK(contains(refused(targets, good),
                 "targets: cell (1,0): conductance: expected 1e-05 to 0.0001 S"));
  targets(1, 0) = std::nan("");
  CHECK(contains(refused(targets, good), "targets: cell (1,0)"));
  targets = Matrix::Constant(2, 3, 5e-5);
  CHECK(contains(refused(targets, good), "targets: expected 2 x 2, got 2 x 3"));
  targets = Matrix::Constant(2, 2, 5e-5);
  const auto with = [&](const auto& change) {
    ProgramOptions options = usual_options();
    change(options);
    return refused(targets, options);
  };
  CHECK(contains(with([](ProgramOptions& o) { o.tolerance = 0; }), "tolerance: expected"));
  CHECK(contains(with([](ProgramOptions& o) { o.set.step_volt = -1; }), "set step_volt"));
  CHECK(contains(with([](ProgramOptions& o) { o.reset.pulse_second = 0; }), "reset pulse_second"));
  CHECK(contains(with([](ProgramOptions& o) { o.reset.max_volt = 1; }),
                 "reset max_volt: expected at least start_volt = 1.2 V, got 1 V"));
  CHECK(contains(with([](ProgramOptions& o) { o.max_pulses = 0; }), "max_pulses"));
  CHECK(contains(with([](ProgramOptions& o) { o.passes = 0; }), "passes"));
  CHECK(contains(with([](ProgramOptions& o) { o.write.step_tolerance = 1; }), "step_tolerance"));
  CHECK(contains(message_of<InvalidArgument>([] { (void)parse_program_order("rows"); }),
                 "did you mean row?"));
  CHECK(contains(message_of<InvalidArgument>([] { (void)parse_program_read("wired"); }),
                 "expected one of ideal, wires"));
}
