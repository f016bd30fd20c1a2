#include "direct_solver.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include <cholmod.h>
#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/stopwatch.hpp>

#include "branches.hpp"
#include "disjoint_sets.hpp"
#include "kcl_residual.hpp"

namespace xbar::solver {
namespace {

// Refinement stops when a correction no longer shrinks or is this small against the solution.
constexpr double refinement_goal = 1e-15;
constexpr int max_refinements = 20;
// Right-hand sides solved together: as many as CHOLMOD takes through its factor at a time.
constexpr Index block_columns = 4;

// Lists the nodes of rows [i0, i1) and columns [j0, j1) in nested dissection: both halves first,
// then the nodes whose removal parts them. The wordlines are all that joins the columns left of a
// column to those right of it, and the bitlines all that joins rows. To factor the matrix in this
// order takes about 19 (mn)^1.5 operations; by minimum degree 1.7 times as many at 64 x 64, 2.4
// times at 256 x 256.
void nested_dissection(const NodeNumbers& node, Index i0, Index i1, Index j0, Index j1,
                       std::vector<Index>& order) {
  if (i0 >= i1 || j0 >= j1) return;
  if (j1 - j0 >= i1 - i0) {
    const Index j = j0 + (j1 - j0) / 2;
    nested_dissection(node, i0, i1, j0, j, order);
    nested_dissection(node, i0, i1, j + 1, j1, order);
    for (Index i = i0; i < i1; ++i) order.push_back(node.bitline(i, j));
    for (Index i = i0; i < i1; ++i) order.push_back(node.wordline(i, j));
  } else {
    const Index i = i0 + (i1 - i0) / 2;
    nested_dissection(node, i0, i, j0, j1, order);
    nested_dissection(node, i + 1, i1, j0, j1, order);
    for (Index j = j0; j < j1; ++j) order.push_back(node.wordline(i, j));
    for (Index j = j0; j < j1; ++j) order.push_back(node.bitline(i, j));
  }
}

std::string terminal_name(const NodeNumbers& node, Index terminal) {
  const Index line = terminal - node.inner();
  return line < node.m ? fmt::format("wordline {}", line)
                       : fmt::format("bitline {}", line - node.m);
}

}  // namespace

struct DirectSolver::Cholmod {
  Cholmod() {
    cholmod_l_start(&common);
    common.supernodal = CHOLMOD_SIMPLICIAL;
    common.nmethods = 1;
    common.method[0].ordering = CHOLMOD_NATURAL;  // number_nodes() has found a better one
    common.postorder = 1;
    common.print = 0;
    common.error_handler = nullptr;
    common.try_catch = 1;
  }
  Cholmod(const Cholmod&) = delete;
  Cholmod& operator=(const Cholmod&) = delete;
  ~Cholmod() {
    clear();
    cholmod_l_finish(&common);
  }
  void clear() {
    cholmod_l_free_factor(&factor, &common);
    cholmod_l_free_sparse(&matrix, &common);
    cholmod_l_free_dense(&solution, &common);
    cholmod_l_free_dense(&workspace_y, &common);
    cholmod_l_free_dense(&workspace_e, &common);
  }
  [[noreturn]] void fail(const char* step) const {
    throw NumericalError(
        fmt::format("direct method: CHOLMOD {} failed with status {} ({})", step, common.status,
                    common.status == CHOLMOD_OUT_OF_MEMORY ? "out of memory" : "see cholmod.h"));
  }

