#include <limits>
#include <vector>

#include <xbar/core/error.hpp>
#include <xbar/solver/solve.hpp>

#include "support/arrays.hpp"
#include "support/catch.hpp"
#include "support/dense_reference.hpp"

using xbar::Index;
using xbar::Matrix;
using xbar::Vector;
using xbar::WireResistance;
using xbar::solver::solve;
using xbar::solver::SolveMethod;
using xbar::solver::SolveOptions;
using xbar_test::random_matrix;
using xbar_test::relative_error;
using xbar_test::WithinRel;

namespace {

constexpr SolveMethod methods[] = {SolveMethod::line, SolveMethod::direct};

SolveOptions with(SolveMethod method) {
  SolveOptions options;
  options.method = method;
  return options;
}

}  // namespace

TEST_CASE("solver/solve: one cell is a series circuit", "[solver]") {
  // 1 V through 100 ohm (source) + 1/1 mS = 1000 ohm (cell) + 400 ohm (sink): 1/1500 A. The line
  // resistances do not appear: there is no segment before the first or after the last cell.
  const Matrix conductance = Matrix::Constant(1, 1, 1e-3);
  const Matrix voltage = Matrix::Constant(1, 1, 1.0);
  for (const SolveMethod method : methods) {
    const auto result = solve(conductance, voltage, {100, 400, 7, 9}, with(method));
    REQUIRE_THAT(result.current(0, 0), WithinRel(1.0 / 1500.0, 1e-14));
  }
}

TEST_CASE("solver/solve: a 2 x 2 array with source resistance only, by hand", "[solver]") {
  // Bitlines at ground: wordline i is a divider of source 100 ohm and its two cells in parallel.
  // Row 0: 1 mS + 3 mS = 4 mS -> u0 = 1/(1 + 0.4) = 1/1.4; row 1: 2 mS + 4 mS -> u1 = 2/(1 + 0.6).
  Matrix conductance(2, 2);
  conductance << 1e-3, 3e-3, 2e-3, 4e-3;
  Matrix voltage(2, 1);
  voltage << 1, 2;
  const double u0 = 1 / 1.4;
  const double u1 = 2 / 1.6;
  for (const SolveMethod method : methods) {
    const auto result = solve(conductance, voltage, {100, 0, 0, 0}, with(method));
    REQUIRE_THAT(result.current(0, 0), WithinRel(1e-3 * u0 + 2e-3 * u1, 1e-14));
    REQUIRE_THAT(result.current(1, 0), WithinRel(3e-3 * u0 + 4e-3 * u1, 1e-14));
  }
}

TEST_CASE("solver/solve: a 1 x 2 wordline with one segment, by hand", "[solver]") {
  // Source at 0 ohm: cell 0 sees 1 V: 1 mA. Cell 1 behind 500 ohm: 1/(500 + 500) A.
  Matrix conductance(1, 2);
  conductance << 1e-3, 2e-3;
  const Matrix voltage = Matrix::Constant(1, 1, 1.0);
  for (const SolveMethod method : methods) {
    const auto result = solve(conductance, voltage, {0, 0, 500, 0}, with(method));
    REQUIRE_THAT(result.current(0, 0), WithinRel(1e-3, 1e-14));
    REQUIRE_THAT(result.current(1, 0), WithinRel(1e-3, 1e-14));
  }
}

TEST_CASE("solver/solve: random circuits up to 5 x 5 match dense elimination", "[solver]") {
  const double ohm[] = {0.0, 1e-3, 1.0, 50.0, 1e4};
  const xbar::RandomStream draw(20260101, "circuits");
  double worst[2] = {0, 0};
  for (std::uint64_t k = 0; k < 400; ++k) {
    const auto m = static_cast<Index>(1 + draw.below(10 * k, 5));
    const auto n = static_cast<Index>(1 + draw.below(10 * k + 1, 5));
    Matrix conductance = random_matrix(m, n, 1e-6, 1e-3, k);
    if (draw.uniform(10 * k + 2) < 0.3) {  // some open cells
      conductance(static_cast<Index>(draw.below(10 * k + 3, static_cast<std::uint64_t>(m))), 0) = 0;
    }
    const Matrix voltage = random_matrix(m, 1, -1, 1, k + 1000);
    const WireResistance wires{ohm[draw.below(10 * k + 4, 5)], ohm[draw.below(10 * k + 5, 5)],
                               ohm[draw.below(10 * k + 6, 5)], ohm[draw.below(10 * k + 7, 5)]};
    const Matrix reference = xbar_test::dense_currents(conductance, voltage.col(0), wires);
    for (const SolveMethod method : methods) {
      const auto result = solve(conductance, voltage, wires, with(method));
      const double error = relative_error(result.current, reference);
      CAPTURE(k, m, n, wires.source_ohm, wires.sink_ohm, wires.wordline_ohm, wires.bitline_ohm,
              result.report.brief());
      // 1e-10 is the promise; 1e-3 ohm segments beside 1 Mohm cells cost about three digits of
      // 1e-16.
      REQUIRE(error <= 1e-10);
      worst[method == SolveMethod::direct] = std::max(worst[method == SolveMethod::direct], error);
    }
  }
  CAPTURE(worst[0], worst[1]);
  REQUIRE(worst[0] <= 1e-11);
}

