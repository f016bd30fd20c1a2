#pragma once

#include <memory>
#include <vector>

#include <xbar/nn/layers/layer.hpp>
#include <xbar/nn/network.hpp>

namespace xbar::nn {

/// Calls visit for every layer and for those inside it, outer ones first.
template <typename Visit>
void for_each_layer(Layer& layer, const Visit& visit) {
  visit(layer);
  for (Layer* child : layer.children()) for_each_layer(*child, visit);
}

/// The layers of a kind, in order, those inside others included.
template <typename Kind>
std::vector<Kind*> layers_of(const std::vector<std::unique_ptr<Layer>>& layers) {
  std::vector<Kind*> found;
  for (const auto& layer : layers) {
    for_each_layer(*layer, [&](Layer& one) {
      if (auto* kind = dynamic_cast<Kind*>(&one)) found.push_back(kind);
    });
  }
  return found;
}

template <typename Kind>
std::vector<Kind*> layers_of(Network& network) {
  return layers_of<Kind>(network.layers());
}

}  // namespace xbar::nn
