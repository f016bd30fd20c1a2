#pragma once

/// Talking to a person: progress bars, interrupts.

#include <chrono>
#include <string>

#include <xbar/core/progress.hpp>

namespace xbar::cli {

/// From now on Ctrl-C (SIGINT) and SIGTERM are remembered, and progress callbacks throw
/// Interrupted.
void catch_interrupts();

/// A bar on stderr with rate, remaining time and a note; only on a terminal, gone when finished.
/// Its callback also notices interrupts.
class ProgressBar {
 public:
  /// @param label  shown before the phase: "R_on 20 kohm"
  explicit ProgressBar(std::string label = "");
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// For the library; valid as long as this object.
  [[nodiscard]] ProgressCallback callback();

 private:
  void show(const Progress& progress);
  void clear();

  std::string label_;
  std::string phase_;
  bool is_terminal_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point phase_start_;
  std::chrono::steady_clock::time_point last_shown_;
  double phase_start_done_ = 0;
};

/// "0:07", "12:34", "1:02:03".
[[nodiscard]] std::string format_duration(double seconds);

}  // namespace xbar::cli
