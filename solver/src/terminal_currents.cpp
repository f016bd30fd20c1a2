#include "terminal_currents.hpp"

namespace xbar::solver {
namespace {

Vector conductances(const Vector& ohm) {
  return ohm.unaryExpr([](double r) { return r > 0 ? 1.0 / r : 0.0; });
}

}  // namespace

template <typename SegmentOhm>
void TerminalCurrents::find_groups(Index line, Index count, double first_ohm, double last_ohm,
                                   const SegmentOhm& segment_ohm, std::vector<Group>& groups) {
  Index end = 0;
  if (first_ohm == 0) {
    end = 1;
    while (end < count && segment_ohm(end - 1) == 0) ++end;
    groups.push_back({line, 0, end});
  }
  if (last_ohm == 0 && end < count) {
    Index begin = count - 1;
    while (begin > 0 && segment_ohm(begin - 1) == 0) --begin;
    groups.push_back({line, begin, count});
  }
}

TerminalCurrents::TerminalCurrents(const Circuit& circuit)
    : circuit_(circuit),
      left_(conductances(circuit.left_ohm)),
      right_(conductances(circuit.right_ohm)),
      top_(conductances(circuit.top_ohm)),
      bottom_(conductances(circuit.bottom_ohm)) {
  const Index m = circuit.wordlines();
  const Index n = circuit.bitlines();
  for (Index i = 0; i < m; ++i) {
    find_groups(
        i, n, circuit.left_ohm(i), circuit.right_ohm(i),
        [&](Index k) { return circuit.wordline_segment_ohm(i, k); }, wordline_groups_);
  }
  for (Index j = 0; j < n; ++j) {
    find_groups(
        j, m, circuit.top_ohm(j), circuit.bottom_ohm(j),
        [&](Index k) { return circuit.bitline_segment_ohm(k, j); }, bitline_groups_);
  }
  for (const Group& group : wordline_groups_) {
    for (Index j = group.begin; j < group.end; ++j) held_.push_back({true, group.line, j});
  }
  for (const Group& group : bitline_groups_) {
    for (Index i = group.begin; i < group.end; ++i) held_.push_back({false, i, group.line});
  }
}

double TerminalCurrents::cell(Index i, Index j, const NodeVoltages& nodes,
                              const Matrix* cell_current) const {
  if (cell_current != nullptr) return (*cell_current)(i, j);
  return circuit_.conductance(i, j) * (nodes.wordline(i, j) - nodes.bitline(i, j));
}

Vector TerminalCurrents::wordline(const Vector& voltage, const NodeVoltages& nodes,
                                  const Matrix* cell_current) const {
  const Index n = circuit_.bitlines();
  const Matrix& u = nodes.wordline;
  Vector current =
      left_.cwiseProduct(voltage - u.col(0)) + right_.cwiseProduct(voltage - u.col(n - 1));
  for (const Group& group : wordline_groups_) {
    const Index i = group.line;
    for (Index j = group.begin; j < group.end; ++j) {
      current(i) += cell(i, j, nodes, cell_current);
    }
    if (group.begin > 0) {
      current(i) += (u(i, group.begin) - u(i, group.begin - 1)) /
                    circuit_.wordline_segment_ohm(i, group.begin - 1);
    }
    if (group.end < n) {
      current(i) +=
          (u(i, group.end - 1) - u(i, group.end)) / circuit_.wordline_segment_ohm(i, group.end - 1);
    }
  }
  return current;
}

Vector TerminalCurrents::bitline(const Vector& voltage, const NodeVoltages& nodes,
                                 const Matrix* cell_current) const {
  const Index m = circuit_.wordlines();
  const Matrix& w = nodes.bitline;
  Vector current = top_.cwiseProduct(w.row(0).transpose() - voltage) +
                   bottom_.cwiseProduct(w.row(m - 1).transpose() - voltage);
  for (const Group& group : bitline_groups_) {
    const Index j = group.line;
    for (Index i = group.begin; i < group.end; ++i) {
      current(j) += cell(i, j, nodes, cell_current);
    }
    if (group.begin > 0) {
      current(j) += (w(group.begin - 1, j) - w(group.begin, j)) /
                    circuit_.bitline_segment_ohm(group.begin - 1, j);
    }
    if (group.end < m) {
      current(j) +=
          (w(group.end, j) - w(group.end - 1, j)) / circuit_.bitline_segment_ohm(group.end - 1, j);
    }
  }
  return current;
}

double TerminalCurrents::dissipation(const Vector& wordline_voltage, const Vector& bitline_voltage,
                                     const NodeVoltages& nodes) const {
  const auto lost = [](const Vector& siemens, const auto& volt) {
    return (siemens.array() * volt.array().square()).sum();
  };
  const Index m = circuit_.wordlines();
  const Index n = circuit_.bitlines();
  return lost(left_, (wordline_voltage - nodes.wordline.col(0)).eval()) +
         lost(right_, (wordline_voltage - nodes.wordline.col(n - 1)).eval()) +
         lost(top_, (bitline_voltage - nodes.bitline.row(0).transpose()).eval()) +
         lost(bottom_, (bitline_voltage - nodes.bitline.row(m - 1).transpose()).eval());
}

}  // namespace xbar::solver
