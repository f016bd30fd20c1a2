#include <nlohmann/json.hpp>

#include "program.hpp"
#include "support/catch.hpp"

using xbar_test::Contains;
using xbar_test::run_xbar;
using xbar_test::Scratch;

namespace {

nlohmann::json run_file(const Scratch& scratch, const std::string& folder) {
  return nlohmann::json::parse(xbar::read_file(scratch(folder + "/run.json")));
}

}  // namespace

TEST_CASE("cli/train: train, evaluate, re-map and report, one after the other", "[cli]") {
  const Scratch scratch;
  const auto train = run_xbar(
      scratch, "train --model lenet5 --data glyphs --epochs 1 --on-ohm 50e3 --out run --seed 3");
  CAPTURE(train.out, train.err);
  REQUIRE(train.code == 0);
  const auto results = run_file(scratch, "run").at("results");
  const auto& ideal = results.at("runs").at(0);
  const auto& wired = results.at("runs").at(1);
  REQUIRE(ideal.at("test_accuracy").get<double>() > 0.8);
  REQUIRE(wired.at("arithmetic") == "wired");
  REQUIRE(wired.at("exact_accuracy").get<double>() > 0.7);
  REQUIRE(results.at("deployed").size() == 2);

  // The weights on their own give the same accuracy.
  const auto evaluate =
      run_xbar(scratch,
               "evaluate --model lenet5 --data glyphs --seed 3 --json --on-ohm 50e3 "
               "--weights run/ideal/weights.safetensors");
  REQUIRE(evaluate.code == 0);
  const auto evaluated = nlohmann::json::parse(evaluate.out);
  REQUIRE(evaluated.at("ideal").at("accuracy") == ideal.at("test_accuracy"));
  REQUIRE(evaluated.at("wired").at(0).at("accuracy") ==
          results.at("deployed").at(0).at("accuracy"));

  // What was trained in the arrays comes back into equal arrays.
  const auto again = run_xbar(scratch,
                              "evaluate --model lenet5 --data glyphs --seed 3 --json --on-ohm 50e3 "
                              "--weights run/in-situ-50000ohm/weights.safetensors");
  REQUIRE(again.code == 0);
  const double accuracy =
      nlohmann::json::parse(again.out).at("wired").at(0).at("accuracy").get<double>();
  REQUIRE_THAT(accuracy, xbar_test::WithinAbs(wired.at("exact_accuracy").get<double>(), 0.001));

  const auto remap = run_xbar(scratch,
                              "remap --model lenet5 --data glyphs --seed 3 --strategy srs "
                              "--calibration-images 50 --weights run/ideal/weights.safetensors "
                              "--out remap");
  CAPTURE(remap.err);
  REQUIRE(remap.code == 0);
  const auto order = nlohmann::json::parse(xbar::read_file(scratch("remap/column_order.json")));
  REQUIRE(order.at("conv2").at("slot_of_output").size() == 16);

  for (const std::string folder : {"run", "remap"}) {
    const auto report = run_xbar(scratch, "report " + folder);
    CAPTURE(report.err);
    REQUIRE(report.code == 0);
    REQUIRE_THAT(xbar::read_file(scratch(folder + "/index.html")), Contains("<svg"));
  }

  // A folder that holds a run is not overwritten.
  const auto second = run_xbar(scratch, "train --model lenet5 --data glyphs --out run");
  REQUIRE(second.code == 2);
  REQUIRE_THAT(second.err, Contains("holds a run already"));
}

