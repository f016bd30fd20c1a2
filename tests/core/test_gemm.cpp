#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <omp.h>

#include <xbar/core/error.hpp>
#include <xbar/core/gemm.hpp>
#include <xbar/core/parallel.hpp>
#include <xbar/core/random.hpp>

#include "support/catch.hpp"
#include "support/message.hpp"

using xbar::gemm;
using xbar::Index;
using xbar::Op;

namespace {

constexpr std::uint64_t seed = 20240607;
constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();
constexpr float untouched = -77.0F;

/// A stored matrix whose rows are followed by padding that nobody may read or write.
struct Stored {
  Index rows, columns, stride;
  std::vector<float> values;

  Stored(Index rows_in, Index columns_in, Index padding, float padding_value)
      : rows(rows_in),
        columns(columns_in),
        stride(columns_in + padding),
        values(static_cast<std::size_t>(rows * stride), padding_value) {}
  float& at(Index i, Index j) { return values[static_cast<std::size_t>(i * stride + j)]; }
  float at(Index i, Index j) const { return values[static_cast<std::size_t>(i * stride + j)]; }
  void fill(const char* name) {
    const xbar::RandomStream random(seed, name);
    for (Index i = 0; i < rows; ++i) {
      for (Index j = 0; j < columns; ++j) {
        at(i, j) =
            static_cast<float>(random.uniform(static_cast<std::uint64_t>(i * columns + j), -1, 1));
      }
    }
  }
};

struct Case {
  Op op_a, op_b;
  Index rows, columns, inner, padding;
  float alpha, beta;
};

/// The worst error of gemm in units of the bound that holds for every order of summation:
/// (inner + 4) u (|alpha| |A| |B| + |beta C|), u = 2^-24. Infinite if the padding of C was written.
double error_over_bound(const Case& t) {
  Stored a(t.op_a == Op::none ? t.rows : t.inner, t.op_a == Op::none ? t.inner : t.rows, t.padding,
           not_a_number);
  Stored b(t.op_b == Op::none ? t.inner : t.columns, t.op_b == Op::none ? t.columns : t.inner,
           t.padding, not_a_number);
  Stored c(t.rows, t.columns, t.padding, untouched);
  a.fill("a");
  b.fill("b");
  c.fill("c");
  Stored before = c;
  if (t.beta == 0.0F) {
    for (Index i = 0; i < t.rows; ++i) {
      for (Index j = 0; j < t.columns; ++j) {
        c.at(i, j) = not_a_number;
        before.at(i, j) = 0.0F;
      }
    }
  }
  gemm(t.op_a, t.op_b, t.rows, t.columns, t.inner, t.alpha, a.values.data(), a.stride,
       b.values.data(), b.stride, t.beta, c.values.data(), c.stride);

  double worst = 0.0;
  // All rows of a small product, some 2 million terms of a large one.
  const Index step = 1 + t.rows * t.columns * t.inner / 2'000'000;
  for (Index i = 0; i < t.rows; i += step) {
    for (Index j = 0; j < t.columns; ++j) {
      double sum = 0.0;
      double magnitude = 0.0;
      for (Index k = 0; k < t.inner; ++k) {
        const double term = static_cast<double>(t.op_a == Op::none ? a.at(i, k) : a.at(k, i)) *
                            static_cast<double>(t.op_b == Op::none ? b.at(k, j) : b.at(j, k));
        sum += term;
        magnitude += std::abs(term);
      }
      const double alpha = static_cast<double>(t.alpha);
      const double old = static_cast<double>(t.beta) * static_cast<double>(before.at(i, j));
      const double bound = static_cast<double>(t.inner + 4) * 0x1.0p-24 *
                           (std::abs(alpha) * magnitude + std::abs(old));
      const double error = std::abs(static_cast<double>(c.at(i, j)) - (alpha * sum + old));
      if (error == 0.0) continue;
      const double ratio = error / bound;
      if (!(ratio <= worst)) worst = ratio;
      if (std::isnan(worst)) return std::numeric_limits<double>::infinity();
    }
    for (Index j = t.columns; j < c.stride; ++j) {
      if (c.at(i, j) != untouched) return std::numeric_limits<double>::infinity();
    }
  }
  return worst;
}

void check_all_ops(Index rows, Index columns, Index inner, Index padding, float alpha, float beta) {
  for (const Op op_a : {Op::none, Op::transpose}) {
    for (const Op op_b : {Op::none, Op::transpose}) {
      CAPTURE(rows, columns, inner, padding, alpha, beta, seed);
      CAPTURE(op_a == Op::transpose, op_b == Op::transpose);
      CHECK(error_over_bound({op_a, op_b, rows, columns, inner, padding, alpha, beta}) <= 1.0);
    }
  }
}

std::vector<float> product(Op op_a, Op op_b, Index rows, Index columns, Index inner) {
  Stored a(op_a == Op::none ? rows : inner, op_a == Op::none ? inner : rows, 0, not_a_number);
  Stored b(op_b == Op::none ? inner : columns, op_b == Op::none ? columns : inner, 0, not_a_number);
  a.fill("a");
  b.fill("b");
  std::vector<float> c(static_cast<std::size_t>(rows * columns));
  gemm(op_a, op_b, rows, columns, inner, 1.0F, a.values.data(), a.stride, b.values.data(), b.stride,
       0.0F, c.data(), columns);
  return c;
}

class ThreadCount {
 public:
  explicit ThreadCount(int count) : before_(omp_get_max_threads()) { omp_set_num_threads(count); }
  ~ThreadCount() { omp_set_num_threads(before_); }
  ThreadCount(const ThreadCount&) = delete;
  ThreadCount& operator=(const ThreadCount&) = delete;

