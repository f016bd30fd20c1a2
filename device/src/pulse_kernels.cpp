#include "pulse_kernels.hpp"

#include <type_traits>

#ifdef __AVX512F__
#include <immintrin.h>
#endif

#include "kernel_math.hpp"

// Rules as in line_kernels.cpp: no standard algorithms, no fused multiply-add. The compiler takes
// every number here for finite (CMakeLists.txt), so NaN is looked for in its bits.

namespace xbar::device::XBAR_ISA {
namespace {

XBAR_INLINE float larger(float a, float b) { return a > b ? a : b; }
XBAR_INLINE float smaller(float a, float b) { return a < b ? a : b; }

// The smallest whole number that is not below n, 0 <= n < 2^31.
XBAR_INLINE float ceiling(float n) {
  const auto whole = static_cast<float>(static_cast<int>(n));
  return whole < n ? whole + 1 : whole;
}

// Whether x is a number, and pulses arrive: other cells stay as they are.
XBAR_INLINE bool moves(float n, float x) {
  constexpr unsigned sign = 0x80000000U;
  constexpr unsigned infinity = 0x7f800000U;
  return n > 0 && (__builtin_bit_cast(unsigned, x) & ~sign) <= infinity;
}

XBAR_INLINE float own_position(float lower, float upper, float x) {
  return clamped((x - lower) / (upper - lower), 0, 1);
}

// Pulses of the same kind that arrive before the mean one. Of n in several events these numbers
// and the events before give (n - 1)/2 in all; a single pulse of less voltage has none before it.
XBAR_INLINE float before(float n, float share) { return n >= 1 ? (n * share - 1) / 2 : 0; }

// The same where all n arrive in one event.
XBAR_INLINE float before(float n) { return larger(n * 0.5F - 0.5F, 0); }

// own_up and own_down are the steps with the cell's factors, n_up and n_down the pulses of this
// event.
XBAR_INLINE float mean_up(float n, float share, float n_down, float own_up, float own_down,
                          float z) {
  return clamped(z + before(n, share) * own_up - n_down / 2 * own_down, 0, 1);
}
XBAR_INLINE float mean_down(float n, float share, float n_up, float own_up, float own_down,
                            float z) {
  return clamped(z + n_up / 2 * own_up - before(n, share) * own_down, 0, 1);
}

XBAR_INLINE float moved(float lower, float upper, float dz, float n, float x) {
  const float to = clamped(clamped(x, lower, upper) + dz * (upper - lower), lower, upper);
  return moves(n, x) ? to : x;
}

}  // namespace

void survey_pulses(long count, const float* up, const float* down, PulseSurvey* survey) {
  float ups = 0;
  float downs = 0;
  float more = 0;
#pragma omp simd reduction(max : ups, downs, more)
  for (long k = 0; k < count; ++k) {
    ups = larger(up[k], ups);
    downs = larger(down[k], downs);
    more = larger(smaller(up[k], down[k]), more);
  }
  survey->most_up = ups;
  survey->most_down = downs;
  survey->any = ups > 0 || downs > 0;
  survey->several = ups > 1 || downs > 1 || more > 0;
}

long mark_pulsed(long count, const float* up, const float* down, std::uint64_t* marks) {
  long marked = 0;
  for (long first = 0; first < count; first += 64, ++marks) {
    const long some = count - first < 64 ? count - first : 64;
    std::uint64_t word = 0;
    long k = 0;
#ifdef __AVX512F__
    for (; k + 16 <= some; k += 16) {
      const __m512 n =
          _mm512_add_ps(_mm512_loadu_ps(up + first + k), _mm512_loadu_ps(down + first + k));
      const __mmask16 any = _mm512_cmp_ps_mask(n, _mm512_setzero_ps(), _CMP_GT_OQ);
      word |= static_cast<std::uint64_t>(any) << k;
    }
#endif
    for (; k < some; ++k) {
      word |= static_cast<std::uint64_t>(up[first + k] + down[first + k] > 0 ? 1 : 0) << k;
    }
    *marks = word;
    marked += __builtin_popcountll(word);
  }
  return marked;
}

void pack_cells(long count, const std::uint64_t* marks, const float* from, float* to) {
  for (long first = 0; first < count; first += 64, from += 64, ++marks) {
#ifdef __AVX512F__
    // Sixteen are written wherever any is: what is too many, the next ones mend.
    std::uint64_t rest = *marks;
    for (const float* some = from; rest != 0; rest >>= 16, some += 16) {
      const auto here = static_cast<__mmask16>(rest);
      _mm512_storeu_ps(to, _mm512_maskz_compress_ps(here, _mm512_maskz_loadu_ps(here, some)));
      to += __builtin_popcount(here);
    }
#else
    for (std::uint64_t rest = *marks; rest != 0; rest &= rest - 1) {
      *to++ = from[__builtin_ctzll(rest)];
    }
#endif
  }
}

void unpack_cells(long count, const std::uint64_t* marks, const float* from, float* to) {
  for (long first = 0; first < count; first += 64, to += 64, ++marks) {
#ifdef __AVX512F__
    std::uint64_t rest = *marks;
    for (float* some = to; rest != 0; rest >>= 16, some += 16) {
      const auto here = static_cast<__mmask16>(rest);
      _mm512_mask_storeu_ps(some, here, _mm512_maskz_expandloadu_ps(here, from));
      from += __builtin_popcount(here);
    }
#else
    for (std::uint64_t rest = *marks; rest != 0; rest &= rest - 1) {
      to[__builtin_ctzll(rest)] = *from++;
    }
#endif
  }
}

void round_pulses(long count, const float* asked, float inverse, const float* uniform, float* up,
                  float* down) {
  constexpr float most = 1 << 20;
#pragma omp simd
  for (long k = 0; k < count; ++k) {
    const float wanted = smaller(__builtin_fabsf(asked[k]) * inverse + uniform[k], most);
    const auto n = static_cast<float>(static_cast<int>(wanted));
    up[k] = asked[k] > 0 ? n : 0;
    down[k] = asked[k] < 0 ? n : 0;
  }
}

// Sums side by side, as many whatever the instruction set, so that all round alike, and several
// registers of them for the latency of an addition.
void sum_pulses(long count, const float* n, const float* x, double* pulses, double* states) {
  using Sixteen [[gnu::vector_size(64)]] = float;
  using Loose [[gnu::vector_size(64), gnu::may_alias, gnu::aligned(4)]] = float;
  constexpr long parts = 4;
  constexpr long lanes = 16;
  Sixteen some[parts] = {};
  Sixteen weighted[parts] = {};
  long k = 0;
  for (; k + parts * lanes <= count; k += parts * lanes) {
#pragma GCC unroll 4
    for (long p = 0; p < parts; ++p) {
      const Sixteen now = *reinterpret_cast<const Loose*>(n + k + p * lanes);
      some[p] += now;
      if (x != nullptr) weighted[p] += now * *reinterpret_cast<const Loose*>(x + k + p * lanes);
    }
  }
  for (; k < count; ++k) {
    some[0][0] += n[k];
    if (x != nullptr) weighted[0][0] += n[k] * x[k];
  }
  *pulses = *states = 0;
  const Sixteen all = (some[0] + some[1]) + (some[2] + some[3]);
  for (long e = 0; e < lanes; ++e) *pulses += static_cast<double>(all[e]);
  if (x == nullptr) return;
  const Sixteen all_weighted = (weighted[0] + weighted[1]) + (weighted[2] + weighted[3]);
  for (long e = 0; e < lanes; ++e) *states += static_cast<double>(all_weighted[e]);
}

float count_events(long count, float rate, const float* up, const float* down, float* events) {
  float most = 1;
#pragma omp simd reduction(max : most)
  for (long k = 0; k < count; ++k) {
    const float n = up[k] + down[k];
    events[k] = larger(smaller(ceiling(rate * n), ceiling(n)), 1);
    most = larger(events[k], most);
  }
  return most;
}

void event_shares(long count, float round, const float* events, float* share) {
#pragma omp simd
  for (long k = 0; k < count; ++k) share[k] = round < events[k] ? 1 / events[k] : 0;
}

void own_positions(long count, CellArrays cells, const float* x, float* z) {
#pragma omp simd
  for (long k = 0; k < count; ++k) z[k] = own_position(cells.lower[k], cells.upper[k], x[k]);
}

void mean_positions(long count, CellArrays cells, PulseArrays pulses, const float* u,
                    const float* d, const float* z, float* z_up, float* z_down) {
#pragma omp simd
  for (long k = 0; k < count; ++k) {
    const float own_up = cells.up_factor[k] * u[k];
    const float own_down = cells.down_factor[k] * d[k];
    const float share = pulses.share[k];
    z_up[k] = mean_up(pulses.up[k], share, pulses.down[k] * share, own_up, own_down, z[k]);
    z_down[k] = mean_down(pulses.down[k], share, pulses.up[k] * share, own_up, own_down, z[k]);
  }
}

namespace {

template <bool noisy>
XBAR_INLINE void move_cells_by_pulses(long count, CellArrays cells, PulseArrays pulses,
                                      NoiseLaw noise, const float* normal, const float* u,
                                      const float* d, float* x) {
#pragma omp simd
  for (long k = 0; k < count; ++k) {
    const float own_up = cells.up_factor[k] * u[k];
    const float own_down = cells.down_factor[k] * d[k];
    const float n_up = pulses.up[k] * pulses.share[k];
    const float n_down = pulses.down[k] * pulses.share[k];
    float dz = n_up * own_up - n_down * own_down;
    if constexpr (noisy) {
      const float variance = n_up * (noise.relative * own_up * own_up + noise.range) +
                             n_down * (noise.relative * own_down * own_down + noise.range);
      dz += __builtin_sqrtf(variance) * normal[k];
    }
    x[k] = moved(cells.lower[k], cells.upper[k], dz, n_up + n_down, x[k]);
  }
}

// In x itself, t from the cell's lower bound: with the width w of its own range a step up is
// a (w up_at_0 + up_slope t).
template <bool spread, bool several, bool cut, bool noisy>
XBAR_INLINE void move_cells_affinely(long count, CellArrays cells, PulseArrays pulses,
                                     NoiseLaw noise, const float* normal, AffineArrays steps,
                                     float* x) {
#pragma omp simd
  for (long k = 0; k < count; ++k) {
    const float lower = spread ? cells.lower[k] : 0;
    const float upper = spread ? cells.upper[k] : 1;
    const float width = spread ? upper - lower : 1;
    const float from = clamped(x[k], lower, upper);
    const float t = spread ? from - lower : from;
    const float up_slope = spread ? cells.up_factor[k] * steps.up_slope[k] : steps.up_slope[k];
    const float down_slope =
        spread ? cells.down_factor[k] * steps.down_slope[k] : steps.down_slope[k];
    const float up_at_0 = spread ? cells.up_factor[k] * width * steps.up_at_0[k] : steps.up_at_0[k];
    const float down_at_0 =
        spread ? cells.down_factor[k] * width * steps.down_at_0[k] : steps.down_at_0[k];
    float up = up_at_0 + up_slope * t;
    float down = down_at_0 + down_slope * t;
    const float n_up = cut ? pulses.up[k] * pulses.share[k] : pulses.up[k];
    const float n_down = cut ? pulses.down[k] * pulses.share[k] : pulses.down[k];
    if constexpr (several) {
      const float up_before = cut ? before(pulses.up[k], pulses.share[k]) : before(n_up);
      const float down_before = cut ? before(pulses.down[k], pulses.share[k]) : before(n_down);
      const float t_up = clamped(t + (up_before * up - n_down * 0.5F * down), 0, width);
      const float t_down = clamped(t + (n_up * 0.5F * up - down_before * down), 0, width);
      up = up_at_0 + up_slope * t_up;
      down = down_at_0 + down_slope * t_down;
    }
    float change = n_up * up - n_down * down;
    const float n = n_up + n_down;
    if constexpr (noisy) {
      const float squares = n_up * (up * up) + n_down * (down * down);
      const float variance = noise.relative * squares + noise.range * (width * width) * n;
      change += __builtin_sqrtf(variance) * normal[k];
    }
    const float to = clamped(from + change, lower, upper);
    x[k] = moves(n, x[k]) ? to : x[k];
  }
}

template <bool noisy>
void move_lines_affinely(long count, CellArrays cells, PulseArrays pulses, PulseTraits traits,
                         NoiseLaw noise, const float* normal, AffineArrays steps, float* x) {
  using Yes = std::true_type;
  using No = std::false_type;
  // By types: a pointer to the kernel could not be inlined where nothing is optimised.
  const auto move = [&](auto spread, auto several, auto cut) {
    move_cells_affinely<decltype(spread)::value, decltype(several)::value, decltype(cut)::value,
                        noisy>(count, cells, pulses, noise, normal, steps, x);
  };
  if (traits.spread) {
    if (traits.cut) {
      move(Yes{}, Yes{}, Yes{});
    } else if (traits.several) {
      move(Yes{}, Yes{}, No{});
    } else {
      move(Yes{}, No{}, No{});
    }
  } else if (traits.cut) {
    move(No{}, Yes{}, Yes{});
  } else if (traits.several) {
    move(No{}, Yes{}, No{});
  } else {
    move(No{}, No{}, No{});
  }
}

}  // namespace

void move_by_pulses(long count, CellArrays cells, PulseArrays pulses, NoiseLaw noise,
                    const float* normal, const float* u, const float* d, float* x) {
  if (normal != nullptr) {
    move_cells_by_pulses<true>(count, cells, pulses, noise, normal, u, d, x);
  } else {
    move_cells_by_pulses<false>(count, cells, pulses, noise, normal, u, d, x);
  }
}

void move_affinely(long count, CellArrays cells, PulseArrays pulses, PulseTraits traits,
                   NoiseLaw noise, const float* normal, AffineArrays steps, float* x) {
  if (normal != nullptr) {
    move_lines_affinely<true>(count, cells, pulses, traits, noise, normal, steps, x);
  } else {
    move_lines_affinely<false>(count, cells, pulses, traits, noise, normal, steps, x);
  }
}

void move_by_sums(long count, CellArrays cells, PulseArrays pulses, const float* normal,
                  const float* u, const float* d, const float* u_deviation,
                  const float* d_deviation, float* x) {
#pragma omp simd
  for (long k = 0; k < count; ++k) {
    const float n_up = pulses.up[k] * pulses.share[k];
    const float n_down = pulses.down[k] * pulses.share[k];
    const float a = cells.up_factor[k];
    const float b = cells.down_factor[k];
    const float up_noise = a * u_deviation[k];
    const float down_noise = b * d_deviation[k];
    const float variance = n_up * up_noise * up_noise + n_down * down_noise * down_noise;
    const float dz = n_up * a * u[k] - n_down * b * d[k] + __builtin_sqrtf(variance) * normal[k];
    x[k] = moved(cells.lower[k], cells.upper[k], dz, n_up + n_down, x[k]);
  }
}

void wear(long count, const float* life, float* used, float* up, float* down) {
#pragma omp simd
  for (long k = 0; k < count; ++k) {
    const float n = up[k] + down[k];
    const float left = clamped(life[k] - used[k], 0, n);
    const float share = n > 0 ? left / n : 0;
    used[k] += n;
    up[k] *= share;
    down[k] *= share;
  }
}

void reset_cells(long count, CellArrays cells, float* down, float* x) {
#pragma omp simd
  for (long k = 0; k < count; ++k) {
    x[k] = down[k] > 0 ? cells.lower[k] : x[k];
    down[k] = 0;
  }
}

void show_cells(long count, CellArrays cells, PulseArrays pulses, float sigma, float least,
                const float* normal, const float* hidden, float* seen) {
#pragma omp simd
  for (long k = 0; k < count; ++k) {
    const float noise = sigma * (cells.upper[k] - cells.lower[k]) * normal[k];
    const float shown = larger(hidden[k] + noise, least);
    seen[k] = pulses.up[k] + pulses.down[k] > 0 ? shown : seen[k];
  }
}

void part_pulses(long count, float limit, const float* up, const float* down, float* few_up,
                 float* few_down, float* many_up, float* many_down) {
#pragma omp simd
  for (long k = 0; k < count; ++k) {
    const bool few = up[k] + down[k] <= limit;
    few_up[k] = few ? up[k] : 0;
    few_down[k] = few ? down[k] : 0;
    many_up[k] = few ? 0 : up[k];
    many_down[k] = few ? 0 : down[k];
  }
}

void nth_pulses(long count, float round, const float* up, const float* down, const float* phase,
                float* kind, float* size) {
#pragma omp simd
  for (long k = 0; k < count; ++k) {
    const float ups = ceiling(up[k]);
    const float downs = ceiling(down[k]);
    const float all = ups + downs;
    // Up where the whole part of turn + (ups/all) round rises, turn so far below 1 that rounding
    // does not make it 1.
    const float some = all > 0 ? all : 1;
    const float turn = phase[k] * 0x1.fffep-1F;
    const auto now = static_cast<int>(turn + round * ups / some);
    const auto next = static_cast<int>(turn + (round + 1) * ups / some);
    const bool is_up = next > now;
    kind[k] = round >= all ? 0.0F : is_up ? 1.0F : -1.0F;
    const float of = is_up ? ups : downs;
    size[k] = (is_up ? up[k] : down[k]) / (of > 0 ? of : 1);
  }
}

void move_by_one(long count, CellArrays cells, const float* kind, const float* size, const float* u,
                 const float* d, float* x) {
#pragma omp simd
  for (long k = 0; k < count; ++k) {
    const float step = kind[k] > 0 ? cells.up_factor[k] * u[k] : -(cells.down_factor[k] * d[k]);
    x[k] = moved(cells.lower[k], cells.upper[k], size[k] * step, kind[k] * kind[k], x[k]);
  }
}

}  // namespace xbar::device::XBAR_ISA
