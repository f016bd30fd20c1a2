#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <xbar/core/safetensors.hpp>

#include "onnx/support/model_writer.hpp"
#include "program.hpp"
#include "support/catch.hpp"

using xbar_test::Contains;
using xbar_test::ModelWriter;
using xbar_test::run_xbar;
using xbar_test::Scratch;

namespace {

// 28 x 28 pixels to means of 7 x 7 to ten classes.
ModelWriter small_model() {
  ModelWriter model({-1, 1, 28, 28});
  model.node("AveragePool", {"x"}, "pool").wholes("kernel_shape", {7, 7}).wholes("strides", {7, 7});
  model.node("Flatten", {"pool_out"}, "flat");
  model.reals("fc.weight", {10, 16}, xbar_test::steps(160));
  model.reals("fc.bias", {10}, xbar_test::steps(10));
  model.node("Gemm", {"flat_out", "fc.weight", "fc.bias"}, "fc").whole("transB", 1);
  return model;
}

const std::string few = " --data glyphs --train-images 200 --test-images 100 --on-ohm 50e3";

}  // namespace

TEST_CASE("cli/onnx: evaluate, train and remap take an .onnx file with its weights", "[cli]") {
  const Scratch scratch;
  xbar::write_file_atomically(scratch("net.onnx"), small_model().bytes());
  const auto evaluate = run_xbar(scratch, "evaluate --json --model net.onnx" + few);
  CAPTURE(evaluate.err);
  REQUIRE(evaluate.code == 0);
  const auto train =
      run_xbar(scratch,
               "train --model net.onnx --mode ideal --epochs 1 --out run --test-images 100"
               " --train-images 200 --data glyphs --on-ohm 50e3");
  CAPTURE(train.err);
  REQUIRE(train.code == 0);
  CHECK(xbar::read_file(scratch("run/model.onnx")) == small_model().bytes());
  // Trained weights on the file's network.
  const auto trained = run_xbar(
      scratch, "evaluate --json --model net.onnx --weights run/ideal/weights.safetensors" + few);
  REQUIRE(trained.code == 0);
  CHECK(nlohmann::json::parse(trained.out).at("ideal").at("loss") !=
        nlohmann::json::parse(evaluate.out).at("ideal").at("loss"));
  const auto remap = run_xbar(scratch,
                              "remap --strategy srs --calibration-images 20 --out remap"
                              " --model net.onnx" +
                                  few);
  CAPTURE(remap.err);
  CHECK(remap.code == 0);
}

TEST_CASE("cli/onnx: what cannot be read is one line, and nothing is written", "[cli]") {
  const Scratch scratch;
  ModelWriter model = small_model();
  model.node("Erf", {"fc_out"}, "bend");
  xbar::write_file_atomically(scratch("net.onnx"), model.bytes());
  const auto outcome = run_xbar(scratch, "train --model net.onnx --out run" + few);
  CHECK(outcome.code == 2);
  CHECK_THAT(outcome.err, Contains("xbar: net.onnx: node 'bend' (Erf): expected an operator"));
  CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
  CHECK(!std::filesystem::exists(scratch("run")));
  const auto missing = run_xbar(scratch, "evaluate --model mlp" + few);
  CHECK(missing.code == 2);
  CHECK(missing.err ==
        "xbar: --weights: expected a .safetensors file with the weights of mlp, found none\n");
}

TEST_CASE("cli/onnx: export writes what the arrays hold, in the order given", "[cli]") {
  const Scratch scratch;
  xbar::write_file_atomically(scratch("net.onnx"), small_model().bytes());
  xbar::write_file_atomically(scratch("order.json"),
                              R"({"fc": {"slot_of_output": [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]}})");
  const std::string command =
      "export --model net.onnx --tile-rows 12 --tile-columns 8 --out run" + few;
  const auto outcome = run_xbar(scratch, command + " --order order.json");
  CAPTURE(outcome.err);
  REQUIRE(outcome.code == 0);
  const auto arrays = xbar::read_npz(scratch("run/conductance/fc.npz"));
  REQUIRE(arrays.size() == 8);  // 2 planes of 2 x 2 tiles: 16 inputs on 12 rows, 10 outputs on 8
  // G = g_min + (g_max - g_min) |w| / range in the plane of the sign; g_max 20 uS, a tenth the
  // least; the range 160/8 = 20. Output o is in slot 9 - o.
  const std::vector<float> weights = xbar_test::steps(160);
  for (int o = 0; o < 10; ++o) {
    for (int k = 0; k < 16; ++k) {
      const auto w = static_cast<double>(weights[static_cast<std::size_t>(o * 16 + k)]);
      for (int plane = 0; plane < 2; ++plane) {
        const int slot = 9 - o;
        const std::string name = "plane" + std::to_string(plane) + "_row" + std::to_string(k / 12) +
                                 "_column" + std::to_string(slot / 8);
        const double part = std::max(plane == 0 ? w : -w, 0.0) / 20;
        const double expected = 2e-6 + 18e-6 * part;
        const double found = arrays.at(name).values(k % 12, slot % 8);
        // Single precision.
        if (!(std::abs(found - expected) <= 1e-6 * 20e-6)) FAIL_CHECK(name << " " << k << " " << o);
      }
    }
  }
  const auto file = xbar::read_safetensors(scratch("run/weights.safetensors"));
  const std::vector<float>& ordered = file.tensors.at("fc.weight").values;
  for (std::size_t k = 0; k < 16; ++k) {
    CHECK(std::abs(ordered[k] - weights[9 * 16 + k]) <= 2e-6F * 20);
  }
  CHECK(file.tensors.at("fc.bias").values[0] == xbar_test::steps(10)[9]);
  const auto order = nlohmann::json::parse(xbar::read_file(scratch("run/order.json")));
  CHECK(order.at("fc").at("slot_of_output").at(0) == 9);

  const auto refused = [&](const std::string& json) {
    xbar::write_file_atomically(scratch("order.json"), json);
    const auto bad = run_xbar(scratch, command + "2 --order order.json");
    CHECK(bad.code == 2);
    return bad.err;
  };
  std::filesystem::remove_all(scratch("run"));
  CHECK_THAT(refused("["), Contains("order.json: expected a JSON object of layers"));
  CHECK_THAT(refused("{}"), Contains("order.json: layer fc: expected its order, found none"));
  CHECK_THAT(refused(R"({"fd": {}})"), Contains("found fd; did you mean fc?"));
  CHECK_THAT(refused(R"({"fc": {"slot_of_output": [0.5]}})"), Contains("layer fc: expected"));
  CHECK_THAT(refused(R"({"fc": {"slot_of_output": [0, 1]}})"), Contains("layer fc: "));
}
