#include "step_table.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/isa.hpp>

#include "../step_kernels.hpp"

namespace xbar::device {
namespace {

constexpr Index fewest = 2;
constexpr Index most = 1000;

std::span<const double> list(const PulseCurves& curves, const std::string& name) {
  const Matrix& values = curves.at(name);
  if ((values.rows() != 1 && values.cols() != 1) || values.size() < fewest ||
      values.size() > most) {
    throw InvalidArgument(fmt::format("{}: expected a list of {} to {} values, found {} x {}", name,
                                      fewest, most, values.rows(), values.cols()));
  }
  return {values.data(), static_cast<std::size_t>(values.size())};
}

// The rows must be where the device's range has its n-th parts, to a thousandth of one.
void check_conductances(const std::string& name, std::span<const double> siemens,
                        const ConductanceRange& range) {
  const double part = range.width() / static_cast<double>(siemens.size() - 1);
  for (std::size_t i = 0; i < siemens.size(); ++i) {
    const double expected = range.g_min + static_cast<double>(i) * part;
    if (!(std::abs(siemens[i] - expected) <= 1e-3 * part)) {
      throw InvalidArgument(fmt::format(
          "{}: expected equally spaced conductances from g_min_siemens = {} to g_max_siemens = {}, "
          "found {} in place {}, where {} would be",
          name, range.g_min, range.g_max, siemens[i], i, expected));
    }
  }
}

void check_rising(const std::string& name, std::span<const double> values) {
  for (std::size_t i = 1; i < values.size(); ++i) {
    if (!(values[i] > values[i - 1])) {
      throw InvalidArgument(fmt::format("{}: expected rising values, found {} after {}", name,
                                        values[i], values[i - 1]));
    }
  }
}

void check_cumulative(const std::string& name, const Matrix& p, std::size_t n, std::size_t m) {
  if (p.rows() != static_cast<Index>(n) || p.cols() != static_cast<Index>(m)) {
    throw InvalidArgument(
        fmt::format("{}: expected {} x {} probabilities, a row a conductance and a column a step, "
                    "found {} x {}",
                    name, n, m, p.rows(), p.cols()));
  }
  for (Index i = 0; i < p.rows(); ++i) {
    for (Index j = 0; j < p.cols(); ++j) {
      if (!(p(i, j) >= 0 && p(i, j) <= 1) || (j > 0 && !(p(i, j) >= p(i, j - 1)))) {
        throw InvalidArgument(
            fmt::format("{}: expected probabilities of 0 to 1 that do not fall along a row, found "
                        "{} in row {}, column {}",
                        name, p(i, j), i, j));
      }
    }
  }
}

}  // namespace

StepTable::StepTable(const PulseCurves& curves, const std::string& direction, double sign,
                     const ConductanceRange& range) {
  const std::string conductance_name = direction + "_conductance_siemens";
  const std::string step_name = direction + "_step_siemens";
  const std::string cumulative_name = direction + "_cumulative";
  const std::span<const double> siemens = list(curves, conductance_name);
  const std::span<const double> steps = list(curves, step_name);
  const Matrix& p = curves.at(cumulative_name);
  check_conductances(conductance_name, siemens, range);
  check_rising(step_name, steps);
  const std::size_t n = siemens.size();
  const std::size_t m = steps.size();
  check_cumulative(cumulative_name, p, n, m);
  // Steps down are changes with the other sign: the list and every row the other way round.
  const bool down = sign < 0;
  for (std::size_t j = 0; j < m; ++j) {
    values_.push_back(sign * steps[down ? m - 1 - j : j] / range.width());
  }
  for (Index i = 0; i < p.rows(); ++i) {
    for (Index j = 0; j < p.cols(); ++j) {
      cumulative_.push_back(down ? 1 - p(i, p.cols() - 1 - j) : p(i, j));
    }
  }
  for (std::size_t i = 0; i < n; ++i) find_moments(i);
  fast_values_.assign(values_.begin(), values_.end());
  fast_cumulative_.assign(cumulative_.begin(), cumulative_.end());
  fast_means_.assign(means_.begin(), means_.end());
  fast_deviations_.assign(deviations_.begin(), deviations_.end());
}

void StepTable::find_moments(std::size_t row) {
  const std::size_t m = values_.size();
  const double* p = cumulative_.data() + row * m;
  double mean = p[0] * values_[0] + (1 - p[m - 1]) * values_[m - 1];
  for (std::size_t j = 1; j < m; ++j) {
    mean += (p[j] - p[j - 1]) * (values_[j - 1] + values_[j]) / 2;
  }
  const auto square = [mean](double value) { return (value - mean) * (value - mean); };
  double variance = p[0] * square(values_[0]) + (1 - p[m - 1]) * square(values_[m - 1]);
  for (std::size_t j = 1; j < m; ++j) {
    // Of a uniform piece.
    const double a = values_[j - 1] - mean;
    const double b = values_[j] - mean;
    variance += (p[j] - p[j - 1]) * (a * a + a * b + b * b) / 3;
  }
  means_.push_back(mean);
  deviations_.push_back(std::sqrt(variance));
}

double StepTable::between(const std::vector<double>& values, double x) {
  const double t = std::clamp(x, 0.0, 1.0) * static_cast<double>(values.size() - 1);
  const std::size_t i = std::min(static_cast<std::size_t>(t), values.size() - 2);
  const double along = t - static_cast<double>(i);
  return values[i] * (1 - along) + values[i + 1] * along;
}

void StepTable::means(std::span<const float> x, std::span<float> step) const {
  XBAR_DISPATCH(xbar::device, even_piecewise_steps)
  (static_cast<long>(x.size()), static_cast<long>(fast_means_.size()), fast_means_.data(), x.data(),
   step.data());
}

void StepTable::deviations(std::span<const float> x, std::span<float> deviation) const {
  XBAR_DISPATCH(xbar::device, even_piecewise_steps)
  (static_cast<long>(x.size()), static_cast<long>(fast_deviations_.size()), fast_deviations_.data(),
   x.data(), deviation.data());
}

void StepTable::draw(std::span<const float> x, std::span<const float> uniform,
                     std::span<float> step) const {
  XBAR_DISPATCH(xbar::device, quantile_steps)
  (static_cast<long>(x.size()), static_cast<long>(fast_means_.size()),
   static_cast<long>(fast_values_.size()), fast_values_.data(), fast_cumulative_.data(), x.data(),
   uniform.data(), step.data());
}

}  // namespace xbar::device
