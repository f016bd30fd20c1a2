// Ladder with sneak paths: G_eff ~ L + rho kappa^T / sigma, L = a G b the ladder.
//
// What the ladder leaves out are the paths that leave a bitline again: wordline i, a cell, a
// bitline, back through a cell to another wordline, ..., bitline j. Each step spreads over the
// whole line, so that the sum of all such paths is, but for a few parts in ten thousand of itself,
// a function of i times a function of j. Its row and column sums are exact differences:
//   kappa(j) = I(j) - sum_i L(i,j),   rho(i) = J(i) - sum_j L(i,j),   sigma = sum rho = sum kappa,
// I and J the currents into the sinks and out of the drivers with all inputs at 1. J(i) is the row
// sum of the exact G_eff: with inputs and sinks all at 1 no current flows, so what the inputs
// drive through driver i is what the sinks would. One solution of the field therefore gives both,
// and G_eff has exact row and column sums: exact at equal inputs, forward and backward.
//
// At 64x64, R_on 20 kohm, 1 ohm wires, 100 ohm terminals: 3 % of ladder error become 0.004 %
// (docs/theory.md). The field by conjugate gradients on the lines' recursions, a few steps of
// O(mn).

#include <xbar/core/isa.hpp>

#include "models.hpp"

namespace xbar::surrogate {
namespace {

template <typename Real>
class SneakLadderModel final : public EffectiveModel<Real> {
 public:
  explicit SneakLadderModel(const WireResistance& wires) : ohm_(line_ohm<Real>(wires)) {}
  [[nodiscard]] ModelKind kind() const override { return ModelKind::sneak_ladder; }

 private:
  void do_effective(const TileBatch& batch, const Real* conductance, Real* out) const override {
    const Index size = batch.tile_size();
    for_each_tile<Real>(batch, field_scratch(batch.rows, batch.columns),
                        [&](Index t, Real* scratch) {
                          XBAR_DISPATCH(::xbar::surrogate, sneak_tile<Real>)
                          (batch.rows, batch.columns, conductance + t * size, ohm_,
                           field_limit<Real>(), scratch, out + t * size);
                        });
  }

  void do_gradient(const TileBatch& batch, const Real* conductance, const Real* cotangent,
                   Real* out) const override {
    const Index size = batch.tile_size();
    for_each_tile<Real>(batch, field_scratch(batch.rows, batch.columns),
                        [&](Index t, Real* scratch) {
                          XBAR_DISPATCH(::xbar::surrogate, sneak_gradient_tile<Real>)
                          (batch.rows, batch.columns, conductance + t * size, ohm_,
                           field_limit<Real>(), cotangent + t * size, scratch, out + t * size);
                        });
  }

  LineOhm<Real> ohm_;
};

template <typename Real>
std::unique_ptr<EffectiveModel<Real>> make(const WireResistance& wires,
                                           const ExactSolver& /*exact*/) {
  return std::make_unique<SneakLadderModel<Real>>(wires);
}

}  // namespace

Member sneak_ladder_member() {
  return {{.kind = ModelKind::sneak_ladder,
           .name = "sneak-ladder",
           .what = "ladder with exact row and column sums: the sneak paths' rank-one part"},
          make<float>,
          make<double>};
}

}  // namespace xbar::surrogate
