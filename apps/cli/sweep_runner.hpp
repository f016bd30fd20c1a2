#pragma once

/// Runs the points of a sweep, several at a time, each as a process of its own: what goes wrong in
/// one is its own matter.

#include <functional>
#include <string>
#include <vector>

#include "point_queue.hpp"
#include "sweep_folder.hpp"

namespace xbar::cli {

/// What is known of the command that a study runs.
struct SweptCommand {
  std::string name;
  bool has_json = false;    ///< --json: results come on standard output
  bool has_folder = false;  ///< --out DIR: results stand in DIR/run.json
  bool can_resume = false;  ///< --resume goes on with DIR
};

struct RunnerOptions {
  int jobs = 1;     ///< at the same time
  int threads = 1;  ///< of each
};

/// Runs what the queue gives until there is no more.
/// @param show  called often, with what has ended everywhere
/// @throws Interrupted after a signal, when the points under way have been ended; IoError
void run_points(const SweptCommand& command, const std::vector<sweep::Point>& points,
                const SweepFolder& folder, const RunnerOptions& options, PointQueue& queue,
                const std::function<void(std::size_t)>& show);

}  // namespace xbar::cli
