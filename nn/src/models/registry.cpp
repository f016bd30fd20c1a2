#include "registry.hpp"

#include <array>
#include <cmath>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/random.hpp>
#include <xbar/core/suggest.hpp>
#include <xbar/nn/models.hpp>

namespace xbar::nn {
namespace {

struct Model {
  std::string_view name;
  Network (*build)(const Shape& input_shape, Index num_classes);
};

constexpr std::array models{
    Model{"mlp", build_mlp},
    Model{"lenet5", build_lenet5},
};

}  // namespace

Network make_model(std::string_view name, const Shape& input_shape, Index num_classes,
                   std::uint64_t seed) {
  if (num_classes < 1) {
    throw InvalidArgument(
        fmt::format("model {}: expected num_classes >= 1, found {}", name, num_classes));
  }
  if (input_shape.rank() < 1 || input_shape.rank() >= Shape::max_rank || input_shape.volume() < 1) {
    throw InvalidArgument(
        fmt::format("model {}: expected images of shape (channels, height, width), found {}", name,
                    to_string(input_shape)));
  }
  for (const Model& model : models) {
    if (model.name != name) continue;
    Network network = model.build(input_shape, num_classes);
    initialise(network, seed);
    return network;
  }
  const std::vector<std::string> names = model_names();
  throw InvalidArgument(fmt::format("model: expected one of {}, found {}{}", fmt::join(names, ", "),
                                    name, did_you_mean(name, names)));
}

std::vector<std::string> model_names() {
  std::vector<std::string> names;
  for (const Model& model : models) names.emplace_back(model.name);
  return names;
}

void initialise(Network& network, std::uint64_t seed) {
  for (WeightedLayer* layer : network.weighted_layers()) {
    const RandomStream stream(seed, "init/" + layer->name());
    const double bound = std::sqrt(6.0 / static_cast<double>(layer->in_features()));
    MatrixF weight(layer->out_features(), layer->in_features());
    for (Index i = 0; i < weight.size(); ++i) {
      weight.data()[i] =
          static_cast<float>(stream.uniform(static_cast<std::uint64_t>(i), -bound, bound));
    }
    layer->weight_store().set_weight(weight);
    if (layer->has_bias()) {
      layer->bias().store->set_weight(MatrixF::Zero(layer->out_features(), 1));
    }
  }
}

}  // namespace xbar::nn
