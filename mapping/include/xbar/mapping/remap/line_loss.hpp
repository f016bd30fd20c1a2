#pragma once

/// Share of a current that wires take, by place: what makes one slot worse than another.

#include <xbar/mapping/crossbar_matrix.hpp>

namespace xbar::mapping {

/// Mean share lost on each bitline and each wordline of a tile, whose cells all have the mean
/// conductance of the layer's.
struct LineLoss {
  Eigen::VectorXd bitline;
  Eigen::VectorXd wordline;
};

/// By the ladder surrogate [docs/theory.md].
[[nodiscard]] LineLoss line_loss(const CrossbarMatrix& matrix);

/// The same by the slots of all tiles, of columns and of rows.
[[nodiscard]] Eigen::VectorXd column_slot_loss(const CrossbarMatrix& matrix, const LineLoss& loss);
[[nodiscard]] Eigen::VectorXd row_slot_loss(const CrossbarMatrix& matrix, const LineLoss& loss);

}  // namespace xbar::mapping
