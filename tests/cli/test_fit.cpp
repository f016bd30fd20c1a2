#include <algorithm>
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

  // Both polarities are branches of their own, with a conductance each and a gap between them.
  for (int k = 40; k > 0; --k) {
    sweep += fmt::format("{:.9g},{:.9g}\n", -k / 40.0, -3e-4 * std::sinh(2.0 * k / 40));
  }
  xbar::write_file_atomically(scratch("both.csv"), sweep);
  const auto both = run_xbar(scratch, "fit --iv both.csv --out both");
  CAPTURE(both.err);
  REQUIRE(both.code == 0);
  for (const char* name :
       {"conductance_siemens, 1 to 0.025 V", "conductance_siemens, -1 to -0.025 V"}) {
    REQUIRE_THAT(both.out, Contains(name));
    REQUIRE_THAT(xbar::read_file(scratch("both/index.html")), Contains(name));
  }
  REQUIRE_THAT(xbar::read_file(scratch("both/residuals.csv")),
               Contains("branch,point,") && Contains("\n1,40,") && Contains("\n2,41,"));
  const auto lines_of = [&](const char* run) {
    const std::string page = xbar::read_file(scratch(std::string(run) + "/index.html"));
    int count = 0;
    for (std::size_t at = page.find("xb-line\" d="); at != std::string::npos;
         at = page.find("xb-line\" d=", at + 1)) {
      ++count;
    }
    return count;
  };
  REQUIRE(lines_of("both") == 2 * lines_of("iv"));

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

TEST_CASE("cli/fit: single pulses give the law of a device, alone or with series", "[cli]") {
  const Scratch scratch;
  // 2 V up and 3 V down at most, threshold 0.5 of it, exponent 2; 30 % and 20 % of the way.
  std::string text = "device,direction,pulse_volt,before_siemens,after_siemens\n";
  for (int k = 0; k < 200; ++k) {
    const bool up = k % 2 == 0;
    const double share = (1 + k / 2 % 20) / 20.0;
    const double x = k * 0.37 - std::floor(k * 0.37);
    const double left = std::pow(up ? 0.7 : 0.8, std::pow(std::max(2 * share - 1, 0.0), 2));
    text += fmt::format("a,{},{},{:.12g},{:.12g}\n", up ? "up" : "down", share * (up ? 2 : 3),
                        1e-6 + 9e-6 * x, 1e-6 + 9e-6 * (up ? 1 - (1 - x) * left : x * left));
  }
  xbar::write_file_atomically(scratch("single.csv"), text);
  const auto alone = run_xbar(scratch, "fit --amplitude single.csv --out alone --json");
  CAPTURE(alone.err);
  REQUIRE(alone.code == 0);
  REQUIRE(json::parse(alone.out)["best"] == "threshold");
  const auto device = xbar::device::read_pulse_device(scratch("alone/device.toml"));
  REQUIRE_THAT(device.voltage.exponent, WithinRel(2, 1e-3));
  REQUIRE_THAT(device.voltage.threshold, WithinRel(0.5, 1e-3));
  REQUIRE_THAT(device.model->up_step(0), WithinRel(0.3, 1e-3));
  REQUIRE_THAT(xbar::read_file(scratch("alone/voltage.toml")), Contains("[voltage]"));
  REQUIRE_THAT(xbar::read_file(scratch("alone/index.html")), Contains("Voltage law: threshold"));

  // The thresholds, 1 and 1.5 V, are one share of nominal voltages in the same ratio.
  xbar::write_file_atomically(scratch("pulses.csv"), soft_bounds_table());
  const auto joined = run_xbar(scratch,
                               "fit --pulses pulses.csv --model soft-bounds --amplitude single.csv "
                               "--up-volt 1.6 --down-volt 2.4 --out joined");
  CAPTURE(joined.err);
  REQUIRE(joined.code == 0);
  const auto both = xbar::device::read_pulse_device(scratch("joined/device.toml"));
  REQUIRE_THAT(both.model->up_step(0), WithinRel(0.04, 1e-3));
  REQUIRE_THAT(both.voltage.threshold, WithinRel(0.5 / 0.8, 1e-3));
  REQUIRE(both.down.volt == 2.4);
  REQUIRE_THAT(xbar::read_file(scratch("joined/index.html")), Contains("Change against voltage"));
}

