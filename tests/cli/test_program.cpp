#include <nlohmann/json.hpp>

#include <xbar/core/version.hpp>

#include "program.hpp"
#include "support/catch.hpp"

using xbar_test::Contains;
using xbar_test::run_xbar;
using xbar_test::Scratch;

TEST_CASE("cli/program: help and version", "[cli]") {
  const Scratch scratch;
  const auto help = run_xbar(scratch, "--help");
  REQUIRE(help.code == 0);
  for (const char* command : {"solve", "effective", "spice", "validate", "train", "evaluate",
                              "remap", "report", "info", "quickstart"}) {
    REQUIRE_THAT(help.out, Contains(command));
    const auto sub = run_xbar(scratch, std::string(command) + " --help");
    REQUIRE(sub.code == 0);
    REQUIRE_THAT(sub.out, Contains("--help"));
  }
  REQUIRE_THAT(run_xbar(scratch, "--version").out, Contains(xbar::version));
}

TEST_CASE("cli/program: mistyped commands and flags get a suggestion and exit code 2", "[cli]") {
  const Scratch scratch;
  const auto command = run_xbar(scratch, "sovle");
  REQUIRE(command.code == 2);
  REQUIRE_THAT(command.err, Contains("'sovle'") && Contains("did you mean solve"));
  REQUIRE(command.out.empty());
  const auto flag = run_xbar(scratch, "solve --wordlin-ohm 3");
  REQUIRE(flag.code == 2);
  REQUIRE_THAT(flag.err, Contains("--wordlin-ohm") && Contains("did you mean --wordline-ohm"));
  const auto missing = run_xbar(scratch, "solve");
  REQUIRE(missing.code == 2);
  REQUIRE_THAT(missing.err, Contains("--conductance is required"));
  const auto word = run_xbar(scratch, "solve --wordline-ohm many");
  REQUIRE(word.code == 2);
  REQUIRE_THAT(word.err, Contains("--wordline-ohm") && Contains("many") && Contains("a number"));
  const auto wire = run_xbar(scratch, "train --wordline-ohm many");
  REQUIRE(wire.code == 2);
  REQUIRE_THAT(wire.err, Contains("--wordline-ohm") && Contains("many") && Contains("a number"));
  const auto half = run_xbar(scratch, "train --epochs 2.5");
  REQUIRE(half.code == 2);
  REQUIRE_THAT(half.err, Contains("--epochs") && Contains("a whole number"));
  const auto negative = run_xbar(scratch, "train --model mlp --data glyphs --seed -1");
  REQUIRE(negative.code == 2);
  REQUIRE_THAT(negative.err, Contains("--seed") && Contains("-1"));
  REQUIRE(run_xbar(scratch, "").code == 2);
}

TEST_CASE("cli/program: info names the engine and measures it", "[cli]") {
  const Scratch scratch;
  const auto info = run_xbar(scratch, "info --json");
  REQUIRE(info.code == 0);
  const auto json = nlohmann::json::parse(info.out);
  REQUIRE(json.at("gemm_gflops").get<double>() > 0.1);
  REQUIRE(json.at("version") == xbar::version);
  REQUIRE_THAT(run_xbar(scratch, "info").out, Contains("GFLOP/s"));
}

TEST_CASE("cli/program: info lists the devices that come with xbar", "[cli]") {
  const Scratch scratch;
  const auto listed = run_xbar(scratch, "info --devices");
  REQUIRE(listed.code == 0);
  REQUIRE_THAT(listed.out, Contains("reram-sb           soft-bounds        0.5         5    1250"));
  const auto json = nlohmann::json::parse(run_xbar(scratch, "info --devices --json").out);
  bool found = false;
  for (const auto& device : json.at("devices")) {
    if (device.at("name") != "pcm") continue;
    found = true;
    REQUIRE(device.at("g_max_siemens") == 2.5e-5);
    REQUIRE(device.at("one_way") == true);
    REQUIRE(device.at("down_pulses").is_null());
  }
  REQUIRE(found);
}

TEST_CASE("cli/program: report of what is no run says so", "[cli]") {
  const Scratch scratch;
  const auto none = run_xbar(scratch, "report .");
  REQUIRE(none.code == 2);
  REQUIRE_THAT(none.err, Contains("run.json"));
  REQUIRE_FALSE(std::filesystem::exists(scratch("index.html")));
}
