#pragma once

/// SI prefixes and powers of ten, shared by number formatting and axes.

#include <string>
#include <string_view>

namespace xbar::report {

/// Whether `unit` is written with SI prefixes (see format_si).
bool takes_prefix(std::string_view unit);

/// The unit as printed: "ohm" is Ω.
std::string_view unit_symbol(std::string_view unit);

/// The multiple of three at or below `decimal_exponent` that has a prefix, -18 .. 12.
int prefix_exponent(int decimal_exponent);

/// "m" for -3, "" for 0, "k" for 3.
std::string_view prefix_symbol(int exponent);

/// 10⁻⁵ in Unicode superscripts.
std::string power_of_ten(int exponent);

}  // namespace xbar::report
