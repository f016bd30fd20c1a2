// The solver itself, tile by tile, in double precision whatever Real is.

#include "models.hpp"

namespace xbar::surrogate {
namespace {

template <typename Real>
using Tiles = Eigen::Map<Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;
template <typename Real>
using ConstTiles =
    Eigen::Map<const Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;

template <typename Real>
class ExactModel final : public EffectiveModel<Real> {
 public:
  ExactModel(const WireResistance& wires, const ExactSolver& exact)
      : wires_(wires), exact_(exact) {}
  [[nodiscard]] ModelKind kind() const override { return ModelKind::exact; }

 private:
  void do_effective(const TileBatch& batch, const Real* conductance, Real* out) const override {
    const Index size = batch.tile_size();
    parallel_for(batch.count, [&](Index t) {
      const ConstTiles<Real> tile(conductance + t * size, batch.rows, batch.columns);
      Tiles<Real>(out + t * size, batch.rows, batch.columns) =
          exact_.effective(tile.template cast<double>(), wires_).template cast<Real>();
    });
  }

  void do_gradient(const TileBatch& batch, const Real* conductance, const Real* cotangent,
                   Real* out) const override {
    const Index size = batch.tile_size();
    parallel_for(batch.count, [&](Index t) {
      const ConstTiles<Real> tile(conductance + t * size, batch.rows, batch.columns);
      const ConstTiles<Real> at(cotangent + t * size, batch.rows, batch.columns);
      Tiles<Real>(out + t * size, batch.rows, batch.columns) =
          exact_.gradient(tile.template cast<double>(), wires_, at.template cast<double>())
              .template cast<Real>();
    });
  }

  WireResistance wires_;
  ExactSolver exact_;
};

template <typename Real>
std::unique_ptr<EffectiveModel<Real>> make(const WireResistance& wires, const ExactSolver& exact) {
  return std::make_unique<ExactModel<Real>>(wires, exact);
}

}  // namespace

Member exact_member() {
  return {{.kind = ModelKind::exact,
           .name = "exact",
           .what = "the solver's effective conductance",
           .needs_exact = true},
          make<float>,
          make<double>};
}

}  // namespace xbar::surrogate
