#pragma once

/// Program and verify: pulses of rising amplitude until every cell has its target conductance.

#include <functional>
#include <string_view>
#include <vector>

#include <xbar/core/matrix.hpp>
#include <xbar/core/progress.hpp>
#include <xbar/device/dynamics/dynamic_cell.hpp>
#include <xbar/solver/array_state.hpp>
#include <xbar/solver/circuit.hpp>
#include <xbar/solver/pulse_ladder.hpp>
#include <xbar/solver/write_pulse.hpp>

namespace xbar::solver {

/// What is programmed together: pulses go to those of its cells that still need them.
enum class ProgramOrder { cell, row, column };

/// How a cell is read between pulses; reads leave the states as they are.
enum class ProgramRead {
  ideal,  ///< I(v, x) / v at the model's read voltage v
  wires,  ///< I(j) / v of the wired array with wordline i at v and all other terminals at 0
};

/// What a cell has come to.
enum class ProgramOutcome {
  waiting = 0,        ///< its turn has not come
  reached = 1,        ///< within tolerance at the end of its turn
  out_of_pulses = 2,  ///< the budget is used up
  stuck = 3,          ///< the largest pulse moves it no more
  open = 4,           ///< an open cell of the circuit
};

/// "cell", "row", "column"; "ideal", "wires". @throws InvalidArgument for another name
[[nodiscard]] ProgramOrder parse_program_order(std::string_view name);
[[nodiscard]] ProgramRead parse_program_read(std::string_view name);
/// "waiting", "reached", "out of pulses", "stuck", "open".
[[nodiscard]] std::string_view program_outcome_name(ProgramOutcome outcome);

struct ProgramOptions {
  double tolerance = 0.05;  ///< |reading / target - 1| that will do, > 0
  PulseLadder set;
  PulseLadder reset;
  Index max_pulses = 200;  ///< that a cell gets in a pass, >= 1
  Index passes = 1;        ///< the second one mends what the first one's later pulses disturbed
  ProgramOrder order = ProgramOrder::cell;
  ProgramRead read = ProgramRead::ideal;
  Bias bias = Bias::half;
  WriteOptions write;
  /// Before every pulse; may throw to end the work.
  ProgressCallback progress = {};
};

/// One pulse as one of its cells saw it.
struct ProgramPulse {
  Index pass = 0;
  Index i = 0;
  Index j = 0;
  Index number = 0;  ///< of the cell's pulses in all passes, from 1
  double volt = 0;   ///< amplitude with the sign that ideal wires would put across the cell
  double second = 0;
  double reading_siemens = 0;  ///< after it
  double error = 0;            ///< reading / target - 1
};

/// How far programming has come: all that is needed to go on. It changes when a unit (a cell, row
/// or column, by ProgramOrder) is done, so that work which was ended in between goes on from the
/// unit's beginning and comes, bit for bit, to what it would have come to.
struct ProgramState {
  ArrayState cells;
  Index pass = 0;
  Index unit = 0;              ///< the next one of the pass
  Matrix pulses;               ///< that each cell was selected for, m x n
  Matrix outcome;              ///< ProgramOutcome as a number
  Matrix second;               ///< time of its pulses
  Matrix energy_joule;         ///< delivered by its pulses, in equal shares to the cells of a pulse
  double pulse_second = 0;     ///< of all pulses, those of several cells counted once
  Index pulse_count = 0;       ///< likewise
  WriteEnergy energy;          ///< of all pulses
  double worst_imbalance = 0;  ///< WriteEnergy::imbalance() of the worst pulse
  CellExtreme unselected_volt;  ///< of all pulses
  CellExtreme disturb;          ///< by one pulse
};

/// Nothing programmed yet. @throws InvalidArgument if the state does not fit the model
[[nodiscard]] ProgramState start_program(const device::DynamicCell& cell, ArrayState initial);

struct ProgramReport {
  Matrix conductance;  ///< of the cells themselves, siemens
  Matrix reading;      ///< by ProgramOptions::read, siemens
  Matrix error;        ///< reading / target - 1; of an open cell -1
  Matrix disturbed;    ///< 1: reached at its turn, and beyond tolerance now by others' pulses
  Index reached = 0;   ///< cells within tolerance at the end
  Index out_of_pulses = 0;
  Index stuck = 0;
  Index open = 0;
  Index disturbed_count = 0;
  double worst_error = 0;  ///< largest |error| of the closed cells
  double mean_error = 0;   ///< of |error| of the closed cells
};

/// Puts suggest_pulse_ladder() for both directions into `options`. The share of the voltage is the
/// least among the four corner cells selected alone at the read voltage, the array being at its
/// targets; not below 0.05.
/// @throws InvalidArgument as program(); NumericalError as suggest_pulse_ladder()
void suggest_pulses(const Circuit& circuit, const device::DynamicCell& cell, const Matrix& targets,
                    ProgramOptions& options);

/// Called when a unit is done: the state, and the unit's pulses.
using ProgramUnitDone = std::function<void(const ProgramState&, const std::vector<ProgramPulse>&)>;

/// What program() refuses, asked beforehand. @throws InvalidArgument as program()
void check_program(const Circuit& circuit, const device::DynamicCell& cell, const Matrix& targets,
                   const ProgramOptions& options, const ProgramState& state);

/// Programs the array to `targets`, m x n, siemens.
///
/// A unit is read; cells below their target get SET pulses, cells above RESET pulses, on all of
/// them at once, SET before RESET; after each pulse the unit is read again. Amplitudes climb the
/// direction's ladder. A direction that is taken up again, because a pulse overshot, starts anew
/// with half the step. A cell whose budget is used up, or that the largest pulse moves by less than
/// a thousandth of the tolerance, is left as it is and reported as such. Passes end early where
/// every cell is within tolerance.
/// @param circuit  of its conductances only zeros count: open cells
/// @param state    in and out: from start_program(), or where former work ended
/// @throws InvalidArgument naming the argument, or the cell whose target it cannot have, with its
///         range; NumericalError as apply_pulse(); what the callbacks throw
ProgramReport program(const Circuit& circuit, const device::DynamicCell& cell,
                      const Matrix& targets, const ProgramOptions& options, ProgramState& state,
                      const ProgramUnitDone& unit_done = {});

/// Units of one pass over an m x n array.
[[nodiscard]] Index program_units(ProgramOrder order, Index wordlines, Index bitlines);

}  // namespace xbar::solver
