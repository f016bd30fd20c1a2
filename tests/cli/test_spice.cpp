#include <limits>
#include <string>

#include <xbar/device/cell_models.hpp>
#include <xbar/solver/newton.hpp>
#include <xbar/solver/solve.hpp>

#include "program.hpp"
#include "support/arrays.hpp"
#include "support/catch.hpp"

using xbar::Matrix;
using xbar_test::Contains;
using xbar_test::random_matrix;
using xbar_test::run_xbar;
using xbar_test::Scratch;

TEST_CASE("cli/spice: the netlist has the faults, the held lines and the expected currents",
          "[cli]") {
  const Scratch scratch;
  const Matrix conductance = random_matrix(3, 2, 1e-5, 1e-3, 1);
  xbar::write_array(scratch("G.npy"), conductance);
  xbar::write_array(scratch("V.npy"), Matrix{{1}, {2}, {-4}}, true);
  const auto outcome = run_xbar(
      scratch,
      "spice --conductance G.npy --voltage V.npy --out array.cir --source-ohm 50 --sink-ohm 30 "
      "--wordline-ohm 2 --bitline-ohm 3 --drive both --selected-wordlines 0,2 --selected-bitlines "
      "0 --unselected-wordlines V/3 --unselected-bitlines V/2 --open-cell 0,1 "
      "--broken-bitline "
      "1,0");
  CAPTURE(outcome.err);
  REQUIRE(outcome.code == 0);
  REQUIRE_THAT(outcome.out, Contains("ngspice -b array.cir"));
  const std::string text = xbar::read_file(scratch("array.cir"));
  REQUIRE_THAT(text,
               Contains("v_0 s_0 0 dc 1\nv_1 s_1 0 dc -1.3333333333333333\nv_2 s_2 0 dc -4\n"));
  REQUIRE_THAT(text, Contains("rs_2 s_2 u_2_0 50\nrr_2 s_2 u_2_1 50\n"));
  REQUIRE_THAT(text, Contains("vk_0 k_0 0 dc 0\nvk_1 k_1 0 dc -2\n"));
  REQUIRE_THAT(text, !Contains("rc_0_1"));
  REQUIRE_THAT(text, Contains("rb_0_0 ") && !Contains("rb_1_0 "));

  xbar::solver::Circuit circuit =
      make_circuit(conductance, {50, 30, 2, 3}, xbar::solver::DriveEnds::both);
  constexpr double open = std::numeric_limits<double>::infinity();
  circuit.conductance(0, 1) = 0;
  circuit.bitline_ohm = Matrix{{3, 3}, {open, 3}};
  const auto solved =
      xbar::solver::solve(circuit, {Matrix{{1}, {-4.0 / 3}, {-4}}, Matrix{{0}, {-2}}});
  for (const int j : {0, 1}) {
    const std::string before = "*   i(vk_" + std::to_string(j) + ") = ";
    const std::size_t at = text.find(before);
    REQUIRE(at != std::string::npos);
    REQUIRE_THAT(std::stod(text.substr(at + before.size())),
                 xbar_test::WithinRel(solved.current(j, 0), 1e-12));
  }
}

TEST_CASE("cli/spice: more than one input vector is refused", "[cli]") {
  const Scratch scratch;
  xbar::write_array(scratch("G.npy"), Matrix::Constant(3, 2, 1e-3));
  xbar::write_array(scratch("V.npy"), Matrix::Ones(3, 2));
  const auto outcome =
      run_xbar(scratch, "spice --conductance G.npy --voltage V.npy --out array.cir");
  REQUIRE(outcome.code == 2);
  REQUIRE_THAT(outcome.err, Contains("expected one input vector, got 2"));
  REQUIRE_FALSE(std::filesystem::exists(scratch("array.cir")));
}

TEST_CASE("cli/spice: cells by the flags of solve", "[cli]") {
  const Scratch scratch;
  const Matrix conductance = random_matrix(3, 2, 1e-5, 1e-3, 1);
  xbar::write_array(scratch("G.npy"), conductance);
  xbar::write_array(scratch("V.npy"), Matrix{{1}, {2}, {-4}}, true);
  const auto outcome = run_xbar(scratch,
                                "spice --conductance G.npy --voltage V.npy --out array.cir "
                                "--source-ohm 50 --cell selector --cell-parameter "
                                "selector_volt=0.25");
  CAPTURE(outcome.err);
  REQUIRE(outcome.code == 0);
  const std::string text = xbar::read_file(scratch("array.cir"));
  REQUIRE_THAT(text, Contains("\nbc_2_1 u_2_0 c_2_1 "));
  REQUIRE_THAT(text, Contains("*sinh(4*v("));
  const auto cells = xbar::device::make_cell_model("selector", {{{"selector_volt", 0.25}}, {}, {}});
  const Matrix current =
      xbar::solver::solve_newton(xbar::solver::make_circuit(conductance, {50, 0, 0, 0}), *cells,
                                 {Matrix{{1}, {2}, {-4}}, {}})
          .current;
  const std::string before = "*   i(vk_1) = ";
  const std::size_t at = text.find(before);
  REQUIRE(at != std::string::npos);
  REQUIRE_THAT(std::stod(text.substr(at + before.size())),
               xbar_test::WithinRel(current(1, 0), 1e-9));
  const auto wrong =
      run_xbar(scratch, "spice --conductance G.npy --voltage V.npy --out no.cir --cell sihn");
  REQUIRE(wrong.code == 2);
  REQUIRE_THAT(wrong.err, Contains("did you mean sinh?"));
  REQUIRE_FALSE(std::filesystem::exists(scratch("no.cir")));
}
