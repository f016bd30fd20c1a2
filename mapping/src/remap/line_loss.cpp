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

Eigen::VectorXd column_slot_loss(const CrossbarMatrix& matrix, const LineLoss& loss) {
  Eigen::VectorXd of_slot(matrix.slot_count());
  for (Index s = 0; s < of_slot.size(); ++s) {
    of_slot(s) = loss.bitline(matrix.bitline_of(0, s % matrix.outputs_per_tile()));
  }
  return of_slot;
}

Eigen::VectorXd row_slot_loss(const CrossbarMatrix& matrix, const LineLoss& loss) {
  Eigen::VectorXd of_slot(matrix.row_slot_count());
  for (Index s = 0; s < of_slot.size(); ++s) {
    of_slot(s) = loss.wordline(s % matrix.technology().tile_rows);
  }
  return of_slot;
}

}  // namespace xbar::mapping
