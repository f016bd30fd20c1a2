#pragma once

/// First moments along the lines of a tile, which the closed forms of line currents are made of.

#include <algorithm>

#include <xbar/core/matrix.hpp>

namespace xbar::surrogate {

/// Equal lines in memory: position k of line l at [l * stride + k * step].
struct Lines {
  Index count = 0;
  Index stride = 0;
  Index length = 0;
  Index step = 0;
};

/// y(k) = sum over q < k of (k - q) x(q) on every line: the drop up to position k, in units of a
/// segment's resistance, of currents x that enter on the way. Its transpose is the same from the
/// other end: pointers to the last positions and -step.
/// @param head  scratch, one a line
template <typename Real>
void moments(const Lines& lines, const Real* x, Real* y, Real* head) {
  std::fill(head, head + lines.count, Real(0));
  for (Index l = 0; l < lines.count; ++l) y[l * lines.stride] = 0;
  for (Index k = 1; k < lines.length; ++k) {
    const Real* before = x + (k - 1) * lines.step;
    const Real* last = y + (k - 1) * lines.step;
    Real* next = y + k * lines.step;
    for (Index l = 0; l < lines.count; ++l) {
      head[l] += before[l * lines.stride];
      next[l * lines.stride] = last[l * lines.stride] + head[l];
    }
  }
}

}  // namespace xbar::surrogate
