// The opponent in bench_gemm.cpp, compiled once for each instruction set.

#include <Eigen/Core>

namespace xbar_bench::XBAR_ISA {

void eigen_product(bool a_transposed, bool b_transposed, long rows, long columns, long inner,
                   const float* a, const float* b, float* c) {
  using MatrixF = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const auto map = [](const float* data, bool transposed, long height, long width) {
    return Eigen::Map<const MatrixF>(data, transposed ? width : height,
                                     transposed ? height : width);
  };
  const auto a_map = map(a, a_transposed, rows, inner);
  const auto b_map = map(b, b_transposed, inner, columns);
  Eigen::Map<MatrixF> c_map(c, rows, columns);
  if (a_transposed && b_transposed) {
    c_map.noalias() = a_map.transpose() * b_map.transpose();
  } else if (a_transposed) {
    c_map.noalias() = a_map.transpose() * b_map;
  } else if (b_transposed) {
    c_map.noalias() = a_map * b_map.transpose();
  } else {
    c_map.noalias() = a_map * b_map;
  }
}

}  // namespace xbar_bench::XBAR_ISA
