#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/core/safetensors.hpp>
#include <xbar/nn/model_file.hpp>
#include <xbar/nn/models.hpp>

#include "nn/support/gradients.hpp"
#include "support/catch.hpp"
#include "support/message.hpp"
#include "support/temporary_folder.hpp"

using Catch::Matchers::Contains;
using xbar::Index;
using xbar::InvalidArgument;
using namespace xbar::nn;
using xbar_test::contains;
using xbar_test::message_of;

namespace {

const std::filesystem::path examples =
    std::filesystem::path(XBAR_SOURCE_DIR) / "examples" / "models";

std::string layer(const std::string& lines) { return "[[layer]]\n" + lines + "\n"; }

std::string conv_bn_relu(int channels, int stride = 1) {
  return fmt::format(
      "{{ type = 'conv2d', out_channels = {}, kernel = 3, stride = {}, padding = 1, "
      "bias = false }}, {{ type = 'batch-norm' }}, {{ type = 'relu' }}, ",
      channels, stride);
}

std::string basic_block(int channels, int stride, const std::string& shortcut, int repeat = 1) {
  return layer(
      fmt::format("type = 'residual'\nshortcut = '{}'\nrepeat = {}\nbody = [ {}"
                  "{{ type = 'conv2d', out_channels = {}, kernel = 3, padding = 1, "
                  "bias = false }}, {{ type = 'batch-norm' }} ]",
                  shortcut, repeat, conv_bn_relu(channels, stride), channels));
}

std::string resnet(const std::string& name, const std::vector<int>& widths, int blocks,
                   const std::string& shortcut, const std::string& linear) {
  std::string text = "name = '" + name + "'\n" +
                     layer(fmt::format("type = 'conv2d'\nout_channels = {}\nkernel = 3\npadding = "
                                       "1\nbias = false",
                                       widths[0])) +
                     layer("type = 'batch-norm'") + layer("type = 'relu'") +
                     basic_block(widths[0], 1, "identity", blocks);
  for (std::size_t k = 1; k < widths.size(); ++k) {
    text += basic_block(widths[k], 2, shortcut);
    if (blocks > 1) text += basic_block(widths[k], 1, "identity", blocks - 1);
  }
  return text + layer("type = 'global-avg-pool'") + layer("type = 'flatten'") +
         layer("type = 'linear'\nname = '" + linear + "'\nout_features = 'classes'");
}

std::string vgg8s() {
  std::string text = "name = 'vgg8s'\n";
  for (const int width : {32, 64, 128}) {
    for (int k = 0; k < 2; ++k) {
      text += layer(fmt::format(
                  "type = 'conv2d'\nout_channels = {}\nkernel = [3, 3]\npadding = 1\nbias = false",
                  width)) +
              layer("type = 'batch-norm'") + layer("type = 'relu'");
    }
    text += layer("type = 'max-pool2d'\nkernel = 2");
  }
  return text + layer("type = 'flatten'") + layer("type = 'linear'\nout_features = 256") +
         layer("type = 'relu'") + layer("type = 'linear'\nout_features = 'classes'");
}

std::string alexnet() {
  std::string text = "name = 'alexnet'\n";
  int number = 0;
  for (const int width : {64, 192, 384, 256, 256}) {
    ++number;
    text += layer(fmt::format("type = 'conv2d'\nout_channels = {}\nkernel = 3\npadding = 1\n"
                              "stride = {}",
                              width, number == 1 ? 2 : 1)) +
            layer("type = 'relu'");
    if (number != 3 && number != 4) text += layer("type = 'max-pool2d'\nkernel = 2");
  }
  text += layer("type = 'flatten'");
  for (int k = 0; k < 2; ++k) {
    text += layer("type = 'dropout'") + layer("type = 'linear'\nout_features = 4096") +
            layer("type = 'relu'");
  }
  return text + layer("type = 'linear'\nout_features = 'classes'");
}

// One step in training mode, then outputs in evaluation mode: the same bits, statistics and masks
// included.
void check_same(Network& expected, Network& found, const Shape& images) {
  CHECK(found.name() == expected.name());
  CHECK(found.input_shape() == expected.input_shape());
  const Tensor x = xbar_test::random_tensor(images.batch(2), 5, 0, 1);
  for (const bool training : {true, false}) {
    expected.set_training(training);
    found.set_training(training);
    const Tensor& a = expected.forward(x);
    const Tensor& b = found.forward(x);
    REQUIRE(b.shape() == a.shape());
    Index different = 0;
    for (Index i = 0; i < a.size(); ++i) different += a[i] == b[i] ? 0 : 1;
    CHECK(different == 0);
  }
  const xbar::TensorFile weights = expected.state();
  const xbar::TensorFile others = found.state();
  REQUIRE(others.tensors.size() == weights.tensors.size());
  for (const auto& [name, tensor] : weights.tensors) {
    INFO(name);
    REQUIRE(others.tensors.contains(name));
    CHECK(others.tensors.at(name).shape == tensor.shape);
    CHECK(others.tensors.at(name).values == tensor.values);
  }
}

Network parsed(const std::string& toml, const Shape& images = {1, 8, 8}, Index num_classes = 10) {
  return parse_model(toml, "net.toml", images, num_classes);
}

std::string refused(const std::string& toml, const Shape& images = {1, 8, 8}) {
  const std::string message = message_of<InvalidArgument>([&] { (void)parsed(toml, images); });
  CHECK(message.find('\n') == std::string::npos);
  return message;
}

// A whole model around the layer under test, which begins in line 2.
std::string refused_layer(const std::string& lines) {
  return refused("name = 'a'\n" + layer(lines));
}

}  // namespace

