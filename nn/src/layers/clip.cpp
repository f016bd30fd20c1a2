#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/layers/clip.hpp>

#include "../chunks.hpp"

namespace xbar::nn {

Clip::Clip(std::string name, float low, float high)
    : Layer(std::move(name)), low_(low), high_(high) {
  if (!(low <= high)) {
    throw InvalidArgument(
        fmt::format("{}: expected bounds low <= high, found {} and {}", this->name(), low, high));
  }
}

void Clip::compute_forward(const Tensor& x, Tensor& y) {
  const float* in = x.data();
  float* out = y.data();
  for_chunks(x.size(), 1, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const float above = in[i] < low_ ? low_ : in[i];
      out[i] = above > high_ ? high_ : above;
    }
  });
}

void Clip::compute_backward(const Tensor& x, const Tensor& /*y*/, const Tensor& dy, Tensor* dx) {
  if (dx == nullptr) return;
  const float* value = x.data();
  const float* in = dy.data();
  float* out = dx->data();
  for_chunks(x.size(), 1, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const float gradient = in[i];
      out[i] = value[i] > low_ && value[i] < high_ ? gradient : 0.0F;
    }
  });
}

}  // namespace xbar::nn