 private:
  int before_;
};

}  // namespace

TEST_CASE("core/gemm: every op and odd sizes agree with a double-precision product") {
  // One below, at and above the widths of SIMD registers and of oneDNN's kernels.
  for (const Index rows : {1, 7, 8, 9, 63, 64, 65}) {
    for (const Index columns : {1, 7, 8, 9, 63, 64, 65}) {
      for (const Index inner : {1, 7, 8, 9, 63, 64, 65}) {
        check_all_ops(rows, columns, inner, 0, 1.0F, 0.0F);
      }
    }
  }
}

TEST_CASE("core/gemm: strides, alpha and beta") {
  for (const Index padding : {0, 3, 16}) {
    for (const float alpha : {1.0F, -0.5F}) {
      for (const float beta : {0.0F, 1.0F, 0.25F}) check_all_ops(33, 17, 50, padding, alpha, beta);
    }
  }
}

TEST_CASE("core/gemm: products that are cut into blocks") {
  check_all_ops(128, 256, 784, 0, 1.0F, 0.0F);   // columns
  check_all_ops(2050, 40, 150, 5, 1.0F, 1.0F);   // rows, with a remainder
  check_all_ops(6, 25, 36865, 2, 0.5F, 0.0F);    // inner, as in a convolution's weight gradient
  check_all_ops(16, 150, 4096, 0, 1.0F, 0.75F);  // inner, onto what C holds
  // Rows and columns; columns and inner.
  CHECK(error_over_bound({Op::none, Op::transpose, 500, 300, 500, 1, -0.5F, 0.5F}) <= 1.0);
  CHECK(error_over_bound({Op::transpose, Op::none, 64, 201, 5300, 3, 1.0F, 1.0F}) <= 1.0);
}

TEST_CASE("core/gemm: a NaN in C survives only where beta reads it") {
  const float a = 2.0F;
  const float b = 3.0F;
  float c = not_a_number;
  gemm(Op::none, Op::none, 1, 1, 1, 1.0F, &a, 1, &b, 1, 1.0F, &c, 1);
  CHECK(std::isnan(c));
  gemm(Op::none, Op::none, 1, 1, 1, 1.0F, &a, 1, &b, 1, 0.0F, &c, 1);
  CHECK(c == 6.0F);
}

