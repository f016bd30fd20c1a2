#include <algorithm>
#include <bit>
#include <cstdint>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/layers/max_pool2d.hpp>

#include "../chunks.hpp"
#include "pool_window.hpp"

namespace xbar::nn {
namespace {

struct Plane {
  Index height, width;
};

// True also for a NaN candidate; a NaN that is the best so far stays it.
bool beats(float candidate, float best) { return candidate > best || candidate != candidate; }

void pool(const float* x, Plane in, float* y, std::int32_t* winner, Plane out, Index kernel,
          Index stride) {
  for (Index p = 0; p < out.height; ++p) {
    for (Index q = 0; q < out.width; ++q) {
      const float* window = x + p * stride * in.width + q * stride;
      float best = window[0];
      Index place = 0;
      for (Index i = 0; i < kernel; ++i) {
        for (Index j = 0; j < kernel; ++j) {
          const float value = window[i * in.width + j];
          if (beats(value, best)) {
            best = value;
            place = i * kernel + j;
          }
        }
      }
      *y++ = best;
      *winner++ = static_cast<std::int32_t>(place);
    }
  }
}

// The usual case, 2 x 2 without overlap, without inner loops and branches.
void pool_two(const float* x, Plane in, float* y, std::int32_t* winner, Plane out) {
  for (Index p = 0; p < out.height; ++p) {
    const float* above = x + 2 * p * in.width;
    const float* below = above + in.width;
#pragma omp simd
    for (Index q = 0; q < out.width; ++q) {
      const bool right_above = beats(above[2 * q + 1], above[2 * q]);
      const float best_above = right_above ? above[2 * q + 1] : above[2 * q];
      const bool right_below = beats(below[2 * q + 1], below[2 * q]);
      const float best_below = right_below ? below[2 * q + 1] : below[2 * q];
      const bool lower = beats(best_below, best_above);
      y[q] = lower ? best_below : best_above;
      winner[q] = static_cast<std::int32_t>(lower ? 2 + right_below : 0 + right_above);
    }
    y += out.width;
    winner += out.width;
  }
}

void unpool(const float* dy, const std::int32_t* winner, Plane out, float* dx, Plane in,
            Index kernel, Index stride) {
  std::fill(dx, dx + in.height * in.width, 0.0F);
  for (Index p = 0; p < out.height; ++p) {
    for (Index q = 0; q < out.width; ++q) {
      const Index place = *winner++;
      dx[(p * stride + place / kernel) * in.width + q * stride + place % kernel] += *dy++;
    }
  }
}

void unpool_two(const float* dy, const std::int32_t* winner, Plane out, float* dx, Plane in) {
  if (in.height != 2 * out.height || in.width != 2 * out.width) {
    std::fill(dx, dx + in.height * in.width, 0.0F);  // the last row or column has no window
  }
  for (Index p = 0; p < out.height; ++p) {
    float* above = dx + 2 * p * in.width;
    float* below = above + in.width;
#pragma omp simd
    for (Index q = 0; q < out.width; ++q) {
      // Masks instead of conditions, which the compiler would turn into jumps.
      const auto bits = std::bit_cast<std::uint32_t>(dy[q]);
      const auto part = [&](std::int32_t place) {
        return std::bit_cast<float>(bits & (0U - static_cast<std::uint32_t>(winner[q] == place)));
      };
      above[2 * q] = part(0);
      above[2 * q + 1] = part(1);
      below[2 * q] = part(2);
      below[2 * q + 1] = part(3);
    }
    dy += out.width;
    winner += out.width;
  }
}

}  // namespace

MaxPool2d::MaxPool2d(std::string name, Index kernel, Index stride)
    : Layer(std::move(name)), kernel_(kernel) {
  if (kernel < 1 || kernel > 256) {
    throw InvalidArgument(
        fmt::format("{}: expected a kernel of 1 to 256, found {}", this->name(), kernel));
  }
  stride_ = pool_stride(this->name(), kernel, stride);
}

Shape MaxPool2d::output_shape(const Shape& input) const {
  return pool_output_shape(name(), input, kernel_, stride_);
}

void MaxPool2d::compute_forward(const Tensor& x, Tensor& y) {
  winner_.resize(static_cast<std::size_t>(y.size()));
  const Plane in{x.shape()[2], x.shape()[3]};
  const Plane out{y.shape()[2], y.shape()[3]};
  const Index in_size = in.height * in.width;
  const Index out_size = out.height * out.width;
  for_chunks(x.count() * x.shape()[1], in_size, [&](Index begin, Index end) {
    for (Index plane = begin; plane < end; ++plane) {
      const float* from = x.data() + plane * in_size;
      float* to = y.data() + plane * out_size;
      std::int32_t* winner = winner_.data() + plane * out_size;
      if (kernel_ == 2 && stride_ == 2) {
        pool_two(from, in, to, winner, out);
      } else {
        pool(from, in, to, winner, out, kernel_, stride_);
      }
    }
  });
}

void MaxPool2d::compute_backward(const Tensor& x, const Tensor& y, const Tensor& dy, Tensor* dx) {
  if (dx == nullptr) return;
  const Plane in{x.shape()[2], x.shape()[3]};
  const Plane out{y.shape()[2], y.shape()[3]};
  const Index in_size = in.height * in.width;
  const Index out_size = out.height * out.width;
  for_chunks(x.count() * x.shape()[1], in_size, [&](Index begin, Index end) {
    for (Index plane = begin; plane < end; ++plane) {
      const float* from = dy.data() + plane * out_size;
      float* to = dx->data() + plane * in_size;
      const std::int32_t* winner = winner_.data() + plane * out_size;
      if (kernel_ == 2 && stride_ == 2) {
        unpool_two(from, winner, out, to, in);
      } else {
        unpool(from, winner, out, to, in, kernel_, stride_);
      }
    }
  });
}

}  // namespace xbar::nn
