#include <cmath>
#include <string>

#include <xbar/core/error.hpp>
#include <xbar/fit/pulse_data.hpp>

#include "support/catch.hpp"
#include "support/message.hpp"

using xbar::InvalidArgument;
using xbar::IoError;
using xbar::fit::parse_pulse_data;
using xbar::fit::PulseData;
using xbar::fit::PulseLayout;
using xbar::fit::PulseLayoutOptions;
using xbar_test::contains;
using xbar_test::message_of;
using xbar_test::WithinRel;

namespace {

constexpr const char* heading =
    "# pulses, siemens\ndevice,cycle,pulse,direction,conductance_siemens\n";

std::string rows(int count) {
  std::string text;
  for (int k = 1; k <= count; ++k) {
    text += "a,1," + std::to_string(k) + ",up," + std::to_string(k) + "e-6\n";
  }
  return text;
}

std::string refusal(const std::string& text, const PulseLayoutOptions& options = {}) {
  return message_of<IoError>([&] { (void)parse_pulse_data(text, "f.csv", options); });
}

}  // namespace

TEST_CASE("fit/pulse_data: a long table by hand", "[fit]") {
  const PulseData data = parse_pulse_data(
      "# two devices\n"
      "pulse_volt,device,cycle,pulse,direction,read_volt,current_ampere,pulse_second\n"
      "1.5,a,1,1,up,0.5,1e-6,1e-3\n1.5,a,1,2,+1,0.5,2e-6,1e-3\n-2,a,1,5,down,0.5,1e-6,2e-3\n"
      "1.5,b,1,1,up,0.5,3e-6,1e-3\n1.5,b,1,2,up,0.5,3e-6,1e-3\n1.5,b,1,3,1,0.5,3e-6,1e-3\n"
      "1.5,b,2,1,up,0.5,3e-6,1e-3\n1.5,b,2,2,up,0.5,3e-6,1e-3\n1.5,b,2,3,1,0.5,3e-6,1e-3\n"
      "-2,b,2,4,-1,0.5,3e-6,2e-3\n",
      "f.csv", {});
  REQUIRE(data.curves.size() == 3);
  const auto& a = data.curves[0];
  CHECK(a.device == "a");
  // Pulses 3 and 4 were not read and had the direction of pulse 5.
  CHECK(a.up == std::vector<bool>{true, true, false, false, false});
  CHECK_THAT(a.siemens[1], WithinRel(4e-6, 1e-12));
  CHECK(std::isnan(a.siemens[2]));
  CHECK_THAT(a.siemens[4], WithinRel(2e-6, 1e-12));
  CHECK(data.curves[2].cycle == "2");
  CHECK(data.readings() == 10);
  CHECK(data.up_volt == 1.5);
  CHECK(data.down_volt == 2);
  CHECK(data.down_second == 2e-3);
}

TEST_CASE("fit/pulse_data: columns, ramps and aihwkit by hand", "[fit]") {
  PulseLayoutOptions options;
  options.layout = PulseLayout::columns;
  std::string text = "1,0.2,2e-6,4e-6\n1,0.2,3e-6,\n";
  for (int k = 0; k < 8; ++k) text += "-1.5,0.2,2e-6,4e-6\n";
  const PulseData columns = parse_pulse_data(text + ",,,\n", "f.csv", options);
  REQUIRE(columns.curves.size() == 2);
  CHECK_THAT(columns.curves[0].siemens[1], WithinRel(1.5e-5, 1e-12));
  CHECK(std::isnan(columns.curves[1].siemens[1]));
  CHECK(columns.curves[1].up[1]);
  CHECK_FALSE(columns.curves[1].up[2]);
  CHECK(columns.down_volt == 1.5);

  options.layout = PulseLayout::ramps;
  options.up = false;
  options.read_volt = 0.1;
  text = "rmp1,rmp2\n";
  for (int k = 9; k > 0; --k) text += std::to_string(k) + "e-7," + std::to_string(k) + "e-7\n";
  const PulseData ramps = parse_pulse_data(text + "NaN,2e-8\n", "f.csv", options);
  REQUIRE(ramps.curves.size() == 2);
  CHECK(ramps.curves[0].siemens.size() == 9);
  CHECK(ramps.curves[1].siemens.size() == 10);
  CHECK_THAT(ramps.curves[1].siemens[9], WithinRel(2e-7, 1e-12));
  CHECK_FALSE(ramps.has(true));

  options.layout = PulseLayout::aihwkit;
  options.low_siemens = 1e-6;
  options.high_siemens = 3e-6;
  text = "";
  for (int k = 0; k < 10; ++k) text += "-1,1\n0,0.5\n";
  const PulseData aihwkit = parse_pulse_data(text, "f.csv", options);
  REQUIRE(aihwkit.curves.size() == 2);
  CHECK_THAT(aihwkit.curves[0].siemens[0], WithinRel(1e-6, 1e-12));
  CHECK_THAT(aihwkit.curves[0].siemens[1], WithinRel(2e-6, 1e-12));
  CHECK_THAT(aihwkit.curves[1].siemens[1], WithinRel(2.5e-6, 1e-12));
  CHECK_FALSE(aihwkit.curves[1].up[0]);
}

