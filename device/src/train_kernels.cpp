#include "train_kernels.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <xbar/core/kernel_vectors.hpp>

// No standard algorithms here: this file is compiled for several instruction sets, and an inline
// function shared with other files would be kept in only one of its versions. It is compiled
// without fused multiply-add, so that the results are the same with every instruction set.

namespace xbar::device::XBAR_ISA {
namespace {

#define XBAR_INLINE [[gnu::always_inline]] inline

using ::xbar::XBAR_ISA::vector_bytes;

using Words [[gnu::vector_size(vector_bytes), gnu::may_alias]] = std::uint64_t;
using LooseWords [[gnu::vector_size(vector_bytes), gnu::may_alias, gnu::aligned(8)]] =
    std::uint64_t;
using Bytes [[gnu::vector_size(vector_bytes), gnu::may_alias]] = std::uint8_t;
using LooseBytes [[gnu::vector_size(vector_bytes), gnu::may_alias, gnu::aligned(1)]] = std::uint8_t;
constexpr long vector_words = vector_bytes / 8;
constexpr long word_vectors = 64 / vector_bytes;  // vectors of bytes for the 64 lines of a word

constexpr float one = 0x1p24F;    // probabilities are integers of that many parts
constexpr int dither_step = 159;  // 256 times the golden ratio: even over any lines

XBAR_INLINE Bytes load_bytes(const std::uint8_t* x) {
  return *reinterpret_cast<const LooseBytes*>(x);
}
XBAR_INLINE void store_bytes(std::uint8_t* x, Bytes value) {
  *reinterpret_cast<LooseBytes*>(x) = value;
}

XBAR_INLINE Words load_words(const std::uint64_t* x) {
  return *reinterpret_cast<const LooseWords*>(x);
}
// What another thread may be writing is not even read.
XBAR_INLINE Words load_some_words(const std::uint64_t* x, long count) {
  if (count >= vector_words) return load_words(x);
  Words value{};
  for (long e = 0; e < count; ++e) value[e] = x[e];
  return value;
}
XBAR_INLINE void store_some_words(std::uint64_t* x, Words value, long count) {
  if (count >= vector_words) {
    *reinterpret_cast<LooseWords*>(x) = value;
    return;
  }
  for (long e = 0; e < count; ++e) x[e] = value[e];
}

// Sixteen floats as bits, whatever the width of a register: lines come in small numbers too.
constexpr int sixteen = 16;
using Sixteen [[gnu::vector_size(64)]] = int;
using SixteenFloats [[gnu::vector_size(64)]] = float;
constexpr Sixteen zero_to_fifteen = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
XBAR_INLINE void load_sixteen(const float* x, long count, Sixteen& bits) {
  using Loose [[gnu::vector_size(64), gnu::may_alias, gnu::aligned(4)]] = int;
  if (count >= sixteen) {
    bits = *reinterpret_cast<const Loose*>(x);
    return;
  }
#if defined(__AVX512F__)
  const auto mask = static_cast<__mmask16>((1U << count) - 1);
  bits = reinterpret_cast<Sixteen>(_mm512_maskz_loadu_ps(mask, x));
#else
  bits = Sixteen{};
  for (long e = 0; e < count; ++e) bits[e] = __builtin_bit_cast(int, x[e]);
#endif
}

// The lowest byte of each.
using SixteenBytes [[gnu::vector_size(16)]] = std::uint8_t;
XBAR_INLINE SixteenBytes lowest_bytes(const Sixteen& value) {
#if defined(__AVX512F__)
  return reinterpret_cast<SixteenBytes>(
      _mm512_maskz_cvtepi32_epi8(0xffff, reinterpret_cast<__m512i>(value)));
#else
  return __builtin_convertvector(value, SixteenBytes);
#endif
}
using LooseSixteenBytes [[gnu::vector_size(16), gnu::may_alias, gnu::aligned(1)]] = std::uint8_t;
XBAR_INLINE void store_sixteen(std::uint8_t* x, SixteenBytes value) {
  *reinterpret_cast<LooseSixteenBytes*>(x) = value;
}

XBAR_INLINE SixteenBytes load_sixteen_bytes(const std::uint8_t* x) {
  return *reinterpret_cast<const LooseSixteenBytes*>(x);
}
XBAR_INLINE void load_bytes_wide(const std::uint8_t* x, Sixteen& value) {
  value = __builtin_convertvector(load_sixteen_bytes(x), Sixteen);
}

// The uppermost bits of the bytes, those of the first lowest.
XBAR_INLINE std::uint64_t upper_bits(Bytes x) {
#if defined(__AVX512BW__)
  return _mm512_movepi8_mask(reinterpret_cast<__m512i>(x));
#elif defined(__AVX2__)
  return static_cast<unsigned>(_mm256_movemask_epi8(reinterpret_cast<__m256i>(x)));
#elif defined(__x86_64__)
  return static_cast<unsigned>(_mm_movemask_epi8(reinterpret_cast<__m128i>(x)));
#else
  std::uint64_t bits = 0;
  for (long e = 0; e < vector_bytes; ++e) bits |= static_cast<std::uint64_t>(x[e] >> 7) << e;
  return bits;
#endif
}

// P of values in 2^-16, from their bits.
XBAR_INLINE void find_chance(const Sixteen& bits, const SixteenFloats& scale, const Sixteen& round,
                             Sixteen& p) {
  const auto wanted = reinterpret_cast<SixteenFloats>(bits & 0x7fffffff) * scale * one;
  const SixteenFloats parts = wanted < one ? wanted : SixteenFloats{} + one;
  p = (__builtin_convertvector(parts + 0.5F, Sixteen) + round) >> 8;
}

// Lines that fire; the phases go one slot on.
XBAR_INLINE std::uint64_t firing(Bytes draw, Bytes threshold, Bytes fraction, Bytes& phase) {
  phase += fraction;
#if defined(__AVX512BW__)
  const auto r = reinterpret_cast<__m512i>(draw);
  const auto t = reinterpret_cast<__m512i>(threshold);
  const __mmask64 carry =
      _mm512_cmplt_epu8_mask(reinterpret_cast<__m512i>(phase), reinterpret_cast<__m512i>(fraction));
  return _mm512_cmplt_epu8_mask(r, t) | _mm512_mask_cmpeq_epu8_mask(carry, r, t);
#else
  const auto carry = reinterpret_cast<Bytes>(phase < fraction);
  const auto below = reinterpret_cast<Bytes>(draw < threshold);
  return upper_bits(below | (reinterpret_cast<Bytes>(draw == threshold) & carry));
#endif
}

// a + b + c, bit by bit: a becomes the sum, the carry is returned.
XBAR_INLINE Words full_add(Words& a, Words b, Words c) {
#if defined(__AVX512F__)
  const auto x = reinterpret_cast<__m512i>(a);
  const auto y = reinterpret_cast<__m512i>(b);
  const auto z = reinterpret_cast<__m512i>(c);
  a = reinterpret_cast<Words>(_mm512_ternarylogic_epi64(x, y, z, 0x96));
  return reinterpret_cast<Words>(_mm512_ternarylogic_epi64(x, y, z, 0xe8));
#else
  const Words half = a ^ b;
  const Words carry = (a & b) | (half & c);
  a = half ^ c;
  return carry;
#endif
}

template <int distance>
XBAR_INLINE void exchange_blocks(std::uint64_t (&a)[64], std::uint64_t mask) {
#pragma GCC unroll 32
  for (int k = 0; k < 64; k += 2 * distance) {
#pragma omp simd
    for (int i = k; i < k + distance; ++i) {
      const std::uint64_t t = ((a[i] >> distance) ^ a[i + distance]) & mask;
      a[i + distance] ^= t;
      a[i] ^= t << distance;
    }
  }
}

// The numbers of 64 lines from up to 8 planes, a byte each.
XBAR_INLINE void expand_word(const std::uint64_t* planes, long plane_stride, long count,
                             std::uint8_t (&numbers)[64]) {
  Bytes number[word_vectors] = {};
  for (long q = count - 1; q >= 0; --q) {
    const std::uint64_t word = planes[q * plane_stride];
    for (long p = 0; p < word_vectors; ++p) {
#if defined(__AVX512BW__)
      const auto twice = reinterpret_cast<__m512i>(number[p] + number[p]);
      number[p] =
          reinterpret_cast<Bytes>(_mm512_mask_sub_epi8(twice, word, twice, _mm512_set1_epi8(-1)));
#else
      // Every byte of an element is the byte of 8 lines, of which each keeps its own bit.
      Words spread{};
      for (long e = 0; e < vector_words; ++e) {
        spread[e] = ((word >> (8 * (p * vector_words + e))) & 0xffU) * 0x0101010101010101U;
      }
      const auto own = reinterpret_cast<Bytes>(Words{} + 0x8040201008040201U);
      const auto set = reinterpret_cast<Bytes>((reinterpret_cast<Bytes>(spread) & own) == own);
      number[p] = number[p] + number[p] - set;
#endif
    }
  }
  for (long p = 0; p < word_vectors; ++p) store_bytes(numbers + p * vector_bytes, number[p]);
}

}  // namespace

void survey(long count, const float* values, std::uint32_t* largest, std::uint32_t* any) {
  Sixteen most{};
  Sixteen all{};
  for (long k = 0; k < count; k += sixteen) {
    Sixteen bits;
    load_sixteen(values + k, count - k, bits);
    const Sixteen size = bits & 0x7fffffff;
    most = size > most ? size : most;
    all |= bits;
  }
  int most_of_all = 0;
  int all_of_all = 0;
  for (long e = 0; e < sixteen; ++e) {
    most_of_all = most[e] > most_of_all ? most[e] : most_of_all;
    all_of_all |= all[e];
  }
  *largest = static_cast<std::uint32_t>(most_of_all);
  *any = static_cast<std::uint32_t>(all_of_all);
}

void plan_trains(long count, const float* largest_x, const float* largest_d, TrainRule rule,
                 float* x_scale, float* d_scale, std::uint8_t* length) {
  constexpr double most = 0x1.fffffep127;  // of single precision
#pragma omp simd
  for (long s = 0; s < count; ++s) {
    const double x = largest_x[s];
    const double d = largest_d[s];
    const double pulses = rule.rate * x * d;  // where both are largest
    const bool few = rule.length_management && pulses < rule.length;
    const double bounded = few ? pulses : rule.length;
    const int whole = static_cast<int>(bounded);
    const int slots = whole + (static_cast<double>(whole) < bounded ? 1 : 0);
    const double root =
        __builtin_sqrt((rule.update_management ? pulses : rule.rate) / (slots > 0 ? slots : 1));
    const double of_x = rule.update_management ? root / x : root;
    const double of_d = rule.update_management ? root / d : root;
    const bool any = pulses > 0;
    x_scale[s] = any ? static_cast<float>(of_x < most ? of_x : most) : 0.0F;
    d_scale[s] = any ? static_cast<float>(of_d < most ? of_d : most) : 0.0F;
    length[s] = static_cast<std::uint8_t>(slots);
  }
}

void prepare_lines(const TrainLines& lines, const float* values, float scale, unsigned dither,
                   const std::uint8_t* start, unsigned slot) {
  const TrainLines to = lines;
  for (long first = 0; first < to.count; first += sixteen) {
    // Lines beyond the last never fire.
    Sixteen bits;
    load_sixteen(values + first, to.count - first, bits);
    const Sixteen place = zero_to_fifteen + static_cast<int>(first);
    const Sixteen round = (place * dither_step + static_cast<int>(dither)) & 0xff;
    Sixteen p;
    find_chance(bits, SixteenFloats{} + scale, round, p);
    const Sixteen sign = (bits >> 24) & static_cast<int>(sign_flag);
    store_sixteen(to.threshold + first, lowest_bytes(p >> 8));
    store_sixteen(to.fraction + first, lowest_bytes(p));
    store_sixteen(to.flags + first, lowest_bytes(sign | ((p >> 16) * static_cast<int>(sure_flag))));
    const SixteenBytes from = load_sixteen_bytes(start + first);
    store_sixteen(to.phase + first, from + lowest_bytes(p * static_cast<int>(slot)));
  }
}

void draw_slots(const TrainLines& lines, long slots, const std::uint8_t* draws, long row_bytes,
                std::uint64_t* positive_rows, std::uint64_t* negative_rows, long row_words) {
  const long words = (lines.count + 63) / 64;
  for (long word = 0; word < words; ++word) {
    const long first = 64 * word;
    Bytes threshold[word_vectors];
    Bytes fraction[word_vectors];
    Bytes phase[word_vectors];
    std::uint64_t negative = 0;
    std::uint64_t sure = 0;
    for (long p = 0; p < word_vectors; ++p) {
      const long at = first + p * vector_bytes;
      threshold[p] = load_bytes(lines.threshold + at);
      fraction[p] = load_bytes(lines.fraction + at);
      phase[p] = load_bytes(lines.phase + at);
      const Bytes flags = load_bytes(lines.flags + at);
      negative |= upper_bits(flags) << (p * vector_bytes);
      sure |= upper_bits(flags + flags) << (p * vector_bytes);
    }
    for (long t = 0; t < slots; ++t) {
      const std::uint8_t* draw = draws + t * row_bytes + first;
      std::uint64_t fires = sure;
      for (long p = 0; p < word_vectors; ++p) {
        fires |= firing(load_bytes(draw + p * vector_bytes), threshold[p], fraction[p], phase[p])
                 << (p * vector_bytes);
      }
      positive_rows[t * row_words + word] = fires & ~negative;
      negative_rows[t * row_words + word] = fires & negative;
    }
    for (long p = 0; p < word_vectors; ++p) {
      store_bytes(lines.phase + first + p * vector_bytes, phase[p]);
    }
  }
}

void draw_line(const SlotLanes& lanes, long line, std::uint64_t* positive,
               std::uint64_t* negative) {
  alignas(64) std::uint8_t fires[64];
  alignas(64) std::uint8_t signs[64];
  const auto own_dither = static_cast<int>(line) * dither_step;
  for (long t = 0; t < 64; t += sixteen) {
    Sixteen bits;
    Sixteen scale;
    load_sixteen(lanes.values + t, sixteen, bits);
    load_sixteen(lanes.scale + t, sixteen, scale);
    Sixteen dither;
    load_bytes_wide(lanes.dither + t, dither);
    Sixteen p;
    find_chance(bits, reinterpret_cast<SixteenFloats>(scale), (dither + own_dither) & 0xff, p);
    const SixteenBytes threshold = lowest_bytes(p >> 8);
    const SixteenBytes fraction = lowest_bytes(p);
    const SixteenBytes slots = load_sixteen_bytes(lanes.done + t) + std::uint8_t{1};
    const SixteenBytes phase = load_sixteen_bytes(lanes.start + t) + fraction * slots;
    const SixteenBytes draw = load_sixteen_bytes(lanes.draws + t);
    const auto carry = reinterpret_cast<SixteenBytes>(phase < fraction);
    const auto below = reinterpret_cast<SixteenBytes>(draw < threshold);
    const auto equal = reinterpret_cast<SixteenBytes>(draw == threshold);
    const SixteenBytes sure = lowest_bytes((p >> 16) << 7);
    store_sixteen(fires + t, below | (equal & carry) | sure);
    store_sixteen(signs + t, lowest_bytes(bits >> 24));
  }
  std::uint64_t all = 0;
  std::uint64_t below = 0;
  for (long p = 0; p < word_vectors; ++p) {
    all |= upper_bits(load_bytes(fires + p * vector_bytes)) << (p * vector_bytes);
    below |= upper_bits(load_bytes(signs + p * vector_bytes)) << (p * vector_bytes);
  }
  *positive = all & ~below;
  *negative = all & below;
}

// Blocks of 8 x 8 bits by halves [Warren2012, 7-3], then the bits of a column, each the uppermost
// one of a byte in turn. Rows are taken in an order that has those bytes in theirs.
void transpose_words(const std::uint64_t* rows, long stride, std::uint64_t* out, long out_stride,
                     long columns) {
  alignas(vector_bytes) std::uint64_t a[64];
  for (long high = 0; high < 8; ++high) {
    for (long low = 0; low < 8; ++low) a[8 * low + high] = rows[(8 * high + low) * stride];
  }
  exchange_blocks<32>(a, 0x00000000ffffffffU);
  exchange_blocks<16>(a, 0x0000ffff0000ffffU);
  exchange_blocks<8>(a, 0x00ff00ff00ff00ffU);
  for (long first = 0; first < columns; first += 8) {
    Bytes byte[word_vectors];
    for (long p = 0; p < word_vectors; ++p) {
      byte[p] = load_bytes(reinterpret_cast<const std::uint8_t*>(a + first) + p * vector_bytes);
    }
    for (long column = first + 7; column >= first; --column) {
      std::uint64_t word = 0;
      for (long p = 0; p < word_vectors; ++p) {
        word |= upper_bits(byte[p]) << (p * vector_bytes);
        byte[p] += byte[p];
      }
      if (column < columns) out[column * out_stride] = word;
    }
  }
}

long list_rows(const std::uint64_t* positive, const std::uint64_t* negative, long words, int shift,
               std::uint32_t beside, std::uint32_t first, std::uint32_t* list) {
  long count = 0;
#if defined(__AVX512F__)
  const __m512i number = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  const __m512i other = _mm512_set1_epi32(static_cast<int>(beside));
  const __m512i step = _mm512_set1_epi32(16 << shift);
  __m512i place = _mm512_add_epi32(_mm512_set1_epi32(static_cast<int>(first)),
                                   _mm512_mullo_epi32(number, _mm512_set1_epi32(1 << shift)));
  for (long word = 0; word < words; ++word) {
    const std::uint64_t negatives = negative == nullptr ? 0 : negative[word];
    const std::uint64_t all = positive[word] | negatives;
#pragma GCC unroll 4
    for (int part = 0; part < 64; part += 16) {
      const auto some = static_cast<__mmask16>(all >> part);
      __m512i row = place;
      if (negative != nullptr) {
        row = _mm512_mask_add_epi32(place, static_cast<__mmask16>(negatives >> part), place, other);
      }
      _mm512_storeu_si512(list + count, _mm512_maskz_compress_epi32(some, row));
      count += __builtin_popcount(some);
      place = _mm512_add_epi32(place, step);
    }
  }
#else
  for (long word = 0; word < words; ++word, first += 64U << shift) {
    const std::uint64_t negatives = negative == nullptr ? 0 : negative[word];
    std::uint64_t rest = positive[word] | negatives;
    const long set = __builtin_popcountll(rest);
    // Eight at a time, whether there are or not: fewer branches than bits.
    for (std::uint32_t* place = list + count; rest != 0; place += 8) {
#pragma GCC unroll 8
      for (int e = 0; e < 8; ++e) {
        const auto slot = static_cast<unsigned>(__builtin_ctzll(rest | (1ULL << 63)));
        const auto other = static_cast<unsigned>((negatives >> slot) & 1);
        place[e] = first + (slot << shift) + other * beside;
        rest &= rest - 1;
      }
    }
    count += set;
  }
#endif
  return count;
}

namespace {

/// Numbers that grow by sixteen rows at a time through a tree of full adders, in which a row costs
/// one of them [Mula2018]; carries of sixteens and more wait until there are two.
struct Counter {
  Words ones, twos, fours, eights;
  Words plane[largest_planes];  // from sixteens on
  Words pending[largest_planes];

