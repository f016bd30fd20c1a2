#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <set>
#include <string>

#include <xbar/core/array_file.hpp>
#include <xbar/core/atomic_file.hpp>
#include <xbar/onnx/import.hpp>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using xbar::Index;
using namespace xbar::nn;

namespace {

// A Python that has PyTorch; empty, with a warning, without one.
std::string python_with_torch() {
  for (const std::string python : {"python3", "/usr/bin/python3"}) {
    if (std::system((python + " -c 'import torch' >/dev/null 2>&1").c_str()) == 0) return python;
  }
  WARN("skipped: needs python3 with PyTorch (Debian: python3-torch)");
  return "";
}

Tensor images(const std::filesystem::path& file) {
  const xbar::Matrix values = xbar::read_array(file).values;
  Tensor x({values.rows(), 3, 32, 32});
  REQUIRE(x.size() == values.size());
  for (Index i = 0; i < x.size(); ++i) x[i] = static_cast<float>(values.data()[i]);
  return x;
}

double largest_error(const Tensor& found, const xbar::Matrix& expected) {
  REQUIRE(found.size() == expected.size());
  double worst = 0;
  for (Index i = 0; i < found.size(); ++i) {
    const double error = std::abs(static_cast<double>(found[i]) - expected.data()[i]);
    worst = error <= worst ? worst : error;  // a NaN becomes the worst
  }
  return worst / expected.cwiseAbs().maxCoeff();
}

}  // namespace

TEST_CASE("onnx/pytorch: networks that PyTorch exports give PyTorch's answers") {
  const std::string python = python_with_torch();
  if (python.empty()) return;
  const xbar_test::TemporaryFolder folder;
  const std::string command = python + " -B " XBAR_SOURCE_DIR "/tests/onnx/export_networks.py '" +
                              folder.path().string() + "' >'" + (folder / "log").string() +
                              "' 2>&1";
  const int status = std::system(command.c_str());
  INFO(xbar::read_file(folder / "log"));
  REQUIRE(status == 0);
  for (const std::string name :
       {"resnet20", "resnet20_folded", "simpnet1m", "simpnet1m_folded", "mixture", "mixture_old"}) {
    INFO(name);
    const std::string file = name + ".onnx";
    Network network =
        xbar::onnx::import_network(xbar::read_file(folder / file), file, {3, 32, 32}, 10);
    const Tensor x = images(folder / (name + "_x.npy"));
    const xbar::Matrix expected = xbar::read_array(folder / (name + "_y.npy")).values;
    const double error = largest_error(network.forward(x), expected);
    CAPTURE(error);
    CHECK(error <= 1e-5);

    // Named as in PyTorch, whether or not the exporter has folded the batch norms.
    std::set<std::string> layers;
    for (const WeightedLayer* layer : network.weighted_layers()) layers.insert(layer->name());
    if (name.starts_with("resnet20")) {
      CHECK(layers.size() == 20);
      CHECK(layers.contains("layer3.0.conv2"));
      CHECK(layers.contains("linear"));
    } else if (name.starts_with("simpnet1m")) {
      CHECK(layers.size() == 14);
      CHECK(layers.contains("conv12"));
      CHECK(layers.contains("fc"));
    } else {
      CHECK(layers == std::set<std::string>{"stem", "left", "right", "mix", "out"});
    }
  }
}
