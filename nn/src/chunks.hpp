#pragma once

/// Elementwise loops, on all cores where they are long enough for it to pay.

#include <algorithm>

#include <xbar/core/parallel.hpp>

namespace xbar::nn {

/// Floats that one core should handle at least: below, waking the others costs more than it saves.
inline constexpr Index chunk_floats = 16384;

/// Calls body(begin, end) for consecutive parts of [0, count), each of chunk_floats / item_floats
/// items or fewer (but at least one).
template <typename Body>
void for_chunks(Index count, Index item_floats, const Body& body) {
  const Index chunk = std::max<Index>(1, chunk_floats / std::max<Index>(1, item_floats));
  if (count <= chunk) {
    body(Index{0}, count);
    return;
  }
  parallel_for((count + chunk - 1) / chunk,
               [&](Index part) { body(part * chunk, std::min(count, (part + 1) * chunk)); });
}

}  // namespace xbar::nn
