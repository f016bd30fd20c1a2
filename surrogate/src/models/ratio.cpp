// Ratio update between exact refreshes: G_eff(t) ~ S(t) E(0)/S(0) cell by cell, S a closed form and
// E(0) the exact matrix of the last refresh. With S = G this is TxSim's interpolation [Roy2021];
// with a ladder in its place the ratio holds only what the ladder leaves out, so that it ages
// slowly. The derivative is at constant ratio.

#include "models.hpp"

namespace xbar::surrogate {
namespace {

template <typename Real>
class RatioModel final : public EffectiveModel<Real> {
 public:
  RatioModel(ModelKind kind, std::unique_ptr<EffectiveModel<Real>> closed,
             std::unique_ptr<EffectiveModel<Real>> exact)
      : kind_(kind), closed_(std::move(closed)), exact_(std::move(exact)) {}
  [[nodiscard]] ModelKind kind() const override { return kind_; }

 private:
  void do_refresh(const TileBatch& batch, const Real* conductance,
                  const Real* /*inputs*/) override {
    const auto size = static_cast<std::size_t>(batch.size());
    ratio_.resize(size);
    std::vector<Real> closed(size);
    exact_->effective(batch, {conductance, size}, ratio_);
    closed_->effective(batch, {conductance, size}, closed);
    // An open cell lets nothing through by itself; what its place conducts by sneak paths is lost.
    for (std::size_t e = 0; e < size; ++e) ratio_[e] = closed[e] > 0 ? ratio_[e] / closed[e] : 1;
  }

  void do_effective(const TileBatch& batch, const Real* conductance, Real* out) const override {
    const auto size = static_cast<std::size_t>(batch.size());
    closed_->effective(batch, {conductance, size}, {out, size});
    scale(batch, out, out);
  }

  void do_gradient(const TileBatch& batch, const Real* conductance, const Real* cotangent,
                   Real* out) const override {
    const auto size = static_cast<std::size_t>(batch.size());
    std::vector<Real> scaled(size);
    scale(batch, cotangent, scaled.data());
    closed_->gradient(batch, {conductance, size}, scaled, {out, size});
  }

  void scale(const TileBatch& batch, const Real* in, Real* out) const {
    const Index size = batch.tile_size();
    parallel_for(batch.count, [&](Index t) {
      const Real* ratio = ratio_.data() + t * size;
      for (Index e = t * size; e < (t + 1) * size; ++e) out[e] = in[e] * ratio[e - t * size];
    });
  }

  ModelKind kind_;
  std::unique_ptr<EffectiveModel<Real>> closed_;
  std::unique_ptr<EffectiveModel<Real>> exact_;
  std::vector<Real> ratio_;  // E/S of all tiles at the last refresh
};

template <typename Real, ModelKind kind, ModelKind closed>
std::unique_ptr<EffectiveModel<Real>> make(const WireResistance& wires, const ExactSolver& exact) {
  return std::make_unique<RatioModel<Real>>(kind, make_model<Real>(closed, wires, exact),
                                            make_model<Real>(ModelKind::exact, wires, exact));
}

template <ModelKind kind, ModelKind closed>
Member member(std::string_view name, std::string_view what) {
  return {{.kind = kind, .name = name, .what = what, .measures = true, .needs_exact = true},
          make<float, kind, closed>,
          make<double, kind, closed>};
}

}  // namespace

Member cell_ratio_member() {
  return member<ModelKind::cell_ratio, ModelKind::ideal>(
      "cell-ratio", "G times the exact G_eff/G of the last refresh (TxSim's interpolation)");
}

Member ladder_ratio_member() {
  return member<ModelKind::ladder_ratio, ModelKind::ladder>(
      "ladder-ratio", "ladder times the exact G_eff/ladder of the last refresh");
}

Member sneak_ratio_member() {
  return member<ModelKind::sneak_ratio, ModelKind::sneak_ladder>(
      "sneak-ratio", "sneak-ladder times the exact G_eff/sneak-ladder of the last refresh");
}

}  // namespace xbar::surrogate