TEST_CASE("cli/fit: distributions of steps and cycles between two states", "[cli]") {
  const Scratch scratch;
  std::string conductance;
  std::string cumulative;
  for (int k = 0; k < 11; ++k) {
    conductance += fmt::format("{:.9g}\n", (1 + k) * 1e-6);
    cumulative += "0,0.5,1\n";
  }
  xbar::write_file_atomically(scratch("g.txt"), conductance);
  xbar::write_file_atomically(scratch("up.txt"), "0\n1e-6\n2e-6\n");
  xbar::write_file_atomically(scratch("down.txt"), "-2e-6\n-1e-6\n0\n");
  xbar::write_file_atomically(scratch("p.csv"), cumulative);
  const auto table = run_xbar(scratch,
                              "fit --distribution g.txt,up.txt,p.csv --distribution "
                              "g.txt,down.txt,p.csv --direction up down --out table --json");
  CAPTURE(table.err);
  REQUIRE(table.code == 0);
  // The same everywhere: linear steps of 1 of 10 uS.
  const json result = json::parse(table.out);
  REQUIRE(result["rows"] == 2);
  REQUIRE(result["models"][0]["rms"].get<double>() < 1e-6);
  const auto device = xbar::device::read_pulse_device(scratch("table/device.toml"));
  REQUIRE(device.model->name() == "table");
  REQUIRE_THAT(device.model->down_step(0.5), WithinRel(0.1, 1e-6));
  REQUIRE_THAT(xbar::read_file(scratch("table/index.html")), Contains("Steps against conductance"));

  xbar::write_file_atomically(scratch("cycles.csv"), "a,1e5,1e4,2e5,1e4\nb,1e5,2e4,2e5,2e4\n");
  const auto cycles = run_xbar(scratch, "fit --cycling cycles.csv --out cycles");
  CAPTURE(cycles.err);
  REQUIRE(cycles.code == 0);
  // On 100 and 50 uS.
  REQUIRE_THAT(xbar::device::read_pulse_device(scratch("cycles/device.toml")).g_max_siemens,
               WithinRel(7.5e-5, 1e-9));
  REQUIRE_THAT(xbar::read_file(scratch("cycles/index.html")), Contains("Two states"));
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
  refused("", "--cycling, --iv and --retention, found 0");
  refused("--pulses pulses.csv --iv pulses.csv", "found 2");
  refused("--pulses none.csv", "none.csv");
  refused("--pulses bad.csv", "bad.csv: line 1: expected the unit in the name");
  refused("--pulses pulses.csv --format wide",
          "--format: expected one of long, columns, ramps, aihwkit");
  refused("--pulses pulses.csv --model soft", "model: expected linear, asymmetric");
  refused("--pulses pulses.csv --folds 1", "folds: expected 2 to 20, found 1");
  refused("--pulses pulses.csv --fit-to both",
          "--fit-to: expected one of curve, steps, got 'both'");
  refused("--pulses pulses.csv --direction up", "--direction: expected");
  refused("--amplitude pulses.csv", "line 2: expected a column after_siemens or after_ohm");
  refused("--amplitude pulses.csv --direction up down", "1 files of --amplitude, or none, found 2");
  refused("--distribution bad.csv --direction up down", "--distribution: expected three files");
  refused("--cycling bad.csv", "bad.csv: expected at least 2 cells");
  refused("--pulses pulses.csv --g-min-siemens 1e-6", "expected both or none");
}
