#include "console.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <xbar/core/error.hpp>

#include "verbosity.hpp"

namespace xbar::cli {
namespace {

volatile std::sig_atomic_t interrupted = 0;

extern "C" void remember_interrupt(int signal) {
  // A second one ends the program at once.
  if (interrupted != 0) std::_Exit(130);
  interrupted = signal;
}

int terminal_width() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20) return size.ws_col;
  return 80;
}

}  // namespace

void catch_signals() {
  std::signal(SIGXFSZ, SIG_IGN);
  // On a stack of its own: oneDNN's generated code keeps data below the stack pointer where a
  // signal frame would overwrite it (seen as a corrupted heap in a training run that was
  // interrupted).
  static std::array<char, 1 << 17> signal_stack;
  stack_t stack{};
  stack.ss_sp = signal_stack.data();
  stack.ss_size = signal_stack.size();
  sigaltstack(&stack, nullptr);
  struct sigaction action {};
  action.sa_handler = remember_interrupt;
  action.sa_flags = SA_ONSTACK | SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool interrupt_requested() { return interrupted != 0; }

ProgressBar::ProgressBar(std::string label, std::string unit)
    : label_(std::move(label)),
      unit_(std::move(unit)),
      is_terminal_(isatty(STDERR_FILENO) == 1 && verbosity() != Verbosity::quiet) {}

ProgressBar::~ProgressBar() {
  clear();
  for (const auto& [phase, pace] : pace_) {
    const std::string rate =
        unit_.empty() || !(pace.rate() > 0) ? "" : fmt::format(", {:.4g} {}/s", pace.rate(), unit_);
    detail(fmt::format("{}{}{}: {:.3f} s{}", label_, label_.empty() ? "" : ", ", phase,
                       pace.seconds, rate));
  }
}

void ProgressBar::clear() {
  if (shown_) fmt::print(stderr, "\r\033[K");
  shown_ = false;
}

ProgressCallback ProgressBar::callback() {
  return [this](const Progress& progress) {
    if (interrupt_requested()) throw Interrupted("interrupted");
    show(progress);
  };
}

const ProgressBar::Pace& ProgressBar::keep_pace(const Progress& progress, Clock::time_point now) {
  Pace& pace = pace_[progress.phase];
  if (progress.phase == phase_ && progress.done >= last_done_) {
    pace.done += progress.done - last_done_;
    pace.seconds += std::chrono::duration<double>(now - last_).count();
  }
  phase_ = progress.phase;
  last_done_ = progress.done;
  last_ = now;
  return pace;
}

void ProgressBar::show(const Progress& progress) {
  if (!is_terminal_ && verbosity() != Verbosity::verbose) return;
  const auto now = Clock::now();
  const Pace& pace = keep_pace(progress, now);
  if (!is_terminal_) return;
  if (shown_ && now - last_shown_ < std::chrono::milliseconds(100)) return;
  last_shown_ = now;
  const double share =
      progress.total > 0 ? std::clamp(progress.done / progress.total, 0.0, 1.0) : 0;
  std::string tail = fmt::format(" {:3.0f} %", 100 * share);
  if (const double rate = pace.rate(); rate > 0) {
    if (!unit_.empty()) tail += fmt::format("  {:.0f} {}/s", rate, unit_);
    constexpr double settled = 0.5;  // seconds until the rate can be relied on
    if (pace.seconds > settled) {
      tail += fmt::format("  {} left", format_duration((progress.total - progress.done) / rate));
    }
  }
  if (!progress.note.empty()) tail += "  " + progress.note;
  const std::string head = label_.empty() ? phase_ : label_ + ", " + phase_;
  const int width =
      std::clamp(terminal_width() - static_cast<int>(head.size() + tail.size()) - 5, 0, 40);
  const int filled = static_cast<int>(std::lround(share * width));
  const std::string line =
      fmt::format("  {} {}{:╌<{}}{}", head, in_accent(fmt::format("{:━<{}}", "", filled)), "",
                  width - filled, tail);
  fmt::print(stderr, "\r{}\033[K", line);
  std::fflush(stderr);
  shown_ = true;
}

std::string format_duration(double seconds) {
  const auto whole = static_cast<long>(std::lround(std::max(0.0, seconds)));
  if (whole >= 3600) {
    return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  }
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace xbar::cli
