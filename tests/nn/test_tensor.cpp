#include <cstdint>

#include <xbar/core/error.hpp>
#include <xbar/nn/tensor.hpp>

#include "support/catch.hpp"

using xbar::nn::Shape;
using xbar::nn::Tensor;

TEST_CASE("nn/tensor: a shape knows its volume, its item and its batch") {
  const Shape shape{64, 3, 5, 7};
  CHECK(shape.volume() == 64 * 3 * 5 * 7);
  CHECK(shape.volume_from(1) == 3 * 5 * 7);
  CHECK(shape.item() == Shape{3, 5, 7});
  CHECK(shape.item().batch(2) == Shape{2, 3, 5, 7});
  CHECK(Shape{}.volume() == 1);
  CHECK_FALSE(Shape{3} == Shape{3, 1});
}

TEST_CASE("nn/tensor: shapes are written as PyTorch writes them") {
  CHECK(to_string(Shape{64, 1, 28, 28}) == "(64, 1, 28, 28)");
  CHECK(to_string(Shape{10}) == "(10,)");
  CHECK(to_string(Shape{}) == "()");
}

TEST_CASE("nn/tensor: five axes or a negative length are refused") {
  CHECK_THROWS_AS((Shape{1, 2, 3, 4, 5}), xbar::InvalidArgument);
  CHECK_THROWS_AS((Shape{1, -2}), xbar::InvalidArgument);
}

TEST_CASE(
    "nn/tensor: values start at zero, on a cache line, and memory is kept by smaller shapes") {
  Tensor tensor({4, 8});
  CHECK(tensor.size() == 32);
  CHECK(tensor.count() == 4);
  CHECK(tensor.item_size() == 8);
  for (xbar::Index i = 0; i < tensor.size(); ++i) CHECK(tensor[i] == 0.0F);
  const float* memory = tensor.data();
  CHECK(reinterpret_cast<std::uintptr_t>(memory) % 64 == 0);
  tensor.resize({2, 8});
  CHECK(tensor.size() == 16);
  tensor.resize({4, 8});
  CHECK(tensor.data() == memory);
  CHECK(Tensor().count() == 0);
}
