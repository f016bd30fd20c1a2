#include <algorithm>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/layers/join.hpp>

#include "../chunks.hpp"

namespace xbar::nn {

Shape Sum::output_shape(const std::vector<Shape>& inputs) const {
  for (const Shape& shape : inputs) {
    if (shape == inputs.front()) continue;
    throw InvalidArgument(fmt::format("{}: expected values of one shape to add up, found {} and {}",
                                      name(), to_string(inputs.front()), to_string(shape)));
  }
  return inputs.front();
}

void Sum::forward(const std::vector<const Tensor*>& x, Tensor& y) {
  float* to = y.data();
  for_chunks(y.size(), 1, [&](Index begin, Index end) {
    std::copy(x.front()->data() + begin, x.front()->data() + end, to + begin);
    for (std::size_t k = 1; k < x.size(); ++k) {
      const float* from = x[k]->data();
      for (Index i = begin; i < end; ++i) to[i] += from[i];
    }
  });
}

std::vector<const Tensor*> Sum::backward(const std::vector<Shape>& inputs, const Tensor& dy) {
  return {inputs.size(), &dy};
}

Shape Concatenation::output_shape(const std::vector<Shape>& inputs) const {
  const Shape& first = inputs.front();
  Index channels = 0;
  for (const Shape& shape : inputs) {
    bool fits = shape.rank() >= 2 && shape.rank() == first.rank() && shape[0] == first[0];
    for (int axis = 2; fits && axis < shape.rank(); ++axis) fits = shape[axis] == first[axis];
    if (!fits) {
      throw InvalidArgument(
          fmt::format("{}: expected values that differ in their channels only, found {} and {}",
                      name(), to_string(first), to_string(shape)));
    }
    channels += shape[1];
  }
  Shape result{first[0], channels};
  for (int axis = 2; axis < first.rank(); ++axis) result.push_back(first[axis]);
  return result;
}

void Concatenation::forward(const std::vector<const Tensor*>& x, Tensor& y) {
  for_chunks(y.count(), y.item_size(), [&](Index begin, Index end) {
    for (Index n = begin; n < end; ++n) {
      float* to = y.data() + n * y.item_size();
      for (const Tensor* part : x) {
        to = std::copy_n(part->data() + n * part->item_size(), part->item_size(), to);
      }
    }
  });
}

std::vector<const Tensor*> Concatenation::backward(const std::vector<Shape>& inputs,
                                                   const Tensor& dy) {
  parts_.resize(inputs.size());
  for (std::size_t k = 0; k < inputs.size(); ++k) parts_[k].resize(inputs[k]);
  for_chunks(dy.count(), dy.item_size(), [&](Index begin, Index end) {
    for (Index n = begin; n < end; ++n) {
      const float* from = dy.data() + n * dy.item_size();
      for (Tensor& part : parts_) {
        std::copy_n(from, part.item_size(), part.data() + n * part.item_size());
        from += part.item_size();
      }
    }
  });
  std::vector<const Tensor*> result;
  for (const Tensor& part : parts_) result.push_back(&part);
  return result;
}

}  // namespace xbar::nn
