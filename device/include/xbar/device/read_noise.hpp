#pragma once

/// Read noise: a cell's conductance differs from read to read.

#include <cstdint>
#include <span>

#include <xbar/core/random.hpp>

namespace xbar::device {

/// @param noise  sigma, the standard deviation of a read, share of the cell's conductance, 0 to 1
/// @throws InvalidArgument
void check_read_noise(double noise);

/// Factors of one read of the cells first_index, first_index + 1, ...:
///   factor = G_read / G = max(0, 1 + sigma N(0,1))
/// Cell k takes draw k of fill_normal.
/// @param stream  of the array and the read: a substream of its own for every read
/// @param factor  dimensionless; all exactly 1 where sigma is 0
void fill_read_noise(double noise, const RandomStream& stream, std::uint64_t first_index,
                     std::span<float> factor);

}  // namespace xbar::device
