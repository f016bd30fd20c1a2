#pragma once

/// Arrays of cells whose state moves: the states of all cells, and what the cells let through.

#include <cstddef>
#include <span>
#include <vector>

#include <xbar/core/matrix.hpp>
#include <xbar/device/cell_model.hpp>
#include <xbar/device/dynamics/dynamic_cell.hpp>

namespace xbar::solver {

/// The states of m x n cells of one model.
struct ArrayState {
  std::vector<Matrix> states;  ///< m x n, one for each of DynamicCell::states(), in its units

  [[nodiscard]] Index wordlines() const { return states.empty() ? 0 : states.front().rows(); }
  [[nodiscard]] Index bitlines() const { return states.empty() ? 0 : states.front().cols(); }
  /// The state of cell (i,j).
  [[nodiscard]] std::vector<double> at(Index i, Index j) const;
  /// The same into an existing place, one number a state variable.
  void get(Index i, Index j, std::span<double> state) const {
    for (std::size_t k = 0; k < states.size(); ++k) state[k] = states[k](i, j);
  }
  void set(Index i, Index j, std::span<const double> state) {
    for (std::size_t k = 0; k < states.size(); ++k) states[k](i, j) = state[k];
  }
};

/// All cells at the same fraction of their way from off (0) to on (1).
/// @throws InvalidArgument as DynamicCell::state_of_fraction()
[[nodiscard]] ArrayState array_state_of_fraction(const device::DynamicCell& cell, Index wordlines,
                                                 Index bitlines, double fraction);

/// Cells with the conductances G, m x n, siemens.
/// @throws InvalidArgument naming the cell that cannot have its conductance, with the range
[[nodiscard]] ArrayState array_state_of_conductance(const device::DynamicCell& cell,
                                                    const Matrix& conductance);

/// I(v, x) / v at the model's read voltage, m x n, siemens.
[[nodiscard]] Matrix array_conductance(const device::DynamicCell& cell, const ArrayState& state);

/// DynamicCell::fraction() of all cells, m x n.
[[nodiscard]] Matrix array_fraction(const device::DynamicCell& cell, const ArrayState& state);

/// @throws InvalidArgument unless there is an m x n matrix for each of the model's states with all
///         entries within its bounds; names the entry
void check_array_state(const device::DynamicCell& cell, const ArrayState& state, Index wordlines,
                       Index bitlines);

/// The cells of an array held at their present states: I(v, x(i,j)) and dI/dv. Of the conductances
/// it is given only the zeros count: cells that are open. `cell` and `state` are referred to.
class FrozenCells final : public device::CellModel {
 public:
  FrozenCells(const device::DynamicCell& cell, const ArrayState& state)
      : cell_(cell), state_(state) {}

 private:
  void compute(const Matrix& conductance, const Matrix& voltage, Matrix& current,
               Matrix& derivative) const override;

  const device::DynamicCell& cell_;
  const ArrayState& state_;
};

}  // namespace xbar::solver
