#include <filesystem>
#include <string>
#include <vector>

#include <xbar/device/pulse_device.hpp>
#include <xbar/fit/amplitude_fit.hpp>
#include <xbar/fit/cycling_fit.hpp>
#include <xbar/fit/distribution_fit.hpp>
#include <xbar/fit/iv_fit.hpp>
#include <xbar/fit/pulse_fit.hpp>
#include <xbar/fit/retention_fit.hpp>

#include "support/catch.hpp"

using xbar::fit::PulseData;
using xbar::fit::PulseFit;
using xbar::fit::PulseLayout;
using xbar::fit::PulseLayoutOptions;

namespace {

/// Empty, with a warning, where the measured curves are not there.
std::string folder() {
  const std::filesystem::path path = std::filesystem::path(XBAR_SHARED_DIR) / "data" / "device";
  if (std::filesystem::exists(path)) return path.string() + "/";
  WARN("skipped: " << path << " is not there");
  return "";
}

/// The curve of the best model, and the steps, are as close to the readings as said, in shares of
/// their range. The figures are those of docs/fitting.md, rounded up.
void check(const PulseData& data, double curve_rms, double step_rms) {
  const PulseFit fit = xbar::fit::fit_pulses(data, {});
  const auto& best = fit.models[fit.best];
  CAPTURE(data.name, best.name, best.curve_rms, best.step_rms);
  CHECK(best.curve_rms < curve_rms);
  CHECK(best.step_rms < step_rms);
  const auto text = xbar::device::to_toml(fit.device);
  CHECK(xbar::device::parse_pulse_device(text, "device.toml").model->name() == best.name);
}

}  // namespace

TEST_CASE("fit/measured: pulse responses of one device", "[fit]") {
  const std::string data = folder();
  if (data.empty()) return;
  PulseLayoutOptions options;
  options.layout = PulseLayout::columns;
  check(read_pulse_data(data + "simbrain_conductance_CMS.csv", options), 0.036, 0.017);
  check(read_pulse_data(data + "simbrain_conductance_ferro.csv", options), 0.042, 0.026);
  options.layout = PulseLayout::aihwkit;
  options.low_siemens = 1e-5;
  options.high_siemens = 2e-5;
  check(read_pulse_data(data + "aihwkit_gong_et_al.csv", options), 0.066, 0.052);
}

TEST_CASE("fit/measured: ramps, and many devices", "[fit][.long]") {
  const std::string data = folder();
  if (data.empty()) return;
  PulseLayoutOptions options;
  options.layout = PulseLayout::ramps;
  options.read_volt = 0.1;
  std::vector<PulseData> parts;
  parts.push_back(read_pulse_data(data + "crosssim_set_ramps.csv", options));
  options.up = false;
  parts.push_back(read_pulse_data(data + "crosssim_reset_ramps.csv", options));
  check(xbar::fit::join(parts), 0.006, 0.0011);
  options.layout = PulseLayout::columns;
  check(read_pulse_data(data + "simbrain_conductance_MF.csv", options), 0.035, 0.02);
}

TEST_CASE("fit/measured: a sweep and a retention", "[fit]") {
  const std::string data = folder();
  if (data.empty()) return;
  const auto sweep =
      xbar::fit::fit_iv(xbar::fit::read_iv_data(data + "simbrain_iv_curve_CMS.csv"), 5);
  CHECK(sweep.models[sweep.best].name == "series-resistance");
  CHECK(sweep.models[sweep.best].rms < 0.003);
  const auto retention = xbar::fit::fit_retention(
      xbar::fit::read_retention_data(data + "simbrain_retention_loss_CMS.csv"));
  // The readings rise.
  CHECK(retention.exponent.high < 0);
  CHECK(retention.rms < 0.02);
}

TEST_CASE("fit/measured: single pulses of varied voltage", "[fit]") {
  const std::string data = folder();
  if (data.empty()) return;
  xbar::fit::AmplitudeLayout layout;
  // The SET sweep repeats the first resistance of a ramp before each pulse: the row before says it.
  layout.columns = {"device", "-", "-", "pulse_volt", "-", "after_ohm"};
  std::vector<xbar::fit::AmplitudeData> parts;
  for (const bool up : {true, false}) {
    layout.up = up;
    parts.push_back(xbar::fit::read_amplitude_data(
        data + (up ? "radar_set_sweep.csv" : "radar_reset_sweep.csv"), layout));
  }
  const auto fit = xbar::fit::fit_amplitudes(xbar::fit::join(parts), {});
  CHECK(fit.devices == 50);
  CHECK(fit.laws[fit.best].name == "threshold");
  CAPTURE(fit.laws[fit.best].validated_rms);
  CHECK(fit.laws[fit.best].validated_rms < 0.1);
}

TEST_CASE("fit/measured: distributions of steps, and cycles", "[fit]") {
  const std::string data = folder();
  if (data.empty()) return;
  const auto read = [&](const std::string& direction) {
    const std::string begin = data + "xbtorch_femfet_1.5V_" + direction;
    return xbar::fit::read_step_distribution(begin + "_G_axis.txt", begin + "_dG_axis.txt",
                                             begin + "_cdf.txt");
  };
  const auto table = xbar::fit::fit_distributions(read("set"), read("reset"), 0.01);
  CHECK(table.thinning_error <= 0.01);
  CHECK(table.columns < 30);
  const auto cycling =
      xbar::fit::fit_cycling(xbar::fit::read_cycling_data(data + "radar_cycling.csv"));
  CHECK(cycling.on.cells.size() == 256);
  CHECK(cycling.cycles == 300);
  CHECK(cycling.failures < 0.05);
}
