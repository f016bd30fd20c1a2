#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "program.hpp"
#include "support/catch.hpp"

using nlohmann::json;
using xbar_test::Contains;
using xbar_test::run_xbar;
using xbar_test::Scratch;
using xbar_test::WithinRel;

TEST_CASE("cli/device: every model draws its loop without further flags", "[cli]") {
  const Scratch scratch;
  for (const std::string model : {"vteam", "yakopcic", "stanford-pku", "jart-vcm-v1b"}) {
    const auto outcome = run_xbar(scratch, "device --model " + model + " --out " + model);
    CAPTURE(model, outcome.err);
    REQUIRE(outcome.code == 0);
    REQUIRE_THAT(outcome.out, Contains("written to " + model));
    for (const char* file :
         {"loop.svg", "loop_log.svg", "voltage.svg", "current.svg", "state.svg"}) {
      const std::string svg = xbar::read_file(scratch(model + "/" + file));
      CAPTURE(file);
      REQUIRE_THAT(svg, Contains("<svg"));
      REQUIRE(svg.find("no data") == std::string::npos);
    }
    const json run = json::parse(xbar::read_file(scratch(model + "/run.json")));
    REQUIRE(run["command"] == "device");
    REQUIRE(run["finished"] == true);
    REQUIRE(run["results"]["energy_joule"] > 0);
    REQUIRE(run["results"]["report"]["steps"] > 100);
    // Both directions of current, and back at 0 V.
    REQUIRE(run["results"]["lowest_current_ampere"] < 0);
    REQUIRE(run["results"]["highest_current_ampere"] > 0);
    const std::string csv = xbar::read_file(scratch(model + "/trace.csv"));
    REQUIRE(csv.rfind("time_second,voltage_volt,current_ampere,", 0) == 0);
    REQUIRE(std::count(csv.begin(), csv.end(), '\n') == 1002);
    const bool warm = model == "stanford-pku" || model == "jart-vcm-v1b";
    REQUIRE((csv.find("temperature_kelvin") != std::string::npos) == warm);
    REQUIRE(run["results"].contains("highest_kelvin") == warm);
  }
}

TEST_CASE("cli/device: VTEAM by hand, as JSON", "[cli]") {
  const Scratch scratch;
  // 2e-3 m/s at 0.1 V: 1 us takes x from 0 to 2 nm, 50 + 950 2/3 ohm. From on_ohm = 100 it is 700.
  const auto outcome =
      run_xbar(scratch,
               "device --model vteam --parameter on_ohm=100 --waveform dc:value=0.1,duration=1e-6 "
               "--initial 1 --points 2 --json");
  CAPTURE(outcome.err);
  REQUIRE(outcome.code == 0);
  const json result = json::parse(outcome.out);
  REQUIRE(result["parameters"]["on_ohm"] == 100);
  REQUIRE_THAT(result["end"]["state"]["position_metre"].get<double>(), WithinRel(2e-9, 1e-9));
  REQUIRE_THAT(result["end"]["ohm"].get<double>(), WithinRel(700, 1e-9));
  // The same from a file, and from a conductance.
  xbar::write_file_atomically(scratch("w.csv"), "time,voltage\n0,0.1\n1e-6,0.1\n");
  const auto again = run_xbar(scratch,
                              "device --model vteam --parameter on_ohm=100 --waveform-file w.csv "
                              "--initial-siemens 0.01 --points 2 --json");
  CAPTURE(again.err);
  REQUIRE(again.code == 0);
  REQUIRE_THAT(json::parse(again.out)["end"]["ohm"].get<double>(), WithinRel(700, 1e-9));
}

