#pragma once

/// From conductances read again and again to the exponent of drift.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <xbar/fit/estimate.hpp>

namespace xbar::fit {

struct RetentionData {
  std::string name;             ///< of the file, for messages
  std::vector<double> second;   ///< > 0, rising
  std::vector<double> reading;  ///< current at one voltage, or conductance; > 0
};

/// Reads rows of time, second, and reading; one heading is skipped.
/// @throws IoError naming file and line, what was expected and what was found
[[nodiscard]] RetentionData parse_retention_data(std::string_view text, const std::string& name);
[[nodiscard]] RetentionData read_retention_data(const std::filesystem::path& path);

/// reading(t) = reading(t0) (t/t0)^-nu (device/drift.hpp), t0 the first time.
struct RetentionFit {
  Estimate exponent;       ///< nu; negative: the readings rise
  Estimate start;          ///< ln of the reading at t0
  double rms = 0;          ///< of ln(reading) about the law
  double correlation = 0;  ///< of neighbouring residuals; the intervals allow for it
};

/// Ordinary least squares of ln(reading) on ln(t/t0). With residuals of neighbours correlated by c
/// the variances are those of independent ones times (1 + c)/(1 - c).
[[nodiscard]] RetentionFit fit_retention(const RetentionData& data);

}  // namespace xbar::fit
