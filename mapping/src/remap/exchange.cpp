#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/gemm.hpp>
#include <xbar/mapping/remap/best_exchanges.hpp>
#include <xbar/mapping/remap/exchange.hpp>
#include <xbar/mapping/remap/line_loss.hpp>
#include <xbar/mapping/remap/moment_factor.hpp>

namespace xbar::mapping {
namespace {

constexpr int most_rounds = 40;
constexpr Index most_directions = 128;
// A round that lowers the loss by less of what all rounds have is the last: the rest comes by a new
// gradient at less cost.
constexpr double least_share = 0.01;

MatrixF product(const MatrixF& a, const MatrixF& b, float factor) {
  MatrixF c(a.rows(), b.cols());
  gemm(Op::none, Op::none, a.rows(), b.cols(), a.cols(), factor, a.data(), a.cols(), b.data(),
       b.cols(), 0, c.data(), c.cols());
  return c;
}

MatrixF product_transposed(const MatrixF& a, const MatrixF& b) {
  MatrixF c(a.rows(), b.rows());
  gemm(Op::none, Op::transpose, a.rows(), b.rows(), a.cols(), 1, a.data(), a.cols(), b.data(),
       b.cols(), 0, c.data(), c.cols());
  return c;
}

// M D C, with C in a few directions and a diagonal where that is less work: which exchanges to try
// is all that hangs on it.
class Curvature {
 public:
  explicit Curvature(const SignalMoments& moments) : moments_(moments) {
    if (moments.inputs.rows() > 2 * most_directions) {
      inputs_ = factor_moments(moments.inputs, most_directions);
    }
  }

  [[nodiscard]] MatrixF of(const MatrixF& change, float factor) const {
    const MatrixF& outputs = moments_.outputs;
    if (!inputs_) return product(product(outputs, change, 1), moments_.inputs, factor);
    const MatrixF along = product_transposed(change, inputs_->factor);
    MatrixF result = product(product(outputs, along, 1), inputs_->factor, factor);
    // Off the directions outputs count by themselves.
    result.noalias() +=
        (factor * outputs.diagonal()).asDiagonal() * change * inputs_->rest.asDiagonal();
    return result;
  }

  // w^T C w of every row w of a matrix.
  [[nodiscard]] Eigen::VectorXf of_rows(const MatrixF& weight) const {
    if (!inputs_) {
      return product(weight, moments_.inputs, 1).cwiseProduct(weight).rowwise().sum();
    }
    return product_transposed(weight, inputs_->factor).rowwise().squaredNorm() +
           weight.cwiseAbs2() * inputs_->rest;
  }

 private:
  const SignalMoments& moments_;
  std::optional<MomentFactor> inputs_;
};

class Descent {
 public:
  Descent(CrossbarMatrix& matrix, const LossModel& model)
      : matrix_(matrix),
        model_(model),
        curvature_(*model.moments),
        weight_(matrix.weight()),
        begin_(matrix.forward_weight()),
        loss_(line_loss(matrix)),
        order_(matrix.order()) {
    const MatrixF& inputs = model.moments->inputs;
    const MatrixF& outputs = model.moments->outputs;
    row_bend_ = model.curvature * product(outputs, weight_, 1)
                                      .cwiseProduct(weight_)
                                      .colwise()
                                      .sum()
                                      .transpose()
                                      .cwiseProduct(inputs.diagonal());
    column_bend_ = model.curvature * curvature_.of_rows(weight_).cwiseProduct(outputs.diagonal());
    measure();
  }

  void run(bool columns) {
    Index most = std::max<Index>(1, (columns ? matrix_.outputs() : matrix_.inputs()) / 4);
    const double begin = value_;
    for (int round = 0; round < most_rounds; ++round) {
      const std::vector<Exchange> exchanges = best_exchanges(lines(columns), most);
      if (exchanges.empty()) return;
      ArrayOrder order = order_;
      apply(exchanges, columns ? order.slot_of_output : order.slot_of_input);
      matrix_.set_order(order);
      const double value_before = value_;
      MatrixF gradient_before = std::move(gradient_);
      measure();
      if (value_ < value_before) {
        order_ = std::move(order);
        if (value_before - value_ < least_share * (begin - value_)) return;
        most += most / 4;
        continue;
      }
      value_ = value_before;
      gradient_ = std::move(gradient_before);
      most = static_cast<Index>(exchanges.size()) / 3;
      if (most == 0) return;
    }
  }

  [[nodiscard]] const ArrayOrder& order() const { return order_; }
  [[nodiscard]] double value() const { return value_; }

 private:
  // The model's loss and its gradient now.
  void measure() {
    const MatrixF change = matrix_.forward_weight() - begin_;
    gradient_ = curvature_.of(change, model_.curvature);
    value_ = (model_.gradient + gradient_ / 2).cwiseProduct(change).cast<double>().sum();
    gradient_ += model_.gradient;
  }

  [[nodiscard]] Lines lines(bool columns) const {
    const MatrixF slope = gradient_.cwiseProduct(weight_);
    Lines lines;
    if (columns) {
      lines.slot_of = order_.slot_of_output;
      lines.slope = slope.rowwise().sum().cast<double>();
      lines.bend = column_bend_.cast<double>();
      lines.loss = column_slot_loss(matrix_, loss_);
    } else {
      lines.slot_of = order_.slot_of_input;
      lines.slope = slope.colwise().sum().transpose().cast<double>();
      lines.bend = row_bend_.cast<double>();
      lines.loss = row_slot_loss(matrix_, loss_);
    }
    return lines;
  }

  CrossbarMatrix& matrix_;
  const LossModel& model_;
  Curvature curvature_;
  MatrixF weight_;
  MatrixF begin_;  // the effective weights that changes are from
  Eigen::VectorXf row_bend_;
  Eigen::VectorXf column_bend_;
  LineLoss loss_;
  ArrayOrder order_;  // the best so far
  double value_ = 0;
  MatrixF gradient_;
};

}  // namespace

double exchange_lines(CrossbarMatrix& matrix, const LossModel& model,
                      const RemapFreedoms& freedoms) {
  check_moments(matrix, *model.moments);
  if (model.gradient.rows() != matrix.outputs() || model.gradient.cols() != matrix.inputs()) {
    throw InvalidArgument(fmt::format("gradient: expected {} x {}, got {} x {}", matrix.outputs(),
                                      matrix.inputs(), model.gradient.rows(),
                                      model.gradient.cols()));
  }
  // Exact measurements of every try would take most of the time; only differences count here.
  CrossbarMatrix copy = matrix.measured_by(surrogate::ModelKind::sneak_ladder);
  Descent descent(copy, model);
  if (freedoms.rows) descent.run(false);
  if (freedoms.columns) descent.run(true);
  matrix.set_order(descent.order());
  return descent.value();
}

}  // namespace xbar::mapping
