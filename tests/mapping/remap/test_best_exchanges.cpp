#include <algorithm>
#include <cmath>
#include <vector>

#include <xbar/core/random.hpp>
#include <xbar/mapping/remap/best_exchanges.hpp>

#include "support/catch.hpp"

using xbar::Index;
using xbar::RandomStream;
using xbar::mapping::apply;
using xbar::mapping::best_exchanges;
using xbar::mapping::Exchange;
using xbar::mapping::Lines;

namespace {

// `count` lines on some of the slots of as many arrays as hold them, each slot of an array with its
// own loss.
Lines lines_of(Index count, Index per_array, Index slots, std::uint64_t seed) {
  const RandomStream draws(seed, "lines");
  Lines lines;
  std::vector<Index> free(static_cast<std::size_t>(slots));
  for (Index s = 0; s < slots; ++s) free[static_cast<std::size_t>(s)] = s;
  lines.slope.resize(count);
  lines.bend.resize(count);
  lines.loss.resize(slots);
  for (Index s = 0; s < slots; ++s) lines.loss(s) = 0.01 * static_cast<double>(s % per_array);
  for (Index k = 0; k < count; ++k) {
    const auto at = static_cast<std::uint64_t>(k);
    const auto chosen =
        free.begin() + static_cast<std::ptrdiff_t>(draws.substream(1).below(at, free.size()));
    lines.slot_of.push_back(*chosen);
    free.erase(chosen);
    lines.slope(k) = draws.substream(2).uniform(at, -1, 1);
    lines.bend(k) = draws.substream(3).uniform(at, 0, 20);
  }
  return lines;
}

// All exchanges, the best first, none of a slot that is taken.
std::vector<Exchange> one_by_one(const Lines& lines, Index most) {
  const Index slots = lines.loss.size();
  std::vector<Index> line_at(static_cast<std::size_t>(slots), -1);
  for (std::size_t k = 0; k < lines.slot_of.size(); ++k) {
    line_at[static_cast<std::size_t>(lines.slot_of[k])] = static_cast<Index>(k);
  }
  std::vector<bool> taken(static_cast<std::size_t>(slots), false);
  std::vector<Exchange> best;
  while (static_cast<Index>(best.size()) < most) {
    Exchange found;
    for (std::size_t k = 0; k < lines.slot_of.size(); ++k) {
      const auto line = static_cast<Index>(k);
      const Index from = lines.slot_of[k];
      for (Index to = 0; to < slots; ++to) {
        if (taken[static_cast<std::size_t>(from)] || taken[static_cast<std::size_t>(to)]) continue;
        const double m = lines.loss(from) - lines.loss(to);
        double gain = -(lines.slope(line) * m + lines.bend(line) * m * m / 2);
        const Index other = line_at[static_cast<std::size_t>(to)];
        if (other >= 0) gain -= -lines.slope(other) * m + lines.bend(other) * m * m / 2;
        if (gain > found.gain) found = {gain, line, to};
      }
    }
    if (found.gain <= 0) break;
    taken[static_cast<std::size_t>(lines.slot_of[static_cast<std::size_t>(found.line)])] = true;
    taken[static_cast<std::size_t>(found.slot)] = true;
    best.push_back(found);
  }
  return best;
}

// What moves and where to, whichever of the two lines is named.
std::vector<Index> made(const Lines& lines, const std::vector<Exchange>& exchanges) {
  std::vector<Index> slot_of = lines.slot_of;
  apply(exchanges, slot_of);
  return slot_of;
}

}  // namespace

TEST_CASE("mapping/remap/best_exchanges: what trying all pairs finds, with empty slots and without",
          "[mapping][remap]") {
  for (const Index slots : {24, 30}) {
    for (const Index per_array : {6, 30}) {
      for (std::uint64_t seed = 0; seed < 10; ++seed) {
        for (const Index most : {1, 4, 100}) {
          CAPTURE(slots, per_array, seed, most);
          const Lines lines = lines_of(24, per_array, slots, seed);
          const std::vector<Exchange> found = best_exchanges(lines, most);
          const std::vector<Exchange> wanted = one_by_one(lines, most);
          REQUIRE(found.size() == wanted.size());
          for (std::size_t k = 0; k < found.size(); ++k) {
            CHECK(std::abs(found[k].gain - wanted[k].gain) <= 1e-12);
          }
          CHECK(made(lines, found) == made(lines, wanted));
        }
      }
    }
  }
}

TEST_CASE("mapping/remap/best_exchanges: none between slots of one loss, none without slope",
          "[mapping][remap]") {
  Lines lines = lines_of(20, 5, 25, 1);
  const std::vector<Exchange> found = best_exchanges(lines, 100);
  REQUIRE_FALSE(found.empty());
  for (const Exchange& exchange : found) {
    CHECK(lines.loss(lines.slot_of[static_cast<std::size_t>(exchange.line)]) !=
          lines.loss(exchange.slot));
  }
  CHECK(best_exchanges(lines, 0).empty());
  lines.slope.setZero();
  CHECK(best_exchanges(lines, 100).empty());
  lines.loss.setConstant(0.1);
  lines.slope.setOnes();
  CHECK(best_exchanges(lines, 100).empty());
}
