#pragma once

/// Currents through the terminals of an array that is not at rest: what capacitors take does not
/// come from the cells, so that Kirchhoff's law along the lines says nothing here.

#include <vector>

#include <xbar/solver/circuit.hpp>
#include <xbar/solver/solve.hpp>

namespace xbar::solver {

/// Prepared for one circuit, which must outlive it. A terminal with resistance R passes (V - v) /
/// R; one without holds its node, and all that zero resistance joins to it, and passes what leaves
/// these nodes through cells and segments. Capacitor currents of held nodes are not included.
class TerminalCurrents {
 public:
  explicit TerminalCurrents(const Circuit& circuit);

  /// Out of the terminals into each wordline, m, ampere.
  /// @param cell_current  m x n, ampere; nullptr: linear cells
  [[nodiscard]] Vector wordline(const Vector& voltage, const NodeVoltages& nodes,
                                const Matrix* cell_current) const;
  /// Out of each bitline into its terminals, n, ampere: positive into the sinks.
  [[nodiscard]] Vector bitline(const Vector& voltage, const NodeVoltages& nodes,
                               const Matrix* cell_current) const;

  /// A node that a terminal holds.
  struct HeldNode {
    bool on_wordline;
    Index i;
    Index j;
  };
  [[nodiscard]] const std::vector<HeldNode>& held() const { return held_; }

  /// Power lost in the resistances of the terminals, watt.
  [[nodiscard]] double dissipation(const Vector& wordline_voltage, const Vector& bitline_voltage,
                                   const NodeVoltages& nodes) const;

 private:
  // Nodes [begin, end) of one line, held by a terminal at its first or last node.
  struct Group {
    Index line;
    Index begin;
    Index end;
  };
  template <typename SegmentOhm>
  static void find_groups(Index line, Index count, double first_ohm, double last_ohm,
                          const SegmentOhm& segment_ohm, std::vector<Group>& groups);

  [[nodiscard]] double cell(Index i, Index j, const NodeVoltages& nodes,
                            const Matrix* cell_current) const;

  const Circuit& circuit_;
  std::vector<Group> wordline_groups_;
  std::vector<Group> bitline_groups_;
  std::vector<HeldNode> held_;
  // Conductances of the terminals with resistance; 0 for the others.
  Vector left_, right_, top_, bottom_;
};

}  // namespace xbar::solver
