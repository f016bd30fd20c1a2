#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/fit/amplitude_fit.hpp>

#include "amplitude_cost.hpp"
#include "held_out.hpp"
#include "sandwich.hpp"

namespace xbar::fit {
namespace {

/// The pulses of one device after the other, scaled.
struct Scaled {
  double low = 0;  ///< siemens that 0 and 1 stand for
  double high = 0;
  std::vector<ScaledPulse> pulses;
  std::vector<std::size_t> device;
  std::vector<int> counts;  ///< pulses of each device

  [[nodiscard]] double siemens(double share) const { return low + (high - low) * share; }
};

void check_data(const AmplitudeData& data, const AmplitudeFitOptions& options) {
  constexpr int most_folds = 20;
  if (options.folds < 2 || options.folds > most_folds) {
    throw InvalidArgument(
        fmt::format("folds: expected 2 to {}, found {}", most_folds, options.folds));
  }
  for (const auto& [name, volt] :
       {std::pair{"up_volt", options.up_volt}, {"down_volt", options.down_volt}}) {
    if (!(volt >= 0 && std::isfinite(volt))) {
      throw InvalidArgument(fmt::format("{}: expected a voltage > 0, found {}", name, volt));
    }
  }
  constexpr std::size_t fewest = 20;
  if (data.pulses.size() < fewest) {
    throw IoError(fmt::format("{}: expected at least {} pulses of more than 0 V, found {}",
                              data.name, fewest, data.pulses.size()));
  }
  for (const bool up : {true, false}) {
    const double largest = data.largest_volt(up);
    if (largest > 0 && std::none_of(data.pulses.begin(), data.pulses.end(), [&](const auto& p) {
          return p.up == up && p.volt < largest;
        })) {
      throw IoError(fmt::format("{}: expected {} pulses of more than one voltage, found {} V only",
                                data.name, up ? "up" : "down", largest));
    }
  }
}

Scaled scale(const AmplitudeData& data, double up_volt, double down_volt) {
  Scaled scaled;
  std::vector<AmplitudePulse> pulses = data.pulses;
  std::stable_sort(pulses.begin(), pulses.end(),
                   [](const auto& a, const auto& b) { return a.device < b.device; });
  scaled.low = scaled.high = pulses.front().before_siemens;
  for (const AmplitudePulse& p : pulses) {
    scaled.low = std::min({scaled.low, p.before_siemens, p.after_siemens});
    scaled.high = std::max({scaled.high, p.before_siemens, p.after_siemens});
  }
  if (!(scaled.high > scaled.low)) {
    throw IoError(fmt::format("{}: expected pulses that change the conductance, found {} S always",
                              data.name, scaled.low));
  }
  const double width = scaled.high - scaled.low;
  for (const AmplitudePulse& p : pulses) {
    if (scaled.device.empty() || scaled.device.back() != p.device) scaled.counts.push_back(0);
    ++scaled.counts.back();
    scaled.device.push_back(p.device);
    scaled.pulses.push_back({p.up, p.volt / (p.up ? up_volt : down_volt),
                             (p.before_siemens - scaled.low) / width,
                             (p.after_siemens - scaled.low) / width});
  }
  return scaled;
}

/// Which part of what is held out a pulse belongs to.
std::vector<std::size_t> make_parts(const Scaled& scaled, std::size_t folds, bool whole_devices) {
  std::vector<std::size_t> parts;
  std::size_t group = 0;
  for (std::size_t k = 0; k < scaled.device.size(); ++k) {
    if (k > 0 && scaled.device[k] != scaled.device[k - 1]) ++group;
    parts.push_back(whole_devices ? group : k % folds);
  }
  return parts;
}

HeldOut validate(LawKind kind, const Scaled& scaled, const std::vector<std::size_t>& parts,
                 std::size_t folds, const LawValues& from) {
  HeldOut held_out;
  const std::size_t count = *std::max_element(parts.begin(), parts.end()) + 1;
  held_out.square.assign(count, 0);
  held_out.count.assign(count, 0);
  for (std::size_t f = 0; f < folds; ++f) {
    std::vector<ScaledPulse> seen;
    for (std::size_t k = 0; k < parts.size(); ++k) {
      if (parts[k] % folds != f) seen.push_back(scaled.pulses[k]);
    }
    const LawSolution solution = solve_law(kind, seen, &from);
    for (std::size_t k = 0; k < parts.size(); ++k) {
      if (parts[k] % folds != f) continue;
      const ScaledPulse& pulse = scaled.pulses[k];
      const double error = pulse.after - predicted(kind, solution.values.value.data(), pulse);
      held_out.square[parts[k]] += error * error;
      ++held_out.count[parts[k]];
    }
  }
  return held_out;
}

Covariance errors_of(const LawSolution& solution, const std::vector<int>& counts) {
  if (counts.size() >= enough_groups) {
    return sandwich(solution.jacobian, grouped_meat(solution.jacobian, solution.residuals, counts),
                    static_cast<double>(counts.size()) - 1);
  }
  const Index values = (solution.jacobian.colwise().squaredNorm().array() > 0).count();
  return sandwich(solution.jacobian, independent_meat(solution.jacobian, solution.residuals),
                  static_cast<double>(solution.jacobian.rows() - values));
}

/// The law's values, and of each direction with pulses the bound and the step of a nominal pulse.
std::vector<Estimate> estimates(LawKind kind, const LawSolution& solution, const Scaled& scaled,
                                double up_volt, double down_volt) {
  const auto& value = solution.values.value;
  const Covariance errors = errors_of(solution, scaled.counts);
  const auto variance = [&](LawValues::At at) {
    return is_at_limit(at, value[at]) ? std::nan("") : errors.values(at, at);
  };
  std::vector<Estimate> result;
  if (kind != LawKind::none) {
    result.push_back(make_estimate("exponent", "", value[LawValues::exponent],
                                   variance(LawValues::exponent), errors.freedom));
  }
  if (kind == LawKind::threshold) {
    const double share = value[LawValues::threshold];
    result.push_back(
        make_estimate("threshold", "of V", share, variance(LawValues::threshold), errors.freedom));
    for (const auto& [name, volt] : {std::pair{"up", up_volt}, {"down", down_volt}}) {
      if (volt == 0) continue;
      result.push_back(make_estimate(fmt::format("{}_threshold_volt", name), "V", share * volt,
                                     volt * volt * variance(LawValues::threshold), errors.freedom));
    }
  }
  const double width = scaled.high - scaled.low;
  for (const bool up : {true, false}) {
    if ((up ? up_volt : down_volt) == 0) continue;
    const LawValues::At bound = up ? LawValues::up_bound : LawValues::down_bound;
    const LawValues::At rate = up ? LawValues::up_rate : LawValues::down_rate;
    // 1 - exp(-r) of ln r.
    const double left = std::exp(-std::exp(value[rate]));
    const double slope = left * std::exp(value[rate]);
    result.push_back(make_estimate(up ? "up_bound" : "down_bound", "S",
                                   scaled.siemens(value[bound]), width * width * variance(bound),
                                   errors.freedom));
    result.push_back(make_estimate(up ? "up_step" : "down_step", "of the way to the bound",
                                   1 - left, slope * slope * variance(rate), errors.freedom));
  }
  return result;
}

LawFit fit_law(LawKind kind, const std::string& name, const Scaled& scaled, double up_volt,
               double down_volt, LawSolution& solution) {
  solution = solve_law(kind, scaled.pulses, nullptr);
  LawFit fit;
  fit.name = name;
  const auto& value = solution.values.value;
  if (kind != LawKind::none) fit.law.exponent = value[LawValues::exponent];
  if (kind == LawKind::threshold) fit.law.threshold = value[LawValues::threshold];
  fit.parameters = estimates(kind, solution, scaled, up_volt, down_volt);
  fit.rms =
      std::sqrt(solution.residuals.squaredNorm() / static_cast<double>(solution.residuals.size()));
  return fit;
}

/// The law of each direction with values of its own.
void fit_alone(LawKind kind, const Scaled& scaled, AmplitudeFit& fit) {
  double squares = 0;
  for (const bool up : {true, false}) {
    Scaled part = scaled;
    part.pulses.clear();
    part.counts.clear();
    for (std::size_t k = 0; k < scaled.pulses.size(); ++k) {
      if (scaled.pulses[k].up != up) continue;
      if (part.counts.empty() || part.device.back() != scaled.device[k]) part.counts.push_back(0);
      ++part.counts.back();
      part.device.push_back(scaled.device[k]);
      part.pulses.push_back(scaled.pulses[k]);
    }
    const LawSolution solution = solve_law(kind, part.pulses, nullptr);
    (up ? fit.up_alone : fit.down_alone) =
        estimates(kind, solution, part, up ? fit.up_volt : 0, up ? 0 : fit.down_volt);
    squares += solution.residuals.squaredNorm();
  }
  fit.alone_rms = std::sqrt(squares / static_cast<double>(scaled.pulses.size()));
}

std::optional<AmplitudeCell> cell_of(const LawSolution& solution, const Scaled& scaled,
                                     double rms) {
  const auto& value = solution.values.value;
  AmplitudeCell cell;
  cell.g_min_siemens = scaled.siemens(value[LawValues::down_bound]);
  cell.g_max_siemens = scaled.siemens(value[LawValues::up_bound]);
  if (!(cell.g_min_siemens > 0 && cell.g_max_siemens > cell.g_min_siemens)) return std::nullopt;
  cell.up_step = 1 - std::exp(-std::exp(value[LawValues::up_rate]));
  cell.down_step = 1 - std::exp(-std::exp(value[LawValues::down_rate]));
  cell.noise = rms * (scaled.high - scaled.low) / (cell.g_max_siemens - cell.g_min_siemens);
  return cell;
}

std::vector<AmplitudeLevel> make_levels(const LawSolution& solution, const Scaled& scaled,
                                        double up_volt, double down_volt) {
  std::map<std::pair<bool, double>, AmplitudeLevel> levels;
  const double width = scaled.high - scaled.low;
  for (std::size_t k = 0; k < scaled.pulses.size(); ++k) {
    const ScaledPulse& p = scaled.pulses[k];
    AmplitudeLevel& level = levels[{!p.up, p.share}];
    const double residual = solution.residuals(static_cast<Index>(k));
    level.up = p.up;
    level.volt = p.share * (p.up ? up_volt : down_volt);
    ++level.pulses;
    level.change_siemens += width * (p.after - p.before);
    level.model_siemens += width * (p.after - residual - p.before);
    level.residual_siemens += width * width * residual * residual;
  }
  std::vector<AmplitudeLevel> result;
  for (auto& [key, level] : levels) {
    const auto count = static_cast<double>(level.pulses);
    level.change_siemens /= count;
    level.model_siemens /= count;
    level.residual_siemens = std::sqrt(level.residual_siemens / count);
    result.push_back(level);
  }
  return result;
}

}  // namespace

AmplitudeFit fit_amplitudes(const AmplitudeData& data, const AmplitudeFitOptions& options) {
  check_data(data, options);
  AmplitudeFit fit;
  const auto nominal = [&](bool up, double given) {
    const double largest = data.largest_volt(up);
    return largest == 0 || given == 0 ? largest : given;
  };
  fit.up_volt = nominal(true, options.up_volt);
  fit.down_volt = nominal(false, options.down_volt);
  const Scaled scaled = scale(data, fit.up_volt, fit.down_volt);
  fit.low_siemens = scaled.low;
  fit.high_siemens = scaled.high;
  fit.pulses = scaled.pulses.size();
  fit.devices = scaled.counts.size();
  const auto folds = static_cast<std::size_t>(options.folds);
  fit.held_out_devices = scaled.counts.size() >= folds;
  const auto parts = make_parts(scaled, folds, fit.held_out_devices);
  const std::vector<std::pair<LawKind, std::string>> kinds = {
      {LawKind::none, "none"}, {LawKind::power, "power"}, {LawKind::threshold, "threshold"}};
  std::vector<LawSolution> solutions(kinds.size());
  std::vector<HeldOut> held_out;
  for (std::size_t k = 0; k < kinds.size(); ++k) {
    const auto& [kind, name] = kinds[k];
    fit.laws.push_back(fit_law(kind, name, scaled, fit.up_volt, fit.down_volt, solutions[k]));
    held_out.push_back(validate(kind, scaled, parts, folds, solutions[k].values));
    fit.laws.back().validated_rms = std::sqrt(held_out.back().mean_square());
  }
  const Choice choice = choose(held_out);
  fit.best = choice.best;
  for (std::size_t k = 0; k < fit.laws.size(); ++k) {
    fit.laws[k].excess = choice.excess[k].mean;
    fit.laws[k].excess_error = choice.excess[k].error;
  }
  const LawSolution& best = solutions[fit.best];
  if (fit.up_volt > 0 && fit.down_volt > 0) {
    fit_alone(kinds[fit.best].first, scaled, fit);
    fit.cell = cell_of(best, scaled, fit.laws[fit.best].rms);
  }
  fit.levels = make_levels(best, scaled, fit.up_volt, fit.down_volt);
  return fit;
}

}  // namespace xbar::fit
