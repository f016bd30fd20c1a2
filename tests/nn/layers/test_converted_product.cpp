#include <algorithm>
#include <cmath>
#include <memory>

#include <omp.h>

#include <xbar/nn/layers/conv2d.hpp>
#include <xbar/nn/layers/linear.hpp>

#include "nn/support/converted_weight.hpp"
#include "nn/support/gradients.hpp"
#include "support/catch.hpp"

using xbar::Index;
using xbar::MatrixF;
using namespace xbar::mapping;
using namespace xbar::nn;
using xbar_test::ConvertedWeight;
using xbar_test::random_matrix;
using xbar_test::random_tensor;
using xbar_test::WithinRel;

namespace {

double worst(const Tensor& a, const Tensor& b) {
  REQUIRE(a.shape() == b.shape());
  double most = 0;
  for (Index i = 0; i < a.size(); ++i) {
    const double size = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    most = size <= most ? most : size;  // a NaN becomes the worst
  }
  return most;
}

// x rounded to codes of `bits` bits in a range of its largest |x|.
Tensor rounded(const Tensor& x, int bits) {
  const double limit = (1 << (bits - 1)) - 1;
  double range = 0;
  for (Index i = 0; i < x.size(); ++i) {
    range = std::max(range, std::abs(static_cast<double>(x[i])));
  }
  Tensor result(x.shape());
  for (Index i = 0; i < x.size(); ++i) {
    result[i] = static_cast<float>(std::nearbyint(static_cast<double>(x[i]) / range * limit) *
                                   range / limit);
  }
  return result;
}

struct Case {
  Conv2dOptions options;
  Shape input;
};

// Strides, paddings, images that fill no block and that share one, one column or row.
Case convolution() {
  return GENERATE(
      Case{{.in_channels = 3,
            .out_channels = 5,
            .kernel_height = 3,
            .kernel_width = 3,
            .padding = 1},
           {3, 3, 9, 7}},
      Case{{.in_channels = 2,
            .out_channels = 17,
            .kernel_height = 5,
            .kernel_width = 3,
            .stride = 2,
            .padding = 2,
            .with_bias = false},
           {5, 2, 6, 8}},
      Case{
          {.in_channels = 4, .out_channels = 3, .kernel_height = 2, .kernel_width = 2, .stride = 3},
          {2, 4, 12, 11}},
      Case{{.in_channels = 20,
            .out_channels = 33,
            .kernel_height = 3,
            .kernel_width = 3,
            .padding = 1},
           {70, 20, 2, 1}},
      Case{{.in_channels = 1,
            .out_channels = 1,
            .kernel_height = 1,
            .kernel_width = 1,
            .stride = 2,
            .padding = 1},
           {1, 1, 1, 30}});
}

// Compares a layer through converters with the plain one on rounded signals: sums of up to 200
// products of size <= 1, each rounded to 6e-8 of the sum.
template <typename MakeLayer>
void check_against_plain(const MakeLayer& make, const Shape& input, int bits) {
  auto plain = make();
  auto wired = make();
  xbar_test::randomise(*plain, 3);
  xbar_test::randomise(*wired, 3);
  auto store = std::make_unique<ConvertedWeight>(plain->weight_store().weight(),
                                                 Converters{.input_bits = bits});
  ConvertedWeight* weight = store.get();
  wired->replace_weight_store(std::move(store));
  const Tensor x = random_tensor(input, 5);
  const Tensor seen = bits > 0 ? rounded(x, bits) : x;
  CHECK(worst(wired->forward(x), plain->forward(seen)) <= 1e-4);
  CHECK(weight->reads == 1);
  const Tensor dy = random_tensor(plain->output_shape(input), 6);
  const Tensor dy_seen = bits > 0 ? rounded(dy, bits) : dy;
  wired->backward(dy);
  const Tensor& dx = wired->backward(dy);  // nothing is left of the one before
  CHECK(weight->reads == 3);
  CHECK(worst(dx, plain->backward(dy_seen)) <= 1e-4);
  // The weight's gradient is the outer product of the unrounded signals, handed to the store.
  plain->forward(x);
  plain->backward(dy);
  const MatrixF& expected = plain->weight().gradient;
  CHECK((wired->weight().gradient - 2.0F * expected).cwiseAbs().maxCoeff() <= 1e-4F);
}

}  // namespace

TEST_CASE("nn/converted_product: convolutions through converters are those of rounded signals") {
  const Case k = convolution();
  const int bits = GENERATE(0, 4, 8);
  INFO(k.options.in_channels << " channels, stride " << k.options.stride << ", bits " << bits);
  check_against_plain([&] { return std::make_unique<Conv2d>("conv", k.options); }, k.input, bits);
}

TEST_CASE("nn/converted_product: linear layers through converters are those of rounded signals") {
  const int bits = GENERATE(0, 4, 8);
  const Index count = GENERATE(1, 150);
  check_against_plain([&] { return std::make_unique<Linear>("fc", 40, 21); }, {count, 40}, bits);
}

