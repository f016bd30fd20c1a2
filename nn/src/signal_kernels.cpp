#include "signal_kernels.hpp"

#ifdef __AVX512F__
#include <immintrin.h>
#endif

// No standard algorithms here: this file is compiled for several instruction sets, and an inline
// function shared with other files would be kept in only one of its versions.

namespace xbar::nn::XBAR_ISA {
namespace {

std::int32_t bits_of(float value) { return __builtin_bit_cast(std::int32_t, value); }
std::int32_t larger(std::int32_t a, std::int32_t b) { return a > b ? a : b; }

constexpr std::int32_t size = 0x7fffffff;

}  // namespace

void largest_sizes(long lines, long positions, const float* values, std::int32_t* largest) {
  for (long p = 0; p < positions; ++p) largest[p] = 0;
  for (long line = 0; line < lines; ++line, values += positions) {
#pragma omp simd
    for (long p = 0; p < positions; ++p) largest[p] = larger(bits_of(values[p]) & size, largest[p]);
  }
}

std::int32_t raise_to_sizes(long count, const float* values, std::int32_t* largest) {
  std::int32_t all = 0;
#pragma omp simd reduction(| : all)
  for (long k = 0; k < count; ++k) {
    const std::int32_t bits = bits_of(values[k]);
    all |= bits;
    largest[k] = larger(bits & size, largest[k]);
  }
  return all;
}

void raise(long count, const std::int32_t* sizes, long stride, std::int32_t* largest) {
  if (stride == 1) {
#pragma omp simd
    for (long k = 0; k < count; ++k) largest[k] = larger(sizes[k], largest[k]);
    return;
  }
  for (long k = 0; k < count; ++k) largest[k] = larger(sizes[k * stride], largest[k]);
}

long list_positions(long count, const std::int32_t* d, const std::int32_t* x, std::int32_t* numbers,
                    float* listed_d, float* listed_x) {
  long listed = 0;
  long k = 0;
#ifdef __AVX512F__
  __m512i number = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  for (; k + 16 <= count; k += 16) {
    const __m512i of_d = _mm512_loadu_si512(d + k);
    const __mmask16 any = _mm512_cmpgt_epi32_mask(of_d, _mm512_setzero_si512());
    _mm512_mask_compressstoreu_epi32(numbers + listed, any, number);
    _mm512_mask_compressstoreu_epi32(listed_d + listed, any, of_d);
    _mm512_mask_compressstoreu_epi32(listed_x + listed, any, _mm512_loadu_si512(x + k));
    listed += __builtin_popcount(any);
    number = _mm512_add_epi32(number, _mm512_set1_epi32(16));
  }
#endif
  for (; k < count; ++k) {
    if (d[k] <= 0) continue;
    numbers[listed] = static_cast<std::int32_t>(k);
    listed_d[listed] = __builtin_bit_cast(float, d[k]);
    listed_x[listed] = __builtin_bit_cast(float, x[k]);
    ++listed;
  }
  return listed;
}

}  // namespace xbar::nn::XBAR_ISA
