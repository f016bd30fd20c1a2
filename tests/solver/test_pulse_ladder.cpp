#include <cmath>
#include <string_view>

#include <xbar/core/error.hpp>
#include <xbar/device/dynamics/registry.hpp>
#include <xbar/device/integrate.hpp>
#include <xbar/solver/program.hpp>
#include <xbar/solver/pulse_ladder.hpp>

#include "support/arrays.hpp"
#include "support/catch.hpp"
#include "support/message.hpp"
#include "write_cells.hpp"

using namespace xbar;
using namespace xbar::solver;
using device::DynamicCell;
using device::Waveform;
using xbar_test::array_circuit;
using xbar_test::contains;
using xbar_test::message_of;
using xbar_test::random_matrix;

namespace {

struct Moved {
  double reading = 0;  // share of the range of ln G
  double state = 0;    // share of the range of the state
};

// What one pulse does to a cell that is at the end where the direction begins.
Moved one_pulse(const DynamicCell& cell, WriteDirection direction, double volt, double second) {
  const bool set = direction == WriteDirection::set;
  const std::vector<double> from = cell.state_of_fraction(set ? 0 : 1);
  const std::vector<double> other = cell.state_of_fraction(set ? 1 : 0);
  const double signed_volt = (set ? 1 : -1) * cell.set_sign() * volt;
  const std::vector<double> to =
      device::integrate(cell, Waveform::dc(signed_volt, second), from, {.times = {0}})
          .report.end_state;
  return {std::log(cell.conductance(to) / cell.conductance(from)) /
              std::log(cell.conductance(other) / cell.conductance(from)),
          std::abs(cell.fraction(to) - cell.fraction(from))};
}

}  // namespace

TEST_CASE("solver/pulse_ladder: the first pulse moves little, half of the largest nearly all") {
  for (const std::string& name : device::dynamic_model_names()) {
    const auto cell = device::make_dynamic_cell(name);
    for (const WriteDirection direction : {WriteDirection::set, WriteDirection::reset}) {
      CAPTURE(name, write_direction_name(direction));
      const PulseLadder ladder = suggest_pulse_ladder(*cell, direction);
      const Moved first = one_pulse(*cell, direction, ladder.start_volt, ladder.pulse_second);
      // 1 %, and what integrators with tolerances of 1e-6 may differ by.
      CHECK(first.reading <= 0.01001);
      CHECK(first.state <= 0.01001);
      const Moved full = one_pulse(*cell, direction, 0.5 * ladder.max_volt, ladder.pulse_second);
      CHECK(full.reading >= 0.899);
      CHECK(ladder.step_volt * 40 < ladder.max_volt);
      CHECK(ladder.aim >= 0.02);
      CHECK(ladder.aim <= 0.2);
    }
  }
}

TEST_CASE("solver/pulse_ladder: wires ask for more voltage at the end, not at the start") {
  const device::Vteam cell(xbar_test::vteam_parameters());
  const PulseLadder ideal = suggest_pulse_ladder(cell, WriteDirection::set);
  const PulseLadder wired = suggest_pulse_ladder(cell, WriteDirection::set, 0.25);
  CHECK(wired.start_volt == ideal.start_volt);
  CHECK_THAT(wired.max_volt, xbar_test::WithinRel(4 * ideal.max_volt, 1e-12));
  CHECK(contains(message_of<InvalidArgument>(
                     [&] { (void)suggest_pulse_ladder(cell, WriteDirection::set, 0); }),
                 "volt_share: expected more than 0 and up to 1, got 0"));
  // A threshold of 30 V is beyond all amplitudes.
  device::VteamParameters dead = xbar_test::vteam_parameters(30);
  CHECK(contains(message_of<NumericalError>([&] {
                   (void)suggest_pulse_ladder(device::Vteam(dead), WriteDirection::reset);
                 }),
                 "no pulse of up to 20 V"));
}

TEST_CASE("solver/pulse_ladder: with it arrays of the models reach their targets") {
  for (const char* name : {"vteam", "yakopcic", "stanford-pku"}) {
    CAPTURE(name);
    const auto cell = device::make_dynamic_cell(name);
    const double low = cell->conductance(cell->state_of_fraction(0));
    const double high = cell->conductance(cell->state_of_fraction(1));
    const double range = high - low;
    // VTEAM's 50 ohm behind 100 ohm, with a threshold of 20 mV, disturbs neighbours of all others.
    const Index n = std::string_view(name) == "vteam" ? 8 : 3;
    const Matrix targets = random_matrix(n, n, low + 0.2 * range, low + 0.8 * range, 17);
    const Circuit circuit = array_circuit(
        n, n, {.source_ohm = 100, .sink_ohm = 100, .wordline_ohm = 1, .bitline_ohm = 1});
    ProgramOptions options;
    options.max_pulses = 500;
    options.passes = 10;
    suggest_pulses(circuit, *cell, targets, options);
    ProgramState state = start_program(*cell, array_state_of_fraction(*cell, n, n, 0));
    const ProgramReport report = program(circuit, *cell, targets, options, state);
    CHECK(report.reached == n * n);
    CHECK(state.worst_imbalance <= 1e-6);
  }
}
