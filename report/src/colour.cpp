#include "colour.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include <fmt/format.h>

namespace xbar::report {
namespace {

// OKLab, a colour space in which equal distances look equally different:
// B. Ottosson, "A perceptual color space for image processing", 2020.
struct Lab {
  double l = 0;
  double a = 0;
  double b = 0;
};

struct LinearRgb {
  double r = 0;
  double g = 0;
  double b = 0;
  [[nodiscard]] bool displayable() const {
    const auto inside = [](double v) { return v >= -1e-6 && v <= 1 + 1e-6; };
    return inside(r) && inside(g) && inside(b);
  }
};

LinearRgb to_linear(const Lab& c) {
  const auto cube = [](double v) { return v * v * v; };
  const double l = cube(c.l + 0.3963377774 * c.a + 0.2158037573 * c.b);
  const double m = cube(c.l - 0.1055613458 * c.a - 0.0638541728 * c.b);
  const double s = cube(c.l - 0.0894841775 * c.a - 1.2914855480 * c.b);
  return {4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
          -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
          -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s};
}

std::uint8_t encode(double linear) {
  const double v = std::clamp(linear, 0.0, 1.0);
  const double srgb = v <= 0.0031308 ? 12.92 * v : 1.055 * std::pow(v, 1 / 2.4) - 0.055;
  return static_cast<std::uint8_t>(std::lround(255 * srgb));
}

double decode(std::uint8_t byte) {
  const double v = byte / 255.0;
  return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
}

/// The most colourful displayable colour of this lightness and hue, chroma at most `chroma`.
Lab displayable(double l, double chroma, double hue_degrees) {
  const double angle = hue_degrees * std::numbers::pi / 180;
  const auto at = [&](double c) { return Lab{l, c * std::cos(angle), c * std::sin(angle)}; };
  double inside = 0;
  double outside = chroma;
  if (to_linear(at(chroma)).displayable()) {
    return at(chroma);
  }
  for (int i = 0; i < 40; ++i) {
    const double middle = (inside + outside) / 2;
    (to_linear(at(middle)).displayable() ? inside : outside) = middle;
  }
  return at(inside);
}

Lab sequential(double t) {
  // Lightness rises all the way, so the ramp also reads in grey print and for every colour vision.
  return displayable(0.24 + 0.71 * t, 0.125 + 0.04 * t, 305 - 200 * t);
}

Lab diverging(double t) {
  const double away = std::fabs(2 * t - 1);
  return displayable(0.95 - 0.5 * away, 0.17 * away, t < 0.5 ? 250 : 35);
}

}  // namespace

std::array<Rgb, ramp_levels> ramp_colours(Ramp ramp) {
  // A fine path, walked in steps of equal length.
  constexpr std::size_t fine = 4096;
  std::vector<Lab> path(fine + 1);
  std::vector<double> length(fine + 1, 0);
  for (std::size_t i = 0; i <= fine; ++i) {
    const double t = static_cast<double>(i) / fine;
    path[i] = ramp == Ramp::sequential ? sequential(t) : diverging(t);
    if (i > 0) {
      length[i] = length[i - 1] + std::hypot(path[i].l - path[i - 1].l, path[i].a - path[i - 1].a,
                                             path[i].b - path[i - 1].b);
    }
  }
  std::array<Rgb, ramp_levels> colours;
  std::size_t i = 0;
  for (std::size_t k = 0; k < ramp_levels; ++k) {
    double t = static_cast<double>(k) / (ramp_levels - 1);
    if (ramp == Ramp::diverging) {
      i = static_cast<std::size_t>(std::lround(t * fine));  // the middle must stay in the middle
    } else {
      while (i < fine && length[i] < t * length[fine]) {
        ++i;
      }
    }
    const LinearRgb c = to_linear(path[i]);
    colours[k] = {encode(c.r), encode(c.g), encode(c.b)};
  }
  return colours;
}

double lightness(Rgb colour) {
  const double r = decode(colour.r);
  const double g = decode(colour.g);
  const double b = decode(colour.b);
  return 0.2104542553 * std::cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) +
         0.7936177850 * std::cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) -
         0.0040720468 * std::cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
}

std::size_t colour_slot(Colour colour, std::size_t index) {
  return colour == Colour::automatic ? index % 8 : static_cast<std::size_t>(colour) - 1;
}

std::string colour_attributes(std::size_t slot) {
  // Each at least 4.5:1 against white; the page has lighter ones for its dark theme.
  constexpr const char* fixed[] = {"#0067a5", "#c24a00", "#007a5a", "#9b3f86",
                                   "#876000", "#3a7ca5", "#b3262b", "#5c6570"};
  return fmt::format(R"svg(class="xb-s" fill="{0}" stroke="{0}" style="--c:var(--xb-s{1},{0})")svg",
                     fixed[slot], slot + 1);
}

}  // namespace xbar::report
