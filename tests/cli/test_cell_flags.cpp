#include <cmath>
#include <string>

#include <nlohmann/json.hpp>

#include <xbar/device/cell_models.hpp>
#include <xbar/solver/newton.hpp>

#include "program.hpp"
#include "support/arrays.hpp"
#include "support/catch.hpp"

using xbar::Matrix;
using xbar_test::Contains;
using xbar_test::random_matrix;
using xbar_test::relative_error;
using xbar_test::run_xbar;
using xbar_test::Scratch;

namespace {

void write_inputs(const Scratch& scratch) {
  xbar::write_array(scratch("G.npy"), random_matrix(6, 4, 1e-6, 1e-4, 1));
  xbar::write_array(scratch("V.npy"), random_matrix(6, 1, -1, 1, 2), true);
}

const std::string solve = "solve --conductance G.npy --voltage V.npy --source-ohm 500 --json ";

}  // namespace

TEST_CASE("cli/cell_flags: every model from its flags, by both methods", "[cli]") {
  const Scratch scratch;
  write_inputs(scratch);
  const Matrix table{{-2, -8}, {0, 0}, {2, 4}};
  const Matrix gate{{1.0}, {1.2}, {1.4}, {1.6}, {1.8}, {2.0}};
  xbar::write_array(scratch("table.csv"), table);
  xbar::write_array(scratch("gate.npy"), gate, true);
  const auto circuit =
      xbar::solver::make_circuit(random_matrix(6, 4, 1e-6, 1e-4, 1), {500, 0, 0, 0});
  const Matrix voltage = random_matrix(6, 1, -1, 1, 2);
  const auto check = [&](const std::string& flags, const char* name,
                         const xbar::device::CellSettings& settings) {
    const Matrix expected =
        xbar::solver::solve_newton(circuit, *xbar::device::make_cell_model(name, settings),
                                   {voltage, {}})
            .current;
    for (const std::string method : {"line", "direct"}) {
      const auto outcome =
          run_xbar(scratch, solve + "--method " + method + " --current-out I.npy " + "--cell " +
                                name + " " + flags);
      CAPTURE(name, flags, outcome.err);
      REQUIRE(outcome.code == 0);
      REQUIRE(relative_error(xbar::read_array(scratch("I.npy")).values, expected) <= 1e-11);
      const auto json = nlohmann::json::parse(outcome.out);
      if (std::string(name) == "linear") continue;
      REQUIRE(json["report"]["method"] == (method == "line" ? "line" : "klu"));
      REQUIRE(json["report"]["cell"] == name);
      REQUIRE(json["report"]["iterations"] == json["report"]["inputs"][0]["residual"].size());
      REQUIRE(json["report"]["residual"].get<double>() <= 1e-9);
      // What the sources deliver is lost in cells and terminals; wires have no resistance.
      const auto& power = json["power_watt"];
      const double lost = power["cells"].get<double>() + power["terminals"].get<double>();
      REQUIRE(std::abs(power["delivered"].get<double>() - lost) <= 1e-12 * lost);
    }
  };
  check("", "linear", {});
  check("--sinh-alpha 3", "sinh", {{{"sinh_alpha", 3}}, {}, {}});
  check("--cell-parameter sinh-alpha=3", "sinh", {{{"sinh_alpha", 3}}, {}, {}});
  check("--sinh-alpha 3 --cell-parameter access_ohm=2e3", "series-resistance",
        {{{"sinh_alpha", 3}, {"access_ohm", 2000}}, {}, {}});
  check("--gate-volt 1.1 --cell-parameter lambda=0 --cell-parameter threshold_volt=0.5",
        "transistor", {{{"lambda", 0}, {"threshold_volt", 0.5}}, Matrix{{1.1}}, {}});
  check("--gate-volt gate.npy", "transistor", {{}, gate, {}});
  check("--cell-parameter selector_volt=0.04", "selector", {{{"selector_volt", 0.04}}, {}, {}});
  check("--cell-table table.csv", "table", {{}, {}, table});
}

TEST_CASE("cli/cell_flags: mistakes are named", "[cli]") {
  const Scratch scratch;
  write_inputs(scratch);
  xbar::write_array(scratch("falling.csv"), Matrix{{-1, 1}, {0, 0}, {1, -1}});
  const auto refused = [&](const std::string& flags, const std::string& part) {
    const auto outcome = run_xbar(scratch, solve + flags);
    CAPTURE(flags);
    REQUIRE(outcome.code == 2);
    REQUIRE_THAT(outcome.err, Contains(part));
  };
  refused("--cell sihn", "did you mean sinh?");
  refused("--sinh-alpha 2", "cell linear: expected no parameter, got 'sinh_alpha'");
  refused("--cell sinh --sinh-alpha two", "--sinh-alpha: expected a number, got 'two'");
  refused("--cell sinh --sinh-alpha -2", "sinh_alpha: expected 0 to 1000 1/V, got -2");
  refused("--cell sinh --cell-parameter sinh_alpha",
          "--cell-parameter: expected NAME=VALUE with a number, got 'sinh_alpha'");
  refused("--cell sinh --cell-parameter sinh_alpha=1 --cell-parameter sinh_alpha=2",
          "--cell-parameter: sinh_alpha is given twice");
  refused("--cell sinh --cell-parameter sinh_alpha=1 --sinh-alpha 2",
          "--sinh-alpha: --cell-parameter gives sinh_alpha too");
  refused("--cell table", "--cell-table: expected a table for cell table, got none");
  refused("--cell table --cell-table falling.csv",
          "falling.csv: expected currents that do not fall");
  refused("--cell sinh --gate-volt 1", "gate_volt: cell sinh has no gate");
  refused("--cell sinh --shorted-cell 1,1", "shorted cell at (1,1)");
}
