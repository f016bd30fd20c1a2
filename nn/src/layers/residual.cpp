#include <algorithm>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/layers/residual.hpp>

#include "../chunks.hpp"

namespace xbar::nn {

Residual::Residual(std::string name, Chain main, Chain shortcut, AfterSum after)
    : Layer(std::move(name)),
      main_(std::move(main)),
      shortcut_(std::move(shortcut)),
      after_(after) {}

Shape Residual::output_shape(const Shape& input) const {
  const Shape main = main_.output_shape(input);
  const Shape shortcut = shortcut_.output_shape(input);
  if (main != shortcut) {
    throw InvalidArgument(
        fmt::format("{}: expected a shortcut with outputs of shape {} as the main path, found {}",
                    name(), to_string(main), to_string(shortcut)));
  }
  return main;
}

std::vector<Parameter*> Residual::parameters() {
  std::vector<Parameter*> result = main_.parameters();
  for (Parameter* parameter : shortcut_.parameters()) result.push_back(parameter);
  return result;
}

std::vector<Buffer*> Residual::buffers() {
  std::vector<Buffer*> result = main_.buffers();
  for (Buffer* buffer : shortcut_.buffers()) result.push_back(buffer);
  return result;
}

std::vector<Layer*> Residual::children() const {
  std::vector<Layer*> result;
  for (const Chain* chain : {&main_, &shortcut_}) {
    for (const auto& layer : chain->layers()) result.push_back(layer.get());
  }
  return result;
}

bool Residual::is_trainable() const {
  const std::vector<Layer*> inside = children();
  return std::any_of(inside.begin(), inside.end(),
                     [](const Layer* layer) { return layer->is_trainable(); });
}

void Residual::compute_forward(const Tensor& x, Tensor& y) {
  const float* main = main_.forward(x).data();
  const float* shortcut = shortcut_.forward(x).data();
  float* to = y.data();
  for_chunks(y.size(), 1, [&](Index begin, Index end) {
    if (after_ == AfterSum::relu) {
      for (Index i = begin; i < end; ++i) {
        const float sum = main[i] + shortcut[i];
        to[i] = sum < 0.0F ? 0.0F : sum;  // a NaN passes
      }
    } else {
      for (Index i = begin; i < end; ++i) to[i] = main[i] + shortcut[i];
    }
  });
  if (!is_keeping()) {
    main_.release();
    shortcut_.release();
  }
}

void Residual::compute_backward(const Tensor& /*x*/, const Tensor& y, const Tensor& dy,
                                Tensor* dx) {
  const Tensor* gradient = &dy;
  if (after_ == AfterSum::relu) {
    sum_gradient_.resize(dy.shape());
    const float* value = y.data();
    const float* from = dy.data();
    float* to = sum_gradient_.data();
    for_chunks(dy.size(), 1, [=](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) {
        const float part = from[i];
        to[i] = value[i] > 0.0F ? part : 0.0F;
      }
    });
    gradient = &sum_gradient_;
  }
  if (dx == nullptr) {
    main_.backward_parameters(*gradient);
    shortcut_.backward_parameters(*gradient);
    return;
  }
  const float* main = main_.backward(*gradient).data();
  const float* shortcut = shortcut_.backward(*gradient).data();
  float* to = dx->data();
  for_chunks(dx->size(), 1, [=](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) to[i] = main[i] + shortcut[i];
  });
}

}  // namespace xbar::nn
