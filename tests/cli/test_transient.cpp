#include <nlohmann/json.hpp>

#include <xbar/device/cell_models.hpp>
#include <xbar/solver/newton.hpp>
#include <xbar/solver/transient.hpp>

#include "program.hpp"
#include "support/arrays.hpp"
#include "support/catch.hpp"

using xbar::Matrix;
using xbar::device::Waveform;
using xbar_test::Contains;
using xbar_test::random_matrix;
using xbar_test::relative_error;
using xbar_test::run_xbar;
using xbar_test::Scratch;

namespace {

const std::string array =
    "transient --conductance G.npy --voltage V.npy --source-ohm 500 --sink-ohm 100 "
    "--wordline-ohm 2.5 --bitline-ohm 3.5 ";
const std::string times = "--stop-second 1e-11 --steps 20 ";

struct Files {
  Scratch scratch;
  Matrix conductance = random_matrix(4, 3, 1e-5, 1e-4, 1);
  Matrix voltage = random_matrix(4, 1, 0.1, 0.3, 2);

  Files() {
    xbar::write_array(scratch("G.npy"), conductance);
    xbar::write_array(scratch("V.npy"), voltage, true);
  }
  [[nodiscard]] xbar::solver::TransientResult expected(const Waveform& waveform,
                                                       double coupling) const {
    xbar::solver::TransientOptions options;
    options.stop_second = 1e-11;
    options.steps = 20;
    options.settle_tolerance = 1e-3;
    return xbar::solver::transient(xbar::solver::make_circuit(conductance, {500, 100, 2.5, 3.5}),
                                   xbar::solver::make_capacitance(1e-16, coupling),
                                   {voltage.col(0), {}, {waveform}, {}}, options);
  }
};

}  // namespace

TEST_CASE("cli/transient: currents, settling times and plot of a ramp", "[cli]") {
  const Files files;
  const auto outcome = run_xbar(
      files.scratch, array + times +
                         "--node-farad 1e-16 --rise-second 1e-12 --current-out I.npy --plot-out "
                         "I.svg --json");
  CAPTURE(outcome.err);
  REQUIRE(outcome.code == 0);
  REQUIRE(outcome.err.empty());
  const auto expected = files.expected(Waveform::step(0, 1, 0, 1e-12, 1e-11), 0);
  const Matrix current = xbar::read_array(files.scratch("I.npy")).values;
  REQUIRE(current.rows() == 21);
  REQUIRE(relative_error(current, expected.current) <= 1e-12);
  const auto json = nlohmann::json::parse(outcome.out);
  for (const int j : {0, 1, 2}) {
    const auto e = static_cast<std::size_t>(j);
    REQUIRE_THAT(json.at("settling_second").at(e).get<double>(),
                 xbar_test::WithinRel(expected.settling_second(j), 1e-9));
    REQUIRE_THAT(json.at("final_current_ampere").at(e).get<double>(),
                 xbar_test::WithinRel(expected.final_current(j), 1e-12));
  }
  REQUIRE(json.at("energy_joule").at("imbalance").get<double>() <= 1e-6);
  REQUIRE(json.at("report").at("steps").get<int>() == expected.report.steps);
  REQUIRE_THAT(xbar::read_file(files.scratch("I.svg")), Contains("<svg") && Contains("bitline 2"));
}

TEST_CASE("cli/transient: a waveform, coupled lines and capacitances from a file", "[cli]") {
  const Files files;
  xbar::write_array(files.scratch("C.npy"), Matrix::Constant(4, 3, 1e-16));
  const auto outcome = run_xbar(
      files.scratch,
      array + times +
          "--node-farad C.npy --coupling-farad 2e-16 --waveform "
          "pulse:high=1,delay=1e-12,rise=1e-12,width=2e-12,period=5e-12,count=2 --current-out "
          "I.npy");
  CAPTURE(outcome.err);
  REQUIRE(outcome.code == 0);
  const Waveform pulses = Waveform::pulses(
      {.delay = 1e-12, .rise = 1e-12, .width = 2e-12, .fall = 1e-12, .period = 5e-12, .count = 2});
  REQUIRE(relative_error(xbar::read_array(files.scratch("I.npy")).values,
                         files.expected(pulses, 2e-16).current) <= 1e-9);
  REQUIRE_THAT(outcome.out, Contains("J dissipated") && Contains("bitline   2"));
}

