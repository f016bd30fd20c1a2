#include <cmath>

#include <xbar/core/error.hpp>
#include <xbar/nn/crossbar_mapping.hpp>
#include <xbar/nn/crossbar_state.hpp>
#include <xbar/nn/crossbar_weight.hpp>
#include <xbar/nn/hardware_aware_weight.hpp>
#include <xbar/nn/layers/softmax_cross_entropy.hpp>
#include <xbar/nn/models.hpp>
#include <xbar/nn/trainer.hpp>
#include <xbar/surrogate_calibrate/calibrate.hpp>

#include "support/catch.hpp"

using xbar::Index;
using xbar::surrogate::ModelKind;

namespace {

xbar::nn::CrossbarMapping mapping_with(ModelKind kind, Index tile = 16) {
  xbar::nn::CrossbarMapping mapping;
  mapping.technology.tile_rows = tile;
  mapping.technology.tile_columns = tile;
  mapping.model = kind;
  mapping.exact = xbar::surrogate::exact_solver();
  return mapping;
}

xbar::nn::Tensor batch_of(const xbar::nn::DataSet& data, Index count) {
  xbar::nn::Tensor images({count, data.train.channels, data.train.height, data.train.width});
  std::copy_n(data.train.pixels.begin(), images.size(), images.data());
  return images;
}

double largest_difference(const xbar::nn::Tensor& a, const xbar::nn::Tensor& b) {
  double worst = 0;
  for (Index k = 0; k < a.size(); ++k) worst = std::max(worst, double(std::abs(a[k] - b[k])));
  return worst;
}

// A few glyphs are enough here.
xbar::nn::DataSet small_data(Index train, Index test) {
  xbar::nn::DataSet data = xbar::nn::load_data("glyphs", 5);
  for (auto& [set, count] : {std::pair{&data.train, train}, std::pair{&data.test, test}}) {
    set->count = count;
    set->pixels.resize(static_cast<std::size_t>(count * set->image_size()));
    set->labels.resize(static_cast<std::size_t>(count));
  }
  return data;
}

}  // namespace

TEST_CASE("nn/crossbar_weight: with ideal wires every model gives the plain network's outputs",
          "[nn]") {
  const xbar::nn::DataSet data = small_data(8, 8);
  for (const std::string& name : {std::string("mlp"), std::string("lenet5")}) {
    xbar::nn::Network plain = xbar::nn::make_model(name, {1, 28, 28}, 10, 3);
    xbar::nn::Network arrays = xbar::nn::make_model(name, {1, 28, 28}, 10, 3);
    xbar::nn::map_to_crossbars(arrays, mapping_with(ModelKind::ideal, 64));
    const xbar::nn::Tensor images = batch_of(data, 8);
    const xbar::nn::Tensor expected = plain.forward(images);
    REQUIRE(largest_difference(arrays.forward(images), expected) <= 1e-5);
    // And the same gradients: forward, backward and outer product agree.
    xbar::nn::SoftmaxCrossEntropy loss;
    loss.forward(expected, {data.train.labels.data(), 8});
    plain.backward(loss.backward());
    arrays.backward(loss.backward());
    for (std::size_t k = 0; k < plain.parameters().size(); ++k) {
      const auto& a = plain.parameters()[k]->gradient;
      const auto& b = arrays.parameters()[k]->gradient;
      REQUIRE((a - b).cwiseAbs().maxCoeff() <= 1e-5 * (1 + a.cwiseAbs().maxCoeff()));
    }
  }
}

TEST_CASE("nn/crossbar_weight: wires change what the network computes", "[nn]") {
  const xbar::nn::DataSet data = small_data(4, 4);
  xbar::nn::Network plain = xbar::nn::make_model("mlp", {1, 28, 28}, 10, 3);
  xbar::nn::Network arrays = xbar::nn::make_model("mlp", {1, 28, 28}, 10, 3);
  xbar::nn::map_to_crossbars(arrays, mapping_with(ModelKind::exact, 64));
  const xbar::nn::Tensor images = batch_of(data, 4);
  const xbar::nn::Tensor expected = plain.forward(images);
  REQUIRE(largest_difference(arrays.forward(images), expected) >= 0.05);
}

