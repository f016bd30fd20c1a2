#include <xbar/core/error.hpp>
#include <xbar/nn/crossbar_mapping.hpp>
#include <xbar/nn/data/glyphs.hpp>
#include <xbar/nn/layers/linear.hpp>
#include <xbar/nn/models.hpp>
#include <xbar/nn/remap.hpp>
#include <xbar/nn/signal_moments.hpp>
#include <xbar/nn/trainer.hpp>

#include "support/arrays.hpp"
#include "support/catch.hpp"

using xbar::Index;
using xbar::MatrixF;
using xbar::mapping::RemapStrategy;

namespace {

xbar::nn::Network lenet(double wire_ohm, bool on_arrays) {
  auto network = xbar::nn::make_model(xbar::nn::model_source("lenet5"), {1, 28, 28}, 10, 1);
  if (!on_arrays) return network;
  xbar::nn::CrossbarMapping mapping;
  mapping.technology.on_ohm = 5e3;
  mapping.technology.wires = {
      .source_ohm = 0, .sink_ohm = 0, .wordline_ohm = wire_ohm, .bitline_ohm = wire_ohm};
  mapping.model =
      wire_ohm > 0 ? xbar::surrogate::ModelKind::ladder : xbar::surrogate::ModelKind::ideal;
  xbar::nn::map_to_crossbars(network, mapping);
  return network;
}

xbar::nn::ImageSet glyphs(Index count) {
  auto images = xbar::nn::load_data("glyphs", 1).train;
  images.count = count;
  images.pixels.resize(static_cast<std::size_t>(count * images.image_size()));
  images.labels.resize(static_cast<std::size_t>(count));
  return images;
}

xbar::MatrixF outputs_of(xbar::nn::Network& network, const xbar::nn::ImageSet& images) {
  xbar::nn::Tensor x(network.input_shape().batch(images.count));
  std::copy(images.pixels.begin(), images.pixels.end(), x.data());
  const xbar::nn::Tensor& y = network.forward(x);
  return Eigen::Map<const MatrixF>(y.data(), images.count, y.size() / images.count);
}

double outputs_apart(xbar::nn::Network& a, xbar::nn::Network& b, const xbar::nn::ImageSet& images) {
  const MatrixF wanted = outputs_of(a, images);
  return static_cast<double>((outputs_of(b, images) - wanted).norm() / wanted.norm());
}

// What is left of it when a common factor and a shift of all outputs of an image are taken out:
// what decisions see.
double decisions_apart(xbar::nn::Network& a, xbar::nn::Network& b,
                       const xbar::nn::ImageSet& images) {
  MatrixF wanted = outputs_of(a, images);
  MatrixF found = outputs_of(b, images);
  wanted.colwise() -= wanted.rowwise().mean().eval();
  found.colwise() -= found.rowwise().mean().eval();
  const float s = found.cwiseProduct(wanted).sum() / found.squaredNorm();
  return static_cast<double>((s * found - wanted).norm() / wanted.norm());
}

}  // namespace

TEST_CASE("nn/remap: no strategy changes what a network with ideal wires computes", "[nn][remap]") {
  auto ideal = lenet(0, false);
  const auto images = glyphs(20);
  for (const auto strategy : {RemapStrategy::srs, RemapStrategy::drs, RemapStrategy::optimal}) {
    INFO(remap_strategy_name(strategy));
    auto arrays = lenet(0, true);
    const auto report =
        xbar::nn::remap(ideal, arrays, images, {.strategy = strategy, .calibration_images = 10});
    REQUIRE(report.layers.size() == 5);
    CHECK(outputs_apart(ideal, arrays, images) <= 1e-5);  // rounding of single precision
  }
}

TEST_CASE("nn/remap: the optimal order brings wired outputs nearer to the ideal ones",
          "[nn][remap]") {
  auto ideal = lenet(0, false);
  auto arrays = lenet(5, true);
  const auto images = glyphs(60);
  const double before = decisions_apart(ideal, arrays, images);
  const xbar::nn::RemapOptions options{.strategy = RemapStrategy::optimal,
                                       .calibration_images = 30};
  static_cast<void>(xbar::nn::remap(ideal, arrays, images, options));
  const double after = decisions_apart(ideal, arrays, images);
  CAPTURE(before, after);
  CHECK(after <= 0.4 * before);
  // Without the descent the assignment alone is worse.
  static_cast<void>(xbar::nn::remap(ideal, arrays, images,
                                    {.strategy = RemapStrategy::none, .calibration_images = 1}));
  xbar::nn::RemapOptions assigned = options;
  assigned.most_tries = 0;
  CHECK(xbar::nn::remap(ideal, arrays, images, assigned).steps == 0);
  const double by_assignment = decisions_apart(ideal, arrays, images);
  CAPTURE(by_assignment);
  CHECK(by_assignment <= 0.75 * before);
  CHECK(after <= 0.7 * by_assignment);
  // From there the descent alone goes on: re-mapping on line.
  CHECK(xbar::nn::remap(ideal, arrays, images, options).steps > 0);
  CHECK(decisions_apart(ideal, arrays, images) <= 0.7 * by_assignment);
  static_cast<void>(xbar::nn::remap(ideal, arrays, images,
                                    {.strategy = RemapStrategy::none, .calibration_images = 1}));
  CHECK_THAT(decisions_apart(ideal, arrays, images), xbar_test::WithinRel(before, 1e-5));
}