TEST_CASE("cli/transient: non-linear cells by the flags of solve", "[cli]") {
  const Files files;
  const auto outcome =
      run_xbar(files.scratch, array + times +
                                  "--node-farad 1e-16 --rise-second 1e-12 --cell selector "
                                  "--cell-parameter selector_volt=0.1 --current-out I.npy --json");
  CAPTURE(outcome.err);
  REQUIRE(outcome.code == 0);
  const auto cells = xbar::device::make_cell_model("selector", {{{"selector_volt", 0.1}}, {}, {}});
  const xbar::solver::Circuit circuit =
      xbar::solver::make_circuit(files.conductance, {500, 100, 2.5, 3.5});
  xbar::solver::TransientOptions options;
  options.stop_second = 1e-11;
  options.steps = 20;
  const auto expected = xbar::solver::transient(
      circuit, *cells, xbar::solver::make_capacitance(1e-16),
      {files.voltage.col(0), {}, {Waveform::step(0, 1, 0, 1e-12, 1e-11)}, {}}, options);
  REQUIRE(relative_error(xbar::read_array(files.scratch("I.npy")).values, expected.current) <=
          1e-12);
  const auto json = nlohmann::json::parse(outcome.out);
  REQUIRE(json.at("cell") == "selector");
  const Matrix rest = solve_newton(circuit, *cells, {files.voltage, {}}).current;
  REQUIRE_THAT(json.at("final_current_ampere").at(0).get<double>(),
               xbar_test::WithinRel(rest(0, 0), 1e-11));
  // And those of a table, from a file.
  xbar::write_array(files.scratch("cell.csv"), Matrix{{-1, -2}, {0, 0}, {1, 2}});
  const auto table = run_xbar(files.scratch, array + times +
                                                 "--node-farad 1e-16 --rise-second 1e-12 --cell "
                                                 "table --cell-table cell.csv --current-out T.npy");
  CAPTURE(table.err);
  REQUIRE(table.code == 0);
  // A straight table is an ohmic cell of twice the conductance.
  const auto ohmic = xbar::solver::transient(
      xbar::solver::make_circuit(2 * files.conductance, {500, 100, 2.5, 3.5}),
      xbar::solver::make_capacitance(1e-16),
      {files.voltage.col(0), {}, {Waveform::step(0, 1, 0, 1e-12, 1e-11)}, {}}, options);
  REQUIRE(relative_error(xbar::read_array(files.scratch("T.npy")).values, ohmic.current) <= 1e-9);
}

TEST_CASE("cli/transient: not settled by the end", "[cli]") {
  const Files files;
  const std::string slow = array + times + "--node-farad 1e-12 --rise-second 1e-12";
  const auto text = run_xbar(files.scratch, slow);
  REQUIRE(text.code == 0);
  REQUIRE_THAT(text.out, Contains("not settled") && Contains("not by 1e-11 s"));
  const auto json = nlohmann::json::parse(run_xbar(files.scratch, slow + " --json").out);
  REQUIRE(json.at("settling_second").at(0).is_null());
  const auto off =
      nlohmann::json::parse(run_xbar(files.scratch, slow + " --settle-tolerance 0 --json").out);
  REQUIRE(off.at("settling_second").is_null());
}

TEST_CASE("cli/transient: bad input names the flag and writes nothing", "[cli]") {
  const Files files;
  const std::string rise = "--rise-second 1e-12 ";
  const std::string node = "--node-farad 1e-16 ";
  const auto expect = [&](const std::string& flags, const std::string& message) {
    const auto outcome = run_xbar(files.scratch, array + flags + "--current-out I.npy");
    CAPTURE(flags, outcome.err);
    REQUIRE(outcome.code == 2);
    REQUIRE(outcome.out.empty());
    REQUIRE_THAT(outcome.err, Contains(message));
    REQUIRE_FALSE(std::filesystem::exists(files.scratch("I.npy")));
  };
  expect(times + rise, "--node-farad");
  expect(times + node, "expected one of --rise-second and --waveform, got neither");
  expect(times + node + rise + "--waveform dc:value=1,duration=1 ", "got both");
  expect(times + node + "--rise-second -1 ", "--rise-second: expected a time >= 0 s, got -1");
  expect(times + node + "--waveform pulse:high=1,widht=1e-12 ", "widht");
  expect(times + rise + "--node-farad -1e-15 ",
         "--node-farad: expected finite capacitances >= 0 F");
  expect(times + rise + "--node-farad nan ", "--node-farad");
  expect(times + rise + "--node-farad much ", "--node-farad: expected a number or a file");
  expect(times + rise + "--node-farad V.npy ", "--node-farad V.npy: expected 4 x 3, got 4 x 1");
  expect(times + rise + node + "--coupling-farad -1 ", "--coupling-farad: expected");
  expect(node + rise + "--stop-second 0 --steps 5 ", "--stop-second: expected a time > 0 s, got 0");
  expect(node + rise + "--stop-second 1e-11 --steps 0 ", "--steps: expected at least 1, got 0");
  expect(times + node + rise + "--tolerance 1 ", "--tolerance: expected");
  expect(times + node + rise + "--settle-tolerance -1 ", "--settle-tolerance: expected");
  expect(times + node + rise + "--plot-out I.png ", "--plot-out: expected a .svg file, got I.png");
  expect(times + node + rise + "--shorted-cell 0,0 ", "shorted cells");
  expect(times + node + rise + "--cell sinnh ", "sinnh");
  expect(times + node + rise + "--cell sinh --cell-parameter sinh_alpha=much ", "sinh_alpha=much");
  expect(times + node + rise + "--cell sinh --shorted-cell 0,0 ", "shorted cells");
  xbar::write_array(files.scratch("V.npy"), Matrix::Ones(4, 2));
  expect(times + node + rise, "V.npy: expected one input vector, got 2");
}
