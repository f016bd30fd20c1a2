#pragma once

/// Currents along the lines of a solved array, each by the way that loses the fewest digits.
///
/// A line of K nodes has K+1 currents I(k), all from its first end to its last: out of the first
/// terminal, through the segments, into the last terminal; ohm(k) is the resistance each passes.
/// Three laws give them from the node voltages v(k) and the cell currents c(k) that leave the line:
///   Ohm            I(k) = (v(k-1) - v(k)) / ohm(k), exactly 0 where ohm(k) is infinite
///   Kirchhoff      I(k+1) = I(k) - c(k)
///   Kirchhoff      sum over a stretch of ohm(k) I(k) = voltage from its begin to its end, which is
///                  exactly 0 from one terminal of a line to the other
/// A voltage v is rounded by epsilon v. What that does to a current is epsilon v times its `doubt`,
/// siemens: 1 / ohm(k) by Ohm's law, G for a cell, sums of them by Kirchhoff's. Each current is
/// taken where its doubt is least. So a line of small resistance is summed up from its cells, and
/// a large resistance shows its current directly.
///
/// The current of a shorted cell (infinite doubt) is not in its voltages; it is what the line
/// currents around it leave over.

#include <cmath>
#include <limits>
#include <vector>

#include <xbar/solver/circuit.hpp>
#include <xbar/solver/solve.hpp>

#include "branches.hpp"
#include "disjoint_sets.hpp"

namespace xbar::solver {

/// Cell currents, m x n, ampere from wordline to bitline, and their doubt, siemens.
struct CellCurrents {
  Matrix current;
  Matrix doubt;
};

/// Traces the currents of one line at a time.
class LineTracer {
 public:
  /// Keeps references to its arguments. @param bitline_voltage  n, or empty: 0
  LineTracer(const Circuit& circuit, const Vector& wordline_voltage, const Vector& bitline_voltage,
             const NodeVoltages& nodes)
      : circuit_(circuit),
        wordline_voltage_(wordline_voltage),
        bitline_voltage_(bitline_voltage),
        nodes_(nodes) {}

  void trace_wordline(Index i, const CellCurrents& cells) {
    const Index n = circuit_.bitlines();
    start(n, wordline_voltage_(i), circuit_.left_ohm(i), circuit_.right_ohm(i));
    for (Index j = 0; j < n; ++j) {
      set_node(j, nodes_.wordline(i, j), cells.current(i, j), cells.doubt(i, j));
      if (j > 0) ohm_[at(j)] = circuit_.wordline_segment_ohm(i, j - 1);
    }
    trace();
  }

  void trace_bitline(Index j, const CellCurrents& cells) {
    const Index m = circuit_.wordlines();
    start(m, bitline_voltage_.size() == 0 ? 0.0 : bitline_voltage_(j), circuit_.top_ohm(j),
          circuit_.bottom_ohm(j));
    for (Index i = 0; i < m; ++i) {
      set_node(i, nodes_.bitline(i, j), -cells.current(i, j), cells.doubt(i, j));
      if (i > 0) ohm_[at(i)] = circuit_.bitline_segment_ohm(i - 1, j);
    }
    trace();
  }

  /// I(k) of the line traced last, 0 <= k <= K. Infinite doubt: not determined.
  [[nodiscard]] double current(Index k) const { return current_[at(k)]; }
  [[nodiscard]] double doubt(Index k) const { return doubt_[at(k)]; }

 private:
  static std::size_t at(Index k) { return static_cast<std::size_t>(k); }

  void start(Index count, double terminal_voltage, double first_ohm, double last_ohm) {
    count_ = count;
    terminal_voltage_ = terminal_voltage;
    for (std::vector<double>* values : {&voltage_, &leaving_, &leaving_doubt_}) {
      values->resize(at(count));
    }
    for (std::vector<double>* values : {&ohm_, &current_, &doubt_}) values->resize(at(count) + 1);
    ohm_.front() = first_ohm;
    ohm_.back() = last_ohm;
  }

  void set_node(Index k, double voltage, double leaving, double doubt) {
    voltage_[at(k)] = voltage;
    leaving_[at(k)] = leaving;
    leaving_doubt_[at(k)] = doubt;
  }

  // Voltage in front of position k and behind it.
  [[nodiscard]] double before(Index k) const {
    return k == 0 ? terminal_voltage_ : voltage_[at(k - 1)];
  }
  [[nodiscard]] double behind(Index k) const {
    return k == count_ ? terminal_voltage_ : voltage_[at(k)];
  }

  void trace() {
    for (Index k = 0; k <= count_; ++k) {
      current_[at(k)] = (before(k) - behind(k)) / ohm_[at(k)];
      doubt_[at(k)] = 1 / ohm_[at(k)];
    }
    // Stretches end where the current that leaves is not known.
    Index first = 0;
    for (Index k = 0; k <= count_; ++k) {
      if (k < count_ && std::isfinite(leaving_doubt_[at(k)])) continue;
      sum_over_stretch(first, k);
      first = k + 1;
    }
    for (Index k = 0; k < count_; ++k) {
      offer(k + 1, current_[at(k)] - leaving_[at(k)], doubt_[at(k)] + leaving_doubt_[at(k)]);
    }
    for (Index k = count_ - 1; k >= 0; --k) {
      offer(k, current_[at(k + 1)] + leaving_[at(k)], doubt_[at(k + 1)] + leaving_doubt_[at(k)]);
    }
  }

