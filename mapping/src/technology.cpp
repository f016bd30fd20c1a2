#include <array>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/mapping/technology.hpp>

namespace xbar::mapping {

std::string_view gain_name(Gain gain) {
  switch (gain) {
    case Gain::tile:
      return "tile";
    case Gain::column:
      return "column";
    case Gain::none:
      break;
  }
  return "none";
}

Gain parse_gain(std::string_view name) {
  for (const Gain gain : {Gain::none, Gain::tile, Gain::column}) {
    if (gain_name(gain) == name) return gain;
  }
  throw InvalidArgument(fmt::format("gain: expected none, tile or column, got '{}'", name));
}

void check_technology(const Technology& technology) {
  (void)technology.range();
  check_wires(technology.wires);
  const auto check_size = [](const char* name, Index size) {
    if (size < 1 || size > 4096) {
      throw InvalidArgument(fmt::format("{}: expected 1 to 4096, got {}", name, size));
    }
  };
  check_size("tile-rows", technology.tile_rows);
  check_size("tile-columns", technology.tile_columns);
  if (!(technology.update.write_noise >= 0) || !(technology.update.write_noise <= 10)) {
    throw InvalidArgument(
        fmt::format("write-noise: expected 0 to 10 (of the conductance range), got {}",
                    technology.update.write_noise));
  }
}

}  // namespace xbar::mapping
