#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/gemm.hpp>
#include <xbar/mapping/remap/exchange.hpp>
#include <xbar/mapping/remap/line_loss.hpp>

namespace xbar::mapping {
namespace {

constexpr int most_rounds = 40;

// Lines of one kind, outputs or inputs, as exchanges see them.
struct Lines {
  std::vector<Index> slot_of;  // slot of each line
  Eigen::VectorXd slope;       // d(loss) / d(share that wires let through) of each line
  Eigen::VectorXd bend;        // its derivative
  Eigen::VectorXd loss;        // share lost at each slot
};

struct Exchange {
  double gain = 0;
  Index line = 0;
  Index slot = 0;  // where it goes
};

MatrixF product(const MatrixF& a, const MatrixF& b, float factor) {
  MatrixF c(a.rows(), b.cols());
  gemm(Op::none, Op::none, a.rows(), b.cols(), a.cols(), factor, a.data(), a.cols(), b.data(),
       b.cols(), 0, c.data(), c.cols());
  return c;
}

// The exchanges that promise to lower the loss, best first, no slot in two of them.
std::vector<Exchange> best_exchanges(const Lines& lines, Index most) {
  const auto slots = lines.loss.size();
  std::vector<Index> line_at(static_cast<std::size_t>(slots), -1);
  for (std::size_t k = 0; k < lines.slot_of.size(); ++k) {
    line_at[static_cast<std::size_t>(lines.slot_of[k])] = static_cast<Index>(k);
  }
  std::vector<Exchange> all;
  for (std::size_t k = 0; k < lines.slot_of.size(); ++k) {
    const auto line = static_cast<Index>(k);
    const Index from = lines.slot_of[k];
    for (Index to = 0; to < slots; ++to) {
      const Index other = line_at[static_cast<std::size_t>(to)];
      if (to == from || (other >= 0 && other < line)) continue;
      const double more = lines.loss(from) - lines.loss(to);  // let through
      double slope = lines.slope(line);
      double bend = lines.bend(line);
      if (other >= 0) {
        slope -= lines.slope(other);
        bend += lines.bend(other);
      }
      const double gain = -(slope * more + bend * more * more / 2);
      if (gain > 0) all.push_back({gain, line, to});
    }
  }
  const auto better = [](const Exchange& a, const Exchange& b) {
    return a.gain != b.gain ? a.gain > b.gain
                            : std::pair(a.line, a.slot) < std::pair(b.line, b.slot);
  };
  // Far more promise something than can be made.
  const std::size_t some = std::min(all.size(), 64 * static_cast<std::size_t>(most));
  std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(some), all.end(), better);
  all.resize(some);
  std::sort(all.begin(), all.end(), better);
  std::vector<bool> taken(static_cast<std::size_t>(slots), false);
  std::vector<Exchange> best;
  for (const Exchange& exchange : all) {
    if (static_cast<Index>(best.size()) >= most) break;
    const auto from =
        static_cast<std::size_t>(lines.slot_of[static_cast<std::size_t>(exchange.line)]);
    const auto to = static_cast<std::size_t>(exchange.slot);
    if (taken[from] || taken[to]) continue;
    taken[from] = taken[to] = true;
    best.push_back(exchange);
  }
  return best;
}

void apply(const std::vector<Exchange>& exchanges, std::vector<Index>& slot_of) {
  for (const Exchange& exchange : exchanges) {
    Index& slot = slot_of[static_cast<std::size_t>(exchange.line)];
    const auto other = std::find(slot_of.begin(), slot_of.end(), exchange.slot);
    if (other != slot_of.end()) *other = slot;
    slot = exchange.slot;
  }
}

class Descent {
 public:
  Descent(CrossbarMatrix& matrix, const LossModel& model)
      : matrix_(matrix),
        model_(model),
        weight_(matrix.weight()),
        begin_(matrix.forward_weight()),
        loss_(line_loss(matrix)) {
    const MatrixF& inputs = model.moments->inputs;
    const MatrixF& outputs = model.moments->outputs;
    row_bend_ = model.curvature * (outputs * weight_)
                                      .cwiseProduct(weight_)
                                      .colwise()
                                      .sum()
                                      .transpose()
                                      .cwiseProduct(inputs.diagonal());
    column_bend_ =
        model.curvature *
        (weight_ * inputs).cwiseProduct(weight_).rowwise().sum().cwiseProduct(outputs.diagonal());
    measure();
  }

  void run(bool columns) {
    Index most = std::max<Index>(1, (columns ? matrix_.outputs() : matrix_.inputs()) / 4);
    for (int round = 0; round < most_rounds; ++round) {
      const ArrayOrder before = matrix_.order();
      const double value_before = value_;
      const MatrixF gradient_before = gradient_;
      const std::vector<Exchange> exchanges = best_exchanges(lines(columns), most);
      if (exchanges.empty()) return;
      ArrayOrder order = before;
      apply(exchanges, columns ? order.slot_of_output : order.slot_of_input);
      matrix_.set_order(order);
      measure();
      if (value_ < value_before) {
        most += most / 4;
        continue;
      }
      matrix_.set_order(before);
      value_ = value_before;
      gradient_ = gradient_before;
      most = static_cast<Index>(exchanges.size()) / 3;
      if (most == 0) return;
    }
  }

  [[nodiscard]] double value() const { return value_; }

 private:
  // The model's loss and its gradient now.
  void measure() {
    const MatrixF change = matrix_.forward_weight() - begin_;
    gradient_ = product(product(model_.moments->outputs, change, 1), model_.moments->inputs,
                        model_.curvature);
    value_ = (model_.gradient + gradient_ / 2).cwiseProduct(change).cast<double>().sum();
    gradient_ += model_.gradient;
  }

  [[nodiscard]] Lines lines(bool columns) const {
    const MatrixF slope = gradient_.cwiseProduct(weight_);
    Lines lines;
    if (columns) {
      lines.slot_of = matrix_.column_order();
      lines.slope = slope.rowwise().sum().cast<double>();
      lines.bend = column_bend_.cast<double>();
      lines.loss = column_slot_loss(matrix_, loss_);
    } else {
      lines.slot_of = matrix_.row_order();
      lines.slope = slope.colwise().sum().transpose().cast<double>();
      lines.bend = row_bend_.cast<double>();
      lines.loss = row_slot_loss(matrix_, loss_);
    }
    return lines;
  }

  CrossbarMatrix& matrix_;
  const LossModel& model_;
  MatrixF weight_;
  MatrixF begin_;  // the effective weights that changes are from
  Eigen::VectorXf row_bend_;
  Eigen::VectorXf column_bend_;
  LineLoss loss_;
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
  matrix.set_order(copy.order());
  return descent.value();
}

}  // namespace xbar::mapping
