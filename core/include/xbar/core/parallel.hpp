#pragma once

/// The one place that starts threads: OpenMP, the pool that oneDNN uses too, so that the two never
/// compete for the cores.

#include <atomic>
#include <exception>
#include <mutex>

#include <xbar/core/matrix.hpp>

namespace xbar {

/// Threads that parallel_for uses: OMP_NUM_THREADS where set, else the cores this process may use.
[[nodiscard]] int thread_count();

/// Calls body(i) for i in [0, count), in any order, on all cores; a single one where it is called.
/// Calls nested in several run serially.
/// `body` must write only to what belongs to its own i. The first exception stops the remaining
/// iterations and is rethrown to the caller.
template <typename Body>
void parallel_for(Index count, const Body& body) {
  if (count <= 1) {  // no other thread is worth waking
    if (count == 1) body(Index{0});
    return;
  }
  std::exception_ptr failure;
  std::mutex failure_mutex;
  std::atomic<bool> failed{false};
#pragma omp parallel for schedule(dynamic)
  for (Index i = 0; i < count; ++i) {
    if (failed.load(std::memory_order_relaxed)) continue;
    try {
      body(i);
    } catch (...) {
      const std::lock_guard lock(failure_mutex);
      if (!failure) failure = std::current_exception();
      failed.store(true, std::memory_order_relaxed);
    }
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace xbar
