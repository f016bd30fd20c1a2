#include "kcl_residual.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace xbar::solver {
namespace {

// Rounding of the voltages at the two ends of a segment is a current of about epsilon v / r. A
// segment in which that would exceed this share of the largest cell current is too small to be
// looked into.
constexpr double rounding_share = 1e-8;

// Walks one line from its terminal (node 0) to its open end and reports the net current of each
// group of nodes that are joined by negligible resistance.
template <typename NodeVoltage, typename Injected, typename Report>
void walk_line(Index count, double resolvable_ohm, double segment_ohm, double terminal_ohm,
               double terminal_voltage, const NodeVoltage& v, const Injected& injected,
               const Report& report) {
  const bool held = terminal_ohm <= resolvable_ohm;
  const bool merged = segment_ohm <= resolvable_ohm;
  double net = held ? 0 : (terminal_voltage - v(0)) / terminal_ohm;
  for (Index k = 0; k < count; ++k) {
    net += injected(k);
    if (merged) continue;
    const double outward = k + 1 < count ? (v(k) - v(k + 1)) / segment_ohm : 0.0;
    if (!(held && k == 0)) report(k, net - outward);
    net = outward;
  }
  if (merged && !held) report(Index{0}, net);
}

}  // namespace

KclResidual kcl_residual(const Eigen::Ref<const Matrix>& conductance, const WireResistance& wires,
                         const Vector& voltage, const NodeVoltages& nodes) {
  const Index m = conductance.rows();
  const Index n = conductance.cols();
  const Matrix& u = nodes.wordline;
  const Matrix& w = nodes.bitline;
  const auto cell = [&](Index i, Index j) { return conductance(i, j) * (u(i, j) - w(i, j)); };
  double largest = 0;
  for (Index i = 0; i < m; ++i) {
    for (Index j = 0; j < n; ++j) largest = std::max(largest, std::abs(cell(i, j)));
  }
  const double highest = std::max({voltage.cwiseAbs().maxCoeff(), u.cwiseAbs().maxCoeff()});
  const double resolvable_ohm =
      largest > 0 ? std::numeric_limits<double>::epsilon() * highest / (rounding_share * largest)
                  : 0;
  double worst = 0;
  Index worst_i = 0;
  Index worst_j = 0;
  bool worst_on_wordline = true;
  const auto note = [&](bool on_wordline, Index i, Index j, double net) {
    if (!(std::abs(net) <= worst)) {
      worst = std::isnan(net) ? HUGE_VAL : std::abs(net);
      worst_i = i;
      worst_j = j;
      worst_on_wordline = on_wordline;
    }
  };
  for (Index i = 0; i < m; ++i) {
    walk_line(
        n, resolvable_ohm, wires.wordline_ohm, wires.source_ohm, voltage(i),
        [&](Index j) { return u(i, j); }, [&](Index j) { return -cell(i, j); },
        [&](Index j, double net) { note(true, i, j, net); });
  }
  for (Index j = 0; j < n; ++j) {
    walk_line(
        m, resolvable_ohm, wires.bitline_ohm, wires.sink_ohm, 0.0,
        [&](Index k) { return w(m - 1 - k, j); }, [&](Index k) { return cell(m - 1 - k, j); },
        [&](Index k, double net) { note(false, m - 1 - k, j, net); });
  }
  KclResidual result;
  result.relative = worst > 0 ? worst / largest : 0.0;
  result.where =
      fmt::format("{} node ({},{})", worst_on_wordline ? "wordline" : "bitline", worst_i, worst_j);
  return result;
}

Vector sink_currents(const Eigen::Ref<const Matrix>& conductance, const WireResistance& wires,
                     const NodeVoltages& nodes) {
  const Index last = conductance.rows() - 1;
  Vector current = (conductance.array() * (nodes.wordline - nodes.bitline).array()).colwise().sum();
  for (Index j = 0; j < conductance.cols(); ++j) {
    if (wires.sink_ohm * conductance.col(j).sum() > 1) {
      current(j) = nodes.bitline(last, j) / wires.sink_ohm;
    }
  }
  return current;
}

}  // namespace xbar::solver
