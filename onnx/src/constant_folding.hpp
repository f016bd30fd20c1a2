#pragma once

/// Arithmetic with the whole numbers that shapes are made of, for the little programs that
/// exporters write for them.

#include "constant.hpp"

namespace xbar::onnx {

/// Ranges as the inputs of Slice say them.
struct SliceRange {
  Index start = 0;
  Index end = 0;
  Index step = 1;
};

/// The indices of an axis that a range takes, in its order; negative starts and ends count from
/// behind. @throws InvalidArgument for a step of 0
[[nodiscard]] std::vector<Index> indices_of(const Node& node, const SliceRange& range,
                                            Index length);

/// The shape that Reshape asks for: 0 is the length that was there, one -1 what is left over.
/// @throws InvalidArgument unless `volume` values fit
[[nodiscard]] std::vector<Index> reshaped(const Node& node, const std::vector<Index>& from,
                                          const std::vector<Index>& wanted, Index volume);

/// All refuse more than two axes, more than `largest_list` values, and arithmetic with the length
/// of a batch.
[[nodiscard]] Wholes concatenated(const Node& node, const std::vector<Wholes>& parts);
[[nodiscard]] Wholes sliced(const Node& node, const Wholes& from, Index axis,
                            const SliceRange& range);
[[nodiscard]] Wholes transposed(const Node& node, const Wholes& from);
[[nodiscard]] Wholes gathered(const Node& node, const Wholes& from, const Wholes& indices);
[[nodiscard]] Wholes filled(const Node& node, const Wholes& shape, Index value);
/// Add, Sub, Mul or Div by the node's operator, of equal shapes or with a single number.
[[nodiscard]] Wholes combined(const Node& node, const Wholes& left, const Wholes& right);

}  // namespace xbar::onnx