TEST_CASE("nn/model_file: built-in models as files give the same bits") {
  struct Case {
    std::string name;
    std::string toml;
    Shape images;
  };
  const Case all[] = {
      {"vgg8s", vgg8s(), {3, 32, 32}},
      {"alexnet", alexnet(), {3, 32, 32}},
      {"resnet20", resnet("resnet20", {16, 32, 64}, 3, "padded", "linear"), {3, 32, 32}},
      {"resnet20", resnet("resnet20", {16, 32, 64}, 3, "padded", "linear"), {1, 9, 7}},
      {"resnet56", resnet("resnet56", {16, 32, 64}, 9, "padded", "linear"), {3, 16, 16}},
      {"resnet18", resnet("resnet18", {64, 128, 256, 512}, 2, "projection", "fc"), {3, 16, 16}},
  };
  for (const Case& one : all) {
    INFO(one.name);
    Network expected = make_model(one.name, one.images, 10, 7);
    Network found = make_model(ModelSource{"net.toml", one.toml}, one.images, 10, 7);
    check_same(expected, found, one.images);
  }
}

TEST_CASE("nn/model_file: the files of examples/models") {
  Network lenet5 = make_model("lenet5", {1, 28, 28}, 10, 7);
  Network file = make_model((examples / "lenet5.toml").string(), {1, 28, 28}, 10, 7);
  check_same(lenet5, file, {1, 28, 28});
  // 432 + 2 2304 + 4608 + 9216 + 18432 + 36864 + 640 weights, 2 (3 16 + 2 32 + 2 64) of batch
  // norms, 10 biases.
  Network resnet8 = make_model((examples / "resnet8.toml").string(), {3, 32, 32}, 10, 7);
  CHECK(resnet8.name() == "resnet8");
  Index parameters = 0;
  for (const Parameter* p : resnet8.parameters()) parameters += p->shape.volume();
  CHECK(parameters == 74800 + 480 + 10);
  CHECK(make_model((examples / "resnet8.toml").string(), {1, 28, 28}, 4, 7).output_shape() ==
        Shape{4});
  // 9 in out weights, a bias and two of batch norm for each of the 539 and 1237 channels; 10
  // outputs.
  for (const auto& [name, expected] : {std::pair{"simpnet8", 301291}, {"simpnet1m", 1001296}}) {
    Network simpnet = make_model((examples / name).string() + ".toml", {3, 32, 32}, 10, 7);
    Index count = 0;
    for (const Parameter* p : simpnet.parameters()) count += p->shape.volume();
    CHECK(count == expected);
    CHECK(simpnet.weighted_layers().back()->name() == "fc");
  }
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(examples)) {
    files += entry.path().extension() == ".toml" ? 1 : 0;
  }
  CHECK(files == 4);  // a new one belongs into this test
}

