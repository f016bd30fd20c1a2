#pragma once

/// What a training leaves on disk while it goes on: checkpoints and metrics, in one folder.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include <xbar/core/communicator.hpp>
#include <xbar/core/safetensors.hpp>
#include <xbar/core/stopwatch.hpp>
#include <xbar/nn/network.hpp>
#include <xbar/nn/trainer.hpp>

#include "console.hpp"
#include "run_folder.hpp"

namespace xbar::cli {

/// How often something is written. None of it changes what is trained.
struct LegFileOptions {
  double checkpoint_seconds = 60;  ///< between checkpoints within an epoch; 0: only at its end
  Index log_steps = 50;            ///< steps between two lines of metrics; 0: only epochs
};

/// @throws InvalidArgument naming the flag that is out of range
void check_leg_file_options(const LegFileOptions& options);

/// The files of one leg:
///   checkpoint.safetensors  all that the rest of the training depends on: "network/", "train/",
///                           "crossbar/", and the length of metrics.jsonl at that moment
///   metrics.jsonl           a JSON object a line; "kind" is "step" or "epoch"
/// A run that was killed has lines that its checkpoint does not know; going on cuts them off, and
/// they come again.
class LegFiles {
 public:
  /// @param processes  that train together, of which the first writes; nullptr: this one alone
  LegFiles(std::filesystem::path folder, const LegFileOptions& options,
           Communicator* processes = nullptr);

  /// The checkpoint, if there is one; metrics.jsonl has the length of that moment afterwards.
  /// @throws IoError for a damaged checkpoint, or lines that it counts and that are not there
  [[nodiscard]] std::optional<TensorFile> go_on();
  /// Removes what an earlier training has left.
  void begin_anew();

  /// Trains; writes the files as it goes. An interrupt lets the step under way finish and saves.
  /// @throws Interrupted, IoError (a full disk: the checkpoint is the last that was whole)
  nn::TrainReport train(nn::Network& network, const nn::DataSet& data,
                        const nn::TrainOptions& options, const nn::TrainState* resume,
                        ProgressBar& bar);

  [[nodiscard]] std::filesystem::path file(const char* name) const { return folder_ / name; }
  /// Whether this process is the one that writes.
  [[nodiscard]] bool writes() const { return processes_ == nullptr || processes_->rank() == 0; }

 private:
  /// In all processes alike.
  [[nodiscard]] bool stop_requested() const;

  void on_step(const nn::StepRecord& step, const std::function<nn::TrainState()>& state,
               nn::Network& network, bool tested);
  [[nodiscard]] TensorFile checkpoint(const nn::TrainState& state, nn::Network& network) const;
  void write_checkpoint(const TensorFile& checkpoint);
  void append(const Json& line);

  std::filesystem::path folder_;
  LegFileOptions options_;
  Communicator* processes_;
  std::uintmax_t metrics_bytes_ = 0;
  std::optional<TensorFile> before_test_;  // to go back to when the test of an epoch is interrupted
  Stopwatch since_checkpoint_;
};

/// The part of a checkpoint under `prefix` ("network/", "train/", "crossbar/"), without it.
[[nodiscard]] TensorFile checkpoint_part(const TensorFile& whole, const std::string& prefix);

/// Seconds by name.
[[nodiscard]] Json to_json(const nn::PhaseTimes& times);

/// "data 1.2 s (10 %), forward 4.0 s (33 %), ...": phases that took no time are left out.
[[nodiscard]] std::string phase_words(const nn::PhaseTimes& times);

}  // namespace xbar::cli