  XBAR_INLINE void read(const std::uint64_t* planes, long stride, long some, long used,
                        long total) {
    for (long q = 0; q < used; ++q) plane[q] = load_some_words(planes + q * stride, some);
    for (long q = used; q < total; ++q) plane[q] = Words{};
    ones = plane[0];
    twos = plane[1];
    fours = plane[2];
    eights = plane[3];
  }

  // rows: sixteen places; the g-th group of such.
  XBAR_INLINE void add(const std::uint64_t* rows, const std::uint32_t* list, std::uint32_t flip,
                       long g) {
    const auto row = [&](int k) __attribute__((always_inline)) {
      return load_words(rows + (list[k] ^ flip));
    };
    Words two[2];
    Words four[2];
    Words eight[2];
#pragma GCC unroll 2
    for (int a = 0; a < 2; ++a) {
#pragma GCC unroll 2
      for (int b = 0; b < 2; ++b) {
        const int k = 8 * a + 4 * b;
        two[0] = full_add(ones, row(k), row(k + 1));
        two[1] = full_add(ones, row(k + 2), row(k + 3));
        four[b] = full_add(twos, two[0], two[1]);
      }
      eight[a] = full_add(fours, four[0], four[1]);
    }
    Words carry = full_add(eights, eight[0], eight[1]);
    long q = 4;
    for (long full = g; (full & 1) != 0; full >>= 1, ++q) {
      carry = full_add(plane[q], pending[q], carry);
    }
    pending[q] = carry;
  }

