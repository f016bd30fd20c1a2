// Series path, NeuroSim's wires [Chen2018]: a cell sees its own length of wire and nothing of the
// other cells' currents,
//   G_eff(i,j) = 1 / (1/G(i,j) + source + j wordline + (m - 1 - i) bitline + sink).
// The original has a segment before the first and after the last cell, (j + 1) and (m - i), and an
// access resistance for our two terminals. It misses nearly all of the drop: what counts is the
// current of all cells of a line.

#include "models.hpp"

namespace xbar::surrogate {
namespace {

template <typename Real>
class SeriesPathModel final : public EffectiveModel<Real> {
 public:
  explicit SeriesPathModel(const WireResistance& wires) : ohm_(line_ohm<Real>(wires)) {}
  [[nodiscard]] ModelKind kind() const override { return ModelKind::series_path; }

 private:
  // 1 + G R of cell (i,j), R its path: an open cell needs no division by G.
  [[nodiscard]] Real divisor(const TileBatch& batch, Index cell, Real conductance) const {
    const auto i = static_cast<Real>(batch.rows - 1 - cell / batch.columns);
    const auto j = static_cast<Real>(cell % batch.columns);
    return 1 + conductance * (ohm_.source + j * ohm_.wordline + i * ohm_.bitline + ohm_.sink);
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

  LineOhm<Real> ohm_;
};

template <typename Real>
std::unique_ptr<EffectiveModel<Real>> make(const WireResistance& wires,
                                           const ExactSolver& /*exact*/) {
  return std::make_unique<SeriesPathModel<Real>>(wires);
}

}  // namespace

Member series_path_member() {
  return {{.kind = ModelKind::series_path,
           .name = "series-path",
           .what = "each cell in series with its own length of wire (NeuroSim)",
           .of_other_groups = true},
          make<float>,
          make<double>};
}

}  // namespace xbar::surrogate
