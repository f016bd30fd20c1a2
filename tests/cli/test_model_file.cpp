#include <nlohmann/json.hpp>

#include "program.hpp"
#include "support/catch.hpp"

using xbar_test::Contains;
using xbar_test::run_xbar;
using xbar_test::Scratch;

namespace {

const std::string toml =
    "name = 'tiny'\n[[layer]]\ntype = 'avg-pool2d'\nkernel = 4\n[[layer]]\ntype = 'flatten'\n"
    "[[layer]]\ntype = 'linear'\nout_features = 'classes'\n";

}  // namespace

TEST_CASE("cli/model_file: train, evaluate and remap take a file; train keeps it", "[cli]") {
  const Scratch scratch;
  xbar::write_file_atomically(scratch("nets/tiny.toml"), toml);
  const std::string train =
      "train --model nets/tiny.toml --data glyphs --mode ideal --epochs 1 --on-ohm 50e3";
  const auto outcome = run_xbar(scratch, train);
  CAPTURE(outcome.err);
  REQUIRE(outcome.code == 0);
  // The folder is named after the model, not the file.
  const std::string folder = "out/train-tiny-glyphs";
  REQUIRE(xbar::read_file(scratch(folder + "/model.toml")) == toml);
  const auto results =
      nlohmann::json::parse(xbar::read_file(scratch(folder + "/run.json"))).at("results");
  const std::string rest = " --model " + folder + "/model.toml --data glyphs --on-ohm 50e3 " +
                           "--weights " + folder + "/ideal/weights.safetensors";
  const auto evaluate = run_xbar(scratch, "evaluate --json" + rest);
  CAPTURE(evaluate.err);
  REQUIRE(evaluate.code == 0);
  REQUIRE(nlohmann::json::parse(evaluate.out).at("ideal").at("accuracy") ==
          results.at("runs").at(0).at("test_accuracy"));
  const auto remap =
      run_xbar(scratch, "remap --strategy srs --calibration-images 20 --out remap" + rest);
  CAPTURE(remap.err);
  REQUIRE(remap.code == 0);
}

TEST_CASE("cli/model_file: a run goes on with its own model only", "[cli]") {
  const Scratch scratch;
  xbar::write_file_atomically(scratch("tiny.toml"), toml);
  const std::string train =
      "train --model tiny.toml --data glyphs --mode ideal --epochs 1 --on-ohm 50e3 --out run";
  REQUIRE(run_xbar(scratch, train).code == 0);
  REQUIRE(run_xbar(scratch, train + " --resume").code == 0);
  xbar::write_file_atomically(scratch("tiny.toml"), toml + "# changed\n");
  const auto changed = run_xbar(scratch, train + " --resume");
  REQUIRE(changed.code == 2);
  REQUIRE_THAT(changed.err, Contains("--model") && Contains("tiny.toml") &&
                                Contains("run/model.toml") && Contains("changed"));
  REQUIRE(xbar::read_file(scratch("run/model.toml")) == toml);
}

TEST_CASE("cli/model_file: a mistake in the file is one line, and nothing is written", "[cli]") {
  const Scratch scratch;
  xbar::write_file_atomically(scratch("tiny.toml"), "name = 'tiny'\n[[layer]]\ntype = 'conv'\n");
  const auto outcome =
      run_xbar(scratch, "train --model tiny.toml --data glyphs --epochs 1 --out run");
  REQUIRE(outcome.code == 2);
  REQUIRE_THAT(outcome.err, Contains("tiny.toml:3:8: key 'type'") && Contains("found 'conv'") &&
                                Contains("did you mean conv2d?"));
  REQUIRE_FALSE(std::filesystem::exists(scratch("run")));
  REQUIRE(run_xbar(scratch, "train --model none.toml --data glyphs --out run").code == 2);
}
