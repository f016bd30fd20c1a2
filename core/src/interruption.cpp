#include <utility>

#include <xbar/core/interruption.hpp>

namespace xbar {
namespace {

constexpr auto pause = std::chrono::milliseconds(50);

thread_local Interruptible* work_of_this_thread = nullptr;

}  // namespace

Interruptible::Interruptible(std::function<void()> poll)
    : poll_(std::move(poll)),
      owner_(std::this_thread::get_id()),
      last_(std::chrono::steady_clock::now()),
      before_(std::exchange(work_of_this_thread, this)) {}

Interruptible::~Interruptible() { work_of_this_thread = before_; }

Interruptible* Interruptible::current() { return work_of_this_thread; }

void Interruptible::ask() {
  if (ended_.load(std::memory_order_acquire)) std::rethrow_exception(reason_);
  if (std::this_thread::get_id() != owner_) return;
  const auto now = std::chrono::steady_clock::now();
  if (now - last_ < pause) return;
  last_ = now;
  try {
    poll_();
  } catch (...) {
    reason_ = std::current_exception();
    ended_.store(true, std::memory_order_release);
    throw;
  }
}

InterruptibleMember::InterruptibleMember(Interruptible* work)
    : before_(std::exchange(work_of_this_thread, work)) {}

InterruptibleMember::~InterruptibleMember() { work_of_this_thread = before_; }

void poll_interruption() {
  if (work_of_this_thread != nullptr) work_of_this_thread->ask();
}

}  // namespace xbar
