#include "fit_results.hpp"

#include <cmath>
#include <iterator>

#include <fmt/format.h>

namespace xbar::cli {

Json estimate_json(const fit::Estimate& e) {
  return {{"name", e.name}, {"unit", e.unit}, {"value", e.value}, {"low", e.low}, {"high", e.high}};
}

Json estimates_json(const std::vector<fit::Estimate>& estimates) {
  Json list = Json::array();
  for (const fit::Estimate& e : estimates) list.push_back(estimate_json(e));
  return list;
}

std::string estimate_text(const fit::Estimate& e) {
  if (std::isnan(e.low)) return fmt::format("{} {:.5g}", e.name, e.value);
  return fmt::format("{} {:.5g} ({:.5g} to {:.5g})", e.name, e.value, e.low, e.high);
}

std::string residuals_csv(const fit::PulseFit& found) {
  // Numbers alone: the curves are counted, run.json has their names.
  std::string text = "curve,pulse,direction,measured_siemens,curve_siemens,predicted_siemens\n";
  auto out = std::back_inserter(text);
  for (std::size_t c = 0; c < found.curves.size(); ++c) {
    const fit::CurveResidual& curve = found.curves[c];
    for (std::size_t k = 0; k < curve.measured.size(); ++k) {
      if (std::isnan(curve.measured[k])) continue;
      fmt::format_to(out, "{},{},{},{:.9g},{:.9g},{:.9g}\n", c + 1, k + 1, curve.up[k] ? 1 : -1,
                     curve.measured[k], curve.curve[k], curve.predicted[k]);
    }
  }
  return text;
}

std::string sweep_csv(const fit::IvData& data, const fit::IvFit& found) {
  std::string text = "branch,point,voltage_volt,measured_ampere,model_ampere\n";
  auto out = std::back_inserter(text);
  const fit::IvModelFit& best = found.models[found.best];
  for (std::size_t b = 0; b < best.branches.size(); ++b) {
    for (std::size_t k = best.branches[b].begin; k < best.branches[b].end; ++k) {
      fmt::format_to(out, "{},{},{:.9g},{:.9g},{:.9g}\n", b + 1, k + 1, data.volt[k],
                     data.ampere[k], best.ampere[k]);
    }
  }
  return text;
}

// Every branch has one: its name tells which.
std::vector<fit::Estimate> named_conductances(const fit::IvData& data, const fit::IvModelFit& m) {
  std::vector<fit::Estimate> conductances;
  for (const fit::IvBranch& branch : m.branches) {
    conductances.push_back(branch.conductance);
    conductances.back().name +=
        fmt::format(", {:.4g} to {:.4g} V", data.volt[branch.begin], data.volt[branch.end - 1]);
  }
  return conductances;
}

Json sweep_results(const fit::IvData& data, const fit::IvFit& found) {
  Json models = Json::array();
  for (const fit::IvModelFit& m : found.models) {
    models.push_back({{"name", m.name},
                      {"parameters", estimates_json(m.parameters)},
                      {"conductances", estimates_json(named_conductances(data, m))},
                      {"rms", m.rms},
                      {"validated_rms", m.validated_rms},
                      {"excess", m.excess},
                      {"excess_error", m.excess_error}});
  }
  return {{"kind", "iv"},
          {"best", found.models[found.best].name},
          {"models", models},
          {"residuals", "residuals.csv"}};
}

std::string sweep_text(const fit::IvData& data, const fit::IvFit& found) {
  std::string text = fmt::format("{:<18} {:>10} {:>10}   % of the largest current\n", "model",
                                 "held out", "branches");
  constexpr double percent = 100;
  for (std::size_t k = 0; k < found.models.size(); ++k) {
    const fit::IvModelFit& m = found.models[k];
    text += fmt::format("{:<18} {:>10.3g} {:>10.3g}{}\n", m.name, percent * m.validated_rms,
                        percent * m.rms, k == found.best ? "   chosen" : "");
  }
  const fit::IvModelFit& best = found.models[found.best];
  std::string next = fmt::format("next: xbar solve --cell {}", best.name);
  for (const fit::Estimate& e : best.parameters) {
    text += estimate_text(e) + '\n';
    next += fmt::format(" --cell-parameter {}={:.6g}", e.name, e.value);
  }
  for (const fit::Estimate& e : named_conductances(data, best)) text += estimate_text(e) + '\n';
  return text + next + " ...\n";
}

Json pulse_results(const fit::PulseFit& found) {
  Json models = Json::array();
  for (const fit::ModelFit& m : found.models) {
    models.push_back({{"name", m.name},
                      {"parameters", estimates_json(m.parameters)},
                      {"g_min", estimate_json(m.g_min)},
                      {"g_max", estimate_json(m.g_max)},
                      {"gain", m.gain},
                      {"curve_rms", m.curve_rms},
                      {"step_rms", m.step_rms},
                      {"validated_rms", m.validated_rms},
                      {"excess", m.excess},
                      {"excess_error", m.excess_error},
                      {"converged", m.converged}});
  }
  Json curves = Json::array();
  for (const fit::CurveResidual& curve : found.curves) {
    curves.push_back({{"device", curve.device}, {"cycle", curve.cycle}});
  }
  const fit::FittedNoise& n = found.noise;
  return {{"kind", "pulses"},
          {"best", found.models[found.best].name},
          {"models", models},
          {"readings", found.readings},
          {"low_siemens", found.low_siemens},
          {"high_siemens", found.high_siemens},
          {"held_out", found.held_out_curves ? "curves" : "blocks of pulses"},
          {"pulse_noise",
           {{"step", n.pulse.step},
            {"range", n.pulse.range},
            {"write", n.pulse.write},
            {"step_likelihood", n.step_likelihood}}},
          {"spread",
           {{"devices", n.devices},
            {"step", n.spread.step},
            {"up_down", n.spread.up_down},
            {"lower", n.spread.lower},
            {"upper", n.spread.upper}}},
          {"curves", curves},
          {"residuals", "residuals.csv"},
          {"device", "device.toml"}};
}

std::string pulse_text(const fit::PulseFit& found) {
  std::string text =
      fmt::format("{} readings, {} curves; held out: {}\n", found.readings, found.curves.size(),
                  found.held_out_curves ? "curves" : "blocks of pulses");
  text += fmt::format("{:<12} {:>10} {:>10} {:>10}   % of the range\n", "model", "held out",
                      "curve", "step");
  constexpr double percent = 100;
  for (std::size_t k = 0; k < found.models.size(); ++k) {
    const fit::ModelFit& m = found.models[k];
    text += fmt::format("{:<12} {:>10.3g} {:>10.3g} {:>10.3g}{}\n", m.name,
                        percent * m.validated_rms, percent * m.curve_rms, percent * m.step_rms,
                        k == found.best ? "   chosen" : "");
  }
  const fit::ModelFit& best = found.models[found.best];
  for (const fit::Estimate& e : best.parameters) text += estimate_text(e) + '\n';
  text += estimate_text(best.g_min) + '\n' + estimate_text(best.g_max) + '\n';
  const fit::FittedNoise& n = found.noise;
  text += fmt::format(
      "pulse to pulse: {:.3g} of the step, {:.3g} of the range; reading {:.3g} of the range\n",
      n.pulse.step, n.pulse.range, n.pulse.write);
  if (n.devices > 2) {
    text += fmt::format(
        "device to device ({}): step {:.3g}, up against down {:.3g}, bounds {:.3g} and {:.3g}\n",
        n.devices, n.spread.step, n.spread.up_down, n.spread.lower, n.spread.upper);
  }
  return text;
}

}  // namespace xbar::cli