TEST_CASE("nn/crossbar_weight: products through converters are in the store's times", "[nn]") {
  const xbar::nn::DataSet data = small_data(8, 8);
  xbar::nn::Network network = xbar::nn::make_model("mlp", {1, 28, 28}, 10, 3);
  auto mapping = mapping_with(ModelKind::ladder);
  mapping.technology.converters = {.input_bits = 8, .adc_bits = 8};
  map_to_crossbars(network, mapping);
  auto& store =
      dynamic_cast<xbar::nn::CrossbarWeight&>(network.weighted_layers().back()->weight_store());
  network.set_training(true);
  const xbar::nn::Tensor images = batch_of(data, 8);
  xbar::nn::SoftmaxCrossEntropy loss;
  // The first pair of passes sets the reads up.
  for (int pass = 0; pass < 2; ++pass) {
    const auto read_seconds = [&](xbar::mapping::Direction direction) {
      return store.read(direction)->seconds();
    };
    const double forward = read_seconds(xbar::mapping::Direction::forward);
    const double backward = read_seconds(xbar::mapping::Direction::backward);
    const double converters = store.times().converters;
    loss.forward(network.forward(images), {data.train.labels.data(), 8});
    network.backward(loss.backward());
    const double forward_more = read_seconds(xbar::mapping::Direction::forward) - forward;
    const double backward_more = read_seconds(xbar::mapping::Direction::backward) - backward;
    const double more = store.times().converters - converters;
    CHECK(forward_more > 0);
    CHECK(backward_more > 0);
    constexpr double rounding = 1e-12;  // of sums of seconds
    if (pass == 0) {
      CHECK(more > forward_more + backward_more);
    } else {
      CHECK_THAT(more, xbar_test::WithinAbs(forward_more + backward_more, rounding));
    }
  }
}

TEST_CASE("nn/crossbar_weight: to the arrays and back keeps the weights", "[nn]") {
  xbar::nn::Network network = xbar::nn::make_model("mlp", {1, 28, 28}, 10, 3);
  const xbar::TensorFile before = network.state();
  xbar::nn::map_to_crossbars(network, mapping_with(ModelKind::ladder, 64));
  REQUIRE(xbar::nn::crossbar_layers(network).size() == 3);
  xbar::nn::map_to_digital(network);
  REQUIRE(xbar::nn::crossbar_layers(network).empty());
  const xbar::TensorFile after = network.state();
  for (const auto& [name, tensor] : before.tensors) {
    const auto& other = after.tensors.at(name);
    for (std::size_t k = 0; k < tensor.values.size(); ++k) {
      REQUIRE(std::abs(tensor.values[k] - other.values[k]) <= 1e-6F);
    }
  }
}

TEST_CASE("nn/crossbar_weight: in-situ training learns, and resumes bit for bit", "[nn]") {
  const xbar::nn::DataSet data = small_data(1200, 200);
  xbar::nn::TrainOptions options;
  options.epochs = 3;
  options.schedule.kind = xbar::nn::ScheduleKind::cosine;
  auto mapping = mapping_with(ModelKind::operating_point, 64);
  mapping.scale = xbar::nn::WeightScale::headroom;
  mapping.headroom = 4.0;
  mapping.technology.update.write_noise = 0.001;

  const auto fresh = [&] {
    xbar::nn::Network network = xbar::nn::make_model("mlp", {1, 28, 28}, 10, 3);
    xbar::nn::map_to_crossbars(network, mapping);
    return network;
  };
  xbar::nn::Network whole = fresh();
  xbar::nn::TrainState middle;
  xbar::TensorFile cells;
  xbar::TensorFile values;
  xbar::nn::TrainCallbacks callbacks;
  callbacks.on_epoch_end = [&](const xbar::nn::TrainState& state, const xbar::nn::Network& now) {
    if (state.epoch != 1) return;
    middle = xbar::nn::train_state_from(xbar::nn::to_tensor_file(state));
    cells = xbar::nn::crossbar_state(whole);
    values = now.state();
  };
  const auto report = xbar::nn::train(whole, data, options, callbacks);
  // 57 steps: ideal arithmetic gets from 2.0 to about 0.9 in them; chance is log(10) = 2.3.
  REQUIRE(report.epochs.back().train_loss < 0.7 * report.epochs.front().train_loss);

  xbar::nn::Network half = fresh();
  half.load_state(values);
  xbar::nn::load_crossbar_state(half, cells);
  const auto resumed = xbar::nn::train(half, data, options, {}, &middle);
  REQUIRE(resumed.epochs.back().train_loss == report.epochs.back().train_loss);
  REQUIRE(resumed.epochs.back().test_accuracy == report.epochs.back().test_accuracy);
}

