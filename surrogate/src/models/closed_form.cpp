// Closed form of our own: G_eff(i,j) ~ G(i,j) / (1 + alpha(i,j) + beta(i,j)) with
//   alpha(i,j) = sum over k of G(i,k) (source + wordline min(j,k))
//   beta(i,j)  = sum over p of G(p,j) (sink + bitline (m - 1 - max(i,p)))
// the drops along wordline i up to j and along bitline j from i on, relative to the voltage, if
// every cell of the line carried its current without wires; dividing instead of subtracting keeps
// the form good where drops are no longer small. At 64x64, R_on 100 kohm, 2.5 ohm wires, 500 ohm
// sources and 100 ohm sinks currents are 0.1 % off in the mean where the wires take 20 %; at
// 20 kohm (56 %) more than 1 %. alpha and beta by running sums, O(mn).

#include <algorithm>

#include "models.hpp"

namespace xbar::surrogate {
namespace {

// out = alpha + beta of x. Linear in x and, segments counting alike from both cells, symmetric: its
// own transpose. tail: n.
template <typename Real>
void line_drops(Index m, Index n, const LineOhm<Real>& ohm, const Real* x, Real* tail, Real* out) {
  // Bitlines: heads of x downwards, then summed upwards.
  std::copy(x, x + n, out);
  for (Index i = 1; i < m; ++i) {
    for (Index j = 0; j < n; ++j) out[i * n + j] = out[(i - 1) * n + j] + x[i * n + j];
  }
  Real* last = out + (m - 1) * n;
  for (Index j = 0; j < n; ++j) last[j] *= ohm.sink;
  for (Index i = m - 2; i >= 0; --i) {
    for (Index j = 0; j < n; ++j) {
      out[i * n + j] = out[(i + 1) * n + j] + ohm.bitline * out[i * n + j];
    }
  }
  // Wordlines: tails of x leftwards, then summed to the right.
  for (Index i = 0; i < m; ++i) {
    const Real* row = x + i * n;
    Real sum = 0;
    for (Index j = n - 1; j >= 0; --j) tail[j] = sum += row[j];
    Real drop = ohm.source * tail[0];
    out[i * n] += drop;
    for (Index j = 1; j < n; ++j) out[i * n + j] += drop += ohm.wordline * tail[j];
  }
}

template <typename Real>
class ClosedFormModel final : public EffectiveModel<Real> {
 public:
  explicit ClosedFormModel(const WireResistance& wires) : ohm_(line_ohm<Real>(wires)) {}
  [[nodiscard]] ModelKind kind() const override { return ModelKind::closed_form; }

 private:
  void do_effective(const TileBatch& batch, const Real* conductance, Real* out) const override {
    const Index size = batch.tile_size();
    for_each_tile<Real>(batch, batch.columns, [&](Index t, Real* scratch) {
      const Real* g = conductance + t * size;
      Real* e = out + t * size;
      line_drops(batch.rows, batch.columns, ohm_, g, scratch, e);
      for (Index c = 0; c < size; ++c) e[c] = g[c] / (1 + e[c]);
    });
  }

  // With D = 1 + alpha + beta, d(loss)/dD = -C G / D^2, and line_drops is its own transpose.
  void do_gradient(const TileBatch& batch, const Real* conductance, const Real* cotangent,
                   Real* out) const override {
    const Index size = batch.tile_size();
    for_each_tile<Real>(batch, 2 * size + batch.columns, [&](Index t, Real* scratch) {
      const Real* g = conductance + t * size;
      const Real* at = cotangent + t * size;
      Real* direct = scratch;
      Real* drop = scratch + size;
      Real* tail = scratch + 2 * size;
      Real* result = out + t * size;
      line_drops(batch.rows, batch.columns, ohm_, g, tail, direct);
      for (Index c = 0; c < size; ++c) {
        const Real share = 1 / (1 + direct[c]);
        direct[c] = at[c] * share;
        drop[c] = -direct[c] * share * g[c];
      }
      line_drops(batch.rows, batch.columns, ohm_, drop, tail, result);
      for (Index c = 0; c < size; ++c) result[c] += direct[c];
    });
  }

  LineOhm<Real> ohm_;
};

template <typename Real>
std::unique_ptr<EffectiveModel<Real>> make(const WireResistance& wires,
                                           const ExactSolver& /*exact*/) {
  return std::make_unique<ClosedFormModel<Real>>(wires);
}

}  // namespace

Member closed_form_member() {
  return {{.kind = ModelKind::closed_form,
           .name = "closed-form",
           .what = "G over one plus its lines' relative drops"},
          make<float>,
          make<double>};
}

}  // namespace xbar::surrogate
