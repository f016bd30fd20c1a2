#pragma once

/// What a cell lets through: its current as a function of the voltage across it.

#include <xbar/core/matrix.hpp>

namespace xbar::device {

/// A passive two-terminal cell without memory: I(0) = 0, and I never falls as v rises. Cell (i,j)
/// carries its own G(i,j), siemens; the other parameters belong to the model and are the same for
/// all cells. G = 0 is an open cell: no current.
class CellModel {
 public:
  virtual ~CellModel() = default;

  /// I(v) and dI/dv of all cells of an array.
  /// @param conductance  G, m x n, siemens, finite and >= 0
  /// @param voltage      v = u - w, m x n, volt, from wordline to bitline
  /// @param current      out: I, m x n, ampere, from wordline to bitline
  /// @param derivative   out: dI/dv, m x n, siemens, >= 0
  /// @throws InvalidArgument if the shapes differ or do not fit the model's own arrays
  void evaluate(const Matrix& conductance, const Matrix& voltage, Matrix& current,
                Matrix& derivative) const;

 private:
  /// The same with shapes checked and results of the right size.
  virtual void compute(const Matrix& conductance, const Matrix& voltage, Matrix& current,
                       Matrix& derivative) const = 0;
};

}  // namespace xbar::device
