#include <string>

#include <nlohmann/json.hpp>

#include <xbar/core/atomic_file.hpp>

#include "program.hpp"
#include "support/catch.hpp"

using xbar_test::Contains;
using xbar_test::run_xbar;
using xbar_test::Scratch;

namespace {

nlohmann::json leg_of(const Scratch& scratch, const std::string& folder, std::size_t leg = 0) {
  return nlohmann::json::parse(xbar::read_file(scratch(folder + "/run.json")))
      .at("results")
      .at("runs")
      .at(leg);
}

// Small enough to train in a second, with batch normalisation.
constexpr const char* small_network = R"(name = "small"
[[layer]]
type = "conv2d"
out_channels = 6
kernel = 5
stride = 2
bias = false
[[layer]]
type = "batch-norm"
[[layer]]
type = "relu"
[[layer]]
type = "flatten"
[[layer]]
type = "linear"
out_features = "classes"
)";

const std::string base =
    "train --model small.toml --data glyphs --train-images 2000 "
    "--test-images 500 --on-ohm 10e3 --seed 4 ";

}  // namespace

TEST_CASE("cli/train_modes: digital weights trained through arrays", "[cli]") {
  const Scratch scratch;
  xbar::write_file_atomically(scratch("small.toml"), small_network);
  for (const std::string rule : {"adjoint", "straight-through"}) {
    const auto run = run_xbar(scratch, base + "--mode hardware-aware --gradients " + rule +
                                           " --epochs 2 --weight-bits 6 --cell-bits 3 "
                                           "--input-bits 6 --adc-bits 6 --out " +
                                           rule);
    CAPTURE(rule, run.out, run.err);
    REQUIRE(run.code == 0);
    const auto leg = leg_of(scratch, rule);
    CHECK(leg.at("mode") == "hardware-aware");
    CHECK(leg.at("gradients") == rule);
    CHECK(leg.at("technology").at("adc_bits") == 6);
    CHECK(leg.at("exact_accuracy").get<double>() > 0.5);
  }
}

TEST_CASE("cli/train_modes: a learned weight scale and learned ranges are trained and come back",
          "[cli]") {
  const Scratch scratch;
  xbar::write_file_atomically(scratch("small.toml"), small_network);
  REQUIRE(run_xbar(scratch, base + "--mode ideal --epochs 3 --out ideal").code == 0);
  const std::string flags =
      "--mode hardware-aware --gradients straight-through --weights "
      "ideal/ideal/weights.safetensors --learning-rate 0.01 --epochs 3 --weight-bits 3 "
      "--input-bits 4 --adc-bits 4 ";
  const auto accuracy = [&](const std::string& more, const std::string& folder) {
    const auto run = run_xbar(scratch, base + flags + more + " --out " + folder);
    CAPTURE(more, run.err);
    REQUIRE(run.code == 0);
    return leg_of(scratch, folder).at("exact_accuracy").get<double>();
  };
  const double fixed = accuracy("", "fixed");
  const double learned =
      accuracy("--weight-scale learned --dac-range learned --adc-range learned", "learned");
  // Two standard errors of the difference on 500 images: no worse.
  CHECK(learned >= fixed - 0.04);
  // The weights, with their ranges, come back.
  const auto evaluated = run_xbar(
      scratch,
      "evaluate --model small.toml --data glyphs --train-images 2000 --test-images 500 --seed 4 "
      "--on-ohm 10e3 --weight-bits 3 --input-bits 4 --adc-bits 4 --dac-range learned --adc-range "
      "learned --json --weights learned/hardware-aware-10000ohm/weights.safetensors");
  CAPTURE(evaluated.err);
  REQUIRE(evaluated.code == 0);
  CHECK(nlohmann::json::parse(evaluated.out).at("wired").at(0).at("accuracy").get<double>() ==
        learned);

  const auto refused = run_xbar(scratch, base + "--mode in-situ --weight-scale learned --out no");
  CHECK(refused.code == 2);
  CHECK_THAT(refused.err, Contains("--weight-scale learned: expected with --mode hardware-aware"));
}

TEST_CASE("cli/train_modes: batch normalisation alone is fitted to the arrays", "[cli]") {
  const Scratch scratch;
  xbar::write_file_atomically(scratch("small.toml"), small_network);
  REQUIRE(run_xbar(scratch, base + "--mode ideal --epochs 3 --out ideal").code == 0);
  const std::string flags =
      "--mode batch-norm --weights ideal/ideal/weights.safetensors "
      "--source-ohm 1000 --sink-ohm 1000 --learning-rate 0.01 ";
  const auto statistics = run_xbar(scratch, base + flags + "--epochs 0 --out statistics");
  CAPTURE(statistics.err);
  REQUIRE(statistics.code == 0);
  const auto refit = run_xbar(scratch, base + flags + "--epochs 2 --out refit");
  REQUIRE(refit.code == 0);
  const auto page = run_xbar(scratch, "report statistics");
  CAPTURE(page.err);
  CHECK(page.code == 0);
  const auto before = leg_of(scratch, "statistics");
  const auto after = leg_of(scratch, "refit");
  CHECK(before.at("deployed_accuracy") == after.at("deployed_accuracy"));
  CHECK(before.at("statistics_accuracy") == before.at("test_accuracy"));
  CHECK(before.at("statistics_accuracy").get<double>() >
        before.at("deployed_accuracy").get<double>());
  CHECK(after.at("test_accuracy").get<double>() >= before.at("deployed_accuracy").get<double>());

  const auto without = run_xbar(scratch, base + "--mode batch-norm --out nothing");
  CHECK(without.code == 2);
  CHECK_THAT(without.err, Contains("--weights"));
}

TEST_CASE("cli/train_modes: effects are switched off one by one", "[cli]") {
  const Scratch scratch;
  xbar::write_file_atomically(scratch("small.toml"), small_network);
  REQUIRE(run_xbar(scratch, base + "--mode ideal --epochs 2 --out ideal").code == 0);
  const std::string evaluate =
      "evaluate --model small.toml --data glyphs --train-images 2000 --test-images 500 --seed 4 "
      "--weights ideal/ideal/weights.safetensors --on-ohm 5e3 --weight-bits 3 --input-bits 3 "
      "--adc-bits 3 --device-variation 0.5 --stuck-off 0.3 --read-noise 0.3 "
      "--drift-exponent 0.05 --drift-second 1e6 --json ";
  const auto accuracy = [&](const std::string& flags) {
    const auto run = run_xbar(scratch, evaluate + flags);
    CAPTURE(flags, run.err);
    REQUIRE(run.code == 0);
    return nlohmann::json::parse(run.out);
  };
  const auto all = accuracy("");
  const auto none = accuracy("--without wires,levels,dac,adc,variation,faults,read-noise,drift");
  CHECK(none.at("wired").at(0).at("accuracy") == none.at("ideal").at("accuracy"));
  CHECK(all.at("wired").at(0).at("accuracy").get<double>() <
        none.at("wired").at(0).at("accuracy").get<double>());
  CHECK(accuracy("--only wires").at("wired").at(0).at("technology").contains("adc_bits") == false);

  const auto unknown = run_xbar(scratch, evaluate + "--without wire");
  CHECK(unknown.code == 2);
  CHECK_THAT(unknown.err, Contains("expected one of wires, levels") && Contains("'wire'"));
  const auto twice = run_xbar(scratch, evaluate + "--without wires --only adc");
  CHECK(twice.code == 2);
  CHECK_THAT(twice.err, Contains("--only"));
}
