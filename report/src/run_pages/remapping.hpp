#pragma once

/// A network with its columns and rows as trained against the same with them re-arranged.

#include <optional>
#include <string>
#include <vector>

#include "parts.hpp"

namespace xbar::report::pages {

/// What one order gives on the test images.
struct OrderAccuracy {
  double accuracy = 0;  ///< a share, as the next two
  std::optional<double> gain;
  std::optional<double> batch_norm;
  double loss = 0;
  std::vector<double> layer_error;  ///< of the effective weights, relative
};

/// The arrays after a change, in the order from before and re-mapped again.
struct LaterChange {
  double changed = 0;  ///< accuracies
  double remapped = 0;
  double rewritten = 0;  ///< share of the weights
  double seconds = 0;
};

struct Comparison {
  Technology technology;
  std::string strategy;
  OrderAccuracy as_is;
  OrderAccuracy remapped;
  double seconds = 0;
  std::optional<LaterChange> later;
  long long put_right = 0;     ///< images wrong as trained and right re-mapped
  long long spoilt = 0;        ///< the other way round
  std::string surrogate;       ///< what stood in for the circuit: "exact", "sneak-ladder"
  double surrogate_error = 0;  ///< the largest measured, a share; 0 for the exact circuit

  [[nodiscard]] double gain() const { return remapped.accuracy - as_is.accuracy; }
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
