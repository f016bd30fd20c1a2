#pragma once

/// How much the wires of a layer's arrays disturb its outputs, for a given order of rows and
/// columns, and how much two that change places change that.

#include <memory>
#include <vector>

#include <xbar/core/matrix.hpp>
#include <xbar/mapping/array_order.hpp>
#include <xbar/mapping/crossbar_matrix.hpp>

namespace xbar::mapping {

/// Second moments of what goes into a layer and of what its outputs do to the network.
struct SignalMoments {
  MatrixF inputs;   ///< C = E[x x^T], inputs x inputs
  MatrixF outputs;  ///< M = E[g g^T], g = d(network's output)/dy, outputs x outputs
};

/// With D = W_eff - W, which depends on the order,
///   J = trace(M D C D^T) = E[(g^T D x)^2] for g and x that are independent:
/// the mean square of what the layer's error does to the network's output, to first order (the
/// factored curvature of [Martens2015]). W_eff comes from a surrogate without measurements. One
/// exchange of two wordlines costs the tiles of one or two tile rows, O(outputs m (outputs + m))
/// for the products; it does not depend on the number of tile rows.
class OutputError {
 public:
  /// @param matrix   programmed; its cells, cell effects and order are where the search begins
  /// @param moments  of the layer's signals
  /// @param model    a member that measures nothing
  /// @throws InvalidArgument if sizes differ, or the member measures
  OutputError(const CrossbarMatrix& matrix, SignalMoments moments,
              surrogate::ModelKind model = surrogate::ModelKind::ladder);

  [[nodiscard]] const CrossbarMatrix& matrix() const { return matrix_; }
  [[nodiscard]] const SignalMoments& moments() const { return moments_; }
  [[nodiscard]] double value() const { return value_; }
  [[nodiscard]] const ArrayOrder& order() const { return order_; }
  /// D, outputs x inputs.
  [[nodiscard]] const MatrixF& difference() const { return difference_; }

  /// Everything anew for another order.
  void set_order(const ArrayOrder& order);

  /// Exchanges what two row slots (column slots) hold if that lowers J.
  /// @return whether it did
  bool try_rows(Index one, Index other);
  bool try_columns(Index one, Index other);

 private:
  // D of the tiles that an exchange concerns.
  struct Change {
    std::vector<Index> inputs;   // those of the tile rows concerned
    std::vector<Index> outputs;  // those of the tile columns concerned
    MatrixF difference;          // outputs x inputs, less the present D
  };
  [[nodiscard]] Change measure(const std::vector<Index>& tile_rows,
                               const std::vector<Index>& tile_columns) const;
  [[nodiscard]] double rise(const Change& change) const;
  void take(const Change& change);
  void index_slots();
  bool keep_if_better(const std::vector<Index>& tile_rows, const std::vector<Index>& tile_columns);

  const CrossbarMatrix& matrix_;
  SignalMoments moments_;
  std::vector<MatrixF> cells_;  // x, outputs x inputs
  std::unique_ptr<surrogate::EffectiveModel<float>> model_;
  ArrayOrder order_;
  std::vector<Index> output_of_slot_;  // -1: empty
  std::vector<Index> input_of_slot_;
  MatrixF difference_;
  MatrixF slope_;  // M D C
  double value_ = 0;
};

}  // namespace xbar::mapping