TEST_CASE("nn/converted_product: the result does not depend on the number of threads") {
  const Converters converters{.input_bits = 8,
                              .dac_range = DacRange::learned,
                              .adc_bits = 6,
                              .adc_range = AdcRange::learned};
  const int before = omp_get_max_threads();
  std::vector<Tensor> y;
  std::vector<Tensor> dx;
  std::vector<float> gradients;
  for (const int threads : {1, 3}) {
    omp_set_num_threads(threads);
    Conv2d layer(
        "conv",
        {.in_channels = 3, .out_channels = 9, .kernel_height = 3, .kernel_width = 3, .padding = 1});
    layer.replace_weight_store(
        std::make_unique<ConvertedWeight>(random_matrix(9, 27, 1), converters));
    const Tensor x = random_tensor({30, 3, 8, 8}, 2);
    y.push_back(layer.forward(x));
    dx.push_back(layer.backward(random_tensor({30, 9, 8, 8}, 3)));
    for (const Parameter* p : layer.parameters()) gradients.push_back(p->gradient(0, 0));
  }
  omp_set_num_threads(before);
  CHECK(worst(y[0], y[1]) == 0);
  CHECK(worst(dx[0], dx[1]) == 0);
  REQUIRE(gradients.size() == 8);
  for (std::size_t k = 0; k < 4; ++k) CHECK(gradients[k] == gradients[k + 4]);
}

TEST_CASE("nn/converted_product: learned ranges are parameters that the first batch sets") {
  Linear layer("fc", 2, 1, false);
  CHECK(layer.parameters().size() == 1);
  layer.replace_weight_store(std::make_unique<ConvertedWeight>(
      (MatrixF(1, 2) << 1, 0.5F).finished(), Converters{.input_bits = 3,
                                                        .dac_range = DacRange::learned,
                                                        .adc_bits = 3,
                                                        .adc_range = AdcRange::learned,
                                                        .percentile = 100}));
  const std::vector<Parameter*> parameters = layer.parameters();
  REQUIRE(parameters.size() == 3);
  Parameter& dac = *parameters[1];
  Parameter& adc = *parameters[2];
  CHECK(dac.name == "fc.dac_range");
  CHECK(adc.name == "fc.adc_range");
  CHECK(adc.shape == Shape{1, 1});
  CHECK(dac.store->weight()(0, 0) == 0);

  Tensor x({2, 2});
  x[0] = 1.5F, x[1] = 0.5F, x[2] = -0.5F, x[3] = 1.0F;
  layer.forward(x);
  // Largest |x| 1.5, codes 3 1, -1 2; largest |current| 3.5.
  CHECK(dac.store->weight()(0, 0) == 1.5F);
  CHECK(adc.store->weight()(0, 0) == 3.5F);

  // Ranges 1.2 and 3, steps 0.4 and 1: codes 3 (clipped) 1 (of 1.25), -1 (of -1.25) 2 (tie of 2.5,
  // in single precision 2.49999991 or exactly); currents 3.5 -> 3 (clipped), 0 -> 0.
  dac.store->set_weight(MatrixF::Constant(1, 1, 1.2F));
  adc.store->set_weight(MatrixF::Constant(1, 1, 3.0F));
  x[3] = 0.9F;  // 2.25 -> 2
  const Tensor& y = layer.forward(x);
  CHECK_THAT(static_cast<double>(y[0]), WithinRel(0.4 * 3, 1e-6));
  CHECK(y[1] == 0.0F);
  Tensor dy({2, 1});
  dy[0] = 2, dy[1] = -1;
  const Tensor& dx = layer.backward(dy);
  // Straight through: dx = dy W, with dy in codes 3 and -1.5 -> -2 (tie to even) of 2/3, read by an
  // ADC of range 3 (calibrated to the largest current): currents 3, 1.5 -> 2 and -2, -1.
  CHECK(dx[0] == 0.0F);  // clipped
  CHECK_THAT(static_cast<double>(dx[1]), WithinRel(2 * 2.0 / 3, 1e-6));
  CHECK_THAT(static_cast<double>(dx[2]), WithinRel(-2 * 2.0 / 3, 1e-6));
  CHECK_THAT(static_cast<double>(dx[3]), WithinRel(-1 * 2.0 / 3, 1e-6));
  // d y / d adc_range = dac_step (code - u inside, code outside) / 3 = 0.4 * 3 / 3 and 0; the sum
  // over dy times 1 / sqrt(2 outputs * limit 3).
  CHECK_THAT(static_cast<double>(adc.gradient(0, 0)), WithinRel(2 * 0.4 / std::sqrt(6.0), 1e-5));
  // d x / d dac_range = (code - u inside, code outside) / 3 = 1, -0.25/3, 0.25/3, -0.25/3, with the
  // unclipped dx = 2, 4/3, -4/3, -2/3; 1 / sqrt(4 inputs * limit 3).
  const double sum = 2 * 1 + 4.0 / 3 * -0.25 / 3 + -4.0 / 3 * 0.25 / 3 + -2.0 / 3 * -0.25 / 3;
  CHECK_THAT(static_cast<double>(dac.gradient(0, 0)), WithinRel(sum / std::sqrt(12.0), 1e-5));

  // A first layer needs no dx, but its range does.
  dac.gradient.setZero();
  layer.forward(x);
  layer.backward_parameters(dy);
  CHECK_THAT(static_cast<double>(dac.gradient(0, 0)), WithinRel(sum / std::sqrt(12.0), 1e-5));

  // The optimiser may not take a range below 0.
  adc.store->set_weight(MatrixF::Constant(1, 1, -1.0F));
  layer.forward(x);
  CHECK(adc.store->weight()(0, 0) == 3.0F);

  layer.replace_weight_store(std::make_unique<DigitalWeight>(MatrixF::Zero(1, 2)));
  CHECK(layer.parameters().size() == 1);
}
