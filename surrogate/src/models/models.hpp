#pragma once

/// The makers behind the table of members, one file each, and what they share.

#include <cstddef>
#include <memory>
#include <vector>

#include <xbar/core/parallel.hpp>
#include <xbar/core/wires.hpp>
#include <xbar/surrogate/effective_model.hpp>
#include <xbar/surrogate/model.hpp>

#include "kernels/tile_kernels.hpp"

namespace xbar::surrogate {

template <typename Real>
using ModelMaker = std::unique_ptr<EffectiveModel<Real>> (*)(const WireResistance& wires,
                                                             const ExactSolver& exact);

/// A member: its row in the table and how it is made.
struct Member {
  ModelInfo info;
  ModelMaker<float> make_float = nullptr;
  ModelMaker<double> make_double = nullptr;
};

Member ideal_member();
Member closed_form_member();
Member ladder_member();
Member operating_point_member();
Member sneak_ladder_member();
Member cell_ratio_member();
Member ladder_ratio_member();
Member sneak_ratio_member();
Member exact_member();
Member series_path_member();
Member jeong_member();
Member dmr_member();
Member alpha_beta_member();

template <typename Real>
LineOhm<Real> line_ohm(const WireResistance& wires) {
  return {static_cast<Real>(wires.source_ohm), static_cast<Real>(wires.sink_ohm),
          static_cast<Real>(wires.wordline_ohm), static_cast<Real>(wires.bitline_ohm)};
}

/// When the fields of a tile are good enough. Double: exact, so that row and column sums are, and
/// the operating point. Float: the loosest that does not show. Against the exact currents of 324
/// arrays (16 to 256 lines, R_on 5 kohm to 1 Mohm, segments 0.5 to 10 ohm, terminals 0 to 1 kohm,
/// uniform and clustered weights, random sparse inputs) it adds 0.3 % at most to the sneak ladder's
/// own error and takes 1.9 steps in the mean; 1e-3 adds 3.9 % (1.75 steps), 1e-6 nothing (2.8
/// steps).
template <typename Real>
FieldLimit<Real> field_limit() {
  constexpr bool single = sizeof(Real) == sizeof(float);
  return {single ? Real(3e-4) : Real(1e-13), 1000};
}

/// body(t, scratch) for all tiles, on all cores; scratch: `elements` of the thread's own.
template <typename Real, typename Body>
void for_each_tile(const TileBatch& batch, long elements, const Body& body) {
  parallel_for(batch.count, [&](Index t) {
    thread_local std::vector<Real> scratch;
    if (scratch.size() < static_cast<std::size_t>(elements)) {
      scratch.resize(static_cast<std::size_t>(elements));
    }
    body(t, scratch.data());
  });
}

}  // namespace xbar::surrogate
