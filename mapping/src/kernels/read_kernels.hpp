#pragma once

/// The products of one tile row behind converters, compiled once per instruction set
/// (core/isa.hpp).

#include <cstdint>

namespace xbar::mapping {

/// Positions are worked on in multiples of this.
inline constexpr long position_lanes = 32;
/// Outputs that serial_tile keeps side by side.
inline constexpr long unit_lanes = 16;
/// Lines that one word of masks stands for.
inline constexpr long mask_lines = 64;

/// y(o,p) += weight(o) ADC(sum_l E(o,l) d(l,p)), ADC(v) = round(v / step) in -limit .. limit, or
/// the sum itself.
struct FloatTile {
  const float* digits = nullptr;  ///< d, lines x positions
  long stride = 0;                ///< of its lines and of y's outputs
  long lines = 0;
  long positions = 0;             ///< a multiple of position_lanes
  const float* packed = nullptr;  ///< E, blocks x lines x block_outputs
  long blocks = 0;
  long block_outputs = 0;         ///< 1 to float_block_outputs()
  const float* weight = nullptr;  ///< blocks * block_outputs
  float inverse_step = 0;
  float limit = 0;         ///< largest code; 0: ideal
  float* y = nullptr;      ///< blocks * block_outputs x positions
  float* slope = nullptr;  ///< likewise, dy/dstep is added up; nullptr: not wanted
};

/// y(p,o) += sum_a weight(a,o) sum_s 2^s ADC(sum_l E_a(o,l) d_s(l,p)) in 16 bits: E a whole number,
/// d_s(l,p) in {-1, 0, 1}, ADC(v) = round(v factor / 2^15), half up, in -limit .. limit.
struct SerialTile {
  /// Bit l of word (chunk, s, p) is set where d_s(chunk * mask_lines + l, p) is 1 or -1.
  const std::uint64_t* plus = nullptr;
  const std::uint64_t* minus = nullptr;
  long chunks = 0;
  long streams = 0;
  long positions = 0;
  /// E by groups of serial_group_units() units (the last may have fewer): for every chunk its
  /// mask_lines lines and one of zeros, the lanes of the group's units next to each other.
  const std::int16_t* packed = nullptr;
  long units = 0;                 ///< sixteens of (a,o), arrays next to each other; even
  const long* output = nullptr;   ///< first o of each unit
  const float* weight = nullptr;  ///< units x unit_lanes
  std::int16_t factor = 0;
  std::int16_t limit = 0;
  float* y = nullptr;
  long y_stride = 0;
};

#define XBAR_DECLARE_READ_KERNELS(isa)                                                          \
  namespace isa {                                                                               \
  void float_tile(const FloatTile& tile);                                                       \
  void serial_tile(const SerialTile& tile);                                                     \
  /* The most outputs of a block, and the units of a group, that registers hold. */             \
  long float_block_outputs();                                                                   \
  long serial_group_units();                                                                    \
  /* masks of the magnitude's bits and the sign of whole numbers |codes| < 128; lines beyond */ \
  /* `lines` are 0. plus, minus: streams x positions. */                                        \
  void bit_masks(const float* codes, long stride, long lines, long positions, long streams,     \
                 std::uint64_t* plus, std::uint64_t* minus);                                    \
  /* codes = round(x / step) in -limit .. limit, ties to even; limit 0: x / step. */            \
  void digitise(const float* x, long count, float inverse_step, float limit, float* codes);     \
  /* digits = sign(code) ((|code| >> shift) & mask). */                                         \
  void take_digits(const float* codes, long count, int shift, int mask, float* digits);         \
  /* to = from^T, from rows x columns, multiples of 16. */                                      \
  void turn(const float* from, long from_stride, long rows, long columns, float* to,            \
            long to_stride);                                                                    \
  /* largest |x|; NaN if there is one. */                                                       \
  float largest_magnitude(const float* x, long count);                                          \
  }

XBAR_DECLARE_READ_KERNELS(baseline)
#if defined(__x86_64__)
XBAR_DECLARE_READ_KERNELS(avx2)
XBAR_DECLARE_READ_KERNELS(avx512)
#endif

}  // namespace xbar::mapping
