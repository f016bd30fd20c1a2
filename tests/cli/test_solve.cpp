#include <cmath>
#include <limits>
#include <string>

#include <nlohmann/json.hpp>

#include <xbar/solver/solve.hpp>

#include "program.hpp"
#include "support/arrays.hpp"
#include "support/catch.hpp"

using xbar::Matrix;
using xbar_test::Contains;
using xbar_test::random_matrix;
using xbar_test::relative_error;
using xbar_test::run_xbar;
using xbar_test::Scratch;

TEST_CASE("cli/solve: files in, files out, vectors stay vectors", "[cli]") {
  const Scratch scratch;
  const Matrix conductance = random_matrix(5, 3, 1e-6, 1e-4, 1);
  const Matrix voltage = random_matrix(5, 2, -1, 1, 2);
  const xbar::WireResistance wires{500, 100, 2.5, 3.5};
  const Matrix expected = xbar::solver::solve(conductance, voltage, wires).current;
  xbar::write_array(scratch("G.npy"), conductance);
  xbar::write_array(scratch("G.csv"), conductance);
  xbar::write_array(scratch("V.npy"), voltage);
  xbar::write_array(scratch("v.npy"), voltage.col(1), true);
  const std::string ohms = " --source-ohm 500 --sink-ohm 100 --wordline-ohm 2.5 --bitline-ohm 3.5";
  for (const std::string method : {"line", "direct"}) {
    std::string flags = "--conductance G.csv --voltage V.npy --current-out I.npy";
    flags.append(" --method ").append(method).append(ohms);
    REQUIRE(run_xbar(scratch, "solve " + flags).code == 0);
    const auto currents = xbar::read_array(scratch("I.npy"));
    REQUIRE_FALSE(currents.is_vector);
    REQUIRE(relative_error(currents.values, expected) <= 1e-11);
  }
  REQUIRE(run_xbar(scratch,
                   "solve --conductance G.npy --voltage v.npy --current-out i.npy "
                   "--nodes-out nodes.npz" +
                       ohms)
              .code == 0);
  const auto currents = xbar::read_array(scratch("i.npy"));
  REQUIRE(currents.is_vector);
  REQUIRE(relative_error(currents.values, expected.col(1)) <= 1e-11);
  const auto nodes = xbar::read_npz(scratch("nodes.npz"));
  const Matrix cell =
      conductance.array() *
      (nodes.at("wordline_voltage").values - nodes.at("bitline_voltage").values).array();
  REQUIRE(relative_error(cell.colwise().sum().transpose(), expected.col(1)) <= 1e-11);
}

TEST_CASE("cli/solve: --json prints one object and nothing else", "[cli]") {
  const Scratch scratch;
  xbar::write_array(scratch("G.npy"), Matrix::Constant(1, 1, 1e-3));
  xbar::write_array(scratch("V.npy"), Matrix::Ones(1, 1), true);
  const auto outcome = run_xbar(scratch, "solve --conductance G.npy --voltage V.npy --json");
  REQUIRE(outcome.code == 0);
  REQUIRE(outcome.err.empty());
  const auto json = nlohmann::json::parse(outcome.out);
  REQUIRE_THAT(json.at("current_ampere").at(0).get<double>(), xbar_test::WithinRel(1e-3, 1e-14));
  REQUIRE(json.at("report").at("method") == "line");
  REQUIRE(json.at("report").at("condition").get<double>() >= 1);
  REQUIRE(json.at("report").at("fell_back") == false);
  REQUIRE_FALSE(json.at("report").contains("fallback_reason"));
}

