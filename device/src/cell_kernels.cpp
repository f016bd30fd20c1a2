#include "cell_kernels.hpp"

// No Eigen, no standard algorithms here: this file is compiled for several instruction sets, and an
// inline function shared with other files would be kept in only one of its versions.

namespace xbar::device::XBAR_ISA {
namespace {

#define XBAR_INLINE [[gnu::always_inline]] inline

XBAR_INLINE double smaller(double a, double b) { return a < b ? a : b; }
XBAR_INLINE double larger(double a, double b) { return a > b ? a : b; }

constexpr double ln2 = 0x1.62e42fefa39efp-1;

// sinh(x) and cosh(x) for x >= 0 by q = exp(x) - 1, which keeps all digits near 0: with x = k ln2 +
// r, |r| <= ln2 / 2, q = 2^k (exp(r) - 1) + (2^k - 1), exp(r) - 1 by its Taylor series.
XBAR_INLINE void sinh_cosh(double x, double& sine, double& cosine) {
  // Adding this number leaves the nearest integer in the lowest bits.
  constexpr double shift = 0x1.8p52;
  // ln 2 in two parts, the first with so few bits that k times it is exact.
  constexpr double ln2_high = 0x1.62e42feep-1;
  constexpr double ln2_low = 0x1.a39ef35793c76p-33;
  const double shifted = smaller(x, 700.0) * (1 / ln2) + shift;
  const double k = shifted - shift;
  const double r = (smaller(x, 700.0) - k * ln2_high) - k * ln2_low;
  double series = 1.0 / 6227020800;
  series = series * r + 1.0 / 479001600;
  series = series * r + 1.0 / 39916800;
  series = series * r + 1.0 / 3628800;
  series = series * r + 1.0 / 362880;
  series = series * r + 1.0 / 40320;
  series = series * r + 1.0 / 5040;
  series = series * r + 1.0 / 720;
  series = series * r + 1.0 / 120;
  series = series * r + 1.0 / 24;
  series = series * r + 1.0 / 6;
  series = series * r + 0.5;
  const double p = r + r * r * series;
  const long bits = __builtin_bit_cast(long, shifted);
  const double scale = __builtin_bit_cast(double, (bits + 1023) << 52);
  const double q = scale * p + (scale - 1);
  const double share = q / (1 + q);
  sine = q - 0.5 * q * share;
  cosine = 1 + 0.5 * q * share;
}

// An upper bound of log(x), x >= 1, not more than 0.06 above: straight lines between powers of 2.
XBAR_INLINE double log_bound(double x) {
  const long bits = __builtin_bit_cast(long, x);
  // The upper 52 of the 64 bits as a number, by putting them behind the exponent of 2^52.
  const double number = __builtin_bit_cast(double, (bits >> 12) | 0x4330000000000000L) - 0x1p52;
  return (number * 0x1p-40 - 1023 + 0.0861) * ln2;
}

constexpr long chunk = 64;      // cells that iterate together
constexpr int most_steps = 60;  // of Newton's method; a handful is usual

// sinh element in series with a conductance: in y = rate * x,
//   y + c sinh(y) = W      W = rate |v|, c = conductance of the element at 0 V / series conductance
// Left of the root nothing grows faster than the line through it, so Newton's method started above
// the root falls to it without a safeguard; W and asinh(W / c) are such starts.
template <typename Parts>
XBAR_INLINE void solve_sinh_series(long count, double rate, const double* G, const double* v,
                                   double* I, double* derivative, const Parts& parts) {
  for (long first = 0; first < count; first += chunk) {
    const long size = count - first < chunk ? count - first : chunk;
    double y[chunk];
    double W[chunk];
    double c[chunk];
    double series[chunk];
#pragma omp simd
    for (long e = 0; e < size; ++e) {
      parts(G[first + e], series[e], c[e]);
      W[e] = rate * __builtin_fabs(v[first + e]);
      y[e] = smaller(W[e], log_bound(2 * (W[e] / c[e]) + 1));  // asinh(t) <= log(2 t + 1)
    }
    for (int step = 0; step < most_steps; ++step) {
      double largest = 0;
#pragma omp simd reduction(max : largest)
      for (long e = 0; e < size; ++e) {
        double sine;
        double cosine;
        sinh_cosh(y[e], sine, cosine);
        const double change = (y[e] + c[e] * sine - W[e]) / (1 + c[e] * cosine);
        y[e] -= change;
        largest = larger(largest, __builtin_fabs(change));
      }
      // What is left of y is half the square of this, and of the current, the square of that.
      if (!(largest > 1e-6)) break;
    }
#pragma omp simd
    for (long e = 0; e < size; ++e) {
      double sine;
      double cosine;
      sinh_cosh(y[e], sine, cosine);
      const double slope = c[e] * cosine;
      // The mean of the element's and the resistor's current in which an error of y cancels.
      const double current = (c[e] * sine + (W[e] - y[e]) * slope) / (1 + slope) * series[e] / rate;
      const bool open = !(G[first + e] > 0);
      I[first + e] = open ? 0.0 : __builtin_copysign(current, v[first + e]);
      derivative[first + e] = open ? 0.0 : series[e] * (slope / (1 + slope));
    }
  }
}

// Keeps the ratio within what can be divided by and multiplied with; beyond, one of the two
// elements has all of the voltage anyway.
XBAR_INLINE double bounded_ratio(double ratio) { return smaller(larger(ratio, 1e-290), 1e290); }

}  // namespace

void sinh_cells(long count, double alpha, const double* __restrict G, const double* __restrict v,
                double* __restrict I, double* __restrict derivative) {
  const double inverse = 1 / alpha;
#pragma omp simd
  for (long e = 0; e < count; ++e) {
    double sine;
    double cosine;
    sinh_cosh(__builtin_fabs(alpha * v[e]), sine, cosine);
    I[e] = G[e] * (__builtin_copysign(sine, v[e]) * inverse);
    derivative[e] = G[e] * cosine;
  }
}

void sinh_series_cells(long count, double access_ohm, double alpha, const double* __restrict G,
                       const double* __restrict v, double* __restrict I,
                       double* __restrict derivative) {
  const double access = 1 / access_ohm;
  solve_sinh_series(count, alpha, G, v, I, derivative,
                    [=](double g, double& series, double& ratio) {
                      series = access;
                      ratio = bounded_ratio(g * access_ohm);
                    });
}

void selector_cells(long count, double ampere, double volt, const double* __restrict G,
                    const double* __restrict v, double* __restrict I,
                    double* __restrict derivative) {
  const double siemens = ampere / volt;
  solve_sinh_series(count, 1 / volt, G, v, I, derivative,
                    [=](double g, double& series, double& ratio) {
                      series = g;
                      ratio = bounded_ratio(siemens / g);
                    });
}

// Newton's method between bounds that close in: in z = |x|, sign = sign(v),
//   f(z) - G (|v| - z) = 0      f(z) = sign k/2 (A^2 - B^2) (1 + lambda z),
//   A = max(Vo, 0), B = max(Vo - sign z, 0)
void transistor_cells(long count, double k, double lambda, const double* __restrict Vo,
                      const double* __restrict G, const double* __restrict v, double* __restrict I,
                      double* __restrict derivative) {
  const auto channel = [=](double overdrive, double sign, double z, double& current,
                           double& slope) {
    const double A = larger(overdrive, 0.0);
    const double at_x = overdrive - sign * z;
    const double B = larger(at_x, 0.0);
    // sign (A - B), exactly z where both are open.
    const double difference = overdrive > 0 && at_x > 0 ? z : sign * (A - B);
    const double plain = 0.5 * k * difference * (A + B);
    current = plain * (1 + lambda * z);
    slope = k * B * (1 + lambda * z) + lambda * plain;
  };
  for (long first = 0; first < count; first += chunk) {
    const long size = count - first < chunk ? count - first : chunk;
    double z[chunk];
    double low[chunk];
    double high[chunk];
    for (long e = 0; e < size; ++e) {
      low[e] = 0;
      high[e] = __builtin_fabs(v[first + e]);
      z[e] = 0;
    }
    for (int step = 0; step < most_steps; ++step) {
      double largest = 0;
#pragma omp simd reduction(max : largest)
      for (long e = 0; e < size; ++e) {
        const double g = G[first + e];
        const double across = __builtin_fabs(v[first + e]);
        double current;
        double slope;
        channel(Vo[first + e], v[first + e] < 0 ? -1.0 : 1.0, z[e], current, slope);
        const double excess = current - g * (across - z[e]);
        low[e] = excess > 0 ? low[e] : z[e];
        high[e] = excess > 0 ? z[e] : high[e];
        const double wanted = z[e] - excess / larger(slope + g, 1e-300);
        const bool inside = wanted >= low[e] && wanted <= high[e];
        const double next = inside ? wanted : 0.5 * (low[e] + high[e]);
        largest = larger(largest, __builtin_fabs(next - z[e]) - 1e-7 * across);
        z[e] = next;
      }
      if (!(largest > 0)) break;
    }
#pragma omp simd
    for (long e = 0; e < size; ++e) {
      const double g = G[first + e];
      double current;
      double slope;
      channel(Vo[first + e], v[first + e] < 0 ? -1.0 : 1.0, z[e], current, slope);
      const double sum = larger(slope + g, 1e-300);
      // As above: the mean of both currents in which an error of z cancels.
      const double both = (current * g + g * (__builtin_fabs(v[first + e]) - z[e]) * slope) / sum;
      I[first + e] = __builtin_copysign(both, v[first + e]);
      derivative[first + e] = slope * g / sum;
    }
  }
}

}  // namespace xbar::device::XBAR_ISA
