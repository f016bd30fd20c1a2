#pragma once

/// Inner loops of the line method, compiled once per instruction set (core/isa.hpp).
///
/// A ladder is a set of L independent lines of K nodes, node index k = 0 at the terminal (driver or
/// sink), k = K-1 at the open end. Arrays are addressed x[k * stride + line] so that the lines are
/// the contiguous, vectorised axis and the recursions run along k. `stride` may be negative: the
/// bitlines' terminal is at the last row.
///
/// With Y(k) the conductance seen at node k looking away from the terminal, cell included,
///   Y(K-1) = G(K-1),   Y(k) = G(k) + Y(k+1) / (1 + r(k) Y(k+1)),
/// and a(k) = 1/(1 + r(k) Y(k+1)), b(k) = r(k) a(k), t = 1/(1 + R Y(0)), the nodal equations
/// "T v = injected currents c, terminal at V behind R" are solved by
///   J(K-1) = c(K-1),  J(k) = c(k) + a(k) J(k+1),
///   v(0) = t (V + R J(0)),  v(k+1) = a(k) v(k) + b(k) J(k+1).
/// Only sums of non-negative numbers are divided: exact for r = 0, R = 0 and G = 0 as well.

#define XBAR_DECLARE_LINE_KERNELS                                                                  \
  /* a, b: K-1 rows at the ladder's stride (row k at k * stride); t: L. r: (K-1) rows of L at      \
     r_stride (0: the same row for all k); terminal: L. */                                         \
  void ladder_factor(long K, long L, long stride, const double* G, const double* r, long r_stride, \
                     const double* terminal, double* a, double* b, double* t);                     \
  /* Solves T v = c for L lines, zero terminal voltage; v may not alias c. */                      \
  void ladder_solve(long K, long L, long stride, const double* a, const double* b,                 \
                    const double* t, const double* terminal, const double* c, double* v);          \
  /* v = T^-1 (terminal voltages V), no injected current. */                                       \
  void ladder_drive(long K, long L, long stride, const double* a, const double* t,                 \
                    const double* V, double* v);                                                   \
  /* out (columns x rows) = in^T (rows x columns) */                                               \
  void transpose(long rows, long columns, const double* in, double* out);                          \
  /* out = x * y, elementwise */                                                                   \
  void multiply(long count, const double* x, const double* y, double* out);                        \
  double dot(long count, const double* x, const double* y);                                        \
  /* y += alpha x */                                                                               \
  void axpy(long count, double alpha, const double* x, double* y);                                 \
  /* out = s - out; returns p . out */                                                             \
  double subtract_dot(long count, const double* s, const double* p, double* out);                  \
  /* p = z + beta p, s = r + beta s */                                                             \
  void update_directions(long count, double beta, const double* z, const double* r, double* p,     \
                         double* s);                                                               \
  /* Blocks of P = block_size right-hand sides, the contiguous axis. One line: x[k * P + q],       \
     a, b scalars at a[k * ab_stride]. */                                                          \
  void block_line_solve(long K, long ab_stride, const double* a, const double* b, double t,        \
                        double terminal, const double* c, double* v);                              \
  void block_line_drive(long K, long ab_stride, const double* a, double t, const double* V,        \
                        double* v);                                                                \
  /* L lines side by side: x[(k * stride + l) * P + q], a[k * stride + l]. */                      \
  void block_ladder_solve(long K, long L, long stride, const double* a, const double* b,           \
                          const double* t, const double* terminal, const double* c, double* v);    \
  void block_ladder_drive(long K, long L, long stride, const double* a, const double* t,           \
                          const double* V, double* v);                                             \
  /* out[e * P + q] = g[e] * x[e * P + q] for e < count */                                         \
  void block_scale(long count, const double* g, const double* x, double* out);                     \
  /* per right-hand side: sum[q] += x . y */                                                       \
  void block_dot(long count, const double* x, const double* y, double* sum);                       \
  /* per right-hand side q: out = s - out, sum[q] += p . out */                                    \
  void block_subtract_dot(long count, const double* s, const double* p, double* out, double* sum); \
  /* per right-hand side q: w += alpha[q] p, r -= alpha[q] y */                                    \
  void block_step(long count, const double* alpha, const double* p, const double* y, double* w,    \
                  double* r);                                                                      \
  /* per right-hand side q: p = z + beta[q] p, s = r + beta[q] s */                                \
  void block_update_directions(long count, const double* beta, const double* z, const double* r,   \
                               double* p, double* s);

namespace xbar::solver {

/// Right-hand sides in a block: two AVX-512 vectors, four of AVX2.
inline constexpr long block_size = 16;

namespace baseline {
XBAR_DECLARE_LINE_KERNELS
}
#if defined(__x86_64__)
namespace avx2 {
XBAR_DECLARE_LINE_KERNELS
}
namespace avx512 {
XBAR_DECLARE_LINE_KERNELS
}
#endif

}  // namespace xbar::solver
