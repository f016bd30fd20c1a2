#include "line_solver.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <Eigen/Eigenvalues>
#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/interruption.hpp>
#include <xbar/core/isa.hpp>
#include <xbar/core/parallel.hpp>
#include <xbar/core/stopwatch.hpp>

#include "conductance_sum.hpp"
#include "kcl_residual.hpp"
#include "line_kernels.hpp"

#define KERNEL(function) XBAR_DISPATCH(::xbar::solver, function)

namespace xbar::solver {
namespace {

constexpr double open = std::numeric_limits<double>::infinity();
constexpr Index lanes = lane_rows;

// From this many cells on, one input vector is worth more than one thread: waking the others for
// every sweep costs more than it gains below.
constexpr Index parallel_cells = Index{512} * 512;

// Columns that one thread sweeps at a time: half a page of a row, so that the memory is read in
// long runs, and panels enough for the threads of a large array.
constexpr Index panel_columns = 256;

constexpr Index round_up(Index value, Index multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

// h and t of a line whose near terminal has this resistance and sees Y.
double head(double ohm, double Y) { return ohm == 0 ? 0.0 : 1.0 / (1.0 / ohm + Y); }
double transfer(double ohm, double Y) { return ohm == 0 ? 1.0 : 1.0 / (1.0 + ohm * Y); }

// v of one line of `count` nodes with terminals at both ends and no injected current, by the
// recursions of line_kernels.hpp: the far terminal is a current into the last node, or holds it and
// whatever zero resistance joins to it.
template <typename SegmentOhm, typename A, typename B, typename Node>
void drive_line(Index count, double near_volt, double far_volt, double far_ohm, double t, double h,
                const SegmentOhm& segment_ohm, const A& a, const B& b, const Node& v) {
  Vector J = Vector::Zero(count);
  Index held_from = count;
  if (far_ohm == 0) {
    held_from = count - 1;
    while (held_from > 0 && segment_ohm(held_from - 1) == 0) --held_from;
    if (held_from > 0) J(held_from - 1) = far_volt / segment_ohm(held_from - 1);
  } else {
    J(count - 1) = far_volt / far_ohm;
  }
  for (Index k = std::min(held_from, count) - 2; k >= 0; --k) J(k) += a(k) * J(k + 1);
  if (held_from > 0) v(0) = t * near_volt + h * J(0);
  for (Index k = 0; k + 1 < held_from; ++k) v(k + 1) = a(k) * v(k) + b(k) * J(k + 1);
  for (Index k = held_from; k < count; ++k) v(k) = far_volt;
}

// Room for the currents along a group of wordlines, with the row of zeros that ends them.
double* line_scratch(Index padded_columns) {
  thread_local AlignedBuffer scratch;
  const auto size = static_cast<std::size_t>((padded_columns + 1) * lanes);
  if (scratch.size() < size) scratch.resize(size);
  return scratch.data();
}

// Condition number of the preconditioned matrix from the coefficients of conjugate gradients: they
// are the entries of the tridiagonal matrix of Lanczos' process [Saad2003, 6.7].
double condition_estimate(const std::vector<double>& alpha, const std::vector<double>& beta) {
  const auto count = static_cast<Index>(alpha.size());
  if (count < 2) return 1.0;
  Vector diagonal(count);
  Vector beside(count - 1);
  for (Index k = 0; k < count; ++k) {
    const auto e = static_cast<std::size_t>(k);
    diagonal(k) = 1.0 / alpha[e] + (k > 0 ? beta[e] / alpha[e - 1] : 0.0);
    if (k > 0) beside(k - 1) = std::sqrt(beta[e]) / alpha[e - 1];
  }
  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen;
  eigen.computeFromTridiagonal(diagonal, beside, Eigen::EigenvaluesOnly);
  return eigen.eigenvalues()(count - 1) / eigen.eigenvalues()(0);
}

}  // namespace

// The fields of one input vector. One block of memory: the allocator then keeps it for the next
// array of this size instead of returning it to the system, page by page.
struct LineSolver::Workspace {
  static constexpr Index fields = 7;

