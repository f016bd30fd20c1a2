#include "direct_solver.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <cholmod.h>
#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/stopwatch.hpp>

#include "kcl_residual.hpp"

namespace xbar::solver {
namespace {

// Refinement stops when a correction no longer shrinks or is this small against the solution.
constexpr double refinement_goal = 1e-15;
constexpr int max_refinements = 20;

}  // namespace

struct DirectSolver::Cholmod {
  Cholmod() {
    cholmod_l_start(&common);
    common.supernodal = CHOLMOD_SIMPLICIAL;
    common.nmethods = 1;
    common.method[0].ordering = CHOLMOD_AMD;
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
    cholmod_l_free_dense(&right_hand_side, &common);
  }
  [[noreturn]] void fail(const char* step) const {
    throw NumericalError(
        fmt::format("direct method: CHOLMOD {} failed with status {} ({})", step, common.status,
                    common.status == CHOLMOD_OUT_OF_MEMORY ? "out of memory" : "see cholmod.h"));
  }

  cholmod_common common{};
  cholmod_sparse* matrix = nullptr;
  cholmod_factor* factor = nullptr;
  cholmod_dense* right_hand_side = nullptr;
  // Where each branch's conductance goes: positions in matrix->x of the two diagonal entries and of
  // the off-diagonal one, -1 where an end is a known voltage.
  struct Slots {
    Index diagonal_from;
    Index diagonal_to;
    Index off_diagonal;
  };
  std::vector<Slots> slots;
};

DirectSolver::DirectSolver() : cholmod_(std::make_unique<Cholmod>()) {}
DirectSolver::~DirectSolver() = default;

bool DirectSolver::same_structure(Index m, Index n, const WireResistance& wires) const {
  const auto same = [](double a, double b) { return (a == 0) == (b == 0); };
  return cholmod_->factor != nullptr && m == m_ && n == n_ &&
         same(wires.source_ohm, wires_.source_ohm) && same(wires.sink_ohm, wires_.sink_ohm) &&
         same(wires.wordline_ohm, wires_.wordline_ohm) &&
         same(wires.bitline_ohm, wires_.bitline_ohm);
}

void DirectSolver::factor(const Matrix& conductance, const WireResistance& wires) {
  check_conductance(conductance);
  check_wires(wires);
  const Stopwatch watch;
  const bool reuse = same_structure(conductance.rows(), conductance.cols(), wires);
  m_ = conductance.rows();
  n_ = conductance.cols();
  wires_ = wires;
  conductance_ = conductance;
  if (!reuse) analyze();

  // Numbers into the fixed pattern: the branches in the order in which analyze() listed them.
  std::size_t next = 0;
  const auto set = [&](double ohm, Index count) {
    for (Index k = 0; k < count; ++k) branches_[next++].siemens = 1.0 / ohm;
  };
  if (wires.source_ohm > 0) set(wires.source_ohm, m_);
  if (wires.sink_ohm > 0) set(wires.sink_ohm, n_);
  if (wires.wordline_ohm > 0) set(wires.wordline_ohm, m_ * (n_ - 1));
  if (wires.bitline_ohm > 0) set(wires.bitline_ohm, (m_ - 1) * n_);
  for (Index e = 0; e < m_ * n_; ++e) branches_[next++].siemens = conductance.data()[e];
  if (unknowns_ == 0) return;

  Cholmod& c = *cholmod_;
  auto* values = static_cast<double*>(c.matrix->x);
  std::fill(values, values + c.matrix->nzmax, 0.0);
  for (std::size_t k = 0; k < branches_.size(); ++k) {
    const double g = branches_[k].siemens;
    const Cholmod::Slots& slots = c.slots[k];
    if (slots.diagonal_from >= 0) values[slots.diagonal_from] += g;
    if (slots.diagonal_to >= 0) values[slots.diagonal_to] += g;
    if (slots.off_diagonal >= 0) values[slots.off_diagonal] -= g;
  }
  if (cholmod_l_factorize(c.matrix, c.factor, &c.common) == 0 || c.common.status < CHOLMOD_OK) {
    c.fail("factorisation");
  }
  if (c.factor->minor < c.factor->n) {
    throw NumericalError("direct method: the nodal matrix is singular (a floating part)");
  }
  factor_seconds_ = watch.seconds();
}

void DirectSolver::analyze() {
  Cholmod& c = *cholmod_;
  c.clear();

  // Number the nodes; a resistance of exactly zero merges its ends. A line whose segments are zero
  // is one node; a terminal of zero resistance gives its node a known voltage.
  const std::size_t size = static_cast<std::size_t>(m_ * n_);
  wordline_node_.assign(size, 0);
  bitline_node_.assign(size, 0);
  unknowns_ = 0;
  for (Index i = 0; i < m_; ++i) {
    for (Index j = 0; j < n_; ++j) {
      Index node = 0;
      if (j > 0 && wires_.wordline_ohm == 0) {
        node = wordline_node_[static_cast<std::size_t>(i * n_)];
      } else {
        node = j == 0 && wires_.source_ohm == 0 ? source(i) : unknowns_++;
      }
      wordline_node_[static_cast<std::size_t>(i * n_ + j)] = node;
    }
  }
  for (Index i = m_ - 1; i >= 0; --i) {
    for (Index j = 0; j < n_; ++j) {
      Index node = 0;
      if (i < m_ - 1 && wires_.bitline_ohm == 0) {
        node = bitline_node_[static_cast<std::size_t>((m_ - 1) * n_ + j)];
      } else {
        node = i == m_ - 1 && wires_.sink_ohm == 0 ? ground : unknowns_++;
      }
      bitline_node_[static_cast<std::size_t>(i * n_ + j)] = node;
    }
  }

  const auto u = [&](Index i, Index j) {
    return wordline_node_[static_cast<std::size_t>(i * n_ + j)];
  };
  const auto w = [&](Index i, Index j) {
    return bitline_node_[static_cast<std::size_t>(i * n_ + j)];
  };
  branches_.clear();
  const auto branch = [&](Index from, Index to) { branches_.push_back({from, to, 1.0}); };
  if (wires_.source_ohm > 0) {
    for (Index i = 0; i < m_; ++i) branch(source(i), u(i, 0));
  }
  if (wires_.sink_ohm > 0) {
    for (Index j = 0; j < n_; ++j) branch(w(m_ - 1, j), ground);
  }
  if (wires_.wordline_ohm > 0) {
    for (Index i = 0; i < m_; ++i) {
      for (Index j = 0; j + 1 < n_; ++j) branch(u(i, j), u(i, j + 1));
    }
  }
  if (wires_.bitline_ohm > 0) {
    for (Index i = 0; i + 1 < m_; ++i) {
      for (Index j = 0; j < n_; ++j) branch(w(i, j), w(i + 1, j));
    }
  }
  for (Index i = 0; i < m_; ++i) {
    for (Index j = 0; j < n_; ++j) branch(u(i, j), w(i, j));
  }
  if (unknowns_ == 0) return;

  // Upper triangle in compressed columns. Parallel branches share an entry.
  struct Entry {
    Index row;
    Index column;
    std::size_t branch;
  };
  std::vector<Entry> entries;
  for (Index k = 0; k < unknowns_; ++k) entries.push_back({k, k, branches_.size()});
  for (std::size_t k = 0; k < branches_.size(); ++k) {
    const Branch& b = branches_[k];
    if (b.from >= 0 && b.to >= 0) {
      entries.push_back({std::min(b.from, b.to), std::max(b.from, b.to), k});
    }
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& x, const Entry& y) {
    return x.column != y.column ? x.column < y.column : x.row < y.row;
  });
  std::vector<Index> column_start(static_cast<std::size_t>(unknowns_) + 1, 0);
  std::vector<Index> rows;
  std::vector<Index> diagonal(static_cast<std::size_t>(unknowns_), 0);
  c.slots.assign(branches_.size(), {-1, -1, -1});
  for (std::size_t e = 0; e < entries.size(); ++e) {
    const Entry& entry = entries[e];
    if (e == 0 || entry.row != entries[e - 1].row || entry.column != entries[e - 1].column) {
      rows.push_back(entry.row);
      ++column_start[static_cast<std::size_t>(entry.column) + 1];
    }
    const Index slot = static_cast<Index>(rows.size()) - 1;
    if (entry.row == entry.column) {
      diagonal[static_cast<std::size_t>(entry.row)] = slot;
    } else {
      c.slots[entry.branch].off_diagonal = slot;
    }
  }
  std::partial_sum(column_start.begin(), column_start.end(), column_start.begin());
  for (std::size_t k = 0; k < branches_.size(); ++k) {
    const Branch& b = branches_[k];
    if (b.from >= 0) c.slots[k].diagonal_from = diagonal[static_cast<std::size_t>(b.from)];
    if (b.to >= 0) c.slots[k].diagonal_to = diagonal[static_cast<std::size_t>(b.to)];
  }

