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
  const auto order =
      nlohmann::json::parse(xbar::read_file(scratch("remap/order-srs-20000ohm.json")));
  REQUIRE(order.at("conv2").at("slot_of_output").size() == 16);
  // The order, given to the same arrays, gives the same accuracy.
  const auto ordered = run_xbar(
      scratch,
      "evaluate --model lenet5 --data glyphs --seed 3 --json --on-ohm 20e3 --source-ohm 0 "
      "--sink-ohm 0 --wordline-ohm 2 --bitline-ohm 2 --order remap/order-srs-20000ohm.json "
      "--weights run/ideal/weights.safetensors");
  CAPTURE(ordered.err);
  REQUIRE(ordered.code == 0);
  const auto remapped = nlohmann::json::parse(xbar::read_file(scratch("remap/run.json")));
  CHECK(nlohmann::json::parse(ordered.out).at("wired").at(0).at("accuracy") ==
        remapped.at("results").at("comparisons").at(0).at("remapped").at("accuracy"));

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

TEST_CASE("cli/train: the exact circuit's accuracy is not the surrogate's", "[cli]") {
  const Scratch scratch;
  // Trained as if there were no wires, and tested with them: 500 ohm sources at R_on 5 kohm.
  const auto train = run_xbar(scratch,
                              "train --model mlp --data glyphs --epochs 1 --mode in-situ "
                              "--on-ohm 5e3 --surrogate ideal --out run");
  CAPTURE(train.err);
  REQUIRE(train.code == 0);
  const auto run = run_file(scratch, "run").at("results").at("runs").at(0);
  const auto exact = run.at("exact_accuracy").get<double>();
  REQUIRE(exact < run.at("test_accuracy").get<double>() - 0.05);

  const std::string evaluate =
      "evaluate --model mlp --data glyphs --json --on-ohm 5e3 "
      "--weights run/in-situ-5000ohm/weights.safetensors ";
  const auto wired = [&](const std::string& flags) {
    const auto outcome = run_xbar(scratch, evaluate + flags);
    CAPTURE(flags, outcome.err);
    REQUIRE(outcome.code == 0);
    return nlohmann::json::parse(outcome.out).at("wired").at(0);
  };
  REQUIRE(wired("").at("accuracy").get<double>() == exact);
  // Ideal arithmetic takes all currents for about twice what they are; the choice by tolerance
  // keeps it.
  const auto ideal = wired("--surrogate ideal").at("certificate");
  REQUIRE(ideal.at("checks") == 6);  // two arrays of each of three layers
  REQUIRE(ideal.at("mean_error").get<double>() > 0.5);
  const auto chosen = wired("--surrogate auto --tolerance 1e-3").at("certificate");
  REQUIRE(chosen.at("worst_error").get<double>() > 1e-6);
  REQUIRE(chosen.at("worst_error").get<double>() <= 1e-3);

  const auto wrong = run_xbar(scratch, evaluate + "--surrogate latter");
  REQUIRE(wrong.code == 2);
  REQUIRE_THAT(wrong.err, Contains("--surrogate: expected one of auto, ideal") &&
                              Contains("got 'latter'; did you mean ladder?"));
  REQUIRE(wrong.out.empty());
}

TEST_CASE("cli/train: a run is gone on with only as it was begun", "[cli]") {
  const Scratch scratch;
  const std::string train =
      "train --model mlp --data glyphs --train-images 200 --test-images 50 --epochs 1 --mode ideal "
      "--on-ohm 50e3 --out run ";
  REQUIRE(run_xbar(scratch, train).code == 0);
  const auto other = run_xbar(scratch, train + "--resume --learning-rate 0.01");
  REQUIRE(other.code == 2);
  REQUIRE_THAT(other.err, Contains("learning-rate = 0.05, expected the same, got 0.01"));
  REQUIRE(run_xbar(scratch, train + "--resume --learning-rate 5e-2").code == 0);
}

