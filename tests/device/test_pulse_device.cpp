#include <filesystem>
#include <string>

#include <xbar/core/array_file.hpp>
#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/device/pulse_device.hpp>

#include "support/catch.hpp"
#include "support/message.hpp"
#include "support/temporary_folder.hpp"

using xbar::InvalidArgument;
using xbar::device::parse_pulse_device;
using xbar::device::PulseDevice;
using xbar::device::VoltageLaw;
using xbar_test::message_of;
using xbar_test::WithinRel;

namespace {

const std::string full = R"(
name = "mine \"A\""
description = "a device"
source = "made up"
one_way = true
g_min_siemens = 1e-7
g_max_siemens = 3.3e-6
[model]
name = "neurosim"
up_nonlinearity = 1.75
down_nonlinearity = -0.1
up_pulses = 60
[pulse]
up_volt = 3.2
up_second = 3e-4
down_volt = 2.8
down_second = 1e-6
[voltage]
exponent = 2
threshold = 0.5
[spread]
step = 0.3
up_down = 0.01
lower = 0.15
upper = 0.1
nonlinearity = 0.2
[noise]
step = 0.35
range = 0.003
write = 0.01
read = 0.02
[faults]
stuck_on = 0.01
stuck_off = 0.02
open = 0.03
[drift]
exponent = 0.05
exponent_deviation = 0.01
time_s = 1000
reference_s = 20
[endurance]
pulses = 1e6
deviation = 0.4
)";

const std::string least = "g_min_siemens = 1e-6\ng_max_siemens = 1e-5\n";

std::string refusal(const std::string& text) {
  return message_of<InvalidArgument>([&] { (void)parse_pulse_device(text, "d.toml"); });
}

}  // namespace

TEST_CASE("device/pulse_device: a device file says everything, and reads back the same",
          "[device][pulse]") {
  const PulseDevice read = parse_pulse_device(full, "d.toml");
  const PulseDevice again = parse_pulse_device(to_toml(read), "e.toml");
  for (const PulseDevice& device : {read, again}) {
    CHECK(device.name == "mine \"A\"");
    CHECK(device.description == "a device");
    CHECK(device.source == "made up");
    CHECK(device.one_way);
    CHECK(device.g_min_siemens == 1e-7);
    CHECK(device.g_max_siemens == 3.3e-6);
    CHECK(device.model->name() == "neurosim");
    CHECK(device.parameters == std::map<std::string, double>{{"up_nonlinearity", 1.75},
                                                             {"down_nonlinearity", -0.1},
                                                             {"up_pulses", 60}});
    CHECK(device.up.volt == 3.2);
    CHECK(device.up.second == 3e-4);
    CHECK(device.down.volt == 2.8);
    CHECK(device.down.second == 1e-6);
    CHECK(device.voltage.exponent == 2);
    CHECK(device.voltage.threshold == 0.5);
    CHECK(device.spread.step == 0.3);
    CHECK(device.spread.up_down == 0.01);
    CHECK(device.spread.lower == 0.15);
    CHECK(device.spread.upper == 0.1);
    CHECK(device.spread.nonlinearity == 0.2);
    CHECK(device.noise.step == 0.35);
    CHECK(device.noise.range == 0.003);
    CHECK(device.noise.write == 0.01);
    CHECK(device.read_noise == 0.02);
    CHECK(device.faults.stuck_on == 0.01);
    CHECK(device.faults.stuck_off == 0.02);
    CHECK(device.faults.open == 0.03);
    CHECK(device.drift.exponent == 0.05);
    CHECK(device.drift.exponent_deviation == 0.01);
    CHECK(device.drift.time_s == 1000);
    CHECK(device.drift.reference_s == 20);
    CHECK(device.endurance.pulses == 1e6);
    CHECK(device.endurance.deviation == 0.4);
    CHECK(device.model->up_step(0.3) == read.model->up_step(0.3));
  }
  CHECK(to_toml(again) == to_toml(read));
}