  // rows x stride fields, of which the rows from `used` on are padding
  void resize(Index rows, Index stride, Index used, Index coarse_rows) {
    const Index size = rows * stride;
    const Index coarse_size = coarse_rows * stride;
    memory.resize(static_cast<std::size_t>(fields * size + 2 * coarse_size));
    double* next = memory.data();
    for (double** field : {&u, &w, &r, &z, &p, &y, &q}) {
      *field = next;
      next += size;
    }
    // The sweeps along the bitlines do not write padding, those along the wordlines read it.
    for (double* field : {w, z}) std::fill(field + used * stride, field + size, 0.0);
    restricted = next;
    coarse = next + coarse_size;
    std::fill(coarse, coarse + coarse_size, 0.0);
  }

  AlignedBuffer memory;
  double* u = nullptr;           // wordline nodes
  double* w = nullptr;           // bitline nodes
  double* r = nullptr;           // residual
  double* z = nullptr;           // preconditioned residual
  double* p = nullptr;           // direction
  double* y = nullptr;           // A p
  double* q = nullptr;           // r - A z
  double* restricted = nullptr;  // P_rows^T r
  double* coarse = nullptr;      // the coarse correction, along the rows' coarse nodes
};

struct LineSolver::Outcome {
  int iterations = 0;
  bool converged = false;
  double condition = 1;
  double energy = 0;  // of the correction to w: sum of alpha r.z, an identity of CG
};
LineSolver::LineSolver() = default;
LineSolver::~LineSolver() = default;

void LineSolver::factor(Circuit circuit) { factor(std::move(circuit), {}); }

void LineSolver::factor(Circuit circuit, const GroundConductance& ground) {
  check_circuit(circuit);
  const Stopwatch watch;
  circuit_ = std::move(circuit);
  const double cells_siemens = conductance_sum(circuit_.conductance);
  if (!(cells_siemens < open)) {
    throw NumericalError("line method: shorted cells merge lines, which it takes as separate");
  }
  m_ = circuit_.wordlines();
  n_ = circuit_.bitlines();
  padded_rows_ = round_up(m_, lanes);
  padded_columns_ = round_up(n_, 8);
  // Rows a multiple of 4096 bytes apart would all fall into the same few sets of the caches.
  stride_ = padded_columns_ % 256 == 0 ? padded_columns_ + 8 : padded_columns_;
  conductance_.resize(static_cast<std::size_t>(padded_rows_ * stride_));
  pad(circuit_.conductance, conductance_.data());
  // A conductance to ground is in the ladders like a cell, but it couples no lines.
  const auto with_ground = [&](const Matrix& siemens, AlignedBuffer& total) {
    total.clear();
    if (siemens.size() == 0) return;
    total.resize(conductance_.size());
    pad(siemens, total.data());
    KERNEL(add)(padded_rows_ * stride_, conductance_.data(), total.data());
  };
  with_ground(ground.wordline, wordlines_.grounded);
  with_ground(ground.bitline, bitlines_.grounded);
  factor_wordlines();
  factor_bitlines();
  factor_coarse(cells_siemens);
  factor_seconds_ = watch.seconds();
}

void LineSolver::factor_wordlines() {
  Ladders& ladders = wordlines_;
  const Circuit& circuit = circuit_;
  ladders.far_connected = (circuit.right_ohm.array() < open).any();
  const bool uniform = circuit.wordline_ohm.size() == 1 && circuit.wordline_ohm(0, 0) < open &&
                       !ladders.far_connected;
  const auto size = static_cast<std::size_t>(padded_rows_ * padded_columns_);
  ladders.segment_ohm = uniform ? circuit.wordline_ohm(0, 0) : 0.0;
  ladders.a.resize(size);
  ladders.b.resize(uniform ? 0 : size);
  ladders.h.assign(static_cast<std::size_t>(padded_rows_), 0.0);
  ladders.t.assign(static_cast<std::size_t>(padded_rows_), 0.0);
  for_row_groups([&](Index group) {
    const Index i0 = group * lanes;
    const Index rows = std::min(lanes, m_ - i0);
    AlignedBuffer segment;  // padding lines have segments of 0 ohm
    if (!uniform) {
      segment.assign(static_cast<std::size_t>(padded_columns_ * lanes), 0.0);
      for (Index lane = 0; lane < rows; ++lane) {
        for (Index j = 0; j + 1 < n_; ++j) {
          segment[static_cast<std::size_t>(j * lanes + lane)] =
              circuit.wordline_segment_ohm(i0 + lane, j);
        }
      }
    }
    AlignedBuffer right(static_cast<std::size_t>(lanes), 0.0);
    AlignedBuffer Y(static_cast<std::size_t>(lanes));
    for (Index lane = 0; lane < rows; ++lane) {
      right[static_cast<std::size_t>(lane)] = 1.0 / circuit.right_ohm(i0 + lane);
    }
    const Index at = i0 * padded_columns_;
    const AlignedBuffer& cells = ladders.grounded.empty() ? conductance_ : ladders.grounded;
    KERNEL(wordline_factor)
    (n_, padded_columns_, stride_, cells.data() + i0 * stride_, ladders.segment_ohm,
     uniform ? nullptr : segment.data(), right.data(), ladders.a.data() + at,
     uniform ? nullptr : ladders.b.data() + at, Y.data());
    for (Index lane = 0; lane < rows; ++lane) {
      const auto line = static_cast<std::size_t>(i0 + lane);
      const double seen = Y[static_cast<std::size_t>(lane)];
      ladders.h[line] = head(circuit.left_ohm(i0 + lane), seen);
      ladders.t[line] = transfer(circuit.left_ohm(i0 + lane), seen);
    }
  });
}

void LineSolver::factor_bitlines() {
  Ladders& ladders = bitlines_;
  const Circuit& circuit = circuit_;
  ladders.far_connected = (circuit.top_ohm.array() < open).any();
  const bool uniform =
      circuit.bitline_ohm.size() == 1 && circuit.bitline_ohm(0, 0) < open && !ladders.far_connected;
  const auto size = static_cast<std::size_t>(m_ * stride_);
  ladders.segment_ohm = uniform ? circuit.bitline_ohm(0, 0) : 0.0;
  ladders.a.resize(size);
  ladders.b.resize(uniform ? 0 : size);
  AlignedBuffer segment(uniform ? 0 : size, 0.0);
  for (Index i = 0; !uniform && i + 1 < m_; ++i) {
    for (Index j = 0; j < n_; ++j) {
      segment[static_cast<std::size_t>(i * stride_ + j)] = circuit.bitline_segment_ohm(i, j);
    }
  }
  AlignedBuffer top(static_cast<std::size_t>(padded_columns_), 0.0);
  AlignedBuffer Y(static_cast<std::size_t>(padded_columns_));
  for (Index j = 0; j < n_; ++j) top[static_cast<std::size_t>(j)] = 1.0 / circuit.top_ohm(j);
  for_column_panels([&](Index, Index begin, Index end) {
    const AlignedBuffer& cells = ladders.grounded.empty() ? conductance_ : ladders.grounded;
    KERNEL(bitline_factor)
    (m_, stride_, begin, end, cells.data(), ladders.segment_ohm, uniform ? nullptr : segment.data(),
     top.data(), ladders.a.data(), uniform ? nullptr : ladders.b.data(), Y.data());
  });
  ladders.h.assign(static_cast<std::size_t>(padded_columns_), 0.0);
  ladders.t.assign(static_cast<std::size_t>(padded_columns_), 0.0);
  for (Index j = 0; j < n_; ++j) {
    const auto line = static_cast<std::size_t>(j);
    ladders.h[line] = head(circuit.bottom_ohm(j), Y[line]);
    ladders.t[line] = transfer(circuit.bottom_ohm(j), Y[line]);
  }
}

void LineSolver::factor_coarse(double cells_siemens) {
  coarse_.choose(circuit_, cells_siemens / static_cast<double>(m_ * n_));
  // Conductances to ground hold the smooth errors that the coarse grid is for.
  if (!bitlines_.grounded.empty()) coarse_.disable();
  if (!coarse_.in_use()) return;
  const Interpolation& columns = coarse_.columns();
  const Index pairs = columns.coarse * (columns.coarse + 1) / 2;
  AlignedBuffer energy(static_cast<std::size_t>(padded_rows_ * pairs));
  for_row_groups([&](Index group) {
    AlignedBuffer scratch(static_cast<std::size_t>(columns.coarse * lanes));
    const Index factors = group * lanes * padded_columns_;
    KERNEL(wordline_coarse)
    (n_, padded_columns_, stride_, conductance_.data() + group * lanes * stride_,
     wordlines_.a.data() + factors, wordlines_.b.empty() ? nullptr : wordlines_.b.data() + factors,
     wordlines_.segment_ohm, wordlines_.h.data() + group * lanes, columns.low.data(),
     columns.theta.data(), columns.coarse, scratch.data(), energy.data() + group * pairs * lanes);
  });
  coarse_.factor(circuit_, energy);
  if (!coarse_.in_use()) return;
  // Conductances of what joins each row of bitline nodes to the next: zeros, then one row for all
  // segments or m - 1, then the top and the bottom terminals. A terminal without resistance holds
  // its row at 0 V, and the coarse correction is 0 there.
  const bool uniform = circuit_.bitline_ohm.size() == 1;
  const Index rows = uniform ? 1 : m_ - 1;
  segments_.assign(static_cast<std::size_t>((rows + 3) * stride_), 0.0);
  const auto siemens = [](double ohm) { return ohm > 0 ? 1.0 / ohm : 0.0; };
  for (Index j = 0; j < n_; ++j) {
    for (Index row = 0; row < rows; ++row) {
      segments_[static_cast<std::size_t>((1 + row) * stride_ + j)] =
          siemens(circuit_.bitline_segment_ohm(row, j));
    }
    segments_[static_cast<std::size_t>((1 + rows) * stride_ + j)] = siemens(circuit_.top_ohm(j));
    segments_[static_cast<std::size_t>((2 + rows) * stride_ + j)] = siemens(circuit_.bottom_ohm(j));
  }
}

const double* LineSolver::segment_row(Index i) const {
  const bool uniform = circuit_.bitline_ohm.size() == 1;
  const Index rows = uniform ? 1 : m_ - 1;
  const Index row = i == 0 ? 1 + rows : i == m_ ? 2 + rows : uniform ? 1 : i;
  return segments_.data() + row * stride_;
}

template <typename Body>
void LineSolver::for_row_groups(const Body& body) const {
  const Index groups = padded_rows_ / lanes;
  if (m_ * n_ >= parallel_cells) {
    parallel_for(groups, body);
  } else {
    for (Index group = 0; group < groups; ++group) body(group);
  }
}

template <typename Body>
void LineSolver::for_column_panels(const Body& body) const {
  if (m_ * n_ >= parallel_cells) {
    const Index panels = (padded_columns_ + panel_columns - 1) / panel_columns;
    parallel_for(panels, [&](Index panel) {
      body(panel, panel * panel_columns, std::min((panel + 1) * panel_columns, padded_columns_));
    });
  } else {
    body(0, 0, padded_columns_);
  }
}

void LineSolver::drive_wordlines(const Vector& voltage, double* out) const {
  const Ladders& ladders = wordlines_;
  for_row_groups([&](Index group) {
    const Index i0 = group * lanes;
    const Index rows = std::min(lanes, m_ - i0);
    if (!ladders.far_connected) {
      AlignedBuffer start(static_cast<std::size_t>(lanes), 0.0);
      for (Index lane = 0; lane < rows; ++lane) {
        start[static_cast<std::size_t>(lane)] =
            ladders.t[static_cast<std::size_t>(i0 + lane)] * voltage(i0 + lane);
      }
      KERNEL(wordline_drive)
      (padded_columns_, stride_, ladders.a.data() + i0 * padded_columns_, start.data(),
       out + i0 * stride_);
      return;
    }
    std::fill(out + i0 * stride_, out + (i0 + lanes) * stride_, 0.0);
    for (Index lane = 0; lane < rows; ++lane) {
      const Index i = i0 + lane;
      const auto at = [&](Index k) {
        return static_cast<std::size_t>(i0 * padded_columns_ + k * lanes + lane);
      };
      drive_line(
          n_, voltage(i), voltage(i), circuit_.right_ohm(i), ladders.t[static_cast<std::size_t>(i)],
          ladders.h[static_cast<std::size_t>(i)],
          [&](Index k) { return circuit_.wordline_segment_ohm(i, k); },
          [&](Index k) { return ladders.a[at(k)]; }, [&](Index k) { return ladders.b[at(k)]; },
          [&](Index k) -> double& { return out[i * stride_ + k]; });
    }
  });
}

void LineSolver::drive_bitlines(const Vector& voltage, double* out) const {
  const Ladders& ladders = bitlines_;
  for (Index j = 0; j < n_; ++j) {
    const auto row = [&](Index k) { return m_ - 1 - k; };
    // a(k) joins node k to node k + 1: it is stored with the upper of the two rows.
    const auto at = [&](Index k) { return static_cast<std::size_t>((row(k) - 1) * stride_ + j); };
    drive_line(
        m_, voltage(j), voltage(j), circuit_.top_ohm(j), ladders.t[static_cast<std::size_t>(j)],
        ladders.h[static_cast<std::size_t>(j)],
        [&](Index k) { return circuit_.bitline_segment_ohm(row(k) - 1, j); },
        [&](Index k) { return ladders.a[at(k)]; },
        [&](Index k) {
          return ladders.b.empty() ? ladders.segment_ohm * ladders.a[at(k)] : ladders.b[at(k)];
        },
        [&](Index k) -> double& { return out[row(k) * stride_ + j]; });
  }
}

template <typename Before, typename After>
double LineSolver::couple(const double* x, double* y, const Before& before,
                          const After& after) const {
  const Ladders& ladders = wordlines_;
  std::vector<double> parts(static_cast<std::size_t>(padded_rows_ / lanes));
  for_row_groups([&](Index group) {
    const Index end = std::min((group + 1) * lanes, m_);
    before(group * lanes, end);
    const Index at = group * lanes * stride_;
    const Index factors = group * lanes * padded_columns_;
    parts[static_cast<std::size_t>(group)] = KERNEL(wordline_couple)(
        padded_columns_, stride_, conductance_.data() + at, ladders.a.data() + factors,
        ladders.b.empty() ? nullptr : ladders.b.data() + factors, ladders.segment_ohm,
        ladders.h.data() + group * lanes, x + at, line_scratch(padded_columns_), y + at);
    after(group * lanes, end);
  });
  return std::accumulate(parts.begin(), parts.end(), 0.0);
}

void LineSolver::add_wordline_response(const double* G, const double* x, double* y) const {
  const Ladders& ladders = wordlines_;
  for_row_groups([&](Index group) {
    const Index at = group * lanes * stride_;
    const Index factors = group * lanes * padded_columns_;
    KERNEL(wordline_add)
    (padded_columns_, stride_, G + at, ladders.a.data() + factors,
     ladders.b.empty() ? nullptr : ladders.b.data() + factors, ladders.segment_ohm,
     ladders.h.data() + group * lanes, x == nullptr ? nullptr : x + at,
     line_scratch(padded_columns_), y + at);
  });
}

template <typename Sweep>
LineSolver::Energies LineSolver::precondition(Workspace& space, const Sweep& sweep) const {
  std::vector<double> parts(
      static_cast<std::size_t>((padded_columns_ + panel_columns - 1) / panel_columns), 0.0);
  const Interpolation& rows = coarse_.rows();
  for_column_panels([&](Index panel, Index begin, Index end) {
    parts[static_cast<std::size_t>(panel)] = sweep(begin, end);
    if (!coarse_.in_use()) return;
    KERNEL(restrict_rows)
    (m_, stride_, begin, end, rows.low.data(), rows.theta.data(), rows.coarse, space.r,
     space.restricted);
  });
  const double line = std::accumulate(parts.begin(), parts.end(), 0.0);
  if (!coarse_.in_use()) return {line, 0.0};
  const CoarseSpace::Correction coarse = coarse_.correct(stride_, space.restricted, space.coarse);
  return {line + coarse.residual_energy, coarse.residual_energy + coarse.line_energy};
}

double LineSolver::couple_preconditioned(Workspace& space) const {
  double* z = space.z;
  double* q = space.q;
  if (!coarse_.in_use())
    return couple(
        z, q, [](Index, Index) {}, [](Index, Index) {});
  const Interpolation& rows = coarse_.rows();
  const auto theta = [&](Index i) { return rows.theta[static_cast<std::size_t>(i)]; };
  const auto low = [&](Index i) {
    return space.coarse + rows.low[static_cast<std::size_t>(i)] * stride_;
  };
  const auto add_coarse = [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      KERNEL(add_interpolated)
      (padded_columns_, theta(i), low(i), low(i) + stride_, z + i * stride_);
    }
  };
  const double* nothing = segments_.data();  // a row of zeros: the terminals are at 0 V
  const auto subtract_lines = [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const bool first = i == 0;
      const bool last = i == m_ - 1;
      const double share[] = {first ? 0.0 : theta(i - 1), theta(i), last ? 0.0 : theta(i + 1)};
      const double* lower[] = {first ? nothing : low(i - 1), low(i), last ? nothing : low(i + 1)};
      const double* upper[] = {first ? nothing : low(i - 1) + stride_, low(i) + stride_,
                               last ? nothing : low(i + 1) + stride_};
      KERNEL(subtract_line_currents)
      (padded_columns_, conductance_.data() + i * stride_, segment_row(i), segment_row(i + 1),
       share, lower, upper, q + i * stride_);
    }
  };
  return couple(z, q, add_coarse, subtract_lines);
}

