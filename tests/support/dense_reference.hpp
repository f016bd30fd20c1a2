#pragma once

/// The slow, obvious answer: every node of the circuit as an unknown of a dense matrix, Gaussian
/// elimination in long double. Shares no code with the solver.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

#include <xbar/core/matrix.hpp>
#include <xbar/core/wires.hpp>
#include <xbar/solver/circuit.hpp>

namespace xbar_test {

/// Solves A x = b by Gaussian elimination with partial pivoting.
inline std::vector<long double> eliminate(std::vector<std::vector<long double>> a,
                                          std::vector<long double> b) {
  const std::size_t n = b.size();
  for (std::size_t k = 0; k < n; ++k) {
    std::size_t pivot = k;
    for (std::size_t i = k + 1; i < n; ++i) {
      if (std::abs(static_cast<double>(a[i][k])) > std::abs(static_cast<double>(a[pivot][k]))) {
        pivot = i;
      }
    }
    std::swap(a[k], a[pivot]);
    std::swap(b[k], b[pivot]);
    for (std::size_t i = k + 1; i < n; ++i) {
      const long double f = a[i][k] / a[k][k];
      if (f == 0) continue;
      for (std::size_t j = k; j < n; ++j) a[i][j] -= f * a[k][j];
      b[i] -= f * b[k];
    }
  }
  std::vector<long double> x(n);
  for (std::size_t k = n; k-- > 0;) {
    long double sum = b[k];
    for (std::size_t j = k + 1; j < n; ++j) sum -= a[k][j] * x[j];
    x[k] = sum / a[k][k];
  }
  return x;
}

/// Everything there is to know about a solved circuit; branch currents as in BranchCurrents.
struct DenseSolution {
  xbar::Matrix wordline_node, bitline_node;  // u, w: m x n
  xbar::Matrix cell;                         // m x n
  xbar::Matrix wordline;                     // m x (n + 1)
  xbar::Matrix bitline;                      // (m + 1) x n
  xbar::Vector current;                      // n, sensed

