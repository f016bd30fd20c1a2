#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/tensor.hpp>

namespace xbar::nn {

Shape::Shape(std::initializer_list<Index> lengths) {
  for (const Index length : lengths) push_back(length);
}

void Shape::push_back(Index length) {
  if (rank_ == max_rank) {
    throw InvalidArgument(fmt::format("shape: expected at most {} axes, found more", max_rank));
  }
  if (length < 0) {
    throw InvalidArgument(fmt::format("shape: expected lengths >= 0, found {}", length));
  }
  lengths_[static_cast<std::size_t>(rank_)] = length;
  ++rank_;
}

Index Shape::volume_from(int first) const {
  Index product = 1;
  for (int axis = first; axis < rank_; ++axis) product *= (*this)[axis];
  return product;
}

Shape Shape::item() const {
  Shape result;
  for (int axis = 1; axis < rank_; ++axis) result.push_back((*this)[axis]);
  return result;
}

Shape Shape::batch(Index count) const {
  Shape result{count};
  for (int axis = 0; axis < rank_; ++axis) result.push_back((*this)[axis]);
  return result;
}

std::string to_string(const Shape& shape) {
  std::string text = "(";
  for (int axis = 0; axis < shape.rank(); ++axis) {
    text += fmt::format("{}{}", axis == 0 ? "" : ", ", shape[axis]);
  }
  return text + (shape.rank() == 1 ? ",)" : ")");
}

}  // namespace xbar::nn