void LineSolver::resize(Workspace& space) const {
  space.resize(padded_rows_, stride_, m_, coarse_.in_use() ? coarse_.rows().coarse : 0);
}

void LineSolver::pad(const Matrix& field, double* padded) const {
  for (Index i = 0; i < padded_rows_; ++i) {
    double* row = padded + i * stride_;
    if (i < m_) std::copy_n(field.data() + i * n_, n_, row);
    std::fill(row + (i < m_ ? n_ : 0), row + stride_, 0.0);
  }
}

void LineSolver::unpad(const double* padded, Matrix& field) const {
  for (Index i = 0; i < m_; ++i) {
    std::copy_n(padded + i * stride_, n_, field.data() + i * n_);
  }
}

double LineSolver::start(const FieldProblem& problem, Workspace& space) const {
  const Index size = padded_rows_ * stride_;
  const double* G = conductance_.data();
  const bool injected = problem.injected != nullptr;
  const bool biased = (problem.bitline_voltage.array() != 0).any();
  // w = S^-1 r, and what the bitlines' own terminals drive
  const auto bitlines_alone = [&](const double* r) {
    solve_bitlines(r, biased ? space.z : space.w);
    if (!biased) return;
    std::fill(space.w, space.w + m_ * stride_, 0.0);
    drive_bitlines(problem.bitline_voltage, space.w);
    KERNEL(add)(size, space.z, space.w);
  };
  drive_wordlines(problem.wordline_voltage, space.u);
  if (injected) {
    pad(problem.injected->wordline, space.q);
    pad(problem.injected->bitline, space.r);
  }
  // What is left to balance, r = c_w + D T^-1 (c_u + D w) - S w, without applying S.
  if (problem.guess != nullptr) {
    // One step of the fixed point from the guess g: with u = T^-1 (c_u + D g), S w = c_w + D u, so
    // that r = D T^-1 D (w - g). From here on w stands for w - g.
    if (!injected) {
      std::fill(space.q, space.q + size, 0.0);
      std::fill(space.r, space.r + size, 0.0);
    }
    pad(problem.guess->bitline, space.p);
    KERNEL(add_product)(size, G, space.p, space.q);
    add_wordline_response(space.q, nullptr, space.u);
    KERNEL(add_product)(size, G, space.u, space.r);
    bitlines_alone(space.r);
    KERNEL(subtract)(m_ * stride_, space.p, space.w);
    return couple(
        space.w, space.r, [](Index, Index) {}, [](Index, Index) {});
  }
  // The fields of the lines by themselves: u = T^-1 c_u, w = S^-1 c_w.
  if (injected) {
    add_wordline_response(space.q, nullptr, space.u);
    bitlines_alone(space.r);
  } else {
    std::fill(space.w, space.w + m_ * stride_, 0.0);
    if (biased) drive_bitlines(problem.bitline_voltage, space.w);
  }
  KERNEL(multiply)(size, G, space.u, space.r);
  if (biased || injected) {
    couple(
        space.w, space.q, [](Index, Index) {}, [](Index, Index) {});
    KERNEL(add)(size, space.q, space.r);
  }
  return 0;
}

