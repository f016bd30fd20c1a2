#pragma once

/// The page of a run folder.

#include <filesystem>
#include <string>

namespace xbar::report {

/// Reads FOLDER/run.json and the files that it names and makes one self-contained HTML page of
/// them: verdict and headline numbers on top, then the plots and tables of the command that wrote
/// the run (quickstart, train, evaluate, validate, remap, device, program, fit, sweep).
/// @throws IoError if there is no run.json, or it or a file it names is damaged; InvalidArgument if
///         the command has no page
[[nodiscard]] std::string run_page(const std::filesystem::path& folder);

/// Two run folders side by side on one page: the settings that differ, the results with their
/// differences, the curves of both in the same plots. Runs of different commands share what numbers
/// they have under the same names.
/// @throws IoError as run_page
[[nodiscard]] std::string comparison_page(const std::filesystem::path& first,
                                          const std::filesystem::path& second);

}  // namespace xbar::report
