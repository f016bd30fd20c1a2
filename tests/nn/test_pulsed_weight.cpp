#include <cmath>
#include <utility>
#include <vector>

#include <xbar/core/error.hpp>
#include <xbar/nn/crossbar_mapping.hpp>
#include <xbar/nn/crossbar_state.hpp>
#include <xbar/nn/layers/conv2d.hpp>
#include <xbar/nn/layers/linear.hpp>
#include <xbar/nn/layers/softmax_cross_entropy.hpp>
#include <xbar/nn/models.hpp>
#include <xbar/nn/pulsed_weight.hpp>
#include <xbar/nn/sgd.hpp>
#include <xbar/nn/signal_weight.hpp>
#include <xbar/nn/trainer.hpp>
#include <xbar/surrogate_calibrate/calibrate.hpp>

#include "support/arrays.hpp"
#include "support/catch.hpp"
#include "support/pulse_devices.hpp"

using xbar::Index;
using xbar::MatrixF;
using xbar::RandomStream;
using xbar::mapping::CrossbarMatrix;
using xbar::nn::UpdateOptions;
using xbar::nn::UpdateRule;
using xbar_test::constant_step;
using xbar_test::Contains;
using xbar_test::pulse_device;
using xbar_test::random_matrix;

namespace {

CrossbarMatrix matrix_of(Index outputs, Index inputs, float range,
                         const xbar::device::PulseDevice& device, std::uint64_t seed = 1) {
  xbar::mapping::CrossbarOptions options;
  options.technology.tile_rows = options.technology.tile_columns = 16;
  options.model = xbar::surrogate::ModelKind::ideal;
  options.exact = xbar::surrogate::exact_solver();
  options.noise = RandomStream(seed, "write-noise");
  xbar_test::put_on(options.technology, device);
  CrossbarMatrix matrix(outputs, inputs, range, options);
  matrix.program(MatrixF::Zero(outputs, inputs));
  return matrix;
}

float largest(const MatrixF& matrix) { return matrix.cwiseAbs().maxCoeff(); }

xbar::nn::Tensor random_tensor(const xbar::nn::Shape& shape, double low, double high,
                               std::uint64_t seed) {
  xbar::nn::Tensor tensor(shape);
  const RandomStream stream(seed, "tensor");
  for (Index k = 0; k < tensor.size(); ++k) {
    tensor[k] = static_cast<float>(stream.uniform(static_cast<std::uint64_t>(k), low, high));
  }
  return tensor;
}

// Largest deviation of a mean of `count` updates from what was asked for, in its standard errors.
double worst_deviation(const MatrixF& sum, const MatrixF& squares, int count,
                       const MatrixF& expected) {
  double worst = 0;
  for (Index i = 0; i < sum.size(); ++i) {
    const double mean = double(sum.data()[i]) / count;
    const double variance = double(squares.data()[i]) / count - mean * mean;
    const double error = std::sqrt(std::max(variance, 1e-12) / count) + 1e-6;
    worst = std::max(worst, std::abs(mean - double(expected.data()[i])) / error);
  }
  return worst;
}

}  // namespace

TEST_CASE("nn/pulsed_weight: rounding to pulses keeps the mean of what is asked for", "[nn]") {
  const MatrixF delta = random_matrix(6, 9, -0.02, 0.02, 1).cast<float>();
  MatrixF sum = MatrixF::Zero(6, 9);
  MatrixF squares = sum;
  constexpr int count = 400;
  for (int n = 0; n < count; ++n) {
    xbar::nn::PulsedWeight store(matrix_of(6, 9, 0.5F, constant_step(0.01)), {},
                                 RandomStream(std::uint64_t(n), "pulses"));
    store.update(delta);
    // Each weight is on one of the two multiples of the step beside what was asked for.
    REQUIRE(largest(store.weight() - delta) < 0.01001F);
    sum += store.weight();
    squares += store.weight().cwiseProduct(store.weight());
  }
  CHECK(worst_deviation(sum, squares, count, delta) < 4);
}

TEST_CASE("nn/pulsed_weight: program-verify comes within half a step of noisy, uneven cells",
          "[nn]") {
  xbar::device::PulseDevice device =
      pulse_device("soft-bounds", {{"up_step", 0.02}, {"down_step", 0.03}});
  device.noise.step = 0.5;
  device.spread.step = 0.2;
  const MatrixF delta = random_matrix(8, 8, -0.2, 0.2, 2).cast<float>();
  const auto worst = [&](UpdateRule rule) {
    UpdateOptions options;
    options.rule = rule;
    options.verify_rounds = 100;
    xbar::nn::PulsedWeight store(matrix_of(8, 8, 0.5F, device), options, RandomStream(1, "p"));
    store.update(delta);
    return largest(store.weight() - delta) / store.matrix().weight_step();
  };
  CHECK(worst(UpdateRule::program_verify) <= 0.5F);
  CHECK(worst(UpdateRule::outer_product) > 1);
}

