#pragma once

/// Tensors of the file as numbers.

#include <limits>
#include <string>
#include <vector>

#include <xbar/core/matrix.hpp>

#include "node.hpp"

namespace xbar::onnx {

/// Real numbers, C order: weights.
struct Reals {
  std::vector<Index> dims;
  std::vector<float> values;
};

/// Whole numbers, C order: shapes, axes, indices.
struct Wholes {
  std::vector<Index> dims;
  std::vector<Index> values;
};

/// Stands in Wholes for the number of images of a batch, which a network may have any.
inline constexpr Index batch_length = std::numeric_limits<Index>::min();

/// Values that Wholes may have at most.
inline constexpr Index largest_list = 4096;

/// The product of dims; -1 for a negative one, or if it is above `largest`.
[[nodiscard]] Index volume(const std::vector<Index>& dims, Index largest);

/// "(16, 3, 3, 3)"; the length of a batch as N.
[[nodiscard]] std::string to_text(const std::vector<Index>& dims);

/// The tensor as real numbers.
/// @param node  for the message
/// @param what  likewise: "weight 'conv1.weight'"
/// @throws InvalidArgument for another type than float32 or float64, values in another file, a
///         number of values that does not fit the shape, none of them, or values that are not
///         finite in single precision
[[nodiscard]] Reals reals_of(const Node& node, const std::string& what, const wire::Tensor& tensor);

/// Whether its values are of a type of whole numbers that is read.
[[nodiscard]] bool has_wholes(const wire::Tensor& tensor);

/// The tensor as whole numbers: int32 or int64.
/// @throws InvalidArgument likewise, and for more than `largest_list`
[[nodiscard]] Wholes wholes_of(const Node& node, const std::string& what,
                               const wire::Tensor& tensor);

/// Rows as columns. @pre two axes
[[nodiscard]] Reals transposed(const Reals& matrix);

}  // namespace xbar::onnx
