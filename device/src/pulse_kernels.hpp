#pragma once

/// What pulses do to the cells of one line (device/pulsed_cells.hpp), compiled once per instruction
/// set (core/isa.hpp). Arrays are of `count` cells and do not overlap.

#include <cstdint>

namespace xbar::device {

/// What differs from cell to cell: factors of the steps, and the cell's own range of x.
struct CellArrays {
  const float* up_factor;
  const float* down_factor;
  const float* lower;
  const float* upper;
};

/// Pulses of an event: of each cell `share` of the pulses `up` and `down` arrive in this one.
struct PulseArrays {
  const float* up;
  const float* down;
  const float* share;
};

/// Steps that are straight lines of z, up_at_0 + up_slope z.
struct AffineArrays {
  const float* up_at_0;
  const float* up_slope;
  const float* down_at_0;
  const float* down_slope;
};

/// What may be left out where it is not so.
struct PulseTraits {
  bool spread;   ///< cells differ in factors or range
  bool several;  ///< a cell gets more than one pulse
  bool cut;      ///< a cell's pulses come in several events; implies several
};

/// What comes to a line, all in all.
struct PulseSurvey {
  float most_up = 0;  ///< to one cell
  float most_down = 0;
  bool any = false;
  bool several = false;  ///< a cell gets more than one pulse
};

/// Variance of one pulse: relative (a u)^2 + range.
struct NoiseLaw {
  float relative;
  float range;
};

}  // namespace xbar::device

#define XBAR_DECLARE_PULSE_KERNELS                                                                 \
  void survey_pulses(long count, const float* up, const float* down, PulseSurvey* survey);         \
  /* bits of the cells that get any, 64 to a word; how many they are */                            \
  long mark_pulsed(long count, const float* up, const float* down, std::uint64_t* marks);          \
  /* the marked cells side by side, `to` having room for count, rounded up to 16; and back to      \
     their places */                                                                               \
  void pack_cells(long count, const std::uint64_t* marks, const float* from, float* to);           \
  void unpack_cells(long count, const std::uint64_t* marks, const float* from, float* to);         \
  /* n = floor(|asked| inverse + uniform), at most 2^20, up for asked > 0, else down */            \
  void round_pulses(long count, const float* asked, float inverse, const float* uniform,           \
                    float* up, float* down);                                                       \
  /* sums of n and of n x; x may be null: 0 */                                                     \
  void sum_pulses(long count, const float* n, const float* x, double* pulses, double* states);     \
  /* events[k] = min(ceil(rate n), ceil(n)), at least 1, n = up + down; the largest of them */     \
  float count_events(long count, float rate, const float* up, const float* down, float* events);   \
  /* share[k] = 1/events[k] in the first events[k] rounds, then 0 */                               \
  void event_shares(long count, float round, const float* events, float* share);                   \
  /* z = (x - lower) / (upper - lower), within [0, 1] */                                           \
  void own_positions(long count, CellArrays cells, const float* x, float* z);                      \
  /* where the mean pulse of each kind finds the cell, from the steps u and d at z */              \
  void mean_positions(long count, CellArrays cells, PulseArrays pulses, const float* u,            \
                      const float* d, const float* z, float* z_up, float* z_down);                 \
  /* moves x by the steps u and d; normal may be null: no noise */                                 \
  void move_by_pulses(long count, CellArrays cells, PulseArrays pulses, NoiseLaw noise,            \
                      const float* normal, const float* u, const float* d, float* x);              \
  /* the same with the deviations of one pulse given */                                            \
  void move_by_sums(long count, CellArrays cells, PulseArrays pulses, const float* normal,         \
                    const float* u, const float* d, const float* u_deviation,                      \
                    const float* d_deviation, float* x);                                           \
  /* own_positions, mean_positions and move_by_pulses in one, for such steps, but for rounding */  \
  void move_affinely(long count, CellArrays cells, PulseArrays pulses, PulseTraits traits,         \
                     NoiseLaw noise, const float* normal, AffineArrays steps, float* x);           \
  /* in `used` pulses more count; up and down fall to what the cell still stands of `life` */      \
  void wear(long count, const float* life, float* used, float* up, float* down);                   \
  /* x = lower where down pulses arrive, which are then gone */                                    \
  void reset_cells(long count, CellArrays cells, float* down, float* x);                           \
  /* seen = hidden + sigma (upper - lower) normal, at least `least`, where pulses arrive */        \
  void show_cells(long count, CellArrays cells, PulseArrays pulses, float sigma, float least,      \
                  const float* normal, const float* hidden, float* seen);                          \
  /* pulses of the cells that get at most `limit` to one side, those of the others to the other */ \
  void part_pulses(long count, float limit, const float* up, const float* down, float* few_up,     \
                   float* few_down, float* many_up, float* many_down);                             \
  /* pulse number `round` of each cell's, in an order that phase in [0, 1) rotates: +1 up, -1      \
     down, 0 none; its size is the share of a pulse that counts that are not whole leave each */   \
  void nth_pulses(long count, float round, const float* up, const float* down, const float* phase, \
                  float* kind, float* size);                                                       \
  /* moves x by one pulse of each cell: u where kind is 1, d where it is -1 */                     \
  void move_by_one(long count, CellArrays cells, const float* kind, const float* size,             \
                   const float* u, const float* d, float* x);

namespace xbar::device {

namespace baseline {
XBAR_DECLARE_PULSE_KERNELS
}
#if defined(__x86_64__)
namespace avx2 {
XBAR_DECLARE_PULSE_KERNELS
}
namespace avx512 {
XBAR_DECLARE_PULSE_KERNELS
}
#endif

}  // namespace xbar::device
