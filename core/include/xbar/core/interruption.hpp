#pragma once

/// How work that reports no progress is ended early.

#include <atomic>
#include <chrono>
#include <exception>
#include <functional>
#include <thread>

namespace xbar {

/// While it lives, loops on this thread that call poll_interruption() ask `poll` now and then,
/// every 50 ms at most. What it throws ends the work, on all threads that take part in it
/// (InterruptibleMember), and passes to the caller. What the work was writing to is then
/// unfinished: for work that makes something new.
class Interruptible {
 public:
  explicit Interruptible(std::function<void()> poll);
  ~Interruptible();
  Interruptible(const Interruptible&) = delete;
  Interruptible& operator=(const Interruptible&) = delete;

  /// That of the work which this thread takes part in; nullptr: none.
  [[nodiscard]] static Interruptible* current();

 private:
  friend class InterruptibleMember;
  friend void poll_interruption();
  void ask();

  std::function<void()> poll_;
  std::thread::id owner_;
  std::chrono::steady_clock::time_point last_;
  std::exception_ptr reason_;  // set before ended_, once
  std::atomic<bool> ended_{false};
  Interruptible* before_;
};

/// Makes this thread a part of that work, in a long body of parallel_for; nullptr: of none.
class InterruptibleMember {
 public:
  explicit InterruptibleMember(Interruptible* work);
  ~InterruptibleMember();
  InterruptibleMember(const InterruptibleMember&) = delete;
  InterruptibleMember& operator=(const InterruptibleMember&) = delete;

 private:
  Interruptible* before_;
};

/// For loops whose steps take long: throws if the work is to end. Costs nothing to speak of.
void poll_interruption();

}  // namespace xbar