LineSolver::Outcome LineSolver::solve_vector(const FieldProblem& problem, Workspace& space) const {
  const Ladders& bit = bitlines_;
  double* w = space.w;
  double* r = space.r;
  double* z = space.z;
  double* q = space.q;
  const double started = start(problem, space);
  Energies energies = precondition(space, [&](Index begin, Index end) {
    return KERNEL(bitline_solve)(m_, stride_, begin, end, bit.a.data(), bit.b_or_null(),
                                 bit.segment_ohm, bit.h.data(), r, z);
  });

  Outcome outcome;
  double rz = energies.residual;
  // The step d from the guess leaves r = S z, z = S^-1 D T^-1 D d, and steps like it would go on to
  // d + z / (1 - q) with q = z S z / d S z. Where lines hardly couple, q < 1/2, that is enough.
  outcome.converged =
      rz == 0 ||
      (2 * rz <= started && 2 * rz <= problem.tolerance * problem.tolerance * problem.energy_scale);
  std::vector<double> alphas;
  std::vector<double> betas;
  double last_rz = 0;
  while (!outcome.converged && outcome.iterations < problem.max_iterations) {
    poll_interruption();
    const bool first = outcome.iterations == 0;
    // With z = S^-1 r + P d: q = D T^-1 D z - S P d, so that A z = r - q and z . A z = z . r - z .
    // q.
    const double zq = couple_preconditioned(space) - energies.coarse;
    const double beta = first ? 0.0 : rz / last_rz;
    const double curvature = rz - zq - (first ? 0.0 : beta * rz / alphas.back());
    if (!(curvature > 0) || !std::isfinite(curvature)) break;  // rounding has eaten the direction
    const double alpha = rz / curvature;
    alphas.push_back(alpha);
    betas.push_back(beta);
    last_rz = rz;
    energies = precondition(space, [&](Index begin, Index end) {
      return KERNEL(bitline_step)(m_, stride_, begin, end, bit.a.data(), bit.b_or_null(),
                                  bit.segment_ohm, bit.h.data(), first, alpha, beta, q, space.p,
                                  space.y, w, r, z);
    });
    rz = energies.residual;
    ++outcome.iterations;
    outcome.energy += alpha * last_rz;
    outcome.converged = alpha * rz <= problem.tolerance * problem.tolerance *
                                          std::max(outcome.energy, problem.energy_scale);
  }
  // One step of the fixed point w = S^-1 (c_w + D u(w)), which is w + S^-1 r, then u to match it:
  // u has T^-1 c_u, and from a guess T^-1 D g.
  KERNEL(add)(padded_rows_ * stride_, z, w);
  add_wordline_response(conductance_.data(), w, space.u);
  outcome.condition = condition_estimate(alphas, betas);
  return outcome;
}

