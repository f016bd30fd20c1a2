#include <cmath>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/adam.hpp>

#include "chunks.hpp"
#include "named_tensors.hpp"
#include "optimizer_check.hpp"

namespace xbar::nn {
namespace {

constexpr Index exact_in_float = Index{1} << 24;  // integers up to here are exact in a float

std::string mean_name(const Parameter& parameter) { return "mean/" + parameter.name; }
std::string square_name(const Parameter& parameter) { return "square/" + parameter.name; }

}  // namespace

Adam::Adam(std::vector<Parameter*> parameters, const AdamOptions& options) : options_(options) {
  check_decay_rate("beta1", options.beta1);
  check_decay_rate("beta2", options.beta2);
  if (!(options.epsilon > 0 && std::isfinite(options.epsilon))) {
    throw InvalidArgument(
        fmt::format("epsilon: expected a finite value > 0, found {}", options.epsilon));
  }
  check_weight_decay(options.weight_decay);
  for (Parameter* parameter : parameters) {
    const MatrixF zero = MatrixF::Zero(parameter->gradient.rows(), parameter->gradient.cols());
    slots_.push_back({parameter, zero, zero, zero});
  }
}

void Adam::step(double learning_rate) {
  ++steps_;
  const auto t = static_cast<double>(steps_);
  const auto rate = static_cast<float>(learning_rate / (1 - std::pow(options_.beta1, t)));
  const auto root = static_cast<float>(1 / std::sqrt(1 - std::pow(options_.beta2, t)));
  const auto b1 = static_cast<float>(options_.beta1);
  const auto b2 = static_cast<float>(options_.beta2);
  const auto c1 = static_cast<float>(1 - options_.beta1);
  const auto c2 = static_cast<float>(1 - options_.beta2);
  const auto epsilon = static_cast<float>(options_.epsilon);
  const auto lambda = static_cast<float>(options_.weight_decay);
  const float in_gradient = options_.decoupled_decay ? 0.0F : lambda;
  const float in_weight =
      options_.decoupled_decay ? static_cast<float>(learning_rate * options_.weight_decay) : 0.0F;
  for (Slot& slot : slots_) {
    if (slot.parameter->store->takes_signals()) {
      throw InvalidArgument(fmt::format(
          "optimizer: expected sgd with gradients formed in the arrays ({}), found adam",
          slot.parameter->name));
    }
    const float* gradient = slot.parameter->gradient.data();
    const float* w = slot.parameter->store->weight().data();
    float* m = slot.mean.data();
    float* v = slot.square.data();
    float* delta = slot.delta.data();
    for_chunks(slot.mean.size(), 1, [=](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) {
        const float g = gradient[i] + in_gradient * w[i];
        m[i] = b1 * m[i] + c1 * g;
        v[i] = b2 * v[i] + c2 * (g * g);
        delta[i] = -rate * m[i] / (std::sqrt(v[i]) * root + epsilon) - in_weight * w[i];
      }
    });
    slot.parameter->store->update(slot.delta);
  }
}

std::map<std::string, NamedTensor> Adam::state() const {
  std::map<std::string, NamedTensor> result;
  for (const Slot& slot : slots_) {
    const Parameter& parameter = *slot.parameter;
    result[mean_name(parameter)] = to_named_tensor(slot.mean, parameter.shape);
    result[square_name(parameter)] = to_named_tensor(slot.square, parameter.shape);
  }
  result["steps"] = {
      {2},
      {static_cast<float>(steps_ % exact_in_float), static_cast<float>(steps_ / exact_in_float)}};
  return result;
}

void Adam::load_state(const std::map<std::string, NamedTensor>& state) {
  std::map<std::string, Shape> expected = {{"steps", {2}}};
  for (const Slot& slot : slots_) {
    const Parameter& parameter = *slot.parameter;
    expected[mean_name(parameter)] = expected[square_name(parameter)] = parameter.shape;
  }
  check_named_tensors("optimiser state", expected, state);
  const std::vector<float>& steps = state.at("steps").values;
  for (const float part : steps) {
    if (!(part >= 0 && part < static_cast<float>(exact_in_float)) || part != std::floor(part)) {
      throw InvalidArgument(fmt::format(
          "optimiser state: steps: expected whole numbers in [0, 2^24), found {}", part));
    }
  }
  steps_ = static_cast<Index>(steps[0]) + exact_in_float * static_cast<Index>(steps[1]);
  for (Slot& slot : slots_) {
    const Parameter& parameter = *slot.parameter;
    slot.mean = to_matrix(state.at(mean_name(parameter)), parameter.shape);
    slot.square = to_matrix(state.at(square_name(parameter)), parameter.shape);
  }
}

}  // namespace xbar::nn