TEST_CASE("nn/model_file: the file of the recipe") {
  const std::string page = xbar::read_file(std::filesystem::path(XBAR_SOURCE_DIR) / "docs" /
                                           "recipes" / "network-model.md");
  const std::string fence = "```toml\n";
  const std::size_t begin = page.find(fence);
  REQUIRE(begin != std::string::npos);
  const std::size_t end = page.find("```", begin + fence.size());
  const std::string toml = page.substr(begin + fence.size(), end - begin - fence.size());
  Network network = parsed(toml, {1, 28, 28});
  CHECK(network.name() == "my_net");
  // 144 + 2 16; 4608 + 9216 + 512 and 3 x 2 32 of the block; 320 + 10.
  Index parameters = 0;
  for (const Parameter* p : network.parameters()) parameters += p->shape.volume();
  CHECK(parameters == 176 + 14528 + 330);
}

TEST_CASE("nn/model_file: the supplied ResNet-20 loads into the file's network") {
  const std::filesystem::path weights =
      std::filesystem::path(XBAR_SHARED_DIR) / "data" / "weights" / "resnet20.safetensors";
  if (!std::filesystem::exists(weights)) {
    WARN("skipped: needs " << weights.string());
    return;
  }
  Network expected = make_model("resnet20", {3, 32, 32}, 10, 1);
  Network found = parsed(resnet("resnet20", {16, 32, 64}, 3, "padded", "linear"), {3, 32, 32});
  expected.load_state(xbar::read_safetensors(weights));
  found.load_state(xbar::read_safetensors(weights));
  const Tensor x = xbar_test::random_tensor({2, 3, 32, 32}, 5, 0, 1);
  const Tensor& a = expected.forward(x);
  const Tensor& b = found.forward(x);
  for (Index i = 0; i < a.size(); ++i) CHECK(a[i] == b[i]);
}

