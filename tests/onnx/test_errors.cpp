#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <xbar/core/error.hpp>
#include <xbar/onnx/import.hpp>

#include "onnx/support/model_writer.hpp"
#include "support/catch.hpp"
#include "support/message.hpp"

using xbar::InvalidArgument;
using xbar::IoError;
using xbar_test::contains;
using xbar_test::message_of;
using xbar_test::ModelWriter;
using xbar_test::steps;

namespace {

// Vectors of 3, three classes.
ModelWriter vectors() { return ModelWriter({-1, 3}); }
ModelWriter images(int operator_set = 13) { return ModelWriter({-1, 2, 4, 4}, operator_set); }

std::string refused(const std::string& bytes, const xbar::nn::Shape& shape) {
  return message_of<InvalidArgument>(
      [&] { return xbar::onnx::import_network(bytes, "net.onnx", shape, 3); });
}
std::string refused_vectors(const ModelWriter& model) { return refused(model.bytes(), {3}); }
std::string refused_images(const ModelWriter& model) { return refused(model.bytes(), {2, 4, 4}); }

std::string refused_convolution(const std::function<void(xbar_test::NodeWriter)>& change) {
  ModelWriter model = images();
  model.reals("w", {1, 2, 3, 3}, steps(18));
  change(model.node("Conv", {"x", "w"}, "c"));
  return refused_images(model);
}

}  // namespace

TEST_CASE(
    "onnx/errors: an operator, a domain, an attribute that are not read are named with their "
    "node") {
  ModelWriter model = vectors();
  model.node("Relu", {"x"}, "fine");
  model.node("Softplus", {"fine_out"}, "bend");
  CHECK(contains(refused_vectors(model),
                 "net.onnx: node 'bend' (Softplus): expected an operator that xbar reads (Conv, "));
  CHECK(contains(refused_vectors(model), "found Softplus"));
  ModelWriter unnamed = vectors();
  unnamed.node("Relu", {"x"}, "a");
  unnamed.node("ReLU", {"a_out"}, "");
  CHECK(contains(refused_vectors(unnamed), "node 1 (ReLU): "));
  CHECK(contains(refused_vectors(unnamed), "did you mean Relu?"));
  ModelWriter foreign = vectors();
  foreign.node("Relu", {"x"}, "r").domain("com.microsoft");
  CHECK(refused_vectors(foreign) ==
        "net.onnx: node 'r' (Relu): expected an operator of ONNX itself, found one of the domain "
        "com.microsoft");
  CHECK(refused_convolution([](auto node) { node.whole("group", 2); }) ==
        "net.onnx: node 'c' (Conv): attribute group: expected 1, found 2");
  CHECK(
      contains(refused_convolution([](auto node) { node.whole("bits", 2); }),
               "expected attributes auto_pad, dilations, group, kernel_shape, pads, strides, found "
               "bits"));
  CHECK(refused_convolution([](auto node) { node.real("group", 1); }) ==
        "net.onnx: node 'c' (Conv): attribute group: expected a whole number, found one of type 1");
  CHECK(contains(refused_convolution([](auto node) {
                   node.wholes("strides", {1, 2});
                 }),
                 "attribute strides: expected the same along both axes, found (1, 2)"));
  CHECK(contains(refused_convolution([](auto node) {
                   node.wholes("dilations", {2, 2});
                 }),
                 "attribute dilations: expected 1, found 2"));
  CHECK(contains(refused_convolution([](auto node) {
                   node.wholes("pads", {-1, 0, 0, 0});
                 }),
                 "attribute pads: expected 4 whole numbers of 0 to 1000000, found (-1, 0, 0, 0)"));
  CHECK(contains(refused_convolution([](auto node) {
                   node.wholes("kernel_shape", {3, 2});
                 }),
                 "expected (3, 3) as the weights, found (3, 2)"));
  CHECK(
      contains(refused_convolution([](auto node) { node.text("auto_pad", "ALL"); }), "found ALL"));
}

TEST_CASE("onnx/errors: a file that is none, or is cut off anywhere, is refused") {
  const auto message = [](const std::string& bytes) {
    return message_of<xbar::Error>(
        [&] { return xbar::onnx::import_network(bytes, "net.onnx", {3}, 3); });
  };
  CHECK(message("") == "net.onnx: expected an ONNX file with a network, found none in it");
  CHECK(contains(message("name = 'mlp'\n"), "net.onnx: expected an ONNX file, found 13 bytes"));
  ModelWriter model = vectors();
  model.reals("w", {3, 3}, steps(9));
  model.node("Gemm", {"x", "w"}, "fc");
  const std::string whole = model.bytes();
  REQUIRE_NOTHROW(xbar::onnx::import_network(whole, "net.onnx", {3}, 3));
  for (std::size_t length = 0; length < whole.size(); ++length) {
    CAPTURE(length);
    CHECK(contains(message(whole.substr(0, length)), "net.onnx: "));
  }
}

