// Line currents of a uniform array [Jeong2018], in the form with a resistance for each cell of
// [Lambertini2024]: the segments carry as much as if all cells were equal to cell (i,j), so that
//   G_eff(i,j) = 1 / (1/G(i,j) + A(j) + B(i))
//   A(j) = source n + wordline (sum over k = 1..j of (n - k))
//   B(i) = sink m + bitline ((m - i)(m - i + 1)/2 - 1).
// The original has one resistance r everywhere, a segment before the first and one after the last
// cell: A(j) = r (sum over k = 0..j of (n - k)), B(i) = r (m - i)(m - i + 1)/2. Of these the first
// one, with all n currents, is our source; the last one, which this B counts once, is left out. The
// sink, with all m currents, is added. (B counts the bitline's currents from the sink: right for
// i = 0, the paper's whole column, too little for the rows below.)

#include "models.hpp"

namespace xbar::surrogate {
namespace {

template <typename Real>
class JeongModel final : public EffectiveModel<Real> {
 public:
  explicit JeongModel(const WireResistance& wires) : ohm_(line_ohm<Real>(wires)) {}
  [[nodiscard]] ModelKind kind() const override { return ModelKind::jeong; }

 private:
  // 1 + G (A + B): an open cell needs no division by G.
  [[nodiscard]] Real divisor(const TileBatch& batch, Index cell, Real conductance) const {
    const Index m = batch.rows;
    const Index n = batch.columns;
    const Index i = cell / n;
    const Index j = cell % n;
    const Real wordline = ohm_.source * static_cast<Real>(n) +
                          ohm_.wordline * static_cast<Real>(j * n - j * (j + 1) / 2);
    const Real bitline = ohm_.sink * static_cast<Real>(m) +
                         ohm_.bitline * static_cast<Real>((m - i) * (m - i + 1) / 2 - 1);
    return 1 + conductance * (wordline + bitline);
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
  return std::make_unique<JeongModel<Real>>(wires);
}

}  // namespace

Member jeong_member() {
  return {{.kind = ModelKind::jeong,
           .name = "jeong",
           .what = "line currents as if all cells were equal (Jeong et al.)",
           .of_other_groups = true},
          make<float>,
          make<double>};
}

}  // namespace xbar::surrogate
