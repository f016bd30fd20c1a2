#include <cmath>
#include <fstream>
#include <limits>
#include <random>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/device/waveform.hpp>

#include "support/catch.hpp"
#include "support/message.hpp"
#include "support/temporary_folder.hpp"

using xbar::InvalidArgument;
using xbar::IoError;
using xbar::device::parse_waveform;
using xbar::device::Waveform;
using xbar_test::Contains;
using xbar_test::WithinAbs;

namespace {

void refused(const std::string& text, const std::string& part) {
  CAPTURE(text);
  REQUIRE_THAT(xbar_test::message_of<InvalidArgument>([&] { (void)parse_waveform(text); }),
               Contains(part));
}

}  // namespace

TEST_CASE("device/waveform: a pulse train takes its corners", "[device]") {
  // Corners of the first pulse at 1, 2, 5, 7 s; the second one 10 s later.
  const Waveform w =
      parse_waveform("pulse:low=-1,high=3,delay=1,rise=1,width=3,fall=2,period=10,count=2");
  REQUIRE(w.duration() == 21);
  for (const auto& [time, volt] : std::vector<std::pair<double, double>>{{-1, -1},
                                                                         {0, -1},
                                                                         {1, -1},
                                                                         {1.5, 1},
                                                                         {2, 3},
                                                                         {4, 3},
                                                                         {5, 3},
                                                                         {6, 1},
                                                                         {7, -1},
                                                                         {10, -1},
                                                                         {11.5, 1},
                                                                         {13, 3},
                                                                         {16, 1},
                                                                         {20, -1},
                                                                         {50, -1}}) {
    CAPTURE(time);
    REQUIRE_THAT(w.value(time), WithinAbs(volt, 1e-12));
    REQUIRE_THAT(w.value_before(time), WithinAbs(volt, 1e-12));
  }
  REQUIRE(w.breakpoints() == std::vector<double>{1, 2, 5, 7, 11, 12, 15, 17});
}

TEST_CASE("device/waveform: where the voltage jumps, both sides can be had at every breakpoint",
          "[device]") {
  // 0.1 and 0.7 are no binary numbers: k 0.7 + 0.1 is rounded.
  const Waveform w = parse_waveform("pulse:high=2,delay=0.1,width=0.3,period=0.7,count=1000");
  const std::vector<double> times = w.breakpoints();
  REQUIRE(times.size() == 2000);
  for (std::size_t k = 0; k < times.size(); ++k) {
    CAPTURE(k, times[k]);
    REQUIRE(w.value_before(times[k]) == (k % 2 == 0 ? 0 : 2));
    REQUIRE(w.value(times[k]) == (k % 2 == 0 ? 2 : 0));
  }
  const Waveform step = parse_waveform("step:high=1,duration=1e-6");
  REQUIRE(step.value(0) == 1);
  REQUIRE(step.value_before(0) == 0);
  REQUIRE(step.breakpoints().empty());
}

