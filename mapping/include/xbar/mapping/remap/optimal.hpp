#pragma once

/// Re-mapping by the error that the wires cause.

#include <cstdint>

#include <xbar/core/random.hpp>
#include <xbar/mapping/remap/output_error.hpp>

namespace xbar::mapping {

/// What a re-mapping may move.
struct RemapFreedoms {
  bool columns = true;  ///< outputs to other column slots
  bool rows = true;     ///< inputs to other row slots
};

/// How long optimal_order looks.
struct SearchOptions {
  Index rounds = 8;  ///< at most; each tries to exchange every slot with `partners` random others
  Index partners = 4;
  double least_gain = 0.01;  ///< a round that lowers J by a smaller share is the last
};

/// Lowers J (OutputError): first outputs and inputs in turn by linear assignment, the cost of a
/// slot being what the wires would take from all that the output or input carries,
///   cost(k, s) = a_k e_s^2,   a_k = C_kk sum_o M_oo W_ok^2 for an input, alike for an output,
/// e_s the mean share lost at the slot's place in an array of the layer's mean conductance; then by
/// exchanges of two slots, each kept if J falls. The order it begins with is kept if no assignment
/// is better.
/// @param error  left in the order found
void optimal_order(const RemapFreedoms& freedoms, const SearchOptions& options,
                   const RandomStream& draws, OutputError& error);

}  // namespace xbar::mapping
