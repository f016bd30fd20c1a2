// Series path, NeuroSim's wires [Chen2018]: a cell sees its own length of wire and nothing of the
// other cells' currents,
//   G_eff(i,j) = 1 / (1/G(i,j) + source + j wordline + (m - 1 - i) bitline + sink).
// The original has a segment before the first and after the last cell, (j + 1) and (m - i), and an
// access resistance for our two terminals. It misses nearly all of the drop: what counts is the
// current of all cells of a line.

#include "series_form.hpp"

namespace xbar::surrogate {
namespace {

template <typename Real>
struct OwnPath {
  LineOhm<Real> ohm;

  Real operator()(Index m, Index /*n*/, Index i, Index j) const {
    return ohm.source + static_cast<Real>(j) * ohm.wordline +
           static_cast<Real>(m - 1 - i) * ohm.bitline + ohm.sink;
  }
};

template <typename Real>
std::unique_ptr<EffectiveModel<Real>> make(const WireResistance& wires,
                                           const ExactSolver& /*exact*/) {
  return std::make_unique<SeriesForm<Real, OwnPath<Real>, ModelKind::series_path>>(wires);
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
