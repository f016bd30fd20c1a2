#include <cmath>
#include <filesystem>
#include <string>

#include <xbar/core/safetensors.hpp>
#include <xbar/nn/data/cifar_set.hpp>
#include <xbar/nn/data/normalisation.hpp>
#include <xbar/nn/models.hpp>
#include <xbar/nn/trainer.hpp>

#include "support/catch.hpp"

using namespace xbar::nn;

namespace {

struct Supplied {
  const char* name;
  const char* model;
  Normalisation normalisation;
  double accuracy;  // stated, percent of the first 1,000 test images
};

// PyTorch's usual numbers for ImageNet; SimpNet's are of pixels 0 to 255.
const Normalisation resnet{{0.485F, 0.456F, 0.406F}, {0.229F, 0.224F, 0.225F}};
const Normalisation simpnet{{125.307F / 255, 122.950F / 255, 113.865F / 255},
                            {62.993F / 255, 62.089F / 255, 66.705F / 255}};

}  // namespace

TEST_CASE("nn/supplied_networks: the stated accuracy on 1,000 test images, to an image") {
  const std::filesystem::path shared = std::filesystem::path(XBAR_SHARED_DIR) / "data";
  if (!std::filesystem::exists(shared / "weights") ||
      !std::filesystem::exists(shared / "cifar10-lossless")) {
    WARN("skipped: needs weights and cifar10-lossless in " << shared.string());
    return;
  }
  const Supplied supplied = GENERATE(
      Supplied{"resnet20", "resnet20", resnet, 91.5},
      Supplied{"resnet56", "resnet56", resnet, 92.6},
      Supplied{"simpnet1m", XBAR_SOURCE_DIR "/examples/models/simpnet1m.toml", simpnet, 95.0},
      Supplied{"simpnet8", XBAR_SOURCE_DIR "/examples/models/simpnet8.toml", simpnet, 91.5});
  INFO(supplied.name);
  DataSet data = read_cifar_set(shared / "cifar10-lossless", CifarKind::cifar10);
  normalise(data, supplied.normalisation);
  REQUIRE(data.test.count == 1000);
  Network network = make_model(supplied.model, {3, 32, 32}, 10, 1);
  network.load_state(
      xbar::read_safetensors(shared / "weights" / (std::string(supplied.name) + ".safetensors")));
  const double found = 100 * evaluate(network, data.test, 250).accuracy;
  CAPTURE(found);
  // 0.1 points: one image, which rounding may tip. The figures have one decimal.
  CHECK(std::abs(found - supplied.accuracy) <= 0.1 + 1e-6);
}
