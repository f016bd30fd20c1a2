#include "registry.hpp"

#include <array>

#include <fmt/format.h>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/core/suggest.hpp>
#include <xbar/nn/model_file.hpp>
#include <xbar/nn/models.hpp>

#include "blocks.hpp"

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

Network build(const ModelSource& model, const Shape& input_shape, Index num_classes) {
  if (model.toml) return parse_model(*model.toml, model.name, input_shape, num_classes);
  check_model_input(model.name, input_shape, num_classes);
  for (const Model& known : models) {
    if (known.name == model.name) return known.build(input_shape, num_classes);
  }
  const std::vector<std::string> names = model_names();
  throw InvalidArgument(fmt::format("model: expected one of {} or a .toml file, found {}{}",
                                    fmt::join(names, ", "), model.name,
                                    did_you_mean(model.name, names)));
}

}  // namespace

ModelSource model_source(std::string_view model) {
  if (!model.ends_with(".toml")) return {std::string(model), {}};
  return {std::string(model), read_file(model)};
}

Network make_model(const ModelSource& model, const Shape& input_shape, Index num_classes,
                   std::uint64_t seed) {
  Network network = build(model, input_shape, num_classes);
  initialise(network, seed);
  return network;
}

Network make_model(std::string_view model, const Shape& input_shape, Index num_classes,
                   std::uint64_t seed) {
  return make_model(model_source(model), input_shape, num_classes, seed);
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