TEST_CASE("cli/device: bad input is named, and nothing is written", "[cli]") {
  const Scratch scratch;
  const auto expect = [&](const std::string& arguments, const std::string& part) {
    const auto outcome = run_xbar(scratch, "device --out run " + arguments);
    CAPTURE(arguments, outcome.err);
    REQUIRE(outcome.code == 2);
    REQUIRE_THAT(outcome.err, Contains(part));
    REQUIRE_FALSE(std::filesystem::exists(scratch("run")));
  };
  expect("", "--model is required");
  expect("--model jart", "model: expected one of vteam");
  expect("--model vteam --parameter off_ohms=3", "did you mean off_ohm?");
  expect("--model vteam --parameter off_ohm", "expected NAME=VALUE with a number, got 'off_ohm'");
  expect("--model vteam --parameter =3", "expected NAME=VALUE with a number, got '=3'");
  expect("--model vteam --parameter off_ohm=x",
         "--parameter: expected NAME=VALUE with a number, got 'off_ohm=x'");
  expect("--model vteam --parameter off_ohm=-1", "off_ohm: expected a finite number > 0, got -1");
  expect("--model vteam --parameter off_ohm=2000 --parameter off_ohm=3000", "given twice");
  expect("--model vteam --temperature 300", "model vteam has no temperature");
  expect("--model vteam --waveform pulse:high=1,width=-1", "width: expected a time > 0 s");
  expect("--model vteam --waveform-file absent.csv", "absent.csv");
  expect("--model vteam --waveform dc:value=1,duration=1 --waveform-file w.csv", "got both");
  expect("--model vteam --initial 2", "--initial: expected 0 to 1, got 2");
  expect("--model vteam --initial 0 --initial-siemens 0.01", "got both");
  expect("--model vteam --initial-siemens 1", "conductance: expected 0.001 to 0.02 S");
  expect("--model vteam --points 1", "--points: expected 0 or 2");
  expect("--model vteam --points -5", "--points: expected 0 or 2 to 10000000, got -5");
  expect("--model vteam --initial-siemens 1", "--initial-siemens: conductance: expected 0.001 to");
  expect("--model vteam --tolerance 0", "tolerance: expected");
  expect("--model vteam --integrator euler", "integrator: expected one of automatic");
}

TEST_CASE("cli/device: a run is not written over", "[cli]") {
  const Scratch scratch;
  REQUIRE(run_xbar(scratch, "device --model vteam --out run").code == 0);
  const auto outcome = run_xbar(scratch, "device --model vteam --out run");
  REQUIRE(outcome.code == 2);
  REQUIRE_THAT(outcome.err, Contains("holds a run already"));
}

TEST_CASE("cli/device: the page of a run", "[cli]") {
  const Scratch scratch;
  REQUIRE(run_xbar(scratch, "device --model jart-vcm-v1b --points 200 --out run").code == 0);
  const auto outcome = run_xbar(scratch, "report run");
  CAPTURE(outcome.err);
  REQUIRE(outcome.code == 0);
  const std::string page = xbar::read_file(scratch("run/index.html"));
  REQUIRE_THAT(page, Contains("One jart-vcm-v1b cell") && Contains("Temperature"));
}

TEST_CASE("cli/device: an interrupt ends with 130, and nothing is half-written", "[cli]") {
  const Scratch scratch;
  // 100000 periods take minutes. The signal comes when the program is ready to catch it: SIGINT is
  // bit 1 of the mask.
  xbar::write_file_atomically(
      scratch("interrupt.sh"),
      "'" XBAR_PROGRAM
      "' device --model jart-vcm-v1b --waveform triangle:high=1.5,low=-1.5,period=6,count=100000 "
      "--out run 2>err.txt >out.txt & P=$!\n"
      "for k in $(seq 600); do\n"
      "  case $(sed -n 's/^SigCgt:.*\\(.\\)$/\\1/p' /proc/$P/status) in [2367abef]) break;; esac\n"
      "  sleep 0.1\ndone\n"
      "sleep 0.3; kill -INT $P; wait $P; echo $? >code.txt\n");
  REQUIRE(std::system(("cd '" + scratch("") + "' && sh interrupt.sh").c_str()) == 0);
  REQUIRE(xbar::read_file(scratch("code.txt")) == "130\n");
  REQUIRE(xbar::read_file(scratch("err.txt")) == "xbar: interrupted\n");
  REQUIRE_FALSE(std::filesystem::exists(scratch("run")));
}
