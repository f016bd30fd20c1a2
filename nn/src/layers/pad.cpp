#include <algorithm>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/layers/pad.hpp>

#include "../chunks.hpp"

namespace xbar::nn {
namespace {

// Calls body(place in `inner`, place in `outer`) for every row of image n.
template <typename Body>
void for_rows(const Shape& inner, const Shape& outer, const Margins& margins, Index n,
              const Body& body) {
  for (Index c = 0; c < inner[1]; ++c) {
    for (Index p = 0; p < inner[2]; ++p) {
      const Index plane = n * outer[1] + c + margins.before[0];
      const Index row = plane * outer[2] + p + margins.before[1];
      body(((n * inner[1] + c) * inner[2] + p) * inner[3], row * outer[3] + margins.before[2]);
    }
  }
}

}  // namespace

Pad::Pad(std::string name, const Margins& margins, float value)
    : Layer(std::move(name)), margins_(margins), value_(value) {
  for (const auto& lengths : {margins.before, margins.behind}) {
    for (const Index length : lengths) {
      if (length >= 0) continue;
      throw InvalidArgument(
          fmt::format("{}: expected margins >= 0, found {}", this->name(), length));
    }
  }
}

Shape Pad::output_shape(const Shape& input) const {
  if (input.rank() != 4) {
    throw InvalidArgument(fmt::format("{}: expected an input of shape (N, C, H, W), found {}",
                                      name(), to_string(input)));
  }
  const auto length = [&](int axis) {
    const auto k = static_cast<std::size_t>(axis - 1);
    return input[axis] + margins_.before[k] + margins_.behind[k];
  };
  return {input[0], length(1), length(2), length(3)};
}

void Pad::compute_forward(const Tensor& x, Tensor& y) {
  const Index width = x.shape()[3];
  for_chunks(x.count(), y.item_size(), [&](Index begin, Index end) {
    for (Index n = begin; n < end; ++n) {
      std::fill_n(y.data() + n * y.item_size(), y.item_size(), value_);
      for_rows(x.shape(), y.shape(), margins_, n, [&](Index inner, Index outer) {
        std::copy_n(x.data() + inner, width, y.data() + outer);
      });
    }
  });
}

void Pad::compute_backward(const Tensor& x, const Tensor& y, const Tensor& dy, Tensor* dx) {
  if (dx == nullptr) return;
  const Index width = x.shape()[3];
  for_chunks(x.count(), y.item_size(), [&](Index begin, Index end) {
    for (Index n = begin; n < end; ++n) {
      for_rows(x.shape(), y.shape(), margins_, n, [&](Index inner, Index outer) {
        std::copy_n(dy.data() + outer, width, dx->data() + inner);
      });
    }
  });
}

}  // namespace xbar::nn
