#include "run_folder.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/core/gemm.hpp>
#include <xbar/core/isa.hpp>
#include <xbar/core/machine.hpp>
#include <xbar/core/parallel.hpp>
#include <xbar/core/version.hpp>

#include "flags.hpp"
#include "xbar_commit.hpp"

namespace xbar::cli {
namespace fs = std::filesystem;
namespace {

// Texts of a flag that mean the same: 50e3 and 50000, or lists of such.
bool same_value(std::string_view a, std::string_view b) {
  while (true) {
    const std::size_t end_a = a.find(',');
    const std::size_t end_b = b.find(',');
    const std::string_view part_a = a.substr(0, end_a);
    const std::string_view part_b = b.substr(0, end_b);
    if (part_a != part_b) {
      const auto number = as_number<double>(part_a);
      if (!number || number != as_number<double>(part_b)) return false;
    }
    if (end_a == std::string_view::npos || end_b == std::string_view::npos) return end_a == end_b;
    a.remove_prefix(end_a + 1);
    b.remove_prefix(end_b + 1);
  }
}

}  // namespace

RunFolder::RunFolder(fs::path path, const std::string& command, const Settings& settings,
                     bool resume, const std::vector<std::string>& free)
    : path_(std::move(path)), command_(command), settings_(Json::object()) {
  for (const auto& [flag, value] : settings) settings_[flag] = value;
  const fs::path run_file = path_ / "run.json";
  if (fs::exists(path_) && !fs::is_directory(path_)) {
    throw InvalidArgument(fmt::format("out: expected a folder, {} is a file", path_.string()));
  }
  if (!fs::exists(run_file)) return;  // --resume of nothing starts from the beginning
  if (!resume) {
    throw InvalidArgument(fmt::format("out: {} holds a run already; give another folder{}",
                                      path_.string(),
                                      command == "train" ? ", or --resume to go on with it" : ""));
  }
  Json former;
  try {
    former = Json::parse(read_file(run_file));
    if (former.at("command") != command) {
      throw InvalidArgument(fmt::format("out: expected a run of {}, {} holds one of {}", command,
                                        path_.string(), former.at("command").get<std::string>()));
    }
    for (const auto& [flag, value] : former.at("settings").items()) {
      if (std::find(free.begin(), free.end(), flag) != free.end()) continue;
      if (!same_value(settings_.value(flag, std::string()), value.get<std::string>())) {
        throw InvalidArgument(fmt::format(
            "resume: the run in {} has {} = {}, expected the same, got {}", path_.string(), flag,
            value.get<std::string>(), settings_.value(flag, std::string("nothing"))));
      }
    }
    if (former.contains("results")) results_ = former.at("results");
  } catch (const nlohmann::json::exception& error) {
    throw IoError(fmt::format("{}: not a run file of xbar: {}", run_file.string(), error.what()));
  }
  remove_temporaries(path_);  // of the run, had it been killed
}

void RunFolder::save(bool finished) const {
  write_run_file(path_, command_, settings_, results_, finished);
}

void write_run_file(const fs::path& folder, const std::string& command, const Json& settings,
                    const Json& results, bool finished) {
  Json document;
  document["xbar"] = version;
  document["command"] = command;
  document["finished"] = finished;
  document["versions"] = versions();
  document["settings"] = settings;
  document["results"] = results;
  write_file_atomically(folder / "run.json", document.dump(1) + "\n");
}

Json versions() {
  return {
    {"xbar", version}, {"commit", commit},
#if defined(__clang__)
        {"compiler", fmt::format("Clang {}", __clang_version__)},
#else
        {"compiler", fmt::format("GCC {}", __VERSION__)},
#endif
        {"gemm_engine", gemm_engine()}, {"isa", isa_name(isa())}, {"cpu", cpu_name()}, {
      "threads", thread_count()
    }
  };
}

fs::path free_run_folder(const std::string& name) {
  const fs::path base = fs::path("out") / name;
  fs::path path = base;
  for (int k = 2; fs::exists(path / "run.json"); ++k) path = fmt::format("{}-{}", base.string(), k);
  return path;
}

}  // namespace xbar::cli
