#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include <xbar/core/error.hpp>
#include <xbar/core/random.hpp>
#include <xbar/solver/solve.hpp>

#include "star_mesh.hpp"
#include "support/arrays.hpp"
#include "support/catch.hpp"
#include "support/dense_reference.hpp"
#include "support/random_circuit.hpp"

using xbar::Index;
using xbar::Matrix;
using xbar::Vector;
using xbar::solver::Circuit;
using xbar::solver::star_mesh_applies;
using xbar::solver::star_mesh_effective;
using xbar_test::relative_error;

namespace {

constexpr double open = std::numeric_limits<double>::infinity();

/// The textbook star-mesh transformation, node by node in long double on the dense matrix of all
/// conductances; a terminal of zero resistance is the node that it is joined to. Like the method
/// under test it only adds positive numbers, so that it can judge small entries; it shares no code,
/// no order and no blocks with it.
Matrix star_mesh_reference(const Circuit& circuit) {
  const Index m = circuit.wordlines();
  const Index n = circuit.bitlines();
  std::vector<Index> same(static_cast<std::size_t>(2 * m * n + m + n));
  std::iota(same.begin(), same.end(), Index{0});
  const auto find = [&](Index node) {
    while (same[static_cast<std::size_t>(node)] != node)
      node = same[static_cast<std::size_t>(node)];
    return node;
  };
  const auto u = [&](Index i, Index j) { return i * n + j; };
  const auto w = [&](Index i, Index j) { return m * n + i * n + j; };
  const auto driver = [&](Index i) { return 2 * m * n + i; };
  const auto sense = [&](Index j) { return 2 * m * n + m + j; };
  const auto merge = [&](double ohm, Index node, Index terminal) {
    if (ohm == 0) same[static_cast<std::size_t>(find(node))] = terminal;
  };
  for (Index i = 0; i < m; ++i) {
    merge(circuit.left_ohm(i), u(i, 0), driver(i));
    merge(circuit.right_ohm(i), u(i, n - 1), driver(i));
  }
  for (Index j = 0; j < n; ++j) {
    merge(circuit.top_ohm(j), w(0, j), sense(j));
    merge(circuit.bottom_ohm(j), w(m - 1, j), sense(j));
  }
  const auto count = same.size();
  std::vector<std::vector<long double>> g(count, std::vector<long double>(count, 0));
  const auto join = [&](Index a, Index b, long double siemens) {
    const auto x = static_cast<std::size_t>(find(a));
    const auto y = static_cast<std::size_t>(find(b));
    if (x == y) return;
    g[x][y] += siemens;
    g[y][x] += siemens;
  };
  for (Index i = 0; i < m; ++i) {
    join(driver(i), u(i, 0), 1.0L / circuit.left_ohm(i));
    join(driver(i), u(i, n - 1), 1.0L / circuit.right_ohm(i));
    for (Index j = 0; j < n; ++j) {
      join(u(i, j), w(i, j), circuit.conductance(i, j));
      if (j + 1 < n) join(u(i, j), u(i, j + 1), 1.0L / circuit.wordline_segment_ohm(i, j));
      if (i + 1 < m) join(w(i, j), w(i + 1, j), 1.0L / circuit.bitline_segment_ohm(i, j));
    }
  }
  for (Index j = 0; j < n; ++j) {
    join(sense(j), w(0, j), 1.0L / circuit.top_ohm(j));
    join(sense(j), w(m - 1, j), 1.0L / circuit.bottom_ohm(j));
  }
  for (Index node = 0; node < 2 * m * n; ++node) {
    if (find(node) != node) continue;
    const auto k = static_cast<std::size_t>(node);
    std::vector<std::size_t> neighbours;
    long double sum = 0;
    for (std::size_t e = 0; e < count; ++e) {
      if (g[k][e] == 0) continue;
      neighbours.push_back(e);
      sum += g[k][e];
    }
    for (const std::size_t a : neighbours) {
      for (const std::size_t b : neighbours) {
        if (a != b) g[a][b] += g[k][a] * g[k][b] / sum;
      }
    }
    for (const std::size_t a : neighbours) g[k][a] = g[a][k] = 0;
  }
  Matrix result(m, n);
  for (Index i = 0; i < m; ++i) {
    for (Index j = 0; j < n; ++j) {
      result(i, j) = static_cast<double>(
          g[static_cast<std::size_t>(driver(i))][static_cast<std::size_t>(sense(j))]);
    }
  }
  return result;
}

/// Largest |a - b| / |b| of an entry; an entry that should be 0 must be.
double entrywise_error(const Matrix& a, const Matrix& b) {
  REQUIRE(a.rows() == b.rows());
  REQUIRE(a.cols() == b.cols());
  double worst = 0;
  for (Index e = 0; e < b.size(); ++e) {
    const double x = a.data()[e];
    const double y = b.data()[e];
    if (!(x == y)) worst = std::fmax(worst, std::isnan(x) || y == 0 ? open : std::abs(x - y) / y);
  }
  return worst;
}

/// How a random circuit is drawn.
struct Draw {
  double cell_siemens = 1e-4;
  double segment_ohm = 3;
  double terminal_ohm = 100;
  /// All values are the above times 10^x, x uniform in [-spread, spread].
  double spread = 0.5;
  double zero_terminals = 0;  ///< share of terminals without resistance
  double open_terminals = 0.3;
  double open_cells = 0.1;
  double broken_segments = 0;
  bool far_ends = true;  ///< terminals also at the right and the top
};

/// Every line has a terminal; nothing floats unless segments are broken.
Circuit drawn_circuit(Index m, Index n, const Draw& draw, std::uint64_t seed) {
  const xbar::RandomStream stream(seed, "test-circuit");
  std::uint64_t index = 0;
  const auto chance = [&](double probability) {
    return stream.uniform(index++, 0, 1) < probability;
  };
  const auto value = [&](double middle) {
    return middle * std::pow(10.0, stream.uniform(index++, -draw.spread, draw.spread));
  };
  Circuit circuit;
  circuit.conductance.resize(m, n);
  for (Index e = 0; e < m * n; ++e) {
    circuit.conductance.data()[e] = chance(draw.open_cells) ? 0 : value(draw.cell_siemens);
  }
  const auto segments = [&](Matrix& ohm, Index rows, Index columns) {
    ohm.resize(rows, columns);
    for (Index e = 0; e < ohm.size(); ++e) {
      ohm.data()[e] = chance(draw.broken_segments) ? open : value(draw.segment_ohm);
    }
  };
  segments(circuit.wordline_ohm, m, n - 1);
  segments(circuit.bitline_ohm, m - 1, n);
  const auto terminals = [&](Vector& near, Vector& far, Index lines) {
    near = far = Vector::Constant(lines, open);
    const auto ohm = [&] { return chance(draw.zero_terminals) ? 0 : value(draw.terminal_ohm); };
    for (Index line = 0; line < lines; ++line) {
      const bool far_only = draw.far_ends && chance(draw.open_terminals);
      if (!far_only) near(line) = ohm();
      if (far_only || (draw.far_ends && !chance(draw.open_terminals))) far(line) = ohm();
    }
  };
  terminals(circuit.left_ohm, circuit.right_ohm, m);
  terminals(circuit.bottom_ohm, circuit.top_ohm, n);
  return circuit;
}

/// Breaks segments, but leaves the circuit as it was where a part would float.
void break_segments(Circuit& circuit, int count, std::uint64_t seed) {
  const xbar::RandomStream stream(seed, "test-broken");
  for (int k = 0; k < count; ++k) {
    const auto index = 2 * static_cast<std::uint64_t>(k);
    Matrix& ohm = stream.uniform(index, 0, 1) < 0.5 ? circuit.wordline_ohm : circuit.bitline_ohm;
    if (ohm.size() == 0) continue;
    const auto e =
        static_cast<Index>(stream.uniform(index + 1, 0, static_cast<double>(ohm.size())));
    const double before = std::exchange(ohm.data()[e], open);
    try {
      check_circuit(circuit);
    } catch (const xbar::InvalidArgument&) {
      ohm.data()[e] = before;
    }
  }
}

// 8 is the edge of a leaf, and one array is up to eight leaves in lanes before it is more.
constexpr std::pair<Index, Index> shapes[] = {{1, 1},   {1, 40},  {40, 1}, {2, 1},  {2, 2},
                                              {7, 9},   {8, 8},   {9, 8},  {8, 16}, {3, 25},
                                              {17, 33}, {33, 17}, {24, 24}};

// Nothing is ever subtracted, so that roundings of 1.1e-16 add up slowly: 3e-15 is the most that
// these circuits were seen to lose.
constexpr double tolerance = 1e-14;

/// The same by nodal analysis.
Matrix nodal_reference(const Circuit& circuit) {
  Matrix result(circuit.wordlines(), circuit.bitlines());
  for (Index i = 0; i < result.rows(); ++i) {
    result.row(i) = xbar_test::dense_solution(circuit, Vector::Unit(result.rows(), i),
                                              Vector::Zero(result.cols()))
                        .current;
  }
  return result;
}

}  // namespace

