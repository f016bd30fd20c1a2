#include "ladder_kernels.hpp"

namespace xbar::surrogate::XBAR_ISA {
namespace {

// out (columns x rows) = in^T (rows x columns), by blocks that stay in registers.
template <typename Real>
void transpose(long rows, long columns, const Real* in, Real* out) {
  constexpr long tile = 8;
  for (long i0 = 0; i0 < rows; i0 += tile) {
    const long i1 = i0 + tile < rows ? i0 + tile : rows;
    for (long j0 = 0; j0 < columns; j0 += tile) {
      const long j1 = j0 + tile < columns ? j0 + tile : columns;
      for (long j = j0; j < j1; ++j) {
        for (long i = i0; i < i1; ++i) out[j * rows + i] = in[i * columns + j];
      }
    }
  }
}

template <typename Real>
void ladder_tile(long m, long n, const Real* conductance, const Real* factor, Real source_ohm,
                 Real sink_ohm, Real wordline_ohm, Real bitline_ohm, Real* scratch, Real* out) {
  const long size = m * n;
  Real* across = scratch;        // n x m: wordlines, recursion along j, vectorised over i
  Real* down = scratch + size;   // m x n: bitlines, recursion along i, vectorised over j
  Real* y = scratch + 2 * size;  // the running conductance, one a line

  // Wordlines: across(j) = 1/(1 + r Y(j+1)) from the open end, then a(j+1) = across(j) a(j).
  if (factor == nullptr) {
    transpose(m, n, conductance, across);
  } else {
#pragma omp simd
    for (long e = 0; e < size; ++e) down[e] = conductance[e] * factor[e];
    transpose(m, n, down, across);
  }
  for (long i = 0; i < m; ++i) y[i] = across[(n - 1) * m + i];
  for (long j = n - 2; j >= 0; --j) {
    Real* row = across + j * m;
#pragma omp simd
    for (long i = 0; i < m; ++i) {
      const Real f = Real(1) / (Real(1) + wordline_ohm * y[i]);
      y[i] = row[i] + y[i] * f;
      row[i] = f;
    }
  }
#pragma omp simd
  for (long i = 0; i < m; ++i) y[i] = Real(1) / (Real(1) + source_ohm * y[i]);
  for (long j = 0; j < n; ++j) {
    Real* row = across + j * m;
#pragma omp simd
    for (long i = 0; i < m; ++i) {
      const Real a = y[i];
      y[i] = a * row[i];
      row[i] = a;
    }
  }
  transpose(n, m, across, out);

  // Bitlines: down(i) = 1/(1 + r Y(i-1)), the open end at the top, then b(i-1) = down(i) b(i).
  for (long j = 0; j < n; ++j) {
    y[j] = conductance[j];
    down[j] = 0;  // nothing above the open end; read but not used below
  }
  for (long i = 1; i < m; ++i) {
    const Real* g = conductance + i * n;
    Real* row = down + i * n;
#pragma omp simd
    for (long j = 0; j < n; ++j) {
      const Real f = Real(1) / (Real(1) + bitline_ohm * y[j]);
      y[j] = g[j] + y[j] * f;
      row[j] = f;
    }
  }
#pragma omp simd
  for (long j = 0; j < n; ++j) y[j] = Real(1) / (Real(1) + sink_ohm * y[j]);
  for (long i = m - 1; i >= 0; --i) {
    const Real* g = conductance + i * n;
    const Real* row = down + i * n;
    Real* o = out + i * n;
#pragma omp simd
    for (long j = 0; j < n; ++j) {
      o[j] *= g[j] * y[j];
      y[j] *= row[j];
    }
  }
}

}  // namespace

void ladder_tile_float(long m, long n, const float* conductance, const float* factor,
                       float source_ohm, float sink_ohm, float wordline_ohm, float bitline_ohm,
                       float* scratch, float* out) {
  ladder_tile(m, n, conductance, factor, source_ohm, sink_ohm, wordline_ohm, bitline_ohm, scratch,
              out);
}

void ladder_tile_double(long m, long n, const double* conductance, const double* factor,
                        double source_ohm, double sink_ohm, double wordline_ohm, double bitline_ohm,
                        double* scratch, double* out) {
  ladder_tile(m, n, conductance, factor, source_ohm, sink_ohm, wordline_ohm, bitline_ohm, scratch,
              out);
}

}  // namespace xbar::surrogate::XBAR_ISA
