#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <xbar/onnx/import.hpp>

#include "onnx/support/model_writer.hpp"
#include "support/catch.hpp"

using xbar::Index;
using xbar_test::Lengths;
using xbar_test::ModelWriter;
using namespace xbar::nn;

namespace {

// The network's outputs for one item.
std::vector<float> outputs(const ModelWriter& model, const Shape& shape,
                           const std::vector<float>& item, Index classes) {
  Network network = xbar::onnx::import_network(model.bytes(), "net.onnx", shape, classes);
  Tensor x(shape.batch(1));
  REQUIRE(x.size() == static_cast<Index>(item.size()));
  std::copy(item.begin(), item.end(), x.data());
  const Tensor& y = network.forward(x);
  return {y.data(), y.data() + y.size()};
}

// 0, 1, 2, ...
std::vector<float> ramp(Index count) {
  std::vector<float> values;
  for (Index k = 0; k < count; ++k) values.push_back(static_cast<float>(k));
  return values;
}

void flatten(ModelWriter& model, const std::string& from) { model.node("Flatten", {from}, "flat"); }

}  // namespace

TEST_CASE("onnx/operators: Gemm in its forms, MatMul with the Add of a bias") {
  // W = (1 2; 3 4; 5 6) from 2 to 3; x = (1, 10): W x = (21, 43, 65).
  const std::vector<float> rows{1, 2, 3, 4, 5, 6};
  const std::vector<float> columns{1, 3, 5, 2, 4, 6};
  const std::vector<float> x{1, 10};
  ModelWriter plain({-1, 2});
  plain.reals("w", {2, 3}, columns);
  plain.node("Gemm", {"x", "w"}, "fc");
  CHECK(outputs(plain, {2}, x, 3) == std::vector<float>{21, 43, 65});
  ModelWriter scaled({-1, 2});
  scaled.reals("w", {3, 2}, rows);
  scaled.reals("b", {1, 3}, {1, 2, 3});
  scaled.node("Gemm", {"x", "w", "b"}, "fc").whole("transB", 1).real("alpha", 2).real("beta", -1);
  CHECK(outputs(scaled, {2}, x, 3) == std::vector<float>{41, 84, 127});
  for (const bool bias_first : {false, true}) {
    ModelWriter product({-1, 2});
    product.reals("w", {2, 3}, columns);
    product.reals("b", {3}, {1, 2, 3});
    product.node("MatMul", {"x", "w"}, "fc");
    const std::vector<std::string> both{"fc_out", "b"};
    product.node("Add", bias_first ? std::vector<std::string>{"b", "fc_out"} : both, "bias");
    product.node("Relu", {"bias_out"}, "r");
    CHECK(outputs(product, {2}, x, 3) == std::vector<float>{22, 45, 68});
    Network network = xbar::onnx::import_network(product.bytes(), "net.onnx", {2}, 3);
    CHECK(network.layers().size() == 2);
    CHECK(network.weighted_layers().front()->has_bias());
  }
}

TEST_CASE("onnx/operators: Conv with even, uneven and automatic margins") {
  // 2 x 2 ones over a 3 x 3 ramp with one more row and column of zeros behind: sums of four.
  const auto convolve = [](const auto& change) {
    ModelWriter model({-1, 1, 3, 3});
    model.reals("w", {1, 1, 2, 2}, {1, 1, 1, 1});
    change(model.node("Conv", {"x", "w"}, "c"));
    flatten(model, "c_out");
    return model;
  };
  const std::vector<float> behind{8, 12, 7, 20, 24, 13, 13, 15, 8};
  CHECK(outputs(convolve([](auto node) {
                  node.wholes("pads", {0, 0, 1, 1});
                }),
                {1, 3, 3}, ramp(9), 9) == behind);
  CHECK(outputs(convolve([](auto node) { node.text("auto_pad", "SAME_UPPER"); }), {1, 3, 3},
                ramp(9), 9) == behind);
  CHECK(outputs(convolve([](auto node) { node.text("auto_pad", "SAME_LOWER"); }), {1, 3, 3},
                ramp(9), 9) == std::vector<float>{0, 1, 3, 3, 8, 12, 9, 20, 24});
  CHECK(outputs(convolve([](auto node) { node.text("auto_pad", "VALID"); }), {1, 3, 3}, ramp(9),
                4) == std::vector<float>{8, 12, 20, 24});
  CHECK(outputs(convolve([](auto node) {
                  node.wholes("pads", {1, 1, 1, 1}).wholes("strides", {2, 2});
                }),
                {1, 3, 3}, ramp(9), 4) == std::vector<float>{0, 3, 9, 24});
}

