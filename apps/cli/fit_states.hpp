#pragma once

/// Distributions of steps and cycling between two states as text: JSON, tables for the page, lines.

#include <string>

#include <xbar/fit/cycling_fit.hpp>
#include <xbar/fit/distribution_fit.hpp>

#include "run_folder.hpp"

namespace xbar::cli {

[[nodiscard]] Json distribution_results(const fit::DistributionFit& found);
[[nodiscard]] std::string distribution_text(const fit::DistributionFit& found);
/// A row a conductance of either direction: mean change, quantiles, the nearest model's.
[[nodiscard]] std::string distribution_csv(const fit::DistributionFit& found);

[[nodiscard]] Json cycling_results(const fit::CyclingFit& found);
[[nodiscard]] std::string cycling_text(const fit::CyclingFit& found);
/// A row a cell: its mean conductances.
[[nodiscard]] std::string cycling_csv(const fit::CyclingFit& found);

}  // namespace xbar::cli