TEST_CASE("cli/solve: power and IR drop, by hand", "[cli]") {
  // Wordlines at 1 V and 0 V, cells of 1 kohm and 2 kohm, 500 ohm before each wordline, bitline
  // held at 0 V: 2/3 mA and 0. Cell (0,0) has 2/3 V of its 1 V.
  const Scratch scratch;
  xbar::write_array(scratch("G.npy"), Matrix{{1e-3}, {0.5e-3}});
  xbar::write_array(scratch("v.npy"), Matrix{{1}, {0}}, true);
  xbar::write_array(scratch("V.npy"), Matrix{{1, -2}, {0, 0}});
  const std::string solve = "solve --conductance G.npy --source-ohm 500 --voltage ";
  const auto near = [](double expected) { return xbar_test::WithinRel(expected, 1e-12); };
  const auto vector = run_xbar(scratch, solve + "v.npy --json");
  CAPTURE(vector.err);
  REQUIRE(vector.code == 0);
  const auto json = nlohmann::json::parse(vector.out);
  const auto& power = json.at("power_watt");
  REQUIRE_THAT(power.at("delivered").get<double>(), near(2e-3 / 3));
  REQUIRE_THAT(power.at("cells").get<double>(), near(4e-3 / 9));
  REQUIRE_THAT(power.at("terminals").get<double>(), near(2e-3 / 9));
  REQUIRE(power.at("wordlines") == 0);
  REQUIRE(power.at("bitlines") == 0);
  const auto& drop = json.at("ir_drop_volt");
  REQUIRE_THAT(drop.at("largest").get<double>(), near(1.0 / 3));
  REQUIRE_THAT(drop.at("mean").get<double>(), near(1.0 / 6));
  REQUIRE(drop.at("where") == nlohmann::json({0, 0}));

  // Two input vectors: lists. The second has twice the voltage, the other way round.
  const auto matrix = run_xbar(scratch, solve + "V.npy --json");
  REQUIRE(matrix.code == 0);
  const auto lists = nlohmann::json::parse(matrix.out);
  REQUIRE_THAT(lists.at("power_watt").at("delivered").at(1).get<double>(), near(8e-3 / 3));
  REQUIRE_THAT(lists.at("ir_drop_volt").at("largest").at(1).get<double>(), near(2.0 / 3));
  REQUIRE(lists.at("ir_drop_volt").at("where").at(1) == nlohmann::json({0, 0}));

  const auto text = run_xbar(scratch, solve + "v.npy");
  REQUIRE_THAT(text.out, Contains("power 0.0006667 W: cells 0.0004444, wordlines 0, bitlines 0, "
                                  "terminals 0.0002222") &&
                             Contains("largest IR drop 0.3333 V at cell (0,0), mean 0.1667 V"));
}

TEST_CASE("cli/solve: --results-out obeys Kirchhoff and Ohm", "[cli]") {
  const Scratch scratch;
  const Matrix conductance = random_matrix(4, 3, 1e-5, 1e-3, 1);
  const Matrix voltage = random_matrix(4, 2, -1, 1, 2);
  xbar::write_array(scratch("G.npy"), conductance);
  xbar::write_array(scratch("V.npy"), voltage);
  const auto outcome =
      run_xbar(scratch,
               "solve --conductance G.npy --voltage V.npy --current-out I.npy --results-out R.npz "
               "--json --source-ohm 50 --sink-ohm 30 --wordline-ohm 2 --bitline-ohm 3");
  CAPTURE(outcome.err);
  REQUIRE(outcome.code == 0);
  const auto json = nlohmann::json::parse(outcome.out);
  const Matrix current = xbar::read_array(scratch("I.npy")).values;
  const auto arrays = xbar::read_npz(scratch("R.npz"));
  REQUIRE(arrays.size() == 14);
  constexpr double tolerance = 1e-10;  // of the solution
  for (const int k : {0, 1}) {
    const auto array = [&](const std::string& name) {
      return arrays.at(name + "_" + std::to_string(k)).values;
    };
    const Matrix u = array("wordline_voltage");
    const Matrix w = array("bitline_voltage");
    const Matrix cell = array("cell_current");
    const Matrix wordline = array("wordline_current");
    const Matrix bitline = array("bitline_current");
    REQUIRE(relative_error(cell, conductance.cwiseProduct(u - w)) <= tolerance);
    REQUIRE(relative_error(array("cell_power"), cell.cwiseProduct(u - w)) <= tolerance);
    REQUIRE(relative_error(array("ir_drop"), (-(u - w)).colwise() + voltage.col(k)) <= tolerance);
    REQUIRE(relative_error(wordline.leftCols(3) - wordline.rightCols(3), cell) <= tolerance);
    REQUIRE(relative_error(bitline.bottomRows(4) - bitline.topRows(4), cell) <= tolerance);
    REQUIRE(relative_error(bitline.row(4).transpose(), current.col(k)) <= tolerance);
    REQUIRE_THAT(json.at("power_watt").at("cells").at(k).get<double>(),
                 xbar_test::WithinRel(array("cell_power").sum(), tolerance));
    REQUIRE_THAT(json.at("ir_drop_volt").at("mean").at(k).get<double>(),
                 xbar_test::WithinRel(array("ir_drop").cwiseAbs().mean(), tolerance));
  }
  // A single vector's arrays have no number.
  xbar::write_array(scratch("v.npy"), voltage.col(0), true);
  REQUIRE(run_xbar(scratch, "solve --conductance G.npy --voltage v.npy --results-out r.npz").code ==
          0);
  REQUIRE(xbar::read_npz(scratch("r.npz")).contains("ir_drop"));
}

