#include <cstdlib>
#include <filesystem>
#include <sstream>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/solver/solve.hpp>
#include <xbar/solver/spice_netlist.hpp>

#include "support/arrays.hpp"
#include "support/catch.hpp"

namespace fs = std::filesystem;
using xbar::Index;
using xbar::Matrix;
using xbar::Vector;
using xbar::WireResistance;
using xbar::solver::spice_netlist;

TEST_CASE("solver/spice_netlist: a 1 x 1 array, element by element", "[solver]") {
  const std::string text = spice_netlist(Matrix::Constant(1, 1, 0.5e-3), Vector::Constant(1, 0.25),
                                         {100, 0, 3, 4}, Vector::Constant(1, 1e-4));
  REQUIRE_THAT(text, xbar_test::Contains("\nv_0 s_0 0 dc 0.25\nrs_0 s_0 u_0_0 100\n"
                                         "rc_0_0 u_0_0 k_0 2000\nvk_0 k_0 0 dc 0\n"));
  REQUIRE_THAT(text, xbar_test::Contains("*   i(vk_0) = 0.0001"));
  REQUIRE_THROWS_AS(spice_netlist(Matrix::Ones(1, 1), Vector::Ones(1), {}, Vector::Ones(2)),
                    xbar::InvalidArgument);
}

TEST_CASE("solver/spice_netlist: ngspice gets the solver's currents", "[solver]") {
  if (std::system("command -v ngspice >/dev/null 2>&1") != 0) {
    WARN("skipped: ngspice is not installed (scripts/install-deps --spice)");
    return;
  }
  std::string pattern = (fs::temp_directory_path() / "xbar-spice-XXXXXX").string();
  REQUIRE(mkdtemp(pattern.data()) != nullptr);
  const fs::path folder = pattern;
  Matrix conductance = xbar_test::random_matrix(7, 5, 1e-6, 1e-3, 1);
  conductance(3, 2) = 0;
  const Matrix voltage = xbar_test::random_matrix(7, 1, -1, 1, 2);
  for (const WireResistance& wires :
       {WireResistance{500, 100, 2.5, 3.5}, WireResistance{0, 0, 2, 3}, WireResistance{50, 0, 0, 1},
        WireResistance{0, 70, 4, 0}, WireResistance{0, 0, 0, 0}}) {
    const auto solved = xbar::solver::solve(conductance, voltage, wires);
    xbar::write_file_atomically(folder / "array.cir", spice_netlist(conductance, voltage.col(0),
                                                                    wires, solved.current.col(0)));
    const std::string command =
        "cd '" + folder.string() + "' && ngspice -b array.cir >out.txt 2>&1";
    REQUIRE(std::system(command.c_str()) == 0);
    std::istringstream lines(xbar::read_file(folder / "out.txt"));
    Matrix found = Matrix::Constant(5, 1, std::nan(""));
    for (std::string line; std::getline(lines, line);) {
      int bitline = 0;
      double ampere = 0;
      if (std::sscanf(line.c_str(), "i(vk_%d) = %lf", &bitline, &ampere) == 2 && bitline < 5) {
        found(bitline, 0) = ampere;
      }
    }
    CAPTURE(wires.source_ohm, wires.sink_ohm, wires.wordline_ohm, wires.bitline_ohm);
    REQUIRE(xbar_test::relative_error(found, solved.current) <= 1e-9);
  }
  fs::remove_all(folder);
}
