#pragma once

/// Run-time choice among the builds of a kernel for different instruction sets.
/// A kernel source is compiled once per level (xbar_add_kernels in cmake/XbarTargets.cmake) inside
/// `namespace XBAR_ISA`; XBAR_DISPATCH picks the fastest one that this CPU runs.

#include <string_view>

namespace xbar {

/// Levels in rising order; each includes the ones before it.
enum class Isa {
  baseline,  ///< the compiler's default target (x86-64: SSE2)
  avx2,      ///< AVX2, FMA, BMI1, BMI2 (2013)
  avx512,    ///< AVX-512 F, DQ, VL, BW (2017)
};

/// The level in use: the best one the CPU has, lowered by XBAR_ISA=baseline|avx2|avx512 in the
/// environment (for tests and comparisons). Determined once.
[[nodiscard]] Isa isa();

/// @return "baseline", "avx2" or "avx512".
[[nodiscard]] std::string_view isa_name(Isa level);

}  // namespace xbar

#if defined(__x86_64__)
/// XBAR_DISPATCH(xbar::solver, f)(args): calls the f of the level in use. The three namespaces
/// xbar::solver::baseline, ::avx2 and ::avx512 must declare f.
#define XBAR_DISPATCH(space, function)                             \
  (::xbar::isa() == ::xbar::Isa::avx512 ? &space::avx512::function \
   : ::xbar::isa() == ::xbar::Isa::avx2 ? &space::avx2::function   \
                                        : &space::baseline::function)
#else
#define XBAR_DISPATCH(space, function) (&space::baseline::function)
#endif