TEST_CASE("device/pulse_device: curves stand in the file or beside it", "[device][pulse]") {
  const xbar_test::TemporaryFolder folder;
  xbar::Matrix down(3, 1);
  down << 0.001, 0.0123456789012345, 0.1;
  xbar::write_array(folder / "down.csv", down, true);
  const std::string file = (folder / "d.toml").string();
  xbar::write_file_atomically(
      file, least + "[model]\nname = \"piecewise\"\nup = [0.5, 0.25, 0]\ndown = \"down.csv\"\n");
  const PulseDevice device = xbar::device::read_pulse_device(file);
  CHECK(device.name == "d");
  CHECK(device.model->up_step(0.5) == 0.25);
  CHECK(device.model->down_step(0.5) == down(1));
  const PulseDevice again = parse_pulse_device(to_toml(device), "elsewhere/e.toml");
  CHECK(again.curves == device.curves);

  const std::string table = R"([model]
name = "table"
up_conductance_siemens = [1e-6, 1e-5]
up_step_siemens = [0, 1e-6, 2e-6]
up_cumulative = [[0, 0.25, 1], [0, 0.5, 1]]
down_conductance_siemens = [1e-6, 1e-5]
down_step_siemens = [-2e-6, 0]
down_cumulative = [[0, 1], [0, 1]]
)";
  const PulseDevice drawn = parse_pulse_device(least + table, "d.toml");
  CHECK_THAT(drawn.model->down_step(0.5), WithinRel(1.0 / 9, 1e-12));
  CHECK(parse_pulse_device(to_toml(drawn), "d.toml").curves == drawn.curves);
  CHECK(refusal(least + table + "[noise]\nstep = 0.1") ==
        "d.toml: noise.step: expected 0 for the model table, whose steps are drawn from measured "
        "ones, got 0.1");
}

TEST_CASE("device/pulse_device: what is wrong in a file is named", "[device][pulse]") {
  const std::string model = "[model]\nname = \"linear\"\n";
  CHECK(refusal(model) == "d.toml:1:1: key 'g_min_siemens': expected a number, found none");
  CHECK(refusal(least) == "d.toml:1:1: key 'model': expected a table, found none");
  CHECK(refusal("g_min_simens = 1\n" + least + model) ==
        "d.toml:1:1: device: expected one of the keys name, description, source, one_way, "
        "g_min_siemens, g_max_siemens, model, pulse, voltage, spread, noise, faults, drift, "
        "endurance, found 'g_min_simens'; did you mean g_min_siemens?");
  CHECK(refusal(least + "[model]\nname = \"liner\"") ==
        "d.toml:4:8: key 'name': expected one of linear, soft-bounds, neurosim, asymmetric, "
        "symmetric, exponential, power, piecewise, table, found 'liner'; did you mean linear?");
  CHECK(refusal(least + model + "up_stp = 0.1") ==
        "d.toml:5:1: model linear: expected one of the keys name, up_step, down_step, found "
        "'up_stp'; did you mean up_step?");
  CHECK(refusal(least + model + "up_step = 3") ==
        "d.toml: up_step: expected 1e-09 to 1 of the range, got 3");
  CHECK(refusal(least + model + "up_step = \"much\"") ==
        "d.toml:5:11: key 'up_step': expected a number, found 'much'");
  CHECK(refusal(least + model + "[noise]\nstp = 1") ==
        "d.toml:6:1: noise: expected one of the keys step, range, write, read, found 'stp'; did "
        "you mean step?");
  CHECK(refusal("g_min_siemens = 1e-5\ng_max_siemens = 1e-5\n" + model) ==
        "d.toml: g_max_siemens: expected siemens, above 1e-05 and up to 1000, got 1e-05");
  CHECK(refusal(least + model + "[noise]\nread = -1") ==
        "d.toml: noise.read: expected a share of the conductance, 0 to 1, got -1");
  CHECK(
      refusal(least + model + "[spread]\nnonlinearity = 0.1") ==
      "d.toml: spread.nonlinearity: expected 0 for the model linear, which has no label (neurosim "
      "has), got 0.1");
  CHECK(refusal(least + model + "[voltage]\nthreshold = 1") ==
        "d.toml: voltage.threshold: expected a share of the pulse's voltage, 0 to below 1, got 1");
  CHECK(refusal(least + model + "[spread]\nstep = nan") ==
        "d.toml: spread.step: expected a share of the mean step, 0 to 2, got nan");
  CHECK(refusal(least + "model = 3") == "d.toml:3:9: key 'model': expected a table, found 3");
}

TEST_CASE("device/pulse_device: steps fall with the voltage by the threshold power law",
          "[device][pulse]") {
  // Half the voltage, threshold 0.25, square: ((0.5 - 0.25)/0.75)^2 = 1/9.
  CHECK_THAT((VoltageLaw{2, 0.25}.factor(0.5)), WithinRel(1.0 / 9, 1e-14));
  CHECK((VoltageLaw{2, 0.25}.factor(1)) == 1);
  CHECK((VoltageLaw{2, 0.5}.factor(0.5)) == 0);
  CHECK((VoltageLaw{3, 0.5}.factor(0.2)) == 0);
  CHECK(VoltageLaw{.exponent = 1}.factor(0.7) == 0.7);
}

TEST_CASE("device/pulse_device: the typical step is the mean in the middle", "[device][pulse]") {
  const std::string model = "[model]\nname = \"soft-bounds\"\nup_step = 0.02\ndown_step = 0.01\n";
  CHECK_THAT(parse_pulse_device(least + model, "d.toml").typical_step(), WithinRel(0.0075, 1e-14));
}
