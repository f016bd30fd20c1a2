// Diagonal matrix regression [Liao2021]: G_eff = diag(a) G diag(b) with
//
//   a(i) = (1 + bitline sum over k < i of (i - k) g(k)) / A,
//   A = 1 + sum over k of (sink + bitline (m - 1 - k)) g(k),
//
//   b(j) = (1 + wordline sum over k > j of (k - j) h(k)) / B,
//   B = 1 + sum over k of (source + wordline k) h(k),
//
// g the means of G's rows, h those of its columns: the voltage along an average line, its cells
// carrying their currents without wires. The original has no source and sink but a segment before
// the first and after the last cell, wordline (k + 1) and bitline (m - k) in the denominators: it
// is ours with source = wordline and sink = bitline, all else is added. O(mn).

#include <algorithm>

#include "line_moments.hpp"
#include "models.hpp"

namespace xbar::surrogate {
namespace {

// One kind of line: mean cell at each position, and the factor there.
template <typename Real>
struct MeanLine {
  Index length;
  Real terminal;  // ohm
  Real segment;   // ohm
  Real* mean;     // g from the open end on: position 0 is farthest from the terminal
  Real* factor;
  Real* moment;
  Real divisor;

  [[nodiscard]] Lines lines(Index step) const { return {1, 0, length, step}; }

  void find_factors() {
    Real head = 0;
    moments(lines(1), mean, moment, &head);
    const Real sum = head + mean[length - 1];
    divisor = 1 + segment * moment[length - 1] + terminal * sum;
    for (Index k = 0; k < length; ++k) factor[k] = (1 + segment * moment[k]) / divisor;
  }

  // d(loss)/d(mean) of d(loss)/d(factor), into moment.
  void pull_back(const Real* cotangent) {
    Real head = 0;
    Real along = 0;
    for (Index k = 0; k < length; ++k) along += cotangent[k] * factor[k];
    moments(lines(-1), cotangent + length - 1, moment + length - 1, &head);
    for (Index k = 0; k < length; ++k) {
      const Real path = terminal + segment * static_cast<Real>(length - 1 - k);
      moment[k] = (segment * moment[k] - path * along) / divisor;
    }
  }
};

template <typename Real>
class DmrModel final : public EffectiveModel<Real> {
 public:
  explicit DmrModel(const WireResistance& wires) : ohm_(line_ohm<Real>(wires)) {}
  [[nodiscard]] ModelKind kind() const override { return ModelKind::dmr; }

 private:
  struct Factors {
    MeanLine<Real> bitline;   // a, position i
    MeanLine<Real> wordline;  // b, position n - 1 - j
    [[nodiscard]] Real a(Index i) const { return bitline.factor[i]; }
    [[nodiscard]] Real b(Index j) const { return wordline.factor[wordline.length - 1 - j]; }
  };

  static Index factor_scratch(const TileBatch& batch) { return 3 * (batch.rows + batch.columns); }

  [[nodiscard]] Factors factors(const TileBatch& batch, const Real* g, Real* scratch) const {
    const Index m = batch.rows;
    const Index n = batch.columns;
    Real* second = scratch + 3 * m;
    Factors result{{m, ohm_.sink, ohm_.bitline, scratch, scratch + m, scratch + 2 * m, 1},
                   {n, ohm_.source, ohm_.wordline, second, second + n, second + 2 * n, 1}};
    std::fill(scratch, scratch + factor_scratch(batch), Real(0));
    for (Index i = 0; i < m; ++i) {
      for (Index j = 0; j < n; ++j) {
        result.bitline.mean[i] += g[i * n + j] / static_cast<Real>(n);
        result.wordline.mean[n - 1 - j] += g[i * n + j] / static_cast<Real>(m);
      }
    }
    result.bitline.find_factors();
    result.wordline.find_factors();
    return result;
  }

  void do_effective(const TileBatch& batch, const Real* conductance, Real* out) const override {
    const Index n = batch.columns;
    const Index size = batch.tile_size();
    for_each_tile<Real>(batch, factor_scratch(batch), [&](Index t, Real* scratch) {
      const Real* g = conductance + t * size;
      const Factors f = factors(batch, g, scratch);
      for (Index i = 0; i < batch.rows; ++i) {
        for (Index j = 0; j < n; ++j) out[t * size + i * n + j] = f.a(i) * g[i * n + j] * f.b(j);
      }
    });
  }

  void do_gradient(const TileBatch& batch, const Real* conductance, const Real* cotangent,
                   Real* out) const override {
    const Index m = batch.rows;
    const Index n = batch.columns;
    const Index size = batch.tile_size();
    const Index needed = factor_scratch(batch);
    for_each_tile<Real>(batch, needed + m + n, [&](Index t, Real* scratch) {
      const Real* g = conductance + t * size;
      const Real* at = cotangent + t * size;
      Factors f = factors(batch, g, scratch);
      Real* at_a = scratch + needed;
      Real* at_b = at_a + m;
      std::fill(at_a, at_b + n, Real(0));
      for (Index i = 0; i < m; ++i) {
        for (Index j = 0; j < n; ++j) {
          const Real c = at[i * n + j] * g[i * n + j];
          at_a[i] += c * f.b(j);
          at_b[n - 1 - j] += c * f.a(i);
        }
      }
      f.bitline.pull_back(at_a);
      f.wordline.pull_back(at_b);
      for (Index i = 0; i < m; ++i) {
        for (Index j = 0; j < n; ++j) {
          out[t * size + i * n + j] = at[i * n + j] * f.a(i) * f.b(j) +
                                      f.bitline.moment[i] / static_cast<Real>(n) +
                                      f.wordline.moment[n - 1 - j] / static_cast<Real>(m);
        }
      }
    });
  }

  LineOhm<Real> ohm_;
};

template <typename Real>
std::unique_ptr<EffectiveModel<Real>> make(const WireResistance& wires,
                                           const ExactSolver& /*exact*/) {
  return std::make_unique<DmrModel<Real>>(wires);
}

}  // namespace

Member dmr_member() {
  return {{.kind = ModelKind::dmr,
           .name = "dmr",
           .what = "a row and a column factor of mean lines (Liao et al.)",
           .of_other_groups = true},
          make<float>,
          make<double>};
}

}  // namespace xbar::surrogate
