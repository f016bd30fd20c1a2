#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include <xbar/core/error.hpp>
#include <xbar/core/random.hpp>
#include <xbar/solver/effective_conductance.hpp>
#include <xbar/solver/solve.hpp>

#include "support/arrays.hpp"
#include "support/catch.hpp"

using xbar::Index;
using xbar::Matrix;
using xbar::Vector;
using xbar::solver::Circuit;
using xbar::solver::make_array_solver;
using xbar::solver::make_circuit;
using xbar::solver::SolveMethod;
using xbar::solver::SolveResult;
using xbar::solver::TerminalVoltage;
using xbar_test::random_matrix;
using xbar_test::relative_error;

namespace {

constexpr double open = std::numeric_limits<double>::infinity();

// Draws for one random circuit, counted from 0.
class Draws {
 public:
  explicit Draws(std::uint64_t seed) : stream_(seed, "test-line-solver") {}
  double uniform(double low, double high) { return stream_.uniform(next_++, low, high); }
  bool chance(double probability) { return uniform(0, 1) < probability; }
  double log_uniform(double low, double high) {
    return std::exp(uniform(std::log(low), std::log(high)));
  }
  Index index(Index low, Index high) {
    return low + static_cast<Index>(uniform(0, 1) * static_cast<double>(high - low + 1));
  }

 private:
  xbar::RandomStream stream_;
  std::uint64_t next_ = 0;
};

Matrix segments(Draws& draws, Index rows, Index columns, bool by_rows, double level,
                double broken) {
  const Index kind = draws.index(0, 2);
  Matrix ohm = kind == 0   ? Matrix(1, 1)
               : kind == 1 ? (by_rows ? Matrix(rows, 1) : Matrix(1, columns))
                           : Matrix(rows, columns);
  for (Index e = 0; e < ohm.size(); ++e) {
    ohm.data()[e] = draws.chance(0.02) ? 0.0 : level * draws.uniform(0.5, 2);
    if (kind == 2 && draws.chance(broken)) ohm.data()[e] = open;
  }
  return ohm;
}

// A terminal pair of one line: mostly one end, sometimes both, sometimes none; sometimes held.
void terminals(Draws& draws, double level, double floating, double& near, double& far) {
  const auto ohm = [&] { return draws.chance(0.1) ? 0.0 : level * draws.uniform(0.5, 2); };
  near = far = open;
  if (draws.chance(floating)) return;
  const Index kind = draws.index(0, 3);
  if (kind != 1) near = ohm();
  if (kind == 1 || kind == 2) far = ohm();
}

Circuit random_circuit(Draws& draws, Index most) {
  const Index m = draws.index(1, most);
  const Index n = draws.index(1, most);
  const double on_ohm = draws.log_uniform(100, 1e6);
  Circuit circuit;
  circuit.conductance.resize(m, n);
  const double open_cells = draws.chance(0.3) ? 0.2 : 0.0;
  for (Index e = 0; e < m * n; ++e) {
    circuit.conductance.data()[e] =
        draws.chance(open_cells) ? 0.0 : draws.log_uniform(0.05, 1) / on_ohm;
  }
  const double broken = draws.chance(0.3) ? 0.03 : 0.0;
  const double wire = draws.log_uniform(0.01, 200);
  circuit.wordline_ohm = segments(draws, m, std::max<Index>(n - 1, 1), true, wire, broken);
  circuit.bitline_ohm = segments(draws, std::max<Index>(m - 1, 1), n, false, wire, broken);
  const double floating = draws.chance(0.3) ? 0.4 : 0.0;
  const double terminal = draws.log_uniform(1, 1e4);
  circuit.left_ohm.resize(m);
  circuit.right_ohm.resize(m);
  circuit.top_ohm.resize(n);
  circuit.bottom_ohm.resize(n);
  for (Index i = 0; i < m; ++i) {
    terminals(draws, terminal, floating, circuit.left_ohm(i), circuit.right_ohm(i));
  }
  for (Index j = 0; j < n; ++j) {
    terminals(draws, terminal, floating, circuit.bottom_ohm(j), circuit.top_ohm(j));
  }
  return circuit;
}

}  // namespace

TEST_CASE("solver/line: agrees with direct on random circuits of every kind", "[solver]") {
  int solved = 0;
  int refused = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    Draws draws(seed);
    const Circuit circuit = random_circuit(draws, seed % 8 == 0 ? 70 : 20);
    const Index m = circuit.wordlines();
    const Index n = circuit.bitlines();
    TerminalVoltage voltage{random_matrix(m, 2, -1, 1, seed), {}};
    if (draws.chance(0.5)) voltage.bitline = random_matrix(n, 2, -0.5, 0.5, seed + 1);
    INFO("seed " << seed << ", " << m << " x " << n);
    try {
      check_circuit(circuit);
    } catch (const xbar::InvalidArgument&) {
      ++refused;  // some part floats
      continue;
    }
    const auto direct = make_array_solver(SolveMethod::direct);
    direct->factor(circuit);
    const SolveResult expected = direct->solve(voltage, {});
    const auto line = make_array_solver(SolveMethod::line);
    line->factor(circuit);
    const SolveResult result = line->solve(voltage, {});
    REQUIRE(relative_error(result.current, expected.current) <= 1e-10);
    ++solved;
  }
  CHECK(solved > 200);
  CHECK(refused > 5);
}