  cholmod_common common{};
  cholmod_sparse* matrix = nullptr;
  cholmod_factor* factor = nullptr;
  // Kept from one cholmod_l_solve2 to the next.
  cholmod_dense* solution = nullptr;
  cholmod_dense* workspace_y = nullptr;
  cholmod_dense* workspace_e = nullptr;
  // Where each branch's conductance goes: positions in matrix->x of the two diagonal entries and of
  // the off-diagonal one, -1 where an end is a terminal or both ends are one node.
  struct Slots {
    Index diagonal_from = -1;
    Index diagonal_to = -1;
    Index off_diagonal = -1;
  };
  std::vector<Slots> slots;
};

DirectSolver::DirectSolver() : cholmod_(std::make_unique<Cholmod>()) {}
DirectSolver::~DirectSolver() = default;

void DirectSolver::factor(Circuit circuit) {
  check_circuit(circuit);
  const Stopwatch watch;
  // Without an array until this one is ready: check_voltage refuses every input to a failed one.
  circuit_ = Circuit{};

  Structure structure{circuit.wordlines(), circuit.bitlines(), {}};
  std::vector<double> siemens;
  siemens.reserve(branches_.size());
  Index number = 0;
  const auto sort = [&](Index, Index, double value) {
    if (std::isinf(value)) {
      structure.joining.push_back(number);
    } else {
      siemens.push_back(value);
    }
    ++number;
  };
  for_each_wire(circuit, sort);
  for_each_cell(circuit, sort);
  if (structure_ != structure) {
    structure_ = Structure{};
    analyze(circuit);
    structure_ = std::move(structure);
  }
  for (std::size_t k = 0; k < branches_.size(); ++k) branches_[k].siemens = siemens[k];

  condition_ = 1;
  if (unknowns_ > 0) {
    Cholmod& c = *cholmod_;
    auto* values = static_cast<double*>(c.matrix->x);
    std::fill(values, values + c.matrix->nzmax, 0.0);
    for (std::size_t k = 0; k < branches_.size(); ++k) {
      const double g = siemens[k];
      const Cholmod::Slots& slots = c.slots[k];
      if (slots.diagonal_from >= 0) values[slots.diagonal_from] += g;
      if (slots.diagonal_to >= 0) values[slots.diagonal_to] += g;
      if (slots.off_diagonal >= 0) values[slots.off_diagonal] -= g;
    }
    if (cholmod_l_factorize(c.matrix, c.factor, &c.common) == 0 || c.common.status < CHOLMOD_OK) {
      c.fail("factorisation");
    }
    if (c.factor->minor < c.factor->n) {
      throw NumericalError("direct method: the nodal matrix is singular in double precision");
    }
    condition_ = 1 / cholmod_l_rcond(c.factor, &c.common);
  }
  circuit_ = std::move(circuit);
  factor_seconds_ = watch.seconds();
}

void DirectSolver::analyze(const Circuit& circuit) {
  cholmod_->clear();
  number_nodes(circuit);
  branches_.clear();
  const auto list = [&](Index from, Index to, double siemens) {
    if (std::isinf(siemens)) return;
    branches_.push_back(
        {node_[static_cast<std::size_t>(from)], node_[static_cast<std::size_t>(to)], siemens});
  };
  for_each_wire(circuit, list);
  for_each_cell(circuit, list);
  if (unknowns_ > 0) set_pattern();
}

// Nodes without a resistance between them get one number; those of a terminal, the terminal's.
void DirectSolver::number_nodes(const Circuit& circuit) {
  const NodeNumbers node(circuit);
  DisjointSets sets(node.count());
  const auto join = [&](Index from, Index to, double siemens) {
    if (std::isinf(siemens)) sets.join(from, to);
  };
  for_each_wire(circuit, join);
  for_each_cell(circuit, join);

  constexpr Index none = -1;
  const auto at = [](Index k) { return static_cast<std::size_t>(k); };
  std::vector<Index> terminal(at(node.count()), none);  // of each set, at its least member
  for (Index t = node.inner(); t < node.count(); ++t) {
    Index& owner = terminal[at(sets.find(t))];
    if (owner != none) {
      throw InvalidArgument(fmt::format("circuit: no resistance between the terminals of {} and {}",
                                        terminal_name(node, owner), terminal_name(node, t)));
    }
    owner = t;
  }
  // A set of joined nodes is eliminated where the last of them would be.
  std::vector<Index> order;
  order.reserve(at(node.inner()));
  nested_dissection(node, 0, node.m, 0, node.n, order);
  unknowns_ = 0;
  for (const Index e : order) {
    if (sets.find(e) == e && terminal[at(e)] == none) ++unknowns_;
  }
  node_.assign(at(node.count()), none);
  Index next = unknowns_;
  for (auto e = order.rbegin(); e != order.rend(); ++e) {
    const Index set = sets.find(*e);
    if (terminal[at(set)] == none && node_[at(set)] == none) node_[at(set)] = --next;
  }
  for (Index e = 0; e < node.count(); ++e) {
    const Index set = sets.find(e);
    const Index owner = terminal[at(set)];
    node_[at(e)] = owner == none ? node_[at(set)] : unknowns_ + owner - node.inner();
  }
}

// Upper triangle of the nodal matrix in compressed columns, its branches' places in it, and
// CHOLMOD's analysis of it.
void DirectSolver::set_pattern() {
  Cholmod& c = *cholmod_;
  const auto at = [](Index k) { return static_cast<std::size_t>(k); };
  const auto couples = [&](const Branch& b) {
    return b.from < unknowns_ && b.to < unknowns_ && b.from != b.to;
  };
  // The branches of each column, sorted by row; parallel ones will share an entry.
  std::vector<Index> first(at(unknowns_) + 1, 0);
  for (const Branch& b : branches_) {
    if (couples(b)) ++first[at(std::max(b.from, b.to)) + 1];
  }
  std::partial_sum(first.begin(), first.end(), first.begin());
  std::vector<Index> sorted(at(first.back()));
  std::vector<Index> next(first.begin(), first.end() - 1);
  for (std::size_t k = 0; k < branches_.size(); ++k) {
    const Branch& b = branches_[k];
    if (couples(b)) sorted[at(next[at(std::max(b.from, b.to))]++)] = static_cast<Index>(k);
  }
  const auto row = [&](Index k) { return std::min(branches_[at(k)].from, branches_[at(k)].to); };

  c.slots.assign(branches_.size(), {});
  std::vector<Index> column_start(at(unknowns_) + 1, 0);
  std::vector<Index> rows;
  rows.reserve(sorted.size() + at(unknowns_));
  std::vector<Index> diagonal(at(unknowns_));
  for (Index column = 0; column < unknowns_; ++column) {
    const auto begin = sorted.begin() + first[at(column)];
    const auto end = sorted.begin() + first[at(column) + 1];
    std::sort(begin, end, [&](Index a, Index b) { return row(a) < row(b); });
    for (auto k = begin; k != end; ++k) {
      if (k == begin || row(*k) != row(*(k - 1))) rows.push_back(row(*k));
      c.slots[at(*k)].off_diagonal = static_cast<Index>(rows.size()) - 1;
    }
    diagonal[at(column)] = static_cast<Index>(rows.size());
    rows.push_back(column);
    column_start[at(column) + 1] = static_cast<Index>(rows.size());
  }
  for (std::size_t k = 0; k < branches_.size(); ++k) {
    const Branch& b = branches_[k];
    if (b.from == b.to) continue;
    if (b.from < unknowns_) c.slots[k].diagonal_from = diagonal[at(b.from)];
    if (b.to < unknowns_) c.slots[k].diagonal_to = diagonal[at(b.to)];
  }

  c.matrix = cholmod_l_allocate_sparse(at(unknowns_), at(unknowns_), rows.size(), 1, 1, 1,
                                       CHOLMOD_REAL, &c.common);
  if (c.matrix == nullptr) c.fail("allocation");
  std::copy(column_start.begin(), column_start.end(), static_cast<SuiteSparse_long*>(c.matrix->p));
  std::copy(rows.begin(), rows.end(), static_cast<SuiteSparse_long*>(c.matrix->i));
  // CHOLMOD's analysis reads the pattern only.
  std::fill_n(static_cast<double*>(c.matrix->x), rows.size(), 0.0);
  c.factor = cholmod_l_analyze(c.matrix, &c.common);
  if (c.factor == nullptr) c.fail("analysis");
}

int DirectSolver::solve_columns(std::vector<double>& x, Index columns) {
  Cholmod& c = *cholmod_;
  const std::size_t rows = x.size() / static_cast<std::size_t>(columns);
  const auto count = static_cast<std::size_t>(unknowns_);
  std::vector<double> net(x.size());
  std::vector<std::size_t> active(static_cast<std::size_t>(columns));
  std::iota(active.begin(), active.end(), std::size_t{0});
  std::vector<double> previous(active.size(), HUGE_VAL);
  int refinements = 0;
  // Each pass solves for the net currents that the present voltages leave, written branch by
  // branch: the first pass is the solution, the others refine it.
  for (int pass = 0; pass <= max_refinements && !active.empty(); ++pass) {
    refinements = pass;
    for (std::size_t a = 0; a < active.size(); ++a) {
      const double* const v = x.data() + active[a] * rows;
      double* const into = net.data() + a * rows;
      std::fill_n(into, rows, 0.0);
      for (const Branch& b : branches_) {
        const double current = b.siemens * (v[b.from] - v[b.to]);
        into[b.from] -= current;
        into[b.to] += current;
      }
    }
    cholmod_dense right_hand_side{};
    right_hand_side.nrow = count;
    right_hand_side.ncol = active.size();
    right_hand_side.d = rows;
    right_hand_side.nzmax = active.size() * rows;
    right_hand_side.x = net.data();
    right_hand_side.xtype = CHOLMOD_REAL;
    right_hand_side.dtype = CHOLMOD_DOUBLE;
    if (cholmod_l_solve2(CHOLMOD_A, c.factor, &right_hand_side, nullptr, &c.solution, nullptr,
                         &c.workspace_y, &c.workspace_e, &c.common) == 0) {
      c.fail("solve");
    }
    std::vector<std::size_t> unfinished;
    for (std::size_t a = 0; a < active.size(); ++a) {
      const double* const step = static_cast<const double*>(c.solution->x) + a * c.solution->d;
      double* const v = x.data() + active[a] * rows;
      double largest_step = 0;
      double largest = 0;
      for (std::size_t e = 0; e < count; ++e) {
        v[e] += step[e];
        largest_step = std::max(largest_step, std::abs(step[e]));
        largest = std::max(largest, std::abs(v[e]));
      }
      double& last = previous[active[a]];
      if (largest_step > refinement_goal * largest && largest_step <= 0.5 * last) {
        unfinished.push_back(active[a]);
      }
      last = largest_step;
    }
    active = std::move(unfinished);
  }
  return refinements;
}

SolveResult DirectSolver::solve(const TerminalVoltage& voltage, const SolveOptions& options) {
  const Index m = circuit_.wordlines();
  const Index n = circuit_.bitlines();
  check_voltage(voltage, m, n);
  const Stopwatch watch;
  const Index inputs = voltage.inputs();
  const NodeNumbers node(circuit_);
  const Index rows = unknowns_ + m + n;
  SolveResult result;
  result.report.method = SolveMethod::direct;
  result.current.resize(n, inputs);
  KclResidual worst;
  Index worst_input = 0;
  std::vector<double> x;
  NodeVoltages nodes{Matrix(m, n), Matrix(m, n)};
  for (Index first = 0; first < inputs; first += block_columns) {
    const Index columns = std::min(block_columns, inputs - first);
    x.assign(static_cast<std::size_t>(rows * columns), 0.0);
    for (Index a = 0; a < columns; ++a) {
      double* const terminals = x.data() + a * rows + unknowns_;
      for (Index i = 0; i < m; ++i) terminals[i] = voltage.wordline(i, first + a);
      if (voltage.bitline.size() == 0) continue;
      for (Index j = 0; j < n; ++j) terminals[m + j] = voltage.bitline(j, first + a);
    }
    if (unknowns_ > 0) {
      result.report.iterations = std::max(result.report.iterations, solve_columns(x, columns));
    }
    for (Index a = 0; a < columns; ++a) {
      const Index k = first + a;
      const double* const v = x.data() + a * rows;
      for (Index e = 0; e < m * n; ++e) {
        nodes.wordline.data()[e] = v[node_[static_cast<std::size_t>(e)]];
        nodes.bitline.data()[e] = v[node_[static_cast<std::size_t>(m * n + e)]];
      }
      const Vector wordline_voltage = voltage.wordline.col(k);
      const Vector bitline_voltage = voltage.bitline_input(k, n);
      result.current.col(k) = sink_currents(circuit_, wordline_voltage, bitline_voltage, nodes);
      const KclResidual residual = kcl_residual(circuit_, wordline_voltage, bitline_voltage, nodes);
      if (!(residual.relative < kcl_limit)) {
        throw NumericalError(fmt::format(
            "direct method: input {} leaves a Kirchhoff residual of {:.1e} of the largest cell "
            "current at {}",
            k, residual.relative, residual.where()));
      }
      if (residual.relative >= worst.relative) {
        worst = residual;
        worst_input = k;
      }
      if (options.node_voltages) result.nodes.push_back(nodes);
    }
  }
  SolveReport& report = result.report;
  report.kcl_residual = worst.relative;
  report.kcl_worst = fmt::format("{}, input {}", worst.where(), worst_input);
  report.condition = condition_;
  report.bytes = cholmod_->common.memory_usage + branches_.capacity() * sizeof(Branch) +
                 cholmod_->slots.capacity() * sizeof(Cholmod::Slots) +
                 node_.capacity() * sizeof(Index);
  report.factor_seconds = factor_seconds_;
  report.solve_seconds = watch.seconds();
  return result;
}

}  // namespace xbar::solver