TEST_CASE("onnx/errors: weights of another type, size or place, and values that are no numbers") {
  const auto with_weight = [](const std::function<void(xbar_test::wire::Tensor&)>& change) {
    ModelWriter model = vectors();
    change(model.reals("w", {3, 3}, steps(9)));
    model.node("Gemm", {"x", "w"}, "fc");
    return refused_vectors(model);
  };
  CHECK(with_weight([](auto& w) { w.set_data_type(10); }) ==
        "net.onnx: node 'fc' (Gemm): input 'w': expected values of type float32 or float64, found "
        "float16");
  CHECK(with_weight([](auto& w) { w.add_float_data(1); }) ==
        "net.onnx: node 'fc' (Gemm): input 'w': expected 9 values for the shape (3, 3), found 10");
  CHECK(contains(with_weight([](auto& w) { w.set_raw_data("12345"); }), "expected 9 values"));
  CHECK(contains(with_weight([](auto& w) { w.set_data_location(1); }),
                 "expected values in the file itself, found them in another file"));
  CHECK(contains(with_weight([](auto& w) { w.set_float_data(4, 1.0F / 0.0F); }),
                 "expected finite values, found inf at place 4"));
  CHECK(contains(with_weight([](auto& w) { w.set_dims(0, -3); }), "found (-3, 3)"));
  CHECK(contains(
      with_weight([](auto& w) { w.set_dims(0, std::numeric_limits<std::int64_t>::max()); }),
      "expected a shape of at most"));
  CHECK(
      contains(with_weight([](auto& w) { w.add_dims(1); }),
               "expected vectors of shape (in,) and weights of shape (in, out), found (3,) and (3, "
               "3, 1)"));
}

TEST_CASE("onnx/errors: inputs, outputs and the data have to fit") {
  ModelWriter model = vectors();
  model.node("Relu", {"x"}, "r");
  CHECK(refused(model.bytes(), {1, 2, 2}) ==
        "net.onnx: input 'x': expected (N, ...) for images of shape (1, 2, 2), found (N, 3)");
  CHECK(message_of<InvalidArgument>(
            [&] { return xbar::onnx::import_network(model.bytes(), "net.onnx", {3}, 4); }) ==
        "net.onnx: output 'r_out': expected a shape of (4,), a value for each class of the data, "
        "found (3,)");
  ModelWriter two = vectors();
  two.model().mutable_graph()->add_input()->set_name("z");
  two.node("Relu", {"x"}, "r");
  CHECK(refused_vectors(two) == "net.onnx: expected one input, found 'x', 'z'");
  ModelWriter whole_numbers = vectors();
  whole_numbers.node("Relu", {"x"}, "r");
  whole_numbers.model()
      .mutable_graph()
      ->mutable_input(0)
      ->mutable_type()
      ->mutable_tensor_type()
      ->set_elem_type(7);
  CHECK(contains(refused_vectors(whole_numbers),
                 "expected values of type float32 (1), found type 7"));
  ModelWriter loose = vectors();
  loose.node("Relu", {"nothing"}, "r");
  CHECK(refused_vectors(loose) ==
        "net.onnx: node 'r' (Relu): expected input 'nothing' to be made by a node before this one, "
        "found none");
  ModelWriter itself = vectors();
  itself.node("Relu", {"r_out"}, "r");
  CHECK(contains(refused_vectors(itself), "expected input 'r_out' to be made by a node before"));
  ModelWriter old = vectors();
  old.node("Relu", {"x"}, "r");
  old.model().mutable_opset_import(0)->set_version(6);
  CHECK(refused_vectors(old) == "net.onnx: expected operator set 7 to 23, found 6");
  ModelWriter constant = vectors();
  constant.wholes("k", {1, 2, 3});
  constant.node("Identity", {"k"}, "i");
  CHECK(contains(refused_vectors(constant), "expected output 'i_out' to be made from the input"));
}

TEST_CASE("onnx/errors: shapes that do not fit are named with their node") {
  ModelWriter sum = images();
  sum.node("GlobalAveragePool", {"x"}, "p");
  sum.node("Add", {"x", "p_out"}, "s");
  CHECK(
      contains(refused_images(sum),
               "net.onnx: node 's' (Add): s: expected values of one shape to add up, found (1, 2, "
               "4, 4) and (1, 2, 1, 1)"));
  ModelWriter shape = images();
  shape.wholes("to", {-1, 7});
  shape.node("Reshape", {"x", "to"}, "r");
  CHECK(contains(refused_images(shape),
                 "net.onnx: node 'r' (Reshape): expected a shape for 32 values, found (1, 7)"));
  ModelWriter batch = images();
  batch.wholes("to", {8, 4});
  batch.node("Reshape", {"x", "to"}, "r");
  CHECK(contains(refused_images(batch),
                 "expected a shape whose first axis is that of the batch, found (8, 4)"));
  ModelWriter computed = images();
  computed.node("Reshape", {"x", "x"}, "r");
  CHECK(contains(refused_images(computed),
                 "input 'x': expected a constant of whole numbers, found what images become"));
  ModelWriter channels = images();
  channels.reals("w", {1, 3, 1, 1}, steps(3));
  channels.node("Conv", {"x", "w"}, "c");
  CHECK(contains(refused_images(channels), "found (2, 4, 4) and (1, 3, 1, 1)"));
  ModelWriter norm = images();
  norm.reals("g", {3}, steps(3));
  norm.node("BatchNormalization", {"x", "g", "g", "g", "g"}, "n");
  CHECK(contains(refused_images(norm),
                 "node 'n' (BatchNormalization): input 'g': expected a shape of (2,), found (3,)"));
  ModelWriter middle = vectors();
  middle.node("Softmax", {"x"}, "s");
  middle.node("Relu", {"s_out"}, "r");
  CHECK(contains(refused_vectors(middle), "node 's' (Softmax): expected at the network's end"));
}
