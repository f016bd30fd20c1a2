#pragma once

/// Bulk draws of random.hpp, compiled once per instruction set (core/isa.hpp). Sixteen counters
/// make a group of 64 draws: word w of counter 16 g + e is draw 64 g + 16 w + e.

#include <cstdint>

namespace xbar {

inline constexpr long draw_group = 64;

/// Key and upper half of the counter of a stream.
struct DrawKey {
  std::uint32_t key[2] = {};
  std::uint64_t high = 0;
};

/* out: 64 * groups draws, for the groups first_group, first_group + 1, ... */
#define XBAR_DECLARE_RANDOM_KERNELS                                                            \
  /* the four words of each of these counters, one after the other */                          \
  void listed_words(const DrawKey& key, const std::uint64_t* counters, long count,             \
                    std::uint32_t* out);                                                       \
  void word_groups(const DrawKey& key, std::uint64_t first_group, long groups,                 \
                   std::uint32_t* out);                                                        \
  void uniform_groups(const DrawKey& key, std::uint64_t first_group, long groups, float* out); \
  void normal_groups(const DrawKey& key, std::uint64_t first_group, long groups, float* out);

namespace baseline {
XBAR_DECLARE_RANDOM_KERNELS
}
#if defined(__x86_64__)
namespace avx2 {
XBAR_DECLARE_RANDOM_KERNELS
}
namespace avx512 {
XBAR_DECLARE_RANDOM_KERNELS
}
#endif

}  // namespace xbar
