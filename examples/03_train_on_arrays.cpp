/// Train a small network with forward pass, backward pass and weight update through wired tiles.
///
///   build/release/examples/example_03_train_on_arrays
///   -> through the arrays: 9.... %

#include <fmt/format.h>

#include <xbar/nn/crossbar_mapping.hpp>
#include <xbar/nn/models.hpp>
#include <xbar/nn/trainer.hpp>
#include <xbar/surrogate_calibrate/calibrate.hpp>

int main() {
  const xbar::nn::DataSet data = xbar::nn::load_data("glyphs", 1);
  xbar::nn::TrainOptions options;
  options.epochs = 1;

  xbar::nn::Network digital = xbar::nn::make_model("mlp", {1, 28, 28}, data.num_classes, 1);
  fmt::print("ideal arithmetic: {:.1f} %\n",
             100 * train(digital, data, options).epochs.back().test_accuracy);

  xbar::nn::Network wired = xbar::nn::make_model("mlp", {1, 28, 28}, data.num_classes, 1);
  xbar::nn::CrossbarMapping mapping;
  mapping.technology.on_ohm = 100e3;  // the other fields: 64 x 64 tiles, 500/100/2.5/2.5 ohm
  mapping.scale = xbar::nn::WeightScale::headroom;
  mapping.headroom = 8;  // cells hold eight times the largest initial weight
  mapping.exact = xbar::surrogate::exact_solver();  // for the certificate
  map_to_crossbars(wired, mapping);
  fmt::print("through the arrays: {:.1f} %\n",
             100 * train(wired, data, options).epochs.back().test_accuracy);
}
