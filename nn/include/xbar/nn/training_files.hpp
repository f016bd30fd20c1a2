#pragma once

/// What a training leaves on disk while it goes on: checkpoints and metrics, in one folder.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include <xbar/core/communicator.hpp>
#include <xbar/core/safetensors.hpp>
#include <xbar/core/stopwatch.hpp>
#include <xbar/nn/network.hpp>
#include <xbar/nn/trainer.hpp>

namespace xbar::nn {

/// How often something is written. None of it changes what is trained.
struct TrainingFileOptions {
  double checkpoint_seconds = 60;  ///< between checkpoints within an epoch; 0: only at its end
  Index log_steps = 50;            ///< steps between two lines of metrics; 0: only epochs
};

/// @throws InvalidArgument naming the option that is out of range
void check_training_file_options(const TrainingFileOptions& options);

/// The files of one training:
///   checkpoint.safetensors  all that the rest of the training depends on: "network/", "train/",
///                           "crossbar/", and the length of metrics.jsonl at that moment
///   metrics.jsonl           a JSON object a line; "kind" is "step" or "epoch"
/// A run that was killed has lines that its checkpoint does not know; going on cuts them off, and
/// they come again.
class TrainingFiles {
 public:
  /// @param processes  that train together, of which the first writes; nullptr: this one alone
  TrainingFiles(std::filesystem::path folder, const TrainingFileOptions& options,
                Communicator* processes = nullptr);

  /// The checkpoint, if there is one; metrics.jsonl has the length of that moment afterwards.
  /// @throws IoError for a damaged checkpoint, or lines that it counts and that are not there
  [[nodiscard]] std::optional<TensorFile> go_on();
  /// Removes what an earlier training has left.
  void begin_anew();

  /// Trains; writes the files as it goes.
  /// @param progress  as TrainCallbacks::progress
  /// @param stop      asked after every step, and during tests: whether to save and throw
  /// @throws Interrupted
  /// @throws IoError on a full disk: the checkpoint is the last that was whole
  TrainReport train(Network& network, const DataSet& data, const TrainOptions& options,
                    const TrainState* resume, const ProgressCallback& progress,
                    const std::function<bool()>& stop);

  [[nodiscard]] std::filesystem::path file(const char* name) const { return folder_ / name; }
  /// Whether this process is the one that writes.
  [[nodiscard]] bool writes() const { return processes_ == nullptr || processes_->rank() == 0; }

 private:
  /// In all processes alike.
  [[nodiscard]] bool together(bool stop) const;

  void on_step(const StepRecord& step, const std::function<TrainState()>& state, Network& network,
               bool tested, bool stop);
  [[nodiscard]] TensorFile checkpoint(const TrainState& state, Network& network) const;
  void write_checkpoint(const TensorFile& checkpoint);
  void append(const std::string& line);

  std::filesystem::path folder_;
  TrainingFileOptions options_;
  Communicator* processes_;
  std::uintmax_t metrics_bytes_ = 0;
  std::optional<TensorFile> before_test_;  // to go back to when the test of an epoch is interrupted
  Stopwatch since_checkpoint_;
};

/// The part of a checkpoint under `prefix` ("network/", "train/", "crossbar/"), without it.
[[nodiscard]] TensorFile checkpoint_part(const TensorFile& whole, const std::string& prefix);

}  // namespace xbar::nn
