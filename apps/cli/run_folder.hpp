#pragma once

/// The folder of one run: run.json with what was asked and what came out, beside the files.

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace xbar::cli {

using Json = nlohmann::ordered_json;

/// Flags and values of a run.
using Settings = std::vector<std::pair<std::string, std::string>>;

class RunFolder {
 public:
  /// Takes `path` for a run of `command`. Without `resume` the folder must not hold a run yet; with
  /// it, it must hold one of the same command and settings (flags named in `free` may differ).
  /// Nothing is written before the first save().
  /// @throws InvalidArgument, IoError
  RunFolder(std::filesystem::path path, const std::string& command, const Settings& settings,
            bool resume, const std::vector<std::string>& free = {});

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path file(const std::string& name) const { return path_ / name; }

  /// The results so far: an object that save() writes under its keys beside command and settings.
  [[nodiscard]] Json& results() { return results_; }

  /// Writes run.json, atomically, with versions() beside the rest. `finished` says that nothing
  /// more will come.
  void save(bool finished) const;

 private:
  std::filesystem::path path_;
  std::string command_;
  Json settings_;
  Json results_ = Json::object();
};

/// run.json of a folder, atomically, as RunFolder::save().
void write_run_file(const std::filesystem::path& folder, const std::string& command,
                    const Json& settings, const Json& results, bool finished);

/// What computed: version and commit of xbar, compiler, matrix-multiply engine, instruction set,
/// threads.
[[nodiscard]] Json versions();

/// First of out/NAME, out/NAME-2, out/NAME-3, ... that holds no run.
[[nodiscard]] std::filesystem::path free_run_folder(const std::string& name);

}  // namespace xbar::cli
