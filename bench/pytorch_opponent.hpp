#pragma once

/// The opponent of bench_training: PyTorch on CPU, a process that takes its turns when asked.

#include <string>

#include <sys/types.h>

#include "training_steps.hpp"

namespace xbar_bench {

/// Runs pytorch_training.py, which waits asleep between its turns.
class PytorchOpponent {
 public:
  /// Starts it with the environment that is fastest for Debian's PyTorch; available() says whether
  /// there is a PyTorch.
  /// @param script       path of pytorch_training.py
  /// @param wait_policy  OMP_WAIT_POLICY: active is better alone on a machine, passive in company
  PytorchOpponent(const std::string& script, const std::string& wait_policy);
  ~PytorchOpponent();
  PytorchOpponent(const PytorchOpponent&) = delete;
  PytorchOpponent& operator=(const PytorchOpponent&) = delete;

  [[nodiscard]] bool available() const { return !version_.empty(); }
  /// "PyTorch 1.13.1, 2 threads"; empty if there is none.
  [[nodiscard]] const std::string& version() const { return version_; }

  /// Trains for one step more than `steps` and appends the times of all but the first.
  /// @throws std::runtime_error if the process has ended
  void run(const std::string& model, long parameters, long batch, long steps, StepTimes& times);

 private:
  [[nodiscard]] std::string read_line();

  pid_t process_ = -1;
  int to_ = -1;
  int from_ = -1;
  std::string version_;
  std::string unread_;
};

}  // namespace xbar_bench
