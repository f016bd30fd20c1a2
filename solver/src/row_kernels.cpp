#include "row_kernels.hpp"

namespace xbar::solver::XBAR_ISA {
namespace {

inline double magnitude(double x) { return x < 0 ? -x : x; }
inline double larger(double x, double y) { return x > y ? x : y; }

}  // namespace

void row_currents(long n, const double* x, const double* y, const double* each, double siemens,
                  double* out) {
  if (each != nullptr) {
#pragma omp simd
    for (long j = 0; j < n; ++j) out[j] = (x[j] - y[j]) * each[j];
  } else {
#pragma omp simd
    for (long j = 0; j < n; ++j) out[j] = (x[j] - y[j]) * siemens;
  }
}

RowBalance row_balance(long n, const double* G, const double* u, const double* w,
                       const double* right, const double* above, const double* below) {
  double worst_wordline = 0;
  double worst_bitline = 0;
  double largest = 0;
  double most = 0;
  double check = 0;
#pragma omp simd reduction(max : worst_wordline, worst_bitline, largest, most) reduction(+ : check)
  for (long j = 0; j < n; ++j) {
    const double current = G[j] * (u[j] - w[j]);
    worst_wordline = larger(magnitude(right[j] - right[j + 1] - current), worst_wordline);
    worst_bitline = larger(magnitude(above[j] - below[j] + current), worst_bitline);
    largest = larger(magnitude(current), largest);
    most = larger(G[j], most);
    check += current;
  }
  return {worst_wordline, worst_bitline, largest, most, check};
}

void add_row(long n, const double* G, const double* u, const double* w, double* current,
             double* siemens) {
#pragma omp simd
  for (long j = 0; j < n; ++j) {
    current[j] += G[j] * (u[j] - w[j]);
    siemens[j] += G[j];
  }
}

}  // namespace xbar::solver::XBAR_ISA
