#include <xbar/mapping/remap/line_loss.hpp>
#include <xbar/surrogate/model.hpp>

namespace xbar::mapping {

LineLoss line_loss(const CrossbarMatrix& matrix) {
  const Technology& technology = matrix.technology();
  const surrogate::TileBatch batch{1, technology.tile_rows, technology.tile_columns};
  double mean = 0;
  const Index arrays = matrix.plane_count() * matrix.tile_count();
  for (Index a = 0; a < arrays; ++a) {
    mean += matrix.tile_conductance(a / matrix.tile_count(), a % matrix.tile_count()).mean() /
            static_cast<double>(arrays);
  }
  const std::vector<double> conductance(static_cast<std::size_t>(batch.size()), mean);
  std::vector<double> effective(conductance.size());
  surrogate::make_model<double>(surrogate::ModelKind::ladder, technology.wires, {})
      ->effective(batch, conductance, effective);
  const Eigen::Map<const Matrix> found(effective.data(), batch.rows, batch.columns);
  const Matrix share = (1 - found.array() / mean).matrix();
  return {share.colwise().mean().transpose(), share.rowwise().mean()};
}

}  // namespace xbar::mapping
