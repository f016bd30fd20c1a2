#pragma once

/// What a cell lets through: its current as a function of the voltage across it.

#include <string>

#include <xbar/core/matrix.hpp>

namespace xbar::device {

/// A cell's place in a netlist.
struct NetlistCell {
  Index i = 0;  ///< wordline
  Index j = 0;  ///< bitline
  Index wordlines = 1;
  Index bitlines = 1;
  double conductance = 0;  ///< G(i,j), siemens, > 0 and finite
  std::string from;        ///< name of the wordline node
  std::string to;          ///< name of the bitline node
};

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

  /// What stands once in an ngspice netlist, ahead of the cells: the functions that they use.
  [[nodiscard]] virtual std::string spice_functions() const { return {}; }

  /// The cell as elements of an ngspice netlist, a line each: the I(v) of evaluate(), its numbers
  /// in full precision. The resistor is rc_i_j, the behavioural source bc_i_j, the node between the
  /// two c_i_j.
  /// @throws InvalidArgument if the model's own arrays do not fit, or it has no such form
  [[nodiscard]] virtual std::string spice_elements(const NetlistCell& cell) const;

 private:
  /// The same with shapes checked and results of the right size.
  virtual void compute(const Matrix& conductance, const Matrix& voltage, Matrix& current,
                       Matrix& derivative) const = 0;
};

}  // namespace xbar::device
