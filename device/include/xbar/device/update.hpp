#pragma once

/// Programming steps: what a cell makes of a requested change of its conductance.

#include <cstdint>
#include <span>
#include <string_view>

#include <xbar/core/random.hpp>

namespace xbar::device {

/// How the step depends on where the cell is.
enum class UpdateKind {
  linear,      ///< the cell moves by what is asked
  asymmetric,  ///< steps shrink towards the bound that they approach
  symmetric,   ///< steps shrink towards both bounds, the same up and down
};

/// @throws InvalidArgument for a name that is not linear, asymmetric or symmetric.
[[nodiscard]] UpdateKind parse_update_kind(std::string_view name);
[[nodiscard]] std::string_view update_kind_name(UpdateKind kind);

/// A programming step on normalised conductances x = (G - g_min)/(g_max - g_min):
///   x' = clamp(x + s + write_noise sqrt(|s|) N(0,1), 0, 1),   s = step(x, d), d = requested change
/// drawn per event (cycle to cycle), none where nothing is written (d = 0). In siemens the noise
/// has the standard deviation write_noise sqrt(range |dG|). The square-root law on the step that
/// the cell makes is CrossSim's "G independent" write noise; TxSim's gamma in percent is taken as
/// 100 write_noise [Roy2021].
///
/// The cell follows a curve x(p) of its programming position p, and a request moves it by d along p
/// from where it is. With nu the non-linearity:
///   linear      s = d
///   asymmetric  upwards x(p) = w0 (1 - exp(-nu p)),  w0 = 1/(1 - exp(-nu)),  0 <= p <= 1:
///                 s = (w0 - x) (1 - exp(-nu d))        d > 0
///                 s = (1 - w0 - x) (1 - exp(nu d))     d < 0, the mirror image
///   symmetric   x(p) = 1/2 + tanh(nu p) / (2 tanh(nu/2)),  -1/2 <= p <= 1/2:
///                 s = A/(1 + exp(-2 nu d) (A/(x - B) - 1)) - x + B,
///                 A = (exp(nu) + 1)/(exp(nu) - 1),  B = -1/(exp(nu) - 1)
/// These are the analytic updates of CrossSim, version 2, for weights in [0, 1], after
/// [Agarwal2016]; that TxSim's nu is this exponent is an assumption. NeuroSim's curve of pulses is
/// the asymmetric one with A = 1/nu [Peng2021]. Both tend to the linear step for nu -> 0, cross the
/// whole range with d = 1, and are computed so that a step keeps its relative (single) precision
/// however small nu or d.
struct UpdateModel {
  UpdateKind kind = UpdateKind::linear;
  double nonlinearity = 0;  ///< nu, dimensionless, 0 to 50; not used by linear, and 0 is linear
  double write_noise = 0;   ///< dimensionless, 0 to 10; relative to the conductance range
};

/// @throws InvalidArgument naming the first field out of range.
void check_update_model(const UpdateModel& model);

/// Applies the step to the cells of one line. Where the model has write noise, cell k takes draw
/// first_index + k of fill_normal (core/random.hpp): how the line is cut has no effect. A NaN in
/// state or change stays one.
/// @param state    x, normalised conductances in [0, 1], changed in place
/// @param change   d, requested changes, same length
/// @param noise    the stream of this event
void apply_update(const UpdateModel& model, std::span<float> state, std::span<const float> change,
                  const RandomStream& noise, std::uint64_t first_index);

}  // namespace xbar::device
