#pragma once

/// The simplest write: the cell moves by what is asked, with noise, within its bounds.

#include <span>

#include <xbar/core/random.hpp>

namespace xbar::device {

/// Linear programming step with stochastic write noise, on normalised conductances
/// x = (G - g_min)/(g_max - g_min):
///   x' = clamp(x + dx + write_noise * sqrt(|dx|) * N(0,1), 0, 1)
/// that is, noise of standard deviation write_noise * sqrt(range * |dG|) in siemens, drawn per
/// event (cycle to cycle), none where nothing is written. The square-root law is CrossSim's "G
/// independent" write noise; TxSim's gamma in percent is taken as 100 * write_noise [Roy2021].
struct LinearUpdate {
  double write_noise = 0;  ///< dimensionless, >= 0; relative to the conductance range
};

/// Applies the step to the cells of one line.
/// @param state    x, normalised conductances in [0, 1], changed in place
/// @param change   dx, requested changes, same length
/// @param noise    draws for this event; cell k uses counter first_index + k
void apply_update(const LinearUpdate& model, std::span<float> state, std::span<const float> change,
                  const RandomStream& noise, std::uint64_t first_index);

}  // namespace xbar::device
