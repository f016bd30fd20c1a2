// Ten steps of two tiny networks against an implementation that shares nothing with this one: NumPy
// 2.4 in double precision, written for this test (products as `@` and tensordot over the windows,
// maxima by argmax, gradients by hand), momentum 0.9, weight decay 0.01. Inputs, weights and biases
// are the waves below; no ReLU input and no pooling gap comes nearer to zero than 1.5e-5 on the
// way, so that float rounding cannot take another branch.

#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include <xbar/nn/layers/conv2d.hpp>
#include <xbar/nn/layers/flatten.hpp>
#include <xbar/nn/layers/linear.hpp>
#include <xbar/nn/layers/max_pool2d.hpp>
#include <xbar/nn/layers/relu.hpp>
#include <xbar/nn/layers/softmax_cross_entropy.hpp>
#include <xbar/nn/network.hpp>
#include <xbar/nn/sgd.hpp>

#include "support/catch.hpp"

using xbar::Index;
using xbar::MatrixF;
using namespace xbar::nn;

namespace {

// scale * sin(1.3 i + phase), i the place in C order.
float wave(Index i, double phase, double scale) {
  return static_cast<float>(scale * std::sin(1.3 * static_cast<double>(i) + phase));
}

void set_wave(Parameter& parameter, double phase, double scale) {
  MatrixF values(parameter.gradient.rows(), parameter.gradient.cols());
  for (Index i = 0; i < values.size(); ++i) values.data()[i] = wave(i, phase, scale);
  parameter.store->set_weight(values);
}

std::vector<double> losses_of_ten_steps(Network& network, double learning_rate) {
  Tensor x(network.input_shape().batch(8));
  for (Index i = 0; i < x.size(); ++i) x[i] = 0.5F + wave(i, 0.1, 0.5);
  const std::vector<std::uint8_t> labels{0, 1, 2, 1, 0, 2, 2, 1};
  SoftmaxCrossEntropy loss;
  Sgd sgd(network.parameters(), {.momentum = 0.9, .weight_decay = 0.01});
  std::vector<double> result;
  for (int step = 0; step < 10; ++step) {
    result.push_back(loss.forward(network.forward(x), labels));
    network.backward(loss.backward());
    sgd.step(learning_rate);
  }
  return result;
}

void check_losses(const std::vector<double>& found, const std::array<double, 10>& expected) {
  for (std::size_t i = 0; i < expected.size(); ++i) {
    INFO("step " << i);
    CHECK_THAT(found[i], xbar_test::WithinAbs(expected[i], 1e-5));
  }
}

}  // namespace

TEST_CASE("nn/reference_trace: an MLP 6-5-3 follows NumPy for ten steps") {
  Network network("tiny", {1, 2, 3});
  network.emplace<Flatten>("flatten");
  auto& fc1 = network.emplace<Linear>("fc1", 6, 5);
  network.emplace<Relu>("relu1");
  auto& fc2 = network.emplace<Linear>("fc2", 5, 3);
  set_wave(fc1.weight(), 1, 0.6);
  set_wave(fc1.bias(), 2, 0.1);
  set_wave(fc2.weight(), 3, 0.6);
  set_wave(fc2.bias(), 4, 0.1);
  check_losses(losses_of_ten_steps(network, 0.1),
               {1.106705963, 1.098397189, 1.083420727, 1.063578945, 1.040282915, 1.014229093,
                0.985359972, 0.953075447, 0.916719232, 0.875736016});
}

TEST_CASE("nn/reference_trace: a network with two convolutions and a pool follows NumPy") {
  // 2 x 6 x 5 -> conv 3 x 3x2, padding 1 -> 3 x 6 x 6 -> pool 3 x 3 -> conv 4 x 2x2 -> 16 -> 3
  Network network("tiny", {2, 6, 5});
  auto& conv1 = network.emplace<Conv2d>("conv1", Conv2dOptions{.in_channels = 2,
                                                               .out_channels = 3,
                                                               .kernel_height = 3,
                                                               .kernel_width = 2,
                                                               .padding = 1});
  network.emplace<Relu>("relu1");
  network.emplace<MaxPool2d>("pool1", 2);
  auto& conv2 = network.emplace<Conv2d>(
      "conv2",
      Conv2dOptions{.in_channels = 3, .out_channels = 4, .kernel_height = 2, .kernel_width = 2});
  network.emplace<Relu>("relu2");
  network.emplace<Flatten>("flatten");
  auto& fc1 = network.emplace<Linear>("fc1", 16, 3);
  set_wave(conv1.weight(), 1, 0.5);
  set_wave(conv1.bias(), 2, 0.1);
  set_wave(conv2.weight(), 3, 0.5);
  set_wave(conv2.bias(), 4, 0.1);
  set_wave(fc1.weight(), 5, 0.4);
  set_wave(fc1.bias(), 6, 0.1);
  check_losses(losses_of_ten_steps(network, 0.3),
               {1.083996330, 1.078918307, 1.071170585, 1.066344932, 1.055796316, 1.044457301,
                1.021992487, 0.997534748, 0.971167109, 0.945283969});
}
