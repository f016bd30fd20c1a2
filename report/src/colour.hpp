#pragma once

/// Colours of series and of heat maps.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include <xbar/report/plot.hpp>

namespace xbar::report {

struct Rgb {
  std::uint8_t r = 0;
  std::uint8_t g = 0;
  std::uint8_t b = 0;
};

inline constexpr std::size_t ramp_levels = 255;

/// The colours of a ramp from low to high, equally spaced in OKLab.
std::array<Rgb, ramp_levels> ramp_colours(Ramp ramp);

/// OKLab lightness, 0 black .. 1 white: decides whether text on a colour is dark or light.
double lightness(Rgb colour);

/// Which of the series colours (0..7): the one asked for, or the `index`-th in turn.
std::size_t colour_slot(Colour colour, std::size_t index);

/// Attributes that set the colour of a group of series `slot`: fixed ones for readers without CSS
/// custom properties, and the variable a page may override.
std::string colour_attributes(std::size_t slot);

}  // namespace xbar::report
