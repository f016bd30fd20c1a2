#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/sgd.hpp>

#include "chunks.hpp"
#include "named_tensors.hpp"
#include "optimizer_check.hpp"

namespace xbar::nn {

Sgd::Sgd(std::vector<Parameter*> parameters, const SgdOptions& options) : options_(options) {
  check_decay_rate("momentum", options.momentum);
  check_weight_decay(options.weight_decay);
  for (Parameter* parameter : parameters) {
    const Index rows = parameter->gradient.rows();
    const Index columns = parameter->gradient.cols();
    slots_.push_back({parameter, MatrixF::Zero(rows, columns), MatrixF::Zero(rows, columns)});
  }
}

void Sgd::step(double learning_rate) {
  const auto rate = static_cast<float>(learning_rate);
  const auto mu = static_cast<float>(options_.momentum);
  const auto lambda = static_cast<float>(options_.weight_decay);
  for (Slot& slot : slots_) {
    if (slot.parameter->store->takes_signals()) {
      if (mu > 0 || lambda > 0) {
        throw InvalidArgument(
            fmt::format("momentum, weight_decay: expected 0 with gradients formed in the arrays "
                        "({}), found {} and {}",
                        slot.parameter->name, mu, lambda));
      }
      slot.parameter->store->update_from_signals(learning_rate);
      continue;
    }
    const float* g = slot.parameter->gradient.data();
    // Arrays have to work it out.
    const float* w = lambda == 0.0F ? nullptr : slot.parameter->store->weight().data();
    float* v = slot.velocity.data();
    float* delta = slot.delta.data();
    for_chunks(slot.velocity.size(), 1, [=](Index begin, Index end) {
      if (lambda == 0.0F) {
        for (Index i = begin; i < end; ++i) {
          v[i] = mu * v[i] + g[i];
          delta[i] = -rate * v[i];
        }
      } else {
        for (Index i = begin; i < end; ++i) {
          v[i] = mu * v[i] + (g[i] + lambda * w[i]);
          delta[i] = -rate * v[i];
        }
      }
    });
    slot.parameter->store->update(slot.delta);
  }
}

std::map<std::string, NamedTensor> Sgd::state() const {
  std::map<std::string, NamedTensor> result;
  for (const Slot& slot : slots_) {
    result["momentum/" + slot.parameter->name] =
        to_named_tensor(slot.velocity, slot.parameter->shape);
  }
  return result;
}

void Sgd::load_state(const std::map<std::string, NamedTensor>& state) {
  std::map<std::string, Shape> expected;
  for (const Slot& slot : slots_) {
    expected["momentum/" + slot.parameter->name] = slot.parameter->shape;
  }
  check_named_tensors("optimiser state", expected, state);
  for (Slot& slot : slots_) {
    slot.velocity = to_matrix(state.at("momentum/" + slot.parameter->name), slot.parameter->shape);
  }
}

}  // namespace xbar::nn
