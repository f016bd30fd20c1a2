#pragma once

/// Drift: conductances that fall with the time since they were programmed.

#include <cstdint>
#include <span>

#include <xbar/core/random.hpp>

namespace xbar::device {

/// The power law of phase-change cells [Joshi2020], also used for the retention of others:
///   G(t) = G(t0) (t/t0)^(-nu_k),   nu_k = max(0, exponent + exponent_deviation N(0,1))
struct Drift {
  double exponent = 0;            ///< mean of nu, dimensionless, 0 to 1
  double exponent_deviation = 0;  ///< of nu from cell to cell, 0 to 1
  double time_s = 1;              ///< t, time since programming at which the cells are read, s
  double reference_s = 1;         ///< t0 > 0, time at which G was programmed and verified, s

  /// Whether any cell differs from G(t0).
  [[nodiscard]] bool any() const {
    return time_s > reference_s && (exponent > 0 || exponent_deviation > 0);
  }
};

/// @throws InvalidArgument naming the first field out of range, or a time before the reference.
void check_drift(const Drift& drift);

/// Factors G(t) / G(t0) of the cells first_index, first_index + 1, ...; cell k's exponent takes
/// draw k of fill_normal, so that it is the same at every time.
/// @param stream  of the array, the same at every call for it
/// @param factor  dimensionless, in [0, 1]; all exactly 1 where drift.any() is false
void fill_drift(const Drift& drift, const RandomStream& stream, std::uint64_t first_index,
                std::span<float> factor);

}  // namespace xbar::device
