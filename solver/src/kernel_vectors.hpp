#pragma once

/// Registers of doubles for the kernel sources, at the width of the instruction set that a source
/// is compiled for. Everything is local to the source that includes it (an unnamed namespace),
/// since each is compiled several times.

namespace xbar::solver::XBAR_ISA {
namespace {

#if defined(__AVX512F__)
constexpr long width = 8;
#elif defined(__AVX2__)
constexpr long width = 4;
#else
constexpr long width = 2;
#endif
// A register; element-wise arithmetic is the compiler's (GCC, Clang).
using Vec [[gnu::vector_size(width * sizeof(double)), gnu::may_alias]] = double;

[[maybe_unused, gnu::always_inline]] inline Vec load(const double* x) {
  return *reinterpret_cast<const Vec*>(x);
}
[[maybe_unused, gnu::always_inline]] inline void store(double* x, Vec value) {
  *reinterpret_cast<Vec*>(x) = value;
}

// Where bit `distance` of the element number is set in a or not in b, they change places.
template <long distance>
[[gnu::always_inline]] inline void exchange(Vec& a, Vec& b) {
#if defined(__clang__)
  Vec low{};
  Vec high{};
  for (long e = 0; e < width; ++e) {
    low[e] = (e & distance) != 0 ? b[e - distance] : a[e];
    high[e] = (e & distance) != 0 ? b[e] : a[e + distance];
  }
#else  // GCC would go through memory, element by element
  using Choice [[gnu::vector_size(sizeof(Vec))]] = long;
  Choice of_low{};
  Choice of_high{};
  for (long e = 0; e < width; ++e) {
    of_low[e] = (e & distance) != 0 ? width + e - distance : e;
    of_high[e] = (e & distance) != 0 ? width + e : e + distance;
  }
  const Vec low = __builtin_shuffle(a, b, of_low);
  const Vec high = __builtin_shuffle(a, b, of_high);
#endif
  a = low;
  b = high;
}

// In place: element e of row k becomes element k of row e.
template <long distance = 1>
[[gnu::always_inline]] inline void transpose(Vec (&x)[width]) {
  for (long k = 0; k < width; ++k) {
    if ((k & distance) == 0) exchange<distance>(x[k], x[k + distance]);
  }
  if constexpr (2 * distance < width) transpose<2 * distance>(x);
}

}  // namespace
}  // namespace xbar::solver::XBAR_ISA
