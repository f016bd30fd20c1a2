#include "sweep_slurm.hpp"

#include <fmt/format.h>

namespace xbar::cli {
namespace {

// As one word of a shell.
std::string word(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

}  // namespace

std::string slurm_script(const std::string& program, const std::string& study,
                         const std::string& folder, int tasks, int cores,
                         const std::string& flags) {
  return fmt::format(
      "#!/bin/bash\n"
      "#SBATCH --job-name=xbar-sweep\n"
      "#SBATCH --array=0-{last}\n"
      "#SBATCH --cpus-per-task={cores}\n"
      "#SBATCH --output={folder}/slurm-%a.txt\n"
      "# Points that have ended are not run again: send it in again after a time limit.\n"
      "exec {program} sweep --config {study} --out {folder_word} --resume{flags} \\\n"
      "  --share \"$SLURM_ARRAY_TASK_ID/{tasks}\"\n",
      fmt::arg("last", tasks - 1), fmt::arg("cores", cores), fmt::arg("folder", folder),
      fmt::arg("program", word(program)), fmt::arg("study", word(study)),
      fmt::arg("folder_word", word(folder)), fmt::arg("flags", flags), fmt::arg("tasks", tasks));
}

}  // namespace xbar::cli
