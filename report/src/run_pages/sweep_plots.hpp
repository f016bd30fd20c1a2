#pragma once

/// A number of every point of a sweep against one of its keys.

#include <string>
#include <vector>

#include "sweep_results.hpp"

namespace xbar::report::pages {

struct SweepFigure {
  std::string svg;
  std::string caption;
};

/// Lines over a key of numbers, bars for one of words. Each setting of the other keys is a series
/// of its own, where they are few; else their mean and range, or a mark a point.
/// @param keys  that settings differ in
[[nodiscard]] SweepFigure against(const sweep::Table& points, const std::vector<std::string>& keys,
                                  const SweepResult& result, const std::string& key);

}  // namespace xbar::report::pages
