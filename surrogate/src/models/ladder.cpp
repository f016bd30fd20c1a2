// Ladder surrogate: G_eff(i,j) ~ a(i,j) G(i,j) b(i,j), where
//   a(i,j) = u(i,j)/V(i) on wordline i alone, its cells leading to ground ("bitlines grounded"),
//   b(i,j) = share of a current entering bitline j at row i that reaches the sink, the cells
//            leading to held wordlines.
// It over-states IR drop because real bitlines are not at ground: at 64x64, R_on 20 kohm, 1 ohm
// wires and 100 ohm terminals the output currents are about 3 % low; exact where only one kind of
// line has resistance. O(mn).

#include <xbar/core/isa.hpp>

#include "models.hpp"

namespace xbar::surrogate {
namespace {

template <typename Real>
class LadderModel final : public EffectiveModel<Real> {
 public:
  explicit LadderModel(const WireResistance& wires) : ohm_(line_ohm<Real>(wires)) {}
  [[nodiscard]] ModelKind kind() const override { return ModelKind::ladder; }

 private:
  void do_effective(const TileBatch& batch, const Real* conductance, Real* out) const override {
    const Index size = batch.tile_size();
    for_each_tile<Real>(batch, ladder_scratch(batch.rows, batch.columns),
                        [&](Index t, Real* scratch) {
                          XBAR_DISPATCH(::xbar::surrogate, ladder_tile<Real>)
                          (batch.rows, batch.columns, conductance + t * size,
                           static_cast<const Real*>(nullptr), ohm_, scratch, out + t * size);
                        });
  }

  void do_gradient(const TileBatch& batch, const Real* conductance, const Real* cotangent,
                   Real* out) const override {
    const Index size = batch.tile_size();
    for_each_tile<Real>(
        batch, field_scratch(batch.rows, batch.columns), [&](Index t, Real* scratch) {
          XBAR_DISPATCH(::xbar::surrogate, ladder_gradient_tile<Real>)
          (batch.rows, batch.columns, conductance + t * size, static_cast<const Real*>(nullptr),
           ohm_, cotangent + t * size, scratch, out + t * size);
        });
  }

  LineOhm<Real> ohm_;
};

template <typename Real>
std::unique_ptr<EffectiveModel<Real>> make(const WireResistance& wires,
                                           const ExactSolver& /*exact*/) {
  return std::make_unique<LadderModel<Real>>(wires);
}

}  // namespace

Member ladder_member() {
  return {{.kind = ModelKind::ladder,
           .name = "ladder",
           .what = "each line alone: wordlines with grounded bitlines, bitlines with held "
                   "wordlines"},
          make<float>,
          make<double>};
}

}  // namespace xbar::surrogate