TEST_CASE("nn/model_file: every key reaches its layer") {
  Network network = parsed(
      "name = 'a-1_b.c'\ncomment = 'all keys'\n" +
      layer("type = 'conv2d'\nname = 'stem'\nout_channels = 4\nkernel = [3, 5]\nstride = 2\n"
            "padding = 3\nbias = false") +
      layer("type = 'batch-norm'\nepsilon = 0.25\nmomentum = 1") +
      layer("type = 'avg-pool2d'\nkernel = 3\nstride = 1") +
      layer("type = 'residual'\nname = 'block'\nafter = 'nothing'\nbody = [ {type = 'conv2d', "
            "out_channels = 4, kernel = 1, name = 'mix'}, {type = 'residual', body = [ {type = "
            "'conv2d', out_channels = 4, kernel = 1} ]} ]") +
      layer("type = 'dropout'\nprobability = 0.25") +
      layer("type = 'max-pool2d'\nkernel = 2\nstride = 1") +
      layer("type = 'conv2d'\nout_channels = 'classes'\nkernel = 2") +
      layer("type = 'global-avg-pool'") + layer("type = 'flatten'") +
      layer("type = 'linear'\nout_features = 10\nbias = false"));
  initialise(network, 1);
  std::vector<std::string> names;
  for (const Parameter* p : network.parameters()) {
    names.push_back(p->name + " " + to_string(p->shape));
  }
  CHECK(names == std::vector<std::string>{
                     "stem.weight (4, 1, 3, 5)", "bn1.weight (4,)", "bn1.bias (4,)",
                     "block.mix.weight (4, 4, 1, 1)", "block.mix.bias (4,)",
                     "block.layer1.0.conv1.weight (4, 4, 1, 1)", "block.layer1.0.conv1.bias (4,)",
                     "conv2.weight (10, 4, 2, 2)", "conv2.bias (10,)", "fc1.weight (10, 10)"});
  // 8 x 8: (8 + 6 - 3) / 2 + 1 = 6 and (8 + 6 - 5) / 2 + 1 = 5; means over 3 x 3: 4 x 3; maxima
  // over 2 x 2: 3 x 2; 2 x 2: 2 x 1.
  const auto& layers = network.layers();
  Shape shape{1, 1, 8, 8};
  std::vector<std::string> shapes;
  for (const auto& one : layers) {
    shape = one->output_shape(shape);
    shapes.push_back(one->name() + " " + to_string(shape.item()));
  }
  CHECK(shapes == std::vector<std::string>{"stem (4, 6, 5)", "bn1 (4, 6, 5)", "pool1 (4, 4, 3)",
                                           "block (4, 4, 3)", "dropout1 (4, 4, 3)",
                                           "pool2 (4, 3, 2)", "conv2 (10, 2, 1)",
                                           "pool3 (10, 1, 1)", "flatten1 (10,)", "fc1 (10,)"});

  // Running statistics start at 0 and 1, so in evaluation y = x / sqrt(1 + epsilon) = x /
  // sqrt(1.25).
  const Tensor ones = [] {
    Tensor x({2, 4, 6, 5});
    x.fill(1);
    return x;
  }();
  const auto run = [&](std::size_t k, const Tensor& x, bool training) {
    layers[k]->set_training(training);
    const float value = layers[k]->forward(x)[0];
    layers[k]->set_training(false);
    return static_cast<double>(value);
  };
  CHECK_THAT(run(1, ones, false), xbar_test::WithinRel(1 / std::sqrt(1.25), 1e-6));
  // Momentum 1: after a batch of ones the running mean is 1 and the variance 0.
  run(1, ones, true);
  CHECK_THAT(run(1, ones, false), xbar_test::WithinAbs(0, 1e-6));
  CHECK(layers[1]->buffers()[0]->values(0, 0) == 1);
  // Kept values are scaled by 1 / (1 - 0.25).
  layers[4]->set_training(true);
  const Tensor& dropped = layers[4]->forward(ones);
  float largest = 0;
  for (Index i = 0; i < dropped.size(); ++i) largest = std::max(largest, dropped[i]);
  CHECK_THAT(static_cast<double>(largest), xbar_test::WithinRel(1 / 0.75, 1e-6));
  // Without a ReLU a sum may be negative; with one it is not.
  const Tensor x = xbar_test::random_tensor({2, 4, 4, 3}, 3, -1, 1);
  const auto smallest = [&](Layer& one) {
    const Tensor& y = one.forward(x);
    float low = y[0];
    for (Index i = 0; i < y.size(); ++i) low = std::min(low, y[i]);
    return low;
  };
  CHECK(smallest(*layers[3]) < 0);
  CHECK(smallest(*layers[3]->children()[1]) == 0);
}

TEST_CASE("nn/model_file: what is not TOML is an IoError with its place") {
  CHECK_THROWS_AS(parsed("name = = 3"), xbar::IoError);
  CHECK_THROWS_WITH(parsed("name = 'a'\nlayer = ]"), Contains("net.toml:2:9: not TOML"));
  CHECK_THROWS_WITH(parsed("name = 'a'\n[[= 3"), Contains("net.toml:2:3: not TOML"));
  CHECK_THROWS_AS(make_model("no-such-file.toml", {1, 8, 8}, 10, 1), xbar::IoError);
  const xbar_test::TemporaryFolder folder;
  xbar::write_file_atomically(folder / "empty.toml", "");
  CHECK_THROWS_WITH(make_model((folder / "empty.toml").string(), {1, 8, 8}, 10, 1),
                    Contains("empty.toml:1:1: key 'name': expected a text, found none"));
}

TEST_CASE("nn/model_file: a source is read once") {
  const xbar_test::TemporaryFolder folder;
  const std::string path = (folder / "net.toml").string();
  const std::string toml = "name = 'first'\n" + layer("type = 'flatten'") +
                           layer("type = 'linear'\nout_features = 'classes'");
  xbar::write_file_atomically(path, toml);
  const ModelSource source = model_source(path);
  CHECK(source.name == path);
  CHECK(source.toml == toml);
  xbar::write_file_atomically(path, "name = 'second'\n");
  CHECK(make_model(source, {1, 8, 8}, 10, 1).name() == "first");
  CHECK_FALSE(model_source("mlp").toml);
}