TEST_CASE("cli/solve: faults leave only finite numbers", "[cli]") {
  const Scratch scratch;
  xbar::write_array(scratch("G.npy"), random_matrix(4, 3, 1e-5, 1e-3, 1));
  xbar::write_array(scratch("V.npy"), random_matrix(4, 1, -1, 1, 2), true);
  const auto outcome = run_xbar(
      scratch,
      "solve --conductance G.npy --voltage V.npy --results-out R.npz --json --source-ohm 50 "
      "--wordline-ohm 2 --bitline-ohm 3 --shorted-cell 1,1 --open-cell 0,0 --broken-wordline 2,0 "
      "--broken-bitline 1,2 --selected-bitlines 0,1 --unselected-bitlines floating");
  CAPTURE(outcome.err);
  REQUIRE(outcome.code == 0);
  // null is how JSON says not finite.
  REQUIRE_THAT(outcome.out, !Contains("null"));
  const auto json = nlohmann::json::parse(outcome.out);
  REQUIRE(json.at("current_ampere").at(2) == 0);
  const auto& report = json.at("report");
  REQUIRE(report.contains("fallback_reason") == report.at("fell_back").get<bool>());
  for (const auto& [name, array] : xbar::read_npz(scratch("R.npz"))) {
    CAPTURE(name);
    REQUIRE(array.values.allFinite());
  }
}

TEST_CASE("cli/solve: --map-out draws the IR drop of one input vector", "[cli]") {
  const Scratch scratch;
  xbar::write_array(scratch("G.npy"), random_matrix(4, 3, 1e-5, 1e-3, 1));
  xbar::write_array(scratch("V.npy"), Matrix::Ones(4, 1), true);
  xbar::write_array(scratch("two.npy"), Matrix::Ones(4, 2));
  const std::string solve = "solve --conductance G.npy --wordline-ohm 2 --voltage ";
  REQUIRE(run_xbar(scratch, solve + "V.npy --map-out map.svg").code == 0);
  const std::string svg = xbar::read_file(scratch("map.svg"));
  REQUIRE_THAT(svg, Contains("<svg") && Contains("IR drop") && Contains("4 wordlines"));
  const auto two = run_xbar(scratch, solve + "two.npy --map-out two.svg");
  REQUIRE(two.code == 2);
  REQUIRE_THAT(two.err, Contains("--map-out: expected one input vector in two.npy, got 2"));
  REQUIRE_THAT(run_xbar(scratch, solve + "V.npy --map-out map.png").err,
               Contains("--map-out: expected a .svg file, got map.png"));
}

TEST_CASE("cli/solve: node voltages beyond 256 MiB are kept only if asked for", "[cli]") {
  // 2 x 256 x 256 voltages for each of 300 input vectors are 300 MiB.
  const Scratch scratch;
  xbar::write_array(scratch("G.npy"), Matrix::Constant(256, 256, 1e-4));
  xbar::write_array(scratch("V.npy"), Matrix::Ones(256, 300));
  const auto text = run_xbar(scratch, "solve --conductance G.npy --voltage V.npy");
  REQUIRE(text.code == 0);
  REQUIRE_THAT(text.out, Contains("only with --results-out"));
  const auto json = run_xbar(scratch, "solve --conductance G.npy --voltage V.npy --json");
  REQUIRE(nlohmann::json::parse(json.out).at("power_watt").is_null());
}