TEST_CASE("onnx/operators: BatchNormalization in inference form") {
  ModelWriter model({-1, 2});
  model.reals("n.weight", {2}, {2, 3});
  model.reals("b", {2}, {1, -1});
  model.reals("m", {2}, {10, 20});
  model.reals("v", {2}, {3, 8});
  model.node("BatchNormalization", {"x", "n.weight", "b", "m", "v"}, "bn")
      .real("epsilon", 1)
      .real("momentum", 0.75F);
  // (12 - 10) / 2 * 2 + 1 and (14 - 20) / 3 * 3 - 1
  CHECK(outputs(model, {2}, {12, 14}, 2) == std::vector<float>{3, -7});
  Network network = xbar::onnx::import_network(model.bytes(), "net.onnx", {2}, 2);
  CHECK(network.state().tensors.contains("n.running_mean"));
  // PyTorch's momentum is the share of the new: 1/4. Batch of 0 and 4: mean 2.
  network.set_training(true);
  Tensor x({2, 2});
  x.fill(0);
  x[2] = 4;
  network.forward(x);
  CHECK(network.state().tensors.at("n.running_mean").values[0] == 0.75F * 10 + 0.25F * 2);
}

TEST_CASE("onnx/operators: pools, with margins and ceil_mode") {
  const auto pool = [](const char* op, const auto& change) {
    ModelWriter model({-1, 1, 3, 3});
    change(model.node(op, {"x"}, "p"));
    flatten(model, "p_out");
    return model;
  };
  // -9 .. -1: zeros in a margin would win.
  std::vector<float> x = ramp(9);
  for (float& value : x) value -= 9;
  const auto two = [](auto node) { node.wholes("kernel_shape", {2, 2}); };
  CHECK(outputs(pool("MaxPool", two), {1, 3, 3}, x, 4) == std::vector<float>{-5, -4, -2, -1});
  const auto margins = [](auto node) {
    node.wholes("kernel_shape", {2, 2}).wholes("strides", {2, 2}).wholes("pads", {1, 1, 1, 1});
  };
  CHECK(outputs(pool("MaxPool", margins), {1, 3, 3}, x, 4) == std::vector<float>{-9, -7, -3, -1});
  const auto ceil = [](auto node) {
    node.wholes("kernel_shape", {2, 2}).wholes("strides", {2, 2}).whole("ceil_mode", 1);
  };
  CHECK(outputs(pool("MaxPool", ceil), {1, 3, 3}, x, 4) == std::vector<float>{-5, -4, -2, -1});
  const auto counted = [&](auto node) {
    margins(node);
    node.whole("count_include_pad", 1);
  };
  CHECK(outputs(pool("AveragePool", counted), {1, 3, 3}, ramp(9), 4) ==
        std::vector<float>{0, 0.75F, 2.25F, 6});
  const auto all = [](auto) {};
  CHECK(outputs(pool("GlobalMaxPool", all), {1, 3, 3}, x, 1) == std::vector<float>{-1});
  CHECK(outputs(pool("GlobalAveragePool", all), {1, 3, 3}, ramp(9), 1) == std::vector<float>{4});
  const auto axes = [](auto node) { node.wholes("axes", {-2, -1}).whole("keepdims", 0); };
  CHECK(outputs(pool("ReduceMean", axes), {1, 3, 3}, ramp(9), 1) == std::vector<float>{4});
}

TEST_CASE(
    "onnx/operators: Clip by attributes and by inputs, Add, Concat, a branch used three times") {
  ModelWriter model({-1, 4}, 10);
  model.node("Clip", {"x"}, "c").real("min", -1).real("max", 2);
  model.node("Relu", {"c_out"}, "r");
  model.node("Add", {"c_out", "r_out"}, "s");
  model.node("Concat", {"s_out", "r_out", "x"}, "k").whole("axis", 1);
  // c = -1 0.5 2 -0.5; r = 0 0.5 2 0; s = -1 1 4 -0.5
  CHECK(outputs(model, {4}, {-3, 0.5F, 7, -0.5F}, 12) ==
        std::vector<float>{-1, 1, 4, -0.5F, 0, 0.5F, 2, 0, -3, 0.5F, 7, -0.5F});
  ModelWriter given({-1, 4});
  given.reals("high", {}, {1});
  given.node("Clip", {"x", "", "high"}, "c");
  CHECK(outputs(given, {4}, {-3, 0.5F, 7, -0.5F}, 4) == std::vector<float>{-3, 0.5F, 1, -0.5F});
}