TEST_CASE("nn/model_file: names and keys of the file itself") {
  CHECK(refused(layer("type = 'relu'")) == "net.toml:1:1: key 'name': expected a text, found none");
  CHECK(refused("name = 'a'") ==
        "net.toml:1:1: key 'layer': expected a list of at least one layer, found none");
  CHECK(refused("name = 'a'\nlayer = []") ==
        "net.toml:2:9: key 'layer': expected a list of at least one layer, found a list of 0");
  CHECK(refused("name = 'a'\nlayer = [ 3 ]") ==
        "net.toml:2:11: key 'layer': expected a table for each layer, found 3");
  CHECK(refused("name = 'a'\n[[layers]]\ntype = 'relu'") ==
        "net.toml:2:3: model: expected one of the keys name, comment, layer, found 'layers'; did "
        "you mean layer?");
  for (const std::string name : {"", "3a", "a/b", ".a", "a b", "a\\nb", "\\u00e9"}) {
    CHECK(contains(refused("name = \"" + name + "\"\n" + layer("type = 'relu'")),
                   "net.toml:1:8: key 'name': expected at most 64 letters"));
  }
  CHECK(contains(refused("name = '" + std::string(65, 'a') + "'\n"),
                 "found '" + std::string(40, 'a') + "'..."));
  CHECK(refused("name = 3") == "net.toml:1:8: key 'name': expected a text, found 3");
  CHECK(contains(refused("name = 'a'\ncomment = 1979-05-27\n" + layer("type = 'flatten'")),
                 "net.toml:2:11: key 'comment': expected a text, found a date or time"));
}

TEST_CASE("nn/model_file: types and keys of layers") {
  CHECK(refused_layer("type = 'conv'") ==
        "net.toml:3:8: key 'type': expected one of conv2d, linear, batch-norm, relu, max-pool2d, "
        "avg-pool2d, global-avg-pool, global-max-pool, dropout, flatten, residual, found 'conv'; "
        "did you mean "
        "conv2d?");
  CHECK(contains(refused_layer("type = 'batch_norm2d'"),
                 "found 'batch_norm2d'; did you mean "
                 "batch-norm?"));
  CHECK(contains(refused_layer("type = 2.5"), "found 2.5"));
  CHECK(contains(refused_layer("name = 'x'"), "net.toml:2:1: key 'type': expected one of conv2d"));
  CHECK(refused_layer("type = 'conv2d'\nout_channel = 3\nkernel = 3") ==
        "net.toml:4:1: conv2d: expected one of the keys type, name, out_channels, kernel, stride, "
        "padding, bias, found 'out_channel'; did you mean out_channels?");
  CHECK(contains(refused_layer("type = 'relu'\nkernel = 3"),
                 "net.toml:4:1: relu: expected one of "
                 "the keys type, name, found 'kernel'"));
  CHECK(refused_layer("type = 'conv2d'\nkernel = 3") ==
        "net.toml:2:1: key 'out_channels': expected a whole number from 1 to 1000000, found none");
  CHECK(refused_layer("type = 'conv2d'\nout_channels = 3") ==
        "net.toml:2:1: key 'kernel': expected a whole number from 1 to 1000000, or a list of two, "
        "found none");
  CHECK(contains(refused_layer("type = 'max-pool2d'"), "net.toml:2:1: key 'kernel'"));
  CHECK(contains(refused_layer("type = 'residual'"), "net.toml:2:1: key 'body'"));
  const std::string conv = "type = 'conv2d'\nout_channels = 3\nkernel = 3\n";
  struct Case {
    std::string lines, found;
  };
  const Case bad[] = {
      {"type = 'conv2d'\nkernel = 3\nout_channels = 0", "5:16: key 'out_channels': expected a"},
      {"type = 'conv2d'\nkernel = 3\nout_channels = 'class'", "found 'class'"},
      {"type = 'conv2d'\nkernel = 3\nout_channels = 1000001", "found 1000001"},
      {"type = 'conv2d'\nout_channels = 3\nkernel = [3]", "5:10: key 'kernel'"},
      {"type = 'conv2d'\nout_channels = 3\nkernel = [3, 'a']", "found a list of 2"},
      {"type = 'conv2d'\nout_channels = 3\nkernel = 2.0", "found 2"},
      {conv + "stride = 0", "6:10: key 'stride': expected a whole number from 1"},
      {conv + "padding = -1", "6:11: key 'padding': expected a whole number from 0"},
      {conv + "bias = 1", "6:8: key 'bias': expected true or false, found 1"},
      {conv + "name = true", "6:8: key 'name': expected a text, found true"},
      {conv + "name = {}", "found a table"},
      {"type = 'max-pool2d'\nkernel = 257",
       "4:10: key 'kernel': expected a whole number from 1 to "
       "256, found 257"},
      {"type = 'avg-pool2d'\nkernel = 2\nstride = 0", "5:10: key 'stride'"},
      {"type = 'batch-norm'\nepsilon = 'x'", "4:11: key 'epsilon': expected a number, found 'x'"},
      {"type = 'batch-norm'\nepsilon = -1.0", "2:1: bn1: expected a finite epsilon > 0, found -1"},
      {"type = 'dropout'\nprobability = 1", "2:1: dropout1: expected a probability in [0, 1)"},
      {"type = 'dropout'\nprobability = nan", "2:1: dropout1: expected a probability in [0, 1)"},
      {"type = 'residual'\nbody = [{type = 'relu'}]\nafter = 'tanh'",
       "5:9: key 'after': expected one of relu, nothing, found 'tanh'"},
      {"type = 'residual'\nbody = [{type = 'relu'}]\nshortcut = 'padding'",
       "5:12: key 'shortcut': expected one of identity, padded, projection, found 'padding'; did "
       "you mean padded?"},
      {"type = 'residual'\nbody = [{type = 'relu'}]\nrepeat = 0", "5:10: key 'repeat'"},
      {"type = 'residual'\nname = 'b'\nbody = [{type = 'relu'}]\nrepeat = 2",
       "4:8: key 'name': expected none together with repeat"},
      {"type = 'residual'\nbody = [\n{type = 'rely'}]", "5:9: key 'type'"},
      {"type = 'residual'\nbody = {}", "4:8: key 'body': expected a list of at least one layer"},
  };
  for (const Case& one : bad) {
    const std::string message = refused_layer(one.lines);
    CAPTURE(message, one.found);
    CHECK(contains(message, one.found));
    CHECK(contains(message, "net.toml:"));
  }
}

