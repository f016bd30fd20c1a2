#include <xbar/solver/effective_conductance.hpp>
#include <xbar/solver/solve.hpp>

#include "support/arrays.hpp"
#include "support/catch.hpp"
#include "support/reference_arrays.hpp"

using xbar::Matrix;

TEST_CASE("solver/reference_arrays: linear cases at 1e-10 by both methods", "[solver]") {
  for (const auto& [name, conductance, voltage, wires, reference, data] :
       xbar_test::reference_arrays("linear_dc", 10)) {
    CAPTURE(name);
    for (const auto method : {xbar::solver::SolveMethod::line, xbar::solver::SolveMethod::direct}) {
      xbar::solver::SolveOptions options;
      options.method = method;
      const auto result = xbar::solver::solve(conductance, voltage, wires, options);
      CAPTURE(result.report.brief());
      REQUIRE_FALSE(result.report.fell_back);
      REQUIRE(xbar_test::relative_error(result.current, reference) <= 1e-10);
    }
    const Matrix effective = xbar::solver::effective_conductance(conductance, wires);
    REQUIRE(xbar_test::relative_error(effective.transpose() * voltage, reference) <= 1e-10);
  }
}
