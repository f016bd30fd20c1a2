#include <algorithm>
#include <numeric>
#include <utility>

#include <xbar/core/error.hpp>
#include <xbar/core/random.hpp>
#include <xbar/nn/crossbar_weight.hpp>
#include <xbar/validation/tile_check.hpp>

namespace xbar::validation {
namespace {

struct TileRef {
  const mapping::CrossbarMatrix* matrix;
  mapping::Polarity polarity;
  Index tile;
};

}  // namespace

TileCheck check_tiles(nn::Network& network, const TileCheckOptions& options,
                      const ProgressCallback& progress) {
  std::vector<TileRef> all;
  for (const nn::CrossbarLayer& layer : nn::crossbar_layers(network)) {
    for (const auto polarity : {mapping::Polarity::plus, mapping::Polarity::minus}) {
      for (Index t = 0; t < layer.matrix->tile_count(); ++t) {
        all.push_back({layer.matrix, polarity, t});
      }
    }
  }
  if (all.empty()) throw InvalidArgument("tile check: no layer of the network is on crossbars");
  TileCheck check;
  check.total = static_cast<Index>(all.size());
  check.tiles = std::min(std::max(options.tiles, Index{1}), check.total);
  for (const surrogate::ModelKind model : options.models) check.rows.push_back({model, {}});

  // The first tiles of a random permutation (Fisher-Yates).
  const RandomStream stream(options.seed, "tile-check");
  for (Index k = 0; k < check.tiles; ++k) {
    const auto other =
        k + static_cast<Index>(stream.below(static_cast<std::uint64_t>(k),
                                            static_cast<std::uint64_t>(check.total - k)));
    std::swap(all[static_cast<std::size_t>(k)], all[static_cast<std::size_t>(other)]);
    const TileRef& ref = all[static_cast<std::size_t>(k)];
    const Matrix conductance = ref.matrix->tile_conductance(ref.polarity, ref.tile);
    const WireResistance& wires = ref.matrix->technology().wires;
    const Matrix exact =
        surrogate::effective_conductance(surrogate::ModelKind::exact, conductance, wires, {});
    const Matrix inputs = surrogate::random_sparse_inputs(
        conductance.rows(), options.inputs, options.seed + static_cast<std::uint64_t>(k));
    for (TileCheckRow& row : check.rows) {
      const Matrix model = surrogate::effective_conductance(row.model, conductance, wires,
                                                            Vector::Ones(conductance.rows()));
      const surrogate::CurrentError error = surrogate::current_error(model, exact, inputs);
      row.error.mean += error.mean / static_cast<double>(check.tiles);
      row.error.worst = std::max(row.error.worst, error.worst);
    }
    if (progress) {
      progress({"tile check", static_cast<double>(k + 1), static_cast<double>(check.tiles), ""});
    }
  }
  return check;
}

}  // namespace xbar::validation
