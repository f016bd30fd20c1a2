#pragma once

/// Inner loops of the line method, compiled once per instruction set (core/isa.hpp).
///
/// A ladder is one line of K nodes, k = 0 at its near terminal (wordline: left, bitline: bottom),
/// k = K-1 at the far one. With Y(k) the conductance seen at node k looking away from the near
/// terminal, cell included,
///   Y(K-1) = G(K-1) + 1/R_far,   Y(k) = G(k) + Y(k+1) / (1 + r(k) Y(k+1)),
/// and a(k) = 1/(1 + r(k) Y(k+1)), b(k) = r(k) a(k), h = R/(1 + R Y(0)), the nodal equations
/// "ladder v = injected currents c, terminals at 0 V" are solved by
///   J(K-1) = c(K-1),  J(k) = c(k) + a(k) J(k+1),
///   v(0) = h J(0),    v(k+1) = a(k) v(k) + b(k) J(k+1),
/// and c . v = h J(0)^2 + sum_k b(k) J(k+1)^2, the energy of the currents c. Only sums of
/// non-negative numbers are divided: exact for r = 0, R = 0 and G = 0 as well.
///
/// Fields are stored by wordlines, x[i * stride + j], stride a multiple of 8, rows of `lane_rows`
/// at a time, padded with zeros; all arrays are aligned to 64 bytes. Bitline ladders run over the
/// rows, vectorised along the row. Wordline ladders run along the row, `lane_rows` of them at a
/// time as lanes: their factors are stored x[j * lane_rows + lane], and fields are transposed in
/// registers on the way in and out.

#define XBAR_DECLARE_LINE_KERNELS                                                                  \
  /* Factors of `lane_rows` wordlines of n nodes, padded to n8. segment: r(j) of each lane         \
     (n x lane_rows), or null if all are segment_ohm and no right terminal is connected. right:    \
     1/R_far of each lane, infinite for 0. b is written only with `segment`. Y: what the left      \
     terminal sees. */                                                                             \
  void wordline_factor(long n, long n8, long stride, const double* G, double segment_ohm,          \
                       const double* segment, const double* right, double* a, double* b,           \
                       double* Y);                                                                 \
  /* Factors of the bitlines in columns [begin, end), multiples of 8; a, b: m x stride, the last   \
     row of them 0. segment: (m-1) x stride or null, top: 1/R_far, as above. */                    \
  void bitline_factor(long m, long stride, long begin, long end, const double* G,                  \
                      double segment_ohm, const double* segment, const double* top, double* a,     \
                      double* b, double* Y);                                                       \
  /* out = v of `lane_rows` wordlines driven from the left by v(0) = start, no injected current */ \
  void wordline_drive(long n8, long stride, const double* a, const double* start, double* out);    \
  /* out = G T^-1 (G x) for `lane_rows` wordlines; returns (G x) . T^-1 (G x). b null: b = r a     \
     with r = segment_ohm. scratch: (n8 + 1) x lane_rows. */                                       \
  double wordline_couple(long n8, long stride, const double* G, const double* a, const double* b,  \
                         double segment_ohm, const double* h, const double* x, double* scratch,    \
                         double* out);                                                             \
  /* out += T^-1 (G x) for `lane_rows` wordlines; x null: 1 */                                     \
  void wordline_add(long n8, long stride, const double* G, const double* a, const double* b,       \
                    double segment_ohm, const double* h, const double* x, double* scratch,         \
                    double* out);                                                                  \
  /* z = S^-1 r in columns [begin, end); returns r . z */                                          \
  double bitline_solve(long m, long stride, long begin, long end, const double* a,                 \
                       const double* b, double segment_ohm, const double* h, const double* r,      \
                       double* z);                                                                 \
  /* One step of the conjugate gradients in columns [begin, end), then the next preconditioned     \
     residual: p = z + beta p, y = (r - q) + beta y, w += alpha p, r -= alpha y, z = S^-1 r;       \
     returns r . z. first: there is no p and y yet. */                                             \
  double bitline_step(long m, long stride, long begin, long end, const double* a, const double* b, \
                      double segment_ohm, const double* h, bool first, double alpha, double beta,  \
                      const double* q, double* p, double* y, double* w, double* r, double* z);     \
  /* Coarse correction (coarse_space.hpp). Piecewise linear interpolation along a line: position k \
     takes 1 - theta[k] of coarse node low[k] and theta[k] of low[k] + 1; low never falls. */      \
  /* coarse = P_rows^T r in columns [begin, end): coarse_rows x stride, zeroed where none reaches  \
   */                                                                                              \
  void restrict_rows(long m, long stride, long begin, long end, const int* low,                    \
                     const double* theta, long coarse_rows, const double* r, double* coarse);      \
  /* z += (1 - theta) low + theta high */                                                          \
  void add_interpolated(long count, double theta, const double* low, const double* high,           \
                        double* z);                                                                \
  /* q -= S x at one row of bitlines: G x + above (x - x_above) + below (x - x_below), where every \
     x is interpolated between two coarse nodes: x[0] above, x[1] here, x[2] below. */             \
  void subtract_line_currents(long count, const double* G, const double* above,                    \
                              const double* below, const double* theta, const double* const* low,  \
                              const double* const* high, double* q);                               \
  /* F(J,K) = (G beta_J) . T^-1 (G beta_K) of each of `lane_rows` wordlines for the coarse         \
     functions beta_0, beta_1, ...: F[(K (K+1) / 2 + J) lane_rows + lane], J <= K. scratch: count  \
     lane_rows. */                                                                                 \
  void wordline_coarse(long n, long n8, long stride, const double* G, const double* a,             \
                       const double* b, double segment_ohm, const double* h, const int* low,       \
                       const double* theta, long count, double* scratch, double* F);               \
  /* The sum of x; NaN if one is negative or NaN. */                                               \
  double sum_nonnegative(long count, const double* x);                                             \
  /* out = x * y, elementwise */                                                                   \
  void multiply(long count, const double* x, const double* y, double* out);                        \
  /* y += x */                                                                                     \
  void add(long count, const double* x, double* y);                                                \
  /* y -= x */                                                                                     \
  void subtract(long count, const double* x, double* y);                                           \
  /* out += x * y, elementwise */                                                                  \
  void add_product(long count, const double* x, const double* y, double* out);

namespace xbar::solver {

/// Wordlines that are taken together: two AVX-512 vectors, four of AVX2.
inline constexpr long lane_rows = 16;

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
