#pragma once

/// Arrays as trained networks fill them: the weights of their layers, cut into tiles by `mapping`.

#include <cstdint>
#include <vector>

#include <xbar/core/matrix.hpp>
#include <xbar/core/progress.hpp>
#include <xbar/core/safetensors.hpp>

namespace xbar::validation {

/// Weights of the layers of an mlp trained on the glyphs data for two epochs, out x in each.
[[nodiscard]] std::vector<MatrixF> train_weights(std::uint64_t seed,
                                                 const ProgressCallback& progress = {});

/// Weights of a trained network's file: every tensor with two axes or more, as out x the rest.
/// @throws InvalidArgument if there is none
[[nodiscard]] std::vector<MatrixF> weights_in(const TensorFile& file);

/// Cells of `count` tiles drawn at random over layers, places and both polarities; tiles that
/// weights fill wholly before others. Each layer's largest |weight| takes a cell's whole range.
/// @return x in [0, 1], rows x columns each: the share of the way from g_min to g_max; fewer than
///         `count` if there are no more tiles
/// @throws InvalidArgument for no weights, no finite ones, or sizes or a count < 1
[[nodiscard]] std::vector<Matrix> trained_tiles(const std::vector<MatrixF>& weights, Index rows,
                                                Index columns, Index count, std::uint64_t seed);

}  // namespace xbar::validation
