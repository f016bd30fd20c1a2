#pragma once

/// The ladder of all tiles of a batch, and its gradient: what the ladder and the operating point
/// share. Elements of a tile lie as in TileBatch.

#include <xbar/core/isa.hpp>

#include "models.hpp"

namespace xbar::surrogate {

/// out = a G b, the wordlines' a of the cells G k. factor: k of all tiles, or nullptr: all 1.
template <typename Real>
void ladder_tiles(const TileBatch& batch, const LineOhm<Real>& ohm, const Real* conductance,
                  const Real* factor, Real* out) {
  const Index size = batch.tile_size();
  for_each_tile<Real>(
      batch, ladder_scratch(batch.rows, batch.columns), [&](Index t, Real* scratch) {
        XBAR_DISPATCH(::xbar::surrogate, ladder_tile<Real>)
        (batch.rows, batch.columns, conductance + t * size,
         factor == nullptr ? nullptr : factor + t * size, ohm, scratch, out + t * size);
      });
}

/// out = derivative of sum C (a G b) by G at constant k.
template <typename Real>
void ladder_gradient_tiles(const TileBatch& batch, const LineOhm<Real>& ohm,
                           const Real* conductance, const Real* factor, const Real* cotangent,
                           Real* out) {
  const Index size = batch.tile_size();
  for_each_tile<Real>(batch, field_scratch(batch.rows, batch.columns), [&](Index t, Real* scratch) {
    XBAR_DISPATCH(::xbar::surrogate, ladder_gradient_tile<Real>)
    (batch.rows, batch.columns, conductance + t * size,
     factor == nullptr ? nullptr : factor + t * size, ohm, cotangent + t * size, scratch,
     out + t * size);
  });
}

}  // namespace xbar::surrogate
