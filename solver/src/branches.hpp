#pragma once

/// The circuit as a graph: numbered nodes and the branches between them.

#include <xbar/solver/circuit.hpp>

namespace xbar::solver {

/// Numbers of the nodes: all u, all w, the terminals of the wordlines, those of the bitlines. The
/// two terminals of a line are at one voltage: one node.
struct NodeNumbers {
  explicit NodeNumbers(const Circuit& circuit) : m(circuit.wordlines()), n(circuit.bitlines()) {}

  [[nodiscard]] Index wordline(Index i, Index j) const { return i * n + j; }
  [[nodiscard]] Index bitline(Index i, Index j) const { return m * n + i * n + j; }
  [[nodiscard]] Index wordline_terminal(Index i) const { return inner() + i; }
  [[nodiscard]] Index bitline_terminal(Index j) const { return inner() + m + j; }
  [[nodiscard]] Index inner() const { return 2 * m * n; }
  [[nodiscard]] Index count() const { return inner() + m + n; }

  Index m;
  Index n;
};

/// Calls visit(from, to, siemens) for every terminal and line segment: 0 where it is open,
/// infinity where it joins its ends.
template <typename Visit>
void for_each_wire(const Circuit& circuit, const Visit& visit) {
  const NodeNumbers node(circuit);
  const Index m = node.m;
  const Index n = node.n;
  for (Index i = 0; i < m; ++i) {
    visit(node.wordline_terminal(i), node.wordline(i, 0), 1 / circuit.left_ohm(i));
    visit(node.wordline(i, n - 1), node.wordline_terminal(i), 1 / circuit.right_ohm(i));
  }
  for (Index j = 0; j < n; ++j) {
    visit(node.bitline_terminal(j), node.bitline(0, j), 1 / circuit.top_ohm(j));
    visit(node.bitline(m - 1, j), node.bitline_terminal(j), 1 / circuit.bottom_ohm(j));
  }
  for (Index i = 0; i < m; ++i) {
    for (Index j = 0; j + 1 < n; ++j) {
      visit(node.wordline(i, j), node.wordline(i, j + 1), 1 / circuit.wordline_segment_ohm(i, j));
    }
  }
  for (Index i = 0; i + 1 < m; ++i) {
    for (Index j = 0; j < n; ++j) {
      visit(node.bitline(i, j), node.bitline(i + 1, j), 1 / circuit.bitline_segment_ohm(i, j));
    }
  }
}

/// The same for every cell.
template <typename Visit>
void for_each_cell(const Circuit& circuit, const Visit& visit) {
  const NodeNumbers node(circuit);
  for (Index i = 0; i < node.m; ++i) {
    for (Index j = 0; j < node.n; ++j) {
      visit(node.wordline(i, j), node.bitline(i, j), circuit.conductance(i, j));
    }
  }
}

}  // namespace xbar::solver