void LineSolver::solve_bitlines(const double* r, double* z) const {
  for_column_panels([&](Index, Index begin, Index end) {
    KERNEL(bitline_solve)
    (m_, stride_, begin, end, bitlines_.a.data(), bitlines_.b_or_null(), bitlines_.segment_ohm,
     bitlines_.h.data(), r, z);
  });
}

LineSolver::FieldReport LineSolver::solve_fields(const FieldProblem& problem, NodeVoltages& nodes) {
  if (spaces_.empty()) spaces_.push_back(std::make_unique<Workspace>());
  Workspace& space = *spaces_.front();
  resize(space);
  const Outcome outcome = solve_vector(problem, space);
  node_voltages(problem, space, nodes);
  return {outcome.iterations, outcome.converged, outcome.energy, outcome.condition};
}

void LineSolver::node_voltages(const FieldProblem& problem, const Workspace& space,
                               NodeVoltages& nodes) const {
  nodes.wordline.resize(m_, n_);
  nodes.bitline.resize(m_, n_);
  unpad(space.u, nodes.wordline);
  if (problem.guess == nullptr) {
    unpad(space.w, nodes.bitline);
    return;
  }
  for (Index i = 0; i < m_; ++i) {
    nodes.bitline.row(i) = problem.guess->bitline.row(i) +
                           Eigen::Map<const Eigen::RowVectorXd>(space.w + i * stride_, n_);
  }
}

