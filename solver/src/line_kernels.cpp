#include "line_kernels.hpp"

#include "kernel_vectors.hpp"

// No Eigen, no standard algorithms here: this file is compiled for several instruction sets, and an
// inline function shared with other files would be kept in only one of its versions.

namespace xbar::solver::XBAR_ISA {
namespace {

constexpr double infinite = __builtin_inf();
constexpr long lanes = lane_rows;
constexpr long groups = lanes / width;  // registers that hold one node of all lanes

inline Vec all(double x) { return x - Vec{}; }
inline double sum(Vec x) {
  double total = 0;
  for (long e = 0; e < width; ++e) total += x[e];
  return total;
}

// One step of a factorisation across a segment of r ohm, from the far node's Y: writes a and b and
// returns Y behind the segment. r is infinite where the segment is broken, Y where the node is held
// by a far terminal of zero resistance.
inline Vec across_segment(Vec r, Vec Y, double* a, double* b) {
  const Vec f = 1.0 / (1.0 + r * Y);
  const auto cut = r == infinite;
  const auto held = Y == infinite;
  store(a, cut || held ? all(0) : f);
  store(b, cut ? 1.0 / Y : held ? all(0) : r * f);
  return cut ? all(0) : held ? 1.0 / r : Y * f;
}

// Columns [begin, end) in steps of four registers, then of one; begin and end are multiples of 8.
template <typename Body>
inline void for_columns(long begin, long end, const Body& body) {
  long c = begin;
  for (; c + 4 * width <= end; c += 4 * width) body.template operator()<4>(c);
  for (; c < end; c += width) body.template operator()<1>(c);
}

// Nodes of `lanes` wordlines in columns [j, j + width): x[g][k] holds column j + k of group g.
inline void transpose_in(const double* x, long stride, long j, Vec (&out)[groups][width]) {
  for (int g = 0; g < groups; ++g) {
    for (int k = 0; k < width; ++k) out[g][k] = load(x + (g * width + k) * stride + j);
    transpose(out[g]);
  }
}

template <bool uniform, bool product = true>
double couple(long n8, long stride, const double* G, const double* a, const double* b, double r,
              const double* h, const double* x, double* scratch, bool accumulate, double* out) {
  Vec J[groups];
  for (int g = 0; g < groups; ++g) J[g] = all(0);
  for (long j = n8 - width; j >= 0; j -= width) {
    Vec c[groups][width];
    for (int g = 0; g < groups; ++g) {
      for (int k = 0; k < width; ++k) {
        const long at = (g * width + k) * stride + j;
        c[g][k] = load(G + at);
        if constexpr (product) c[g][k] *= load(x + at);
      }
      transpose(c[g]);
    }
    for (int k = width - 1; k >= 0; --k) {
      for (int g = 0; g < groups; ++g) {
        const long at = (j + k) * lanes + g * width;
        J[g] = c[g][k] + load(a + at) * J[g];
        store(scratch + at, J[g]);
      }
    }
  }
  // scratch has a row of zeros behind the last one: J(n8).
  Vec v[groups];
  Vec energy[groups];
  for (int g = 0; g < groups; ++g) {
    v[g] = load(h + g * width) * J[g];
    energy[g] = v[g] * J[g];
    store(scratch + n8 * lanes + g * width, all(0));
  }
  for (long j = 0; j < n8; j += width) {
    Vec t[groups][width];
    for (int k = 0; k < width; ++k) {
      for (int g = 0; g < groups; ++g) {
        t[g][k] = v[g];
        const long at = (j + k) * lanes + g * width;
        const Vec next = load(scratch + at + lanes);
        if constexpr (uniform) {
          const Vec ak = load(a + at);
          v[g] = ak * (v[g] + r * next);
          energy[g] += r * ak * next * next;
        } else {
          const Vec bk = load(b + at);
          v[g] = load(a + at) * v[g] + bk * next;
          energy[g] += bk * next * next;
        }
      }
    }
    for (int g = 0; g < groups; ++g) {
      transpose(t[g]);
      for (int k = 0; k < width; ++k) {
        const long at = (g * width + k) * stride + j;
        store(out + at, accumulate ? load(out + at) + t[g][k] : load(G + at) * t[g][k]);
      }
    }
  }
  double total = 0;
  for (int g = 0; g < groups; ++g) total += sum(energy[g]);
  return total;
}

// z = S^-1 r from the currents J towards the sinks, which z holds on entry.
template <bool uniform>
void bitline_back(long m, long stride, long begin, long end, const double* a, const double* b,
                  double ohm, const double* h, double* z) {
  double* last = z + (m - 1) * stride;
  for (long c = begin; c < end; c += width) store(last + c, load(h + c) * load(last + c));
  for (long i = m - 2; i >= 0; --i) {
    for (long c = begin; c < end; c += width) {
      const long at = i * stride + c;
      const Vec below = load(z + at + stride);
      if constexpr (uniform) {
        store(z + at, load(a + at) * (below + ohm * load(z + at)));
      } else {
        store(z + at, load(a + at) * below + load(b + at) * load(z + at));
      }
    }
  }
}

// The currents J(i) = r(i) + a(i-1) J(i-1) towards the sinks, from top to bottom, then z = S^-1 r.
// residual(at) gives r and may do whatever else is to be done at that place; returns r . z.
template <bool uniform, typename Residual>
double bitline_sweep(long m, long stride, long begin, long end, const double* a, const double* b,
                     double ohm, const double* h, double* z, const Residual& residual) {
  Vec energy[2] = {};
  for (long i = 0; i < m; ++i) {
    for (long c = begin; c < end; c += 2 * width) {
      for (int e = 0; e < 2; ++e) {
        if (width == 8 && c + e * width >= end) break;  // end is a multiple of 8 only
        const long at = i * stride + c + e * width;
        Vec J = residual(at);
        if (i > 0) J += load(a + at - stride) * load(z + at - stride);
        store(z + at, J);
        if (i + 1 == m) {
          energy[e] += load(h + c + e * width) * J * J;
        } else if constexpr (uniform) {
          energy[e] += ohm * load(a + at) * J * J;
        } else {
          energy[e] += load(b + at) * J * J;
        }
      }
    }
  }
  bitline_back<uniform>(m, stride, begin, end, a, b, ohm, h, z);
  return sum(energy[0] + energy[1]);
}

template <bool uniform, bool first>
double step(long m, long stride, long begin, long end, const double* a, const double* b, double ohm,
            const double* h, double alpha, double beta, const double* q, double* p, double* y,
            double* w, double* r, double* z) {
  return bitline_sweep<uniform>(m, stride, begin, end, a, b, ohm, h, z, [=](long at) {
    Vec direction = load(z + at);
    Vec image = load(r + at) - load(q + at);
    if constexpr (!first) {
      direction += beta * load(p + at);
      image += beta * load(y + at);
    }
    store(p + at, direction);
    store(y + at, image);
    store(w + at, load(w + at) + alpha * direction);
    const Vec residual = load(r + at) - alpha * image;
    store(r + at, residual);
    return residual;
  });
}

}  // namespace

void wordline_factor(long n, long n8, long stride, const double* G, double segment_ohm,
                     const double* segment, const double* right, double* a, double* b, double* Y) {
  Vec seen[groups] = {};
  for (long j0 = n8 - width; j0 >= 0; j0 -= width) {
    Vec g_lanes[groups][width];
    transpose_in(G, stride, j0, g_lanes);
    for (int k = width - 1; k >= 0; --k) {
      const long j = j0 + k;
      for (int g = 0; g < groups; ++g) {
        const long at = j * lanes + g * width;
        if (j >= n - 1) {
          store(a + at, all(0));
          if (segment != nullptr) store(b + at, all(0));
          if (j == n - 1) seen[g] = g_lanes[g][k] + load(right + g * width);
        } else if (segment == nullptr) {
          const Vec f = 1.0 / (1.0 + segment_ohm * seen[g]);
          store(a + at, f);
          seen[g] = g_lanes[g][k] + seen[g] * f;
        } else {
          seen[g] = g_lanes[g][k] + across_segment(load(segment + at), seen[g], a + at, b + at);
        }
      }
    }
  }
  for (int g = 0; g < groups; ++g) store(Y + g * width, seen[g]);
}

void bitline_factor(long m, long stride, long begin, long end, const double* G, double segment_ohm,
                    const double* segment, const double* top, double* a, double* b, double* Y) {
  for_columns(begin, end, [&]<int N>(long c) {
    Vec seen[N];
    for (int e = 0; e < N; ++e) seen[e] = load(G + c + e * width) + load(top + c + e * width);
    for (long i = 0; i + 1 < m; ++i) {
      for (int e = 0; e < N; ++e) {
        const long at = i * stride + c + e * width;
        const Vec next = load(G + at + stride);
        if (segment == nullptr) {
          const Vec f = 1.0 / (1.0 + segment_ohm * seen[e]);
          store(a + at, f);
          seen[e] = next + seen[e] * f;
        } else {
          seen[e] = next + across_segment(load(segment + at), seen[e], a + at, b + at);
        }
      }
    }
    for (int e = 0; e < N; ++e) {
      const long at = (m - 1) * stride + c + e * width;
      store(a + at, all(0));
      if (segment != nullptr) store(b + at, all(0));
      store(Y + c + e * width, seen[e]);
    }
  });
}

void wordline_drive(long n8, long stride, const double* a, const double* start, double* out) {
  Vec v[groups];
  for (int g = 0; g < groups; ++g) v[g] = load(start + g * width);
  for (long j = 0; j < n8; j += width) {
    Vec t[groups][width];
    for (int k = 0; k < width; ++k) {
      for (int g = 0; g < groups; ++g) {
        t[g][k] = v[g];
        v[g] = load(a + (j + k) * lanes + g * width) * v[g];
      }
    }
    for (int g = 0; g < groups; ++g) {
      transpose(t[g]);
      for (int k = 0; k < width; ++k) store(out + (g * width + k) * stride + j, t[g][k]);
    }
  }
}

double wordline_couple(long n8, long stride, const double* G, const double* a, const double* b,
                       double segment_ohm, const double* h, const double* x, double* scratch,
                       double* out) {
  if (b == nullptr) {
    return couple<true>(n8, stride, G, a, b, segment_ohm, h, x, scratch, false, out);
  }
  return couple<false>(n8, stride, G, a, b, segment_ohm, h, x, scratch, false, out);
}

void wordline_add(long n8, long stride, const double* G, const double* a, const double* b,
                  double segment_ohm, const double* h, const double* x, double* scratch,
                  double* out) {
  const auto run = [=](auto kernel) {
    kernel(n8, stride, G, a, b, segment_ohm, h, x, scratch, true, out);
  };
  if (b == nullptr) {
    x != nullptr ? run(couple<true>) : run(couple<true, false>);
  } else {
    x != nullptr ? run(couple<false>) : run(couple<false, false>);
  }
}

double bitline_solve(long m, long stride, long begin, long end, const double* a, const double* b,
                     double segment_ohm, const double* h, const double* r, double* z) {
  const auto residual = [=](long at) { return load(r + at); };
  return b == nullptr
             ? bitline_sweep<true>(m, stride, begin, end, a, b, segment_ohm, h, z, residual)
             : bitline_sweep<false>(m, stride, begin, end, a, b, segment_ohm, h, z, residual);
}

double bitline_step(long m, long stride, long begin, long end, const double* a, const double* b,
                    double segment_ohm, const double* h, bool first, double alpha, double beta,
                    const double* q, double* p, double* y, double* w, double* r, double* z) {
  const auto run = [=](auto kernel) {
    return kernel(m, stride, begin, end, a, b, segment_ohm, h, alpha, beta, q, p, y, w, r, z);
  };
  if (b == nullptr) return first ? run(step<true, true>) : run(step<true, false>);
  return first ? run(step<false, true>) : run(step<false, false>);
}

void restrict_rows(long m, long stride, long begin, long end, const int* low, const double* theta,
                   long coarse_rows, const double* r, double* coarse) {
  for (long row = 0; row < coarse_rows; ++row) {
    for (long c = begin; c < end; ++c) coarse[row * stride + c] = 0;
  }
  for_columns(begin, end, [&]<int N>(long c) {
    Vec lower[N] = {};
    Vec upper[N] = {};
    int current = low[0];
    for (long i = 0; i < m; ++i) {
      if (low[i] != current) {
        for (int e = 0; e < N; ++e) {
          store(coarse + current * stride + c + e * width, lower[e]);
          lower[e] = upper[e];
          upper[e] = all(0);
        }
        current = low[i];
      }
      for (int e = 0; e < N; ++e) {
        const Vec x = load(r + i * stride + c + e * width);
        lower[e] += (1 - theta[i]) * x;
        upper[e] += theta[i] * x;
      }
    }
    for (int e = 0; e < N; ++e) {
      store(coarse + current * stride + c + e * width, lower[e]);
      store(coarse + (current + 1) * stride + c + e * width, upper[e]);
    }
  });
}

void add_interpolated(long count, double theta, const double* low, const double* high, double* z) {
#pragma omp simd
  for (long e = 0; e < count; ++e) z[e] += (1 - theta) * low[e] + theta * high[e];
}

void subtract_line_currents(long count, const double* G, const double* above, const double* below,
                            const double* theta, const double* const* low,
                            const double* const* high, double* q) {
  const double* low0 = low[0];
  const double* low1 = low[1];
  const double* low2 = low[2];
  const double* high0 = high[0];
  const double* high1 = high[1];
  const double* high2 = high[2];
#pragma omp simd
  for (long e = 0; e < count; ++e) {
    const double x = (1 - theta[1]) * low1[e] + theta[1] * high1[e];
    const double up = (1 - theta[0]) * low0[e] + theta[0] * high0[e];
    const double down = (1 - theta[2]) * low2[e] + theta[2] * high2[e];
    q[e] -= G[e] * x + above[e] * (x - up) + below[e] * (x - down);
  }
}

void wordline_coarse(long n, long n8, long stride, const double* G, const double* a,
                     const double* b, double segment_ohm, const double* h, const int* low,
                     const double* theta, long count, double* scratch, double* F) {
  for (long e = 0; e < count * lanes; ++e) scratch[e] = 0;
  for (long e = 0; e < count * (count + 1) / 2 * lanes; ++e) F[e] = 0;
  for (long j0 = n8 - width; j0 >= 0; j0 -= width) {
    Vec g_lanes[groups][width];
    transpose_in(G, stride, j0, g_lanes);
    for (int k = width - 1; k >= 0; --k) {
      const long j = j0 + k;
      if (j >= n) continue;
      for (int g = 0; g < groups; ++g) {
        const long at = j * lanes + g * width;
        // J(j) of the functions that reach j or lie to its right; the others are still 0.
        for (long K = low[j]; K < count; ++K) {
          double* J = scratch + K * lanes + g * width;
          store(J, load(a + at) * load(J));
        }
        double* here = scratch + low[j] * lanes + g * width;
        store(here, load(here) + (1 - theta[j]) * g_lanes[g][k]);
        store(here + lanes, load(here + lanes) + theta[j] * g_lanes[g][k]);
        const Vec weight = j == 0         ? load(h + g * width)
                           : b == nullptr ? segment_ohm * load(a + at - lanes)
                                          : load(b + at - lanes);
        for (long K = low[j]; K < count; ++K) {
          const Vec scaled = weight * load(scratch + K * lanes + g * width);
          double* row = F + K * (K + 1) / 2 * lanes + g * width;
          for (long J = low[j]; J <= K; ++J) {
            double* f = row + J * lanes;
            store(f, load(f) + scaled * load(scratch + J * lanes + g * width));
          }
        }
      }
    }
  }
}

double sum_nonnegative(long count, const double* x) {
  double total = 0;
#pragma omp simd reduction(+ : total)
  for (long e = 0; e < count; ++e) total += x[e] >= 0 ? x[e] : __builtin_nan("");
  return total;
}

void multiply(long count, const double* x, const double* y, double* out) {
#pragma omp simd
  for (long e = 0; e < count; ++e) out[e] = x[e] * y[e];
}

void add(long count, const double* x, double* y) {
#pragma omp simd
  for (long e = 0; e < count; ++e) y[e] += x[e];
}

void subtract(long count, const double* x, double* y) {
#pragma omp simd
  for (long e = 0; e < count; ++e) y[e] -= x[e];
}

void add_product(long count, const double* x, const double* y, double* out) {
#pragma omp simd
  for (long e = 0; e < count; ++e) out[e] += x[e] * y[e];
}

}  // namespace xbar::solver::XBAR_ISA