TEST_CASE("solver/solve: without wires I = G^T V", "[solver]") {
  const Matrix conductance = random_matrix(9, 7, 1e-6, 1e-4, 1);
  const Matrix voltage = random_matrix(9, 3, -1, 1, 2);
  const Matrix ideal = conductance.transpose() * voltage;
  for (const SolveMethod method : methods) {
    REQUIRE(relative_error(solve(conductance, voltage, {}, with(method)).current, ideal) <= 1e-14);
    // The limit of small wires: the loss is of the order of r g n = 1e-6 * 1e-4 * 10.
    const auto nearly = solve(conductance, voltage, {1e-6, 1e-6, 1e-6, 1e-6}, with(method));
    const double loss = relative_error(nearly.current, ideal);
    REQUIRE(loss <= 1e-8);
    REQUIRE(loss >= 1e-12);
  }
}

TEST_CASE("solver/solve: currents of a sum of inputs are the sum of their currents", "[solver]") {
  const Matrix conductance = random_matrix(33, 17, 5e-6, 5e-5, 3);
  Matrix voltage = random_matrix(33, 3, -1, 1, 4);
  voltage.col(2) = 2 * voltage.col(0) - 3 * voltage.col(1);
  for (const SolveMethod method : methods) {
    const Matrix current = solve(conductance, voltage, {500, 100, 2.5, 2.5}, with(method)).current;
    const Matrix sum = 2 * current.col(0) - 3 * current.col(1);
    REQUIRE(relative_error(current.col(2), sum) <= 1e-12);
  }
}

TEST_CASE("solver/solve: what the sources give is what the sinks take", "[solver]") {
  const Matrix conductance = random_matrix(20, 31, 5e-6, 5e-5, 5);
  const Matrix voltage = random_matrix(20, 1, 0, 1, 6);
  for (const SolveMethod method : methods) {
    SolveOptions options = with(method);
    options.node_voltages = true;
    const auto result = solve(conductance, voltage, {200, 50, 3, 4}, options);
    const auto& nodes = result.nodes.front();
    const double given = ((voltage.col(0) - nodes.wordline.col(0)) / 200.0).sum();
    const double taken = (nodes.bitline.row(19) / 50.0).sum();
    REQUIRE_THAT(given, WithinRel(taken, 1e-10));
    REQUIRE_THAT(result.current.sum(), WithinRel(taken, 1e-10));
    REQUIRE(result.report.kcl_residual <= 1e-9);
    // No node outside the range of the terminals.
    REQUIRE(nodes.wordline.minCoeff() >= 0);
    REQUIRE(nodes.wordline.maxCoeff() <= voltage.maxCoeff());
  }
}

TEST_CASE("solver/solve: more resistance anywhere never gives more total current", "[solver]") {
  const Matrix conductance = random_matrix(16, 16, 5e-6, 5e-4, 7);
  const Matrix voltage = Matrix::Ones(16, 1);
  const auto total = [&](const WireResistance& wires) {
    return solve(conductance, voltage, wires).current.sum();
  };
  for (const double factor : {0.5, 2.0, 10.0}) {
    const WireResistance base{100, 100, 5, 5};
    for (int which = 0; which < 4; ++which) {
      WireResistance more = base;
      double* fields[] = {&more.source_ohm, &more.sink_ohm, &more.wordline_ohm, &more.bitline_ohm};
      *fields[which] *= factor;
      const bool less_current = total(more) < total(base);
      REQUIRE(less_current == (factor > 1));
    }
  }
}

