#pragma once

/// Device-to-device variation: a cell's conductance differs from what it is programmed to.

#include <cstdint>
#include <span>

#include <xbar/core/random.hpp>

namespace xbar::device {

/// @param variation  sigma, the standard deviation of ln G from cell to cell, 0 to 2
/// @throws InvalidArgument
void check_device_variation(double variation);

/// Factors of the cells first_index, first_index + 1, ...:
///   factor = G_actual / G = exp(sigma N(0,1))
/// lognormal, so positive for every sigma, with median 1 (and mean exp(sigma^2/2), 1.005 at sigma =
/// 0.1). For small sigma it is the relative Gaussian variation. Cell k takes draw k of fill_normal.
/// @param stream  of the array, the same at every call for it
/// @param factor  dimensionless; all exactly 1 where sigma is 0
void fill_device_variation(double variation, const RandomStream& stream, std::uint64_t first_index,
                           std::span<float> factor);

}  // namespace xbar::device