TEST_CASE("cli/solve: bad input gives one line, exit code 2 and no file", "[cli]") {
  const Scratch scratch;
  xbar::write_array(scratch("G.npy"), Matrix::Constant(3, 2, 1e-3));
  xbar::write_array(scratch("V.npy"), Matrix::Ones(3, 1), true);
  xbar::write_array(scratch("short.npy"), Matrix::Ones(2, 1), true);
  Matrix bad = Matrix::Constant(3, 2, 1e-3);
  bad(1, 1) = -1;
  xbar::write_array(scratch("negative.npy"), bad);
  bad(1, 1) = std::nan("");
  xbar::write_array(scratch("nan.npy"), bad);
  bad(1, 1) = std::numeric_limits<double>::infinity();
  xbar::write_array(scratch("infinite.npy"), bad);
  Matrix voltage = Matrix::Ones(3, 2);
  voltage(2, 1) = std::nan("");
  xbar::write_array(scratch("nan-voltage.npy"), voltage);
  voltage(2, 1) = -std::numeric_limits<double>::infinity();
  xbar::write_array(scratch("infinite-voltage.npy"), voltage);
  const std::string whole = xbar::read_file(scratch("G.npy"));
  xbar::write_file_atomically(scratch("truncated.npy"), whole.substr(0, whole.size() - 8));
  xbar::write_file_atomically(scratch("empty.npy"), "");
  // The same header with another element type or shape; its length stays.
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string changed = whole;
    return changed.replace(changed.find(from), from.size(), to);
  };
  xbar::write_file_atomically(scratch("strings.npy"), with("<f8", "<U2"));
  xbar::write_file_atomically(scratch("none-wide.npy"), with("(3, 2)", "(3, 0)"));
  xbar::write_file_atomically(scratch("G.csv"), "1e-3,1e-3\n1e-3,one\n");
  const auto expect = [&](const std::string& arguments, const std::string& part) {
    const auto outcome = run_xbar(scratch, "solve --current-out I.npy " + arguments);
    CAPTURE(arguments, outcome.err);
    REQUIRE(outcome.code == 2);
    REQUIRE_THAT(outcome.err, Contains(part));
    REQUIRE(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
    REQUIRE(outcome.out.empty());
    REQUIRE_FALSE(std::filesystem::exists(scratch("I.npy")));
  };
  const std::string good = "--conductance G.npy --voltage V.npy ";
  expect("--conductance none.npy --voltage V.npy", "none.npy");
  expect("--conductance truncated.npy --voltage V.npy", "truncated.npy");
  expect("--conductance empty.npy --voltage V.npy", "empty.npy");
  expect("--conductance negative.npy --voltage V.npy", "wordline 1, bitline 1");
  expect("--conductance nan.npy --voltage V.npy", "nan");
  expect("--conductance infinite.npy --voltage V.npy", "a shorted cell is --shorted-cell 1,1");
  expect("--conductance strings.npy --voltage V.npy", "strings.npy");
  expect("--conductance none-wide.npy --voltage V.npy", "none-wide.npy");
  expect("--conductance G.csv --voltage V.npy", "G.csv: line 2");
  expect("--conductance . --voltage V.npy", ".: ");
  expect("--conductance G.npy --voltage short.npy", "expected 3 rows");
  expect("--conductance G.npy --voltage nan-voltage.npy", "got nan at wordline 2, input 1");
  expect("--conductance G.npy --voltage infinite-voltage.npy", "got -inf at wordline 2, input 1");
  expect("--conductance G.npy --voltage none-wide.npy", "none-wide.npy");
  expect(good + "--wordline-ohm -1", "wordline-ohm");
  expect(good + "--source-ohm nan", "source-ohm");
  expect(good + "--sink-ohm inf", "sink-ohm");
  expect(good + "--method magic", "line, direct, got");
  expect(good + "--cell sihn", "did you mean sinh?");
  expect(good + "extra", "unexpected argument 'extra'");
}

TEST_CASE("cli/solve: a place that cannot be written is named", "[cli]") {
  const Scratch scratch;
  xbar::write_array(scratch("G.npy"), Matrix::Constant(1, 1, 1e-3));
  xbar::write_array(scratch("V.npy"), Matrix::Ones(1, 1), true);
  xbar::write_file_atomically(scratch("file"), "x");
  const auto outcome =
      run_xbar(scratch, "solve --conductance G.npy --voltage V.npy --current-out file/I.npy");
  REQUIRE(outcome.code == 2);
  REQUIRE_THAT(outcome.err, Contains("file/I.npy") || Contains("file"));
}
