#include <algorithm>
#include <utility>

#include <xbar/core/parallel.hpp>
#include <xbar/core/random.hpp>
#include <xbar/solver/effective_conductance.hpp>
#include <xbar/solver/solve.hpp>
#include <xbar/surrogate/ladder.hpp>
#include <xbar/surrogate_calibrate/calibrate.hpp>

namespace xbar::surrogate {
namespace {

class ExactModel final : public EffectiveModel {
 public:
  explicit ExactModel(const WireResistance& wires) : wires_(wires) { check_wires(wires); }
  [[nodiscard]] ModelKind kind() const override { return ModelKind::exact; }
  void refresh(const TileBatch& /*batch*/, std::span<const float> /*conductance*/) override {}
  void effective(const TileBatch& batch, std::span<const float> conductance,
                 std::span<float> out) const override {
    const Index size = batch.tile_size();
    parallel_for(batch.count, [&](Index t) {
      const Eigen::Map<const MatrixF> tile(conductance.data() + t * size, batch.rows,
                                           batch.columns);
      Eigen::Map<MatrixF>(out.data() + t * size, batch.rows, batch.columns) =
          solver::effective_conductance(tile.cast<double>(), wires_).cast<float>();
    });
  }

 private:
  WireResistance wires_;
};

}  // namespace

FieldSolver exact_fields() {
  return [](const Matrix& conductance, const WireResistance& wires, const Vector& voltage,
            Matrix& wordline, Matrix& bitline) {
    solver::SolveOptions options;
    options.node_voltages = true;
    solver::SolveResult result = solver::solve(conductance, voltage, wires, options);
    wordline = std::move(result.nodes.front().wordline);
    bitline = std::move(result.nodes.front().bitline);
  };
}

std::unique_ptr<EffectiveModel> make_model(ModelKind kind, const WireResistance& wires) {
  switch (kind) {
    case ModelKind::ideal:
      return make_ideal_model();
    case ModelKind::ladder:
      return make_ladder_model(wires);
    case ModelKind::operating_point:
      return make_operating_point_model(wires, exact_fields());
    case ModelKind::exact:
      break;
  }
  return std::make_unique<ExactModel>(wires);
}

Matrix effective_conductance(ModelKind kind, const Matrix& conductance, const WireResistance& wires,
                             const Vector& voltage) {
  solver::check_conductance(conductance);
  check_wires(wires);
  switch (kind) {
    case ModelKind::ideal:
      return conductance;
    case ModelKind::ladder:
      return ladder(conductance, wires);
    case ModelKind::operating_point: {
      Matrix wordline;
      Matrix bitline;
      exact_fields()(conductance, wires, voltage, wordline, bitline);
      return operating_point_ladder(conductance, operating_point_factor(wordline, bitline, voltage),
                                    wires);
    }
    case ModelKind::exact:
      break;
  }
  return solver::effective_conductance(conductance, wires);
}

CurrentError current_error(const Matrix& surrogate, const Matrix& exact, const Matrix& inputs) {
  const Matrix current = surrogate.transpose() * inputs;
  const Matrix reference = exact.transpose() * inputs;
  CurrentError error;
  Index counted = 0;
  for (Index k = 0; k < inputs.cols(); ++k) {
    const double scale = reference.col(k).cwiseAbs().maxCoeff();
    if (!(scale > 0)) continue;
    const double deviation = (current.col(k) - reference.col(k)).cwiseAbs().maxCoeff() / scale;
    error.mean += deviation;
    error.worst = std::max(error.worst, deviation);
    ++counted;
  }
  if (counted > 0) error.mean /= static_cast<double>(counted);
  return error;
}

Matrix random_sparse_inputs(Index rows, Index count, std::uint64_t seed) {
  const RandomStream stream(seed, "sparse-inputs");
  Matrix inputs(rows, count);
  for (Index i = 0; i < rows; ++i) {
    for (Index k = 0; k < count; ++k) {
      const double draw = stream.uniform(static_cast<std::uint64_t>(i * count + k));
      inputs(i, k) = draw < 0.5 ? 0.0 : 2.0 * draw - 1.0;
    }
  }
  return inputs;
}

}  // namespace xbar::surrogate
