#pragma once

/// NeuroSim's label of non-linearity and the curve that it stands for.

namespace xbar::device {

/// Labels up to this size are taken, NeuroSim's own table ends there.
inline constexpr double largest_neurosim_label = 9;

/// The label of the normalised curve x(p) = (1 - exp(-nu p)) / (1 - exp(-nu)), 0 <= p <= 1: its
/// largest perpendicular distance from the diagonal, max |x - p| / sqrt(2), divided by 0.07, with
/// the sign of nu. NeuroSim's A of G(P) = Gmin + B (1 - exp(-P/A)) is 1/nu of the pulses of the
/// whole curve [Peng2021].
[[nodiscard]] double neurosim_label(double nu);

/// nu of a label: the inverse of neurosim_label(), to 1e-12 relative or 1e-8 absolute.
/// @throws InvalidArgument unless |label| <= largest_neurosim_label
[[nodiscard]] double neurosim_exponent(double label);

}  // namespace xbar::device
