#pragma once

/// The voltages of all nodes of one tile, for kernel sources (core/isa.hpp).

#include "kernels/line_sweeps.hpp"

namespace xbar::surrogate::XBAR_ISA {
namespace {

// Of the rows beyond m, which the bitlines' recursions leave alone.
template <typename Real>
void clear_beyond(const Tile<Real>& tile, Real* x) {
  for (long e = tile.m * tile.columns; e < tile.size(); ++e) x[e] = 0;
}

template <typename Real>
void clear(long count, Real* x) {
  for (long k = 0; k < count; ++k) x[k] = 0;
}

// x += y, or x = y + factor x.
template <typename Real>
void add(long count, Real factor, const Real* y, Real* x) {
#pragma omp simd
  for (long k = 0; k < count; ++k) x[k] += factor * y[k];
}
template <typename Real>
void turn(long count, Real factor, const Real* y, Real* x) {
#pragma omp simd
  for (long k = 0; k < count; ++k) x[k] = y[k] + factor * x[k];
}

// The bitline voltages w themselves, or what follows from them at the ends of the lines.
enum class Find { voltages, end_currents };
template <typename Real>
struct Found {
  Real* bitline = nullptr;   // voltages: w; on entry where to begin
  const Real* b = nullptr;   // end currents: the bitlines' factors
  Real* drawn = nullptr;     // end currents: sum of a G w over each row,
  Real* received = nullptr;  //               sum of b G T^-1 G w over each column
};

// The voltages of all nodes with the wordlines driven by V and the bitlines' terminals by B:
//     T u = b_V + D w,    S w = D u + b_B,    D = diag(G).
// Eliminating u, (S - D T^-1 D) w = D T^-1 b_V + b_B by conjugate gradients, preconditioned by S.
// `start`: right-hand side less left-hand side at the w to begin with. With s the preconditioned
// residual, S s is the residual itself, so that one inject_wordlines a step gives the image of s,
// and those of the directions follow from it; all inner products are sums of squares that the
// recursions yield. The last step is foreseen from the fall of the residual at the one before, and
// saves what only a next one would need; of voltages it is half a step, w += s.
template <Find find, typename Real>
long solve_field(Tile<Real> tile, const FieldLimit<Real>& limit, const Real* start,
                 const Found<Real>& found) {
  constexpr bool voltages = find == Find::voltages;
  constexpr long w = width<Real>;
  const long size = tile.size();
  const Real* g = tile.conductance;
  Real* s = tile.take();
  Real* q = tile.take();  // G T^-1 G s
  Real* r = tile.take();
  Real* y = tile.take();                       // image of the direction
  Real* p = voltages ? tile.take() : nullptr;  // direction
  Real* drawn_now = tile.take(tile.rows);      // of s
  Real* drawn_along = tile.take(tile.rows);    // of the direction
  Real* received_now = tile.take(tile.columns);
  Real* received_along = tile.take(tile.columns);
  clear_beyond(tile, s);
  if constexpr (!voltages) {
    clear(tile.rows, found.drawn);
    clear(tile.rows, drawn_along);
    clear(tile.columns, found.received);
    clear(tile.columns, received_along);
  }
  const auto respond = [&](bool last) {
    if constexpr (!voltages) clear(tile.columns, received_now);
    return inject_wordlines(tile, s, static_cast<const Real*>(nullptr),
                            voltages ? nullptr : drawn_now,
                            [&](long i, long j, Vec<Real>(&block)[w]) {
                              Vec<Real> received{};
                              for (long k = 0; k < w; ++k) {
                                const long at = (i + k) * tile.columns + j;
                                const Vec<Real> current = load(g + at) * block[k];
                                if (!last) store(q + at, current);
                                if constexpr (!voltages) received += load(found.b + at) * current;
                              }
                              if constexpr (!voltages) {
                                store(received_now + j, load(received_now + j) + received);
                              }
                            });
  };
  const auto advance = [&]<bool first>(Real length, Real factor) {
    return inject_bitlines(tile, s, [=](long at) {
      const Vec<Real> before = load((first ? start : r) + at);
      Vec<Real> image = before - load(q + at);
      if constexpr (!first) image += factor * load(y + at);
      store(y + at, image);
      if constexpr (voltages) {
        Vec<Real> direction = load(s + at);
        if constexpr (!first) direction += factor * load(p + at);
        store(p + at, direction);
        store(found.bitline + at, load(found.bitline + at) + length * direction);
      }
      const Vec<Real> residual = before - length * image;
      store(r + at, residual);
      return residual;
    });
  };

  Real weight = inject_bitlines(tile, s, [=](long at) { return load(start + at); });
  const Real enough = limit.tolerance * limit.tolerance * weight;
  Real factor = 0;
  Real curvature = 0;
  long steps = 0;
  while (weight > enough && steps < limit.most_steps) {
    settle_bitlines(tile, s);
    const bool last = steps > 0 && weight * factor <= enough;
    ++steps;
    if constexpr (voltages) {
      if (last) {
        add(size, Real(1), s, found.bitline);
        break;
      }
    }
    curvature = weight - respond(last) - factor * factor * curvature;
    if (!(curvature > 0)) break;  // nothing but rounding is left
    const Real length = weight / curvature;
    if constexpr (!voltages) {
      turn(tile.rows, factor, drawn_now, drawn_along);
      turn(tile.columns, factor, received_now, received_along);
      add(tile.rows, length, drawn_along, found.drawn);
      add(tile.columns, length, received_along, found.received);
      if (last) break;
    }
    const Real next = steps == 1 ? advance.template operator()<true>(length, factor)
                                 : advance.template operator()<false>(length, factor);
    factor = next / weight;
    weight = next;
  }
  return steps;
}

}  // namespace
}  // namespace xbar::surrogate::XBAR_ISA
