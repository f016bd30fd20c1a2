#include <charconv>
#include <cmath>
#include <limits>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <xbar/core/error.hpp>
#include <xbar/device/cell_models.hpp>
#include <xbar/solver/newton.hpp>
#include <xbar/solver/solve.hpp>
#include <xbar/solver/spice_netlist.hpp>

#include "support/arrays.hpp"
#include "support/catch.hpp"
#include "support/ngspice.hpp"

using xbar::Index;
using xbar::Matrix;
using xbar::Vector;
using xbar::WireResistance;
using xbar::solver::Circuit;
using xbar::solver::DriveEnds;
using xbar::solver::make_circuit;
using xbar::solver::SenseEnds;
using xbar::solver::spice_netlist;

namespace {

constexpr double open = std::numeric_limits<double>::infinity();

const auto linear = xbar::device::make_cell_model("linear");

// Takes "i(vk_3) = -1.2e-05" apart; anything else leaves `current` as it is.
void take_current(std::string_view line, Matrix& current) {
  const std::string_view before = "i(vk_";
  const std::string_view between = ") = ";
  if (!line.starts_with(before)) return;
  const char* const end = line.data() + line.size();
  Index bitline = 0;
  const auto index = std::from_chars(line.data() + before.size(), end, bitline);
  const std::string_view rest(index.ptr, static_cast<std::size_t>(end - index.ptr));
  if (index.ec != std::errc() || !rest.starts_with(between) || bitline >= current.rows()) return;
  double ampere = 0;
  const auto value = std::from_chars(rest.data() + between.size(), end, ampere);
  if (value.ec == std::errc()) current(bitline, 0) = ampere;
}

// The bitline currents that ngspice prints; NaN where it prints none.
Matrix ngspice_currents(const std::string& netlist, Index bitlines) {
  std::istringstream lines(xbar_test::run_ngspice(netlist));
  Matrix current = Matrix::Constant(bitlines, 1, std::nan(""));
  for (std::string line; std::getline(lines, line);) take_current(line, current);
  return current;
}

// 7 x 5 with one open cell.
Matrix test_conductance() {
  Matrix conductance = xbar_test::random_matrix(7, 5, 1e-6, 1e-3, 1);
  conductance(3, 2) = 0;
  return conductance;
}

Circuit test_circuit(DriveEnds drive = DriveEnds::left, SenseEnds sense = SenseEnds::bottom) {
  return make_circuit(test_conductance(), {500, 100, 2.5, 3.5}, drive, sense);
}

struct Case {
  std::string name;
  Circuit circuit;
  Vector bitline_voltage = {};
};

// The differences are up to 6e-14 of the largest current; other builds of ngspice may eliminate in
// another order.
constexpr double spice_tolerance = 1e-11;

void check_against_ngspice(const Case& test) {
  const Index n = test.circuit.bitlines();
  const Matrix voltage = xbar_test::random_matrix(test.circuit.wordlines(), 1, -1, 1, 2);
  const Matrix solved = xbar::solver::solve(test.circuit, {voltage, test.bitline_voltage}).current;
  const std::string netlist =
      spice_netlist(test.circuit, *linear, voltage.col(0), test.bitline_voltage, solved.col(0));
  Matrix found = ngspice_currents(netlist, n);
  CAPTURE(test.name, netlist);
  // A line without a terminal has neither source nor ammeter, and no current.
  for (Index i = 0; i < test.circuit.wordlines(); ++i) {
    const bool driven = test.circuit.left_ohm(i) < open || test.circuit.right_ohm(i) < open;
    REQUIRE((netlist.find("\nv_" + std::to_string(i) + " ") != std::string::npos) == driven);
  }
  for (Index j = 0; j < n; ++j) {
    if (test.circuit.top_ohm(j) < open || test.circuit.bottom_ohm(j) < open) continue;
    REQUIRE(std::isnan(found(j, 0)));
    found(j, 0) = 0;
  }
  REQUIRE(xbar_test::relative_error(found, solved) <= spice_tolerance);
}

}  // namespace