TEST_CASE("nn/pulsed_weight: signs write one pulse beyond the threshold", "[nn]") {
  UpdateOptions options;
  options.rule = UpdateRule::sign;
  options.sign_threshold = 0.5;
  xbar::nn::PulsedWeight store(matrix_of(1, 5, 0.5F, constant_step(0.01)), options,
                               RandomStream(1, "p"));
  MatrixF delta(1, 5);
  delta << 0.004F, 0.006F, 0.9F, -0.006F, -0.004F;
  store.update(delta);
  MatrixF expected(1, 5);
  expected << 0, 0.01F, 0.01F, -0.01F, 0;
  CHECK(largest(store.weight() - expected) <= 1e-6F);
}

TEST_CASE("nn/pulsed_weight: mixed precision loses nothing of what is asked for", "[nn]") {
  UpdateOptions options;
  options.rule = UpdateRule::mixed_precision;
  xbar::nn::PulsedWeight store(matrix_of(4, 4, 0.5F, constant_step(0.01)), options,
                               RandomStream(1, "p"));
  MatrixF asked = MatrixF::Zero(4, 4);
  for (std::uint64_t n = 0; n < 50; ++n) {
    const MatrixF delta = random_matrix(4, 4, -0.002, 0.003, n).cast<float>();
    asked += delta;
    store.update(delta);
    REQUIRE(largest(store.weight() - asked) < 0.01F);
  }
  CHECK(largest(asked) > 0.015F);
  CHECK(store.digital_state().size() == 1);
}

TEST_CASE("nn/pulsed_weight: trains change a linear layer by the outer product, on average",
          "[nn]") {
  const xbar::nn::Tensor x = random_tensor({6, 7}, 0, 1, 1);
  const xbar::nn::Tensor dy = random_tensor({6, 5}, -0.02, 0.02, 2);
  xbar::nn::Linear plain("fc", 7, 5, true);
  static_cast<void>(plain.forward(x));
  static_cast<void>(plain.backward(dy));
  const MatrixF expected = -0.5F * plain.weight().gradient;
  MatrixF sum = MatrixF::Zero(5, 7);
  MatrixF squares = sum;
  constexpr int count = 600;
  UpdateOptions options;
  options.rule = UpdateRule::stochastic;
  for (int n = 0; n < count; ++n) {
    xbar::nn::Linear layer("fc", 7, 5, true);
    layer.replace_weight_store(std::make_unique<xbar::nn::StochasticWeight>(
        matrix_of(5, 7, 0.5F, constant_step(0.001)), options,
        RandomStream(std::uint64_t(n), "pulses")));
    xbar::nn::Sgd sgd(layer.parameters(), {.momentum = 0});
    static_cast<void>(layer.forward(x));
    static_cast<void>(layer.backward(dy));
    REQUIRE(largest(layer.bias().gradient - plain.bias().gradient) <= 1e-6F);
    sgd.step(0.5);
    const MatrixF& weight = layer.weight_store().weight();
    sum += weight;
    squares += weight.cwiseProduct(weight);
  }
  CHECK(worst_deviation(sum, squares, count, expected) < 4);
}

TEST_CASE("nn/pulsed_weight: trains change a convolution by its gradient, on average", "[nn]") {
  const xbar::nn::Conv2dOptions shape{.in_channels = 2,
                                      .out_channels = 3,
                                      .kernel_height = 3,
                                      .kernel_width = 2,
                                      .stride = 2,
                                      .padding = 1};
  xbar::nn::Conv2d plain("conv", shape);
  const xbar::nn::Tensor x = random_tensor({3, 2, 7, 6}, -1, 1, 1);
  const xbar::nn::Shape out = plain.output_shape(x.shape());
  const xbar::nn::Tensor dy = random_tensor(out, -0.02, 0.02, 2);
  static_cast<void>(plain.forward(x));
  static_cast<void>(plain.backward(dy));
  const MatrixF expected = -0.2F * plain.weight().gradient;
  MatrixF sum = MatrixF::Zero(3, 12);
  MatrixF squares = sum;
  constexpr int count = 600;
  UpdateOptions options;
  options.rule = UpdateRule::stochastic;
  for (int n = 0; n < count; ++n) {
    xbar::nn::Conv2d layer("conv", shape);
    layer.replace_weight_store(std::make_unique<xbar::nn::StochasticWeight>(
        matrix_of(3, 12, 0.5F, constant_step(0.001)), options,
        RandomStream(std::uint64_t(n), "pulses")));
    static_cast<void>(layer.forward(x));
    static_cast<void>(layer.backward(dy));
    if (layer.has_bias()) {
      REQUIRE(largest(layer.bias().gradient - plain.bias().gradient) <= 1e-5F);
    }
    layer.weight_store().update_from_signals(0.2);
    const MatrixF& weight = layer.weight_store().weight();
    sum += weight;
    squares += weight.cwiseProduct(weight);
  }
  CHECK(worst_deviation(sum, squares, count, expected) < 4);
}

