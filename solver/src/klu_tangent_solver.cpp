#include "klu_tangent_solver.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <klu.h>

#include <xbar/core/error.hpp>

#include "branches.hpp"
#include "disjoint_sets.hpp"

namespace xbar::solver {
namespace {

// Refinement stops when a correction no longer halves or is this small against the solution.
constexpr double refinement_goal = 1e-15;
constexpr int max_refinements = 20;

std::size_t at(Index k) { return static_cast<std::size_t>(k); }

}  // namespace

struct KluTangentSolver::Klu {
  Klu() { klu_l_defaults(&common); }
  Klu(const Klu&) = delete;
  Klu& operator=(const Klu&) = delete;
  ~Klu() {
    klu_l_free_numeric(&numeric, &common);
    klu_l_free_symbolic(&symbolic, &common);
  }
  [[noreturn]] void fail(const char* step) const {
    throw NumericalError(
        fmt::format("klu: {} failed with status {} ({})", step, common.status,
                    common.status == KLU_SINGULAR ? "singular matrix" : "see klu.h"));
  }

  klu_l_common common{};
  klu_l_symbolic* symbolic = nullptr;
  klu_l_numeric* numeric = nullptr;
  // The matrix in compressed columns, and where each branch's conductance goes in it: two diagonal
  // and two other entries, -1 where there is none.
  std::vector<SuiteSparse_long> column_start;
  std::vector<SuiteSparse_long> rows;
  std::vector<double> values;
  struct Slots {
    Index diagonal_from = -1;
    Index diagonal_to = -1;
    Index from_to = -1;
    Index to_from = -1;
  };
  std::vector<Slots> slots;
};

KluTangentSolver::KluTangentSolver(const Circuit& circuit)
    : m_(circuit.wordlines()), n_(circuit.bitlines()), klu_(std::make_unique<Klu>()) {
  number_nodes(circuit);
  const auto list = [&](Index from, Index to, double siemens) {
    if (!std::isinf(siemens)) branches_.push_back({node_[at(from)], node_[at(to)], siemens});
  };
  for_each_wire(circuit, list);
  first_cell_ = branches_.size();
  for_each_cell(circuit, list);
  if (unknowns_ > 0) set_pattern();
}

KluTangentSolver::~KluTangentSolver() = default;

// Nodes without a resistance between them get one number; those of a terminal, the terminal's.
void KluTangentSolver::number_nodes(const Circuit& circuit) {
  const NodeNumbers node(circuit);
  DisjointSets sets(node.count());
  for_each_wire(circuit, [&](Index from, Index to, double siemens) {
    if (std::isinf(siemens)) sets.join(from, to);
  });
  constexpr Index none = -1;
  std::vector<Index> number(at(node.count()), none);  // of each set, at its least member
  for (Index t = 0; t < m_ + n_; ++t) {
    Index& of_set = number[at(sets.find(node.inner() + t))];
    if (of_set != none) {
      throw InvalidArgument("circuit: no resistance between the terminals of two lines");
    }
    of_set = t;
  }
  // Terminals are counted from the number of unknowns on, which is not known yet.
  std::vector<bool> held(at(node.count()), false);
  for (Index e = 0; e < node.count(); ++e) held[at(e)] = number[at(sets.find(e))] != none;
  for (Index e = 0; e < node.count(); ++e) {
    if (sets.find(e) == e && !held[at(e)]) number[at(e)] = unknowns_++;
  }
  node_.resize(at(node.count()));
  for (Index e = 0; e < node.count(); ++e) {
    node_[at(e)] = number[at(sets.find(e))] + (held[at(e)] ? unknowns_ : 0);
  }
}

void KluTangentSolver::set_pattern() {
  Klu& klu = *klu_;
  std::vector<std::pair<Index, Index>> entries;  // column, row
  for (Index e = 0; e < unknowns_; ++e) entries.emplace_back(e, e);
  for (const Branch& b : branches_) {
    if (b.from >= unknowns_ || b.to >= unknowns_ || b.from == b.to) continue;
    entries.emplace_back(b.from, b.to);
    entries.emplace_back(b.to, b.from);
  }
  std::sort(entries.begin(), entries.end());
  entries.erase(std::unique(entries.begin(), entries.end()), entries.end());
  klu.column_start.assign(at(unknowns_) + 1, 0);
  for (const auto& [column, row] : entries) {
    ++klu.column_start[at(column) + 1];
    klu.rows.push_back(row);
  }
  for (Index e = 0; e < unknowns_; ++e) klu.column_start[at(e) + 1] += klu.column_start[at(e)];
  klu.values.resize(entries.size());
  const auto slot = [&](Index column, Index row) -> Index {
    if (column >= unknowns_ || row >= unknowns_) return -1;
    return std::lower_bound(entries.begin(), entries.end(), std::pair(column, row)) -
           entries.begin();
  };
  for (const Branch& b : branches_) {
    Klu::Slots& slots = klu.slots.emplace_back();
    if (b.from == b.to) continue;
    slots = {slot(b.from, b.from), slot(b.to, b.to), slot(b.from, b.to), slot(b.to, b.from)};
  }
  klu.symbolic = klu_l_analyze(unknowns_, klu.column_start.data(), klu.rows.data(), &klu.common);
  if (klu.symbolic == nullptr) klu.fail("analysis");
}

void KluTangentSolver::factor(const Matrix& siemens) {
  for (Index e = 0; e < siemens.size(); ++e) {
    branches_[first_cell_ + at(e)].siemens = siemens.data()[e];
  }
  if (unknowns_ == 0) return;
  Klu& klu = *klu_;
  std::fill(klu.values.begin(), klu.values.end(), 0.0);
  for (std::size_t k = 0; k < branches_.size(); ++k) {
    const auto add = [&](Index slot, double value) {
      if (slot >= 0) klu.values[at(slot)] += value;
    };
    const double g = branches_[k].siemens;
    add(klu.slots[k].diagonal_from, g);
    add(klu.slots[k].diagonal_to, g);
    add(klu.slots[k].from_to, -g);
    add(klu.slots[k].to_from, -g);
  }
  klu_l_free_numeric(&klu.numeric, &klu.common);
  klu.numeric = klu_l_factor(klu.column_start.data(), klu.rows.data(), klu.values.data(),
                             klu.symbolic, &klu.common);
  if (klu.numeric == nullptr || klu.common.status != KLU_OK) klu.fail("factorisation");
  klu_l_rcond(klu.symbolic, klu.numeric, &klu.common);
  condition_ = 1 / klu.common.rcond;
}

int KluTangentSolver::solve(const Vector& wordline_voltage, const Vector& bitline_voltage,
                            const Matrix& source, const NodeVoltages* guess, double /*tolerance*/,
                            NodeVoltages& nodes) {
  std::vector<double> x(at(unknowns_ + m_ + n_), 0.0);
  const Index cells = m_ * n_;
  if (guess != nullptr) {
    for (Index e = 0; e < cells; ++e) {
      x[at(node_[at(e)])] = guess->wordline.data()[e];
      x[at(node_[at(cells + e)])] = guess->bitline.data()[e];
    }
  }
  std::copy(wordline_voltage.begin(), wordline_voltage.end(), x.begin() + unknowns_);
  std::copy(bitline_voltage.begin(), bitline_voltage.end(), x.begin() + unknowns_ + m_);

  // Each pass solves for the net currents that the present voltages leave.
  std::vector<double> net;
  double previous = HUGE_VAL;
  int passes = 0;
  for (bool refine = unknowns_ > 0; refine && passes <= max_refinements; ++passes) {
    net.assign(x.size(), 0.0);
    for (std::size_t k = 0; k < branches_.size(); ++k) {
      const Branch& b = branches_[k];
      double current = b.siemens * (x[at(b.from)] - x[at(b.to)]);
      if (k >= first_cell_) current += source.data()[k - first_cell_];
      net[at(b.from)] -= current;
      net[at(b.to)] += current;
    }
    if (klu_l_solve(klu_->symbolic, klu_->numeric, unknowns_, 1, net.data(), &klu_->common) == 0) {
      klu_->fail("solve");
    }
    double largest_step = 0;
    double largest = 0;
    for (Index e = 0; e < unknowns_; ++e) {
      x[at(e)] += net[at(e)];
      largest_step = std::max(largest_step, std::abs(net[at(e)]));
      largest = std::max(largest, std::abs(x[at(e)]));
    }
    refine = largest_step > refinement_goal * largest && largest_step <= 0.5 * previous;
    previous = largest_step;
  }
  nodes.wordline.resize(m_, n_);
  nodes.bitline.resize(m_, n_);
  for (Index e = 0; e < cells; ++e) {
    nodes.wordline.data()[e] = x[at(node_[at(e)])];
    nodes.bitline.data()[e] = x[at(node_[at(cells + e)])];
  }
  return passes;
}

}  // namespace xbar::solver
