#pragma once

/// Surrogate studies as text, CSV and JSON.

#include <string>
#include <vector>

#include <xbar/device/conductance_range.hpp>
#include <xbar/validation/surrogate_study.hpp>

#include "run_folder.hpp"

namespace xbar::cli {

/// A table on stdout: a line a point, a column a model.
void print_study(const std::vector<validation::StudyRow>& rows);

/// CSV with a commented header; errors as shares of the largest current.
[[nodiscard]] std::string study_csv(const std::vector<validation::StudyRow>& rows);

[[nodiscard]] Json to_json(const std::vector<validation::StudyRow>& rows);

}  // namespace xbar::cli
