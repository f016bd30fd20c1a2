#include <cmath>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/mapping/remap/assignment.hpp>
#include <xbar/mapping/remap/line_loss.hpp>
#include <xbar/mapping/remap/optimal.hpp>

#include "../cell_effects.hpp"

namespace xbar::mapping {
namespace {

using Vector = Eigen::VectorXd;

// What a line carries and what it draws.
Vector line_weight(const Vector& carried, const Vector& drawn) {
  const double scale = drawn.sum() > 0 ? carried.sum() / drawn.sum() : 0;
  return (carried.array() * drawn.array() * scale).sqrt().matrix();
}

// What an output on column slot `column` misses of the weight to an input on row slot `row`.
double cell_error(const CrossbarMatrix& matrix, const std::vector<MatrixF>& cells, Index output,
                  Index column, Index input, Index row) {
  const WeightEncoder& encoder = matrix.encoder();
  const device::ConductanceRange range = matrix.technology().range();
  double error = 0;
  for (Index c = 0; c < encoder.cells(); ++c) {
    const float x = cells[static_cast<std::size_t>(c)](output, input);
    const auto found = static_cast<double>(
        matrix.conductance(matrix.plane_of(c), matrix.bitline_of(c, column), row, x));
    const double wanted = range.g_min + range.width() * static_cast<double>(x);
    error += static_cast<double>(encoder.coefficient(c)) * (found - wanted) / range.width();
  }
  return error * static_cast<double>(matrix.weight_range());
}

// Adds the second term of the costs: error(i, s, j) is D of line i on slot s towards line j of the
// other kind, own and others the second moments of either.
template <typename Error>
void add_cell_errors(const Vector& own, const Vector& others, const Error& error, Matrix& cost) {
  for (Index i = 0; i < cost.rows(); ++i) {
    for (Index s = 0; s < cost.cols(); ++s) {
      for (Index j = 0; j < others.size(); ++j) {
        const double d = error(i, s, j);
        cost(i, s) += own(i) * others(j) * d * d;
      }
    }
  }
}

}  // namespace

void check_moments(const CrossbarMatrix& matrix, const SignalMoments& moments) {
  const auto check = [](const char* what, const MatrixF& found, Index size) {
    if (found.rows() != size || found.cols() != size) {
      throw InvalidArgument(fmt::format("{} moments: expected {} x {}, got {} x {}", what, size,
                                        size, found.rows(), found.cols()));
    }
  };
  check("input", moments.inputs, matrix.inputs());
  check("output", moments.outputs, matrix.outputs());
}

ArrayOrder optimal_order(const CrossbarMatrix& matrix, const SignalMoments& moments,
                         const RemapFreedoms& freedoms) {
  check_moments(matrix, moments);
  const Matrix weight = matrix.weight().cast<double>();
  const Vector c = moments.inputs.diagonal().cast<double>();
  const Vector m = moments.outputs.diagonal().cast<double>();
  const LineLoss loss = line_loss(matrix);
  const bool sound = !has_cell_effects(matrix.technology());
  const std::vector<MatrixF> cells = sound ? std::vector<MatrixF>{} : matrix.state().cells;
  ArrayOrder order = matrix.order();
  if (freedoms.columns) {
    const Vector w =
        line_weight(m.cwiseProduct(weight.cwiseAbs2() * c), weight.cwiseAbs().rowwise().sum());
    const Vector e = column_slot_loss(matrix, loss).cwiseAbs2();
    if (sound) {
      order.slot_of_output = product_assignment(w, e);
    } else {
      Matrix cost = w * e.transpose();
      const auto error = [&](Index o, Index s, Index k) {
        return cell_error(matrix, cells, o, s, k, order.slot_of_input[static_cast<std::size_t>(k)]);
      };
      add_cell_errors(m, c, error, cost);
      order.slot_of_output = linear_assignment(cost);
    }
  }
  if (freedoms.rows) {
    const Vector w = line_weight(c.cwiseProduct(weight.cwiseAbs2().transpose() * m),
                                 weight.cwiseAbs().colwise().sum().transpose());
    const Vector e = row_slot_loss(matrix, loss).cwiseAbs2();
    if (sound) {
      order.slot_of_input = product_assignment(w, e);
    } else {
      Matrix cost = w * e.transpose();
      const auto error = [&](Index k, Index s, Index o) {
        return cell_error(matrix, cells, o, order.slot_of_output[static_cast<std::size_t>(o)], k,
                          s);
      };
      add_cell_errors(c, m, error, cost);
      order.slot_of_input = linear_assignment(cost);
    }
  }
  return order;
}

}  // namespace xbar::mapping