SolveResult LineSolver::solve(const TerminalVoltage& voltage, const SolveOptions& options) {
  check_voltage(voltage, m_, n_);
  const Stopwatch watch;
  const Index inputs = voltage.inputs();
  const Index parts = std::min<Index>(inputs, thread_count());
  while (spaces_.size() < static_cast<std::size_t>(parts)) {
    spaces_.push_back(std::make_unique<Workspace>());
  }
  SolveResult result;
  result.current.resize(n_, inputs);
  if (options.node_voltages) result.nodes.resize(static_cast<std::size_t>(inputs));
  std::vector<Outcome> outcomes(static_cast<std::size_t>(inputs));
  std::vector<KclResidual> residuals(static_cast<std::size_t>(inputs));
  const auto solve_part = [&, work = Interruptible::current()](Index part) {
    const InterruptibleMember member(work);
    Workspace& space = *spaces_[static_cast<std::size_t>(part)];
    resize(space);
    for (Index k = part; k < inputs; k += parts) {
      const auto e = static_cast<std::size_t>(k);
      const Vector wordline_voltage = voltage.wordline.col(k);
      const Vector bitline_voltage = voltage.bitline_input(k, n_);
      FieldProblem problem{wordline_voltage, bitline_voltage};
      problem.tolerance = options.tolerance;
      problem.max_iterations = options.max_iterations;
      outcomes[e] = solve_vector(problem, space);
      NodeVoltages nodes;
      node_voltages(problem, space, nodes);
      result.current.col(k) = sink_currents(circuit_, wordline_voltage, bitline_voltage, nodes);
      residuals[e] = kcl_residual(circuit_, wordline_voltage, bitline_voltage, nodes);
      if (!outcomes[e].converged || !(residuals[e].relative < kcl_limit)) {
        throw NumericalError(fmt::format(
            "line method: input {} not solved after {} of {} iterations (Kirchhoff residual {:.1e} "
            "of the largest cell current at {})",
            k, outcomes[e].iterations, options.max_iterations, residuals[e].relative,
            residuals[e].where()));
      }
      if (options.node_voltages) result.nodes[e] = std::move(nodes);
    }
  };
  // A single input vector leaves the threads to the sweeps.
  if (parts == 1) {
    solve_part(0);
  } else {
    parallel_for(parts, solve_part);
  }
  SolveReport& report = result.report;
  report.method = SolveMethod::line;
  std::size_t worst = 0;
  for (std::size_t k = 0; k < outcomes.size(); ++k) {
    report.iterations = std::max(report.iterations, outcomes[k].iterations);
    report.condition = std::max(report.condition, outcomes[k].condition);
    if (residuals[k].relative > residuals[worst].relative) worst = k;
  }
  report.kcl_residual = residuals[worst].relative;
  report.kcl_worst = fmt::format("{}, input {}", residuals[worst].where(), worst);
  report.bytes = bytes();
  report.factor_seconds = factor_seconds_;
  report.solve_seconds = watch.seconds();
  return result;
}

std::size_t LineSolver::bytes() const {
  std::size_t doubles = coarse_.bytes() / sizeof(double) + segments_.size() + conductance_.size() +
                        static_cast<std::size_t>(circuit_.conductance.size());
  for (const auto& space : spaces_) doubles += space->memory.size();
  for (const Ladders* ladders : {&wordlines_, &bitlines_}) {
    doubles += ladders->a.size() + ladders->b.size() + ladders->h.size() + ladders->t.size();
  }
  return sizeof(double) * doubles;
}

}  // namespace xbar::solver