TEST_CASE("cli/train: a run that was killed goes on where it was", "[cli]") {
  const Scratch scratch;
  const std::string train =
      "train --model mlp --data glyphs --epochs 2 --on-ohm 50e3 --schedule constant ";
  REQUIRE(run_xbar(scratch, train + "--out whole").code == 0);
  // One epoch only, then the checkpoint is made to look like that of a killed run of two.
  REQUIRE(run_xbar(scratch,
                   "train --model mlp --data glyphs --epochs 1 --on-ohm 50e3 "
                   "--schedule constant --out killed")
              .code == 0);
  auto run = run_file(scratch, "killed");
  run["settings"]["epochs"] = "2";
  xbar::write_file_atomically(scratch("killed/run.json"), run.dump());
  const auto resumed = run_xbar(scratch, train + "--out killed --resume");
  CAPTURE(resumed.out, resumed.err);
  REQUIRE(resumed.code == 0);
  const auto a = run_file(scratch, "whole").at("results").at("runs");
  const auto b = run_file(scratch, "killed").at("results").at("runs");
  for (std::size_t leg = 0; leg < 2; ++leg) {
    REQUIRE(a.at(leg).at("test_loss") == b.at(leg).at("test_loss"));
    REQUIRE(a.at(leg).at("epochs").size() == 2);
    REQUIRE(b.at(leg).at("epochs").size() == 2);
  }
  REQUIRE(xbar::read_file(scratch("whole/ideal/weights.safetensors")) ==
          xbar::read_file(scratch("killed/ideal/weights.safetensors")));
  // Other settings are not resumed.
  const auto other = run_xbar(scratch, train + "--out killed --resume --learning-rate 0.01");
  REQUIRE(other.code == 2);
  REQUIRE_THAT(other.err, Contains("learning-rate"));
}

TEST_CASE("cli/train: an interrupt ends with 130 and leaves a run that can be resumed", "[cli]") {
  const Scratch scratch;
  const std::string train =
      "train --model mlp --data glyphs --epochs 300 --mode ideal --schedule constant --out run";
  // The signal comes as soon as the first checkpoint is there; 300 epochs take far longer.
  xbar::write_file_atomically(scratch("interrupt.sh"),
                              "'" XBAR_PROGRAM "' " + train +
                                  " 2>err.txt >out.txt & P=$!\n"
                                  "for k in $(seq 600); do [ -e run/ideal/checkpoint.safetensors ] "
                                  "&& break; sleep 0.1; done\n"
                                  "kill -TERM $P; wait $P; echo $? >code.txt\n");
  REQUIRE(std::system(("cd '" + scratch("") + "' && sh interrupt.sh").c_str()) == 0);
  REQUIRE(xbar::read_file(scratch("code.txt")) == "130\n");
  REQUIRE_THAT(xbar::read_file(scratch("err.txt")), Contains("--out run --resume"));
  REQUIRE(run_file(scratch, "run").at("finished") == false);
  // An unfinished run has a page too.
  REQUIRE(run_xbar(scratch, "report run").code == 0);
}

TEST_CASE("cli/train: bad arguments are refused before anything is written", "[cli]") {
  const Scratch scratch;
  const auto expect = [&](const std::string& arguments, const std::string& part) {
    const auto outcome = run_xbar(scratch, "train --out run " + arguments);
    CAPTURE(arguments, outcome.err);
    REQUIRE(outcome.code == 2);
    REQUIRE_THAT(outcome.err, Contains(part));
    REQUIRE_FALSE(std::filesystem::exists(scratch("run")));
  };
  expect("--data glyphs", "--model is required");
  expect("--model mpl --data glyphs", "did you mean mlp");
  expect("--model mlp --data glyfs", "glyphs");
  expect("--model mlp --data mnist=nowhere", "nowhere");
  expect("--model mlp --data glyphs --epochs 0", "epochs");
  expect("--model mlp --data glyphs --batch 0", "batch");
  expect("--model mlp --data glyphs --learning-rate -1", "learning");
  expect("--model mlp --data glyphs --mode upside-down", "--mode");
  expect("--model mlp --data glyphs --on-ohm 0", "on-ohm");
  expect("--model mlp --data glyphs --on-off-ratio 1", "on-off-ratio");
  expect("--model mlp --data glyphs --tile-rows 0", "tile-rows");
  expect("--model mlp --data glyphs --gain row", "gain");
  expect("--model mlp --data glyphs --surrogate spice", "expected one of");
  expect("--model mlp --data glyphs --refresh 0", "--refresh");
  expect("--model mlp --data glyphs --headroom 0", "--headroom");
  expect("--model mlp --data glyphs --schedule steps", "step");
  expect("--model mlp --data glyphs --write-noise -1", "write-noise");
}
