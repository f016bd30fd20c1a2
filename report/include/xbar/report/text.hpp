#pragma once

/// Text for people: escaping for HTML/SVG and numbers in a readable form. Everything is UTF-8; the
/// minus sign is U+2212, the space before a unit does not break.

#include <string>
#include <string_view>

namespace xbar::report {

/// `text` made safe as HTML or SVG content and as a quoted attribute: & < > " ' become entities.
/// Bytes that are not UTF-8 become U+FFFD, control characters other than tab and newline vanish.
[[nodiscard]] std::string escape(std::string_view text);

/// `value` with `digits` significant digits (1..17), trailing zeros dropped, integer part never
/// rounded: 0.0123, 12.3, 12346, and 1.23×10⁻⁵ outside 1e-4 <= |value| < 1e6.
/// NaN is "n/a", infinities are "∞" and "−∞".
[[nodiscard]] std::string format_number(double value, int digits = 3);

/// `value` with exactly `decimals` digits (0..17) behind the point, for columns that line up: 95.0.
/// From 1e15 on like format_number.
[[nodiscard]] std::string format_fixed(double value, int decimals);

/// `value` in `unit` with an SI prefix where the unit takes one (A, V, W, J, S, F, H, C, Hz, s,
/// ohm, m, K is left alone): 0.0382 V -> "38.2 mV", 20e3 ohm -> "20 kΩ". Other units ("%", "epoch")
/// follow the plain number.
[[nodiscard]] std::string format_si(double value, std::string_view unit, int digits = 3);

}  // namespace xbar::report
