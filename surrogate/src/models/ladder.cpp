// Ladder surrogate: G_eff(i,j) ~ a(i,j) G(i,j) b(i,j), where
//   a(i,j) = u(i,j)/V(i) on wordline i alone, its cells leading to ground ("bitlines grounded"),
//   b(i,j) = share of a current entering bitline j at row i that reaches the sink, the cells
//            leading to held wordlines.
// It over-states IR drop because real bitlines are not at ground: at 64x64, R_on 20 kohm, 1 ohm
// wires and 100 ohm terminals the output currents are about 3 % low; exact where only one kind of
// line has resistance. O(mn).

#include "ladder_tiles.hpp"
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
    ladder_tiles<Real>(batch, ohm_, conductance, nullptr, out);
  }

  void do_gradient(const TileBatch& batch, const Real* conductance, const Real* cotangent,
                   Real* out) const override {
    ladder_gradient_tiles<Real>(batch, ohm_, conductance, nullptr, cotangent, out);
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
