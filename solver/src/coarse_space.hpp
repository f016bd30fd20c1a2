#pragma once

/// Second level of the line method's preconditioner.
///
/// S^-1 leaves the errors that are smooth over many cells: a whole region of wordlines and bitlines
/// whose common voltage is wrong. They are taken on a coarse grid of functions phi = alpha_I(i)
/// beta_J(j), piecewise linear along the bitlines and along the wordlines (columns of P):
///   M^-1 = S^-1 + P (E_A^-1 - E_S^-1) P^T,   E_A = P^T A P,  E_S = P^T S P,  A = S - D T^-1 D,
/// which replaces what S^-1 does to those functions by what A^-1 does. It is symmetric positive
/// definite since A <= S. Where S^-1 alone takes 15 or 50 steps (docs/theory.md) it takes 9 or 14.

#include <vector>

#include <Eigen/Cholesky>

#include <xbar/core/matrix.hpp>
#include <xbar/solver/circuit.hpp>

#include "aligned_buffer.hpp"

namespace xbar::solver {

/// Where the points of a line lie between the nodes of a coarse one.
struct Interpolation {
  Interpolation() = default;
  /// `coarse` >= 2 nodes, the first at point 0, the last at point count - 1.
  Interpolation(Index count, Index coarse);
  Index coarse = 0;
  std::vector<int> low;       ///< the coarse node at or before the point
  std::vector<double> theta;  ///< the share of the next one
};

class CoarseSpace {
 public:
  /// Decides whether a coarse grid pays for this circuit and how fine it is.
  /// @param cell_siemens  mean conductance of the cells
  void choose(const Circuit& circuit, double cell_siemens);
  /// @param wordline_energy  F_i(J,K) of each wordline, as wordline_coarse() of line_kernels.hpp
  /// leaves them, groups one after the other
  void factor(const Circuit& circuit, const AlignedBuffer& wordline_energy);

  void disable() { in_use_ = false; }
  [[nodiscard]] bool in_use() const { return in_use_; }
  [[nodiscard]] const Interpolation& rows() const { return rows_; }
  [[nodiscard]] const Interpolation& columns() const { return columns_; }
  [[nodiscard]] std::size_t bytes() const;

  /// d = (E_A^-1 - E_S^-1) P^T r. restricted: P_rows^T r, coarse rows x stride; result: P_columns
  /// d, the same shape, still to be interpolated along the bitlines.
  struct Correction {
    double residual_energy;  ///< r . P d
    double line_energy;      ///< P d . S P d
  };
  Correction correct(Index stride, const double* restricted, double* result) const;

 private:
  [[nodiscard]] Matrix energy_of_lines(const Circuit& circuit) const;

  bool in_use_ = false;
  Interpolation rows_;       // along the bitlines
  Interpolation columns_;    // along the wordlines
  Matrix line_energy_;       // E_S
  std::vector<Index> free_;  // coarse functions that no terminal holds, of which the factors are
  Eigen::LLT<Eigen::MatrixXd> full_factor_;  // of E_A
  Eigen::LLT<Eigen::MatrixXd> line_factor_;  // of E_S
};

}  // namespace xbar::solver
