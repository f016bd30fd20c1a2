#include <limits>
#include <string>

#include <xbar/core/error.hpp>
#include <xbar/core/wires.hpp>

#include "support/catch.hpp"
#include "support/message.hpp"

using xbar::InvalidArgument;
using xbar::WireResistance;

TEST_CASE("core/wires: zero and positive resistances pass") {
  CHECK_NOTHROW(xbar::check_wires({}));
  CHECK_NOTHROW(xbar::check_wires({1.0, 2.0, 0.0, 1e300}));
  CHECK_NOTHROW(xbar::check_wires({-0.0, 0, 0, 0}));
}

TEST_CASE("core/wires: a negative, infinite or NaN resistance is refused by name") {
  struct Case {
    const char* name;
    double WireResistance::*member;
  };
  const Case cases[] = {{"source-ohm", &WireResistance::source_ohm},
                        {"sink-ohm", &WireResistance::sink_ohm},
                        {"wordline-ohm", &WireResistance::wordline_ohm},
                        {"bitline-ohm", &WireResistance::bitline_ohm}};
  for (const Case& c : cases) {
    for (const double bad :
         {-1.0, -1e-300, std::numeric_limits<double>::infinity(),
          -std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
      CAPTURE(c.name, bad);
      WireResistance wires{1, 1, 1, 1};
      wires.*c.member = bad;
      const std::string message =
          xbar_test::message_of<InvalidArgument>([&] { xbar::check_wires(wires); });
      CHECK(message.starts_with(c.name));
      CHECK(xbar_test::contains(message, "expected a finite resistance >= 0 ohm, got"));
    }
  }
}

TEST_CASE("core/wires: equality compares all four") {
  const WireResistance wires{1, 2, 3, 4};
  CHECK(wires == WireResistance{1, 2, 3, 4});
  CHECK_FALSE(wires == WireResistance{0, 2, 3, 4});
  CHECK_FALSE(wires == WireResistance{1, 0, 3, 4});
  CHECK_FALSE(wires == WireResistance{1, 2, 0, 4});
  CHECK_FALSE(wires == WireResistance{1, 2, 3, 0});
}
