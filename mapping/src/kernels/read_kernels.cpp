#include "kernels/read_kernels.hpp"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

#include <xbar/core/kernel_vectors.hpp>

// Measured on one AVX-512 core, 64 lines: float_tile 165 to 180 GFLOP/s with or without ADC,
// oneDNN's sgemm 140; its AVX2 build 65 to 110. serial_tile, 4 arrays, 7 digits of which 20 % (40
// %) are set: what a dense product would need 410 (240) GMAC/s for, its AVX2 build 220 (140).

namespace xbar::mapping::XBAR_ISA {
namespace {

using xbar::XBAR_ISA::all;
using xbar::XBAR_ISA::load;
using xbar::XBAR_ISA::store;
using xbar::XBAR_ISA::transpose;
using xbar::XBAR_ISA::Vec;
using xbar::XBAR_ISA::vector_bytes;
using xbar::XBAR_ISA::width;

using Floats = Vec<float>;
using Ints [[gnu::vector_size(vector_bytes), gnu::may_alias]] = int;
using Shorts [[gnu::vector_size(vector_bytes), gnu::may_alias]] = short;

// Adding and subtracting 1.5 * 2^23 rounds to the nearest whole number, ties to even, up to 2^22.
constexpr float rounder = 12582912.0F;

// NaN stays NaN.
[[gnu::always_inline]] inline Floats clamp(Floats x, Floats low, Floats high) {
  const Floats above = x < low ? low : x;
  return above > high ? high : above;
}

// --- products in floating point ------------------------------------------------------------------

enum class Adc { ideal, codes, slope };

// Two registers of positions an output, and some to spare.
#if defined(__AVX512F__)
constexpr long most_outputs = 14;
#else
constexpr long most_outputs = 6;
#endif

template <long outputs, Adc adc>
void float_block(const FloatTile& tile, const float* packed, const float* weight, float* y,
                 float* slope) {
  constexpr long w = width<float>;
  const Floats middle = all(rounder);
  const Floats inverse_step = all(tile.inverse_step);
  const Floats low = all(rounder - tile.limit);
  const Floats high = all(rounder + tile.limit);
  for (long p = 0; p < tile.positions; p += 2 * w) {
    Floats sum[outputs][2] = {};
    const float* digits = tile.digits + p;
    const float* e = packed;
    for (long l = 0; l < tile.lines; ++l, digits += tile.stride, e += outputs) {
      const Floats d0 = load(digits);
      const Floats d1 = load(digits + w);
#pragma GCC unroll 16
      for (long o = 0; o < outputs; ++o) {
        sum[o][0] += e[o] * d0;
        sum[o][1] += e[o] * d1;
      }
    }
#pragma GCC unroll 16
    for (long o = 0; o < outputs; ++o) {
      float* to = y + o * tile.stride + p;
      for (long k = 0; k < 2; ++k, to += w) {
        if constexpr (adc == Adc::ideal) {
          store(to, load(to) + weight[o] * sum[o][k]);
        } else {
          const Floats code = clamp(sum[o][k] * inverse_step + middle, low, high) - middle;
          store(to, load(to) + weight[o] * code);
          if constexpr (adc == Adc::slope) {
            const Floats exact = sum[o][k] * inverse_step;
            const Floats most = all(tile.limit);
            const Floats inside = exact > most ? Floats{} : exact < -most ? Floats{} : exact;
            float* slope_to = slope + (to - y);
            store(slope_to, load(slope_to) + weight[o] * (code - inside));
          }
        }
      }
    }
  }
}

template <Adc adc, long outputs = most_outputs>
void float_blocks(const FloatTile& tile) {
  if constexpr (outputs > 0) {
    if (tile.block_outputs != outputs) {
      float_blocks<adc, outputs - 1>(tile);
      return;
    }
    for (long b = 0; b < tile.blocks; ++b) {
      const long first = b * outputs;
      float_block<outputs, adc>(tile, tile.packed + first * tile.lines, tile.weight + first,
                                tile.y + first * tile.stride,
                                adc == Adc::slope ? tile.slope + first * tile.stride : nullptr);
    }
  }
}

// --- bit-serial products in 16 bits --------------------------------------------------------------

constexpr long short_lanes = vector_bytes / 2;
constexpr long most_vectors = 8;

// round(v factor / 2^15), half up.
[[gnu::always_inline]] inline Shorts scaled(Shorts v, short factor) {
#if defined(__AVX512BW__)
  return reinterpret_cast<Shorts>(
      _mm512_mulhrs_epi16(reinterpret_cast<__m512i>(v), _mm512_set1_epi16(factor)));
#elif defined(__AVX2__)
  return reinterpret_cast<Shorts>(
      _mm256_mulhrs_epi16(reinterpret_cast<__m256i>(v), _mm256_set1_epi16(factor)));
#else
  using Wide [[gnu::vector_size(2 * vector_bytes)]] = int;
  const Wide product = __builtin_convertvector(v, Wide) * int{factor};
  return __builtin_convertvector((product + (1 << 14)) >> 15, Shorts);
#endif
}

// Place of the lowest set bit; 64 for none: the line of zeros.
[[gnu::always_inline]] inline long lowest(std::uint64_t mask) {
#if defined(__BMI__)
  return static_cast<long>(_tzcnt_u64(mask));
#else
  return mask == 0 ? 64 : __builtin_ctzll(mask);
#endif
}

template <long vectors, bool subtract>
[[gnu::always_inline]] inline void add_lines(std::uint64_t mask, const Shorts* e,
                                             Shorts (&sum)[vectors]) {
  // Four at a time: the processor guesses the end of a short loop better than that of a long one.
  while (mask != 0) {
#pragma GCC unroll 4
    for (int k = 0; k < 4; ++k) {
      const Shorts* line = e + lowest(mask) * vectors;
      mask &= mask - 1;
#pragma GCC unroll 8
      for (long v = 0; v < vectors; ++v) {
        if constexpr (subtract) {
          sum[v] -= line[v];
        } else {
          sum[v] += line[v];
        }
      }
    }
  }
}

template <long vectors>
void serial_block(const SerialTile& tile, const std::int16_t* packed, long first_unit) {
  using HalfWide [[gnu::vector_size(unit_lanes * 2), gnu::may_alias, gnu::aligned(2)]] = short;
  using Wide [[gnu::vector_size(unit_lanes * 4), gnu::may_alias, gnu::aligned(4)]] = float;
  constexpr long units = vectors * short_lanes / unit_lanes;
  const auto* e = reinterpret_cast<const Shorts*>(packed);
  const short limit_value = tile.limit;
  const Shorts limit = limit_value - Shorts{};
  const long words = tile.streams * tile.positions;
  for (long p = 0; p < tile.positions; ++p) {
    Shorts total[vectors] = {};
    for (long s = tile.streams - 1; s >= 0; --s) {
      Shorts sum[vectors] = {};
      for (long c = 0; c < tile.chunks; ++c) {
        const long word = c * words + s * tile.positions + p;
        const Shorts* lines = e + c * (mask_lines + 1) * vectors;
        add_lines<vectors, false>(tile.plus[word], lines, sum);
        add_lines<vectors, true>(tile.minus[word], lines, sum);
      }
#pragma GCC unroll 8
      for (long v = 0; v < vectors; ++v) {
        const Shorts code = scaled(sum[v], tile.factor);
        const Shorts above = code < -limit ? -limit : code;
        total[v] += total[v] + (above > limit ? limit : above);
      }
    }
    const auto* codes = reinterpret_cast<const short*>(total);
    for (long u = 0; u < units; ++u) {
      auto* to = reinterpret_cast<Wide*>(tile.y + p * tile.y_stride + tile.output[first_unit + u]);
      const auto weight =
          *reinterpret_cast<const Wide*>(tile.weight + (first_unit + u) * unit_lanes);
      *to += weight * __builtin_convertvector(
                          *reinterpret_cast<const HalfWide*>(codes + u * unit_lanes), Wide);
    }
  }
}

template <long vectors = most_vectors>
void serial_blocks(long wanted, const SerialTile& tile, const std::int16_t* packed,
                   long first_unit) {
  if constexpr (vectors > 0) {
    if (wanted == vectors) {
      serial_block<vectors>(tile, packed, first_unit);
    } else {
      serial_blocks<vectors - 1>(wanted, tile, packed, first_unit);
    }
  }
}

// Bit b of the magnitudes of 64 bytes, and their signs.
struct ByteMasks {
  std::uint64_t sign = 0;
  std::uint64_t bit[7] = {};
};

[[gnu::always_inline]] inline ByteMasks masks_of(const signed char* bytes, long streams) {
  ByteMasks masks;
#if defined(__AVX512BW__)
  const __m512i code = _mm512_load_si512(bytes);
  masks.sign = _mm512_movepi8_mask(code);
  const __m512i magnitude = _mm512_abs_epi8(code);
  for (long s = 0; s < streams; ++s) {
    masks.bit[s] = _mm512_test_epi8_mask(magnitude, _mm512_set1_epi8(static_cast<char>(1 << s)));
  }
#elif defined(__AVX2__)
  for (int half = 0; half < 2; ++half) {
    const __m256i code = _mm256_load_si256(reinterpret_cast<const __m256i*>(bytes + 32 * half));
    const auto put = [half](std::uint64_t& mask, __m256i top) {
      mask |= std::uint64_t{static_cast<unsigned>(_mm256_movemask_epi8(top))} << (32 * half);
    };
    put(masks.sign, code);
    const __m256i magnitude = _mm256_abs_epi8(code);
    for (long s = 0; s < streams; ++s) {
      put(masks.bit[s], _mm256_slli_epi16(magnitude, static_cast<int>(7 - s)));
    }
  }
#else
  for (int k = 0; k < 64; ++k) {
    const int code = bytes[k];
    const int magnitude = code < 0 ? -code : code;
    masks.sign |= std::uint64_t{code < 0} << k;
    for (long s = 0; s < streams; ++s) {
      masks.bit[s] |= static_cast<std::uint64_t>((magnitude >> s) & 1) << k;
    }
  }
#endif
  return masks;
}

}  // namespace

void float_tile(const FloatTile& tile) {
  if (tile.limit == 0) {
    float_blocks<Adc::ideal>(tile);
  } else if (tile.slope == nullptr) {
    float_blocks<Adc::codes>(tile);
  } else {
    float_blocks<Adc::slope>(tile);
  }
}

long float_block_outputs() { return most_outputs; }

long serial_group_units() { return most_vectors * short_lanes / unit_lanes; }

void serial_tile(const SerialTile& tile) {
  const long group = serial_group_units();
  const std::int16_t* packed = tile.packed;
  for (long first = 0; first < tile.units; first += group) {
    const long units = tile.units - first < group ? tile.units - first : group;
    serial_blocks(units * unit_lanes / short_lanes, tile, packed, first);
    packed += tile.chunks * (mask_lines + 1) * units * unit_lanes;
  }
}

void bit_masks(const float* codes, long stride, long lines, long positions, long streams,
               std::uint64_t* plus, std::uint64_t* minus) {
  constexpr long w = width<float>;
  using Bytes [[gnu::vector_size(w), gnu::may_alias]] = signed char;
  alignas(64) signed char bytes[w][mask_lines];
  for (long p = 0; p < positions; p += w) {
    for (long l = 0; l < mask_lines; l += w) {
      Floats block[w];
      for (long k = 0; k < w; ++k) {
        block[k] = l + k < lines ? load(codes + (l + k) * stride + p) : Floats{};
      }
      transpose<float>(block);
      for (long k = 0; k < w; ++k) {
        *reinterpret_cast<Bytes*>(&bytes[k][l]) =
            __builtin_convertvector(__builtin_convertvector(block[k], Ints), Bytes);
      }
    }
    for (long k = 0; k < w; ++k) {
      const ByteMasks masks = masks_of(bytes[k], streams);
      for (long s = 0; s < streams; ++s) {
        plus[s * positions + p + k] = masks.bit[s] & ~masks.sign;
        minus[s * positions + p + k] = masks.bit[s] & masks.sign;
      }
    }
  }
}

void turn(const float* from, long from_stride, long rows, long columns, float* to, long to_stride) {
  constexpr long w = width<float>;
  for (long r = 0; r < rows; r += w) {
    for (long c = 0; c < columns; c += w) {
      Floats block[w];
      for (long k = 0; k < w; ++k) block[k] = load(from + (r + k) * from_stride + c);
      transpose<float>(block);
      for (long k = 0; k < w; ++k) store(to + (c + k) * to_stride + r, block[k]);
    }
  }
}

void digitise(const float* x, long count, float inverse_step, float limit, float* codes) {
  if (limit == 0) {
#pragma omp simd
    for (long i = 0; i < count; ++i) codes[i] = x[i] * inverse_step;
    return;
  }
#pragma omp simd
  for (long i = 0; i < count; ++i) {
    const float place = x[i] * inverse_step + rounder;
    const float above = place < rounder - limit ? rounder - limit : place;
    codes[i] = (above > rounder + limit ? rounder + limit : above) - rounder;
  }
}

void take_digits(const float* codes, long count, int shift, int mask, float* digits) {
#pragma omp simd
  for (long i = 0; i < count; ++i) {
    const int code = static_cast<int>(codes[i]);
    // NaN becomes the least int, which has no negative.
    const auto bits = static_cast<unsigned>(code);
    const unsigned magnitude = code < 0 ? 0U - bits : bits;
    const int digit = static_cast<int>(magnitude >> shift) & mask;
    digits[i] = static_cast<float>(code < 0 ? -digit : digit);
  }
}

float largest_magnitude(const float* x, long count) {
  constexpr long chains = 16;
  float largest[chains] = {};
  long i = 0;
  for (; i + chains <= count; i += chains) {
#pragma omp simd
    for (long k = 0; k < chains; ++k) {
      const float size = x[i + k] < 0 ? -x[i + k] : x[i + k];
      largest[k] = size <= largest[k] || largest[k] != largest[k] ? largest[k] : size;
    }
  }
  float of_all = 0;
  const auto take = [&](float size) {
    of_all = size <= of_all || of_all != of_all ? of_all : size;
  };
  for (const float size : largest) take(size);
  for (; i < count; ++i) take(x[i] < 0 ? -x[i] : x[i]);
  return of_all;
}

}  // namespace xbar::mapping::XBAR_ISA
