#pragma once

/// Small random circuits with everything that a circuit can have: terminals at either end or both,
/// resistances of 0 and infinity, a line or a segment at a time, open and shorted cells.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include <xbar/core/random.hpp>
#include <xbar/solver/circuit.hpp>

namespace xbar_test {

struct RandomCircuit {
  xbar::solver::Circuit circuit;
  xbar::Vector wordline_voltage;
  xbar::Vector bitline_voltage;
  bool floats = false;        // some node has no path to a terminal
  bool joined = false;        // the terminals of two lines have no resistance between them
  bool undetermined = false;  // shorted cells in a loop without any resistance
  bool shorted = false;       // has shorted cells
};

/// Sets what the circuit is, by labels that spread along the branches.
inline void classify(RandomCircuit& drawn) {
  using xbar::Index;
  const xbar::solver::Circuit& c = drawn.circuit;
  const Index m = c.conductance.rows();
  const Index n = c.conductance.cols();
  const Index inner = 2 * m * n;
  struct Branch {
    Index a, b;
    double siemens;
  };
  std::vector<Branch> branches;
  Index allowed_loops = 0;
  for (Index i = 0; i < m; ++i) {
    double total = c.left_ohm(i) + c.right_ohm(i);
    branches.push_back({inner + i, i * n, 1 / c.left_ohm(i)});
    branches.push_back({inner + i, i * n + n - 1, 1 / c.right_ohm(i)});
    for (Index j = 0; j + 1 < n; ++j) {
      branches.push_back({i * n + j, i * n + j + 1, 1 / c.wordline_segment_ohm(i, j)});
      total += c.wordline_segment_ohm(i, j);
    }
    allowed_loops += total == 0 ? 1 : 0;
  }
  for (Index j = 0; j < n; ++j) {
    double total = c.top_ohm(j) + c.bottom_ohm(j);
    branches.push_back({inner + m + j, m * n + j, 1 / c.top_ohm(j)});
    branches.push_back({inner + m + j, m * n + (m - 1) * n + j, 1 / c.bottom_ohm(j)});
    for (Index i = 0; i + 1 < m; ++i) {
      branches.push_back(
          {m * n + i * n + j, m * n + (i + 1) * n + j, 1 / c.bitline_segment_ohm(i, j)});
      total += c.bitline_segment_ohm(i, j);
    }
    allowed_loops += total == 0 ? 1 : 0;
  }
  for (Index e = 0; e < m * n; ++e) {
    branches.push_back({e, m * n + e, c.conductance.data()[e]});
    drawn.shorted = drawn.shorted || std::isinf(c.conductance.data()[e]);
  }
  const auto count = static_cast<std::size_t>(inner + m + n);
  const auto at = [](Index k) { return static_cast<std::size_t>(k); };
  const auto spread = [&](std::vector<Index>& label, double least) {
    for (bool changed = true; changed;) {
      changed = false;
      for (const Branch& b : branches) {
        if (!(b.siemens > 0) || b.siemens < least || label[at(b.a)] == label[at(b.b)]) continue;
        label[at(b.a)] = label[at(b.b)] = std::max(label[at(b.a)], label[at(b.b)]);
        changed = true;
      }
    }
  };
  // Terminals have the highest labels: a node that keeps a lower one has no path to any.
  std::vector<Index> label(count);
  for (std::size_t k = 0; k < count; ++k) label[k] = static_cast<Index>(k);
  spread(label, 0.0);
  drawn.floats = false;
  for (Index k = 0; k < inner; ++k) drawn.floats = drawn.floats || label[at(k)] < inner;

  for (std::size_t k = 0; k < count; ++k) label[k] = static_cast<Index>(k);
  spread(label, std::numeric_limits<double>::infinity());
  drawn.joined = false;
  for (Index k = inner; k < static_cast<Index>(count); ++k) {
    drawn.joined = drawn.joined || label[at(k)] != k;
  }
  // A graph has as many loops as it has branches more than a forest.
  Index loops = -static_cast<Index>(count);
  for (std::size_t k = 0; k < count; ++k) loops += label[k] == static_cast<Index>(k) ? 1 : 0;
  for (const Branch& b : branches) loops += std::isinf(b.siemens) ? 1 : 0;
  drawn.undetermined = loops > allowed_loops;
}

/// A circuit of at most `most` x `most` cells, not always one that can be solved.
inline RandomCircuit random_circuit(std::uint64_t seed, xbar::Index most = 5) {
  using xbar::Index;
  using xbar::Matrix;
  using xbar::Vector;
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const xbar::RandomStream stream(seed, "test-circuit");
  std::uint64_t next = 0;
  const auto uniform = [&] { return stream.uniform(next++); };
  const auto chance = [&](double probability) { return uniform() < probability; };
  const auto below = [&](Index bound) {
    return static_cast<Index>(stream.below(next++, static_cast<std::uint64_t>(bound)));
  };
  const auto ohm = [&] {
    constexpr double values[] = {0.0, 1e-3, 1.0, 2.5, 50.0, 1e4};
    return values[below(6)];
  };
  RandomCircuit drawn;
  xbar::solver::Circuit& c = drawn.circuit;
  const Index m = 1 + below(most);
  const Index n = 1 + below(most);

  const double open_share = chance(0.4) ? 0.2 : 0.0;
  const double shorted_share = chance(0.4) ? 0.15 : 0.0;
  c.conductance.resize(m, n);
  for (Index e = 0; e < m * n; ++e) {
    double& g = c.conductance.data()[e];
    g = std::pow(10.0, -6 + 3 * uniform());
    if (chance(open_share)) g = 0;
    if (chance(shorted_share)) g = infinity;
  }
  const auto segments = [&](Index lines, Index count, bool lines_are_rows) {
    if (count == 0 || chance(0.4)) return Matrix(Matrix::Constant(1, 1, ohm()));
    const double broken_share = chance(0.4) ? 0.15 : 0.0;
    Matrix values(lines, chance(0.5) ? 1 : count);
    for (Index e = 0; e < values.size(); ++e) {
      values.data()[e] = chance(broken_share) ? infinity : ohm();
    }
    return lines_are_rows ? values : Matrix(values.transpose());
  };
  c.wordline_ohm = segments(m, n - 1, true);
  c.bitline_ohm = segments(n, m - 1, false);
  const auto terminals = [&](Index lines, Vector& first, Vector& last) {
    first = Vector::Constant(lines, ohm());
    last = Vector::Constant(lines, ohm());
    const bool each = chance(0.4);
    const Index ends = below(3);
    for (Index k = 0; k < lines; ++k) {
      if (each) first(k) = ohm();
      if (each) last(k) = ohm();
      if (ends == 0 || (each && chance(0.2))) first(k) = infinity;
      if (ends == 1 || (each && chance(0.2))) last(k) = infinity;
    }
  };
  terminals(m, c.left_ohm, c.right_ohm);
  terminals(n, c.top_ohm, c.bottom_ohm);
  drawn.wordline_voltage.resize(m);
  for (double& v : drawn.wordline_voltage) v = 2 * uniform() - 1;
  drawn.bitline_voltage = Vector::Zero(n);
  if (chance(0.5)) {
    for (double& v : drawn.bitline_voltage) v = 2 * uniform() - 1;
  }
  classify(drawn);
  return drawn;
}

}  // namespace xbar_test
