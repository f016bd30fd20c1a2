#pragma once

/// Fits as text: JSON for run.json, tables for the page, lines for a person.

#include <string>
#include <vector>

#include <xbar/fit/iv_fit.hpp>
#include <xbar/fit/pulse_fit.hpp>

#include "run_folder.hpp"

namespace xbar::cli {

[[nodiscard]] Json estimate_json(const fit::Estimate& e);
[[nodiscard]] Json estimates_json(const std::vector<fit::Estimate>& estimates);
/// "sinh_alpha 1.48 (1.45 to 1.51)"
[[nodiscard]] std::string estimate_text(const fit::Estimate& e);

/// A row a reading: measured, the model's own curve, predicted from all readings before.
[[nodiscard]] std::string residuals_csv(const fit::PulseFit& found);
/// A row a point of the branches, with the best model.
[[nodiscard]] std::string sweep_csv(const fit::IvData& data, const fit::IvFit& found);

[[nodiscard]] Json sweep_results(const fit::IvData& data, const fit::IvFit& found);
[[nodiscard]] std::string sweep_text(const fit::IvData& data, const fit::IvFit& found);
[[nodiscard]] Json pulse_results(const fit::PulseFit& found);
[[nodiscard]] std::string pulse_text(const fit::PulseFit& found);

}  // namespace xbar::cli
