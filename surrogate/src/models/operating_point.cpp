// Operating-point ladder: with u, w the exact node voltages at a typical input, the factor
// k = (u - w)/u is what is left of the wordline's voltage across each cell, and the ladder with
// G k in place of G in the wordline recursion gives the exact currents at that input. Close around
// it: at 64x64, R_on 20 kohm, 1 ohm wires, random sparse inputs differ by about 0.2 % in the mean.
// The derivative is at constant k.

#include <algorithm>
#include <cmath>

#include <xbar/core/isa.hpp>

#include "ladder_tiles.hpp"
#include "models.hpp"

namespace xbar::surrogate {
namespace {

// k in place of u. On a wordline driven with less than 1 % of the largest input the ratio says
// nothing; there the wordline voltage is replaced by the mean over the driven ones at the same
// distance from the driver. inputs: nullptr: all 1.
template <typename Real>
void factor_from_fields(Index m, Index n, const Real* inputs, Real* wordline, const Real* bitline) {
  const auto input = [&](Index i) { return inputs == nullptr ? Real(1) : std::abs(inputs[i]); };
  Real largest = 0;
  for (Index i = 0; i < m; ++i) largest = std::max(largest, input(i));
  const auto driven = [&](Index i) { return input(i) > Real(1e-2) * largest; };
  std::vector<Real> typical(static_cast<std::size_t>(n), Real(0));
  Index count = 0;
  for (Index i = 0; i < m; ++i) {
    if (!driven(i)) continue;
    for (Index j = 0; j < n; ++j) typical[static_cast<std::size_t>(j)] += wordline[i * n + j];
    ++count;
  }
  for (Real& u : typical) u /= static_cast<Real>(std::max<Index>(count, 1));
  for (Index i = 0; i < m; ++i) {
    for (Index j = 0; j < n; ++j) {
      Real& u = wordline[i * n + j];
      if (!driven(i) || u == 0) u = typical[static_cast<std::size_t>(j)];
      u = u != 0 ? (u - bitline[i * n + j]) / u : Real(1);
    }
  }
}

template <typename Real>
class OperatingPointModel final : public EffectiveModel<Real> {
 public:
  explicit OperatingPointModel(const WireResistance& wires) : ohm_(line_ohm<Real>(wires)) {}
  [[nodiscard]] ModelKind kind() const override { return ModelKind::operating_point; }

 private:
  void do_refresh(const TileBatch& batch, const Real* conductance, const Real* inputs) override {
    const Index size = batch.tile_size();
    factor_.resize(static_cast<std::size_t>(batch.size()));
    const long needed = field_scratch(batch.rows, batch.columns);
    for_each_tile<Real>(batch, needed + size, [&](Index t, Real* scratch) {
      const Real* at = inputs == nullptr ? nullptr : inputs + t * batch.rows;
      Real* wordline = factor_.data() + t * size;
      Real* bitline = scratch + needed;
      XBAR_DISPATCH(::xbar::surrogate, field_tile<Real>)
      (batch.rows, batch.columns, conductance + t * size, at, ohm_, field_limit<Real>(), scratch,
       wordline, bitline);
      factor_from_fields(batch.rows, batch.columns, at, wordline, bitline);
    });
  }

  void do_effective(const TileBatch& batch, const Real* conductance, Real* out) const override {
    ladder_tiles<Real>(batch, ohm_, conductance, factor_.data(), out);
  }

  void do_gradient(const TileBatch& batch, const Real* conductance, const Real* cotangent,
                   Real* out) const override {
    ladder_gradient_tiles<Real>(batch, ohm_, conductance, factor_.data(), cotangent, out);
  }

  LineOhm<Real> ohm_;
  std::vector<Real> factor_;  // k of all tiles
};

template <typename Real>
std::unique_ptr<EffectiveModel<Real>> make(const WireResistance& wires,
                                           const ExactSolver& /*exact*/) {
  return std::make_unique<OperatingPointModel<Real>>(wires);
}

}  // namespace

Member operating_point_member() {
  return {{.kind = ModelKind::operating_point,
           .name = "operating-point",
           .what = "ladder with the cells' voltages at a typical input, exact there",
           .measures = true,
           .takes_inputs = true},
          make<float>,
          make<double>};
}

}  // namespace xbar::surrogate
