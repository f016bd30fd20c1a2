#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/core/parallel.hpp>
#include <xbar/core/suggest.hpp>

#include "commands.hpp"
#include "console.hpp"
#include "flags.hpp"
#include "mpi_session.hpp"
#include "run_folder.hpp"
#include "sweep_runner.hpp"
#include "sweep_slurm.hpp"
#include "verbosity.hpp"

namespace xbar::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_checked = 2000;  // settings

class SweepCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "sweep"; }
  [[nodiscard]] std::string description() const override {
    return "one command over many settings and seeds";
  }
  [[nodiscard]] bool reads_config() const override { return true; }

  void declare(CLI::App& app) override {
    require(app.add_option("--out", out_path_, "folder of the sweep")->type_name("DIR"));
    app.add_flag("--resume", resume_, "go on with the sweep in --out; its study may have grown");
    app.add_flag("--retry-failed", retry_failed_, "with --resume: run failed points again");
    app.add_option("--jobs", jobs_,
                   "points at the same time; 0: as many as --threads of each leave cores for, with "
                   "MPI one a rank");
    app.add_option("--threads", threads_,
                   "of each point; 0: one, with MPI those that its rank has cores for");
    app.add_flag("--list", list_, "print the points and stop");
    app.add_flag("--slurm", slurm_, "write DIR/sweep.sbatch, a Slurm job array, and stop");
    app.add_option("--slurm-tasks", slurm_tasks_, "of the array");
    app.add_option("--share", share_, "K/N: run the points K, K + N, K + 2N, ... only");
  }

  int run() override {
    if (config_path().empty()) {
      throw InvalidArgument("sweep: --config is required (the study; docs/sweeps.md)");
    }
    if (jobs_ < 0 || threads_ < 0 || slurm_tasks_ < 1) {
      throw InvalidArgument(
          "sweep: --jobs and --threads: expected 0 or more, --slurm-tasks: 1 or more");
    }
    read_share();
    const std::string text = read_file(config_path());
    const sweep::Study study = sweep::parse_study(text, config_path());
    const std::vector<sweep::Point> points = sweep::points_of(study);
    const SweptCommand command = check(study, points);
    if (list_) {
      for (const sweep::Point& point : points) {
        fmt::print("{}", point.identity);
        for (const auto& [key, value] : point.swept) fmt::print("  {} = {}", key, value);
        fmt::print("\n");
      }
      return 0;
    }
    const SweepFolder folder(out_path_);
    if (fs::exists(folder.path() / "study.toml") && !resume_) {
      throw InvalidArgument(fmt::format(
          "out: {} holds a sweep already; give another folder, or --resume to go on with it",
          out_path_));
    }
    if (fs::exists(folder.path() / "run.json") && !fs::exists(folder.path() / "study.toml")) {
      throw InvalidArgument(fmt::format(
          "out: expected a folder of a sweep, {} holds a run; give another folder", out_path_));
    }
    if (slurm_) return write_slurm_script(folder, text, points.size());
    const std::unique_ptr<MpiSession> mpi = MpiSession::start();
    if (mpi && of_ > 1) throw InvalidArgument("--share: expected without MPI, found both");
    const bool first = !mpi || mpi->rank() == 0;
    std::unique_ptr<FolderLock> lock;
    if (first) {
      lock = std::make_unique<FolderLock>(folder.path(), of_ > 1 ? fmt::to_string(part_) : "");
      write_file_atomically(folder.path() / "study.toml", text);
    }
    const std::vector<std::size_t> open =
        first ? open_points(folder, points) : std::vector<std::size_t>();
    const std::unique_ptr<PointQueue> queue =
        mpi ? mpi->queue(open) : std::unique_ptr<PointQueue>(std::make_unique<LocalQueue>(open));
    {
      ProgressBar bar("", "points");
      const auto show = [&](std::size_t ended) {
        if (!first) return;
        bar.show({study.command, static_cast<double>(ended), static_cast<double>(open.size()), ""});
      };
      try {
        run_points(command, points, folder, runner_options(mpi.get()), *queue, show);
      } catch (const Interrupted&) {
        if (first) write_results(study, folder, points);
        throw Interrupted(
            fmt::format("interrupted; go on with xbar sweep --config {} --out {} --resume",
                        config_path(), out_path_));
      }
    }
    if (mpi) mpi->wait_for_all();
    return first ? finish(study, folder, points) : 0;
  }

 private:
  void read_share() {
    if (share_.empty()) return;
    const std::size_t slash = std::min(share_.find('/'), share_.size() - 1);
    const int part = as_number<int>(share_.substr(0, slash)).value_or(-1);
    const int of = as_number<int>(share_.substr(slash + 1)).value_or(0);
    if (part < 0 || part >= of) {
      throw InvalidArgument(fmt::format("--share: expected K/N with 0 <= K < N, got '{}'", share_));
    }
    part_ = static_cast<std::size_t>(part);
    of_ = static_cast<std::size_t>(of);
  }

  // That every point could run, before the first does.
  [[nodiscard]] SweptCommand check(const sweep::Study& study,
                                   const std::vector<sweep::Point>& points) const {
    std::vector<std::string> names;
    for (const auto& command : all_commands()) {
      if (command->name() != name()) names.push_back(command->name());
    }
    if (std::find(names.begin(), names.end(), study.command) == names.end()) {
      throw InvalidArgument(fmt::format("{}: command: expected one of xbar, got '{}'{}",
                                        config_path(), study.command,
                                        did_you_mean(study.command, names)));
    }
    SweptCommand found;
    found.name = study.command;
    const std::size_t runs = std::max<std::size_t>(study.seeds.size(), 1);
    for (std::size_t k = 0; k < std::min(points.size(), most_checked * runs); k += runs) {
      CLI::App program;
      const std::unique_ptr<Command> command = named(study.command);
      command->attach(program);
      const CLI::App& app = *command->app();
      const CLI::Option* out = app.get_option_no_throw("--out");
      const CLI::Option* resume = app.get_option_no_throw("--resume");
      found.has_json = app.get_option_no_throw("--json") != nullptr;
      found.has_folder = out != nullptr && out->get_type_name() == "DIR";
      found.can_resume = found.has_folder && resume != nullptr && resume->get_items_expected() == 0;
      const std::string& config = points[k].config;
      if (found.has_folder && ("\n" + config).find("\nout = ") != std::string::npos) {
        throw InvalidArgument(fmt::format(
            "{}: key 'out': the sweep gives each point a folder; leave it away", config_path()));
      }
      if (out != nullptr && !found.has_folder && config.find("{point}") == std::string::npos) {
        throw InvalidArgument(
            fmt::format("{}: key 'out': expected a file in the folder of the point, as \"{{point}}/"
                        "result.npy\"",
                        config_path()));
      }
      command->check_config(config, config_path());
    }
    return found;
  }

  static std::unique_ptr<Command> named(const std::string& name) {
    std::vector<std::unique_ptr<Command>> commands = all_commands();
    return std::move(*std::find_if(commands.begin(), commands.end(),
                                   [&](const auto& one) { return one->name() == name; }));
  }

  [[nodiscard]] std::vector<std::size_t> open_points(
      const SweepFolder& folder, const std::vector<sweep::Point>& points) const {
    std::vector<std::size_t> open;
    for (std::size_t k = part_; k < points.size(); k += of_) {
      const std::optional<PointRecord> record = folder.record(points[k]);
      if (!record || (retry_failed_ && record->exit_code != 0)) open.push_back(k);
    }
    return open;
  }

  [[nodiscard]] RunnerOptions runner_options(const MpiSession* mpi) const {
    RunnerOptions options;
    options.threads = threads_ > 0 ? threads_ : mpi != nullptr ? thread_count() : 1;
    options.jobs = jobs_ > 0        ? jobs_
                   : mpi != nullptr ? 1
                                    : std::max(thread_count() / options.threads, 1);
    return options;
  }

  [[nodiscard]] int write_slurm_script(const SweepFolder& folder, const std::string& text,
                                       std::size_t points) const {
    write_file_atomically(folder.path() / "study.toml", text);
    const std::string absolute = fs::absolute(folder.path()).string();
    const int tasks = std::min(slurm_tasks_, static_cast<int>(points));
    const int cores = std::max(jobs_, 1) * std::max(threads_, 1);
    const std::string flags =
        fmt::format(" --jobs {} --threads {}", std::max(jobs_, 1), std::max(threads_, 1));
    write_file_atomically(folder.path() / "sweep.sbatch",
                          slurm_script(fs::read_symlink("/proc/self/exe").string(),
                                       absolute + "/study.toml", absolute, tasks, cores, flags));
    remark("{} points in {} tasks\nwritten to {}/sweep.sbatch\nnext: sbatch {}/sweep.sbatch\n",
           points, tasks, out_path_, out_path_);
    return 0;
  }

  SweepFolder::Count write_results(const sweep::Study& study, const SweepFolder& folder,
                                   const std::vector<sweep::Point>& points) const {
    const SweepFolder::Count count = folder.write_tables(study, points);
    Json stated = {{"config", config_path()}};
    for (const auto& [flag, value] : settings()) stated[flag] = value;
    Json keys = Json::array();
    for (const std::string& key : swept_names(points)) keys.push_back(key);
    write_run_file(folder.path(), name(), stated,
                   {{"command", study.command},
                    {"sampling", sweep::sampling_name(study.design.sampling)},
                    {"keys", keys},
                    {"points", points.size()},
                    {"done", count.ended - count.failed},
                    {"failed", count.failed},
                    {"table", "table.csv"},
                    {"times", "times.csv"}},
                   count.ended == points.size());
    return count;
  }

  [[nodiscard]] int finish(const sweep::Study& study, const SweepFolder& folder,
                           const std::vector<sweep::Point>& points) const {
    const SweepFolder::Count count = write_results(study, folder, points);
    fmt::print("{} of {} points done{}\n", count.ended - count.failed, points.size(),
               count.failed > 0 ? fmt::format(", {} failed", count.failed) : "");
    remark("written to {}: table.csv{}, times.csv{}\n", out_path_,
           sweep::has_hdf5() ? ", table.h5" : "", study.seeds.size() > 1 ? ", summary.csv" : "");
    remark("next: xbar report {}\n", out_path_);
    if (count.failed == 0) return 0;
    remark("the column 'error' says why; --resume --retry-failed runs them again\n");
    return 1;
  }

  std::string out_path_;
  bool resume_ = false;
  bool retry_failed_ = false;
  int jobs_ = 0;
  int threads_ = 0;
  bool list_ = false;
  bool slurm_ = false;
  int slurm_tasks_ = 16;
  std::string share_;
  std::size_t part_ = 0;
  std::size_t of_ = 1;
};

}  // namespace

std::unique_ptr<Command> make_sweep_command() { return std::make_unique<SweepCommand>(); }

}  // namespace xbar::cli
