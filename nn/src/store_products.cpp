#include <algorithm>

#include <xbar/core/gemm.hpp>
#include <xbar/nn/store_products.hpp>
#include <xbar/nn/tensor.hpp>

#include "layers/converted_product.hpp"

namespace xbar::nn {
namespace {

Tensor tensor_of(const float* values, Index count, Index length) {
  Tensor tensor(Shape{count, length});
  std::copy_n(values, tensor.size(), tensor.data());
  return tensor;
}

}  // namespace

void read_forward(WeightStore& store, const float* x, Index count, bool following, float* y) {
  const Index out = store.weight().rows();
  const Index in = store.weight().cols();
  store.begin_read();
  mapping::ConvertedRead* read = store.converted_forward();
  if (read == nullptr) {
    gemm(Op::none, Op::transpose, count, out, in, 1.0F, x, in, store.forward_weight().data(), in,
         0.0F, y, out);
    return;
  }
  read->set_following(following);
  Tensor result(Shape{count, out});
  Tensor slope;
  converted_forward(*read, Patches{.channels = in}, tensor_of(x, count, in), nullptr, result,
                    slope);
  std::copy_n(result.data(), result.size(), y);
}

void read_backward(WeightStore& store, const float* dy, Index count, bool following, float* dx) {
  const Index out = store.weight().rows();
  const Index in = store.weight().cols();
  store.begin_read();
  mapping::ConvertedRead* read = store.converted_backward();
  if (read == nullptr) {
    gemm(Op::none, Op::none, count, in, out, 1.0F, dy, out, store.backward_weight().data(), in,
         0.0F, dx, in);
    return;
  }
  read->set_following(following);
  Tensor result(Shape{count, in});
  converted_backward(*read, Patches{.channels = in}, tensor_of(dy, count, out), result);
  std::copy_n(result.data(), result.size(), dx);
}

void update_from_signals(WeightStore& store, const float* x, const float* dy, Index count,
                         double learning_rate) {
  const Tensor inputs = tensor_of(x, count, store.weight().cols());
  const Tensor gradients = tensor_of(dy, count, store.weight().rows());
  store.take_signals(Patches{.channels = store.weight().cols()}, inputs, gradients);
  store.update_from_signals(learning_rate);
}

}  // namespace xbar::nn