  [[nodiscard]] double largest_current() const {
    return std::max({cell.cwiseAbs().maxCoeff(), wordline.cwiseAbs().maxCoeff(),
                     bitline.cwiseAbs().maxCoeff()});
  }
  /// 1e-12 of the largest current, and where none flows what the rounding of volts across
  /// millisiemens makes.
  [[nodiscard]] double current_tolerance() const { return 1e-12 * largest_current() + 1e-18; }
};

/// Modified nodal analysis: unknowns are all 2mn node voltages and the currents of every wire and
/// shorted cell, so that a resistance of 0 is simply the equation "v_a - v_b - 0 i = 0" and an
/// infinite one is not in the list. Between two terminals without any resistance, all segments have
/// the same. O((mn)^3): for arrays up to about 6 x 6. NaN where a current is not determined.
/// @param bitline_voltage  n
inline DenseSolution dense_solution(const xbar::solver::Circuit& circuit,
                                    const xbar::Vector& wordline_voltage,
                                    const xbar::Vector& bitline_voltage) {
  using xbar::Index;
  constexpr Index ground = -1;
  const Index m = circuit.conductance.rows();
  const Index n = circuit.conductance.cols();
  const Index cells = m * n;
  const auto u = [&](Index i, Index j) { return i * n + j; };
  const auto w = [&](Index i, Index j) { return cells + i * n + j; };
  // v_from - v_to - ohm i = -emf, or sum_of i = 0 over the `sum_of` wires that end here.
  struct Wire {
    Index from, to;
    double ohm;
    double emf;
    double* result;
    Index sum_of = 0;
  };
  std::vector<Wire> list;
  DenseSolution solution;
  solution.cell = xbar::Matrix::Zero(m, n);
  solution.wordline = xbar::Matrix::Zero(m, n + 1);
  solution.bitline = xbar::Matrix::Zero(m + 1, n);
  const auto wire = [&](Index from, Index to, double ohm, double emf, double& result) {
    if (std::isfinite(ohm)) list.push_back({from, to, ohm, emf, &result});
  };
  const auto close_loop = [&](std::size_t first, Index count) {
    if (static_cast<Index>(list.size() - first) != count) return;
    for (std::size_t k = first; k < list.size(); ++k) {
      if (list[k].ohm > 0) return;
    }
    list.back().sum_of = count;
  };
  for (Index i = 0; i < m; ++i) {
    const std::size_t first = list.size();
    const double v = wordline_voltage(i);
    wire(ground, u(i, 0), circuit.left_ohm(i), v, solution.wordline(i, 0));
    for (Index j = 1; j < n; ++j) {
      const double ohm = circuit.wordline_ohm(circuit.wordline_ohm.rows() > 1 ? i : 0,
                                              circuit.wordline_ohm.cols() > 1 ? j - 1 : 0);
      wire(u(i, j - 1), u(i, j), ohm, 0, solution.wordline(i, j));
    }
    wire(u(i, n - 1), ground, circuit.right_ohm(i), -v, solution.wordline(i, n));
    close_loop(first, n + 1);
  }
  for (Index j = 0; j < n; ++j) {
    const std::size_t first = list.size();
    const double v = bitline_voltage(j);
    wire(ground, w(0, j), circuit.top_ohm(j), v, solution.bitline(0, j));
    for (Index i = 1; i < m; ++i) {
      const double ohm = circuit.bitline_ohm(circuit.bitline_ohm.rows() > 1 ? i - 1 : 0,
                                             circuit.bitline_ohm.cols() > 1 ? j : 0);
      wire(w(i - 1, j), w(i, j), ohm, 0, solution.bitline(i, j));
    }
    wire(w(m - 1, j), ground, circuit.bottom_ohm(j), -v, solution.bitline(m, j));
    close_loop(first, m + 1);
  }
  for (Index i = 0; i < m; ++i) {
    for (Index j = 0; j < n; ++j) {
      if (std::isinf(circuit.conductance(i, j))) wire(u(i, j), w(i, j), 0, 0, solution.cell(i, j));
    }
  }

  const auto at = [](Index k) { return static_cast<std::size_t>(k); };
  const std::size_t unknowns = at(2 * cells) + list.size();
  std::vector<std::vector<long double>> a(unknowns, std::vector<long double>(unknowns, 0));
  std::vector<long double> b(unknowns, 0);
  const auto stamp = [&](Index row, Index column, long double value) {
    a[at(row)][at(column)] += value;
  };
  for (Index i = 0; i < m; ++i) {
    for (Index j = 0; j < n; ++j) {
      const long double g = circuit.conductance(i, j);
      if (std::isinf(g)) continue;
      stamp(u(i, j), u(i, j), g);
      stamp(u(i, j), w(i, j), -g);
      stamp(w(i, j), w(i, j), g);
      stamp(w(i, j), u(i, j), -g);
    }
  }
  for (std::size_t k = 0; k < list.size(); ++k) {
    const Wire& each = list[k];
    const Index current = 2 * cells + static_cast<Index>(k);
    if (each.from != ground) stamp(each.from, current, 1);
    if (each.to != ground) stamp(each.to, current, -1);
    if (each.sum_of > 0) {
      for (Index e = 0; e < each.sum_of; ++e) stamp(current, current - e, 1);
      continue;
    }
    if (each.from != ground) stamp(current, each.from, 1);
    if (each.to != ground) stamp(current, each.to, -1);
    stamp(current, current, -each.ohm);
    b[at(current)] = -each.emf;
  }
  const std::vector<long double> x = eliminate(a, b);
  for (std::size_t k = 0; k < list.size(); ++k) {
    *list[k].result = static_cast<double>(x[at(2 * cells) + k]);
  }
  solution.wordline_node.resize(m, n);
  solution.bitline_node.resize(m, n);
  for (Index i = 0; i < m; ++i) {
    for (Index j = 0; j < n; ++j) {
      const long double above = x[at(u(i, j))];
      const long double below = x[at(w(i, j))];
      const double g = circuit.conductance(i, j);
      solution.wordline_node(i, j) = static_cast<double>(above);
      solution.bitline_node(i, j) = static_cast<double>(below);
      if (!std::isinf(g)) solution.cell(i, j) = static_cast<double>(g * (above - below));
    }
  }
  solution.current = (solution.bitline.row(m) - solution.bitline.row(0)).transpose();
  return solution;
}

/// Sensed currents of an array with equal resistances on all lines, driven at the left and sensed
/// at the bottom.
inline xbar::Vector dense_currents(const xbar::Matrix& conductance, const xbar::Vector& voltage,
                                   const xbar::WireResistance& wires) {
  const xbar::Index m = conductance.rows();
  const xbar::Index n = conductance.cols();
  constexpr double open = std::numeric_limits<double>::infinity();
  xbar::solver::Circuit circuit;
  circuit.conductance = conductance;
  circuit.wordline_ohm = xbar::Matrix::Constant(1, 1, wires.wordline_ohm);
  circuit.bitline_ohm = xbar::Matrix::Constant(1, 1, wires.bitline_ohm);
  circuit.left_ohm = xbar::Vector::Constant(m, wires.source_ohm);
  circuit.right_ohm = xbar::Vector::Constant(m, open);
  circuit.top_ohm = xbar::Vector::Constant(n, open);
  circuit.bottom_ohm = xbar::Vector::Constant(n, wires.sink_ohm);
  return dense_solution(circuit, voltage, xbar::Vector::Zero(n)).current;
}

}  // namespace xbar_test
