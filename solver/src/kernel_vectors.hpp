#pragma once

/// Registers of doubles, for the solver's kernel sources.

#include <xbar/core/kernel_vectors.hpp>

namespace xbar::solver::XBAR_ISA {
namespace {

constexpr long width = ::xbar::XBAR_ISA::width<double>;
using Vec [[gnu::may_alias]] = ::xbar::XBAR_ISA::Vec<double>;
using ::xbar::XBAR_ISA::load;
using ::xbar::XBAR_ISA::store;

[[maybe_unused, gnu::always_inline]] inline void transpose(Vec (&x)[width]) {
  ::xbar::XBAR_ISA::transpose<double>(x);
}

}  // namespace
}  // namespace xbar::solver::XBAR_ISA
