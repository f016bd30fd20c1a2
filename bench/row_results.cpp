#include "row_results.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <fmt/format.h>

namespace xbar_bench {

double median(Series values) {
  if (values.empty()) return std::nan("");
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : 0.5 * (values[middle - 1] + values[middle]);
}

double minimum(const Series& values) {
  return values.empty() ? std::nan("") : *std::min_element(values.begin(), values.end());
}

double Row::counter(const std::string& name) const {
  const auto found = counters.find(name);
  return found == counters.end() ? std::nan("") : median(found->second);
}

bool RowReporter::ReportContext(const Context& context) {
  PrintBasicContext(&GetErrorStream(), context);
  fmt::print("{:<42} {:>12} {:>12} {:>5}\n", "row", "median, ms", "minimum, ms", "runs");
  return true;
}

void RowReporter::ReportRuns(const std::vector<Run>& runs) {
  for (const Run& run : runs) {
    // Google Benchmark's aggregates are recomputed here. A run without iterations was skipped; the
    // row that did so has said why.
    if (run.run_type != Run::RT_Iteration || run.iterations == 0) continue;
    Row& row = rows_[run.run_name.function_name];
    const auto iterations = static_cast<double>(run.iterations);
    row.seconds.push_back(run.real_accumulated_time / iterations);
    row.cpu_seconds.push_back(run.cpu_accumulated_time / iterations);
    for (const auto& [name, counter] : run.counters) row.counters[name].push_back(counter.value);
  }
  if (runs.empty() || runs.front().run_type != Run::RT_Iteration) return;
  const std::string& name = runs.front().run_name.function_name;
  const Row& measured = row(name);
  fmt::print("{:<42} {:>12.4f} {:>12.4f} {:>5}", name, 1e3 * median(measured.seconds),
             1e3 * minimum(measured.seconds), measured.seconds.size());
  for (const auto& [counter, values] : measured.counters) {
    fmt::print("  {}={:.3g}", counter, median(values));
  }
  fmt::print("\n");
  std::fflush(stdout);
}

const Row& RowReporter::row(const std::string& name) const {
  static const Row none;
  const auto found = rows_.find(name);
  return found == rows_.end() ? none : found->second;
}

}  // namespace xbar_bench