  // After so many groups.
  XBAR_INLINE void write(long groups, std::uint64_t* planes, long stride, long some, long total) {
    plane[0] = ones;
    plane[1] = twos;
    plane[2] = fours;
    plane[3] = eights;
    for (long level = 4; groups != 0; groups >>= 1, ++level) {
      if ((groups & 1) == 0) continue;
      Words carry = pending[level];
      for (long q = level; q < total; ++q) {
        const Words before = plane[q];
        plane[q] = before ^ carry;
        carry &= before;
      }
    }
    for (long q = 0; q < total; ++q) store_some_words(planes + q * stride, plane[q], some);
  }
};

}  // namespace

void add_rows(const std::uint32_t* list, long count, const std::uint64_t* rows,
              std::uint32_t beside, long words, std::uint64_t* planes, std::uint64_t* others,
              long plane_stride, long used, long total) {
  const long groups = count / list_step;
  for (long first = 0; first < words; first += vector_words) {
    const long some = words - first;
    Counter counter;
    counter.read(planes + first, plane_stride, some, used, total);
    if (others == nullptr) {
      for (long g = 0; g < groups; ++g) counter.add(rows + first, list + list_step * g, 0, g);
    } else {
      Counter other;
      other.read(others + first, plane_stride, some, used, total);
      for (long g = 0; g < groups; ++g) {
        counter.add(rows + first, list + list_step * g, 0, g);
        other.add(rows + first, list + list_step * g, beside, g);
      }
      other.write(groups, others + first, plane_stride, some, total);
    }
    counter.write(groups, planes + first, plane_stride, some, total);
  }
}

void expand_planes(const std::uint64_t* planes, long plane_stride, long total, long count,
                   float* numbers) {
  const long words = (count + 63) / 64;
  const auto empty = [&](long q) {
    std::uint64_t any = 0;
    for (long word = 0; word < words; ++word) any |= planes[q * plane_stride + word];
    return any == 0;
  };
  while (total > 1 && empty(total - 1)) --total;
  for (long first = 0; first < count; first += 64, ++planes, numbers += 64) {
    float whole[64];
    float* const out = count - first < 64 ? whole : numbers;
    float weight = 1;
    for (long q = 0; q < total; q += 8, weight *= 256) {
      std::uint8_t bytes[64];
      expand_word(planes + q * plane_stride, plane_stride, total - q < 8 ? total - q : 8, bytes);
      if (q == 0) {
#pragma omp simd
        for (long k = 0; k < 64; ++k) out[k] = bytes[k];
      } else {
#pragma omp simd
        for (long k = 0; k < 64; ++k) out[k] += weight * bytes[k];
      }
    }
    if (out == whole) {
      for (long k = 0; k < count - first; ++k) numbers[k] = whole[k];
    }
  }
}

}  // namespace xbar::device::XBAR_ISA
