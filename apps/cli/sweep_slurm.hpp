#pragma once

#include <string>

namespace xbar::cli {

/// A batch script for Slurm's sbatch: an array of `tasks`, each of which runs its share of the
/// points, of any number of nodes that see the same files. Sent in again it goes on.
/// @param study, folder  absolute paths
/// @param cores          a task
[[nodiscard]] std::string slurm_script(const std::string& program, const std::string& study,
                                       const std::string& folder, int tasks, int cores,
                                       const std::string& flags);

}  // namespace xbar::cli
