#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/fit/pulse_fit.hpp>

#include "cross_validation.hpp"
#include "noise.hpp"

namespace xbar::fit {
namespace {

// g_min of a device is above 0: at least this share of its largest conductance.
constexpr double least_share = 1e-6;

/// The readings in the units of the fit.
struct Readings {
  std::vector<Response> responses;
  std::vector<std::string> devices;
  double low = INFINITY;  ///< siemens
  double high = -INFINITY;

  explicit Readings(const PulseData& data) {
    for (const PulseCurve& curve : data.curves) {
      for (const double g : curve.siemens) {
        if (std::isnan(g)) continue;
        low = std::min(low, g);
        high = std::max(high, g);
      }
    }
    for (const PulseCurve& curve : data.curves) {
      Response response{curve.up, curve.siemens, std::vector<bool>(curve.siemens.size(), false)};
      for (double& g : response.y) g = in_range(g);
      responses.push_back(std::move(response));
      devices.push_back(curve.device);
    }
  }

  [[nodiscard]] double in_range(double siemens) const { return (siemens - low) / (high - low); }
  [[nodiscard]] double siemens(double y) const { return low + y * (high - low); }
};

Facts facts_of(const Readings& readings, bool range_given) {
  double change[2] = {0, 0};
  double pulses[2] = {0, 0};
  int longest[2] = {1, 1};
  for (const Response& response : readings.responses) {
    double last = std::nan("");
    int since = 0;
    int run = 0;
    for (std::size_t k = 0; k < response.y.size(); ++k) {
      const int up = response.up[k] ? 1 : 0;
      run = k > 0 && response.up[k] == response.up[k - 1] ? run + 1 : 1;
      longest[up] = std::max(longest[up], run);
      ++since;
      if (std::isnan(response.y[k])) continue;
      if (!std::isnan(last)) {
        change[up] += response.y[k] - last;
        pulses[up] += since;
      }
      last = response.y[k];
      since = 0;
    }
  }
  const auto step = [](double sum, double count) {
    constexpr double least = 1e-5;
    return std::clamp(count > 0 ? sum / count : least, least, 0.5);
  };
  return {step(change[1], pulses[1]), step(-change[0], pulses[0]), longest[1], longest[0],
          range_given};
}

/// Everything that is known of a shape's fit to all readings.
struct Candidate {
  Shape shape;
  CurveFitOptions options;
  CurveFit fit;
  double gain = 0;  ///< with which the readings say where the state is
  HeldOut held_out;
  FittedNoise noise;
};

Candidate fit_shape(const Shape& shape, const Readings& readings, const Folds& folds,
                    const CurveFitOptions& options, const std::function<void()>& advance) {
  Candidate result{shape, options, {}, 0, {}, {}};
  result.fit = fit_curves(shape, readings.responses, options);
  result.gain =
      options.to_steps ? result.fit.gain : best_gain(shape, readings.responses, result.fit);
  advance();
  result.held_out =
      validate(shape, readings.responses, folds, options, result.fit, result.gain, advance);
  result.noise = pulse_noise(shape, readings.responses, result.fit, result.gain);
  return result;
}

double root_mean_square(const std::vector<Response>& responses, const Candidate& candidate,
                        double gain) {
  const auto model =
      candidate.shape.make(std::span(candidate.fit.values).first(candidate.shape.free.size()));
  double square = 0;
  double count = 0;
  for (std::size_t c = 0; c < responses.size(); ++c) {
    for (const Innovation& now :
         innovations(*model, candidate.fit.cell, gain, candidate.fit.starts[c], responses[c])) {
      if (std::isnan(now.residual)) continue;
      square += now.residual * now.residual;
      count += 1;
    }
  }
  return std::sqrt(square / count);
}

ModelFit describe(const Readings& readings, const Candidate& candidate) {
  const CurveFit& fit = candidate.fit;
  const Covariance errors = covariance(candidate.shape, readings.responses, candidate.options, fit,
                                       candidate.noise.pulse);
  const auto value = [&](std::size_t k, const std::string& name, const std::string& unit) {
    const auto at = static_cast<Index>(k);
    return make_estimate(name, unit, fit.values[k], errors.values(at, at), errors.freedom);
  };
  ModelFit result;
  result.name = candidate.shape.name;
  const std::size_t free = candidate.shape.free.size();
  for (std::size_t k = 0; k < free; ++k) {
    result.parameters.push_back(
        value(k, candidate.shape.free[k].name, candidate.shape.free[k].unit));
  }
  const auto bound = [&](const std::string& name, std::size_t k, double y) {
    const double g = readings.siemens(y);
    if (!candidate.shape.fits_range || candidate.options.fix_range) {
      return Estimate{name, "S", g, std::nan(""), std::nan("")};
    }
    const Estimate e = value(k, name, "S");
    return Estimate{name, "S", g, readings.siemens(e.low), readings.siemens(e.high)};
  };
  result.g_min = bound("g_min_siemens", free, fit.cell.lower);
  result.g_max = bound("g_max_siemens", free + 1, fit.cell.upper);
  result.gain = candidate.gain;
  result.curve_rms = root_mean_square(readings.responses, candidate, 0);
  result.step_rms = root_mean_square(readings.responses, candidate, candidate.gain);
  result.validated_rms = std::sqrt(candidate.held_out.mean_square());
  result.converged = fit.converged;
  return result;
}

device::PulseDevice make_device(const PulseData& data, const ModelFit& model,
                                const FittedNoise& noise, const Candidate& candidate) {
  device::PulseDevice device;
  device.name = "fitted";
  device.description = fmt::format("{} steps fitted to {} readings", model.name, data.readings());
  device.source = data.name;
  device.g_max_siemens = model.g_max.value;
  device.g_min_siemens = std::max(least_share * device.g_max_siemens, model.g_min.value);
  device.model =
      candidate.shape.make(std::span(candidate.fit.values).first(candidate.shape.free.size()));
  const ShapeValues all =
      candidate.shape.setting(std::span(candidate.fit.values).first(candidate.shape.free.size()));
  device.parameters = all.parameters;
  device.curves = all.curves;
  device.one_way = !data.has(false);
  device.spread = noise.spread;
  device.noise = noise.pulse;
  device.up = {data.up_volt, data.up_second};
  device.down = {data.down_volt, data.down_second};
  device::check_pulse_device(device);
  return device;
}

std::vector<CurveResidual> residuals(const PulseData& data, const Readings& readings,
                                     const Candidate& candidate) {
  const auto model =
      candidate.shape.make(std::span(candidate.fit.values).first(candidate.shape.free.size()));
  std::vector<CurveResidual> all;
  for (std::size_t c = 0; c < data.curves.size(); ++c) {
    const PulseCurve& curve = data.curves[c];
    CurveResidual one{curve.device, curve.cycle, curve.up, curve.siemens, {}, {}};
    const auto predict = [&](double gain, std::vector<double>& into) {
      for (const Innovation& now : innovations(*model, candidate.fit.cell, gain,
                                               candidate.fit.starts[c], readings.responses[c])) {
        into.push_back(readings.siemens(now.predicted));
      }
    };
    predict(0, one.curve);
    predict(candidate.gain, one.predicted);
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace

void check_pulse_fit_options(const PulseFitOptions& options) {
  constexpr int most_folds = 20;
  if (options.folds < 2 || options.folds > most_folds) {
    throw InvalidArgument(
        fmt::format("folds: expected 2 to {}, found {}", most_folds, options.folds));
  }
  const auto& low = options.g_min_siemens;
  const auto& high = options.g_max_siemens;
  if (low.has_value() != high.has_value()) {
    throw InvalidArgument("g_min_siemens, g_max_siemens: expected both or none, found one");
  }
  if (low && (!(*low >= 0) || !(*high > *low) || !std::isfinite(*high))) {
    throw InvalidArgument(fmt::format(
        "g_min_siemens, g_max_siemens: expected 0 <= g_min < g_max, found {} and {}", *low, *high));
  }
}

PulseFit fit_pulses(const PulseData& data, const PulseFitOptions& options) {
  check_pulse_fit_options(options);
  if (!data.has(true)) {
    throw InvalidArgument(fmt::format(
        "{}: expected pulses upwards, found none: a device needs them; give the file of the other "
        "direction too",
        data.name));
  }
  const Readings readings(data);
  CurveFitOptions base;
  base.to_steps = options.to_steps;
  base.lowest_bound = std::max(base.lowest_bound, readings.in_range(least_share * readings.high));
  if (options.g_min_siemens) {
    base.fix_range = true;
    base.cell.lower = readings.in_range(*options.g_min_siemens);
    base.cell.upper = readings.in_range(*options.g_max_siemens);
  }
  const Folds folds = make_folds(readings.responses, readings.devices, options.folds, options.seed);
  const std::vector<Shape> shapes = make_shapes(options.models, facts_of(readings, base.fix_range));
  const double total = static_cast<double>(shapes.size()) * (options.folds + 1);
  double done = 0;
  std::vector<Candidate> candidates;
  PulseFit result;
  for (const Shape& shape : shapes) {
    candidates.push_back(fit_shape(shape, readings, folds, base, [&] {
      if (options.progress) options.progress({"fit", ++done, total, shape.name});
    }));
    result.models.push_back(describe(readings, candidates.back()));
  }
  std::vector<HeldOut> held_out;
  for (const Candidate& candidate : candidates) held_out.push_back(candidate.held_out);
  const Choice choice = choose(held_out);
  result.best = choice.best;
  for (std::size_t k = 0; k < result.models.size(); ++k) {
    result.models[k].excess = choice.excess[k].mean;
    result.models[k].excess_error = choice.excess[k].error;
  }
  const Candidate& best = candidates[result.best];
  result.noise = best.noise;
  add_spread(best.shape, readings.responses, readings.devices, best.options, best.fit,
             result.noise);
  if (const double scatter = std::max(result.noise.pulse.write, result.noise.pulse.range);
      scatter > 1) {
    throw InvalidArgument(fmt::format(
        "{}: expected readings that follow a model, found that they scatter about the best one, "
        "{}, by {:.3g} times its range: check the format, and which readings are of one ramp",
        data.name, result.models[result.best].name, scatter));
  }
  result.device = make_device(data, result.models[result.best], result.noise, best);
  result.curves = residuals(data, readings, best);
  result.low_siemens = readings.low;
  result.high_siemens = readings.high;
  result.readings = data.readings();
  result.held_out_curves = folds.whole_curves;
  return result;
}

}  // namespace xbar::fit