TEST_CASE("nn/model_file: layers that do not fit, and doubled names") {
  CHECK(refused_layer("type = 'linear'\nout_features = 'classes'") ==
        "net.toml:2:1: fc1: expected vectors from the layer before (type flatten makes them), "
        "found images of shape (1, 8, 8)");
  const std::string flat = "name = 'a'\n" + layer("type = 'flatten'");
  CHECK(refused(flat + layer("type = 'conv2d'\nout_channels = 3\nkernel = 3")) ==
        "net.toml:4:1: conv1: expected images of shape (channels, height, width) from the layer "
        "before, found (64,)");
  CHECK(
      contains(refused(flat + layer("type = 'max-pool2d'\nkernel = 2")), "net.toml:4:1: pool1: "));
  CHECK(contains(refused(flat + layer("type = 'global-avg-pool'")), "net.toml:4:1: pool1: "));
  CHECK(contains(refused_layer("type = 'max-pool2d'\nkernel = 9"),
                 "net.toml:2:1: pool1: expected an input of shape (N, C, H, W) with H, W >= 9"));
  CHECK(contains(refused_layer("type = 'conv2d'\nout_channels = 3\nkernel = 9"),
                 "net.toml:2:1: conv1: "));
  const std::string relu = layer("type = 'relu'\nname = 'x'");
  CHECK(refused("name = 'a'\n" + relu + relu) ==
        "net.toml:5:1: expected layers of different names, found x twice");
  const auto residual = [](const std::string& shortcut, const std::string& body) {
    return refused_layer("type = 'residual'\nshortcut = '" + shortcut + "'\nbody = [" + body + "]");
  };
  const std::string half =
      "{type = 'conv2d', out_channels = 4, kernel = 3, stride = 2, padding = 1}";
  CHECK(residual("identity", half) ==
        "net.toml:4:12: key 'shortcut': expected padded or projection where the body leads from "
        "shape (1, 8, 8) to (4, 4, 4), found 'identity'");
  CHECK(contains(refused_layer("type = 'residual'\nbody = [" + half + "]"),
                 "net.toml:2:1: key 'shortcut': expected padded or projection"));
  // From 8 to 6 pixels leads no stride.
  CHECK(contains(residual("projection", "{type = 'conv2d', out_channels = 4, kernel = 3}"),
                 "net.toml:4:12: key 'shortcut': expected a body that leads from images to images "
                 "a whole number of times smaller, not from shape (1, 8, 8) to (4, 6, 6)"));
  CHECK(contains(residual("padded", "{type = 'flatten'}"), "not from shape (1, 8, 8) to (64,)"));
  CHECK(contains(residual("projection", half + ", {type = 'relu', name = 'downsample.0'}"),
                 "found layer1.0.downsample.0 twice"));
  // Padding adds channels, it takes none away.
  CHECK(contains(
      refused("name = 'a'\n" + layer("type = 'residual'\nshortcut = 'padded'\nbody = [{type = "
                                     "'conv2d', out_channels = 1, kernel = 1}]"),
              {3, 8, 8}),
      "net.toml:2:1: layer1.0.shortcut: expected 1 <= in_channels <= out_channels"));
}

