#pragma once

/// The matrix-multiply engine behind one small interface (docs/adr/0003-matrix-multiply.md).

#include <string>

#include <xbar/core/matrix.hpp>

namespace xbar {

/// Whether an operand is used as stored or transposed.
enum class Op { none, transpose };

/// C = alpha * op(A) * op(B) + beta * C in single precision, row-major, on all cores.
/// @param rows, columns, inner  op(A) is rows x inner, op(B) inner x columns, C rows x columns
/// @param a, lda  stored rows x inner (none) or inner x rows (transpose), leading dimension lda
/// @param b, ldb  stored inner x columns (none) or columns x inner (transpose)
/// @param c, ldc  rows x columns; not read when beta is 0
/// The bits of the result depend on the instruction set in use but not on the number of threads.
/// With alpha = 0 or inner = 0 neither A nor B is read.
/// @throws InvalidArgument for a negative size or a leading dimension shorter than the row;
///         NumericalError if the engine refuses the call.
void gemm(Op op_a, Op op_b, Index rows, Index columns, Index inner, float alpha, const float* a,
          Index lda, const float* b, Index ldb, float beta, float* c, Index ldc);

/// Name and version of the engine and the instruction set that it uses here, for `xbar info`.
[[nodiscard]] std::string gemm_engine();

/// Speed that the engine reaches on this machine, GFLOP/s: the best of a few products of square
/// matrices of side `size`, all cores. Takes about a quarter of a second.
[[nodiscard]] double measure_gemm_gflops(Index size = 1024);

}  // namespace xbar
