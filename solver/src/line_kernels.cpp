#include "line_kernels.hpp"

namespace xbar::solver::XBAR_ISA {

void ladder_factor(long K, long L, long stride, const double* G, const double* r, long r_stride,
                   const double* terminal, double* a, double* b, double* t) {
  // t serves as the running Y until the end.
  const double* last = G + (K - 1) * stride;
#pragma omp simd
  for (long l = 0; l < L; ++l) t[l] = last[l];
  for (long k = K - 2; k >= 0; --k) {
    const double* Gk = G + k * stride;
    const double* rk = r + k * r_stride;
    double* ak = a + k * stride;
    double* bk = b + k * stride;
#pragma omp simd
    for (long l = 0; l < L; ++l) {
      const double f = 1.0 / (1.0 + rk[l] * t[l]);
      ak[l] = f;
      bk[l] = rk[l] * f;
      t[l] = Gk[l] + t[l] * f;
    }
  }
#pragma omp simd
  for (long l = 0; l < L; ++l) t[l] = 1.0 / (1.0 + terminal[l] * t[l]);
}

void ladder_solve(long K, long L, long stride, const double* a, const double* b, const double* t,
                  const double* terminal, const double* c, double* v) {
  // v holds J on the way to the terminal; on the way back J(k+1) is read before v(k+1) replaces it.
  const double* c_last = c + (K - 1) * stride;
  double* v_last = v + (K - 1) * stride;
#pragma omp simd
  for (long l = 0; l < L; ++l) v_last[l] = c_last[l];
  for (long k = K - 2; k >= 0; --k) {
    const double* ck = c + k * stride;
    const double* ak = a + k * stride;
    const double* next = v + (k + 1) * stride;
    double* vk = v + k * stride;
#pragma omp simd
    for (long l = 0; l < L; ++l) vk[l] = ck[l] + ak[l] * next[l];
  }
#pragma omp simd
  for (long l = 0; l < L; ++l) v[l] = t[l] * terminal[l] * v[l];
  for (long k = 0; k + 1 < K; ++k) {
    const double* ak = a + k * stride;
    const double* bk = b + k * stride;
    const double* vk = v + k * stride;
    double* next = v + (k + 1) * stride;
#pragma omp simd
    for (long l = 0; l < L; ++l) next[l] = ak[l] * vk[l] + bk[l] * next[l];
  }
}

void ladder_drive(long K, long L, long stride, const double* a, const double* t, const double* V,
                  double* v) {
#pragma omp simd
  for (long l = 0; l < L; ++l) v[l] = t[l] * V[l];
  for (long k = 0; k + 1 < K; ++k) {
    const double* ak = a + k * stride;
    const double* vk = v + k * stride;
    double* next = v + (k + 1) * stride;
#pragma omp simd
    for (long l = 0; l < L; ++l) next[l] = ak[l] * vk[l];
  }
}

void transpose(long rows, long columns, const double* in, double* out) {
  constexpr long tile = 8;
  for (long i0 = 0; i0 < rows; i0 += tile) {
    const long i1 = i0 + tile < rows ? i0 + tile : rows;
    for (long j0 = 0; j0 < columns; j0 += tile) {
      if (i1 - i0 == tile && j0 + tile <= columns) {
        double block[tile][tile];
        for (long i = 0; i < tile; ++i) {
          for (long j = 0; j < tile; ++j) block[j][i] = in[(i0 + i) * columns + j0 + j];
        }
        for (long j = 0; j < tile; ++j) {
          for (long i = 0; i < tile; ++i) out[(j0 + j) * rows + i0 + i] = block[j][i];
        }
      } else {
        const long j1 = j0 + tile < columns ? j0 + tile : columns;
        for (long i = i0; i < i1; ++i) {
          for (long j = j0; j < j1; ++j) out[j * rows + i] = in[i * columns + j];
        }
      }
    }
  }
}

void multiply(long count, const double* x, const double* y, double* out) {
#pragma omp simd
  for (long e = 0; e < count; ++e) out[e] = x[e] * y[e];
}

double dot(long count, const double* x, const double* y) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (long e = 0; e < count; ++e) sum += x[e] * y[e];
  return sum;
}

void axpy(long count, double alpha, const double* x, double* y) {
#pragma omp simd
  for (long e = 0; e < count; ++e) y[e] += alpha * x[e];
}

double subtract_dot(long count, const double* s, const double* p, double* out) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (long e = 0; e < count; ++e) {
    const double y = s[e] - out[e];
    out[e] = y;
    sum += p[e] * y;
  }
  return sum;
}

void update_directions(long count, double beta, const double* z, const double* r, double* p,
                       double* s) {
#pragma omp simd
  for (long e = 0; e < count; ++e) {
    p[e] = z[e] + beta * p[e];
    s[e] = r[e] + beta * s[e];
  }
}

