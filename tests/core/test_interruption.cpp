#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>

#include <xbar/core/interruption.hpp>
#include <xbar/core/parallel.hpp>

#include "support/catch.hpp"

using namespace xbar;
using namespace std::chrono_literals;

namespace {

struct Enough : std::runtime_error {
  Enough() : std::runtime_error("enough") {}
};

void work_without_end() {
  while (true) {
    std::this_thread::sleep_for(1ms);
    poll_interruption();
  }
}

}  // namespace

TEST_CASE("core/interruption: what the poll throws ends the work, and passes to the caller",
          "[core]") {
  int asked = 0;
  const Interruptible work([&] {
    if (++asked == 3) throw Enough();
  });
  REQUIRE_THROWS_AS(work_without_end(), Enough);
  REQUIRE(asked == 3);
}

TEST_CASE("core/interruption: all threads of a loop end, the poll stays on its own", "[core]") {
  const auto own = std::this_thread::get_id();
  std::atomic<bool> elsewhere = false;
  const Interruptible work([&] {
    if (std::this_thread::get_id() != own) elsewhere = true;
    throw Enough();
  });
  // Each thread works until it is told to end.
  const auto part = [all = Interruptible::current()](Index) {
    const InterruptibleMember member(all);
    work_without_end();
  };
  REQUIRE_THROWS_AS(parallel_for(thread_count(), part), Enough);
  REQUIRE_FALSE(elsewhere);
}

TEST_CASE("core/interruption: without it nothing ends early", "[core]") {
  {
    const Interruptible work([] { throw Enough(); });
  }
  REQUIRE(Interruptible::current() == nullptr);
  std::this_thread::sleep_for(60ms);
  REQUIRE_NOTHROW(poll_interruption());
}
