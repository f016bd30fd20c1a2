#include "sweep_runner.hpp"

#include <algorithm>
#include <chrono>
#include <list>
#include <thread>

#include <fmt/format.h>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/core/stopwatch.hpp>

#include "child_process.hpp"
#include "console.hpp"
#include "mpi_session.hpp"

namespace xbar::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr int interrupted_code = 130;
constexpr auto pause = std::chrono::milliseconds(5);

struct Job {
  std::size_t point;
  ChildProcess process;
  Stopwatch watch;
};

std::string with_folder(std::string text, const std::string& folder) {
  const std::string place = "{point}";
  for (std::size_t at = 0; (at = text.find(place, at)) != std::string::npos; at += folder.size()) {
    text.replace(at, place.size(), folder);
  }
  return text;
}

class Runner {
 public:
  Runner(const SweptCommand& command, const std::vector<sweep::Point>& points,
         const SweepFolder& folder, const RunnerOptions& options)
      : command_(command), points_(points), folder_(folder), options_(options) {}

  void run(PointQueue& queue, const std::function<void(std::size_t)>& show) {
    while (!queue.exhausted() || !jobs_.empty() || queue.others_at_work()) {
      if (interrupt_requested()) end_jobs();
      while (jobs_.size() < static_cast<std::size_t>(options_.jobs)) {
        const auto point = queue.take();
        if (!point) break;
        jobs_.push_back({*point, start(points_[*point]), {}});
      }
      for (auto job = jobs_.begin(); job != jobs_.end();) {
        const auto end = job->process.poll();
        if (!end) {
          ++job;
          continue;
        }
        const Job ended = std::move(*job);
        job = jobs_.erase(job);
        // By a signal to all processes of the terminal or the batch system.
        if (!end->by_signal && end->code == interrupted_code) end_jobs();
        record(ended, *end);
        queue.ended();
      }
      queue.serve();
      show(queue.ended_count());
      std::this_thread::sleep_for(pause);
    }
  }

 private:
  [[nodiscard]] ChildProcess start(const sweep::Point& point) const {
    const fs::path folder = fs::absolute(folder_.of(point));
    const fs::path run = folder / "run";
    const bool goes_on = command_.can_resume && fs::exists(run / "run.json");
    if (!goes_on) fs::remove_all(folder);
    write_file_atomically(folder / "config.toml", with_folder(point.config, folder.string()));
    std::vector<std::string> line = {fs::read_symlink("/proc/self/exe").string(), command_.name,
                                     "--config", (folder / "config.toml").string()};
    if (command_.has_folder) line.insert(line.end(), {"--out", run.string()});
    if (command_.has_json) line.emplace_back("--json");
    if (goes_on) line.emplace_back("--resume");
    auto environment = MpiSession::hidden_variables();
    environment.emplace_back("OMP_NUM_THREADS", fmt::to_string(options_.threads));
    environment.emplace_back("OMP_WAIT_POLICY", "passive");
    return {line, environment, folder / "output.txt", folder / "error.txt"};
  }

  void record(const Job& job, const ProcessEnd& end) const {
    const sweep::Point& point = points_[job.point];
    const fs::path folder = folder_.of(point);
    PointRecord record{end.code, "", job.watch.seconds(), Json::object()};
    if (end.code != 0) {
      record.error = end.by_signal ? fmt::format("ended by signal {}", end.code - 128)
                                   : last_line(read_file(folder / "error.txt"));
    }
    // After code 1 a check has failed, results are there.
    if (end.code <= 1) record.results = results(folder);
    folder_.write(point, record);
  }

  [[nodiscard]] Json results(const fs::path& folder) const {
    try {
      if (fs::exists(folder / "run/run.json")) {
        return Json::parse(read_file(folder / "run/run.json")).at("results");
      }
      if (command_.has_json) return Json::parse(read_file(folder / "output.txt"));
    } catch (const nlohmann::json::exception& error) {
      throw IoError(fmt::format("{}: expected results as JSON: {}", folder.string(), error.what()));
    }
    return Json::object();
  }

  static std::string last_line(std::string text) {
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text.substr(text.rfind('\n') + 1);
  }

  // Commands save what they can and stop; what they have not finished is no point yet.
  [[noreturn]] void end_jobs() {
    for (const Job& job : jobs_) job.process.ask_to_end();
    while (!jobs_.empty()) {
      jobs_.remove_if([](Job& job) { return job.process.poll().has_value(); });
      std::this_thread::sleep_for(pause);
    }
    throw Interrupted("interrupted");
  }

  const SweptCommand& command_;
  const std::vector<sweep::Point>& points_;
  const SweepFolder& folder_;
  const RunnerOptions& options_;
  std::list<Job> jobs_;
};

}  // namespace

void run_points(const SweptCommand& command, const std::vector<sweep::Point>& points,
                const SweepFolder& folder, const RunnerOptions& options, PointQueue& queue,
                const std::function<void(std::size_t)>& show) {
  Runner(command, points, folder, options).run(queue, show);
}

}  // namespace xbar::cli
