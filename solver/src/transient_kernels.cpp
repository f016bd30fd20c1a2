#include "transient_kernels.hpp"

// No Eigen, no standard algorithms here: this file is compiled for several instruction sets, and an
// inline function shared with other files would be kept in only one of its versions.

namespace xbar::solver::XBAR_ISA {

void combine(long count, const double* C, const double* k, const double* x0, const double* x1,
             const double* x2, double* out) {
  const double k0 = k[0];
  const double k1 = k[1];
  const double k2 = k[2];
  if (C == nullptr) {
#pragma omp simd
    for (long e = 0; e < count; ++e) out[e] = k0 * x0[e] + k1 * x1[e] + k2 * x2[e];
  } else {
#pragma omp simd
    for (long e = 0; e < count; ++e) out[e] = C[e] * (k0 * x0[e] + k1 * x1[e] + k2 * x2[e]);
  }
}

double largest_combination(long count, const double* k, const double* x0, const double* x1,
                           const double* x2, const double* x3) {
  double largest = 0;
  double sum = 0;  // a NaN is no maximum, but it stays in a sum
#pragma omp simd reduction(max : largest) reduction(+ : sum)
  for (long e = 0; e < count; ++e) {
    const double value = k[0] * x0[e] + k[1] * x1[e] + k[2] * x2[e] + k[3] * x3[e];
    const double magnitude = value < 0 ? -value : value;
    largest = magnitude > largest ? magnitude : largest;
    sum += magnitude;
  }
  return sum == sum ? largest : sum;
}

double dissipation(long m, long n, const double* G, const double* wordline, const double* bitline,
                   const double* u, const double* w) {
  double sum = 0;
  for (long i = 0; i < m; ++i) {
    const double* ui = u + i * n;
    const double* wi = w + i * n;
    const double* below = i + 1 < m ? wi + n : wi;  // the last row meets itself
    const double* Gi = G + i * n;
    const double* gw = wordline + i * n;
    const double* gb = bitline + i * n;
#pragma omp simd reduction(+ : sum)
    for (long j = 0; j < n - 1; ++j) {
      const double cell = ui[j] - wi[j];
      const double right = ui[j] - ui[j + 1];
      const double down = wi[j] - below[j];
      sum += Gi[j] * cell * cell + gw[j] * right * right + gb[j] * down * down;
    }
    const double cell = ui[n - 1] - wi[n - 1];
    const double down = wi[n - 1] - below[n - 1];
    sum += Gi[n - 1] * cell * cell + gb[n - 1] * down * down;
  }
  return sum;
}

}  // namespace xbar::solver::XBAR_ISA
