#include <cmath>
#include <filesystem>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <xbar/device/pulse_device.hpp>

#include "program.hpp"
#include "support/catch.hpp"

using nlohmann::json;
using xbar_test::Contains;
using xbar_test::run_xbar;
using xbar_test::Scratch;
using xbar_test::WithinRel;

namespace {

// Soft bounds between 1 and 10 uS, 4 % a step up and 3 % down, one device and one cycle.
std::string soft_bounds_table() {
  std::string text =
      "# a device made up\ndevice,cycle,pulse,direction,conductance_siemens,pulse_volt\n";
  double x = 0.02;
  for (int k = 1; k <= 120; ++k) {
    const bool up = k <= 60;
    x += up ? 0.04 * (1 - x) : -0.03 * x;
    text += fmt::format("a,1,{},{},{:.9g},{}\n", k, up ? "up" : "down", 1e-6 + 9e-6 * x,
                        up ? 1.5 : -1.2);
  }
  return text;
}

}  // namespace

TEST_CASE("cli/fit: a table of pulses becomes a device file and a page", "[cli]") {
  const Scratch scratch;
  xbar::write_file_atomically(scratch("pulses.csv"), soft_bounds_table());
  const auto outcome =
      run_xbar(scratch, "fit --pulses pulses.csv --model linear,soft-bounds --out run --json");
  CAPTURE(outcome.err);
  REQUIRE(outcome.code == 0);
  const json result = json::parse(outcome.out);
  REQUIRE(result["best"] == "soft-bounds");
  REQUIRE(result["readings"] == 120);
  const json& parameter = result["models"][1]["parameters"][0];
  REQUIRE(parameter["name"] == "up_step");
  REQUIRE_THAT(parameter["value"].get<double>(), WithinRel(0.04, 1e-3));
  const auto device = xbar::device::read_pulse_device(scratch("run/device.toml"));
  REQUIRE_THAT(device.g_max_siemens, WithinRel(1e-5, 1e-3));
  REQUIRE_THAT(device.model->down_step(1), WithinRel(0.03, 1e-3));
  REQUIRE(device.up.volt == 1.5);
  REQUIRE(device.down.volt == 1.2);
  const std::string page = xbar::read_file(scratch("run/index.html"));
  REQUIRE_THAT(page, Contains("Best model: soft-bounds"));
  REQUIRE_THAT(page, Contains("residuals"));
  REQUIRE(page.find("no data") == std::string::npos);
  REQUIRE(json::parse(xbar::read_file(scratch("run/run.json")))["finished"] == true);

  // A second run does not go over it.
  const auto again = run_xbar(scratch, "fit --pulses pulses.csv --model linear --out run");
  REQUIRE(again.code == 2);
  REQUIRE_THAT(again.err, Contains("run holds a run already"));
}

TEST_CASE("cli/fit: sweeps and retentions have pages too", "[cli]") {
  const Scratch scratch;
  std::string sweep = "volt,ampere\n";
  for (int k = 40; k > 0; --k) {
    sweep += fmt::format("{:.9g},{:.9g}\n", k / 40.0, 1e-4 * std::sinh(2.0 * k / 40));
  }
  xbar::write_file_atomically(scratch("iv.csv"), sweep);
  const auto iv = run_xbar(scratch, "fit --iv iv.csv --out iv");
  CAPTURE(iv.err);
  REQUIRE(iv.code == 0);
  REQUIRE_THAT(iv.out, Contains("--cell sinh --cell-parameter sinh_alpha=2 "));
  REQUIRE_THAT(xbar::read_file(scratch("iv/index.html")), Contains("Best model: sinh"));

  std::string retention;
  for (int k = 1; k <= 50; ++k) {
    retention += fmt::format("{},{:.9g}\n", k, 1e-5 * std::pow(k, -0.04));
  }
  xbar::write_file_atomically(scratch("retention.csv"), retention);
  const auto drift = run_xbar(scratch, "fit --retention retention.csv --out drift");
  CAPTURE(drift.err);
  REQUIRE(drift.code == 0);
  REQUIRE_THAT(drift.out, Contains("drift_exponent 0.04 "));
  REQUIRE_THAT(xbar::read_file(scratch("drift/index.html")), Contains("Drift exponent 0.04"));
}

TEST_CASE("cli/fit: what is wrong is said in one line, and nothing is written", "[cli]") {
  const Scratch scratch;
  xbar::write_file_atomically(scratch("pulses.csv"), soft_bounds_table());
  xbar::write_file_atomically(scratch("bad.csv"), "device,cycle,pulse,direction,conductance\n");
  const auto refused = [&](const std::string& arguments, const std::string& message) {
    const auto outcome = run_xbar(scratch, "fit " + arguments + " --out run");
    CAPTURE(arguments, outcome.err);
    CHECK(outcome.code == 2);
    CHECK_THAT(outcome.err, Contains(message));
    CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
    CHECK_FALSE(std::filesystem::exists(scratch("run")));
  };
  refused("", "expected one of --pulses, --iv and --retention, found 0");
  refused("--pulses pulses.csv --iv pulses.csv", "found 2");
  refused("--pulses none.csv", "none.csv");
  refused("--pulses bad.csv", "bad.csv: line 1: expected the unit in the name");
  refused("--pulses pulses.csv --format wide", "format: expected long, columns, ramps or aihwkit");
  refused("--pulses pulses.csv --model soft", "model: expected linear, asymmetric");
  refused("--pulses pulses.csv --folds 1", "folds: expected 2 to 20, found 1");
  refused("--pulses pulses.csv --fit-to both", "--fit-to: expected curve or steps, found both");
  refused("--pulses pulses.csv --direction up", "--direction: expected");
  refused("--pulses pulses.csv --g-min-siemens 1e-6", "expected both or none");
}
