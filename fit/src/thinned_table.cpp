#include "thinned_table.hpp"

#include <algorithm>
#include <cmath>

namespace xbar::fit {
namespace {

// Levels at which quantiles are compared, in the middles of equal parts of 0 to 1.
constexpr int levels = 100;
double level_of(int k) { return (k + 0.5) / levels; }

/// How far `level` is from the probabilities of row `row` at `change`. What lies beyond the ends
/// is at them, so that a range of levels leads there.
double distance(const StepDistribution& table, Index row, double change, double level) {
  const std::vector<double>& at = table.change_siemens;
  const auto last = static_cast<Index>(at.size()) - 1;
  if (change <= at.front()) return std::max(0.0, level - table.cumulative(row, 0));
  if (change >= at.back()) return std::max(0.0, table.cumulative(row, last) - level);
  const auto above =
      static_cast<Index>(std::upper_bound(at.begin(), at.end(), change) - at.begin());
  const double low = at[static_cast<std::size_t>(above - 1)];
  const double along = (change - low) / (at[static_cast<std::size_t>(above)] - low);
  const double p =
      table.cumulative(row, above - 1) * (1 - along) + table.cumulative(row, above) * along;
  return std::abs(p - level);
}

/// The columns at the ends of as long straight pieces as all rows have within the tolerance.
std::vector<Index> kept_columns(const StepDistribution& full, double tolerance) {
  const auto count = static_cast<Index>(full.change_siemens.size());
  const auto is_straight = [&](Index a, Index b) {
    const double begin = full.change_siemens[static_cast<std::size_t>(a)];
    const double end = full.change_siemens[static_cast<std::size_t>(b)];
    for (Index j = a + 1; j < b; ++j) {
      const double along =
          (full.change_siemens[static_cast<std::size_t>(j)] - begin) / (end - begin);
      const auto line = full.cumulative.col(a) * (1 - along) + full.cumulative.col(b) * along;
      if ((full.cumulative.col(j) - line).cwiseAbs().maxCoeff() > tolerance) return false;
    }
    return true;
  };
  std::vector<Index> kept = {0};
  while (kept.back() < count - 1) {
    Index next = kept.back() + 1;
    while (next + 1 < count && is_straight(kept.back(), next + 1)) ++next;
    kept.push_back(next);
  }
  return kept;
}

StepDistribution part(const StepDistribution& full, Index stride, const std::vector<Index>& columns,
                      double unit) {
  StepDistribution thin;
  thin.name = full.name;
  const auto rows = (static_cast<Index>(full.conductance_siemens.size()) - 1) / stride + 1;
  thin.cumulative.resize(rows, static_cast<Index>(columns.size()));
  for (const Index j : columns) {
    thin.change_siemens.push_back(full.change_siemens[static_cast<std::size_t>(j)]);
  }
  for (Index i = 0; i < rows; ++i) {
    thin.conductance_siemens.push_back(
        full.conductance_siemens[static_cast<std::size_t>(i * stride)]);
    for (std::size_t j = 0; j < columns.size(); ++j) {
      // Division by a whole number gives the shortest decimals.
      thin.cumulative(i, static_cast<Index>(j)) =
          std::round(full.cumulative(i * stride, columns[j]) / unit) / std::round(1 / unit);
    }
  }
  return thin;
}

}  // namespace

double quantile(const StepDistribution& table, Index row, double level) {
  const std::vector<double>& at = table.change_siemens;
  const auto count = static_cast<Index>(at.size());
  const double* const p = table.cumulative.data() + row * count;
  const auto above = std::lower_bound(p, p + count, level) - p;
  if (above == 0) return at.front();
  if (above == count) return at.back();
  const double along = (level - p[above - 1]) / (p[above] - p[above - 1]);
  const double low = at[static_cast<std::size_t>(above - 1)];
  return low + along * (at[static_cast<std::size_t>(above)] - low);
}

double thinning_error(const StepDistribution& full, const StepDistribution& thin) {
  const auto rows = static_cast<Index>(full.conductance_siemens.size());
  const auto pieces = static_cast<Index>(thin.conductance_siemens.size()) - 1;
  const Index stride = (rows - 1) / pieces;
  double largest = 0;
  for (Index i = 0; i < rows; ++i) {
    const Index piece = std::min(i / stride, pieces - 1);
    const double along = static_cast<double>(i - piece * stride) / static_cast<double>(stride);
    for (int k = 0; k < levels; ++k) {
      const double change = quantile(thin, piece, level_of(k)) * (1 - along) +
                            quantile(thin, piece + 1, level_of(k)) * along;
      largest = std::max(largest, distance(full, i, change, level_of(k)));
    }
  }
  return largest;
}

StepDistribution thinned(const StepDistribution& full, double tolerance) {
  const double unit = std::pow(10.0, std::floor(std::log10(tolerance / 10)));
  // Half of what is allowed for the columns, so that something is left for the rows.
  const std::vector<Index> columns = kept_columns(full, tolerance / 2);
  const auto intervals = static_cast<Index>(full.conductance_siemens.size()) - 1;
  for (Index stride = intervals; stride >= 1; --stride) {
    if (intervals % stride != 0) continue;
    StepDistribution thin = part(full, stride, columns, unit);
    if (thinning_error(full, thin) <= tolerance) return thin;
  }
  return full;
}

}  // namespace xbar::fit