  // I(first) from the voltage along positions first to last,
  //   I(first) = (v_first - v_last + sum_k ohm(k) (c(first) + ... + c(k-1))) / sum_k ohm(k).
  void sum_over_stretch(Index first, Index last) {
    const bool between_terminals = first == 0 && last == count_;
    double total = 0;
    for (Index k = first; k <= last; ++k) total += ohm_[at(k)];
    // Without any resistance between two terminals the split is not determined: equal segments.
    const bool equal = between_terminals && total == 0;
    if (equal) total = static_cast<double>(count_ + 1);
    if (total == 0 || !std::isfinite(total)) return;
    double drop = before(first) - behind(last);
    double doubt = between_terminals ? 0.0 : 1.0;
    double left = 0;  // by the cells since `first`
    double left_doubt = 0;
    for (Index k = first; k <= last; ++k) {
      const double weight = equal ? 1.0 : ohm_[at(k)];
      drop += weight * left;
      doubt += weight * left_doubt;
      if (k < last) {
        left += leaving_[at(k)];
        left_doubt += leaving_doubt_[at(k)];
      }
    }
    offer(first, drop / total, doubt / total);
  }

  void offer(Index k, double current, double doubt) {
    if (!(doubt < doubt_[at(k)])) return;
    current_[at(k)] = current;
    doubt_[at(k)] = doubt;
  }

  const Circuit& circuit_;
  const Vector& wordline_voltage_;
  const Vector& bitline_voltage_;
  const NodeVoltages& nodes_;
  Index count_ = 0;
  double terminal_voltage_ = 0;
  std::vector<double> ohm_;                                // K + 1
  std::vector<double> voltage_, leaving_, leaving_doubt_;  // K
  std::vector<double> current_, doubt_;                    // K + 1
};

/// Currents of all cells: G (u - w), but what the lines leave over for a shorted cell, and for one
/// that conducts so much better than the wires at one of its ends that this loses fewer digits.
/// @note Shorted cells in a loop without any resistance share their current in no determined way;
/// Kirchhoff's laws hold for what is returned.
inline CellCurrents cell_currents(const Circuit& circuit, const Vector& wordline_voltage,
                                  const Vector& bitline_voltage, const NodeVoltages& nodes) {
  constexpr double unknown = std::numeric_limits<double>::infinity();
  const Index m = circuit.wordlines();
  const Index n = circuit.bitlines();
  CellCurrents cells{circuit.conductance, circuit.conductance};
  std::vector<bool> wordline_helps(static_cast<std::size_t>(m), false);
  std::vector<bool> bitline_helps(static_cast<std::size_t>(n), false);
  Index not_known = 0;
  for (Index i = 0; i < m; ++i) {
    for (Index j = 0; j < n; ++j) {
      const double g = circuit.conductance(i, j);
      const double left = j > 0 ? circuit.wordline_segment_ohm(i, j - 1) : circuit.left_ohm(i);
      const double right = j + 1 < n ? circuit.wordline_segment_ohm(i, j) : circuit.right_ohm(i);
      const double up = i > 0 ? circuit.bitline_segment_ohm(i - 1, j) : circuit.top_ohm(j);
      const double down = i + 1 < m ? circuit.bitline_segment_ohm(i, j) : circuit.bottom_ohm(j);
      const bool shorted = std::isinf(g);
      if (shorted || g > 1 / left + 1 / right || g > 1 / up + 1 / down) {
        wordline_helps[static_cast<std::size_t>(i)] = true;
        bitline_helps[static_cast<std::size_t>(j)] = true;
      }
      not_known += shorted ? 1 : 0;
      cells.current(i, j) = shorted ? 0.0 : g * (nodes.wordline(i, j) - nodes.bitline(i, j));
    }
  }

  // What one line tells of its cells may settle those of the next. Nothing comes back to where it
  // came from, since every step adds doubt.
  LineTracer tracer(circuit, wordline_voltage, bitline_voltage, nodes);
  for (bool improved = true; improved || not_known > 0;) {
    CellCurrents better = cells;
    improved = false;
    const auto offer = [&](Index i, Index j, double current, double doubt) {
      if (!(doubt < 0.5 * better.doubt(i, j))) return;
      better.current(i, j) = current;
      better.doubt(i, j) = doubt;
      improved = true;
    };
    for (Index i = 0; i < m; ++i) {
      if (!wordline_helps[static_cast<std::size_t>(i)]) continue;
      tracer.trace_wordline(i, cells);
      for (Index j = 0; j < n; ++j) {
        offer(i, j, tracer.current(j) - tracer.current(j + 1),
              tracer.doubt(j) + tracer.doubt(j + 1));
      }
    }
    for (Index j = 0; j < n; ++j) {
      if (!bitline_helps[static_cast<std::size_t>(j)]) continue;
      tracer.trace_bitline(j, cells);
      for (Index i = 0; i < m; ++i) {
        offer(i, j, tracer.current(i + 1) - tracer.current(i),
              tracer.doubt(i) + tracer.doubt(i + 1));
      }
    }
    cells = std::move(better);
    if (not_known == 0) continue;
    not_known = (cells.doubt.array() == unknown).count();
    if (improved || not_known == 0) continue;
    // Every cell that is left belongs to a loop of shorted cells and wires without resistance, or
    // leads from one to another. Any current may flow around a loop: one of its cells may have
    // none.
    Index chosen = -1;
    DisjointSets joined(NodeNumbers(circuit).count());
    for_each_wire(circuit, [&](Index from, Index to, double siemens) {
      if (std::isinf(siemens)) joined.join(from, to);
    });
    for_each_cell(circuit, [&](Index from, Index to, double) {
      if (cells.doubt.data()[from] < unknown) return;
      if (!joined.join(from, to) || chosen < 0) chosen = from;
    });
    cells.doubt.data()[chosen] = 0;
    --not_known;
  }
  return cells;
}

}  // namespace xbar::solver