TEST_CASE("solver/star_mesh: any small circuit that it takes, by nodal analysis", "[solver]") {
  int taken = 0;
  for (std::uint64_t seed = 0; seed < 1500; ++seed) {
    const auto drawn = xbar_test::random_circuit(seed);
    if (drawn.floats || !star_mesh_applies(drawn.circuit)) continue;
    CAPTURE(seed);
    ++taken;
    const Matrix effective = star_mesh_effective(drawn.circuit);
    // The reference subtracts in long double: 7 digits between 1e3 and 1e-4 siemens leave 12.
    REQUIRE(relative_error(effective, nodal_reference(drawn.circuit)) <= 1e-12);
    // The reference of the other tests stands the same test.
    REQUIRE(entrywise_error(effective, star_mesh_reference(drawn.circuit)) <= tolerance);
  }
  REQUIRE(taken >= 100);
}

TEST_CASE("solver/star_mesh: one cell between its terminals, by hand", "[solver]") {
  // Terminals of a line in parallel, then all in series.
  const auto parallel = [](double a, double b) { return 1 / (1 / a + 1 / b); };
  for (const double left : {0.0, 40.0, open}) {
    for (const double right : {0.0, 60.0, open}) {
      if (left == open && right == open) continue;
      for (const double top : {0.0, 10.0, open}) {
        CAPTURE(left, right, top);
        Circuit circuit;
        circuit.conductance = Matrix::Constant(1, 1, 2e-3);
        circuit.wordline_ohm = circuit.bitline_ohm = Matrix::Zero(1, 1);  // no segment has it
        circuit.left_ohm = Vector::Constant(1, left);
        circuit.right_ohm = Vector::Constant(1, right);
        circuit.top_ohm = Vector::Constant(1, top);
        circuit.bottom_ohm = Vector::Constant(1, 30.0);
        const double total = parallel(left, right) + 500 + parallel(top, 30);
        REQUIRE_THAT(star_mesh_effective(circuit)(0, 0), xbar_test::WithinRel(1 / total, 1e-15));
      }
    }
  }
}

