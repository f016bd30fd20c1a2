#pragma once

/// The recursions along the lines of one tile, compiled once per instruction set (core/isa.hpp).
/// Matrices of a tile are row-major, m wordlines x n bitlines.

namespace xbar::surrogate {

/// Resistances in the kernels' precision, ohm.
template <typename Real>
struct LineOhm {
  Real source = 0;
  Real sink = 0;
  Real wordline = 0;
  Real bitline = 0;
};

/// When the iteration for the fields of a tile ends. The last step is foreseen, so that the error
/// is an estimate of the one behind it.
template <typename Real>
struct FieldLimit {
  Real tolerance = 0;  ///< of the bitline voltages, relative, in the norm of their power
  long most_steps = 0;
};

/// Tiles are worked on with both sides rounded up to a multiple of this: wordlines walked together.
inline constexpr long tile_lanes = 16;
constexpr long padded(long count) { return (count + tile_lanes - 1) / tile_lanes * tile_lanes; }

/// Elements of scratch memory for a number of padded matrices, the lines' factors among them.
constexpr long tile_scratch(long matrices, long m, long n) {
  return matrices * padded(m) * padded(n) + 8 * padded(m) + (8 + tile_lanes) * padded(n) +
         2 * tile_lanes;
}
/// What ladder_tile needs, and what the others do.
constexpr long ladder_scratch(long m, long n) { return tile_scratch(5, m, n); }
constexpr long field_scratch(long m, long n) { return tile_scratch(13, m, n); }

// out may not alias an input. inputs: V, m, or nullptr: all 1. factor: k, m x n, or nullptr: all 1.
#define XBAR_DECLARE_TILE_KERNELS(isa)                                                          \
  namespace isa {                                                                               \
  /* out = a G b with the wordline factors a of G k and the bitline factors b of G. */          \
  template <typename Real>                                                                      \
  void ladder_tile(long m, long n, const Real* conductance, const Real* factor,                 \
                   const LineOhm<Real>& ohm, Real* scratch, Real* out);                         \
  /* out = derivative of sum C (a G b) by G at constant k. */                                   \
  template <typename Real>                                                                      \
  void ladder_gradient_tile(long m, long n, const Real* conductance, const Real* factor,        \
                            const LineOhm<Real>& ohm, const Real* cotangent, Real* scratch,     \
                            Real* out);                                                         \
  /* Node voltages u, w at inputs V. Returns the steps taken. */                                \
  template <typename Real>                                                                      \
  long field_tile(long m, long n, const Real* conductance, const Real* inputs,                  \
                  const LineOhm<Real>& ohm, const FieldLimit<Real>& limit, Real* scratch,       \
                  Real* wordline, Real* bitline);                                               \
  /* out = a G b + rho kappa^T / sigma, see sneak_ladder.cpp. Returns the steps taken. */       \
  template <typename Real>                                                                      \
  long sneak_tile(long m, long n, const Real* conductance, const LineOhm<Real>& ohm,            \
                  const FieldLimit<Real>& limit, Real* scratch, Real* out);                     \
  /* out = derivative of sum C (a G b + rho kappa^T / sigma) by G. */                           \
  template <typename Real>                                                                      \
  void sneak_gradient_tile(long m, long n, const Real* conductance, const LineOhm<Real>& ohm,   \
                           const FieldLimit<Real>& limit, const Real* cotangent, Real* scratch, \
                           Real* out);                                                          \
  }

XBAR_DECLARE_TILE_KERNELS(baseline)
#if defined(__x86_64__)
XBAR_DECLARE_TILE_KERNELS(avx2)
XBAR_DECLARE_TILE_KERNELS(avx512)
#endif

}  // namespace xbar::surrogate
