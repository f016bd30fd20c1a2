#include <algorithm>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/layers/slice.hpp>

#include "../chunks.hpp"

namespace xbar::nn {

Slice::Slice(std::string name, const std::array<AxisRange, 3>& ranges)
    : Layer(std::move(name)), ranges_(ranges) {
  for (const AxisRange& range : ranges) {
    if (range.start >= 0 && range.step >= 1 && range.count >= 1) continue;
    throw InvalidArgument(
        fmt::format("{}: expected start >= 0, step >= 1 and count >= 1, found {}, {} and {}",
                    this->name(), range.start, range.step, range.count));
  }
}

Shape Slice::output_shape(const Shape& input) const {
  bool fits = input.rank() == 4;
  for (int axis = 0; fits && axis < 3; ++axis) {
    const AxisRange& range = ranges_[static_cast<std::size_t>(axis)];
    fits = range.start + (range.count - 1) * range.step < input[axis + 1];
  }
  if (!fits) {
    throw InvalidArgument(fmt::format(
        "{}: expected an input of shape (N, C, H, W) with C > {}, H > {} and W > {}, found {}",
        name(), ranges_[0].start + (ranges_[0].count - 1) * ranges_[0].step,
        ranges_[1].start + (ranges_[1].count - 1) * ranges_[1].step,
        ranges_[2].start + (ranges_[2].count - 1) * ranges_[2].step, to_string(input)));
  }
  return {input[0], ranges_[0].count, ranges_[1].count, ranges_[2].count};
}

template <typename Body>
void Slice::for_values(const Shape& whole, Index n, const Body& body) const {
  const auto& [channels, rows, columns] = ranges_;
  Index part = n * channels.count * rows.count * columns.count;
  for (Index c = 0; c < channels.count; ++c) {
    const Index plane = n * whole[1] + channels.start + c * channels.step;
    for (Index p = 0; p < rows.count; ++p) {
      const Index row = plane * whole[2] + rows.start + p * rows.step;
      const Index first = row * whole[3] + columns.start;
      for (Index q = 0; q < columns.count; ++q) body(part++, first + q * columns.step);
    }
  }
}

void Slice::compute_forward(const Tensor& x, Tensor& y) {
  for_chunks(x.count(), x.item_size(), [&](Index begin, Index end) {
    for (Index n = begin; n < end; ++n) {
      for_values(x.shape(), n, [&](Index part, Index whole) { y[part] = x[whole]; });
    }
  });
}

void Slice::compute_backward(const Tensor& x, const Tensor& /*y*/, const Tensor& dy, Tensor* dx) {
  if (dx == nullptr) return;
  for_chunks(x.count(), x.item_size(), [&](Index begin, Index end) {
    for (Index n = begin; n < end; ++n) {
      std::fill_n(dx->data() + n * x.item_size(), x.item_size(), 0.0F);
      for_values(x.shape(), n, [&](Index part, Index whole) { (*dx)[whole] = dy[part]; });
    }
  });
}

}  // namespace xbar::nn
