#pragma once

/// What a member costs.

#include <xbar/core/matrix.hpp>
#include <xbar/core/wires.hpp>
#include <xbar/surrogate/model_kind.hpp>

namespace xbar::surrogate {

/// Seconds of one array, single precision, one core: medians over a few runs on a batch of copies.
/// The batch and the number of runs are cut so that a member takes some milliseconds, but at least
/// one array once.
struct MemberCost {
  double refresh_seconds = 0;
  double effective_seconds = 0;
};

[[nodiscard]] MemberCost member_cost(ModelKind kind, const Matrix& conductance,
                                     const WireResistance& wires);

}  // namespace xbar::surrogate