TEST_CASE("solver/solve: small and large resistances approach their limits", "[solver]") {
  // Each resistance in turn: the change from 0 ohm is linear in it while it is small, and the
  // current falls like its inverse when it is large (through a terminal all of it must pass).
  const Matrix conductance = random_matrix(12, 9, 1e-5, 1e-4, 21);
  const Matrix voltage = Matrix::Ones(12, 1);
  for (const SolveMethod method : {SolveMethod::line, SolveMethod::direct}) {
    for (double WireResistance::*member :
         {&WireResistance::source_ohm, &WireResistance::sink_ohm, &WireResistance::wordline_ohm,
          &WireResistance::bitline_ohm}) {
      const auto total = [&](double ohm) {
        WireResistance wires{20, 30, 2, 3};
        wires.*member = ohm;
        return solve(conductance, voltage, wires, with(method)).current.sum();
      };
      const double none = total(0);
      const double small = none - total(1e-4);
      const double twice = none - total(2e-4);
      REQUIRE(small > 0);
      REQUIRE_THAT(twice / small, WithinRel(2.0, 1e-3));
      // The largest change that 1e-4 ohm could make: all current through all of it.
      REQUIRE(small < none * 1e-4 * 12 * 9 * conductance.sum());
    }
    for (double WireResistance::*member :
         {&WireResistance::source_ohm, &WireResistance::sink_ohm}) {
      WireResistance wires{20, 30, 2, 3};
      wires.*member = 1e9;
      const double all = solve(conductance, voltage, wires, with(method)).current.sum();
      // 12 sources, or 9 sinks, of 1 Gohm in parallel at 1 V.
      const double lines = member == &WireResistance::source_ohm ? 12 : 9;
      REQUIRE_THAT(all, WithinRel(lines * 1e-9, 1e-3));
      REQUIRE(all < lines * 1e-9);
    }
  }
}

TEST_CASE("solver/solve: lines without line resistance may change places", "[solver]") {
  const Matrix conductance = random_matrix(8, 6, 1e-5, 1e-3, 22);
  const Matrix voltage = random_matrix(8, 2, -1, 1, 23);
  const WireResistance wires{100, 50, 0, 0};
  const std::vector<Index> rows{3, 0, 7, 1, 6, 2, 5, 4};
  const std::vector<Index> columns{5, 2, 0, 4, 1, 3};
  for (const SolveMethod method : {SolveMethod::line, SolveMethod::direct}) {
    const Matrix current = solve(conductance, voltage, wires, with(method)).current;
    const Matrix moved =
        solve(conductance(rows, columns), voltage(rows, Eigen::all), wires, with(method)).current;
    REQUIRE(relative_error(moved, current(columns, Eigen::all)) <= 1e-12);
  }
}

TEST_CASE("solver/solve: an array seen in a mirror is driven and sensed at the other ends",
          "[solver]") {
  using xbar::solver::DriveEnds;
  using xbar::solver::make_circuit;
  using xbar::solver::SenseEnds;
  const Matrix conductance = random_matrix(9, 14, 1e-5, 1e-3, 24);
  const Matrix voltage = random_matrix(9, 1, -1, 1, 25);
  const WireResistance wires{100, 50, 3, 4};
  for (const SolveMethod method : {SolveMethod::line, SolveMethod::direct}) {
    const Matrix current = solve(conductance, voltage, wires, with(method)).current;
    const Matrix mirrored = conductance.reverse();
    const Matrix turned = solve(make_circuit(mirrored, wires, DriveEnds::right, SenseEnds::top),
                                {voltage.colwise().reverse(), {}}, with(method))
                              .current;
    REQUIRE(relative_error(turned.colwise().reverse(), current) <= 1e-12);
  }
}

TEST_CASE("solver/solve: extreme resistances agree between the methods", "[solver]") {
  const Matrix conductance = random_matrix(24, 24, 1e-4, 1e-2, 8);  // 100 ohm to 10 kohm
  const Matrix voltage = random_matrix(24, 2, -1, 1, 9);
  for (const WireResistance& wires :
       {WireResistance{100, 100, 100, 100}, WireResistance{1e6, 1e-6, 1e3, 1e-6},
        WireResistance{0, 1e9, 0, 1}, WireResistance{1e-9, 1e-9, 1e-9, 1e-9},
        WireResistance{0, 0, 0, 1000}}) {
    const auto line = solve(conductance, voltage, wires, with(SolveMethod::line));
    const auto direct = solve(conductance, voltage, wires, with(SolveMethod::direct));
    CAPTURE(wires.source_ohm, wires.sink_ohm, line.report.brief(), direct.report.brief());
    REQUIRE(relative_error(line.current, direct.current) <= 1e-10);
    REQUIRE_FALSE(line.report.fell_back);
  }
}

TEST_CASE("solver/solve: line hands over to direct when it runs out of iterations", "[solver]") {
  const Matrix conductance = random_matrix(16, 16, 1e-4, 1e-2, 10);
  const Matrix voltage = Matrix::Ones(16, 1);
  SolveOptions options;
  options.max_iterations = 2;
  const auto result = solve(conductance, voltage, {100, 100, 100, 100}, options);
  REQUIRE(result.report.fell_back);
  REQUIRE(result.report.method == SolveMethod::direct);
  REQUIRE_THAT(result.report.brief(), xbar_test::Contains("not solved after 2 of 2 iterations"));
  const auto reference = solve(conductance, voltage, {100, 100, 100, 100});
  REQUIRE(relative_error(result.current, reference.current) <= 1e-10);
}

