#pragma once

/// Named, seeded, counter-based random streams: the value at (seed, name, index) is the same
/// whatever the order of the draws or the number of threads.

#include <array>
#include <cstdint>
#include <string_view>

namespace xbar {

/// A stream of independent draws addressed by index, Philox4x32-10 [Salmon2011].
/// Copies are cheap and independent; all members are const and thread-safe.
class RandomStream {
 public:
  /// @param seed  the run's seed
  /// @param name  what the draws are for ("shuffle", "write-noise/fc1"); equal names give equal
  /// draws
  RandomStream(std::uint64_t seed, std::string_view name);

  /// A stream of its own for sub-item `index` (an epoch, a tile), as if named differently.
  [[nodiscard]] RandomStream substream(std::uint64_t index) const;

  /// Four independent uniform 32-bit words for counter `index`.
  [[nodiscard]] std::array<std::uint32_t, 4> bits(std::uint64_t index) const;

  /// Uniform in the open interval (0, 1).
  [[nodiscard]] double uniform(std::uint64_t index) const;

  /// Uniform in (low, high).
  [[nodiscard]] double uniform(std::uint64_t index, double low, double high) const;

  /// Standard normal (Box-Muller).
  [[nodiscard]] double normal(std::uint64_t index) const;

  /// Uniform integer in [0, bound), bound >= 1, without modulo bias beyond 2^-64 * bound.
  [[nodiscard]] std::uint64_t below(std::uint64_t index, std::uint64_t bound) const;

 private:
  std::array<std::uint32_t, 2> key_{};
  std::uint64_t high_ = 0;  // upper half of the 128-bit counter: the substream
};

}  // namespace xbar