TEST_CASE("fit/pulse_data: what is wrong with a table is said in one line", "[fit]") {
  const std::string good = heading + rows(12);
  REQUIRE(parse_pulse_data(good, "f.csv", {}).readings() == 12);
  CHECK(contains(refusal(""), "f.csv: expected readings, found none"));
  CHECK(contains(refusal(heading + rows(5)), "expected at least 10 readings, found 5"));
  CHECK(contains(refusal("device,cycle,direction,conductance_siemens\n" + rows(12)),
                 "f.csv: line 1: expected a column pulse, found 'device,cycle,direction,"));
  CHECK(contains(refusal("device,cycle,pulse,direction,conductance\n" + rows(12)),
                 "expected the unit in the name, conductance_siemens or current_ampere, found "
                 "'conductance'"));
  CHECK(contains(refusal("device,cycle,pulse,direction,current_ampere\n" + rows(12)),
                 "expected a column read_volt"));
  CHECK(contains(refusal(good + "a,1,13,up,nan\n"),
                 "line 15: conductance_siemens: expected a finite number, found 'nan'"));
  CHECK(
      contains(refusal(good + "a,1,13,up\n"), "line 15: expected conductance_siemens in column 5"));
  CHECK(contains(refusal(good + "a,1,12,up,1e-6\n"),
                 "line 15: pulse: expected 13 to 10012 after pulse 12 of device 'a', cycle '1', "
                 "found 12"));
  CHECK(contains(refusal(good + "a,1,99999,up,1e-6\n"), "found 99999"));
  CHECK(contains(refusal(good + "a,1,13.5,up,1e-6\n"), "expected a whole number, found 13.5"));
  CHECK(contains(refusal(good + "a,1,13,sideways,1e-6\n"),
                 "direction: expected up, down, +1 or -1, found 'sideways'"));
  CHECK(contains(refusal(good + "a,1,13,up,-1e-6\n"), "expected conductances >= 0, found -1e-06"));
  std::string flat = heading;
  for (int k = 1; k <= 12; ++k) flat += "a,1," + std::to_string(k) + ",up,1e-6\n";
  CHECK(contains(refusal(flat), "expected conductances that change"));
  PulseLayoutOptions options;
  options.layout = PulseLayout::ramps;
  CHECK(contains(
      message_of<InvalidArgument>([&] { (void)parse_pulse_data("1e-6\n", "f.csv", options); }),
      "read_volt: expected the voltage, > 0"));
  options.layout = PulseLayout::aihwkit;
  CHECK(contains(
      message_of<InvalidArgument>([&] { (void)parse_pulse_data("1,2\n", "f.csv", options); }),
      "the layout has no unit"));
  options.layout = PulseLayout::columns;
  CHECK(contains(refusal("0,0.1,1e-6\n", options), "pulse volt: expected a voltage other than 0"));
  CHECK(contains(refusal("1,0.1\n", options), "found 2 columns"));
}
