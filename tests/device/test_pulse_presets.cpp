#include <cmath>
#include <filesystem>
#include <string>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/device/pulse_device.hpp>
#include <xbar/device/pulse_presets.hpp>

#include "support/catch.hpp"
#include "support/message.hpp"

using xbar::device::preset_names;
using xbar::device::preset_text;
using xbar::device::PulseDevice;
using xbar::device::read_pulse_device;
using xbar_test::WithinRel;

TEST_CASE("device/pulse_presets: every preset reads, says where it is from, and is its file",
          "[device][pulse]") {
  REQUIRE(preset_names().size() >= 10);
  for (const std::string& name : preset_names()) {
    const PulseDevice device = read_pulse_device(name);
    CAPTURE(name);
    CHECK(device.name == name);
    CHECK_FALSE(device.description.empty());
    CHECK_FALSE(device.source.empty());
    CHECK(device.typical_step() > 0);
    CHECK(preset_text(name) == xbar::read_file(std::filesystem::path(XBAR_SOURCE_DIR) / "device" /
                                               "presets" / (name + ".toml")));
  }
}

TEST_CASE("device/pulse_presets: names that are none list those that are", "[device][pulse]") {
  CHECK(xbar_test::message_of<xbar::IoError>([] { (void)read_pulse_device("reram-sv"); }) ==
        "reram-sv: expected a device file or one of the presets ag-a-si, constant-step, ecram, "
        "ideal, idealized, neurosim-training, pcm, reram-es, reram-sb, txsim-reram, found no such "
        "file; did you mean reram-sb?");
  CHECK_THROWS_AS(preset_text("none"), xbar::InvalidArgument);
}

TEST_CASE("device/pulse_presets: aihwkit's devices in its own weights", "[device][pulse]") {
  // Steps of its formulas at w, in double precision; the files carry six digits or more.
  const PulseDevice sb = read_pulse_device("reram-sb");  // w from -0.75 to 1.25
  const PulseDevice es = read_pulse_device("reram-es");  // w from -1 to 1
  const PulseDevice ec = read_pulse_device("ecram");     // w from -0.8276 to 1.1724
  const PulseDevice pcm = read_pulse_device("pcm");      // w from 0 to 2
  for (const double x : {0.0, 0.2, 0.5, 1.0}) {
    const double sb_w = 2 * x - 0.75;
    CHECK_THAT(2 * sb.model->up_step(x), xbar_test::WithinAbs(0.002 * (1 - sb_w / 1.25), 1e-15));
    CHECK_THAT(2 * sb.model->down_step(x), xbar_test::WithinAbs(0.002 * (1 + sb_w / 0.75), 1e-15));
    const double z = -0.5 * (2 * x - 1) - 0.5;
    CHECK_THAT(2 * es.model->up_step(x),
               WithinRel(0.00135 * (1 + 1.18445 * std::exp(5 * z)), 1e-7));
    CHECK_THAT(2 * es.model->down_step(x),
               WithinRel(0.00135 * (1 - 0.259359) * (1 + 0.081404 * std::exp(-5 * z)), 1e-7));
    const double ec_w = 2 * x - 0.8276;
    CHECK_THAT(2 * ec.model->up_step(x), WithinRel(0.002 * (1 - 0.1153 * ec_w / 1.1724), 1e-5));
    CHECK_THAT(2 * ec.model->down_step(x), WithinRel(0.002 * (1 + 0.5085 * ec_w / 0.8276), 1e-5));
    CHECK_THAT(2 * pcm.model->up_step(x),
               WithinRel(0.01 * (1 + 27.235 * std::exp(2.5 * -2 * x)), 1e-12));
  }
}
