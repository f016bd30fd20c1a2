#include "response_cost.hpp"

#include <algorithm>
#include <cmath>

namespace xbar::fit {
namespace {

// y is 0 to 1 over the readings.
constexpr double farthest_bound = 0.5;
constexpr double nearest_bound = 0.4;

bool seen(const Response& response, std::size_t k) {
  return !std::isnan(response.y[k]) && !response.masked[k];
}

}  // namespace

Box value_box(const Shape& shape, const CurveFitOptions& options) {
  Box box;
  for (const FreeParameter& p : shape.free) {
    box.lowest.push_back(p.lowest);
    box.highest.push_back(p.highest);
  }
  if (shape.fits_range && !options.fix_range) {
    box.lowest.insert(box.lowest.end(), {options.lowest_bound, 1 - nearest_bound});
    box.highest.insert(box.highest.end(), {nearest_bound, 1 + farthest_bound});
  }
  if (options.to_steps) {
    box.lowest.push_back(0);
    box.highest.push_back(1);
  }
  return box;
}

Point::Point(const Shape& shape, const CurveFitOptions& options, const std::vector<double>& values)
    : model(shape.make(std::span(values).first(shape.free.size()))), cell(options.cell) {
  if (shape.is_cell) {
    cell.up = values[0] * (1 + values[1]);
    cell.down = values[0] * (1 - values[1]);
  }
  if (shape.fits_range && !options.fix_range) {
    cell.lower = values[shape.free.size()];
    cell.upper = values[shape.free.size() + 1];
  }
  if (options.to_steps) gain = values.back();
}

const Point& Neighbours::point(const double* values) {
  const std::size_t size = box_.lowest.size();
  if (points_.empty() || !std::equal(values_.begin(), values_.end(), values)) {
    values_.assign(values, values + size);
    points_.clear();
    points_.emplace_back(shape_, options_, values_);
    along_.clear();
    along_.resize(size);
  }
  return points_.front();
}

double Neighbours::difference(std::size_t k) const {
  constexpr double share = 1e-6;
  const double step = share * std::max(std::abs(values_[k]), 1e-3);
  return values_[k] + step > box_.highest[k] ? -step : step;
}

const Point& Neighbours::along(std::size_t k) {
  if (!along_[k]) {
    std::vector<double> moved = values_;
    moved[k] += difference(k);
    along_[k] = std::make_unique<Point>(shape_, options_, moved);
  }
  return *along_[k];
}

ResponseCost::ResponseCost(std::shared_ptr<Neighbours> neighbours, const Response& response)
    : neighbours_(std::move(neighbours)), response_(response) {
  int count = 0;
  for (std::size_t k = 0; k < response.y.size(); ++k) count += seen(response, k) ? 1 : 0;
  set_num_residuals(count);
  mutable_parameter_block_sizes()->push_back(static_cast<int>(neighbours_->box().lowest.size()));
  mutable_parameter_block_sizes()->push_back(1);
}

bool ResponseCost::evaluate(const Point& point, double start, double* residuals) const {
  const auto all = innovations(*point.model, point.cell, point.gain, start, response_);
  for (std::size_t k = 0; k < all.size(); ++k) {
    if (!seen(response_, k)) continue;
    if (!std::isfinite(all[k].residual)) return false;
    *residuals++ = all[k].residual;
  }
  return true;
}

bool ResponseCost::Evaluate(double const* const* blocks, double* residuals,
                            double** jacobians) const {
  const Point& point = neighbours_->point(blocks[0]);
  const double start = blocks[1][0];
  if (!evaluate(point, start, residuals)) return false;
  if (jacobians == nullptr) return true;
  const auto rows = static_cast<std::size_t>(num_residuals());
  const auto size = static_cast<std::size_t>(parameter_block_sizes()[0]);
  std::vector<double> moved(rows);
  for (std::size_t k = 0; jacobians[0] != nullptr && k < size; ++k) {
    if (!evaluate(neighbours_->along(k), start, moved.data())) return false;
    const double step = neighbours_->difference(k);
    for (std::size_t r = 0; r < rows; ++r) {
      jacobians[0][r * size + k] = (moved[r] - residuals[r]) / step;
    }
  }
  if (jacobians[1] != nullptr) {
    constexpr double step = 1e-7;
    if (!evaluate(point, start + step, moved.data())) return false;
    for (std::size_t r = 0; r < rows; ++r) jacobians[1][r] = (moved[r] - residuals[r]) / step;
  }
  return true;
}

}  // namespace xbar::fit
