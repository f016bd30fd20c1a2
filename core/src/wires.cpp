#include <cmath>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/wires.hpp>

namespace xbar {

void check_wires(const WireResistance& wires) {
  const auto check = [](const char* name, double ohm) {
    if (!(ohm >= 0) || !std::isfinite(ohm)) {
      throw InvalidArgument(
          fmt::format("{}: expected a finite resistance >= 0 ohm, got {}", name, ohm));
    }
  };
  check("source-ohm", wires.source_ohm);
  check("sink-ohm", wires.sink_ohm);
  check("wordline-ohm", wires.wordline_ohm);
  check("bitline-ohm", wires.bitline_ohm);
}

}  // namespace xbar
