#pragma once

/// Talking to a person: progress bars, interrupts.

#include <chrono>
#include <map>
#include <string>

#include <xbar/core/progress.hpp>

namespace xbar::cli {

/// From now on Ctrl-C (SIGINT) and SIGTERM are remembered, and progress callbacks throw
/// Interrupted; a write beyond a limit on file sizes fails instead of ending the program.
void catch_signals();

/// Whether one came.
[[nodiscard]] bool interrupt_requested();

/// A bar on stderr with rate, remaining time and a note; only on a terminal, gone when finished.
/// Its callback also notices interrupts.
class ProgressBar {
 public:
  /// @param label  shown before the phase: "R_on 20 kohm"
  /// @param unit   of Progress::done, for the rate: "images"; empty: no rate is shown
  explicit ProgressBar(std::string label = "", std::string unit = "");
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// For the library; valid as long as this object.
  [[nodiscard]] ProgressCallback callback();

  /// What the callback does besides noticing interrupts.
  void show(const Progress& progress);

 private:
  using Clock = std::chrono::steady_clock;

  /// What was done of a phase, and in what time; a phase may come back (train, test, train, ...).
  struct Pace {
    double done = 0;
    double seconds = 0;
    [[nodiscard]] double rate() const { return seconds > 0 ? done / seconds : 0; }
  };

  void clear();
  const Pace& keep_pace(const Progress& progress, Clock::time_point now);

  std::string label_;
  std::string unit_;
  std::string phase_;
  bool is_terminal_;
  bool shown_ = false;
  Clock::time_point last_;
  Clock::time_point last_shown_;
  double last_done_ = 0;
  std::map<std::string, Pace> pace_;
};

/// "0:07", "12:34", "1:02:03".
[[nodiscard]] std::string format_duration(double seconds);

}  // namespace xbar::cli
