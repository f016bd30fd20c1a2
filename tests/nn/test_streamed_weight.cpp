#include <memory>
#include <vector>

#include <xbar/core/error.hpp>
#include <xbar/nn/crossbar_mapping.hpp>
#include <xbar/nn/models.hpp>
#include <xbar/nn/streamed_weight.hpp>
#include <xbar/nn/trainer.hpp>
#include <xbar/surrogate_calibrate/calibrate.hpp>

#include "nn/support/images.hpp"
#include "support/catch.hpp"

using xbar::Index;
using xbar::MatrixF;
using xbar_test::Contains;
using namespace xbar::nn;

namespace {

// Everything that is drawn or remembered: spread, faults, read noise, ranges of converters.
CrossbarMapping mapping_of(bool converters) {
  CrossbarMapping mapping;
  mapping.technology.tile_rows = 32;
  mapping.technology.tile_columns = 32;
  mapping.technology.device_variation = 0.1;
  mapping.technology.faults.stuck_on = 0.01;
  mapping.technology.read_noise = converters ? 0.0 : 0.02;
  if (converters) {
    mapping.technology.converters.input_bits = 6;
    mapping.technology.converters.dac_bits = 2;
    mapping.technology.converters.adc_bits = 7;
  }
  mapping.model = xbar::surrogate::ModelKind::ladder;
  mapping.exact = xbar::surrogate::exact_solver();
  return mapping;
}

}  // namespace

TEST_CASE("nn/streamed_weight: the same arrays as with all of them in memory, bit for bit",
          "[nn]") {
  const bool converters = GENERATE(false, true);
  CAPTURE(converters);
  const CrossbarMapping mapping = mapping_of(converters);
  const ImageSet images = xbar_test::random_images(60, 28, 10, 4);
  Network whole = make_model("lenet5", {1, 28, 28}, 10, 3);
  Network streamed = make_model("lenet5", {1, 28, 28}, 10, 3);
  const std::vector<float> ranges = weight_ranges(whole, mapping);
  map_to_crossbars(whole, mapping, ranges);
  for (const CrossbarLayer& layer : crossbar_layers(whole)) layer.matrix->refresh();
  CrossbarMapping one_at_a_time = mapping;
  one_at_a_time.streamed = true;
  map_to_crossbars(streamed, one_at_a_time, ranges);
  streamed.set_keeping(false);
  // The second time noise is other noise, and ranges are those of the first.
  for (int pass = 0; pass < 2; ++pass) {
    const Evaluation a = evaluate(whole, images, 25);
    const Evaluation b = evaluate(streamed, images, 25);
    REQUIRE(a.loss == b.loss);
    REQUIRE(a.correct == b.correct);
  }
  const auto expected = certificates(whole);
  const auto found = certificates(streamed);
  REQUIRE(found.size() == expected.size());
  for (std::size_t k = 0; k < found.size(); ++k) {
    REQUIRE(found[k].name == expected[k].name);
    REQUIRE(found[k].choice == expected[k].choice);
    REQUIRE(found[k].certificate.checks == expected[k].certificate.checks);
    REQUIRE(found[k].certificate.worst_error == expected[k].certificate.worst_error);
  }
}

TEST_CASE("nn/streamed_weight: one layer's arrays at a time, and no training", "[nn]") {
  const auto stream = std::make_shared<ArrayStream>();
  int made = 0;
  const auto make = [&](const MatrixF& weight, const xbar::mapping::SurrogateChoice&) {
    ++made;
    auto store = std::make_unique<CrossbarWeight>(
        xbar::mapping::CrossbarMatrix(weight.rows(), weight.cols(), 1.0F, {}));
    store->set_weight(weight);
    return store;
  };
  StreamedWeight a(MatrixF::Constant(3, 4, 0.5F), make, {}, stream);
  {
    StreamedWeight b(MatrixF::Constant(2, 3, 0.25F), make, {}, stream);
    a.begin_read();
    REQUIRE(stream->present == &a);
    REQUIRE(a.forward_weight().rows() == 3);
    b.begin_read();
    REQUIRE(stream->present == &b);
    REQUIRE(made == 2);
    REQUIRE(b.backward_weight().rows() == 2);
    REQUIRE(made == 2);
  }
  REQUIRE(stream->present == nullptr);
  REQUIRE(a.forward_weight()(0, 0) > 0.3F);  // 0.5 less what wires take
  REQUIRE(made == 3);
  a.set_weight(MatrixF::Constant(3, 4, -0.5F));
  REQUIRE(a.forward_weight()(0, 0) < 0);
  REQUIRE_THROWS_WITH(a.update(MatrixF::Zero(3, 4)), Contains("expected evaluation"));
}

TEST_CASE("nn/network: signals that are not kept are freed, and results stay", "[nn]") {
  ImageSet images = xbar_test::random_images(30, 32, 10, 4);
  images.count = 10;
  images.channels = 3;
  images.labels.resize(10);
  Network network = make_model("resnet20", {3, 32, 32}, 10, 3);
  const Evaluation kept = evaluate(network, images, 10);
  REQUIRE_NOTHROW(network.layers().front()->last_input());
  network.set_keeping(false);
  REQUIRE(evaluate(network, images, 10).loss == kept.loss);
  REQUIRE_THROWS_WITH(network.layers().front()->last_input(), Contains("no input yet"));
}
