#pragma once

/// The page of a run folder.

#include <filesystem>
#include <string>

namespace xbar::report {

/// Reads FOLDER/run.json and the files that it names and makes one self-contained HTML page of
/// them: verdict and headline numbers on top, then the plots and tables of the command that wrote
/// the run (quickstart, train, validate, remap, device, program,
/// fit).
/// @throws IoError if there is no run.json, or it or a file it names is damaged; InvalidArgument if
///         the command has no page
[[nodiscard]] std::string run_page(const std::filesystem::path& folder);

}  // namespace xbar::report
