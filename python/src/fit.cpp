#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nanobind/nanobind.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <xbar/core/error.hpp>
#include <xbar/fit/iv_fit.hpp>
#include <xbar/fit/pulse_fit.hpp>
#include <xbar/fit/retention_fit.hpp>

#include "arrays.hpp"
#include "bindings.hpp"
#include "calls.hpp"

namespace xbar::python {

using namespace nb::literals;

namespace {

using fit::Estimate;

std::vector<double> to_list(const ArrayLike& from, const char* name) {
  const Input<double> values(from, name, 1, 1);
  return {values.values().begin(), values.values().end()};
}

fit::PulseFitOptions pulse_options(const std::vector<std::string>& models, int folds,
                                   const std::string& fit_to, std::optional<double> g_min,
                                   std::optional<double> g_max, std::uint64_t seed,
                                   const ProgressArgument& progress) {
  if (fit_to != "curve" && fit_to != "steps") {
    throw InvalidArgument("fit_to: expected curve or steps, got '" + fit_to + "'");
  }
  fit::PulseFitOptions options;
  options.models = models;
  options.folds = folds;
  options.to_steps = fit_to == "steps";
  options.seed = seed;
  options.g_min_siemens = g_min;
  options.g_max_siemens = g_max;
  options.progress = progress_callback(progress);
  return options;
}

fit::PulseFit fit_pulses(const std::vector<ArrayLike>& siemens, const std::vector<ArrayLike>& up,
                         const std::vector<std::string>& models, int folds,
                         const std::string& fit_to, std::optional<double> g_min,
                         std::optional<double> g_max, std::uint64_t seed,
                         const ProgressArgument& progress) {
  if (siemens.empty() || siemens.size() != up.size()) {
    throw InvalidArgument("up: expected one array for each of siemens, " +
                          std::to_string(siemens.size()) + ", got " + std::to_string(up.size()));
  }
  fit::PulseData data;
  data.name = "siemens";
  for (std::size_t k = 0; k < siemens.size(); ++k) {
    fit::PulseCurve curve;
    curve.device = std::to_string(k);
    curve.cycle = "0";
    curve.siemens = to_list(siemens[k], "siemens");
    for (const double value : to_list(up[k], "up")) curve.up.push_back(value != 0);
    if (curve.up.size() != curve.siemens.size()) {
      throw InvalidArgument("up: expected a direction for each of " +
                            std::to_string(curve.siemens.size()) + " readings, got " +
                            std::to_string(curve.up.size()));
    }
    data.curves.push_back(std::move(curve));
  }
  const fit::PulseFitOptions options =
      pulse_options(models, folds, fit_to, g_min, g_max, seed, progress);
  return interruptible([&] { return fit::fit_pulses(data, options); });
}

fit::PulseFit fit_pulse_files(const std::vector<std::string>& files, const std::string& format,
                              const std::vector<std::string>& direction, double read_volt,
                              double low_siemens, double high_siemens,
                              const std::vector<std::string>& models, int folds,
                              const std::string& fit_to, std::optional<double> g_min,
                              std::optional<double> g_max, std::uint64_t seed,
                              const ProgressArgument& progress) {
  fit::PulseLayoutOptions layout;
  layout.layout = fit::parse_pulse_layout(format);
  layout.read_volt = read_volt;
  layout.low_siemens = low_siemens;
  layout.high_siemens = high_siemens;
  const bool ramps = layout.layout == fit::PulseLayout::ramps;
  if (direction.size() != (ramps ? files.size() : 0)) {
    throw InvalidArgument("direction: expected up or down for each file of format ramps, got " +
                          std::to_string(direction.size()));
  }
  std::vector<fit::PulseData> parts;
  for (std::size_t k = 0; k < files.size(); ++k) {
    if (ramps) layout.up = direction[k] == "up";
    if (ramps && direction[k] != "up" && direction[k] != "down") {
      throw InvalidArgument("direction: expected up or down, got '" + direction[k] + "'");
    }
    parts.push_back(fit::read_pulse_data(files[k], layout));
  }
  const fit::PulseFitOptions options =
      pulse_options(models, folds, fit_to, g_min, g_max, seed, progress);
  const fit::PulseData data = fit::join(std::move(parts));
  return interruptible([&] { return fit::fit_pulses(data, options); });
}

}  // namespace

void bind_fit(nb::module_& m) {
  nb::class_<Estimate>(m, "Estimate", "A number and its interval of 95 % confidence.")
      .def_ro("name", &Estimate::name, "what it is")
      .def_ro("unit", &Estimate::unit, "empty: a pure number")
      .def_ro("value", &Estimate::value, "the estimate")
      .def_ro("low", &Estimate::low, "NaN: at a bound, or not determined by the data")
      .def_ro("high", &Estimate::high, "likewise");

  nb::class_<fit::ModelFit>(
      m, "PulseModelFit", "One pulse model against the readings; errors are shares of their range.")
      .def_ro("name", &fit::ModelFit::name, "of the model")
      .def_ro("parameters", &fit::ModelFit::parameters, "the estimated ones")
      .def_ro("g_min", &fit::ModelFit::g_min, "siemens")
      .def_ro("g_max", &fit::ModelFit::g_max, "siemens")
      .def_ro("curve_rms", &fit::ModelFit::curve_rms, "readings less the model's own curve")
      .def_ro("validated_rms", &fit::ModelFit::validated_rms, "the same for held-out readings")
      .def_ro("converged", &fit::ModelFit::converged, "whether the fit came to an end");

  nb::class_<fit::PulseFit>(m, "PulseFit", "What fit_pulses() found.")
      .def_ro("models", &fit::PulseFit::models, "simplest first")
      .def_ro("best", &fit::PulseFit::best,
              "place of the simplest model within one standard error of the lowest error")
      .def_ro("device", &fit::PulseFit::device, "with the best model, its noise and spread")
      .def_ro("readings", &fit::PulseFit::readings, "their number");

  m.def("fit_pulses", &fit_pulses, "siemens"_a, "up"_a, nb::kw_only(),
        "model"_a = std::vector<std::string>{}, "folds"_a = 5, "fit_to"_a = "curve",
        "g_min_siemens"_a = nb::none(), "g_max_siemens"_a = nb::none(), "seed"_a = 1,
        "progress"_a = nb::none(),
        R"(From conductances after each pulse to a device: least squares, models compared by
cross-validation, noise and spread from what the best one leaves (docs/fitting.md).

siemens   one array a device: G after each of its pulses, NaN where not read
up        one array a device: whether each pulse is an up pulse
model     names to compare; default: all
fit_to    curve, or steps for very noisy pulses
g_min_siemens, g_max_siemens   bounds of the range; default: fitted
Raises InvalidArgument, NumericalError.)");

  m.def("fit_pulse_files", &fit_pulse_files, "files"_a, nb::kw_only(), "format"_a = "long",
        "direction"_a = std::vector<std::string>{}, "read_volt"_a = 0.0, "low_siemens"_a = 0.0,
        "high_siemens"_a = 0.0, "model"_a = std::vector<std::string>{}, "folds"_a = 5,
        "fit_to"_a = "curve", "g_min_siemens"_a = nb::none(), "g_max_siemens"_a = nb::none(),
        "seed"_a = 1, "progress"_a = nb::none(),
        "The same from .csv files, as `xbar fit --pulses`. Raises IoError as well.");

  nb::class_<fit::IvBranch>(m, "IvBranch",
                            "A part of a sweep along which the cell keeps its state.")
      .def_ro("begin", &fit::IvBranch::begin, "first point")
      .def_ro("end", &fit::IvBranch::end, "one past the last point")
      .def_ro("conductance", &fit::IvBranch::conductance, "G, siemens");
  nb::class_<fit::IvModelFit>(m, "IvModelFit", "One cell model against a sweep.")
      .def_ro("name", &fit::IvModelFit::name, "of the cell model, for solve(cell=...)")
      .def_ro("parameters", &fit::IvModelFit::parameters, "the same for all branches")
      .def_ro("branches", &fit::IvModelFit::branches, "with a conductance each")
      .def_ro("rms", &fit::IvModelFit::rms, "share of each branch's largest current")
      .def_ro("validated_rms", &fit::IvModelFit::validated_rms, "of held-out points");
  nb::class_<fit::IvFit>(m, "IvFit", "What fit_iv() found.")
      .def_ro("models", &fit::IvFit::models, "linear, sinh, series-resistance")
      .def_ro("best", &fit::IvFit::best, "place of the chosen one");
  m.def(
      "fit_iv",
      [](const ArrayLike& volt, const ArrayLike& ampere, int folds) {
        const fit::IvData data{"volt", to_list(volt, "volt"), to_list(ampere, "ampere")};
        if (data.volt.size() != data.ampere.size()) {
          throw InvalidArgument("ampere: expected as many values as volt, " +
                                std::to_string(data.volt.size()) + ", got " +
                                std::to_string(data.ampere.size()));
        }
        return interruptible([&] { return fit::fit_iv(data, folds); });
      },
      "volt"_a, "ampere"_a, nb::kw_only(), "folds"_a = 5,
      "Cell models from a sweep in the order of time. Raises IoError for one without branches.");

  nb::class_<fit::RetentionFit>(m, "RetentionFit", "reading(t) = reading(t0) (t/t0)^-exponent.")
      .def_ro("exponent", &fit::RetentionFit::exponent, "nu")
      .def_ro("start", &fit::RetentionFit::start, "ln of the reading at t0")
      .def_ro("rms", &fit::RetentionFit::rms, "of ln(reading) about the law")
      .def_ro("correlation", &fit::RetentionFit::correlation, "of neighbouring residuals");
  m.def(
      "fit_retention",
      [](const ArrayLike& second, const ArrayLike& reading) {
        const fit::RetentionData data{"second", to_list(second, "second"),
                                      to_list(reading, "reading")};
        const bool fits = data.second.size() == data.reading.size() && data.second.size() > 2;
        bool rising = fits;
        for (std::size_t k = 0; rising && k < data.second.size(); ++k) {
          rising = data.second[k] > (k > 0 ? data.second[k - 1] : 0) && data.reading[k] > 0;
        }
        if (!rising) {
          throw InvalidArgument(
              "second, reading: expected equally many, at least 3, times rising "
              "and readings above 0");
        }
        return interruptible([&] { return fit::fit_retention(data); });
      },
      "second"_a, "reading"_a,
      "Exponent of drift from readings at rising times, second. Raises InvalidArgument.");
}

}  // namespace xbar::python