TEST_CASE("device/waveform: the other kinds", "[device]") {
  REQUIRE(parse_waveform("dc:value=-0.5,duration=3").value(2) == -0.5);
  REQUIRE(parse_waveform("ramp:from=1,to=3,delay=1,rise=2").value(2) == 2);
  REQUIRE(parse_waveform("ramp:to=3,rise=2").duration() == 2);
  // The same rate everywhere: 0 -> 2 -> -1 -> 0 are 6 V in 6 s.
  const Waveform sweep = parse_waveform("triangle:high=2,low=-1,period=6,count=2");
  REQUIRE(sweep.breakpoints() == std::vector<double>{2, 5, 6, 8, 11});
  REQUIRE_THAT(sweep.value(3.5), WithinAbs(0.5, 1e-15));
  REQUIRE_THAT(sweep.value(11), WithinAbs(-1, 1e-15));
  REQUIRE(parse_waveform("triangle:high=2,low=0,period=4").value(3) == 1);
  REQUIRE(parse_waveform("triangle:high=0,low=-2,period=4").value(1) == -1);
  const Waveform sine = parse_waveform("sine:amplitude=2,frequency=0.25,offset=1,delay=1,count=3");
  REQUIRE(sine.duration() == 13);
  REQUIRE_THAT(sine.value(2), WithinAbs(3, 1e-15));
  REQUIRE_THAT(sine.value(8), WithinAbs(-1, 1e-14));
  REQUIRE(sine.value(0.5) == 1);
  // Its zeros and extrema are breakpoints, so that no step passes over a swing.
  REQUIRE(sine.breakpoints() == std::vector<double>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  const Waveform points = parse_waveform("pwl:0=0, 1=2, 3=-2");
  REQUIRE(points.value(2) == 0);
  REQUIRE(points.value(9) == -2);
  REQUIRE(points.breakpoints() == std::vector<double>{1});
}

TEST_CASE("device/waveform: points from a file, with or without names over the columns",
          "[device]") {
  const xbar_test::TemporaryFolder folder;
  const auto write = [&](const std::string& text) {
    xbar::write_file_atomically(folder / "w.csv", text);
    return "file:" + (folder / "w.csv").string();
  };
  REQUIRE(parse_waveform(write("0,0\n1e-6,2\n")).value(5e-7) == 1);
  REQUIRE(parse_waveform(write("# a sweep\ntime,voltage\n0,0\n1e-6,2\n")).value(5e-7) == 1);
  refused(write("0,0,1\n1,1,1\n"), "expected 2 columns, time and voltage, got 3");
  refused(write("0,0\n0,1\n"), "time of point 1: expected a time after 0 s, got 0");
  refused(write("nan,0\n1,1\n"), "time of point 0: expected a time >= 0 s, got nan");
  REQUIRE_THROWS_AS(parse_waveform(write("time,voltage\n0,x\n")), IoError);
  REQUIRE_THROWS_AS(parse_waveform("file:" + (folder / "absent.csv").string()), IoError);
}

TEST_CASE("device/waveform: what is no waveform is refused by name", "[device]") {
  // 1000 periods of 1e308 s are no time, and 2e308 V no swing.
  refused("sine:amplitude=1,frequency=1e-308,count=1000",
          "sine: frequency: expected 0 or a size from 1e-100 to 1e+100, got 1e-308");
  refused("triangle:high=1e308,low=-1e308,period=1", "triangle: high: expected 0 or a size");
  refused("pwl:0=0,1e-320=1", "pwl: time of point 1: expected 0 or a size");
  refused("pulze:high=1,width=1", "did you mean pulse?");
  refused("", "expected KIND:KEY=VALUE");
  refused("pulse:high=1,widht=1", "; did you mean width?");
  refused("pulse:high=1", "pulse: width: expected a value, got none");
  refused("pulse:high=1,width=1,width=2", "width is given twice");
  refused("pulse:high=1,width", "expected KEY=VALUE, got 'width'");
  refused("pulse:high=1,width=-1e-6", "pulse: width: expected a time > 0 s, got -1e-06");
  refused("pulse:high=1,width=0", "width: expected a time > 0 s");
  refused("pulse:high=1V,width=1", "high: expected a number, got '1V'");
  refused("pulse:high=nan,width=1", "high: expected a number, got 'nan'");
  refused("pulse:high=1,width=1,rise=-1", "rise: expected a time >= 0 s");
  refused("pulse:high=1,width=2,period=1", "period: expected at least rise + width + fall = 2 s");
  refused("pulse:high=1,width=2,count=0", "count: expected a whole number from 1 to 1000000");
  refused("pulse:high=1,width=2,count=1.5", "count: expected a whole number");
  refused("step:high=1,delay=2,duration=1", "duration: expected at least delay + rise = 2 s");
  refused("dc:value=1,duration=0", "duration: expected a time > 0 s");
  refused("ramp:to=1,rise=0", "rise: expected a time > 0 s");
  refused("triangle:high=-1,low=-2,period=1", "high: expected a voltage >= 0 V");
  refused("triangle:high=0,low=0,period=1", "high: expected a voltage above low");
  refused("sine:amplitude=1,frequency=0", "frequency: expected a finite frequency > 0 Hz");
  refused("pwl:0=0,2=1,1=0", "time of point 2: expected a time after 2 s, got 1");
  refused("pwl:", "expected at least one point");
  refused("pwl:0=1", "time of the last point: expected a time > 0 s");
  refused("file:", "expected the name of a .csv file");
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  REQUIRE_THROWS_AS(Waveform::dc(nan, 1), InvalidArgument);
  REQUIRE_THROWS_AS(Waveform::step(0, 1, 0, nan, 1), InvalidArgument);
  REQUIRE_THROWS_AS(Waveform::piecewise_linear({{0, 0}, {1, nan}}), InvalidArgument);
}

TEST_CASE("device/waveform: any text gives a waveform or an error that says why", "[device]") {
  const std::string seeds[] = {"pulse:high=1.5,width=1e-6,count=3", "pwl:0=0,1e-6=1.5,2e-6=0",
                               "triangle:high=1,low=-1,period=1e-3",
                               "sine:amplitude=1,frequency=5"};
  const std::string letters = "0123456789.,:=-+e aeghilnopstuwx\n";
  constexpr unsigned seed = 4;
  CAPTURE(seed);
  std::mt19937 random(seed);
  int accepted = 0;
  for (int trial = 0; trial < 20000; ++trial) {
    std::string text = seeds[random() % 4];
    for (unsigned k = random() % 4; k-- > 0;)
      text[random() % text.size()] = letters[random() % letters.size()];
    try {
      const Waveform w = parse_waveform(text);
      ++accepted;
      CAPTURE(text);
      REQUIRE(w.duration() > 0);
      REQUIRE(std::isfinite(w.value(w.duration() / 3)));
    } catch (const xbar::Error& error) {
      REQUIRE_THAT(error.what(), Contains("waveform"));
    }
  }
  REQUIRE(accepted > 5000);  // a quarter of them is not changed at all
}
