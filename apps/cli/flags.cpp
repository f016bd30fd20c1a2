#include "flags.hpp"

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/models.hpp>

namespace xbar::cli {
namespace {

void keep_first(const char* flag, Index count, nn::ImageSet& images) {
  if (count < 0 || count > images.count) {
    throw InvalidArgument(fmt::format("{}: expected 0 to {}, the images of the data set, got {}",
                                      flag, images.count, count));
  }
  if (count == 0) return;
  images.count = count;
  images.labels.resize(static_cast<std::size_t>(count));
  images.pixels.resize(static_cast<std::size_t>(count * images.image_size()));
}

}  // namespace

std::string or_file(const std::vector<std::string>& words) {
  return fmt::format("{}|FILE", fmt::join(words, "|"));
}

CLI::Option* add_conductance_flag(CLI::App& app, std::string& path) {
  return app
      .add_option("--conductance", path,
                  "m x n conductances, siemens, .npy or .csv; a row is a wordline")
      ->type_name("FILE");
}

std::map<std::string, double> read_parameters(std::string_view flag,
                                              const std::vector<std::string>& texts) {
  std::map<std::string, double> values;
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    const auto value = equals == std::string::npos || equals == 0
                           ? std::nullopt
                           : as_number<double>(std::string_view(text).substr(equals + 1));
    if (!value) {
      throw InvalidArgument(
          fmt::format("{}: expected NAME=VALUE with a number, got '{}'", flag, text));
    }
    const std::string name = text.substr(0, equals);
    if (!values.emplace(name, *value).second) {
      throw InvalidArgument(fmt::format("{}: {} is given twice", flag, name));
    }
  }
  return values;
}

void add_wire_flags(CLI::App& app, WireResistance& wires) {
  app.add_option("--source-ohm", wires.source_ohm, "driver resistance of a wordline, ohm");
  app.add_option("--sink-ohm", wires.sink_ohm, "sense resistance of a bitline, ohm");
  app.add_option("--wordline-ohm", wires.wordline_ohm,
                 "wordline resistance from cell to cell, ohm");
  app.add_option("--bitline-ohm", wires.bitline_ohm, "bitline resistance from cell to cell, ohm");
}

void add_weights_flag(CLI::App& app, std::string& path) {
  app.add_option("--weights", path,
                 "trained weights, .safetensors; default: those of an .onnx model")
      ->type_name("FILE");
}

void add_order_flag(CLI::App& app, std::string& path) {
  app.add_option("--order", path,
                 "an order of xbar remap; default: outputs and inputs as they come")
      ->type_name("FILE");
}

void add_seed_flag(CLI::App& app, std::uint64_t& seed) {
  // CLI11 would take -1 for the largest number.
  app.add_option("--seed", seed, "seed of every random draw")->check(CLI::NonNegativeNumber);
}

void NetworkFlags::add(CLI::App& app) {
  model_option = app.add_option("--model", model,
                                fmt::format("network: {}, a .toml file of layers or an .onnx file",
                                            fmt::join(nn::model_names(), ", ")))
                     ->type_name(or_file(nn::model_names()));
  data_option =
      app.add_option("--data", data,
                     "data set: glyphs, mnist=DIR, fashion-mnist=DIR, cifar10=DIR, cifar100=DIR")
          ->type_name("glyphs|mnist|fashion-mnist|cifar10|cifar100|NAME=DIR");
  app.add_option("--train-images", train_images,
                 "use the first training images only; 0: all of them");
  app.add_option("--test-images", test_images, "use the first test images only; 0: all of them");
  app.add_option("--pixel-mean", normalisation.mean,
                 "subtracted from pixels in [0, 1], one value a channel: a,b,c; default: nothing")
      ->delimiter(',');
  app.add_option("--pixel-deviation", normalisation.deviation,
                 "pixels are then divided by this, one value a channel")
      ->delimiter(',');
  add_seed_flag(app, seed);
}

nn::DataSet NetworkFlags::load_data() const {
  nn::DataSet result = nn::load_data(data, seed);
  keep_first("--train-images", train_images, result.train);
  keep_first("--test-images", test_images, result.test);
  nn::normalise(result, normalisation);
  return result;
}

}  // namespace xbar::cli
