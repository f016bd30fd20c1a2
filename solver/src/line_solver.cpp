#include "line_solver.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/isa.hpp>
#include <xbar/core/parallel.hpp>
#include <xbar/core/stopwatch.hpp>

#include "kcl_residual.hpp"
#include "line_kernels.hpp"

#define KERNEL(function) XBAR_DISPATCH(::xbar::solver, function)

namespace xbar::solver {
namespace {

constexpr long P = block_size;

// Prepares the ladder of L lines with K nodes; the terminal node is at row `first` of a K x L
// array.
void factor_ladder(Index K, Index L, bool reversed, const Buffer& conductance, double segment_ohm,
                   double terminal_ohm, LadderFactors& ladder) {
  const std::size_t size = static_cast<std::size_t>(K * L);
  ladder.a.resize(size);
  ladder.b.resize(size);
  ladder.t.resize(static_cast<std::size_t>(L));
  ladder.terminal.assign(static_cast<std::size_t>(L), terminal_ohm);
  const Buffer segment(static_cast<std::size_t>(L), segment_ohm);
  const Index first = reversed ? (K - 1) * L : 0;
  const Index stride = reversed ? -L : L;
  KERNEL(ladder_factor)
  (K, L, stride, conductance.data() + first, segment.data(), 0, ladder.terminal.data(),
   ladder.a.data() + first, ladder.b.data() + first, ladder.t.data());
}

// The buffers of one block of right-hand sides, m x n x P each.
struct BlockWorkspace {
  explicit BlockWorkspace(std::size_t size)
      : w(size), r(size), z(size), p(size), s(size), y(size), u(size), c(size) {}
  Buffer w, r, z, p, s, y, u, c;
};

using BlockScalars = std::array<double, static_cast<std::size_t>(P)>;

}  // namespace

void LineSolver::factor(const Matrix& conductance, const WireResistance& wires) {
  check_conductance(conductance);
  check_wires(wires);
  const Stopwatch watch;
  m_ = conductance.rows();
  n_ = conductance.cols();
  wires_ = wires;
  const std::size_t size = static_cast<std::size_t>(m_ * n_);
  conductance_.assign(conductance.data(), conductance.data() + size);
  conductance_transposed_.resize(size);
  KERNEL(transpose)(m_, n_, conductance_.data(), conductance_transposed_.data());
  factor_ladder(n_, m_, false, conductance_transposed_, wires.wordline_ohm, wires.source_ohm,
                wordlines_);
  factor_ladder(m_, n_, true, conductance_, wires.bitline_ohm, wires.sink_ohm, bitlines_);
  factor_seconds_ = watch.seconds();
}

LineSolver::Outcome LineSolver::solve_vector(const double* voltage, const SolveOptions& options) {
  const Index size = m_ * n_;
  const Index last = (m_ - 1) * n_;
  const double* Gt = conductance_transposed_.data();
  for (Buffer* buffer : {&w_, &r_, &z_, &p_, &s_, &q_, &u_, &c_}) {
    buffer->resize(static_cast<std::size_t>(size));
  }
  // y = T^-1 D x for x in bitline order; leaves T^-1 D x in u_ and, in bitline order, D T^-1 D x in
  // y.
  const auto through_wordlines = [&](const double* x, double* y) {
    KERNEL(transpose)(m_, n_, x, c_.data());
    KERNEL(multiply)(size, Gt, c_.data(), c_.data());
    KERNEL(ladder_solve)
    (n_, m_, m_, wordlines_.a.data(), wordlines_.b.data(), wordlines_.t.data(),
     wordlines_.terminal.data(), c_.data(), u_.data());
    KERNEL(multiply)(size, Gt, u_.data(), c_.data());
    KERNEL(transpose)(n_, m_, c_.data(), y);
  };
  const auto precondition = [&](const double* x, double* y) {
    KERNEL(ladder_solve)
    (m_, n_, -n_, bitlines_.a.data() + last, bitlines_.b.data() + last, bitlines_.t.data(),
     bitlines_.terminal.data(), x + last, y + last);
  };

  // r = D T^-1 b, w = 0.
  KERNEL(ladder_drive)
  (n_, m_, m_, wordlines_.a.data(), wordlines_.t.data(), voltage, u_.data());
  KERNEL(multiply)(size, Gt, u_.data(), c_.data());
  KERNEL(transpose)(n_, m_, c_.data(), r_.data());
  std::fill(w_.begin(), w_.end(), 0.0);
  precondition(r_.data(), z_.data());
  p_ = z_;
  s_ = r_;
  double rz = KERNEL(dot)(size, r_.data(), z_.data());
  const double goal = rz * options.tolerance * options.tolerance;
  Outcome outcome;
  outcome.converged = !(rz > 0);
  while (!outcome.converged && outcome.iterations < options.max_iterations) {
    through_wordlines(p_.data(), q_.data());
    const double curvature = KERNEL(subtract_dot)(size, s_.data(), p_.data(), q_.data());
    if (!(curvature > 0)) break;  // rounding has eaten the direction, or the numbers overflowed
    const double alpha = rz / curvature;
    KERNEL(axpy)(size, alpha, p_.data(), w_.data());
    KERNEL(axpy)(size, -alpha, q_.data(), r_.data());
    precondition(r_.data(), z_.data());
    const double next = KERNEL(dot)(size, r_.data(), z_.data());
    ++outcome.iterations;
    outcome.converged = next <= goal;
    KERNEL(update_directions)(size, next / rz, z_.data(), r_.data(), p_.data(), s_.data());
    rz = next;
  }
  // u = T^-1 (b + D w)
  KERNEL(transpose)(m_, n_, w_.data(), q_.data());
  KERNEL(multiply)(size, Gt, q_.data(), c_.data());
  KERNEL(ladder_solve)
  (n_, m_, m_, wordlines_.a.data(), wordlines_.b.data(), wordlines_.t.data(),
   wordlines_.terminal.data(), c_.data(), q_.data());
  KERNEL(ladder_drive)
  (n_, m_, m_, wordlines_.a.data(), wordlines_.t.data(), voltage, u_.data());
  KERNEL(axpy)(size, 1.0, q_.data(), u_.data());
  // w = S^-1 D u: one step of the fixed point, which also makes the two sides consistent.
  KERNEL(multiply)(size, Gt, u_.data(), c_.data());
  KERNEL(transpose)(n_, m_, c_.data(), q_.data());
  precondition(q_.data(), w_.data());
  return outcome;
}

NodeVoltages LineSolver::node_voltages() const {
  NodeVoltages nodes;
  nodes.bitline = Eigen::Map<const Matrix>(w_.data(), m_, n_);
  nodes.wordline = Eigen::Map<const Matrix>(u_.data(), n_, m_).transpose();
  return nodes;
}

SolveResult LineSolver::solve(const Matrix& voltage, const SolveOptions& options) {
  check_voltage(voltage, m_);
  const Stopwatch watch;
  SolveResult result;
  result.current.resize(n_, voltage.cols());
  result.report.method = SolveMethod::line;
  for (Index k = 0; k < voltage.cols(); ++k) {
    const Vector input = voltage.col(k);
    const Outcome outcome = solve_vector(input.data(), options);
    result.report.iterations = std::max(result.report.iterations, outcome.iterations);
    NodeVoltages nodes = node_voltages();
    const Eigen::Map<const Matrix> conductance(conductance_.data(), m_, n_);
    result.current.col(k) = sink_currents(conductance, wires_, nodes);
    const KclResidual residual = kcl_residual(conductance, wires_, input, nodes);
    if (!outcome.converged || !(residual.relative < kcl_limit)) {
      throw NumericalError(fmt::format(
          "line method: input {} not solved after {} of {} iterations (Kirchhoff residual {:.1e} "
          "of the largest cell current at {})",
          k, outcome.iterations, options.max_iterations, residual.relative, residual.where));
    }
    if (residual.relative >= result.report.kcl_residual) {
      result.report.kcl_residual = residual.relative;
      result.report.kcl_worst = fmt::format("{}, input {}", residual.where, k);
    }
    if (options.node_voltages) result.nodes.push_back(std::move(nodes));
  }
  result.report.bytes = sizeof(double) * static_cast<std::size_t>(m_ * n_) * 14;
  result.report.factor_seconds = factor_seconds_;
  result.report.solve_seconds = watch.seconds();
  return result;
}

Matrix LineSolver::effective_conductance(const SolveOptions& options) {
  const bool drive_wordlines = m_ <= n_;
  const Index count = drive_wordlines ? m_ : n_;
  const Index blocks = (count + P - 1) / P;
  const Index size = m_ * n_;
  const Index last = (m_ - 1) * n_;
  const double* G = conductance_.data();
  Matrix effective(m_, n_);

  parallel_for(blocks, [&](Index block) {
    BlockWorkspace space(static_cast<std::size_t>(size * P));
    // y = D T^-1 c with T^-1 c left in u
    const auto wordline_solve = [&](double* y) {
      for (Index i = 0; i < m_; ++i) {
        KERNEL(block_line_solve)
        (n_, m_, wordlines_.a.data() + i, wordlines_.b.data() + i,
         wordlines_.t[static_cast<std::size_t>(i)],
         wordlines_.terminal[static_cast<std::size_t>(i)], space.c.data() + i * n_ * P,
         space.u.data() + i * n_ * P);
      }
      KERNEL(block_scale)(size, G, space.u.data(), y);
    };
    const auto precondition = [&](const double* x, double* y) {
      KERNEL(block_ladder_solve)
      (m_, n_, -n_, bitlines_.a.data() + last, bitlines_.b.data() + last, bitlines_.t.data(),
       bitlines_.terminal.data(), x + last * P, y + last * P);
    };

    // Unit voltage q of this block on line block * P + q. Driven wordlines: r = D T^-1 b, w = 0.
    // Driven bitlines: w = S^-1 b (the lines alone), r = D T^-1 D w, and CG adds the correction.
    Buffer drive(static_cast<std::size_t>((drive_wordlines ? m_ : n_) * P), 0.0);
    for (Index q = 0; q < P && block * P + q < count; ++q) {
      drive[static_cast<std::size_t>((block * P + q) * P + q)] = 1.0;
    }
    Buffer driven(static_cast<std::size_t>(size * P));  // fields of the driven lines alone
    if (drive_wordlines) {
      for (Index i = 0; i < m_; ++i) {
        KERNEL(block_line_drive)
        (n_, m_, wordlines_.a.data() + i, wordlines_.t[static_cast<std::size_t>(i)],
         drive.data() + i * P, driven.data() + i * n_ * P);
      }
      KERNEL(block_scale)(size, G, driven.data(), space.r.data());
    } else {
      KERNEL(block_ladder_drive)
      (m_, n_, -n_, bitlines_.a.data() + last, bitlines_.t.data(), drive.data(),
       driven.data() + last * P);
      KERNEL(block_scale)(size, G, driven.data(), space.c.data());
      wordline_solve(space.r.data());
    }
    precondition(space.r.data(), space.z.data());
    space.p = space.z;
    space.s = space.r;
    BlockScalars rz{};
    KERNEL(block_dot)(size, space.r.data(), space.z.data(), rz.data());
    BlockScalars goal{};
    for (std::size_t q = 0; q < rz.size(); ++q) {
      goal[q] = rz[q] * options.tolerance * options.tolerance;
    }
    const auto converged = [&] {
      for (std::size_t q = 0; q < rz.size(); ++q) {
        if (!(rz[q] <= goal[q])) return false;
      }
      return true;
    };
    int iterations = 0;
    for (; !converged(); ++iterations) {
      if (iterations == options.max_iterations) {
        throw NumericalError(
            fmt::format("effective conductance: the line method did not converge in {} iterations",
                        options.max_iterations));
      }
      KERNEL(block_scale)(size, G, space.p.data(), space.c.data());
      wordline_solve(space.y.data());
      BlockScalars curvature{};
      KERNEL(block_subtract_dot)
      (size, space.s.data(), space.p.data(), space.y.data(), curvature.data());
      BlockScalars alpha{};
      for (std::size_t q = 0; q < alpha.size(); ++q) {
        alpha[q] = rz[q] > goal[q] && curvature[q] > 0 ? rz[q] / curvature[q] : 0.0;
      }
      KERNEL(block_step)
      (size, alpha.data(), space.p.data(), space.y.data(), space.w.data(), space.r.data());
      precondition(space.r.data(), space.z.data());
      BlockScalars next{};
      KERNEL(block_dot)(size, space.r.data(), space.z.data(), next.data());
      BlockScalars beta{};
      for (std::size_t q = 0; q < beta.size(); ++q) {
        beta[q] = rz[q] > goal[q] ? next[q] / rz[q] : 0.0;
      }
      KERNEL(block_update_directions)
      (size, beta.data(), space.z.data(), space.r.data(), space.p.data(), space.s.data());
      rz = next;
    }
    // The currents at the sensed ends, by the way that loses fewer digits (as in sink_currents()).
    if (!drive_wordlines) {
      for (std::size_t e = 0; e < driven.size(); ++e) space.w[e] += driven[e];
    }
    KERNEL(block_scale)(size, G, space.w.data(), space.c.data());
    wordline_solve(space.y.data());
    for (Index q = 0; q < P && block * P + q < count; ++q) {
      const Index line = block * P + q;
      const auto at = [&](const Buffer& field, Index i, Index j) {
        return field[static_cast<std::size_t>((i * n_ + j) * P + q)];
      };
      if (drive_wordlines) {
        for (Index j = 0; j < n_; ++j) {
          double current = 0;
          double total = 0;
          for (Index i = 0; i < m_; ++i) {
            const double cell = G[i * n_ + j];
            total += cell;
            current += cell * (at(driven, i, j) + at(space.u, i, j) - at(space.w, i, j));
          }
          const bool by_sink = wires_.sink_ohm * total > 1;
          effective(line, j) = by_sink ? at(space.w, m_ - 1, j) / wires_.sink_ohm : current;
        }
      } else {
        for (Index i = 0; i < m_; ++i) {
          double current = 0;
          double total = 0;
          for (Index j = 0; j < n_; ++j) {
            const double cell = G[i * n_ + j];
            total += cell;
            current += cell * (at(space.w, i, j) - at(space.u, i, j));
          }
          const bool by_source = wires_.source_ohm * total > 1;
          effective(i, line) = by_source ? at(space.u, i, 0) / wires_.source_ohm : current;
        }
      }
    }
  });
  return effective;
}

}  // namespace xbar::solver
