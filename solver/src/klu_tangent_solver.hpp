#pragma once

/// Tangent circuits by sparse LU of the nodal matrix (KLU), with refinement by the net
/// currents that a solution leaves, summed branch by branch.

#include <memory>
#include <vector>

#include "tangent_solver.hpp"

namespace xbar::solver {

class KluTangentSolver final : public TangentSolver {
 public:
  /// Numbers the nodes and analyses the pattern; the conductances of `circuit` only say which cells
  /// are open.
  /// @throws InvalidArgument if no resistance is between the terminals of two lines
  explicit KluTangentSolver(const Circuit& circuit);
  ~KluTangentSolver() override;
  KluTangentSolver(const KluTangentSolver&) = delete;
  KluTangentSolver& operator=(const KluTangentSolver&) = delete;

  void factor(const Matrix& siemens) override;
  int solve(const Vector& wordline_voltage, const Vector& bitline_voltage, const Matrix& source,
            const NodeVoltages* guess, double tolerance, NodeVoltages& nodes) override;
  [[nodiscard]] double condition() const override { return condition_; }

 private:
  struct Klu;  // KLU's objects, so that its header stays in the .cpp
  // A resistance between two nodes: unknown voltages (< unknowns_), then terminals.
  struct Branch {
    Index from;
    Index to;
    double siemens;
  };

  void number_nodes(const Circuit& circuit);
  void set_pattern();

  Index m_;
  Index n_;
  Index unknowns_ = 0;
  std::vector<Index> node_;       // number of every node in NodeNumbers' order
  std::vector<Branch> branches_;  // wires, then from first_cell_ on the cells, row by row
  std::size_t first_cell_ = 0;
  std::unique_ptr<Klu> klu_;
  double condition_ = 1;
};

}  // namespace xbar::solver
