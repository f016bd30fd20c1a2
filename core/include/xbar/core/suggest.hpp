#pragma once

/// "Did you mean": the nearest of a list of names.

#include <span>
#include <string>
#include <string_view>

namespace xbar {

/// The candidate with the smallest edit distance (Damerau-Levenshtein, '-' and '_' alike) to
/// `word`, if it is at most a third of the word's length plus one away; else an empty string.
[[nodiscard]] std::string nearest(std::string_view word, std::span<const std::string> candidates);

/// What a message says behind an unknown name: "; did you mean NEAREST?", or nothing.
[[nodiscard]] std::string did_you_mean(std::string_view word, std::span<const std::string> names);

}  // namespace xbar