TEST_CASE("onnx/operators: shapes that are computed, parts, margins") {
  // The shape as exporters write it: (N, rest).
  ModelWriter model({-1, 2, 3, 3});
  model.wholes("zero", {0}).clear_dims();
  model.wholes("axis", {0});
  model.wholes("rest", {-1});
  model.node("Shape", {"x"}, "shape");
  model.node("Gather", {"shape_out", "zero"}, "n").whole("axis", 0);
  model.node("Unsqueeze", {"n_out", "axis"}, "list");
  model.node("Concat", {"list_out", "rest"}, "to").whole("axis", 0);
  model.node("Reshape", {"x", "to_out"}, "r");
  CHECK(outputs(model, {2, 3, 3}, ramp(18), 18) == ramp(18));

  ModelWriter part({-1, 2, 3, 3});
  part.wholes("starts", {1, 0, -1});
  part.wholes("ends", {9, 3, 4});
  part.wholes("axes", {1, 2, 3});
  part.wholes("step", {1, 2, 1});
  part.node("Slice", {"x", "starts", "ends", "axes", "step"}, "s");
  part.node("Squeeze", {"s_out"}, "q").wholes("axes", {1});
  flatten(part, "q_out");
  CHECK(outputs(part, {2, 3, 3}, ramp(18), 2) == std::vector<float>{11, 17});

  ModelWriter margin({-1, 1, 1, 2});
  margin.wholes("pads", {0, 1, 0, 0, 0, 0, 0, 1});
  margin.reals("value", {}, {7});
  margin.node("Pad", {"x", "pads", "value"}, "p");
  flatten(margin, "p_out");
  CHECK(outputs(margin, {1, 1, 2}, {1, 2}, 6) == std::vector<float>{7, 7, 7, 1, 2, 7});

  // Four channels of one pixel as one channel of 2 x 2.
  ModelWriter square({-1, 4, 1, 1});
  square.wholes("to", {0, 1, 2, 2});
  square.node("Reshape", {"x", "to"}, "r");
  square.node("GlobalMaxPool", {"r_out"}, "p");
  flatten(square, "p_out");
  CHECK(outputs(square, {4, 1, 1}, ramp(4), 1) == std::vector<float>{3});
}

TEST_CASE("onnx/operators: whole numbers are computed as the operators say") {
  // ((6 - 2) * 3) / 4 = 3 columns in each of 2 rows, by way of (3, 2) transposed and reversed.
  ModelWriter model({-1, 6});
  for (const auto& [name, value] : {std::pair{"a", 6}, {"b", 2}, {"c", 3}, {"d", 4}}) {
    model.wholes(name, {value});
  }
  model.wholes("two", {2});
  model.wholes("shape", {3, 2});
  model.wholes("one", {1});
  model.wholes("start", {-1});
  model.wholes("end", {-9000});
  model.wholes("axis", {0});
  model.wholes("back", {-1});
  model.node("Sub", {"a", "b"}, "sub");
  model.node("Mul", {"sub_out", "c"}, "mul");
  model.node("Div", {"mul_out", "d"}, "div");
  model.node("Concat", {"div_out", "two", "one", "one", "one", "one"}, "list").whole("axis", 0);
  model.node("Reshape", {"list_out", "shape"}, "pairs");
  model.node("Transpose", {"pairs_out"}, "turned").wholes("perm", {1, 0});
  // (3 1 1; 2 1 1) -> last row first, as a list: 2 1 1 3 1 1; its first and fourth.
  model.node("Slice", {"turned_out", "start", "end", "axis", "back"}, "reversed");
  model.wholes("six", {6});
  model.node("Reshape", {"reversed_out", "six"}, "flatlist");
  model.wholes("picks", {0, 3});
  model.node("Gather", {"flatlist_out", "picks"}, "picked");
  model.wholes("batch", {0});
  model.node("Concat", {"batch", "one", "picked_out"}, "to").whole("axis", 0);
  model.node("Reshape", {"x", "to_out"}, "image");
  model.node("MaxPool", {"image_out"}, "p").wholes("kernel_shape", {2, 2});
  flatten(model, "p_out");
  // 0 1 2 / 3 4 5 -> 4 5
  CHECK(outputs(model, {6}, ramp(6), 2) == std::vector<float>{4, 5});
}

TEST_CASE("onnx/operators: Dropout, Identity, Cast, a last Softmax and dead nodes change nothing") {
  ModelWriter model({1, 3});
  model.node("Dropout", {"x"}, "d").output("mask");
  model.node("Identity", {"d_out"}, "i");
  model.node("Cast", {"i_out"}, "c").whole("to", 1);
  model.node("Softplus", {"c_out"}, "dead");
  model.node("Softmax", {"c_out"}, "s").whole("axis", -1);
  CHECK(outputs(model, {3}, {1, 2, 3}, 3) == std::vector<float>{1, 2, 3});
  // Trained on, it drops.
  Network network = xbar::onnx::import_network(model.bytes(), "net.onnx", {3}, 3);
  network.set_training(true);
  Tensor x({64, 3});
  x.fill(1);
  const Tensor& y = network.forward(x);
  const auto zeros = std::count(y.data(), y.data() + y.size(), 0.0F);
  CHECK((zeros > 50 && zeros < 142));  // 96 of 192 on average, deviation 7
}
