#pragma once

/// The amplitudes of program and verify, and ones that suit a cell.

#include <string_view>

#include <xbar/device/dynamics/dynamic_cell.hpp>

namespace xbar::solver {

enum class WriteDirection {
  set,    ///< towards on
  reset,  ///< towards off
};

/// "set", "reset".
[[nodiscard]] std::string_view write_direction_name(WriteDirection direction);

/// How much faster than by steps an adaptive ladder rises and falls, as a share of the amplitude.
inline constexpr double ladder_rise = 0.05;

/// Amplitudes of one direction, volt: start, start + step, ... up to most; then most.
///
/// With `aim` > 0 the ladder is adaptive. The largest |change of ln G| among the cells of a pulse,
/// as a share of `aim` (or, where that is less, of the way that is left and half the tolerance),
/// says how it goes on: below 0.05 by a twentieth up, below 0.4 by a step, up to 1.2 with the same
/// amplitude, else by a twentieth down, not below start. So cells whose switching feeds on itself
/// do not run away, and those behind long lines get their voltage soon. A cell that has begun goes
/// on to half of the tolerance, which leaves room for what other cells' pulses do to it.
struct PulseLadder {
  double pulse_second = 1e-6;  ///< > 0
  double start_volt = 0.5;     ///< sizes, > 0: the sign is the direction's
  double step_volt = 0.05;     ///< > 0
  double max_volt = 3;         ///< >= start_volt
  double aim = 0;              ///< change of ln G by a pulse, >= 0; 0: steps alone
};

/// An adaptive ladder for the cell by itself, from pulses at constant voltage on it.
///
/// Of a pulse length T two amplitudes are found by bisection. `start`: the largest whose pulse
/// moves ln G nowhere, of the states 0, 1/8, 1/4, 1/2 and 3/4 over the range ln(G_on/G_off), by
/// more than 1 % of that, nor the state by more than 1 % of its own. `full`: the smallest whose
/// pulse takes the cell from one end over 90 % of the range of ln G. T is the shortest of 1 ns, 10
/// ns, ..., 10 ms with full <= 2.5 V and full <= 1.8 start, so that half of such a pulse, which V/2
/// leaves on other cells, moves little; if there is none, the shortest with full <= 2.5 V; else the
/// one with the smallest.
///     step = (full - start)/40        max = 2 full / volt_share
/// `aim` is the largest of 0.2, 0.1, 0.05 and 0.02 such that, from those states, a pulse of the
/// amplitude that moves ln G by `aim` moves it by less than 2 aim when it comes again; 0.02 if
/// none.
/// @param volt_share  the share of the terminals' voltage that reaches a selected cell, > 0, <= 1
/// @throws InvalidArgument for a share out of range; NumericalError if no amplitude up to 20 V
///         switches the cell, or as device::integrate()
[[nodiscard]] PulseLadder suggest_pulse_ladder(const device::DynamicCell& cell,
                                               WriteDirection direction, double volt_share = 1);

}  // namespace xbar::solver
