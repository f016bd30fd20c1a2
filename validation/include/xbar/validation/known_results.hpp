#pragma once

/// Figures that others have published or computed, and the same computed here.

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <xbar/surrogate_calibrate/measure.hpp>

namespace xbar::validation {

/// What wires cost an array, all inputs equal: loss(j) = 1 - I(j) / I_ideal(j), shares.
struct Losses {
  double mean = 0;          ///< over the bitlines
  double first = 0;         ///< bitline 0, nearest to the drivers
  double last = 0;          ///< bitline n-1
  double lowest_ratio = 0;  ///< of G_eff(i,j) / G(i,j)
  double highest_ratio = 0;
};

/// One technology with uniform weights.
struct LossRow {
  surrogate::CalibrationPoint point;
  Losses known;  ///< of one random array, by a banded Cholesky nodal solver written independently
  Losses found;  ///< by the exact solver: means over random arrays, extremes of the ratio
};

/// The technologies of TxSim, GENIEx and RxNN's followers, and some between.
/// @param arrays  random arrays of each
[[nodiscard]] std::vector<LossRow> reference_losses(Index arrays, std::uint64_t seed);

/// Error of a closed form, bitline by bitline: |I(j) - I_exact(j)| / I_exact(j), inputs uniform in
/// (0, 1).
struct ColumnError {
  double mean = 0;  ///< over bitlines, inputs and arrays
  double worst = 0;
};

/// At one technology with uniform weights.
struct ClosedFormRow {
  surrogate::ModelKind model = surrogate::ModelKind::closed_form;
  surrogate::CalibrationPoint point;
  double known_mean = 0;  ///< by the same independent solver
  std::optional<double> known_worst;
  ColumnError found;
};

[[nodiscard]] std::vector<ClosedFormRow> closed_form_errors(Index arrays, std::uint64_t seed);

/// Technologies nearest to RxNN's statement that its arrays' currents deviate at most 0.28 % from
/// HSPICE's [Jain2021]: sizes 16, 32 and 64. RxNN's cells and terminals are not known; R_on 20 kohm
/// and on/off ratio 10 are its group's habit. Once with the wires that its pitch gives (2.82 ohm
/// a segment) and terminals of 100 ohm, once with those of a follower that states all of them
/// (5 and 10 ohm segments, 1 kohm terminals).
[[nodiscard]] std::vector<surrogate::CalibrationPoint> rxnn_points();

}  // namespace xbar::validation
