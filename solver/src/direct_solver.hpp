#pragma once

/// The direct method: sparse Cholesky of the nodal conductance matrix by SuiteSparse CHOLMOD
/// [Chen2008], simplicial LDL^T, the part of it that is not under the GPL
/// (docs/adr/0004-licence.md), in an order that nested dissection of the array gives.

#include <memory>
#include <vector>

#include <xbar/solver/solve.hpp>

namespace xbar::solver {

/// Takes every circuit that check_circuit() accepts, unless it has a path without any resistance
/// between two lines' terminals.
class DirectSolver final : public ArraySolver {
 public:
  DirectSolver();
  ~DirectSolver() override;
  DirectSolver(const DirectSolver&) = delete;
  DirectSolver& operator=(const DirectSolver&) = delete;

  /// @throws InvalidArgument also if no resistance is between the terminals of two lines
  void factor(Circuit circuit) override;
  [[nodiscard]] SolveResult solve(const TerminalVoltage& voltage,
                                  const SolveOptions& options) override;

 private:
  // A resistance between two nodes: unknown voltages (< unknowns_), then the terminals of the
  // wordlines, then those of the bitlines.
  struct Branch {
    Index from;
    Index to;
    double siemens;
  };
  struct Cholmod;  // CHOLMOD's objects, so that its header stays in the .cpp

  // What the analysis depends on: open cells and broken wires stay in its pattern.
  struct Structure {
    Index wordlines = 0;
    Index bitlines = 0;
    std::vector<Index> joining;  // which of all branches have no resistance
    friend bool operator==(const Structure&, const Structure&) = default;
  };

  void analyze(const Circuit& circuit);
  void number_nodes(const Circuit& circuit);
  void set_pattern();
  // One refined solution for each column of `x`, whose last rows are the terminals' voltages.
  // @return refinement steps of the column that took most
  int solve_columns(std::vector<double>& x, Index columns);

  Circuit circuit_;
  Structure structure_;
  Index unknowns_ = 0;
  std::vector<Index> node_;  // of every node in NodeNumbers' order
  std::vector<Branch> branches_;
  std::unique_ptr<Cholmod> cholmod_;
  double condition_ = 1;
  double factor_seconds_ = 0;
};

}  // namespace xbar::solver
