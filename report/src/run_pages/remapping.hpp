#pragma once

/// A network with its columns as trained against the same with its columns re-arranged.

#include <string>

#include "parts.hpp"

namespace xbar::report::pages {

struct Comparison {
  Technology technology;
  double as_is = 0;  ///< accuracies are shares
  double as_is_loss = 0;
  double remapped = 0;
  double remapped_loss = 0;
  long long put_right = 0;     ///< images wrong as trained and right re-mapped
  long long spoilt = 0;        ///< the other way round
  std::string surrogate;       ///< what stood in for the circuit: "exact", "sneak-ladder"
  double surrogate_error = 0;  ///< the largest measured, a share; 0 for the exact circuit

  [[nodiscard]] double gain() const { return remapped - as_is; }
  /// Whether the sign test calls the difference more than chance, at 5 %.
  [[nodiscard]] bool significant() const;
};

[[nodiscard]] Comparison comparison(const Value& value);

/// "srs" -> "SRS"
[[nodiscard]] std::string strategy_label(const std::string& name);

/// What changed, and whether chance does as much: two plain sentences.
[[nodiscard]] std::string sign_test_words(const Comparison& comparison);

/// "53 %", "0.3 %", "less than 0.1 %"
[[nodiscard]] std::string chance(double probability);

}  // namespace xbar::report::pages