TEST_CASE("solver/solve: a dead array carries no current", "[solver]") {
  for (const SolveMethod method : methods) {
    const auto open = solve(Matrix::Zero(4, 3), Matrix::Ones(4, 1), {10, 10, 1, 1}, with(method));
    REQUIRE(open.current.cwiseAbs().maxCoeff() == 0.0);
    const auto off =
        solve(Matrix::Constant(4, 3, 1e-4), Matrix::Zero(4, 1), {10, 10, 1, 1}, with(method));
    REQUIRE(off.current.cwiseAbs().maxCoeff() == 0.0);
  }
}

TEST_CASE("solver/solve: the symbolic analysis is reused, the answer is not", "[solver]") {
  const auto solver = xbar::solver::make_array_solver(SolveMethod::direct);
  const Matrix voltage = Matrix::Ones(6, 1);
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    const Matrix conductance = random_matrix(6, 5, 1e-5, 1e-3, seed);
    for (const WireResistance& wires : {WireResistance{10, 20, 1, 2}, WireResistance{5, 0, 1, 2}}) {
      solver->factor(xbar::solver::make_circuit(conductance, wires));
      const Matrix reference = xbar_test::dense_currents(conductance, voltage.col(0), wires);
      REQUIRE(relative_error(solver->solve({voltage, {}}, {}).current, reference) <= 1e-11);
    }
  }
}

TEST_CASE("solver/solve: errors name the argument, what was expected and what was found",
          "[solver]") {
  const Matrix good = Matrix::Constant(3, 2, 1e-4);
  const Matrix voltage = Matrix::Ones(3, 1);
  const auto message = [](const Matrix& g, const Matrix& v, const WireResistance& wires) {
    try {
      (void)solve(g, v, wires);
    } catch (const xbar::InvalidArgument& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  using xbar_test::Contains;
  const double infinity = std::numeric_limits<double>::infinity();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  Matrix bad = good;
  bad(2, 1) = -1e-6;
  REQUIRE_THAT(message(bad, voltage, {}),
               Contains("conductance") && Contains("wordline 2, bitline 1"));
  bad(2, 1) = nan;
  REQUIRE_THAT(message(bad, voltage, {}), Contains("nan"));
  bad(2, 1) = infinity;
  REQUIRE_THAT(message(bad, voltage, {}), Contains("inf"));
  REQUIRE_THAT(message(Matrix(0, 0), voltage, {}), Contains("at least 1 x 1"));
  REQUIRE_THAT(message(good, Matrix::Ones(2, 1), {}),
               Contains("expected 3 rows") && Contains("2 x 1"));
  REQUIRE_THAT(message(good, Matrix(3, 0), {}), Contains("p = 0"));
  REQUIRE_THAT(message(good, Matrix::Constant(3, 1, nan), {}), Contains("voltage"));
  REQUIRE_THAT(message(good, voltage, {-1, 0, 0, 0}), Contains("source-ohm") && Contains("-1"));
  REQUIRE_THAT(message(good, voltage, {0, infinity, 0, 0}), Contains("sink-ohm"));
  REQUIRE_THAT(message(good, voltage, {0, 0, nan, 0}), Contains("wordline-ohm"));
  REQUIRE_THAT(message(good, voltage, {0, 0, 0, -3}), Contains("bitline-ohm"));
}

TEST_CASE("solver/solve: the badcrossbar README array", "[solver]") {
  // badcrossbar has a first segment r_i at each source and a last one at each ground: here they are
  // source_ohm and sink_ohm. Its README prints 0.00986 A for device (0, 3); the output currents are
  // those of an independent nodal solver.
  Matrix resistance(3, 5);
  resistance << 345, 903, 755, 257, 646, 652, 401, 508, 166, 454, 442, 874, 190, 244, 635;
  const Matrix conductance = resistance.cwiseInverse();
  Matrix voltage(3, 1);
  voltage << 2.6, 1.1, 3.3;
  const double expected[] = {0.016499341, 0.009253888, 0.022471162, 0.029380425, 0.011366741};
  for (const SolveMethod method : methods) {
    SolveOptions options = with(method);
    options.node_voltages = true;
    const auto result = solve(conductance, voltage, {0.5, 0.5, 0.5, 0.5}, options);
    for (Index j = 0; j < 5; ++j) {
      REQUIRE_THAT(result.current(j, 0), xbar_test::WithinAbs(expected[j], 1e-9));
    }
    const auto& nodes = result.nodes.front();
    const double device = conductance(0, 3) * (nodes.wordline(0, 3) - nodes.bitline(0, 3));
    REQUIRE_THAT(device, xbar_test::WithinAbs(0.0098562, 1e-7));
  }
}
