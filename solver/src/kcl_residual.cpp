#include "kcl_residual.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include <xbar/core/isa.hpp>

#include "branches.hpp"
#include "disjoint_sets.hpp"
#include "line_currents.hpp"
#include "row_kernels.hpp"

#define ROW_KERNEL(function) XBAR_DISPATCH(::xbar::solver, function)

namespace xbar::solver {
namespace {

// Rounding of the voltages at the two ends of a resistance is a current of about epsilon v / r. A
// resistance in which that would exceed this share of the largest current is too small to be looked
// into.
constexpr double rounding_share = 1e-8;
// A sensed current of which rounding would be more than this share of the largest is looked for
// beyond its bitline.
constexpr double sensed_share = 1e-12;
constexpr double epsilon = std::numeric_limits<double>::epsilon();
constexpr double infinity = std::numeric_limits<double>::infinity();

double terminal(const Vector& voltage, Index line) {
  return voltage.size() == 0 ? 0.0 : voltage(line);
}

// No node of a circuit of resistors lies outside the range of its terminals.
double highest_voltage(const Circuit& circuit, const Vector& wordline_voltage,
                       const Vector& bitline_voltage) {
  double highest = 0;
  for (Index i = 0; i < circuit.wordlines(); ++i) {
    if (std::min(circuit.left_ohm(i), circuit.right_ohm(i)) < infinity) {
      highest = std::max(highest, std::abs(wordline_voltage(i)));
    }
  }
  for (Index j = 0; j < bitline_voltage.size(); ++j) {
    if (std::min(circuit.top_ohm(j), circuit.bottom_ohm(j)) < infinity) {
      highest = std::max(highest, std::abs(bitline_voltage(j)));
    }
  }
  return highest;
}

// Resistance above which rounding is negligible beside the current `largest`.
double resolvable_ohm(double highest, double largest) {
  return highest == 0 ? 0.0 : epsilon * highest / (rounding_share * largest);
}

// The largest net current so far. Not-a-number counts as infinite.
struct Worst {
  double net = 0;
  bool on_wordline = true;
  Index i = 0;
  Index j = 0;

