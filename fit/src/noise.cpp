#include "noise.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>

#include <xbar/core/error.hpp>

namespace xbar::fit {
namespace {

constexpr std::size_t fewest_devices = 3;

/// sigma of the true values under estimates that have errors of their own.
double spread_of(const std::vector<double>& values, const std::vector<double>& errors) {
  if (values.size() < fewest_devices) return 0;
  const auto count = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  double variance = 0;
  double own = 0;
  for (std::size_t k = 0; k < values.size(); ++k) {
    variance += (values[k] - mean) * (values[k] - mean) / (count - 1);
    own += errors[k] * errors[k] / count;
  }
  return std::sqrt(std::max(0.0, variance - own));
}

}  // namespace

FittedNoise pulse_noise(const Shape& shape, const std::vector<Response>& responses,
                        const CurveFit& fit, double gain) {
  const auto model = shape.make(std::span(fit.values).first(shape.free.size()));
  const double width = fit.cell.upper - fit.cell.lower;
  std::vector<double> square;
  std::vector<double> step_square;
  for (std::size_t c = 0; c < responses.size(); ++c) {
    for (const Innovation& now : innovations(*model, fit.cell, gain, fit.starts[c], responses[c])) {
      // The first reading follows from no pulse.
      if (std::isnan(now.residual) || now.step == 0) continue;
      square.push_back(now.residual * now.residual);
      step_square.push_back(now.step * now.step * width * width);
    }
  }
  FittedNoise noise;
  if (square.empty()) return noise;
  const auto count = static_cast<double>(square.size());
  const double variance = std::accumulate(square.begin(), square.end(), 0.0) / count;
  const double step = std::accumulate(step_square.begin(), step_square.end(), 0.0) / count;
  for (std::size_t k = 0; k < square.size(); ++k) {
    // Where K is 1 a step of no size would have no innovation at all.
    constexpr double least = 1e-6;
    const double share = std::max(least, 1 - gain + gain * step_square[k] / step);
    noise.step_likelihood -=
        0.5 * (std::log(share) + square[k] / (variance * share) - square[k] / variance);
  }
  noise.pulse.write = std::sqrt((1 - gain) * variance) / width;
  const double walk = gain * std::sqrt(variance);
  if (noise.step_likelihood > 0) {
    noise.pulse.step = walk / std::sqrt(step);
  } else {
    noise.pulse.range = walk / width;
  }
  return noise;
}

void add_spread(const Shape& shape, const std::vector<Response>& responses,
                const std::vector<std::string>& devices, const CurveFitOptions& options,
                const CurveFit& fit, FittedNoise& noise) {
  std::map<std::string, std::vector<Response>> each;
  for (std::size_t c = 0; c < responses.size(); ++c) each[devices[c]].push_back(responses[c]);
  noise.devices = static_cast<int>(each.size());
  if (each.size() < fewest_devices) return;
  const auto model = shape.make(std::span(fit.values).first(shape.free.size()));
  Shape cell;
  cell.name = shape.name;
  cell.free = {{"step", "", 0.01, 100}, {"up_down", "", -0.95, 0.95}};
  cell.fits_range = shape.fits_range && !options.fix_range;
  cell.is_cell = true;
  cell.fixed = model;
  CurveFitOptions own = options;
  own.cell = fit.cell;
  CurveFit nominal;
  nominal.values = {1, 0};
  if (cell.fits_range) {
    nominal.values.insert(nominal.values.end(), {fit.cell.lower, fit.cell.upper});
  }
  if (own.to_steps) nominal.values.push_back(fit.gain);
  std::array<std::vector<double>, 4> values;
  std::array<std::vector<double>, 4> errors;
  for (const auto& [name, curves] : each) {
    const CurveFit found = fit_curves(cell, curves, own, &nominal);
    const Matrix variance = covariance(cell, curves, own, found, noise.pulse).values;
    const std::size_t size = cell.fits_range ? 4 : 2;
    for (std::size_t k = 0; k < size; ++k) {
      const auto at = static_cast<Index>(k);
      if (!(variance(at, at) >= 0)) continue;
      values[k].push_back(found.values[k]);
      errors[k].push_back(std::sqrt(variance(at, at)));
    }
  }
  const double width = fit.cell.upper - fit.cell.lower;
  noise.spread.step = spread_of(values[0], errors[0]);
  noise.spread.up_down = spread_of(values[1], errors[1]);
  noise.spread.lower = spread_of(values[2], errors[2]) / width;
  noise.spread.upper = spread_of(values[3], errors[3]) / width;
}

}  // namespace xbar::fit