TEST_CASE("nn/model_file: the output is a value a class") {
  const std::string flat = "name = 'a'\n" + layer("type = 'flatten'");
  CHECK(refused(flat + layer("type = 'linear'\nout_features = 100")) ==
        "net.toml:4:1: expected an output of shape (10,) from the last layer, a value for each "
        "class of the data, found (100,); \"classes\" as its number of outputs takes that of the "
        "data");
  CHECK(contains(refused_layer("type = 'conv2d'\nout_channels = 'classes'\nkernel = 8"),
                 "found (10, 1, 1)"));
  CHECK(parsed(flat + layer("type = 'linear'\nout_features = 'classes'"), {3, 4, 4}, 7)
            .output_shape() == Shape{7});
  CHECK_THROWS_WITH(parsed(flat, {1, 8, 8}, 0), Contains("net.toml") && Contains("num_classes"));
  CHECK_THROWS_WITH(parsed(flat, {1, 0, 8}), Contains("net.toml") && Contains("(1, 0, 8)"));
}

TEST_CASE("nn/model_file: mistyped numbers are refused before memory is taken") {
  const std::string flat = "name = 'a'\n" + layer("type = 'flatten'");
  CHECK(refused(flat + layer("type = 'linear'\nout_features = 1000000") +
                layer("type = 'linear'\nout_features = 1000000")) ==
        "net.toml:7:1: fc2: expected at most 1000000000 weights in the network, found "
        "1000064000000 with this layer");
  CHECK(contains(refused_layer("type = 'conv2d'\nout_channels = 1000\nkernel = 1\npadding = 10000"),
                 "net.toml:2:1: conv1: expected at most 1000000000 values an image"));
  const std::string block = "type = 'residual'\nrepeat = 6\nbody = [{type = 'relu'}]";
  const ModelLimits limits{.layers = 10, .weights = 100, .values = 100};
  const auto limited = [&](const std::string& toml) {
    return message_of<InvalidArgument>([&] {
      (void)parse_model(toml, "net.toml", {1, 8, 8}, 10, limits);
    });
  };
  // Six blocks with a layer each are twelve.
  CHECK(contains(limited("name = 'a'\n" + layer(block)), "expected at most 10 layers"));
  CHECK(contains(limited(flat + layer("type = 'batch-norm'")),
                 "bn1: expected at most 100 weights in the network, found 128"));
  // 3 x 32 in the body, 3 x 32 + 2 x 32 in the shortcut.
  const std::string projection =
      "name = 'a'\n" +
      layer(
          "type = 'residual'\nshortcut = "
          "'projection'\nbody = [{type = 'conv2d', out_channels = 32, kernel = 1}]");
  CHECK(contains(message_of<InvalidArgument>([&] {
                   (void)parse_model(projection, "net.toml", {3, 8, 8}, 10,
                                     {.weights = 100, .values = 10'000});
                 }),
                 "layer1.0.downsample.0: expected at most 100 weights in the network, found 256"));
}
