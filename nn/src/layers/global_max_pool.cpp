#include <algorithm>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/layers/global_max_pool.hpp>

#include "../chunks.hpp"

namespace xbar::nn {

Shape GlobalMaxPool::output_shape(const Shape& input) const {
  if (input.rank() != 4 || input.volume_from(2) < 1) {
    throw InvalidArgument(
        fmt::format("{}: expected an input of shape (N, C, H, W) with H, W >= 1, found {}", name(),
                    to_string(input)));
  }
  return {input[0], input[1], 1, 1};
}

void GlobalMaxPool::compute_forward(const Tensor& x, Tensor& y) {
  const Index size = x.shape().volume_from(2);
  winner_.resize(static_cast<std::size_t>(y.size()));
  for_chunks(y.size(), size, [&](Index begin, Index end) {
    for (Index plane = begin; plane < end; ++plane) {
      const float* from = x.data() + plane * size;
      Index best = 0;
      for (Index i = 1; i < size; ++i) {
        // True also for a NaN candidate; a NaN that is the best so far stays it.
        if (from[i] > from[best] || from[i] != from[i]) best = i;
      }
      y[plane] = from[best];
      winner_[static_cast<std::size_t>(plane)] = best;
    }
  });
}

void GlobalMaxPool::compute_backward(const Tensor& x, const Tensor& /*y*/, const Tensor& dy,
                                     Tensor* dx) {
  if (dx == nullptr) return;
  const Index size = x.shape().volume_from(2);
  for_chunks(dy.size(), size, [&](Index begin, Index end) {
    for (Index plane = begin; plane < end; ++plane) {
      float* to = dx->data() + plane * size;
      std::fill(to, to + size, 0.0F);
      to[winner_[static_cast<std::size_t>(plane)]] = dy[plane];
    }
  });
}

}  // namespace xbar::nn