TEST_CASE("nn/remap: with cells stuck on, re-mapping on line moves what matters away from them",
          "[nn][remap]") {
  // 2 % of the cells are stuck at g_max, and J knows which.
  auto ideal = lenet(0, false);
  auto arrays = xbar::nn::make_model(xbar::nn::model_source("lenet5"), {1, 28, 28}, 10, 1);
  xbar::nn::CrossbarMapping mapping;
  mapping.technology.faults.stuck_on = 0.02;
  mapping.technology.wires = {.source_ohm = 0, .sink_ohm = 0, .wordline_ohm = 1, .bitline_ohm = 1};
  mapping.model = xbar::surrogate::ModelKind::ladder;
  xbar::nn::map_to_crossbars(arrays, mapping);
  const auto images = glyphs(60);
  const double before = decisions_apart(ideal, arrays, images);
  const xbar::nn::RemapOptions options{.strategy = RemapStrategy::optimal,
                                       .calibration_images = 30};
  static_cast<void>(xbar::nn::remap(ideal, arrays, images, options));
  const double after = decisions_apart(ideal, arrays, images);
  CAPTURE(before, after);
  CHECK(after <= 0.9 * before);
}

TEST_CASE("nn/remap: every kind of sensitivity orders columns by srs and drs", "[nn][remap]") {
  using xbar::nn::SensitivityKind;
  auto ideal = lenet(0, false);
  auto arrays = lenet(5, true);
  const auto images = glyphs(8);
  for (const auto kind : {SensitivityKind::taylor, SensitivityKind::fisher,
                          SensitivityKind::error_aware, SensitivityKind::measured}) {
    for (const auto strategy : {RemapStrategy::srs, RemapStrategy::drs}) {
      const xbar::nn::RemapOptions options{.strategy = strategy,
                                           .freedoms = {.columns = true, .rows = false},
                                           .sensitivity = kind,
                                           .calibration_images = 4,
                                           .most_passes = 1};
      const auto report = xbar::nn::remap(ideal, arrays, images, options);
      REQUIRE(report.layers.size() == 5);
      if (strategy == RemapStrategy::srs) {
        CHECK(report.layers[1].order.slot_of_output !=
              xbar::mapping::as_trained(16, 1).slot_of_output);
      }
      CHECK(report.layers[1].order.slot_of_input ==
            xbar::mapping::as_trained(1, 150).slot_of_input);
    }
  }
}

TEST_CASE("nn/remap: refuses a network without arrays", "[nn][remap]") {
  auto ideal = lenet(0, false);
  auto digital = lenet(0, false);
  REQUIRE_THROWS_WITH(xbar::nn::remap(ideal, digital, glyphs(2), {.strategy = RemapStrategy::srs}),
                      xbar_test::Contains("got 5 layers and 0 on arrays"));
}

TEST_CASE("nn/signal_moments: of a linear layer, by hand", "[nn][remap]") {
  // Two inputs, two outputs, which are the network's: x = (1, 2) and (3, 0) give
  // C = ((1 + 9) / 2, (2 + 0) / 2; 1, 4 / 2). z less its mean is (z1 - z2) / 2 and its negative:
  // (0, 0) or +-(1, -1), so M = p (1, -1; -1, 1), p the share of images with unequal signs.
  xbar::nn::Network network("net", {2});
  auto& layer = network.emplace<xbar::nn::Linear>("fc", 2, 2);
  const xbar::nn::WeightStore* store = &layer.weight_store();
  const xbar::nn::ImageSet images{2, 1, 1, 2, {1.0F, 2.0F, 3.0F, 0.0F}, {0, 1}};
  const auto moments = xbar::nn::signal_moments(network, images, 2, 1);
  REQUIRE(moments.size() == 1);
  MatrixF inputs(2, 2);
  inputs << 5, 1, 1, 2;
  CHECK(moments[0].inputs.isApprox(inputs, 1e-6F));
  const MatrixF& outputs = moments[0].outputs;
  const float p = outputs(0, 0);
  CHECK((p == 0.0F || p == 0.5F || p == 1.0F));
  CHECK(outputs(0, 1) == -p);
  CHECK(outputs(1, 1) == p);
  CHECK(&layer.weight_store() == store);  // as it was
}
