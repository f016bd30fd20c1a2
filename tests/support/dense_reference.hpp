#pragma once

/// The slow, obvious answer: every node of the circuit as an unknown of a dense matrix, Gaussian
/// elimination in long double. Shares no code with the solver.

#include <cstddef>
#include <utility>
#include <vector>

#include <xbar/core/matrix.hpp>
#include <xbar/core/wires.hpp>

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

/// Sink currents of a wired array by modified nodal analysis: unknowns are all 2mn node voltages,
/// all source node voltages and the currents of every wire, so that a resistance of 0 is simply the
/// equation "v_a - v_b - 0 * i = 0". O((mn)^3): for arrays up to about 6 x 6.
inline xbar::Vector dense_currents(const xbar::Matrix& conductance, const xbar::Vector& voltage,
                                   const xbar::WireResistance& wires) {
  const auto m = static_cast<std::size_t>(conductance.rows());
  const auto n = static_cast<std::size_t>(conductance.cols());
  const std::size_t cells = m * n;
  const auto u = [&](std::size_t i, std::size_t j) { return i * n + j; };
  const auto w = [&](std::size_t i, std::size_t j) { return cells + i * n + j; };
  constexpr std::size_t ground = static_cast<std::size_t>(-1);
  struct Wire {
    std::size_t from, to;
    double ohm;
    double emf;  // v_from - v_to - ohm i = -emf
  };
  std::vector<Wire> list;
  for (std::size_t i = 0; i < m; ++i) {
    list.push_back({ground, u(i, 0), wires.source_ohm, voltage(static_cast<xbar::Index>(i))});
    for (std::size_t j = 0; j + 1 < n; ++j)
      list.push_back({u(i, j), u(i, j + 1), wires.wordline_ohm, 0});
  }
  const std::size_t first_sink = list.size();
  for (std::size_t j = 0; j < n; ++j) list.push_back({w(m - 1, j), ground, wires.sink_ohm, 0});
  for (std::size_t j = 0; j < n; ++j) {
    for (std::size_t i = 0; i + 1 < m; ++i)
      list.push_back({w(i, j), w(i + 1, j), wires.bitline_ohm, 0});
  }
  const std::size_t unknowns = 2 * cells + list.size();
  std::vector<std::vector<long double>> a(unknowns, std::vector<long double>(unknowns, 0));
  std::vector<long double> b(unknowns, 0);
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      const long double g = conductance(static_cast<xbar::Index>(i), static_cast<xbar::Index>(j));
      a[u(i, j)][u(i, j)] += g;
      a[u(i, j)][w(i, j)] -= g;
      a[w(i, j)][w(i, j)] += g;
      a[w(i, j)][u(i, j)] -= g;
    }
  }
  for (std::size_t k = 0; k < list.size(); ++k) {
    const Wire& wire = list[k];
    const std::size_t current = 2 * cells + k;
    if (wire.from != ground) {
      a[wire.from][current] += 1;
      a[current][wire.from] += 1;
    }
    if (wire.to != ground) {
      a[wire.to][current] -= 1;
      a[current][wire.to] -= 1;
    }
    a[current][current] -= wire.ohm;
    b[current] = -wire.emf;
  }
  const std::vector<long double> x = eliminate(a, b);
  xbar::Vector currents(static_cast<xbar::Index>(n));
  for (std::size_t j = 0; j < n; ++j) {
    currents(static_cast<xbar::Index>(j)) = static_cast<double>(x[2 * cells + first_sink + j]);
  }
  return currents;
}

}  // namespace xbar_test