TEST_CASE("nn/pulsed_weight: Tiki-Taka moves what the fast array gathers to the weights", "[nn]") {
  for (const UpdateRule rule : {UpdateRule::tiki_taka, UpdateRule::tiki_taka_v2}) {
    UpdateOptions options;
    options.rule = rule;
    options.transfer_columns = 2;
    options.transfer_rate = 0.1;
    xbar::nn::Linear layer("fc", 6, 4, false);
    layer.replace_weight_store(std::make_unique<xbar::nn::TikiTakaWeight>(
        matrix_of(4, 6, 0.5F, constant_step(0.002)), matrix_of(4, 6, 0.5F, constant_step(0.002)),
        options, RandomStream(1, "pulses")));
    // One output is to grow with one input.
    xbar::nn::Tensor x({1, 6});
    xbar::nn::Tensor dy({1, 4});
    std::fill_n(x.data(), 6, 0.0F);
    std::fill_n(dy.data(), 4, 0.0F);
    x[2] = 1;
    dy[3] = -0.1F;
    for (int n = 0; n < 60; ++n) {
      static_cast<void>(layer.forward(x));
      static_cast<void>(layer.backward(dy));
      layer.weight_store().update_from_signals(0.1);
    }
    const MatrixF& weight = layer.weight_store().weight();
    CHECK(weight(3, 2) > 0.05F);
    MatrixF others = weight;
    others(3, 2) = 0;
    CHECK(largest(others) <= 1e-6F);
    auto& store = dynamic_cast<xbar::nn::CrossbarWeight&>(layer.weight_store());
    CHECK(store.further_arrays().size() == 1);
    CHECK(store.further_arrays().front().matrix->weight()(3, 2) > 0.1F);
  }
}

TEST_CASE("nn/pulsed_weight: networks of every rule go on from their state bit for bit", "[nn]") {
  xbar::nn::DataSet data = xbar::nn::load_data("glyphs", 5);
  for (auto& [set, count] : {std::pair{&data.train, Index{96}}, std::pair{&data.test, Index{20}}}) {
    set->count = count;
    set->pixels.resize(static_cast<std::size_t>(count * set->image_size()));
    set->labels.resize(static_cast<std::size_t>(count));
  }
  xbar::device::PulseDevice device =
      pulse_device("soft-bounds", {{"up_step", 0.01}, {"down_step", 0.01}});
  device.noise = {.step = 0.3, .range = 0, .write = 0.01};
  device.spread.step = 0.2;
  for (const UpdateRule rule :
       {UpdateRule::outer_product, UpdateRule::program_verify, UpdateRule::stochastic,
        UpdateRule::sign, UpdateRule::mixed_precision, UpdateRule::tiki_taka,
        UpdateRule::tiki_taka_v2}) {
    CAPTURE(update_rule_name(rule));
    xbar::nn::CrossbarMapping mapping;
    xbar_test::put_on(mapping.technology, device);
    mapping.exact = xbar::surrogate::exact_solver();
    mapping.refresh = 3;
    mapping.update.rule = rule;
    const auto make = [&] {
      xbar::nn::Network network = xbar::nn::make_model("lenet5", {1, 28, 28}, 10, 3);
      xbar::nn::map_to_crossbars(network, mapping);
      return network;
    };
    xbar::nn::TrainOptions options;
    options.epochs = 2;
    options.batch = 24;
    options.momentum = 0;
    xbar::nn::Network whole = make();
    xbar::TensorFile arrays;
    xbar::TensorFile weights;
    xbar::nn::TrainState state;
    xbar::nn::TrainCallbacks callbacks;
    callbacks.on_step = [&](const xbar::nn::StepRecord& step, const auto& now) {
      if (step.epoch != 1 || step.step != 3) return;
      state = now();
      arrays = crossbar_state(whole);
      weights = whole.state();
    };
    train(whole, data, options, callbacks);
    xbar::nn::Network resumed = make();
    resumed.load_state(weights);
    load_crossbar_state(resumed, arrays);
    train(resumed, data, options, {}, &state);
    const auto layers = whole.weighted_layers();
    const auto others = resumed.weighted_layers();
    for (std::size_t k = 0; k < layers.size(); ++k) {
      REQUIRE(layers[k]->weight_store().weight() == others[k]->weight_store().weight());
      REQUIRE(layers[k]->weight_store().forward_weight() ==
              others[k]->weight_store().forward_weight());
    }
  }
}

TEST_CASE("nn/pulsed_weight: signals refuse optimisers that need the gradient", "[nn]") {
  UpdateOptions options;
  options.rule = UpdateRule::stochastic;
  xbar::nn::Linear layer("fc", 3, 2, true);
  layer.replace_weight_store(std::make_unique<xbar::nn::StochasticWeight>(
      matrix_of(2, 3, 0.5F, constant_step(0.001)), options, RandomStream(1, "p")));
  xbar::nn::Sgd momentum(layer.parameters(), {.momentum = 0.9});
  CHECK_THROWS_WITH(momentum.step(0.1), Contains("fc.weight"));
  CHECK_THROWS_AS(layer.weight_store().update_from_signals(0.1), xbar::InvalidArgument);
  CHECK_THROWS_AS(xbar::nn::parse_update_rule("stochatic"), xbar::InvalidArgument);
}
