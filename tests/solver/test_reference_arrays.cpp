/// Solved arrays from outside the project, ngspice's among them; read where they are present.

#include <filesystem>
#include <fstream>
#include <vector>

#include <nlohmann/json.hpp>

#include <xbar/solver/effective_conductance.hpp>
#include <xbar/solver/solve.hpp>

#include "support/arrays.hpp"
#include "support/catch.hpp"

namespace fs = std::filesystem;
using xbar::Index;
using xbar::Matrix;

TEST_CASE("solver/reference_arrays: linear cases at 1e-10 by both methods", "[solver]") {
  const fs::path folder = fs::path(XBAR_SHARED_DIR) / "reference" / "array";
  if (!fs::exists(folder)) {
    WARN("skipped: " << folder << " is not there");
    return;
  }
  int cases = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    std::ifstream stream(entry.path());
    const auto data = nlohmann::json::parse(stream);
    if (data.at("kind") != "linear_dc") continue;
    ++cases;
    const auto m = data.at("m").get<Index>();
    const auto n = data.at("n").get<Index>();
    Matrix conductance(m, n);
    Matrix voltage(m, 1);
    Matrix reference(n, 1);
    for (Index i = 0; i < m; ++i) {
      const auto row = data.at("conductance").at(static_cast<std::size_t>(i));
      voltage(i, 0) = data.at("voltage").at(static_cast<std::size_t>(i));
      for (Index j = 0; j < n; ++j) conductance(i, j) = row.at(static_cast<std::size_t>(j));
    }
    for (Index j = 0; j < n; ++j) {
      reference(j, 0) = data.at("current_exact").at(static_cast<std::size_t>(j));
    }
    const xbar::WireResistance wires{data.at("source_ohm"), data.at("sink_ohm"),
                                     data.at("wordline_ohm"), data.at("bitline_ohm")};
    CAPTURE(entry.path().filename().string());
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
  REQUIRE(cases >= 10);
}
