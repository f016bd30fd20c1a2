#pragma once

/// Between weight matrices and the tensors of a file.

#include <map>
#include <string>

#include <xbar/core/matrix.hpp>
#include <xbar/core/safetensors.hpp>
#include <xbar/nn/tensor.hpp>

namespace xbar::nn {

/// The values of a row-major matrix under another shape of the same volume.
[[nodiscard]] NamedTensor to_named_tensor(const MatrixF& matrix, const Shape& shape);

/// The reverse: shape[0] rows, all other axes as columns; 1 x 1 for a shape without axes.
[[nodiscard]] MatrixF to_matrix(const NamedTensor& tensor, const Shape& shape);

/// @throws InvalidArgument, starting with `what`, for a missing, an unknown or a mis-shaped tensor.
void check_named_tensors(const std::string& what, const std::map<std::string, Shape>& expected,
                         const std::map<std::string, NamedTensor>& found);

}  // namespace xbar::nn
