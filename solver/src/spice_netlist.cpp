#include <algorithm>
#include <iterator>
#include <limits>
#include <string>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/version.hpp>
#include <xbar/solver/spice_netlist.hpp>

#include "disjoint_sets.hpp"

namespace xbar::solver {
namespace {

constexpr double open = std::numeric_limits<double>::infinity();

// Numbers and names of the nodes: terminals first, then each line from the end that is usually
// driven or sensed.
struct Numbering {
  Index m;
  Index n;

  [[nodiscard]] Index count() const { return m + n + 2 * m * n; }
  [[nodiscard]] static Index s(Index i) { return i; }
  [[nodiscard]] Index k(Index j) const { return m + j; }
  [[nodiscard]] Index u(Index i, Index j) const { return m + n + i * n + j; }
  [[nodiscard]] Index w(Index i, Index j) const { return m + n + m * n + (m - 1 - i) * n + j; }

  [[nodiscard]] std::string name(Index node) const {
    if (node < m) return fmt::format("s_{}", node);
    node -= m;
    if (node < n) return fmt::format("k_{}", node);
    node -= n;
    if (node < m * n) return fmt::format("u_{}_{}", node / n, node % n);
    node -= m * n;
    return fmt::format("w_{}_{}", m - 1 - node / n, node % n);
  }

  [[nodiscard]] std::string line(Index terminal) const {
    return terminal < m ? fmt::format("wordline {}", terminal)
                        : fmt::format("bitline {}", terminal - m);
  }
};

// Calls visit(name, from, to, ohm) for every terminal and segment, where `name` makes its name, and
// visit_cell(i, j) for every cell.
template <typename Visit, typename VisitCell>
void for_each_element(const Circuit& circuit, const Numbering& node, const Visit& visit,
                      const VisitCell& visit_cell) {
  const auto one = [](const char* kind, Index line) {
    return [=] { return fmt::format("{}_{}", kind, line); };
  };
  const auto each = [](const char* kind, Index i, Index j) {
    return [=] { return fmt::format("{}_{}_{}", kind, i, j); };
  };
  for (Index i = 0; i < node.m; ++i) {
    visit(one("rs", i), Numbering::s(i), node.u(i, 0), circuit.left_ohm(i));
    visit(one("rr", i), Numbering::s(i), node.u(i, node.n - 1), circuit.right_ohm(i));
    for (Index j = 0; j + 1 < node.n; ++j) {
      visit(each("rw", i, j), node.u(i, j), node.u(i, j + 1), circuit.wordline_segment_ohm(i, j));
    }
  }
  for (Index i = 0; i < node.m; ++i) {
    for (Index j = 0; j < node.n; ++j) visit_cell(i, j);
  }
  for (Index j = 0; j < node.n; ++j) {
    for (Index i = 0; i + 1 < node.m; ++i) {
      visit(each("rb", i, j), node.w(i, j), node.w(i + 1, j), circuit.bitline_segment_ohm(i, j));
    }
    visit(one("rt", j), node.w(0, j), node.k(j), circuit.top_ohm(j));
    visit(one("rk", j), node.w(node.m - 1, j), node.k(j), circuit.bottom_ohm(j));
  }
}

}  // namespace

std::string spice_netlist(const Circuit& circuit, const device::CellModel& cells,
                          const Vector& wordline_voltage, const Vector& bitline_voltage,
                          const Vector& current) {
  check_circuit(circuit);
  const Numbering node{circuit.wordlines(), circuit.bitlines()};
  check_voltage({wordline_voltage, bitline_voltage}, node.m, node.n);
  if (current.size() != node.n) {
    throw InvalidArgument(
        fmt::format("current: expected {} entries, one a bitline, got {}", node.n, current.size()));
  }
  // A merged node goes by its lowest number.
  DisjointSets merged(node.count());
  for_each_element(
      circuit, node,
      [&](const auto&, Index from, Index to, double ohm) {
        if (ohm == 0) merged.join(from, to);
      },
      [&](Index i, Index j) {
        if (circuit.conductance(i, j) == open) merged.join(node.u(i, j), node.w(i, j));
      });
  // At each of these stands a voltage source to ground; two at one node would be a loop of them.
  for (Index terminal = 0; terminal < node.m + node.n; ++terminal) {
    if (merged.find(terminal) == terminal) continue;
    throw InvalidArgument(
        fmt::format("circuit: nothing resists between the terminals of {} and {}, which leaves "
                    "their currents undetermined; expected some resistance",
                    node.line(merged.find(terminal)), node.line(terminal)));
  }
  const auto driven = [&](Index i) {
    return std::min(circuit.left_ohm(i), circuit.right_ohm(i)) < open;
  };
  const auto sensed = [&](Index j) {
    return std::min(circuit.top_ohm(j), circuit.bottom_ohm(j)) < open;
  };

  std::string text = fmt::format(
      "* {} x {} crossbar, written by xbar {}; run with: ngspice -b FILE\n"
      "* expected currents, ampere:\n",
      node.m, node.n, version);
  auto out = std::back_inserter(text);
  for (Index j = 0; j < node.n; ++j) {
    if (sensed(j)) fmt::format_to(out, "*   i(vk_{}) = {:.17g}\n", j, current(j));
  }
  // What changes in ngspice's last step, whose square is left of it. Less than this is rounding in
  // the currents of low resistances.
  fmt::format_to(out, ".options reltol=1e-10 abstol=1e-15 vntol=1e-14 gmin=1e-18 itl1=1000\n{}",
                 cells.spice_functions());
  for (Index i = 0; i < node.m; ++i) {
    if (driven(i)) fmt::format_to(out, "v_{0} s_{0} 0 dc {1:.17g}\n", i, wordline_voltage(i));
  }
  for_each_element(
      circuit, node,
      [&](const auto& name, Index from, Index to, double ohm) {
        if (!(ohm < open) || merged.find(from) == merged.find(to)) return;
        fmt::format_to(out, "{} {} {} {:.17g}\n", name(), node.name(merged.find(from)),
                       node.name(merged.find(to)), ohm);
      },
      [&](Index i, Index j) {
        const double g = circuit.conductance(i, j);
        const Index from = merged.find(node.u(i, j));
        const Index to = merged.find(node.w(i, j));
        if (!(g > 0) || !(1 / g < open) || from == to) return;
        text += cells.spice_elements({i, j, node.m, node.n, g, node.name(from), node.name(to)});
      });
  for (Index j = 0; j < node.n; ++j) {
    if (!sensed(j)) continue;
    fmt::format_to(out, "vk_{0} k_{0} 0 dc {1:.17g}\n", j,
                   bitline_voltage.size() == 0 ? 0.0 : bitline_voltage(j));
  }
  fmt::format_to(out, ".control\nset numdgt=16\nop\n");
  for (Index j = 0; j < node.n; ++j) {
    if (sensed(j)) fmt::format_to(out, "print i(vk_{})\n", j);
  }
  fmt::format_to(out, "quit\n.endc\n.end\n");
  return text;
}

}  // namespace xbar::solver