TEST_CASE("cli/train: optimiser, augmentation and normalisation by flag and by TOML key", "[cli]") {
  const Scratch scratch;
  xbar::write_file_atomically(scratch("run.toml"),
                              "model = 'mlp'\ndata = 'glyphs'\nepochs = 1\nmode = 'ideal'\n"
                              "optimizer = 'adamw'\nlearning_rate = 1e-3\nweight_decay = 0.01\n"
                              "augment = 'crop-flip'\nwarmup_epochs = 1\npixel_mean = [0.5]\n"
                              "pixel_deviation = [0.25]\n");
  const auto by_key = run_xbar(scratch, "train --config run.toml --out key");
  CAPTURE(by_key.err);
  REQUIRE(by_key.code == 0);
  const auto by_flag = run_xbar(
      scratch,
      "train --model mlp --data glyphs --epochs 1 --mode ideal --optimizer adamw --learning-rate "
      "1e-3 --weight-decay 0.01 --augment crop-flip --warmup-epochs 1 --pixel-mean 0.5 "
      "--pixel-deviation 0.25 --out flag");
  CAPTURE(by_flag.err);
  REQUIRE(by_flag.code == 0);
  REQUIRE(xbar::read_file(scratch("key/ideal/weights.safetensors")) ==
          xbar::read_file(scratch("flag/ideal/weights.safetensors")));
  REQUIRE(run_file(scratch, "flag").at("results").at("runs").at(0).at("test_accuracy") > 0.3);
  const auto other = run_xbar(scratch, "train --config run.toml --augment none --out key --resume");
  REQUIRE(other.code == 2);
  REQUIRE_THAT(other.err, Contains("augment"));
}

TEST_CASE("cli/train: a run that goes on has a page", "[cli]") {
  const Scratch scratch;
  const std::string train =
      "train --model mlp --data glyphs --epochs 300 --mode ideal --schedule constant --out run";
  xbar::write_file_atomically(scratch("interrupt.sh"),
                              "'" XBAR_PROGRAM "' " + train +
                                  " 2>err.txt >out.txt & P=$!\n"
                                  "for k in $(seq 600); do [ -e run/ideal/checkpoint.safetensors ] "
                                  "&& break; sleep 0.1; done\n"
                                  "kill -TERM $P; wait $P; true\n");
  REQUIRE(std::system(("cd '" + scratch("") + "' && sh interrupt.sh").c_str()) == 0);
  REQUIRE(run_file(scratch, "run").at("finished") == false);
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
  expect("--model mlp --data glyphs --surrogate spice", "--surrogate: expected one of auto");
  expect("--model mlp --data glyphs --mode ideal --surrogate spice", "--surrogate");
  expect("--model mlp --data glyphs --tolerance 0", "--tolerance: expected more than 0");
  expect("--model mlp --data glyphs --calibration nowhere.csv", "nowhere.csv: cannot read");
  xbar::write_file_atomically(scratch("table.csv"),
                              "model,rows,columns,on_ohm,on_off_ratio,source_ohm,sink_ohm,"
                              "wordline_ohm,bitline_ohm,relative_error\n"
                              "ladder,64,64,20000,10,100,100,1,1,0.03\n");
  expect("--model mlp --data glyphs --calibration table.csv",
         "--calibration table.csv: calibration table: expected rows that reach source-ohm");
  expect("--model mlp --data glyphs --refresh 0", "--refresh");
  expect("--model mlp --data glyphs --headroom 0", "--headroom");
  expect("--model mlp --data glyphs --schedule steps", "step");
  expect("--model mlp --data glyphs --write-noise -1", "write-noise");
  expect("--model mlp --data glyphs --optimizer adan", "did you mean adam");
  expect("--model mlp --data glyphs --beta1 0.5", "--beta1: expected only with --optimizer adam");
  expect("--model mlp --data glyphs --optimizer adam --momentum 0.5",
         "--momentum: expected only with --optimizer sgd, got it with adam");
  expect("--model mlp --data glyphs --optimizer adam --beta2 1", "beta2");
  expect("--model mlp --data glyphs --augment flip", "augment: expected one of none, crop-flip");
  expect("--model mlp --data glyphs --warmup-epochs -1", "warmup");
  expect("--model mlp --data glyphs --pixel-mean 0.5", "pixel_deviation");
  expect("--model mlp --data cifar10=.", "expected the files data_batch_1.bin");
}
