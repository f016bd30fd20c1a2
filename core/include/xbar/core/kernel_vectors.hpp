#pragma once

/// Registers of floats and doubles for the kernel sources (core/isa.hpp), at the width of the
/// instruction set that a source is compiled for. Everything is local to the source that includes
/// it (an unnamed namespace), since each is compiled several times.

namespace xbar::XBAR_ISA {
namespace {

#if defined(__AVX512F__)
constexpr long vector_bytes = 64;
#elif defined(__AVX2__)
constexpr long vector_bytes = 32;
#else
constexpr long vector_bytes = 16;
#endif

// A register, and a number of its elements; element-wise arithmetic is the compiler's (GCC, Clang).
template <typename Real>
struct Register;
template <>
struct Register<float> {
  using Vec [[gnu::vector_size(vector_bytes), gnu::may_alias]] = float;
  using Loose [[gnu::vector_size(vector_bytes), gnu::may_alias, gnu::aligned(4)]] = float;
  using Index = int;
  using Choice [[gnu::vector_size(vector_bytes)]] = Index;
};
template <>
struct Register<double> {
  using Vec [[gnu::vector_size(vector_bytes), gnu::may_alias]] = double;
  using Loose [[gnu::vector_size(vector_bytes), gnu::may_alias, gnu::aligned(8)]] = double;
  using Index = long;
  using Choice [[gnu::vector_size(vector_bytes)]] = Index;
};
template <typename Real>
using Vec = typename Register<Real>::Vec;
template <typename Real>
constexpr long width = vector_bytes / static_cast<long>(sizeof(Real));

// x is aligned to vector_bytes.
template <typename Real>
[[gnu::always_inline]] inline Vec<Real> load(const Real* x) {
  return *reinterpret_cast<const Vec<Real>*>(x);
}
template <typename Real>
[[gnu::always_inline]] inline void store(Real* x, Vec<Real> value) {
  *reinterpret_cast<Vec<Real>*>(x) = value;
}

// x is not aligned; elements from `count` on, if the register has more, are left alone.
template <typename Real>
[[gnu::always_inline]] inline void store_some(Real* x, Vec<Real> value, long count) {
  if (count >= width<Real>) {
    *reinterpret_cast<typename Register<Real>::Loose*>(x) = value;
    return;
  }
  for (long e = 0; e < count; ++e) x[e] = value[e];
}

template <typename Real>
[[gnu::always_inline]] inline Vec<Real> all(Real x) {
  return x - Vec<Real>{};
}

template <typename Real>
[[gnu::always_inline]] inline Real sum(Vec<Real> x) {
  Real total = 0;
  for (long e = 0; e < width<Real>; ++e) total += x[e];
  return total;
}

// Where bit `distance` of the element number is set in a or not in b, they change places.
template <typename Real, long distance>
[[gnu::always_inline]] inline void exchange(Vec<Real>& a, Vec<Real>& b) {
#if defined(__clang__)
  Vec<Real> low{};
  Vec<Real> high{};
  for (long e = 0; e < width<Real>; ++e) {
    low[e] = (e & distance) != 0 ? b[e - distance] : a[e];
    high[e] = (e & distance) != 0 ? b[e] : a[e + distance];
  }
#else  // GCC would go through memory, element by element
  using Index = typename Register<Real>::Index;
  constexpr Index count = width<Real>;
  typename Register<Real>::Choice of_low{};
  typename Register<Real>::Choice of_high{};
  for (Index e = 0; e < count; ++e) {
    of_low[e] = (e & distance) != 0 ? count + e - Index{distance} : e;
    of_high[e] = (e & distance) != 0 ? count + e : e + Index{distance};
  }
  const Vec<Real> low = __builtin_shuffle(a, b, of_low);
  const Vec<Real> high = __builtin_shuffle(a, b, of_high);
#endif
  a = low;
  b = high;
}

// In place: element e of row k becomes element k of row e.
template <typename Real, long distance = 1>
[[gnu::always_inline]] inline void transpose(Vec<Real> (&x)[width<Real>]) {
#pragma GCC unroll 16
  for (long k = 0; k < width<Real>; ++k) {
    if ((k & distance) == 0) exchange<Real, distance>(x[k], x[k + distance]);
  }
  if constexpr (2 * distance < width<Real>) transpose<Real, 2 * distance>(x);
}

}  // namespace
}  // namespace xbar::XBAR_ISA
