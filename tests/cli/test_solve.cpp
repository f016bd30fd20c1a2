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
    REQUIRE(run_xbar(scratch,
                     "solve --conductance G.csv --voltage V.npy --current-out I.npy --method " +
                         method + ohms)
                .code == 0);
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
  const std::string whole = xbar::read_file(scratch("G.npy"));
  xbar::write_file_atomically(scratch("truncated.npy"), whole.substr(0, whole.size() - 8));
  xbar::write_file_atomically(scratch("empty.npy"), "");
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
  expect("--conductance G.npy --voltage short.npy", "expected 3 rows");
  expect(good + "--wordline-ohm -1", "wordline-ohm");
  expect(good + "--source-ohm nan", "source-ohm");
  expect(good + "--sink-ohm inf", "sink-ohm");
  expect(good + "--method magic", "line or direct");
  expect(good + "--cell sinh", "expected linear");
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