void block_line_solve(long K, long ab_stride, const double* a, const double* b, double t,
                      double terminal, const double* c, double* v) {
  constexpr long P = block_size;
  double J[P];
  for (long q = 0; q < P; ++q) J[q] = c[(K - 1) * P + q];
  for (long q = 0; q < P; ++q) v[(K - 1) * P + q] = J[q];
  for (long k = K - 2; k >= 0; --k) {
    const double ak = a[k * ab_stride];
#pragma omp simd
    for (long q = 0; q < P; ++q) {
      J[q] = c[k * P + q] + ak * J[q];
      v[k * P + q] = J[q];
    }
  }
  const double head = t * terminal;
  for (long q = 0; q < P; ++q) J[q] *= head;
  for (long q = 0; q < P; ++q) v[q] = J[q];
  for (long k = 0; k + 1 < K; ++k) {
    const double ak = a[k * ab_stride];
    const double bk = b[k * ab_stride];
    double* next = v + (k + 1) * P;
#pragma omp simd
    for (long q = 0; q < P; ++q) {
      J[q] = ak * J[q] + bk * next[q];
      next[q] = J[q];
    }
  }
}

void block_line_drive(long K, long ab_stride, const double* a, double t, const double* V,
                      double* v) {
  constexpr long P = block_size;
  for (long q = 0; q < P; ++q) v[q] = t * V[q];
  for (long k = 0; k + 1 < K; ++k) {
    const double ak = a[k * ab_stride];
#pragma omp simd
    for (long q = 0; q < P; ++q) v[(k + 1) * P + q] = ak * v[k * P + q];
  }
}

void block_ladder_solve(long K, long L, long stride, const double* a, const double* b,
                        const double* t, const double* terminal, const double* c, double* v) {
  constexpr long P = block_size;
  const double* c_last = c + (K - 1) * stride * P;
  double* v_last = v + (K - 1) * stride * P;
  for (long e = 0; e < L * P; ++e) v_last[e] = c_last[e];
  for (long k = K - 2; k >= 0; --k) {
    const double* ak = a + k * stride;
    const double* ck = c + k * stride * P;
    const double* next = v + (k + 1) * stride * P;
    double* vk = v + k * stride * P;
    for (long l = 0; l < L; ++l) {
#pragma omp simd
      for (long q = 0; q < P; ++q) vk[l * P + q] = ck[l * P + q] + ak[l] * next[l * P + q];
    }
  }
  for (long l = 0; l < L; ++l) {
    const double head = t[l] * terminal[l];
    for (long q = 0; q < P; ++q) v[l * P + q] *= head;
  }
  for (long k = 0; k + 1 < K; ++k) {
    const double* ak = a + k * stride;
    const double* bk = b + k * stride;
    const double* vk = v + k * stride * P;
    double* next = v + (k + 1) * stride * P;
    for (long l = 0; l < L; ++l) {
#pragma omp simd
      for (long q = 0; q < P; ++q) {
        next[l * P + q] = ak[l] * vk[l * P + q] + bk[l] * next[l * P + q];
      }
    }
  }
}

void block_ladder_drive(long K, long L, long stride, const double* a, const double* t,
                        const double* V, double* v) {
  constexpr long P = block_size;
  for (long l = 0; l < L; ++l) {
    for (long q = 0; q < P; ++q) v[l * P + q] = t[l] * V[l * P + q];
  }
  for (long k = 0; k + 1 < K; ++k) {
    const double* ak = a + k * stride;
    const double* vk = v + k * stride * P;
    double* next = v + (k + 1) * stride * P;
    for (long l = 0; l < L; ++l) {
#pragma omp simd
      for (long q = 0; q < P; ++q) next[l * P + q] = ak[l] * vk[l * P + q];
    }
  }
}

void block_scale(long count, const double* g, const double* x, double* out) {
  constexpr long P = block_size;
  for (long e = 0; e < count; ++e) {
#pragma omp simd
    for (long q = 0; q < P; ++q) out[e * P + q] = g[e] * x[e * P + q];
  }
}

void block_dot(long count, const double* x, const double* y, double* sum) {
  constexpr long P = block_size;
  double local[P] = {};
  for (long e = 0; e < count; ++e) {
#pragma omp simd
    for (long q = 0; q < P; ++q) local[q] += x[e * P + q] * y[e * P + q];
  }
  for (long q = 0; q < P; ++q) sum[q] += local[q];
}

void block_subtract_dot(long count, const double* s, const double* p, double* out, double* sum) {
  constexpr long P = block_size;
  double local[P] = {};
  for (long e = 0; e < count; ++e) {
#pragma omp simd
    for (long q = 0; q < P; ++q) {
      const double y = s[e * P + q] - out[e * P + q];
      out[e * P + q] = y;
      local[q] += p[e * P + q] * y;
    }
  }
  for (long q = 0; q < P; ++q) sum[q] += local[q];
}

void block_step(long count, const double* alpha, const double* p, const double* y, double* w,
                double* r) {
  constexpr long P = block_size;
  for (long e = 0; e < count; ++e) {
#pragma omp simd
    for (long q = 0; q < P; ++q) {
      w[e * P + q] += alpha[q] * p[e * P + q];
      r[e * P + q] -= alpha[q] * y[e * P + q];
    }
  }
}

void block_update_directions(long count, const double* beta, const double* z, const double* r,
                             double* p, double* s) {
  constexpr long P = block_size;
  for (long e = 0; e < count; ++e) {
#pragma omp simd
    for (long q = 0; q < P; ++q) {
      p[e * P + q] = z[e * P + q] + beta[q] * p[e * P + q];
      s[e * P + q] = r[e * P + q] + beta[q] * s[e * P + q];
    }
  }
}

}  // namespace xbar::solver::XBAR_ISA