TEST_CASE("nn/crossbar_weight: a state of another network is refused by name", "[nn]") {
  xbar::nn::Network network = xbar::nn::make_model("mlp", {1, 28, 28}, 10, 3);
  xbar::nn::map_to_crossbars(network, mapping_with(ModelKind::ladder, 64));
  xbar::TensorFile cells = xbar::nn::crossbar_state(network);
  cells.tensors["fc2.cells"].shape = {1, 2};
  REQUIRE_THROWS_WITH(xbar::nn::load_crossbar_state(network, cells),
                      xbar_test::Contains("fc2.cells") && xbar_test::Contains("(2, 128, 256)"));
  cells.tensors.erase("fc2.cells");
  REQUIRE_THROWS_WITH(xbar::nn::load_crossbar_state(network, cells),
                      xbar_test::Contains("'fc2.cells' is missing"));
  REQUIRE_THROWS_AS(xbar::nn::map_to_crossbars(network, mapping_with(ModelKind::ladder),
                                               std::vector<float>{1.0F}),
                    xbar::InvalidArgument);
}

TEST_CASE("nn/crossbar_weight: the gradient of a learned range is the derivative by the range",
          "[nn]") {
  // Analog cells, ideal wires: W_q = clip(W, +-r), so that a loss sum C W_q has dL/dr = the sum of
  // C sign(W) over the clipped weights.
  xbar::mapping::CrossbarOptions options;
  options.model = ModelKind::ideal;
  xbar::MatrixF weight(2, 3);
  weight << 0.5F, -0.9F, 1.5F, -2.0F, 0.1F, 1.2F;
  xbar::MatrixF cotangent(2, 3);
  cotangent << 1.0F, 2.0F, 3.0F, 4.0F, 5.0F, 6.0F;
  for (const auto rule :
       {xbar::nn::GradientRule::adjoint, xbar::nn::GradientRule::straight_through}) {
    xbar::nn::HardwareAwareWeight store(xbar::mapping::CrossbarMatrix(2, 3, 1.0F, options), rule,
                                        true);
    store.set_weight(weight);
    xbar::MatrixF gradient = cotangent;
    store.backpropagate(gradient);
    // Clipped: 1.5, -2 and 1.2, so 3 - 4 + 6 = 5, over sqrt(6 weights x 1 level).
    CHECK_THAT(store.learned_range()->gradient,
               xbar_test::WithinRel(5.0F / std::sqrt(6.0F), 1e-4F));
    xbar::MatrixF expected = cotangent;
    expected(0, 2) = expected(1, 0) = expected(1, 2) = 0;
    CHECK((gradient - expected).cwiseAbs().maxCoeff() <= 1e-4F);
    // The cells stand for other weights at another range; the digital ones stay.
    store.set_learned_range(1.25F);
    CHECK((store.forward_weight() - weight.cwiseMax(-1.25F).cwiseMin(1.25F)).norm() <= 1e-5F);
    CHECK((store.weight() - weight).norm() == 0.0F);
  }
}
