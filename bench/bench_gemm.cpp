// The matrix-multiply engine against Eigen and, where XBAR_BENCH_BLAS names a library with CBLAS
// (libopenblas.so.0, or a path), against that. docs/adr/0003-matrix-multiply.md has the figures:
//   OMP_NUM_THREADS=2 XBAR_BENCH_BLAS=libopenblas.so.0 bench_core --benchmark_filter=gemm
//     --benchmark_enable_random_interleaving --benchmark_repetitions=7
// Beside the time: GFLOP per second and the relative error (Frobenius) against a double-precision
// product.

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include <benchmark/benchmark.h>
#include <dlfcn.h>

#include <xbar/core/gemm.hpp>
#include <xbar/core/isa.hpp>

namespace xbar_bench {

#define XBAR_DECLARE(level)                                                                     \
  namespace level {                                                                             \
  void eigen_product(bool a_transposed, bool b_transposed, long rows, long columns, long inner, \
                     const float* a, const float* b, float* c);                                 \
  }
XBAR_DECLARE(baseline)
XBAR_DECLARE(avx2)
XBAR_DECLARE(avx512)
#undef XBAR_DECLARE

}  // namespace xbar_bench

namespace {

using xbar::Index;
using xbar::MatrixF;

struct Shape {
  bool a_transposed, b_transposed;
  Index rows, columns, inner;
};

/// Squares; a dense layer of 784 x 256 (forward, dX, dW) and the last one; the convolutions of
/// LeNet-5 and VGG as products.
constexpr Shape shapes[] = {
    {false, false, 32, 32, 32},       {false, false, 256, 256, 256},
    {false, false, 1024, 1024, 1024}, {false, false, 2048, 2048, 2048},
    {false, true, 64, 256, 784},      {false, false, 64, 784, 256},
    {true, false, 256, 784, 64},      {false, true, 64, 10, 128},
    {false, true, 4096, 16, 150},     {true, false, 16, 150, 4096},
    {false, true, 16384, 64, 576},    {false, false, 16384, 576, 64},
    {true, false, 64, 576, 16384},    {false, true, 1024, 512, 4608},
};

/// C = op(A) op(B), every matrix without padding.
using Product = void (*)(const Shape&, const float* a, const float* b, float* c);

void engine_product(const Shape& s, const float* a, const float* b, float* c) {
  using xbar::Op;
  xbar::gemm(s.a_transposed ? Op::transpose : Op::none, s.b_transposed ? Op::transpose : Op::none,
             s.rows, s.columns, s.inner, 1.0F, a, s.a_transposed ? s.rows : s.inner, b,
             s.b_transposed ? s.inner : s.columns, 0.0F, c, s.columns);
}

void eigen_product(const Shape& s, const float* a, const float* b, float* c) {
  XBAR_DISPATCH(xbar_bench, eigen_product)
  (s.a_transposed, s.b_transposed, s.rows, s.columns, s.inner, a, b, c);
}

using CblasSgemm = void (*)(int, int, int, int, int, int, float, const float*, int, const float*,
                            int, float, float*, int);

template <typename Function>
Function blas_function(const char* name) {
  static void* const library = dlopen(std::getenv("XBAR_BENCH_BLAS"), RTLD_NOW | RTLD_LOCAL);
  return library == nullptr ? nullptr : reinterpret_cast<Function>(dlsym(library, name));
}

void blas_product(const Shape& s, const float* a, const float* b, float* c) {
  static const auto sgemm = blas_function<CblasSgemm>("cblas_sgemm");
  constexpr int row_major = 101;
  constexpr int as_stored = 111;
  constexpr int transposed = 112;
  const auto narrow = [](Index i) { return static_cast<int>(i); };
  sgemm(row_major, s.a_transposed ? transposed : as_stored, s.b_transposed ? transposed : as_stored,
        narrow(s.rows), narrow(s.columns), narrow(s.inner), 1.0F, a,
        narrow(s.a_transposed ? s.rows : s.inner), b, narrow(s.b_transposed ? s.inner : s.columns),
        0.0F, c, narrow(s.columns));
}

void measure(benchmark::State& state, const Shape& s, Product product) {
  const MatrixF a = s.a_transposed ? MatrixF::Random(s.inner, s.rows).eval()
                                   : MatrixF::Random(s.rows, s.inner).eval();
  const MatrixF b = s.b_transposed ? MatrixF::Random(s.columns, s.inner).eval()
                                   : MatrixF::Random(s.inner, s.columns).eval();
  MatrixF c(s.rows, s.columns);
  product(s, a.data(), b.data(), c.data());
  for (auto _ : state) {
    product(s, a.data(), b.data(), c.data());
    benchmark::ClobberMemory();
  }
  // The first 64 rows tell as much of the error as all of them.
  const Index rows = std::min<Index>(s.rows, 64);
  xbar::Matrix some =
      (s.a_transposed ? MatrixF(a.leftCols(rows).transpose()) : a.topRows(rows)).cast<double>();
  xbar::Matrix exact = some * (s.b_transposed ? MatrixF(b.transpose()) : b).cast<double>();
  state.counters["error"] = (c.topRows(rows).cast<double>() - exact).norm() / exact.norm();
  state.counters["GFLOP"] =
      benchmark::Counter(2e-9 * static_cast<double>(s.rows) * static_cast<double>(s.columns) *
                             static_cast<double>(s.inner) * static_cast<double>(state.iterations()),
                         benchmark::Counter::kIsRate);
}

void add(const std::string& subject, Product product) {
  for (const Shape& s : shapes) {
    std::string name = "core/" + subject + "/" + std::to_string(s.rows) + "x" +
                       std::to_string(s.columns) + "x" + std::to_string(s.inner);
    if (s.a_transposed || s.b_transposed) {
      name += std::string("/") + (s.a_transposed ? 't' : 'n') + (s.b_transposed ? 't' : 'n');
    }
    benchmark::RegisterBenchmark(name.c_str(), [&s, product](benchmark::State& state) {
      measure(state, s, product);
    })->UseRealTime();
  }
}

const bool added = [] {
  benchmark::AddCustomContext("gemm engine", xbar::gemm_engine());
  add("gemm", &engine_product);
  add("gemm_eigen", &eigen_product);
  if (std::getenv("XBAR_BENCH_BLAS") != nullptr) {
    if (blas_function<CblasSgemm>("cblas_sgemm") == nullptr) {
      throw std::runtime_error("XBAR_BENCH_BLAS: expected a library with cblas_sgemm");
    }
    if (const auto core = blas_function<const char* (*)()>("openblas_get_corename")) {
      benchmark::AddCustomContext("OpenBLAS core", core());
    }
    add("gemm_blas", &blas_product);
  }
  return true;
}();

}  // namespace
