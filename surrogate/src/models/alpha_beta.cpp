// Alpha-beta matrices: dmr.cpp's form with every line's own cells in place of the means,
//   G_eff(i,j) = alpha(i,j) G(i,j) beta(i,j)
//
//   alpha(i,j) = (1 + bitline sum over k < i of (i - k) G(k,j)) / A(j),
//   A(j) = 1 + sum over k of (sink + bitline (m - 1 - k)) G(k,j),
//
//   beta(i,j) = (1 + wordline sum over k > j of (k - j) G(i,k)) / B(i),
//   B(i) = 1 + sum over k of (source + wordline k) G(i,k).
//
// As coded in [Lambertini2024], which names IEEE document 9691996 for it. There alpha and beta are
// of currents I = G V_max with both parts multiplied by I(0,j)/bitline or I(i,n-1)/wordline, which
// cancels, but makes 0/0 of an open cell there. It has no source and sink but a segment before the
// first and after the last cell: ours with source = wordline and sink = bitline, all else is added.
// O(mn).

#include <algorithm>

#include "line_moments.hpp"
#include "models.hpp"

namespace xbar::surrogate {
namespace {

// Numerators and denominators of a tile.
template <typename Real>
struct LineFactors {
  Index m;
  Index n;
  Real* alpha;        // m x n
  Real* beta;         // m x n
  Real* alpha_under;  // n
  Real* beta_under;   // m
  Real* head;         // max(m, n)

  static Index scratch(Index m, Index n) { return 2 * m * n + m + n + std::max(m, n); }
  LineFactors(Index rows, Index columns, Real* at)
      : m(rows),
        n(columns),
        alpha(at),
        beta(at + m * n),
        alpha_under(at + 2 * m * n),
        beta_under(alpha_under + n),
        head(beta_under + m) {}

  // Towards the sink, against the drive; the transposes the other way.
  void down(const Real* x, Real* y) { moments(Lines{n, 1, m, n}, x, y, head); }
  void up(const Real* x, Real* y) {
    moments(Lines{n, 1, m, -n}, x + (m - 1) * n, y + (m - 1) * n, head);
  }
  void right(const Real* x, Real* y) { moments(Lines{m, n, n, 1}, x, y, head); }
  void left(const Real* x, Real* y) { moments(Lines{m, n, n, -1}, x + n - 1, y + n - 1, head); }

  void find(const LineOhm<Real>& ohm, const Real* g) {
    down(g, alpha);
    for (Index j = 0; j < n; ++j) {
      const Index last = (m - 1) * n + j;
      alpha_under[j] = 1 + ohm.bitline * alpha[last] + ohm.sink * (head[j] + g[last]);
    }
    left(g, beta);
    for (Index i = 0; i < m; ++i) {
      beta_under[i] = 1 + ohm.wordline * beta[i * n] + ohm.source * (head[i] + g[i * n]);
      for (Index j = 0; j < n; ++j) {
        const Index c = i * n + j;
        alpha[c] = (1 + ohm.bitline * alpha[c]) / alpha_under[j];
        beta[c] = (1 + ohm.wordline * beta[c]) / beta_under[i];
      }
    }
  }
};

template <typename Real>
class AlphaBetaModel final : public EffectiveModel<Real> {
 public:
  explicit AlphaBetaModel(const WireResistance& wires) : ohm_(line_ohm<Real>(wires)) {}
  [[nodiscard]] ModelKind kind() const override { return ModelKind::alpha_beta; }

 private:
  void do_effective(const TileBatch& batch, const Real* conductance, Real* out) const override {
    const Index size = batch.tile_size();
    const Index needed = LineFactors<Real>::scratch(batch.rows, batch.columns);
    for_each_tile<Real>(batch, needed, [&](Index t, Real* scratch) {
      const Real* g = conductance + t * size;
      LineFactors<Real> f(batch.rows, batch.columns, scratch);
      f.find(ohm_, g);
      for (Index c = 0; c < size; ++c) out[t * size + c] = f.alpha[c] * g[c] * f.beta[c];
    });
  }

  // Through the numerators by the transposed moments, through the denominators by the sums of C
  // G_eff over the line.
  void do_gradient(const TileBatch& batch, const Real* conductance, const Real* cotangent,
                   Real* out) const override {
    const Index m = batch.rows;
    const Index n = batch.columns;
    const Index size = batch.tile_size();
    const Index needed = LineFactors<Real>::scratch(m, n);
    for_each_tile<Real>(batch, needed + 3 * size + m + n, [&](Index t, Real* scratch) {
      const Real* g = conductance + t * size;
      const Real* at = cotangent + t * size;
      Real* result = out + t * size;
      LineFactors<Real> f(m, n, scratch);
      f.find(ohm_, g);
      Real* at_alpha = scratch + needed;  // d(loss) by the numerators
      Real* at_beta = at_alpha + size;
      Real* pulled = at_beta + size;
      Real* bitline_sum = pulled + size;
      Real* wordline_sum = bitline_sum + n;
      std::fill(bitline_sum, wordline_sum + m, Real(0));
      for (Index i = 0; i < m; ++i) {
        for (Index j = 0; j < n; ++j) {
          const Index c = i * n + j;
          const Real along = at[c] * g[c];
          at_alpha[c] = along * f.beta[c] / f.alpha_under[j];
          at_beta[c] = along * f.alpha[c] / f.beta_under[i];
          bitline_sum[j] += at_alpha[c] * f.alpha[c];
          wordline_sum[i] += at_beta[c] * f.beta[c];
          result[c] = at[c] * f.alpha[c] * f.beta[c];
        }
      }
      f.up(at_alpha, pulled);
      for (Index i = 0; i < m; ++i) {
        const Real path = ohm_.sink + ohm_.bitline * static_cast<Real>(m - 1 - i);
        for (Index j = 0; j < n; ++j) {
          result[i * n + j] += ohm_.bitline * pulled[i * n + j] - path * bitline_sum[j];
        }
      }
      f.right(at_beta, pulled);
      for (Index i = 0; i < m; ++i) {
        for (Index j = 0; j < n; ++j) {
          const Real path = ohm_.source + ohm_.wordline * static_cast<Real>(j);
          result[i * n + j] += ohm_.wordline * pulled[i * n + j] - path * wordline_sum[i];
        }
      }
    });
  }

  LineOhm<Real> ohm_;
};

template <typename Real>
std::unique_ptr<EffectiveModel<Real>> make(const WireResistance& wires,
                                           const ExactSolver& /*exact*/) {
  return std::make_unique<AlphaBetaModel<Real>>(wires);
}

}  // namespace

Member alpha_beta_member() {
  return {{.kind = ModelKind::alpha_beta,
           .name = "alpha-beta",
           .what = "dmr with every line's own cells",
           .of_other_groups = true},
          make<float>,
          make<double>};
}

}  // namespace xbar::surrogate