  void note(double current, bool wordline, Index row, Index column) {
    if (std::abs(current) <= net) return;
    net = std::isnan(current) ? infinity : std::abs(current);
    on_wordline = wordline;
    i = row;
    j = column;
  }
  [[nodiscard]] KclResidual relative_to(double largest) const {
    return {net > 0 ? net / largest : 0.0, on_wordline, i, j};
  }
};

// Least resistance of the segments and of the terminals that are not 0.
double smallest_ohm(const Circuit& circuit) {
  double smallest = infinity;
  if (circuit.bitlines() > 1) smallest = std::min(smallest, circuit.wordline_ohm.minCoeff());
  if (circuit.wordlines() > 1) smallest = std::min(smallest, circuit.bitline_ohm.minCoeff());
  for (const Vector* ends :
       {&circuit.left_ohm, &circuit.right_ohm, &circuit.top_ohm, &circuit.bottom_ohm}) {
    for (const double ohm : *ends) {
      if (ohm > 0) smallest = std::min(smallest, ohm);
    }
  }
  return smallest;
}

// All nodes one by one, a row at a time; nothing if some resistance other than that of a terminal
// is too small for that.
std::optional<KclResidual> residual_by_rows(const Circuit& circuit, const Vector& wordline_voltage,
                                            const Vector& bitline_voltage,
                                            const NodeVoltages& nodes) {
  const Index m = circuit.wordlines();
  const Index n = circuit.bitlines();
  const double smallest = smallest_ohm(circuit);
  if (smallest == 0) return std::nullopt;

  // Currents to the right before and behind each node of the row, down above and below it.
  std::vector<double> buffers(static_cast<std::size_t>(4 * n + 1));
  double* const right = buffers.data();
  double* above = right + n + 1;
  double* below = above + n;
  double* const bitline_siemens = below + n;
  const bool each_bitline_segment = circuit.bitline_ohm.rows() > 1;
  for (Index j = 0; j < n; ++j) bitline_siemens[j] = 1 / circuit.bitline_segment_ohm(0, j);
  const bool each_wordline_segment = circuit.wordline_ohm.cols() > 1;

  Worst worst;
  double largest = 0;
  double most_siemens = 0;
  double check = 0;  // becomes NaN or infinite with any voltage
  for (Index i = 0; i < m; ++i) {
    const double* const g = circuit.conductance.data() + i * n;
    const double* const u = nodes.wordline.data() + i * n;
    const double* const w = nodes.bitline.data() + i * n;
    const auto cell = [&](Index j) { return g[j] * (u[j] - w[j]); };

    if (each_wordline_segment) {
      const double* const ohm = &circuit.wordline_ohm(circuit.wordline_ohm.rows() > 1 ? i : 0, 0);
#pragma omp simd
      for (Index j = 0; j < n - 1; ++j) right[j + 1] = (u[j] - u[j + 1]) / ohm[j];
    } else {
      const double siemens = 1 / circuit.wordline_segment_ohm(i, 0);
      ROW_KERNEL(row_currents)(n - 1, u, u + 1, nullptr, siemens, right + 1);
    }
    // A terminal without resistance gives whatever its node takes; the first of two at one node.
    const bool left_held = circuit.left_ohm(i) == 0;
    right[0] = (wordline_voltage(i) - u[0]) / circuit.left_ohm(i);
    right[n] = (u[n - 1] - wordline_voltage(i)) / circuit.right_ohm(i);
    if (circuit.right_ohm(i) == 0) {
      right[n] = n == 1 && left_held ? 0.0 : right[n - 1] - cell(n - 1);
    }
    if (left_held) right[0] = right[1] + cell(0);

    if (i == 0) {
      for (Index j = 0; j < n; ++j) {
        above[j] = (terminal(bitline_voltage, j) - w[j]) / circuit.top_ohm(j);
      }
    }
    if (i == m - 1) {
      for (Index j = 0; j < n; ++j) {
        below[j] = (w[j] - terminal(bitline_voltage, j)) / circuit.bottom_ohm(j);
        if (circuit.bottom_ohm(j) == 0) {
          below[j] = m == 1 && circuit.top_ohm(j) == 0 ? 0.0 : above[j] + cell(j);
        }
      }
    } else if (each_bitline_segment) {
      const double* const ohm = &circuit.bitline_ohm(i, 0);
#pragma omp simd
      for (Index j = 0; j < n; ++j) below[j] = (w[j] - w[j + n]) / ohm[j];
    } else {
      ROW_KERNEL(row_currents)(n, w, w + n, bitline_siemens, 0.0, below);
    }
    if (i == 0) {
      for (Index j = 0; j < n; ++j) {
        if (circuit.top_ohm(j) == 0) above[j] = below[j] - cell(j);
      }
    }

    const RowBalance row = ROW_KERNEL(row_balance)(n, g, u, w, right, above, below);
    largest = std::max(largest, row.largest_cell);
    most_siemens = std::max(most_siemens, row.most_siemens);
    check += row.check;
    if (std::max(row.worst_wordline, row.worst_bitline) > worst.net) {
      for (Index j = 0; j < n; ++j) {
        worst.note(right[j] - right[j + 1] - cell(j), true, i, j);
        worst.note(above[j] - below[j] + cell(j), false, i, j);
      }
    }
    std::swap(above, below);
  }
  const double highest = highest_voltage(circuit, wordline_voltage, bitline_voltage);
  const double resolvable = resolvable_ohm(highest, largest);
  if (!std::isfinite(check) || !(smallest > resolvable && most_siemens * resolvable < 1)) {
    return std::nullopt;
  }
  const auto held = [&](double ohm, double difference, bool wordline, Index i, Index j) {
    if (ohm == 0) worst.note(difference * most_siemens, wordline, i, j);
  };
  for (Index i = 0; i < m; ++i) {
    const double v = wordline_voltage(i);
    held(circuit.left_ohm(i), v - nodes.wordline(i, 0), true, i, 0);
    held(circuit.right_ohm(i), v - nodes.wordline(i, n - 1), true, i, n - 1);
  }
  for (Index j = 0; j < n; ++j) {
    const double v = terminal(bitline_voltage, j);
    held(circuit.top_ohm(j), v - nodes.bitline(0, j), false, 0, j);
    held(circuit.bottom_ohm(j), v - nodes.bitline(m - 1, j), false, m - 1, j);
  }
  return worst.relative_to(largest);
}

}  // namespace

std::string KclResidual::where() const {
  return fmt::format("{} node ({},{})", on_wordline ? "wordline" : "bitline", i, j);
}

KclResidual kcl_residual_by_groups(const Circuit& circuit, const Vector& wordline_voltage,
                                   const Vector& bitline_voltage, const NodeVoltages& nodes) {
  const NodeNumbers node(circuit);
  const Index cells = node.m * node.n;
  const auto size = static_cast<std::size_t>(node.count());
  std::vector<double> v(size);
  std::copy_n(nodes.wordline.data(), cells, v.begin());
  std::copy_n(nodes.bitline.data(), cells, v.begin() + cells);
  const auto residual_at = [&](Index e, double relative) {
    const Index k = e % cells;
    return KclResidual{relative, e < cells, k / node.n, k % node.n};
  };
  for (Index e = 0; e < 2 * cells; ++e) {
    if (!std::isfinite(v[static_cast<std::size_t>(e)])) return residual_at(e, infinity);
  }
  for (Index i = 0; i < node.m; ++i) {
    v[static_cast<std::size_t>(node.wordline_terminal(i))] = wordline_voltage(i);
  }
  for (Index j = 0; j < node.n; ++j) {
    v[static_cast<std::size_t>(node.bitline_terminal(j))] = terminal(bitline_voltage, j);
  }
  const double highest = highest_voltage(circuit, wordline_voltage, bitline_voltage);
  const auto difference = [&](Index from, Index to) {
    return v[static_cast<std::size_t>(from)] - v[static_cast<std::size_t>(to)];
  };

  // Only voltages that stand out from rounding tell a current.
  double largest = 0;
  double most_siemens = 0;
  double most_joined = 0;
  const auto measure = [&](Index from, Index to, double siemens) {
    const double across = std::abs(difference(from, to));
    if (siemens < infinity && rounding_share * across > epsilon * highest) {
      largest = std::max(largest, siemens * across);
    }
  };
  for_each_cell(circuit, [&](Index from, Index to, double siemens) {
    measure(from, to, siemens);
    most_joined = std::max(most_joined, siemens);
    if (siemens < infinity) most_siemens = std::max(most_siemens, siemens);
  });
  if (most_joined > 0 && !(most_joined * resolvable_ohm(highest, largest) < 1)) {
    for_each_wire(circuit, measure);
  }
  if (largest == 0) return {};
  const double resolvable = resolvable_ohm(highest, largest);

  double worst = 0;
  Index worst_node = 0;
  const auto note = [&](Index e, double current) {
    if (std::abs(current) <= worst) return;
    worst = std::abs(current);
    worst_node = e;
  };
  DisjointSets groups(node.count());
  const auto join = [&](Index from, Index to, double siemens) {
    if (siemens * resolvable < 1) return;
    groups.join(from, to);
    if (siemens == infinity) note(std::min(from, to), difference(from, to) * most_siemens);
  };
  for_each_wire(circuit, join);
  for_each_cell(circuit, join);

  std::vector<Index> group(size);
  for (Index e = 0; e < node.count(); ++e) group[static_cast<std::size_t>(e)] = groups.find(e);
  std::vector<double> net(size, 0.0);
  const auto flow = [&](Index from, Index to, double siemens) {
    const Index a = group[static_cast<std::size_t>(from)];
    const Index b = group[static_cast<std::size_t>(to)];
    if (a == b) return;
    const double current = siemens * difference(from, to);
    net[static_cast<std::size_t>(a)] -= current;
    net[static_cast<std::size_t>(b)] += current;
  };
  for_each_wire(circuit, flow);
  for_each_cell(circuit, flow);
  for (Index e = 2 * cells; e < node.count(); ++e) {
    net[static_cast<std::size_t>(group[static_cast<std::size_t>(e)])] = 0;
  }
  for (Index e = 0; e < 2 * cells; ++e) note(e, net[static_cast<std::size_t>(e)]);
  return residual_at(worst_node, worst / largest);
}

KclResidual kcl_residual(const Circuit& circuit, const Vector& wordline_voltage,
                         const Vector& bitline_voltage, const NodeVoltages& nodes) {
  const auto by_rows = residual_by_rows(circuit, wordline_voltage, bitline_voltage, nodes);
  return by_rows ? *by_rows
                 : kcl_residual_by_groups(circuit, wordline_voltage, bitline_voltage, nodes);
}

Vector sink_currents(const Circuit& circuit, const Vector& wordline_voltage,
                     const Vector& bitline_voltage, const NodeVoltages& nodes) {
  const Index m = circuit.wordlines();
  const Index n = circuit.bitlines();
  Vector current = Vector::Zero(n);
  Vector siemens = Vector::Zero(n);  // of a bitline's cells, then the doubt of its current
  for (Index i = 0; i < m; ++i) {
    const double* const g = circuit.conductance.data() + i * n;
    const double* const u = nodes.wordline.data() + i * n;
    const double* const w = nodes.bitline.data() + i * n;
    ROW_KERNEL(add_row)(n, g, u, w, current.data(), siemens.data());
  }
  // The way of least doubt (line_currents.hpp) that needs no other currents.
  double largest = 0;
  for (Index j = 0; j < n; ++j) {
    if (std::isinf(siemens(j))) continue;
    const double top = circuit.top_ohm(j);
    const double bottom = circuit.bottom_ohm(j);
    const double ends = 1 / top + 1 / bottom;
    if (ends < siemens(j)) {
      const double b = terminal(bitline_voltage, j);
      current(j) = (nodes.bitline(0, j) - b) / top + (nodes.bitline(m - 1, j) - b) / bottom;
      siemens(j) = ends;
    }
    largest = std::max(largest, std::abs(current(j)));
  }
  const double highest = highest_voltage(circuit, wordline_voltage, bitline_voltage);
  std::optional<CellCurrents> cells;
  for (Index j = 0; j < n; ++j) {
    if (epsilon * highest * siemens(j) <= sensed_share * largest) continue;
    if (!cells) cells = cell_currents(circuit, wordline_voltage, bitline_voltage, nodes);
    LineTracer tracer(circuit, wordline_voltage, bitline_voltage, nodes);
    tracer.trace_bitline(j, *cells);
    current(j) = tracer.current(m) - tracer.current(0);
  }
  return current;
}

}  // namespace xbar::solver