TEST_CASE("solver/star_mesh: every entry is accurate for usual arrays", "[solver]") {
  for (const auto& [m, n] : shapes) {
    for (const std::uint64_t seed : {11, 12}) {
      CAPTURE(m, n, seed);
      Draw draw;
      draw.far_ends = seed == 12;
      const Circuit circuit = drawn_circuit(m, n, draw, seed);
      REQUIRE(entrywise_error(star_mesh_effective(circuit), star_mesh_reference(circuit)) <=
              tolerance);
    }
  }
}

TEST_CASE("solver/star_mesh: terminals without resistance, at either end or both", "[solver]") {
  for (const auto& [m, n] : shapes) {
    for (const double share : {0.4, 1.0}) {
      CAPTURE(m, n, share);
      Draw draw;
      draw.zero_terminals = share;
      const Circuit circuit = drawn_circuit(m, n, draw, 21);
      REQUIRE(entrywise_error(star_mesh_effective(circuit), star_mesh_reference(circuit)) <=
              tolerance);
    }
  }
}

TEST_CASE("solver/star_mesh: broken segments and lines without a terminal", "[solver]") {
  for (const auto& [m, n] : shapes) {
    CAPTURE(m, n);
    Circuit circuit = drawn_circuit(m, n, {}, 31);
    if (m > 1 && n > 1) {
      // Neighbours reach these lines through their cells.
      circuit.left_ohm(m - 1) = circuit.right_ohm(m - 1) = open;
      circuit.top_ohm(n / 2) = circuit.bottom_ohm(n / 2) = open;
      check_circuit(circuit);
    }
    break_segments(circuit, static_cast<int>(m * n / 2), 32);
    const Matrix effective = star_mesh_effective(circuit);
    REQUIRE(entrywise_error(effective, star_mesh_reference(circuit)) <= tolerance);
  }
}

TEST_CASE("solver/star_mesh: resistances of one value, one a line, one a segment", "[solver]") {
  Circuit each = drawn_circuit(11, 20, {}, 41);
  Circuit line = each;
  line.wordline_ohm = each.wordline_ohm.col(0);
  line.bitline_ohm = each.bitline_ohm.row(0);
  each.wordline_ohm = line.wordline_ohm.replicate(1, 19);
  each.bitline_ohm = line.bitline_ohm.replicate(10, 1);
  REQUIRE(star_mesh_effective(line) == star_mesh_effective(each));
  Circuit same = line;
  same.wordline_ohm = same.bitline_ohm = Matrix::Constant(1, 1, 7.0);
  line.wordline_ohm.setConstant(7);
  line.bitline_ohm.setConstant(7);
  REQUIRE(star_mesh_effective(same) == star_mesh_effective(line));
}