TEST_CASE("core/gemm: empty products") {
  std::vector<float> c = {1.0F, 2.0F, 3.0F, 4.0F};
  const std::vector<float> same = c;
  gemm(Op::none, Op::none, 0, 2, 2, 1.0F, nullptr, 0, nullptr, 0, 0.0F, c.data(), 0);
  CHECK(c == same);
  gemm(Op::none, Op::none, 2, 0, 2, 1.0F, nullptr, 0, nullptr, 0, 0.0F, c.data(), 0);
  CHECK(c == same);
  gemm(Op::none, Op::none, 2, 2, 0, 1.0F, nullptr, 0, nullptr, 0, 1.0F, c.data(), 2);
  CHECK(c == same);
  gemm(Op::none, Op::none, 2, 1, 0, 1.0F, nullptr, 0, nullptr, 0, 0.5F, c.data(), 2);
  CHECK(c == std::vector<float>{0.5F, 2.0F, 1.5F, 4.0F});
  c[0] = not_a_number;
  gemm(Op::none, Op::none, 2, 2, 0, 1.0F, nullptr, 0, nullptr, 0, 0.0F, c.data(), 2);
  CHECK(c == std::vector<float>(4, 0.0F));
}

TEST_CASE("core/gemm: alpha = 0 reads neither operand") {
  std::vector<float> c = {1.0F, 2.0F};
  gemm(Op::none, Op::none, 1, 2, 1, 0.0F, &not_a_number, 1, nullptr, 2, 2.0F, c.data(), 2);
  CHECK(c == std::vector<float>{2.0F, 4.0F});
}

TEST_CASE("core/gemm: the result is the same bits for every number of threads") {
  struct Shape {
    Index rows, columns, inner;
  };
  // oneDNN, left to itself, sums the first two in another order for another number of threads. The
  // first is one block here; the others are cut along columns, rows, inner.
  for (const Shape s : {Shape{8, 8, 10000}, {64, 256, 784}, {2050, 40, 150}, {6, 25, 36865}}) {
    for (const Op op_a : {Op::none, Op::transpose}) {
      for (const Op op_b : {Op::none, Op::transpose}) {
        std::vector<float> one;
        {
          const ThreadCount threads(1);
          one = product(op_a, op_b, s.rows, s.columns, s.inner);
        }
        for (const int count : {2, 3, 8}) {
          CAPTURE(count, s.rows, s.columns, s.inner);
          CAPTURE(op_a == Op::transpose, op_b == Op::transpose);
          const ThreadCount threads(count);
          // Not compared by CHECK itself, which would print them.
          const bool same = product(op_a, op_b, s.rows, s.columns, s.inner) == one;
          CHECK(same);
        }
      }
    }
  }
}

TEST_CASE("core/gemm: a call from inside parallel_for gives the same bits") {
  const ThreadCount threads(3);
  const auto multiply = [] { return product(Op::none, Op::transpose, 64, 256, 784); };
  const std::vector<float> outside = multiply();
  std::vector<int> same(4, 0);
  xbar::parallel_for(
      4, [&](Index i) { same[static_cast<std::size_t>(i)] = multiply() == outside ? 1 : 0; });
  CHECK(same == std::vector<int>(4, 1));
}

TEST_CASE("core/gemm: leaves the number of threads as it was") {
  const ThreadCount threads(3);
  product(Op::none, Op::none, 8, 8, 8);
  product(Op::none, Op::none, 2050, 40, 150);
  CHECK(xbar::thread_count() == 3);
}

TEST_CASE("core/gemm: impossible arguments are named") {
  float c = 0.0F;
  const auto call = [&](Index rows, Index inner, Index lda, Index ldb, Index ldc) {
    return xbar_test::message_of<xbar::InvalidArgument>([&] {
      gemm(Op::none, Op::transpose, rows, 1, inner, 1.0F, &c, lda, &c, ldb, 0.0F, &c, ldc);
    });
  };
  CHECK(call(-1, 1, 1, 1, 1) == "gemm: rows must not be negative, found -1");
  CHECK(call(1, 4, 3, 4, 1) == "gemm: lda must be at least the row length 4, found 3");
  CHECK(call(1, 4, 4, 3, 1) == "gemm: ldb must be at least the row length 4, found 3");
  CHECK(call(1, 1, 1, 1, 0) == "gemm: ldc must be at least the row length 1, found 0");
}

TEST_CASE("core/gemm: the engine names itself and reports a plausible speed") {
  CHECK(xbar_test::contains(xbar::gemm_engine(), "oneDNN"));
  // Any CPU manages 10 MFLOP/s, none 10 PFLOP/s.
  const double gflops = xbar::measure_gemm_gflops(64);
  CHECK(gflops > 0.01);
  CHECK(gflops < 1e7);
  CHECK_THROWS_AS(xbar::measure_gemm_gflops(0), xbar::InvalidArgument);
}
