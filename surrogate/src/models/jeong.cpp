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

#include "series_form.hpp"

namespace xbar::surrogate {
namespace {

template <typename Real>
struct UniformPath {
  LineOhm<Real> ohm;

  Real operator()(Index m, Index n, Index i, Index j) const {
    const Real wordline = ohm.source * static_cast<Real>(n) +
                          ohm.wordline * static_cast<Real>(j * n - j * (j + 1) / 2);
    const Real bitline = ohm.sink * static_cast<Real>(m) +
                         ohm.bitline * static_cast<Real>((m - i) * (m - i + 1) / 2 - 1);
    return wordline + bitline;
  }
};

template <typename Real>
std::unique_ptr<EffectiveModel<Real>> make(const WireResistance& wires,
                                           const ExactSolver& /*exact*/) {
  return std::make_unique<SeriesForm<Real, UniformPath<Real>, ModelKind::jeong>>(wires);
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
