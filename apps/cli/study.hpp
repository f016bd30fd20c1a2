#pragma once

/// What validation finds, as text, CSV and JSON.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <xbar/validation/known_results.hpp>
#include <xbar/validation/study.hpp>
#include <xbar/validation/update_study.hpp>
#include <xbar/validation/verdict.hpp>

#include "run_folder.hpp"

namespace xbar::cli {

/// Square arrays of one technology after the other, each with random uniform weights.
[[nodiscard]] validation::StudyPoint study_point(const surrogate::CalibrationPoint& technology);

/// A table on stdout: a line a point, a column a model.
void print_study(std::span<const validation::StudyRow> rows);

/// "256 x 256, R_on 5 kΩ, lines 10 Ω, source 100 Ω, sink 100 Ω, clustered"
[[nodiscard]] std::string place(const validation::StudyPoint& point);

/// "0.0431 %"
[[nodiscard]] std::string error_text(double share);

/// CSV with a commented header. `provenance`: lines without the "# ", ended by newlines.
[[nodiscard]] std::string study_csv(std::span<const validation::StudyRow> rows,
                                    std::string_view provenance);
[[nodiscard]] std::string update_csv(std::span<const validation::UpdateRow> rows,
                                     double update_share, std::string_view provenance);
[[nodiscard]] std::string verdict_csv(std::span<const validation::Verdict> verdicts,
                                      std::string_view provenance);

[[nodiscard]] Json to_json(std::span<const validation::StudyRow> rows);
[[nodiscard]] Json to_json(std::span<const validation::UpdateRow> rows);
[[nodiscard]] Json to_json(std::span<const validation::Verdict> verdicts);
[[nodiscard]] Json to_json(std::span<const validation::LossRow> rows);
[[nodiscard]] Json to_json(std::span<const validation::ClosedFormRow> rows);

}  // namespace xbar::cli
