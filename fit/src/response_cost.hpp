#pragma once

/// The residuals of responses and their derivatives, in Ceres' words.

#include <memory>
#include <vector>

#include <ceres/cost_function.h>

#include "curve_fit.hpp"

namespace xbar::fit {

/// Where each value may lie.
struct Box {
  std::vector<double> lowest;
  std::vector<double> highest;
};
[[nodiscard]] Box value_box(const Shape& shape, const CurveFitOptions& options);

/// A point of the box as what it means.
struct Point {
  std::shared_ptr<const device::PulseModel> model;
  CellScale cell;
  double gain = 0;

  Point(const Shape& shape, const CurveFitOptions& options, const std::vector<double>& values);
};

/// A point, and a small way along each of its values: one for all responses, made when the values
/// change. Differences go towards the inside of the box.
class Neighbours {
 public:
  Neighbours(const Shape& shape, const CurveFitOptions& options)
      : shape_(shape), options_(options), box_(value_box(shape, options)) {}

  [[nodiscard]] const Box& box() const { return box_; }
  /// The point at `values`.
  [[nodiscard]] const Point& point(const double* values);
  /// `difference(k)` along value k of the last point.
  [[nodiscard]] const Point& along(std::size_t k);
  [[nodiscard]] double difference(std::size_t k) const;

 private:
  const Shape& shape_;
  const CurveFitOptions& options_;
  Box box_;
  std::vector<double> values_;
  std::vector<Point> points_;                  // none, or the point
  std::vector<std::unique_ptr<Point>> along_;  // where asked for
};

/// Residuals of the readings of one response that the fit sees; parameter blocks are the values and
/// the response's start. One thread.
class ResponseCost final : public ceres::CostFunction {
 public:
  ResponseCost(std::shared_ptr<Neighbours> neighbours, const Response& response);

  bool Evaluate(double const* const* blocks, double* residuals, double** jacobians) const override;

 private:
  /// @return false if one is not finite
  bool evaluate(const Point& point, double start, double* residuals) const;

  std::shared_ptr<Neighbours> neighbours_;
  const Response& response_;
};

}  // namespace xbar::fit
