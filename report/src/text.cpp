#include <algorithm>
#include <cmath>
#include <cstdlib>

#include <fmt/format.h>

#include <xbar/report/text.hpp>

#include "units.hpp"
#include "utf8.hpp"

namespace xbar::report {
namespace {

constexpr std::string_view minus = "\u2212";
constexpr std::string_view no_break_space = "\u00A0";

/// Decimal exponent after rounding to `digits` significant digits: 999.96 with 4 digits has 3.
int rounded_exponent(double value, int digits) {
  const std::string text = fmt::format("{:.{}e}", value, digits - 1);
  return static_cast<int>(std::strtol(text.c_str() + text.find('e') + 1, nullptr, 10));
}

void drop_trailing_zeros(std::string& text) {
  if (text.find('.') == std::string::npos) {
    return;
  }
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') {
    text.pop_back();
  }
}

/// "n/a", "∞", "−∞" or nothing for a finite value.
std::string not_finite(double value) {
  if (std::isnan(value)) {
    return "n/a";
  }
  if (std::isinf(value)) {
    return value > 0 ? "∞" : "\u2212∞";
  }
  return {};
}

std::string with_sign(bool negative, const std::string& magnitude) {
  const bool zero = magnitude.find_first_not_of("0.") == std::string::npos;
  return negative && !zero ? std::string(minus) + magnitude : magnitude;
}

}  // namespace

std::string escape(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  while (!text.empty()) {
    const std::string_view before = text;
    const char32_t code = take_code_point(text);
    switch (code) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case replacement_character:
        out += "\uFFFD";
        break;
      default:
        // Neither XML nor HTML may contain control characters or non-characters.
        if (code == '\t' || code == '\n' ||
            (code >= 0x20 && !(code >= 0x7F && code <= 0x9F) && (code & 0xFFFE) != 0xFFFE &&
             !(code >= 0xFDD0 && code <= 0xFDEF))) {
          out += before.substr(0, before.size() - text.size());
        }
    }
  }
  return out;
}

std::string format_number(double value, int digits) {
  if (!std::isfinite(value)) {
    return not_finite(value);
  }
  if (value == 0) {
    return "0";
  }
  digits = std::clamp(digits, 1, 17);
  const double magnitude = std::fabs(value);
  const int exponent = rounded_exponent(magnitude, digits);
  if (exponent >= -4 && exponent < 6) {
    std::string text = fmt::format("{:.{}f}", magnitude, std::max(0, digits - 1 - exponent));
    drop_trailing_zeros(text);
    return with_sign(value < 0, text);
  }
  std::string mantissa = fmt::format("{:.{}e}", magnitude, digits - 1);
  mantissa.erase(mantissa.find('e'));
  drop_trailing_zeros(mantissa);
  return with_sign(value < 0, mantissa + "×" + power_of_ten(exponent));
}

std::string format_fixed(double value, int decimals) {
  if (!std::isfinite(value)) {
    return not_finite(value);
  }
  if (std::fabs(value) >= 1e15) {
    return format_number(value, 4);
  }
  return with_sign(value < 0,
                   fmt::format("{:.{}f}", std::fabs(value), std::clamp(decimals, 0, 17)));
}

std::string format_si(double value, std::string_view unit, int digits) {
  const std::string shown(unit_symbol(unit));
  if (unit.empty()) {
    return format_number(value, digits);
  }
  if (!takes_prefix(unit) || !std::isfinite(value) || value == 0) {
    return format_number(value, digits).append(no_break_space).append(shown);
  }
  digits = std::clamp(digits, 1, 17);
  const int exponent = prefix_exponent(rounded_exponent(std::fabs(value), digits));
  return format_number(value * std::pow(10.0, -exponent), digits)
      .append(no_break_space)
      .append(prefix_symbol(exponent))
      .append(shown);
}

bool takes_prefix(std::string_view unit) {
  constexpr std::string_view units[] = {"A", "V",  "W", "J",   "S", "F", "H",
                                        "C", "Hz", "s", "ohm", "Ω", "m"};
  return std::find(std::begin(units), std::end(units), unit) != std::end(units);
}

std::string_view unit_symbol(std::string_view unit) { return unit == "ohm" ? "Ω" : unit; }

int prefix_exponent(int decimal_exponent) {
  // Round towards minus infinity to a multiple of three.
  const int thousands =
      decimal_exponent >= 0 ? decimal_exponent / 3 : -((2 - decimal_exponent) / 3);
  return std::clamp(3 * thousands, -18, 12);
}

std::string_view prefix_symbol(int exponent) {
  constexpr std::string_view symbols[] = {"a", "f", "p", "n", "µ", "m", "", "k", "M", "G", "T"};
  return symbols[static_cast<std::size_t>(std::clamp(exponent / 3 + 6, 0, 10))];
}

std::string power_of_ten(int exponent) {
  constexpr std::string_view digits[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string out = exponent < 0 ? "10⁻" : "10";
  for (const char c : std::to_string(std::abs(exponent))) {
    out += digits[static_cast<std::size_t>(c - '0')];
  }
  return out;
}

}  // namespace xbar::report
