#pragma once

/// Where text fits. The reader's font is unknown, so widths are estimates on the safe side (those
/// of a wide sans-serif).

#include <string>
#include <string_view>
#include <vector>

namespace xbar::report {

/// Bold text is this much wider: give text_width and wrap_text font_px * bold.
inline constexpr double bold = 1.12;

/// Estimated width in pixels of one line of `text` set at `font_px`.
double text_width(std::string_view text, double font_px);

/// `text` broken at spaces and hyphens (within words only where a word alone is too wide) into at
/// most `max_lines` lines of at most `width_px`; what does not fit ends in "…". At least one line.
std::vector<std::string> wrap_text(std::string_view text, double font_px, double width_px,
                                   int max_lines);

/// Centres moved as little as needed so that neighbours, of the given heights, do not overlap and
/// all lie in [lo, hi] (the lower bound wins if they cannot). Returned in the order given.
std::vector<double> spread_labels(const std::vector<double>& wanted,
                                  const std::vector<double>& heights, double lo, double hi);

}  // namespace xbar::report
