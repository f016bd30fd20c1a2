#include "registry.hpp"

#include <array>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/suggest.hpp>
#include <xbar/nn/models.hpp>

namespace xbar::nn {
namespace {

struct Model {
  std::string_view name;
  Network (*build)(const Shape& input_shape, Index num_classes);
};

constexpr std::array models{
    Model{"mlp", build_mlp},           Model{"lenet5", build_lenet5},
    Model{"alexnet", build_alexnet},   Model{"vgg8", build_vgg8},
    Model{"vgg8s", build_vgg8s},       Model{"vgg16", build_vgg16},
    Model{"resnet18", build_resnet18}, Model{"resnet20", build_resnet20},
    Model{"resnet56", build_resnet56},
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
  for (const auto& layer : network.layers()) layer->initialise(seed);
}

}  // namespace xbar::nn
