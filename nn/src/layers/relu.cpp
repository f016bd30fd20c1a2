#include <xbar/nn/layers/relu.hpp>

#include "../chunks.hpp"

namespace xbar::nn {

void Relu::compute_forward(const Tensor& x, Tensor& y) {
  const float* in = x.data();
  float* out = y.data();
  for_chunks(x.size(), 1, [=](Index begin, Index end) {
    // Asked this way round, a NaN passes and the compiler finds the vector maximum.
    for (Index i = begin; i < end; ++i) out[i] = in[i] < 0.0F ? 0.0F : in[i];
  });
}

void Relu::compute_backward(const Tensor& /*x*/, const Tensor& y, const Tensor& dy, Tensor* dx) {
  if (dx == nullptr) return;
  const float* value = y.data();
  const float* in = dy.data();
  float* out = dx->data();
  for_chunks(y.size(), 1, [=](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const float gradient = in[i];  // read in any case: a condition on a load is not vectorised
      out[i] = value[i] > 0.0F ? gradient : 0.0F;
    }
  });
}

}  // namespace xbar::nn
