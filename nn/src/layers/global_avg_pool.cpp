#include <algorithm>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/layers/global_avg_pool.hpp>

#include "../chunks.hpp"

namespace xbar::nn {

Shape GlobalAvgPool::output_shape(const Shape& input) const {
  if (input.rank() != 4 || input.volume_from(2) < 1) {
    throw InvalidArgument(
        fmt::format("{}: expected an input of shape (N, C, H, W) with H, W >= 1, found {}", name(),
                    to_string(input)));
  }
  return {input[0], input[1], 1, 1};
}

void GlobalAvgPool::compute_forward(const Tensor& x, Tensor& y) {
  const Index size = x.shape().volume_from(2);
  for_chunks(y.size(), size, [&](Index begin, Index end) {
    for (Index plane = begin; plane < end; ++plane) {
      const float* from = x.data() + plane * size;
      float sum = 0;
#pragma omp simd reduction(+ : sum)
      for (Index i = 0; i < size; ++i) sum += from[i];
      y[plane] = sum / static_cast<float>(size);
    }
  });
}

void GlobalAvgPool::compute_backward(const Tensor& x, const Tensor& /*y*/, const Tensor& dy,
                                     Tensor* dx) {
  if (dx == nullptr) return;
  const Index size = x.shape().volume_from(2);
  for_chunks(dy.size(), size, [&](Index begin, Index end) {
    for (Index plane = begin; plane < end; ++plane) {
      float* to = dx->data() + plane * size;
      std::fill(to, to + size, dy[plane] / static_cast<float>(size));
    }
  });
}

}  // namespace xbar::nn
