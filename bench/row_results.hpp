#pragma once

/// What the rows of a Google Benchmark run measured, kept for ratios between them.

#include <map>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

namespace xbar_bench {

/// One value a repetition.
using Series = std::vector<double>;

/// NaN if there are no values.
[[nodiscard]] double median(Series values);
[[nodiscard]] double minimum(const Series& values);

struct Row {
  Series seconds;      ///< wall time of one iteration
  Series cpu_seconds;  ///< the same on the processor, without the interruptions
  std::map<std::string, Series> counters;

  /// Median of a counter; NaN if the row has none of that name.
  [[nodiscard]] double counter(const std::string& name) const;
};

/// Prints one line a row, with median and minimum over the repetitions, and keeps all values.
class RowReporter final : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context& context) override;
  void ReportRuns(const std::vector<Run>& runs) override;

  /// The row of that name; empty if it did not run.
  [[nodiscard]] const Row& row(const std::string& name) const;

 private:
  std::map<std::string, Row> rows_;
};

}  // namespace xbar_bench
