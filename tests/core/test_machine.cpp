#include <xbar/core/machine.hpp>

#include "support/catch.hpp"

TEST_CASE("core/machine: the processor has a name of one line", "[core]") {
  const std::string name = xbar::cpu_name();
  CAPTURE(name);
  REQUIRE_FALSE(name.empty());
  CHECK(name.find('\n') == std::string::npos);
  CHECK(name.find(':') == std::string::npos);
  CHECK(name.front() != ' ');
}
