#include "coarse_space.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "line_kernels.hpp"

namespace xbar::solver {
namespace {

// How strongly lines of `count` cells let their nodes float: line and terminal resistance times the
// conductance that hangs on them. S^-1 alone converges in few steps while it is small.
double looseness(Index count, double segment_ohm, double terminal_ohm, double cell_siemens) {
  const auto cells = static_cast<double>(count);
  return cells * cell_siemens * (terminal_ohm + 0.5 * cells * segment_ohm);
}

// Coarse nodes for lines of `count` cells: a few within the distance over which a line and its
// cells share a voltage, sqrt(1 / (r G)), but so few that their dense matrices cost less than the
// steps that they save.
Index coarse_nodes(Index count, double segment_ohm, double cell_siemens) {
  constexpr double nodes_a_length = 2.0;
  constexpr Index least = 3;
  constexpr Index most = 16;
  constexpr Index cells_a_node = 10;
  const double lengths = static_cast<double>(count) * std::sqrt(segment_ohm * cell_siemens);
  const auto wanted = static_cast<Index>(std::min(nodes_a_length * lengths, 1e6));
  return std::clamp(wanted, least, std::clamp(count / cells_a_node, least, most));
}

double mean_finite(const Matrix& values) {
  double sum = 0;
  Index count = 0;
  for (Index e = 0; e < values.size(); ++e) {
    if (!std::isfinite(values.data()[e])) continue;
    sum += values.data()[e];
    ++count;
  }
  return count > 0 ? sum / static_cast<double>(count) : 0.0;
}

}  // namespace

Interpolation::Interpolation(Index count, Index coarse_count) : coarse(coarse_count) {
  const double step = static_cast<double>(count - 1) / static_cast<double>(coarse - 1);
  for (Index k = 0; k < count; ++k) {
    const double position = static_cast<double>(k) / step;
    const auto node = std::min(static_cast<Index>(position), coarse - 2);
    low.push_back(static_cast<int>(node));
    theta.push_back(std::min(position - static_cast<double>(node), 1.0));
  }
}

void CoarseSpace::choose(const Circuit& circuit, double cell) {
  in_use_ = false;
  const Index m = circuit.wordlines();
  const Index n = circuit.bitlines();
  constexpr Index smallest = 32;  // below, the lines are too short for two scales
  if (m < smallest || n < smallest) return;
  // A bitline segment or terminal without resistance holds neighbouring rows together, which a
  // function of the coarse grid does not.
  if (!(circuit.bitline_ohm.array() > 0).all()) return;
  const double wordline = mean_finite(circuit.wordline_ohm);
  const double bitline = mean_finite(circuit.bitline_ohm);
  const double loose = std::sqrt(
      looseness(n, wordline, mean_finite(circuit.left_ohm.cwiseMin(circuit.right_ohm)), cell) *
      looseness(m, bitline, mean_finite(circuit.bottom_ohm.cwiseMin(circuit.top_ohm)), cell));
  constexpr double pays_from = 4.0;
  if (!(loose > pays_from)) return;
  rows_ = Interpolation(m, coarse_nodes(m, bitline, cell));
  columns_ = Interpolation(n, coarse_nodes(n, wordline, cell));
  in_use_ = true;
}

// E_S = P^T S P: cells, segments and terminals of the bitlines.
Matrix CoarseSpace::energy_of_lines(const Circuit& circuit) const {
  const Index m = circuit.wordlines();
  const Index n = circuit.bitlines();
  const Index J = columns_.coarse;
  Matrix energy = Matrix::Zero(rows_.coarse * J, rows_.coarse * J);
  // beta_K^2 and beta_K beta_{K+1} on the left of coarse node K + 1, beta_{K+1}^2 there, by
  // columns.
  Vector own(n);
  Vector cross(n);
  Vector next(n);
  std::vector<Index> start(static_cast<std::size_t>(J), n);  // of the columns between K and K + 1
  for (Index j = n - 1; j >= 0; --j) {
    const auto e = static_cast<std::size_t>(j);
    const double t = columns_.theta[e];
    own(j) = (1 - t) * (1 - t);
    cross(j) = (1 - t) * t;
    next(j) = t * t;
    start[static_cast<std::size_t>(columns_.low[e])] = j;
  }
  using Sums = Eigen::Matrix<double, Eigen::Dynamic, 2>;
  // sum_j s(j) beta_K beta_L for conductances s of one row: (K, K) and (K, K + 1).
  const auto along = [&](const auto& siemens) {
    Sums sums = Sums::Zero(J, 2);
    for (Index K = 0; K + 1 < J; ++K) {
      const Index begin = start[static_cast<std::size_t>(K)];
      const Index count = start[static_cast<std::size_t>(K) + 1] - begin;
      const auto s = siemens.segment(begin, count);
      sums(K, 0) += s.dot(own.segment(begin, count));
      sums(K, 1) += s.dot(cross.segment(begin, count));
      sums(K + 1, 0) += s.dot(next.segment(begin, count));
    }
    return sums;
  };
  // Adds conductances with these sums, across which coarse rows `row`, row + 1, row + 2 put the
  // voltages alpha_0, alpha_1, alpha_2.
  const auto add = [&](Index row, const std::array<double, 3>& alpha, const Sums& sums) {
    for (std::size_t x = 0; x < alpha.size(); ++x) {
      for (std::size_t y = 0; y < alpha.size(); ++y) {
        const double weight = alpha[x] * alpha[y];
        if (weight == 0) continue;
        const Index at = (row + static_cast<Index>(x)) * J;
        const Index to = (row + static_cast<Index>(y)) * J;
        for (Index K = 0; K < J; ++K) {
          energy(at + K, to + K) += weight * sums(K, 0);
          if (K + 1 == J) continue;
          energy(at + K, to + K + 1) += weight * sums(K, 1);
          energy(at + K + 1, to + K) += weight * sums(K, 1);
        }
      }
    }
  };
  const auto low = [&](Index i) { return Index{rows_.low[static_cast<std::size_t>(i)]}; };
  const auto theta = [&](Index i) { return rows_.theta[static_cast<std::size_t>(i)]; };
  const auto siemens_of = [&](Index i) {
    Vector siemens(n);
    for (Index j = 0; j < n; ++j) siemens(j) = 1.0 / circuit.bitline_segment_ohm(i, j);
    return siemens;
  };
  const bool uniform = circuit.bitline_ohm.rows() == 1;
  const Sums segments = along(siemens_of(0));
  for (Index i = 0; i < m; ++i) {
    add(low(i), {1 - theta(i), theta(i), 0.0}, along(circuit.conductance.row(i)));
    if (i + 1 == m) continue;
    std::array<double, 3> drop{1 - theta(i), theta(i), 0.0};
    const auto shift = static_cast<std::size_t>(low(i + 1) - low(i));  // 0 or 1
    drop[shift] -= 1 - theta(i + 1);
    drop[shift + 1] -= theta(i + 1);
    add(low(i), drop, uniform || i == 0 ? segments : along(siemens_of(i)));
  }
  // A terminal without resistance holds its coarse row, which then takes no part.
  const auto terminal = [](const Vector& ohm) {
    return Vector((ohm.array() > 0).select(ohm.array().inverse(), 0.0));
  };
  add(0, {1, 0, 0}, along(terminal(circuit.top_ohm)));
  add(rows_.coarse - 2, {0, 1, 0}, along(terminal(circuit.bottom_ohm)));
  return energy;
}

void CoarseSpace::factor(const Circuit& circuit, const AlignedBuffer& wordline_energy) {
  const Index J = columns_.coarse;
  const Index pairs = J * (J + 1) / 2;
  line_energy_ = energy_of_lines(circuit);
  const Matrix& line = line_energy_;
  Matrix full = line;
  for (Index i = 0; i < circuit.wordlines(); ++i) {
    const auto e = static_cast<std::size_t>(i);
    const double* F = wordline_energy.data() + i / lane_rows * pairs * lane_rows + i % lane_rows;
    const double alpha[2] = {1 - rows_.theta[e], rows_.theta[e]};
    for (Index K = 0; K < J; ++K) {
      for (Index L = 0; L <= K; ++L) {
        const double f = F[(K * (K + 1) / 2 + L) * lane_rows];
        for (Index a = 0; a < 2; ++a) {
          for (Index b = 0; b < 2; ++b) {
            const Index at = (rows_.low[e] + a) * J;
            const Index to = (rows_.low[e] + b) * J;
            const double value = alpha[a] * alpha[b] * f;
            full(at + K, to + L) -= value;
            if (K != L) full(at + L, to + K) -= value;
          }
        }
      }
    }
  }
  // Coarse rows at a terminal of zero resistance are held: they take no part.
  free_.clear();
  const bool top_held = (circuit.top_ohm.array() == 0).any();
  const bool bottom_held = (circuit.bottom_ohm.array() == 0).any();
  for (Index row = 0; row < rows_.coarse; ++row) {
    if ((row == 0 && top_held) || (row + 1 == rows_.coarse && bottom_held)) continue;
    for (Index K = 0; K < J; ++K) free_.push_back(row * J + K);
  }
  full_factor_.compute(full(free_, free_));
  line_factor_.compute(line(free_, free_));
  in_use_ = full_factor_.info() == Eigen::Success && line_factor_.info() == Eigen::Success;
}

std::size_t CoarseSpace::bytes() const {
  return 3 * sizeof(double) * static_cast<std::size_t>(line_energy_.size());
}

CoarseSpace::Correction CoarseSpace::correct(Index stride, const double* restricted,
                                             double* result) const {
  const Index I = rows_.coarse;
  const Index J = columns_.coarse;
  const auto count = static_cast<Index>(columns_.low.size());
  Vector coarse = Vector::Zero(I * J);
  for (Index row = 0; row < I; ++row) {
    const double* r = restricted + row * stride;
    for (Index j = 0; j < count; ++j) {
      const auto e = static_cast<std::size_t>(j);
      const Index at = row * J + columns_.low[e];
      coarse(at) += (1 - columns_.theta[e]) * r[j];
      coarse(at + 1) += columns_.theta[e] * r[j];
    }
  }
  const Vector part = coarse(free_);
  Vector d = Vector::Zero(I * J);
  d(free_) = full_factor_.solve(part) - line_factor_.solve(part);
  for (Index row = 0; row < I; ++row) {
    double* out = result + row * stride;
    for (Index j = 0; j < count; ++j) {
      const auto e = static_cast<std::size_t>(j);
      const Index at = row * J + columns_.low[e];
      out[j] = (1 - columns_.theta[e]) * d(at) + columns_.theta[e] * d(at + 1);
    }
  }
  return {coarse.dot(d), d.dot(line_energy_ * d)};
}

}  // namespace xbar::solver
