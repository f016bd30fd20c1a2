#include <algorithm>
#include <utility>

#include <xbar/core/error.hpp>
#include <xbar/core/random.hpp>
#include <xbar/nn/crossbar_mapping.hpp>
#include <xbar/validation/tile_check.hpp>

namespace xbar::validation {
namespace {

struct TileRef {
  const mapping::CrossbarMatrix* matrix;
  Index plane;
  Index tile;
};

}  // namespace

TileCheck check_tiles(nn::Network& network, const TileCheckOptions& options) {
  std::vector<TileRef> all;
  for (const nn::CrossbarLayer& layer : nn::crossbar_layers(network)) {
    for (Index plane = 0; plane < layer.matrix->plane_count(); ++plane) {
      for (Index t = 0; t < layer.matrix->tile_count(); ++t) {
        all.push_back({layer.matrix, plane, t});
      }
    }
  }
  if (all.empty()) throw InvalidArgument("tile check: no layer of the network is on crossbars");
  TileCheck check;
  check.total = static_cast<Index>(all.size());
  check.tiles = std::min(std::max(options.tiles, Index{1}), check.total);

  // The first tiles of a random permutation (Fisher-Yates).
  const RandomStream stream(options.seed, "tile-check");
  std::vector<Matrix> arrays;
  for (Index k = 0; k < check.tiles; ++k) {
    const auto other =
        k + static_cast<Index>(stream.below(static_cast<std::uint64_t>(k),
                                            static_cast<std::uint64_t>(check.total - k)));
    std::swap(all[static_cast<std::size_t>(k)], all[static_cast<std::size_t>(other)]);
    const TileRef& ref = all[static_cast<std::size_t>(k)];
    arrays.push_back(ref.matrix->tile_conductance(ref.plane, ref.tile));
  }
  const mapping::Technology& technology = all.front().matrix->technology();
  surrogate::CalibrationPoint point;
  point.rows = technology.tile_rows;
  point.columns = technology.tile_columns;
  point.on_ohm = technology.on_ohm;
  point.on_off_ratio = technology.on_off_ratio;
  point.wires = technology.wires;
  surrogate::MeasureOptions measure;
  measure.inputs = options.inputs;
  measure.seed = options.seed;
  check.rows = surrogate::measure(point, arrays, options.models, measure);
  return check;
}

}  // namespace xbar::validation
