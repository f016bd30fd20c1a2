#include <algorithm>
#include <cstdlib>
#include <limits>
#include <memory>

#include <fmt/format.h>
#include <oneapi/dnnl/dnnl.h>

#include <xbar/core/error.hpp>
#include <xbar/core/gemm.hpp>
#include <xbar/core/isa.hpp>
#include <xbar/core/one_thread.hpp>
#include <xbar/core/parallel.hpp>
#include <xbar/core/stopwatch.hpp>

// oneDNN multiplies one block at a time on one thread; the blocks are shared out here. Left to
// thread the whole product itself, dnnl_sgemm cuts it according to the number of threads and sums
// in another order for another number, so that a training run would depend on the machine's cores.

namespace xbar {
namespace {

/// The most blocks that a product is cut into: enough to occupy 16 cores.
constexpr Index most_blocks = 16;
/// Work worth two blocks (some 50 us). Cutting costs speed, since every block packs its operands
/// anew, so that the number of blocks grows only with the square root of the work.
constexpr double flops_worth_cutting = 8e6;
/// The shortest sides that are halved: oneDNN's kernels are fast from 48 columns and 64 rows on.
constexpr Index shortest_columns_cut = 96;
constexpr Index shortest_rows_cut = 128;
constexpr Index shortest_inner_cut = 1024;

struct Blocks {
  Index rows, columns, inner;  ///< sides of one block
};

Index count(Index length, Index block) { return (length + block - 1) / block; }

Index half(Index length, Index multiple) { return count(count(length, 2), multiple) * multiple; }

/// Depends on the shape alone, never on the number of threads.
Blocks cut(Index rows, Index columns, Index inner) {
  const double flops =
      2.0 * static_cast<double>(rows) * static_cast<double>(columns) * static_cast<double>(inner);
  Blocks block{rows, columns, inner};
  for (Index blocks = 1; blocks < most_blocks; blocks *= 2) {
    if (flops <= flops_worth_cutting * static_cast<double>(blocks * blocks)) break;
    const bool cut_rows = block.rows >= shortest_rows_cut;
    const bool cut_columns = block.columns >= shortest_columns_cut;
    const bool long_inner = block.inner >= 8 * std::max(block.rows, block.columns);
    if (block.inner >= shortest_inner_cut && (long_inner || !(cut_rows || cut_columns))) {
      block.inner = half(block.inner, 64);
    } else if (cut_columns && (2 * block.columns > block.rows || !cut_rows)) {
      block.columns = half(block.columns, 16);
    } else if (cut_rows) {
      block.rows = half(block.rows, 8);
    } else {
      break;
    }
  }
  return block;
}

/// Lets XBAR_ISA hold for the engine too; oneDNN takes the limit before its first product only.
void limit_isa_once() {
  static const bool done = [] {
    if (std::getenv("XBAR_ISA") != nullptr && std::getenv("ONEDNN_MAX_CPU_ISA") == nullptr) {
      if (isa() == Isa::baseline) dnnl_set_max_cpu_isa(dnnl_cpu_isa_sse41);
      if (isa() == Isa::avx2) dnnl_set_max_cpu_isa(dnnl_cpu_isa_avx2);
    }
    return true;
  }();
  static_cast<void>(done);
}

/// C = beta * C; C is not read when beta is 0.
void scale(Index rows, Index columns, float beta, float* c, Index ldc) {
  if (beta == 1.0F) return;
  for (Index i = 0; i < rows; ++i) {
    float* const row = c + i * ldc;
    for (Index j = 0; j < columns; ++j) row[j] = beta == 0.0F ? 0.0F : beta * row[j];
  }
}

void check_side(const char* name, Index length) {
  if (length < 0) {
    throw InvalidArgument(fmt::format("gemm: {} must not be negative, found {}", name, length));
  }
}

void check_leading_dimension(const char* name, Index found, Index row_length) {
  if (found < row_length) {
    throw InvalidArgument(fmt::format("gemm: {} must be at least the row length {}, found {}", name,
                                      row_length, found));
  }
}

}  // namespace

void gemm(Op op_a, Op op_b, Index rows, Index columns, Index inner, float alpha, const float* a,
          Index lda, const float* b, Index ldb, float beta, float* c, Index ldc) {
  check_side("rows", rows);
  check_side("columns", columns);
  check_side("inner", inner);
  if (rows == 0 || columns == 0) return;
  check_leading_dimension("ldc", ldc, columns);
  if (inner == 0 || alpha == 0.0F) {
    scale(rows, columns, beta, c, ldc);
    return;
  }
  const bool a_transposed = op_a == Op::transpose;
  const bool b_transposed = op_b == Op::transpose;
  check_leading_dimension("lda", lda, a_transposed ? rows : inner);
  check_leading_dimension("ldb", ldb, b_transposed ? inner : columns);
  limit_isa_once();

  const Blocks block = cut(rows, columns, inner);
  const Index row_blocks = count(rows, block.rows);
  const Index column_blocks = count(columns, block.columns);
  const Index inner_blocks = count(inner, block.inner);
  // The first block along `inner` goes to C, the others here, to be added in a fixed order.
  std::unique_ptr<float[]> partial;
  if (inner_blocks > 1) {
    partial = std::make_unique_for_overwrite<float[]>(
        static_cast<std::size_t>((inner_blocks - 1) * rows * columns));
  }
  const auto multiply_block = [&](Index number) {
    const Index p = number % inner_blocks;
    const Index k = p * block.inner;
    const Index j = number / inner_blocks % column_blocks * block.columns;
    const Index i = number / inner_blocks / column_blocks * block.rows;
    float* const target =
        p == 0 ? c + i * ldc + j : partial.get() + ((p - 1) * rows + i) * columns + j;
    const OneThread one_thread;
    const dnnl_status_t status = dnnl_sgemm(
        a_transposed ? 'T' : 'N', b_transposed ? 'T' : 'N', std::min(block.rows, rows - i),
        std::min(block.columns, columns - j), std::min(block.inner, inner - k), alpha,
        a_transposed ? a + k * lda + i : a + i * lda + k, lda,
        b_transposed ? b + j * ldb + k : b + k * ldb + j, ldb, p == 0 ? beta : 0.0F, target,
        p == 0 ? ldc : columns);
    if (status != dnnl_success) {
      throw NumericalError(
          fmt::format("gemm: oneDNN refused a product of {} x {} by {} x {} with status {}", rows,
                      inner, inner, columns, static_cast<int>(status)));
    }
  };
  const Index blocks = row_blocks * column_blocks * inner_blocks;
  if (blocks == 1) {
    multiply_block(0);
  } else {
    parallel_for(blocks, multiply_block);
  }
  if (inner_blocks > 1) {
    parallel_for(rows, [&](Index i) {
      float* const row = c + i * ldc;
      for (Index p = 0; p < inner_blocks - 1; ++p) {
        const float* const part = partial.get() + (p * rows + i) * columns;
        for (Index j = 0; j < columns; ++j) row[j] += part[j];
      }
    });
  }
}

std::string gemm_engine() {
  limit_isa_once();
  const dnnl_version_t* const version = dnnl_version();
  const char* name = "generic";
  switch (dnnl_get_effective_cpu_isa()) {
    case dnnl_cpu_isa_sse41:
      name = "SSE4.1";
      break;
    case dnnl_cpu_isa_avx:
      name = "AVX";
      break;
    case dnnl_cpu_isa_avx2:
      name = "AVX2";
      break;
    case dnnl_cpu_isa_avx2_vnni:
      name = "AVX2 with VNNI";
      break;
    case dnnl_cpu_isa_avx512_core:
      name = "AVX-512";
      break;
    case dnnl_cpu_isa_avx512_core_vnni:
      name = "AVX-512 with VNNI";
      break;
    case dnnl_cpu_isa_avx512_core_bf16:
      name = "AVX-512 with bf16";
      break;
    case dnnl_cpu_isa_avx512_core_amx:
      name = "AVX-512 with AMX";
      break;
    default:
      break;
  }
  return fmt::format("oneDNN {}.{}.{} ({})", version->major, version->minor, version->patch, name);
}

double measure_gemm_gflops(Index size) {
  if (size < 1) {
    throw InvalidArgument(
        fmt::format("measure_gemm_gflops: size must be at least 1, found {}", size));
  }
  const MatrixF a = MatrixF::Constant(size, size, 0.5F);
  const MatrixF b = MatrixF::Constant(size, size, 0.25F);
  MatrixF c(size, size);
  const auto multiply = [&] {
    gemm(Op::none, Op::none, size, size, size, 1.0F, a.data(), size, b.data(), size, 0.0F, c.data(),
         size);
  };
  multiply();  // pays for code generation and page faults
  double best_second = std::numeric_limits<double>::infinity();
  const Stopwatch total;
  for (int run = 0; run < 3 || total.seconds() < 0.2; ++run) {
    const Stopwatch one;
    multiply();
    best_second = std::min(best_second, one.seconds());
  }
  const double side = static_cast<double>(size);
  return 2e-9 * side * side * side / std::max(best_second, 1e-9);
}

}  // namespace xbar
