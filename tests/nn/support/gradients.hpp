#pragma once

/// Finite differences for layers.

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <xbar/core/random.hpp>
#include <xbar/nn/layers/layer.hpp>

#include "support/catch.hpp"

namespace xbar_test {

/// A tensor of uniform values in (low, high).
inline xbar::nn::Tensor random_tensor(const xbar::nn::Shape& shape, std::uint64_t seed,
                                      double low = -1, double high = 1) {
  const xbar::RandomStream stream(seed, "tensor");
  xbar::nn::Tensor result(shape);
  for (xbar::Index i = 0; i < result.size(); ++i) {
    result[i] = static_cast<float>(stream.uniform(static_cast<std::uint64_t>(i), low, high));
  }
  return result;
}

inline xbar::MatrixF random_matrix(xbar::Index rows, xbar::Index columns, std::uint64_t seed) {
  const xbar::RandomStream stream(seed, "matrix");
  xbar::MatrixF result(rows, columns);
  for (xbar::Index i = 0; i < result.size(); ++i) {
    result.data()[i] = static_cast<float>(stream.uniform(static_cast<std::uint64_t>(i), -1, 1));
  }
  return result;
}

/// Fills every parameter of a layer with random values.
inline void randomise(xbar::nn::Layer& layer, std::uint64_t seed) {
  for (xbar::nn::Parameter* p : layer.parameters()) {
    p->store->set_weight(random_matrix(p->gradient.rows(), p->gradient.cols(), seed++));
  }
}

/// sum over all outputs of r * y, in double precision.
inline double probe(xbar::nn::Layer& layer, const xbar::nn::Tensor& x, const xbar::nn::Tensor& r) {
  const xbar::nn::Tensor& y = layer.forward(x);
  double sum = 0;
  for (xbar::Index i = 0; i < y.size(); ++i) {
    sum += static_cast<double>(y[i]) * static_cast<double>(r[i]);
  }
  return sum;
}

/// Compares backward(r), r random, with central differences of probe() along every input and every
/// parameter. The layers are piecewise linear, so that a large step costs no accuracy as long as
/// the caller keeps x that far from the kinks; what is left is the rounding of float outputs,
/// 1e-7 * (sum of about a hundred terms) / step < 1e-3.
inline void check_gradients(xbar::nn::Layer& layer, xbar::nn::Tensor x, double step = 0.02,
                            double tolerance = 1e-3) {
  const xbar::nn::Tensor r = random_tensor(layer.output_shape(x.shape()), 99);
  layer.forward(x);
  const xbar::nn::Tensor dx = layer.backward(r);

  const auto difference = [&](const auto& move) {
    move(+step);
    const double above = probe(layer, x, r);
    move(-2 * step);
    const double below = probe(layer, x, r);
    move(+step);
    return (above - below) / (2 * step);
  };
  double worst = 0;
  for (xbar::Index i = 0; i < x.size(); ++i) {
    const double expected =
        difference([&](double by) { x[i] = static_cast<float>(static_cast<double>(x[i]) + by); });
    const double error = std::abs(static_cast<double>(dx[i]) - expected);
    worst = error <= worst ? worst : error;  // a NaN becomes the worst
  }
  INFO("layer " << layer.name() << ": largest error of an input gradient");
  CHECK(worst <= tolerance);

  for (xbar::nn::Parameter* p : layer.parameters()) {
    const xbar::MatrixF gradient = p->gradient;
    worst = 0;
    for (xbar::Index i = 0; i < gradient.size(); ++i) {
      const double expected = difference([&](double by) {
        xbar::MatrixF moved = p->store->weight();
        moved.data()[i] = static_cast<float>(static_cast<double>(moved.data()[i]) + by);
        p->store->set_weight(moved);
      });
      const double error = std::abs(static_cast<double>(gradient.data()[i]) - expected);
      worst = error <= worst ? worst : error;
    }
    INFO("largest error of the gradient of " << p->name);
    CHECK(worst <= tolerance);
  }
}

}  // namespace xbar_test