TEST_CASE("solver/spice_netlist: a 1 x 1 array, element by element", "[solver]") {
  const Circuit circuit = make_circuit(Matrix::Constant(1, 1, 0.5e-3), {100, 0, 3, 4});
  const std::string text = spice_netlist(circuit, *linear, Vector::Constant(1, 0.25), Vector(),
                                         Vector::Constant(1, 1e-4));
  REQUIRE_THAT(text, xbar_test::Contains("\nv_0 s_0 0 dc 0.25\nrs_0 s_0 u_0_0 100\n"
                                         "rc_0_0 u_0_0 k_0 2000\nvk_0 k_0 0 dc 0\n"));
  REQUIRE_THAT(text, xbar_test::Contains("*   i(vk_0) = 0.0001"));
  REQUIRE_THROWS_AS(spice_netlist(circuit, *linear, Vector::Ones(1), Vector(), Vector::Ones(2)),
                    xbar::InvalidArgument);
  REQUIRE_THROWS_AS(spice_netlist(circuit, *linear, Vector::Ones(2), Vector(), Vector::Ones(1)),
                    xbar::InvalidArgument);
}

TEST_CASE("solver/spice_netlist: terminals, merged nodes and what is not there", "[solver]") {
  // Both ends of both wordlines, no terminal at the second bitline; wordline 0 broken, wordline 1
  // without resistance; cell (0,0) shorted, cell (1,1) open.
  Circuit circuit = make_circuit(Matrix::Constant(2, 2, 1e-3), {10, 20, 1, 2}, DriveEnds::both);
  circuit.wordline_ohm = Matrix{{open}, {0}};
  circuit.conductance(0, 0) = open;
  circuit.conductance(1, 1) = -0.0;
  circuit.bottom_ohm(1) = open;
  circuit.top_ohm(0) = 30;
  const std::string text =
      spice_netlist(circuit, *linear, Vector{{1, 2}}, Vector{{0.5, 0.25}}, Vector{{1e-3, 0}});
  REQUIRE_THAT(text, xbar_test::Contains("*   i(vk_0) = 0.001\n.options"));
  REQUIRE_THAT(text, xbar_test::Contains("\nv_0 s_0 0 dc 1\nv_1 s_1 0 dc 2\n"
                                         "rs_0 s_0 u_0_0 10\n"
                                         "rr_0 s_0 u_0_1 10\n"
                                         "rs_1 s_1 u_1_0 10\n"
                                         "rr_1 s_1 u_1_0 10\n"
                                         "rc_0_1 u_0_1 w_0_1 1000\n"
                                         "rc_1_0 u_1_0 w_1_0 1000\n"
                                         "rb_0_0 u_0_0 w_1_0 2\n"
                                         "rt_0 u_0_0 k_0 30\n"
                                         "rk_0 w_1_0 k_0 20\n"
                                         "rb_0_1 w_0_1 w_1_1 2\n"
                                         "vk_0 k_0 0 dc 0.5\n"
                                         ".control\nset numdgt=16\nop\nprint i(vk_0)\nquit\n"));
}

TEST_CASE("solver/spice_netlist: terminals joined without resistance are refused", "[solver]") {
  Circuit circuit = make_circuit(Matrix::Constant(2, 3, 1e-3), {});
  circuit.conductance(1, 2) = open;
  const auto write = [&] {
    return spice_netlist(circuit, *linear, Vector::Ones(2), Vector(), Vector::Zero(3));
  };
  REQUIRE_THROWS_WITH(write(), xbar_test::Contains("wordline 1 and bitline 2"));
  // Bitlines 1 and 2 over a wordline that nothing drives.
  circuit.left_ohm(1) = open;
  circuit.conductance(1, 1) = open;
  REQUIRE_THROWS_WITH(write(), xbar_test::Contains("bitline 1 and bitline 2"));
  circuit.bottom_ohm(1) = 1;
  REQUIRE_NOTHROW(write());
}

