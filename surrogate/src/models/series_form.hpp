#pragma once

/// Members in which a cell sees a resistance that its place alone decides.

#include "models.hpp"

namespace xbar::surrogate {

/// G_eff(i,j) = 1 / (1/G(i,j) + R(i,j)). Path: Real operator()(m, n, i, j), R in ohm.
template <typename Real, typename Path, ModelKind member>
class SeriesForm final : public EffectiveModel<Real> {
 public:
  explicit SeriesForm(const WireResistance& wires) : path_{line_ohm<Real>(wires)} {}
  [[nodiscard]] ModelKind kind() const override { return member; }

 private:
  // 1 + G R: an open cell needs no division by G.
  [[nodiscard]] Real divisor(const TileBatch& batch, Index cell, Real conductance) const {
    const Index i = cell / batch.columns;
    const Index j = cell % batch.columns;
    return 1 + conductance * path_(batch.rows, batch.columns, i, j);
  }

  void do_effective(const TileBatch& batch, const Real* conductance, Real* out) const override {
    const Index size = batch.tile_size();
    for_each_tile<Real>(batch, 0, [&](Index t, Real* /*scratch*/) {
      const Real* g = conductance + t * size;
      for (Index c = 0; c < size; ++c) out[t * size + c] = g[c] / divisor(batch, c, g[c]);
    });
  }

  void do_gradient(const TileBatch& batch, const Real* conductance, const Real* cotangent,
                   Real* out) const override {
    const Index size = batch.tile_size();
    for_each_tile<Real>(batch, 0, [&](Index t, Real* /*scratch*/) {
      const Real* g = conductance + t * size;
      for (Index c = 0; c < size; ++c) {
        const Real d = divisor(batch, c, g[c]);
        out[t * size + c] = cotangent[t * size + c] / (d * d);
      }
    });
  }

  Path path_;
};

}  // namespace xbar::surrogate
