#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/random.hpp>
#include <xbar/mapping/crossbar_matrix.hpp>
#include <xbar/nn/data/data_set.hpp>
#include <xbar/nn/models.hpp>
#include <xbar/nn/trainer.hpp>
#include <xbar/validation/trained_tiles.hpp>

namespace xbar::validation {
namespace {

struct Tiles {
  std::vector<Matrix> whole;    // filled with weights
  std::vector<Matrix> partial;  // at the edges of a layer
};

/// All tiles of a layer, both arrays of each pair, as shares of the range.
void cut(const MatrixF& weight, Index rows, Index columns, Tiles& tiles) {
  const float range = weight.cwiseAbs().maxCoeff();
  if (!(range > 0)) return;  // a layer of zeros fills no cell
  mapping::CrossbarOptions options;
  options.technology.tile_rows = rows;
  options.technology.tile_columns = columns;
  options.model = surrogate::ModelKind::ideal;  // only the cells are wanted
  mapping::CrossbarMatrix matrix(weight.rows(), weight.cols(), range, std::move(options));
  matrix.program(weight);
  const device::ConductanceRange g = matrix.technology().range();
  for (Index t = 0; t < matrix.tile_count(); ++t) {
    const Index tile_row = t / matrix.tile_column_count();
    const Index tile_column = t % matrix.tile_column_count();
    const bool whole =
        (tile_row + 1) * rows <= weight.cols() && (tile_column + 1) * columns <= weight.rows();
    for (Index plane = 0; plane < matrix.plane_count(); ++plane) {
      // Tiles are held in single precision: a cell at an end of the range may be a little outside.
      const Matrix share = (matrix.tile_conductance(plane, t).array() - g.g_min) / g.width();
      (whole ? tiles.whole : tiles.partial).push_back(share.cwiseMax(0.0).cwiseMin(1.0));
    }
  }
}

/// The first `count` of a random permutation (Fisher-Yates).
void draw(std::vector<Matrix>& tiles, std::size_t count, const RandomStream& stream) {
  count = std::min(count, tiles.size());
  for (std::size_t k = 0; k < count; ++k) {
    std::swap(tiles[k], tiles[k + stream.below(k, tiles.size() - k)]);
  }
  tiles.resize(count);
}

}  // namespace

std::vector<MatrixF> train_weights(std::uint64_t seed, const ProgressCallback& progress) {
  const nn::DataSet data = nn::load_data("glyphs", seed);
  const nn::ImageSet& images = data.train;
  nn::Network network =
      nn::make_model("mlp", {images.channels, images.height, images.width}, data.num_classes, seed);
  nn::TrainOptions options;
  options.epochs = 2;
  options.seed = seed;
  nn::TrainCallbacks callbacks;
  callbacks.progress = progress;
  (void)nn::train(network, data, options, callbacks);
  return weights_in(network.state());
}

std::vector<MatrixF> weights_in(const TensorFile& file) {
  std::vector<MatrixF> weights;
  for (const auto& [name, tensor] : file.tensors) {
    if (tensor.shape.size() < 2 || tensor.values.empty()) continue;
    const auto outputs = static_cast<Index>(tensor.shape.front());
    const auto inputs = static_cast<Index>(tensor.values.size()) / outputs;
    weights.emplace_back(Eigen::Map<const MatrixF>(tensor.values.data(), outputs, inputs));
    if (!weights.back().allFinite()) {
      throw InvalidArgument(fmt::format("weights: {}: expected finite values", name));
    }
  }
  if (weights.empty()) {
    throw InvalidArgument("weights: expected at least one tensor of two axes or more, found none");
  }
  return weights;
}

std::vector<Matrix> trained_tiles(const std::vector<MatrixF>& weights, Index rows, Index columns,
                                  Index count, std::uint64_t seed) {
  if (count < 1) throw InvalidArgument(fmt::format("tiles: expected at least 1, got {}", count));
  Tiles tiles;
  for (const MatrixF& weight : weights) cut(weight, rows, columns, tiles);
  if (tiles.whole.empty() && tiles.partial.empty()) {
    throw InvalidArgument("weights: expected a layer whose weights are not all 0, found none");
  }
  const RandomStream stream(seed, "trained-tiles");
  draw(tiles.whole, static_cast<std::size_t>(count), stream.substream(0));
  draw(tiles.partial, static_cast<std::size_t>(count) - tiles.whole.size(), stream.substream(1));
  std::move(tiles.partial.begin(), tiles.partial.end(), std::back_inserter(tiles.whole));
  return std::move(tiles.whole);
}

}  // namespace xbar::validation