TEST_CASE("solver/spice_netlist: ngspice gets the solver's currents", "[solver]") {
  if (!xbar_test::have_ngspice()) return;
  for (const WireResistance& wires :
       {WireResistance{500, 100, 2.5, 3.5}, WireResistance{0, 0, 2, 3}, WireResistance{50, 0, 0, 1},
        WireResistance{0, 70, 4, 0}, WireResistance{0, 0, 0, 0}}) {
    CAPTURE(wires.source_ohm, wires.sink_ohm, wires.wordline_ohm, wires.bitline_ohm);
    check_against_ngspice({"equal resistances", make_circuit(test_conductance(), wires)});
  }
}

TEST_CASE("solver/spice_netlist: ngspice agrees on every terminal option", "[solver]") {
  if (!xbar_test::have_ngspice()) return;
  for (const DriveEnds drive : {DriveEnds::left, DriveEnds::right, DriveEnds::both}) {
    for (const SenseEnds sense : {SenseEnds::bottom, SenseEnds::top, SenseEnds::both}) {
      CAPTURE(static_cast<int>(drive), static_cast<int>(sense));
      check_against_ngspice({"resistive", test_circuit(drive, sense)});
      check_against_ngspice(
          {"held", make_circuit(test_conductance(), {0, 0, 2.5, 3.5}, drive, sense)});
    }
  }
  Case biased{"biased bitlines", test_circuit()};
  biased.bitline_voltage = Vector{{0.5, 0, -0.25, 0, 1.0 / 3}};
  check_against_ngspice(biased);
  biased.circuit = test_circuit(DriveEnds::both, SenseEnds::both);
  check_against_ngspice(biased);

  Case floating{"floating lines", test_circuit()};
  floating.circuit.left_ohm(2) = floating.circuit.left_ohm(6) = open;
  floating.circuit.bottom_ohm(0) = floating.circuit.bottom_ohm(3) = open;
  check_against_ngspice(floating);

  Case uneven{"each resistance its own", test_circuit(DriveEnds::both, SenseEnds::both)};
  uneven.circuit.left_ohm = xbar_test::random_matrix(7, 1, 0, 100, 3).col(0);
  uneven.circuit.right_ohm = xbar_test::random_matrix(7, 1, 0, 100, 4).col(0);
  uneven.circuit.top_ohm = xbar_test::random_matrix(5, 1, 0, 100, 5).col(0);
  uneven.circuit.bottom_ohm = xbar_test::random_matrix(5, 1, 0, 100, 6).col(0);
  uneven.circuit.wordline_ohm = xbar_test::random_matrix(7, 1, 0, 10, 7);
  uneven.circuit.bitline_ohm = xbar_test::random_matrix(1, 5, 0, 10, 8);
  check_against_ngspice(uneven);
  uneven.circuit.wordline_ohm = xbar_test::random_matrix(7, 4, 0, 10, 9);
  uneven.circuit.bitline_ohm = xbar_test::random_matrix(6, 5, 0, 10, 10);
  check_against_ngspice(uneven);
  // Some terminals held, some segments without resistance.
  uneven.circuit.left_ohm(1) = uneven.circuit.bottom_ohm(4) = uneven.circuit.top_ohm(0) = 0;
  uneven.circuit.wordline_ohm(1, 0) = uneven.circuit.wordline_ohm(5, 2) = 0;
  uneven.circuit.bitline_ohm(3, 1) = uneven.circuit.bitline_ohm(5, 4) = 0;
  check_against_ngspice(uneven);
}