TEST_CASE("solver/line: many input vectors give what each gives alone", "[solver]") {
  const Circuit circuit = make_circuit(random_matrix(37, 50, 1e-5, 1e-4, 2), {50, 20, 3, 2});
  const TerminalVoltage voltage{random_matrix(37, 9, -1, 1, 3), random_matrix(50, 9, -1, 1, 4)};
  const auto line = make_array_solver(SolveMethod::line);
  line->factor(circuit);
  xbar::solver::SolveOptions options;
  options.node_voltages = true;
  const SolveResult together = line->solve(voltage, options);
  for (Index k = 0; k < 9; ++k) {
    const SolveResult alone =
        line->solve({voltage.wordline.col(k), voltage.bitline.col(k)}, options);
    const auto e = static_cast<std::size_t>(k);
    REQUIRE(together.current.col(k) == alone.current.col(0));
    REQUIRE(together.nodes[e].bitline == alone.nodes[0].bitline);
    REQUIRE(together.nodes[e].wordline == alone.nodes[0].wordline);
  }
}

TEST_CASE("solver/line: one solver takes arrays of changing shape", "[solver]") {
  // What an earlier array left in the work space must not reach a later one.
  const auto line = make_array_solver(SolveMethod::line);
  for (std::uint64_t seed = 500; seed < 560; ++seed) {
    Draws draws(seed);
    const Circuit circuit = random_circuit(draws, 40);
    if (!cannot_float(circuit)) continue;
    const TerminalVoltage voltage{random_matrix(circuit.wordlines(), 1, -1, 1, seed), {}};
    line->factor(circuit);
    const auto fresh = make_array_solver(SolveMethod::line);
    fresh->factor(circuit);
    INFO("seed " << seed);
    REQUIRE(line->solve(voltage, {}).current == fresh->solve(voltage, {}).current);
  }
}

TEST_CASE("solver/line: steps do not grow with the IR drop as without the coarse grid",
          "[solver]") {
  // What conjugate gradients with the bitlines alone take: 15, 50 and 98 steps.
  const auto steps = [](Index size, double g_max, const xbar::WireResistance& wires) {
    const auto line = make_array_solver(SolveMethod::line);
    line->factor(make_circuit(random_matrix(size, size, 0.1 * g_max, g_max, 6), wires));
    return line->solve({random_matrix(size, 1, 0, 1, 7), {}}, {}).report.iterations;
  };
  CHECK(steps(128, 1 / 20e3, {100, 100, 64, 64}) <= 10);
  CHECK(steps(128, 1 / 20e3, {100, 100, 1280, 1280}) <= 18);
  CHECK(steps(64, 1e-2, {100, 100, 100, 100}) <= 50);
}

TEST_CASE("solver/line: a large array, cut into panels for the threads", "[solver]") {
  // From 512 x 512 cells on, one vector is shared by the threads. The elimination of
  // effective_conductance() knows nothing of that.
  const Index m = 500;
  const Index n = 540;
  const Matrix conductance = random_matrix(m, n, 5e-6, 5e-5, 8);
  const Matrix voltage = random_matrix(m, 1, 0, 1, 9);
  const xbar::WireResistance wires{100, 100, 1, 1};
  const SolveResult result = xbar::solver::solve(conductance, voltage, wires);
  CHECK(result.report.method == SolveMethod::line);
  const Matrix expected =
      xbar::solver::effective_conductance(conductance, wires).transpose() * voltage;
  REQUIRE(relative_error(result.current, expected) <= 1e-10);
}

TEST_CASE("solver/line: shorted cells are handed to direct, and the report says why", "[solver]") {
  Circuit circuit = make_circuit(random_matrix(6, 7, 1e-5, 1e-4, 10), {50, 20, 3, 2});
  circuit.conductance(2, 3) = open;
  const TerminalVoltage voltage{random_matrix(6, 1, 0, 1, 11), {}};
  const SolveResult result = xbar::solver::solve(circuit, voltage);
  CHECK(result.report.fell_back);
  CHECK(result.report.method == SolveMethod::direct);
  CHECK_THAT(result.report.fallback_reason, xbar_test::Contains("shorted"));
  // A short of almost no resistance is its limit.
  circuit.conductance(2, 3) = 1e6;
  const SolveResult nearly = xbar::solver::solve(circuit, voltage);
  REQUIRE(relative_error(result.current, nearly.current) <= 1e-6);
}
