#pragma once

/// The direct method: sparse Cholesky of the nodal conductance matrix by SuiteSparse CHOLMOD
/// [Chen2008], simplicial LDL^T with AMD ordering (the fastest of its settings at crossbar sizes
/// and the part of it that is not under the GPL, docs/adr/0004-licence.md).

#include <memory>
#include <vector>

#include <xbar/solver/solve.hpp>

namespace xbar::solver {

class DirectSolver final : public ArraySolver {
 public:
  DirectSolver();
  ~DirectSolver() override;
  DirectSolver(const DirectSolver&) = delete;
  DirectSolver& operator=(const DirectSolver&) = delete;

  void factor(const Matrix& conductance, const WireResistance& wires) override;
  [[nodiscard]] SolveResult solve(const Matrix& voltage, const SolveOptions& options) override;

 private:
  // A resistor of the circuit between two nodes, each an unknown (>= 0), the source of wordline i
  // (source(i)) or ground.
  struct Branch {
    Index from;
    Index to;
    double siemens;
  };
  struct Cholmod;  // CHOLMOD's objects, so that its header stays in the .cpp

  static constexpr Index ground = -1;
  static constexpr Index source(Index i) { return -2 - i; }

  void analyze();
  [[nodiscard]] bool same_structure(Index m, Index n, const WireResistance& wires) const;
  [[nodiscard]] static double known_voltage(Index node, const Vector& voltage);

  Index m_ = 0;
  Index n_ = 0;
  WireResistance wires_;
  std::vector<Index> wordline_node_;  // of u(i,j), m x n
  std::vector<Index> bitline_node_;   // of w(i,j), m x n
  std::vector<Branch> branches_;
  Index unknowns_ = 0;
  Matrix conductance_;
  std::unique_ptr<Cholmod> cholmod_;
  double factor_seconds_ = 0;
};

}  // namespace xbar::solver