TEST_CASE("solver/spice_netlist: ngspice agrees on every fault", "[solver]") {
  if (!xbar_test::have_ngspice()) return;
  const auto check = [](const std::string& name, const auto& fault) {
    Case test{name, test_circuit()};
    test.circuit.wordline_ohm = Matrix::Constant(7, 4, 2.5);
    test.circuit.bitline_ohm = Matrix::Constant(6, 5, 3.5);
    fault(test.circuit);
    check_against_ngspice(test);
  };
  check("open row of cells", [](Circuit& c) { c.conductance.row(2).setZero(); });
  check("shorted cell", [](Circuit& c) { c.conductance(4, 1) = open; });
  check("shorted cells on one wordline and one bitline",
        [](Circuit& c) { c.conductance(4, 1) = c.conductance(4, 3) = c.conductance(0, 1) = open; });
  check("broken wordline", [](Circuit& c) { c.wordline_ohm(3, 0) = open; });
  check("broken bitline", [](Circuit& c) { c.bitline_ohm(5, 2) = open; });
  check("a loop of merged nodes", [](Circuit& c) {
    c.conductance(1, 1) = c.conductance(1, 2) = c.conductance(2, 1) = c.conductance(2, 2) = open;
    c.wordline_ohm(1, 1) = c.wordline_ohm(2, 1) = 0;
    c.bitline_ohm(1, 1) = c.bitline_ohm(1, 2) = 0;
  });
  check("all at once", [](Circuit& c) {
    c.conductance(4, 1) = c.conductance(6, 4) = open;
    c.conductance(0, 0) = 0;
    c.wordline_ohm(3, 0) = c.wordline_ohm(5, 3) = open;
    c.bitline_ohm(5, 2) = c.bitline_ohm(0, 4) = open;
    c.left_ohm(1) = c.bottom_ohm(3) = open;
  });
}

TEST_CASE("solver/spice_netlist: every cell model, element by element", "[solver]") {
  const Circuit circuit = make_circuit(Matrix::Constant(1, 1, 0.5e-3), {100, 0, 0, 0});
  const auto cell = [&](const char* name, const xbar::device::CellSettings& settings) {
    const std::string text = spice_netlist(circuit, *xbar::device::make_cell_model(name, settings),
                                           Vector::Ones(1), Vector(), Vector::Zero(1));
    const std::size_t begin = text.find("\nrs_0 s_0 u_0_0 100\n");
    REQUIRE(begin != std::string::npos);
    return text.substr(begin + 20, text.find("vk_0 k_0") - begin - 20);
  };
  CHECK(cell("linear", {}) == "rc_0_0 u_0_0 k_0 2000\n");
  // G / a = 0.25 mA
  CHECK(cell("sinh", {{{"sinh_alpha", 2}}, {}, {}}) ==
        "bc_0_0 u_0_0 k_0 i=0.00025000000000000001*sinh(2*v(u_0_0,k_0))\n");
  CHECK(cell("series-resistance", {{{"access_ohm", 3000}}, {}, {}}) == "rc_0_0 u_0_0 k_0 5000\n");
  CHECK(cell("series-resistance", {{{"access_ohm", 3000}, {"sinh_alpha", 2}}, {}, {}}) ==
        "bc_0_0 u_0_0 c_0_0 i=0.00025000000000000001*sinh(2*v(u_0_0,c_0_0))\n"
        "rc_0_0 c_0_0 k_0 3000\n");
  CHECK(cell("selector", {{{"selector_ampere", 0.25}, {"selector_volt", 0.5}}, {}, {}}) ==
        "bc_0_0 u_0_0 c_0_0 i=0.25*sinh(2*v(u_0_0,c_0_0))\nrc_0_0 c_0_0 k_0 2000\n");
  CHECK(
      cell(
          "transistor",
          {{{"gate_volt", 2}, {"threshold_volt", 0.5}, {"transconductance", 0.5}, {"lambda", 0.25}},
           {},
           {}}) ==
      "rc_0_0 u_0_0 c_0_0 2000\nbc_0_0 c_0_0 k_0 i=0.25*(min(v(c_0_0,k_0),1.5)+0)*(1.5+uramp(1.5-"
      "v(c_0_0,k_0)))*(1+0.25*abs(v(c_0_0,k_0)))\n");
  // Secants 4 and 1 of equal steps: slope 2 / (1/4 + 1/1) = 1.6 at 0, as the secants at the ends.
  const Matrix table{{-1, -4}, {0, 0}, {1, 1}};
  CHECK(cell("table", {{}, {}, table}) ==
        "bc_0_0 u_0_0 k_0 i=0.00050000000000000001*cell_table(v(u_0_0,k_0))\n");
  CHECK_THAT(spice_netlist(circuit, *xbar::device::make_cell_model("table", {{}, {}, table}),
                           Vector::Ones(1), Vector(), Vector::Zero(1)),
             xbar_test::Contains(".func cell_table(x) {(x<0?(x<-1?"));
}