  const auto n = static_cast<std::size_t>(unknowns_);
  c.matrix = cholmod_l_allocate_sparse(n, n, rows.size(), 1, 1, 1, CHOLMOD_REAL, &c.common);
  c.right_hand_side = cholmod_l_zeros(n, 1, CHOLMOD_REAL, &c.common);
  if (c.matrix == nullptr || c.right_hand_side == nullptr) c.fail("allocation");
  std::copy(column_start.begin(), column_start.end(), static_cast<SuiteSparse_long*>(c.matrix->p));
  std::copy(rows.begin(), rows.end(), static_cast<SuiteSparse_long*>(c.matrix->i));
  // CHOLMOD's analysis reads the pattern only.
  std::fill_n(static_cast<double*>(c.matrix->x), rows.size(), 0.0);
  c.factor = cholmod_l_analyze(c.matrix, &c.common);
  if (c.factor == nullptr) c.fail("analysis");
}

double DirectSolver::known_voltage(Index node, const Vector& voltage) {
  return node == ground ? 0.0 : voltage(-2 - node);
}

SolveResult DirectSolver::solve(const Matrix& voltage, const SolveOptions& options) {
  check_voltage(voltage, m_);
  const Stopwatch watch;
  Cholmod& c = *cholmod_;
  SolveResult result;
  result.report.method = SolveMethod::direct;
  result.current.resize(n_, voltage.cols());
  const auto count = static_cast<std::size_t>(unknowns_);
  for (Index k = 0; k < voltage.cols(); ++k) {
    const Vector input = voltage.col(k);
    std::vector<double> x(count, 0.0);
    const auto at = [&](Index node) {
      return node >= 0 ? x[static_cast<std::size_t>(node)] : known_voltage(node, input);
    };
    // Each pass solves for the net currents that the present voltages leave, written branch by
    // branch: the first pass is the solution, the others refine it.
    double previous = HUGE_VAL;
    for (int pass = 0; unknowns_ > 0 && pass <= max_refinements; ++pass) {
      auto* net = static_cast<double*>(c.right_hand_side->x);
      std::fill_n(net, count, 0.0);
      for (const Branch& b : branches_) {
        const double current = b.siemens * (at(b.from) - at(b.to));
        if (b.from >= 0) net[b.from] -= current;
        if (b.to >= 0) net[b.to] += current;
      }
      cholmod_dense* step = cholmod_l_solve(CHOLMOD_A, c.factor, c.right_hand_side, &c.common);
      if (step == nullptr) c.fail("solve");
      double largest_step = 0;
      double largest = 0;
      for (std::size_t e = 0; e < count; ++e) {
        const double d = static_cast<double*>(step->x)[e];
        x[e] += d;
        largest_step = std::max(largest_step, std::abs(d));
        largest = std::max(largest, std::abs(x[e]));
      }
      cholmod_l_free_dense(&step, &c.common);
      result.report.iterations = std::max(result.report.iterations, pass);
      if (pass > 0 &&
          (largest_step <= refinement_goal * largest || largest_step > 0.5 * previous)) {
        break;
      }
      previous = largest_step;
    }

    NodeVoltages nodes{Matrix(m_, n_), Matrix(m_, n_)};
    for (Index e = 0; e < m_ * n_; ++e) {
      nodes.wordline.data()[e] = at(wordline_node_[static_cast<std::size_t>(e)]);
      nodes.bitline.data()[e] = at(bitline_node_[static_cast<std::size_t>(e)]);
    }
    result.current.col(k) = sink_currents(conductance_, wires_, nodes);
    const KclResidual residual = kcl_residual(conductance_, wires_, input, nodes);
    if (!(residual.relative < kcl_limit)) {
      throw NumericalError(fmt::format(
          "direct method: input {} leaves a Kirchhoff residual of {:.1e} of the largest cell "
          "current at {}",
          k, residual.relative, residual.where));
    }
    if (residual.relative >= result.report.kcl_residual) {
      result.report.kcl_residual = residual.relative;
      result.report.kcl_worst = fmt::format("{}, input {}", residual.where, k);
    }
    if (options.node_voltages) result.nodes.push_back(std::move(nodes));
  }
  result.report.bytes = c.common.memory_usage;
  result.report.factor_seconds = factor_seconds_;
  result.report.solve_seconds = watch.seconds();
  return result;
}

}  // namespace xbar::solver
