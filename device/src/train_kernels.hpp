#pragma once

/// Trains of random pulses as bits, and sums of them, compiled once per instruction set
/// (core/isa.hpp). A line is a bit of a word of 64; those beyond the last line are undefined in
/// sums. What is read through registers needs train_margin bytes behind it.

#include <cstdint>

namespace xbar::device {

inline constexpr long train_margin = 64;
inline constexpr long train_room = 16;  // floats that may be written behind a sample's signals
inline constexpr long list_step = 16;   // lists of rows have a multiple of that many
inline constexpr long largest_planes = 40;

/// What the firing of the lines of one side (wordlines or bitlines) depends on in one sample; each
/// array has room for a multiple of 64 lines, those beyond the last being 0 at first.
/// Firing has probability P = (256 threshold + fraction) / 2^16 in the mean over the slots: in a
/// slot a uniform byte is compared with the threshold, and if it is equal, the carry of adding the
/// fraction to the phase decides.
struct TrainLines {
  long count = 0;
  std::uint8_t* threshold = nullptr;
  std::uint8_t* fraction = nullptr;
  std::uint8_t* phase = nullptr;
  std::uint8_t* flags = nullptr;  // sign_flag, sure_flag
};
inline constexpr unsigned sign_flag = 0x80;  // the line's value is negative
inline constexpr unsigned sure_flag = 0x40;  // P = 1

/// One line in 64 slots of any trains, a slot a lane, as TrainLines has it: the slot's own value
/// and scale (0 where there is no slot), the dither of the train's first line, the slots of the
/// train before this one.
struct SlotLanes {
  const float* values = nullptr;
  const float* scale = nullptr;
  const std::uint8_t* dither = nullptr;
  const std::uint8_t* done = nullptr;
  const std::uint8_t* start = nullptr;  // phase
  const std::uint8_t* draws = nullptr;
};

/// How signals become probabilities (device/pulse_trains.hpp).
struct TrainRule {
  double rate = 0;
  double length = 0;  // at most
  bool update_management = false;
  bool length_management = false;
};

#define XBAR_DECLARE_TRAIN_KERNELS                                                                 \
  /* Of samples with these largest inputs and errors, finite ones, what makes probabilities of     \
     either and how many slots there are. */                                                       \
  void plan_trains(long count, const float* largest_x, const float* largest_d, TrainRule rule,     \
                   float* x_scale, float* d_scale, std::uint8_t* length);                          \
  /* Bits of the largest |value|, and all bits of the values or-ed. */                             \
  void survey(long count, const float* values, std::uint32_t* largest, std::uint32_t* any);        \
  /* P = min(1, scale |value|), rounded to 2^-16 up or down by a dither, of which the              \
     first line's is given; phases from their start (uniform bytes) to where slot `slot` of the    \
     train finds them. */                                                                          \
  void prepare_lines(const TrainLines& lines, const float* values, float scale, unsigned dither,   \
                     const std::uint8_t* start, unsigned slot);                                    \
  /* `slots` slots from rows of uniform bytes. Row t of positive_rows, row_words words each:       \
     lines that fire in slot t and are positive; of negative_rows: that are negative. */           \
  void draw_slots(const TrainLines& lines, long slots, const std::uint8_t* draws, long row_bytes,  \
                  std::uint64_t* positive_rows, std::uint64_t* negative_rows, long row_words);     \
  /* The slots in which line number `line` fires and is positive, and is negative: what            \
     prepare_lines and draw_slots make of it. */                                                   \
  void draw_line(const SlotLanes& lanes, long line, std::uint64_t* positive,                       \
                 std::uint64_t* negative);                                                         \
  /* Word 0 of 64 rows, `stride` words apart, as columns, `out_stride` words apart. */             \
  void transpose_words(const std::uint64_t* rows, long stride, std::uint64_t* out,                 \
                       long out_stride, long columns);                                             \
  /* Places of rows: first + 2^shift t, t the bits set in `positive`, and that + beside, t the     \
     bits set in `negative` where there are, in the order of t. Room for list_step more than there \
     are. */                                                                                       \
  long list_rows(const std::uint64_t* positive, const std::uint64_t* negative, long words,         \
                 int shift, std::uint32_t beside, std::uint32_t first, std::uint32_t* list);       \
  /* Adds the rows at these places, `words` words each, to numbers of which plane q has bit q; of  \
     `total` planes `used` hold something. Where there are `others`, to these the rows at          \
     place ^ beside. */                                                                            \
  void add_rows(const std::uint32_t* list, long count, const std::uint64_t* rows,                  \
                std::uint32_t beside, long words, std::uint64_t* planes, std::uint64_t* others,    \
                long plane_stride, long used, long total);                                         \
  /* The numbers. */                                                                               \
  void expand_planes(const std::uint64_t* planes, long plane_stride, long total, long count,       \
                     float* numbers);

namespace baseline {
XBAR_DECLARE_TRAIN_KERNELS
}
#if defined(__x86_64__)
namespace avx2 {
XBAR_DECLARE_TRAIN_KERNELS
}
namespace avx512 {
XBAR_DECLARE_TRAIN_KERNELS
}
#endif

}  // namespace xbar::device
