#include <span>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/solver/effective_conductance.hpp>
#include <xbar/solver/solve.hpp>
#include <xbar/surrogate_calibrate/calibrate.hpp>

namespace xbar::surrogate {

ExactSolver exact_solver() {
  return {[](const Matrix& conductance, const WireResistance& wires) {
            return solver::effective_conductance(conductance, wires);
          },
          exact_gradient};
}

Matrix effective_conductance(ModelKind kind, const Matrix& conductance, const WireResistance& wires,
                             const Vector& inputs) {
  solver::check_conductance(conductance);
  const auto model = make_model<double>(kind, wires);
  const TileBatch batch{1, conductance.rows(), conductance.cols()};
  const std::span<const double> tile(conductance.data(),
                                     static_cast<std::size_t>(conductance.size()));
  Matrix out(conductance.rows(), conductance.cols());
  model->refresh(batch, tile, {inputs.data(), static_cast<std::size_t>(inputs.size())});
  model->effective(batch, tile, {out.data(), static_cast<std::size_t>(out.size())});
  return out;
}

Matrix exact_gradient(const Matrix& conductance, const WireResistance& wires,
                      const Matrix& cotangent) {
  if (cotangent.rows() != conductance.rows() || cotangent.cols() != conductance.cols()) {
    throw InvalidArgument(
        fmt::format("cotangent: expected {} x {} like the conductance, got {} x {}",
                    conductance.rows(), conductance.cols(), cotangent.rows(), cotangent.cols()));
  }
  const Index m = conductance.rows();
  const Index n = conductance.cols();
  const solver::Circuit circuit = solver::make_circuit(conductance, wires);
  solver::SolveOptions options;
  options.node_voltages = true;
  const solver::SolveResult forward =
      solver::solve(circuit, {Matrix::Identity(m, m), Matrix::Zero(n, m)}, options);
  const solver::SolveResult adjoint =
      solver::solve(circuit, {Matrix::Zero(m, m), cotangent.transpose()}, options);
  Matrix gradient = Matrix::Zero(m, n);
  for (std::size_t i = 0; i < forward.nodes.size(); ++i) {
    const solver::NodeVoltages& x = forward.nodes[i];
    const solver::NodeVoltages& y = adjoint.nodes[i];
    gradient += (x.wordline - x.bitline).cwiseProduct(y.bitline - y.wordline);
  }
  return gradient;
}

}  // namespace xbar::surrogate