TEST_CASE("solver/spice_netlist: a gate that does not fit the array is refused", "[solver]") {
  const Circuit circuit = make_circuit(Matrix::Ones(2, 2), {1, 1, 0, 0});
  const auto cells = xbar::device::make_cell_model("transistor", {{}, Vector::Ones(3), {}});
  REQUIRE_THROWS_WITH(spice_netlist(circuit, *cells, Vector::Ones(2), Vector(), Vector::Zero(2)),
                      xbar_test::Contains("gate_volt: expected one value, 2 x 1"));
}

TEST_CASE("solver/spice_netlist: ngspice gets Newton's currents from every cell model",
          "[solver]") {
  if (!xbar_test::have_ngspice()) return;
  constexpr Index size = 8;
  Matrix conductance = xbar_test::random_matrix(size, size, 1e-6, 1e-4, 1);
  conductance(3, 2) = 0;
  Circuit circuit = make_circuit(conductance, {500, 100, 2.5, 3.5});
  const Matrix voltage = xbar_test::random_matrix(size, 1, -1, 1, 2);
  const auto check = [&](const char* name, const xbar::device::CellSettings& settings) {
    const auto cells = xbar::device::make_cell_model(name, settings);
    xbar::solver::NewtonOptions options;
    options.method = xbar::solver::NewtonMethod::klu;
    options.tolerance = 1e-13;
    const Matrix solved =
        xbar::solver::solve_newton(circuit, *cells, {voltage, {}}, options).current;
    const std::string netlist =
        spice_netlist(circuit, *cells, voltage.col(0), Vector(), solved.col(0));
    CAPTURE(name, netlist);
    // The differences are up to 1e-11: ngspice stops there.
    CHECK(xbar_test::relative_error(ngspice_currents(netlist, size), solved) <= 1e-9);
  };
  check("linear", {});
  check("sinh", {{{"sinh_alpha", 3}}, {}, {}});
  check("sinh", {{{"sinh_alpha", 0}}, {}, {}});
  check("series-resistance", {{{"access_ohm", 2e4}}, {}, {}});
  check("series-resistance", {{{"access_ohm", 2e4}, {"sinh_alpha", 3}}, {}, {}});
  check("selector", {});
  check("transistor", {});
  // Gates below, at and above the threshold, and cells that saturate.
  const Matrix gate = xbar_test::random_matrix(1, size, 0.2, 1.2, 3);
  check("transistor", {{{"transconductance", 1e-4}}, gate, {}});
  check("transistor", {{{"transconductance", 1e-4}, {"lambda", 0}}, Matrix(gate.transpose()), {}});
  // Cells within the table, in flat pieces of it and beyond its ends.
  check("table",
        {{}, {}, Matrix{{-0.5, -2}, {-0.1, -0.1}, {0, 0}, {0.1, 0.2}, {0.3, 0.2}, {0.7, 3}}});
  Matrix fine(201, 2);
  for (Index k = 0; k < 201; ++k) {
    fine(k, 0) = 0.01 * static_cast<double>(k - 100);
    fine(k, 1) = std::sinh(3 * fine(k, 0)) / 3;
  }
  check("table", {{}, {}, fine});
  // Two merged terminals of cells, and unequal ends.
  circuit = make_circuit(conductance, {500, 0, 0, 3.5}, DriveEnds::both, SenseEnds::both);
  check("selector", {});
  check("transistor", {});
}
