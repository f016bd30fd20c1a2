#include <string>

#include <nlohmann/json.hpp>

#include "program.hpp"
#include "support/catch.hpp"

using nlohmann::json;
using xbar_test::Contains;
using xbar_test::run_xbar;
using xbar_test::Scratch;

namespace {

const std::string base =
    "train --model mlp --data glyphs --train-images 2000 --test-images 500 --batch 32 "
    "--seed 3 ";

json leg_of(const Scratch& scratch, const std::string& folder) {
  return json::parse(xbar::read_file(scratch(folder + "/run.json"))).at("results").at("runs").at(0);
}

}  // namespace

TEST_CASE("cli/train_pulses: every rule trains an almost ideal device", "[cli]") {
  const Scratch scratch;
  for (const std::string rule :
       {"outer-product", "program-verify", "stochastic", "mixed-precision"}) {
    const auto run = run_xbar(
        scratch,
        base +
            "--mode in-situ --epochs 2 --device idealized --momentum 0 --learning-rate 0.1 "
            "--update-rule " +
            rule + " --out " + rule);
    CAPTURE(rule, run.out, run.err);
    REQUIRE(run.code == 0);
    const json leg = leg_of(scratch, rule);
    CHECK(leg.at("test_accuracy") > 0.5);
    CHECK(leg.at("update").at("rule") == rule);
    CHECK(leg.at("technology").at("device") == "idealized");
    CHECK(leg.at("pulses").at("up") > 0);
    CHECK(leg.at("pulses").at("down") > 0);
    CHECK_THAT(run.out, Contains("pulses: "));
  }
  const auto page = run_xbar(scratch, "report stochastic");
  CAPTURE(page.err);
  REQUIRE(page.code == 0);
  CHECK_THAT(xbar::read_file(scratch("stochastic/index.html")), Contains("Programming pulses"));
}

TEST_CASE("cli/train_pulses: the device file gives the range, flags go before it", "[cli]") {
  const Scratch scratch;
  const auto technology = [&](const std::string& flags, const std::string& folder) {
    const auto run = run_xbar(
        scratch, base + "--mode in-situ --epochs 1 --device ag-a-si --out " + folder + flags);
    CAPTURE(run.err);
    REQUIRE(run.code == 0);
    return leg_of(scratch, folder).at("technology");
  };
  const json own = technology("", "own");
  CHECK_THAT(own.at("on_ohm").get<double>(), xbar_test::WithinRel(1 / 3.8462e-8, 1e-3));
  CHECK_THAT(own.at("on_off_ratio").get<double>(), xbar_test::WithinRel(12.5, 1e-3));
  CHECK(own.at("layout") == "reference");
  const auto again = run_xbar(scratch, "train --config own/config.toml --out again");
  CAPTURE(again.err);
  REQUIRE(again.code == 0);
  CHECK(leg_of(scratch, "again").at("technology") == own);
  CHECK(leg_of(scratch, "again").at("pulses") == leg_of(scratch, "own").at("pulses"));
  const json given = technology(" --on-ohm 1e6 --on-off-ratio 5 --layout offset", "given");
  CHECK(given.at("on_ohm") == 1e6);
  CHECK(given.at("on_off_ratio") == 5);
  CHECK(given.at("layout") == "offset");
}

TEST_CASE("cli/train_pulses: flags that would have no effect are refused", "[cli]") {
  const Scratch scratch;
  const auto refuse = [&](const std::string& flags, const std::string& text) {
    const auto run = run_xbar(scratch, base + "--out no " + flags);
    CAPTURE(flags, run.err);
    CHECK(run.code == 2);
    CHECK_THAT(run.err, Contains(text));
  };
  refuse("--update-rule stochastic", "--update-rule: expected only with --device");
  refuse("--device ideal --mode hardware-aware --update-rule sign", "expected only with --device");
  refuse("--device ideal --pulse-slots 7", "--pulse-slots: expected only with --update-rule");
  refuse("--device ideal --update-rule stochastic --momentum 0.5", "--momentum 0");
  refuse("--device ideal --update-rule stochastic --optimizer adam", "--optimizer sgd");
  refuse("--device ideal --update-rule stochstic", "stochastic");
  refuse("--device ideal --write-noise 0.1", "--write-noise: expected without --device");
  refuse("--device ideal --layout differential", "reference or offset");
  refuse("--device nothing.toml", "nothing.toml");
  refuse("--device ideal --write-scheme v2", "states voltage.exponent");
  refuse("--device ideal --voltage-exponent 2", "--voltage-exponent: expected only with");
  refuse("--device ideal --write-scheme v3 --voltage-exponent 2 --update-rule stochastic",
         "expected v2");
  refuse("--zero-shift", "zero-shift: expected with a device");
}