TEST_CASE("solver/star_mesh: small entries are as accurate as large ones", "[solver]") {
  // Where ratios of wire to cell reach 1e12, a method that subtracts loses 12 digits.
  Draw good_wires;
  good_wires.segment_ohm = good_wires.terminal_ohm = 1e-6;
  good_wires.cell_siemens = 1e-6;
  Draw poor_wires;
  poor_wires.segment_ohm = poor_wires.terminal_ohm = 1e4;
  poor_wires.cell_siemens = 1e-2;
  // Entries of a result span 20 decades here.
  Draw anything;
  anything.spread = 8;
  for (const Draw& draw : {good_wires, poor_wires, anything}) {
    for (const auto& [m, n] : shapes) {
      for (const bool far_ends : {false, true}) {
        CAPTURE(draw.segment_ohm, m, n, far_ends);
        Draw now = draw;
        now.far_ends = far_ends;
        const Circuit circuit = drawn_circuit(m, n, now, 51);
        const Matrix effective = star_mesh_effective(circuit);
        REQUIRE(entrywise_error(effective, star_mesh_reference(circuit)) <= tolerance);
      }
    }
  }
}

TEST_CASE("solver/star_mesh: larger arrays agree with the iterative solution", "[solver]") {
  // Block sizes that are not a power of two, padding of 7 of 8 lines, long and narrow arrays; more
  // than 256 shared ports and more cells than the work space is kept for.
  for (const auto& [m, n] :
       {std::pair<Index, Index>{64, 64}, {65, 33}, {100, 10}, {5, 130}, {520, 510}}) {
    CAPTURE(m, n);
    const Circuit circuit = drawn_circuit(m, n, {}, 61);
    const Matrix voltage = xbar_test::random_matrix(m, 3, 0, 1, 62);
    const Matrix current = xbar::solver::solve(circuit, {voltage, {}}).current;
    // solve() states 1e-13 and is tested at 1e-10.
    REQUIRE(relative_error(star_mesh_effective(circuit).transpose() * voltage, current) <= 1e-11);
  }
}

TEST_CASE("solver/star_mesh: does not know the unit", "[solver]") {
  // A power of 4 changes no mantissa, not even of the square roots.
  const double scale = std::ldexp(1.0, -400);
  Circuit circuit = drawn_circuit(20, 13, {}, 71);
  const Matrix effective = star_mesh_effective(circuit);
  circuit.conductance *= scale;
  for (Matrix* ohm : {&circuit.wordline_ohm, &circuit.bitline_ohm}) *ohm /= scale;
  for (Vector* ohm :
       {&circuit.left_ohm, &circuit.right_ohm, &circuit.top_ohm, &circuit.bottom_ohm}) {
    *ohm /= scale;
  }
  REQUIRE(star_mesh_effective(circuit) == scale * effective);
}

TEST_CASE("solver/star_mesh: the kept work space leaves no trace", "[solver]") {
  const Circuit small = drawn_circuit(9, 12, {}, 81);
  const Circuit large = drawn_circuit(40, 29, {}, 82);
  const Matrix small_first = star_mesh_effective(small);
  const Matrix large_first = star_mesh_effective(large);
  REQUIRE(star_mesh_effective(small) == small_first);
  REQUIRE(star_mesh_effective(large) == large_first);
}

TEST_CASE("solver/star_mesh: takes what merges no nodes but with terminals", "[solver]") {
  Draw draw;
  draw.zero_terminals = 1;
  const Circuit circuit = drawn_circuit(4, 5, draw, 91);
  REQUIRE(star_mesh_applies(circuit));
  Circuit changed = circuit;
  changed.wordline_ohm(2, 1) = open;
  changed.left_ohm(0) = open;
  REQUIRE(star_mesh_applies(changed));
  changed = circuit;
  changed.wordline_ohm(2, 1) = 0;
  REQUIRE(!star_mesh_applies(changed));
  changed = circuit;
  changed.bitline_ohm(0, 3) = 0;
  REQUIRE(!star_mesh_applies(changed));
  changed = circuit;
  changed.conductance(1, 1) = open;
  REQUIRE(!star_mesh_applies(changed));
  // 1 / ohm, or sums of such, would overflow.
  changed = circuit;
  changed.right_ohm(1) = 1e-310;
  REQUIRE(!star_mesh_applies(changed));
}
