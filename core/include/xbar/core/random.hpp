#pragma once

/// Named, seeded, counter-based random streams: the value at (seed, name, index) is the same
/// whatever the order of the draws or the number of threads.

#include <array>
#include <cstdint>
#include <span>
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
  friend void fill_bits(const RandomStream& stream, std::span<const std::uint64_t> indices,
                        std::span<std::uint32_t> words);
  friend void fill_words(const RandomStream& stream, std::uint64_t first_index,
                         std::span<std::uint32_t> values);
  friend void fill_uniform(const RandomStream& stream, std::uint64_t first_index,
                           std::span<float> values);
  friend void fill_normal(const RandomStream& stream, std::uint64_t first_index,
                          std::span<float> values);

  std::array<std::uint32_t, 2> key_{};
  std::uint64_t high_ = 0;  // upper half of the 128-bit counter: the substream
};

/// Draws first_index, first_index + 1, ... in single precision, many at once. They are draws of
/// their own, not those of the members uniform and normal, and four of them share a counter: draw i
/// is made of word w = (i / 16) mod 4 of bits(16 (i / 64) + i mod 16). A draw is the same however
/// the range is cut, on every thread, and bit by bit with every instruction set. Use a stream for
/// one kind of draw only.

/// The words themselves, 32 uniform bits each.
void fill_words(const RandomStream& stream, std::uint64_t first_index,
                std::span<std::uint32_t> values);

/// bits(index) of each of these indices, one after the other: four words an index.
void fill_bits(const RandomStream& stream, std::span<const std::uint64_t> indices,
               std::span<std::uint32_t> words);

/// Uniform in (0, 1): (word + 1/2) / 2^32 in single precision, at least 2^-33, at most 1 - 2^-24.
void fill_uniform(const RandomStream& stream, std::uint64_t first_index, std::span<float> values);

/// Standard normal, by Box-Muller from two words: draws with w = 0 and 1, and with w = 2 and 3, of
/// one counter are the cosine and the sine of the same radius. |value| <= 6.77, beyond which the
/// law has 1.3e-11 of its mass.
void fill_normal(const RandomStream& stream, std::uint64_t first_index, std::span<float> values);

}  // namespace xbar
