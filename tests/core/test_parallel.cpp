#include <atomic>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

#include <xbar/core/error.hpp>
#include <xbar/core/parallel.hpp>

#include "support/catch.hpp"
#include "support/message.hpp"

using xbar::Index;
using xbar::parallel_for;

TEST_CASE("core/parallel: every index once") {
  for (const Index count : {0, 1, 2, 7, 10007}) {
    CAPTURE(count);
    std::vector<int> visits(static_cast<std::size_t>(count), 0);
    parallel_for(count, [&](Index i) { ++visits[static_cast<std::size_t>(i)]; });
    bool once = true;
    for (const int v : visits) once = once && v == 1;
    CHECK(once);
  }
}

TEST_CASE("core/parallel: a negative count does nothing") {
  parallel_for(-3, [](Index) { FAIL("called"); });
}

TEST_CASE("core/parallel: an exception reaches the caller as it was thrown") {
  const std::string message = xbar_test::message_of<xbar::NumericalError>([] {
    parallel_for(1000, [](Index i) {
      if (i == 500) throw xbar::NumericalError("tile 500: did not converge");
    });
  });
  CHECK(message == "tile 500: did not converge");
}

TEST_CASE("core/parallel: after an exception the rest is skipped and the next loop runs") {
  std::atomic<int> calls{0};
  constexpr Index count = 100000;
  CHECK_THROWS_AS(parallel_for(count,
                               [&](Index) {
                                 ++calls;
                                 throw std::runtime_error("stop");
                               }),
                  std::runtime_error);
  // Each thread may have started one more before it saw the flag.
  CHECK(calls <= xbar::thread_count());
  std::atomic<int> after{0};
  parallel_for(10, [&](Index) { ++after; });
  CHECK(after == 10);
}

TEST_CASE("core/parallel: nested loops visit every pair once") {
  constexpr Index side = 40;
  std::vector<int> visits(static_cast<std::size_t>(side * side), 0);
  parallel_for(side, [&](Index i) {
    parallel_for(side, [&](Index j) { ++visits[static_cast<std::size_t>(i * side + j)]; });
  });
  bool once = true;
  for (const int v : visits) once = once && v == 1;
  CHECK(once);
}

TEST_CASE("core/parallel: there is at least one thread") { CHECK(xbar::thread_count() >= 1); }
