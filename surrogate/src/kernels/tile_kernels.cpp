#include "tile_kernels.hpp"

#include "field_solver.hpp"

namespace xbar::surrogate::XBAR_ISA {
namespace {

// Sums of value(at) over each row.
template <typename Real, typename Value>
void row_sums(const Tile<Real>& tile, Real* sums, const Value& value) {
  constexpr long w = width<Real>;
  for (long i = 0; i < tile.rows; i += w) {
    Vec<Real> block[w] = {};
    for (long k = 0; k < w; ++k) {
      for (long j = 0; j < tile.columns; j += w) block[k] += value((i + k) * tile.columns + j);
    }
    transpose<Real>(block);
    Vec<Real> total = block[0];
    for (long k = 1; k < w; ++k) total += block[k];
    store(sums + i, total);
  }
}

// a, or G a.
template <bool times_conductance, typename Real>
void wordline_factors(const Tile<Real>& tile, Real* out) {
  drive_wordlines(tile, [&](long i, long j, Vec<Real>(&block)[width<Real>]) {
    for (long k = 0; k < width<Real>; ++k) {
      const long at = (i + k) * tile.columns + j;
      store(out + at, times_conductance ? load(tile.conductance + at) * block[k] : block[k]);
    }
  });
}

template <typename Real>
void bitline_factors(const Tile<Real>& tile, Real* b) {
  drive_bitlines(tile,
                 [&](long i, long c, Vec<Real> value) { store(b + i * tile.columns + c, value); });
  clear_beyond(tile, b);
}

// value(i, at) of all cells to `out`, which is not padded.
template <typename Real, typename Value>
void put_out(const Tile<Real>& tile, Real* out, const Value& value) {
  for (long i = 0; i < tile.m; ++i) {
    for (long j = 0; j < tile.n; j += width<Real>) {
      store_some(out + i * tile.n + j, value(i, j), tile.n - j);
    }
  }
}

// rho(i) = J(i) - row sum of a G b at V = 1: with the wordlines all at 1 bitline nodes would be at
// 1 - b, they are at w: sum over j of a G (1 - b), less `drawn`, the sum of a G w. `driven`: a G.
// Returns the sum of all a G b.
template <typename Real>
Real wordline_shortfall(const Tile<Real>& tile, const Real* driven, const Real* b,
                        const Real* drawn, Real* rho) {
  Vec<Real> all_through{};
  row_sums(tile, rho, [&](long at) {
    const Vec<Real> through = load(driven + at) * load(b + at);
    all_through += through;
    return load(driven + at) - through;
  });
  add(tile.rows, Real(-1), drawn, rho);
  return sum<Real>(all_through);
}

// 1 / sigma, sigma the sum of kappa, or 0 where it is less than a rounding of the total current:
// then there are no sneak paths to speak of, and rho is noise.
template <typename Real>
Real inverse_sigma(const Tile<Real>& tile, const Real* kappa, Real total) {
  constexpr Real rounding = sizeof(Real) == sizeof(float) ? __FLT_EPSILON__ : __DBL_EPSILON__;
  Real sigma = 0;
  for (long j = 0; j < tile.n; ++j) sigma += kappa[j];
  return sigma > rounding * total ? Real(1) / sigma : Real(0);
}

// out = derivative of sum C (a G b), C `cotangent`, padded; `factor` padded or nullptr.
template <typename Real>
void put_ladder_gradient(Tile<Real> tile, const Real* factor, const Real* a, const Real* b,
                         const Real* cotangent, Real* out) {
  Real* h = tile.take();
  Real* direct = tile.take();
  for (long at = 0; at < tile.size(); at += width<Real>) {
    const Vec<Real> value = load(cotangent + at) * load(a + at) * load(b + at);
    store(direct + at, value);
    store(h + at, value * load(tile.conductance + at));
  }
  wordline_gradient(tile, h, [&](long i, long j, Vec<Real>(&block)[width<Real>]) {
    for (long k = 0; k < width<Real>; ++k) {
      const long at = (i + k) * tile.columns + j;
      if (factor != nullptr) block[k] *= load(factor + at);
      store(direct + at, load(direct + at) + block[k]);
    }
  });
  bitline_gradient(tile, h, [&](long i, long c, Vec<Real> value) {
    store_some(out + i * tile.n + c, load(direct + i * tile.columns + c) + value, tile.n - c);
  });
}

}  // namespace

template <typename Real>
void ladder_tile(long m, long n, const Real* conductance, const Real* factor,
                 const LineOhm<Real>& ohm, Real* scratch, Real* out) {
  Tile<Real> tile = lay_out(m, n, conductance, ohm, scratch);
  Real* driven = tile.take();
  if (factor != nullptr) {
    bring_in(tile, factor, driven);
    for (long at = 0; at < tile.size(); at += width<Real>) {
      store(driven + at, load(driven + at) * load(tile.conductance + at));
    }
  }
  factor_wordlines(tile, factor != nullptr ? driven : tile.conductance);
  wordline_factors<true>(tile, driven);
  factor_bitlines(tile);
  drive_bitlines(tile, [&](long i, long c, Vec<Real> b) {
    store_some(out + i * n + c, load(driven + i * tile.columns + c) * b, n - c);
  });
}

template <typename Real>
void ladder_gradient_tile(long m, long n, const Real* conductance, const Real* factor,
                          const LineOhm<Real>& ohm, const Real* cotangent, Real* scratch,
                          Real* out) {
  Tile<Real> tile = lay_out(m, n, conductance, ohm, scratch);
  Real* a = tile.take();
  Real* b = tile.take();
  Real* k = factor != nullptr ? tile.take() : nullptr;
  if (factor != nullptr) {
    bring_in(tile, factor, k);
    for (long at = 0; at < tile.size(); at += width<Real>) {
      store(a + at, load(k + at) * load(tile.conductance + at));
    }
  }
  factor_wordlines(tile, factor != nullptr ? a : tile.conductance);
  factor_bitlines(tile);
  wordline_factors<false>(tile, a);
  bitline_factors(tile, b);
  Real* c = tile.take();
  bring_in(tile, cotangent, c);
  put_ladder_gradient(tile, k, a, b, c, out);
}

template <typename Real>
long field_tile(long m, long n, const Real* conductance, const Real* inputs,
                const LineOhm<Real>& ohm, const FieldLimit<Real>& limit, Real* scratch,
                Real* wordline, Real* bitline) {
  Tile<Real> tile = lay_out(m, n, conductance, ohm, scratch);
  Real* w = tile.take();
  Real* driven = tile.take();
  Real* drive = tile.take(tile.rows);
  for (long i = 0; i < tile.rows; ++i) {
    drive[i] = i >= m ? Real(0) : inputs == nullptr ? Real(1) : inputs[i];
  }
  clear(tile.size(), w);
  factor_wordlines(tile, tile.conductance);
  factor_bitlines(tile);
  wordline_factors<true>(tile, driven);
  for (long i = 0; i < m; ++i) {
    for (long j = 0; j < tile.columns; j += width<Real>) {
      const long at = i * tile.columns + j;
      store(driven + at, load(driven + at) * drive[i]);
    }
  }
  const long steps = solve_field<Find::voltages>(tile, limit, driven, Found<Real>{.bitline = w});
  inject_wordlines(tile, w, drive, static_cast<Real*>(nullptr),
                   [&](long i, long j, Vec<Real>(&block)[width<Real>]) {
                     for (long k = 0; k < width<Real> && i + k < m; ++k) {
                       store_some(wordline + (i + k) * n + j, block[k], n - j);
                     }
                   });
  put_out(tile, bitline, [&](long i, long j) { return load(w + i * tile.columns + j); });
  return steps;
}

template <typename Real>
long sneak_tile(long m, long n, const Real* conductance, const LineOhm<Real>& ohm,
                const FieldLimit<Real>& limit, Real* scratch, Real* out) {
  Tile<Real> tile = lay_out(m, n, conductance, ohm, scratch);
  Real* driven = tile.take();
  Real* b = tile.take();
  Real* rho = tile.take(tile.rows);
  Real* drawn = tile.take(tile.rows);
  Real* kappa = tile.take(tile.columns);
  factor_wordlines(tile, tile.conductance);
  factor_bitlines(tile);
  wordline_factors<true>(tile, driven);
  bitline_factors(tile, b);
  const long steps = solve_field<Find::end_currents>(
      tile, limit, driven, Found<Real>{.b = b, .drawn = drawn, .received = kappa});
  const Real total = wordline_shortfall(tile, driven, b, drawn, rho);
  const Real inverse = inverse_sigma(tile, kappa, total);
  put_out(tile, out, [&](long i, long j) {
    const long at = i * tile.columns + j;
    return load(driven + at) * load(b + at) + (rho[i] * inverse) * load(kappa + j);
  });
  return steps;
}

// With E = a G b + rho kappa^T / sigma, mu = C kappa / sigma, nu = (C^T rho - rho^T C kappa /
// sigma) / sigma, and rho, kappa the row and column sums of the exact matrix less those of a G b:
//     dE : C = d(a G b) : (C - mu 1^T - 1 nu^T) + d(sum mu J + sum nu I),
// J, I the currents at all inputs 1. The last is x y in each cell, x the cells' voltages there, y
// those with the wordlines driven by mu and the sinks by -nu.
template <typename Real>
void sneak_gradient_tile(long m, long n, const Real* conductance, const LineOhm<Real>& ohm,
                         const FieldLimit<Real>& limit, const Real* cotangent, Real* scratch,
                         Real* out) {
  constexpr long width_of = width<Real>;
  Tile<Real> tile = lay_out(m, n, conductance, ohm, scratch);
  const Real* g = tile.conductance;
  const long columns = tile.columns;
  const Real* none = nullptr;
  Real* a = tile.take();
  Real* b = tile.take();
  Real* x = tile.take();
  Real* w = tile.take();
  Real* c = tile.take();
  Real* rho = tile.take(tile.rows);
  Real* kappa = tile.take(columns);
  Real* mu = tile.take(tile.rows);
  Real* nu = tile.take(columns);
  factor_wordlines(tile, g);
  factor_bitlines(tile);
  wordline_factors<false>(tile, a);
  bitline_factors(tile, b);
  Real* driven = x;  // G a, until x is known
  for (long at = 0; at < tile.size(); at += width_of) {
    store(driven + at, load(g + at) * load(a + at));
  }
  clear(tile.size(), w);
  solve_field<Find::voltages>(tile, limit, driven, Found<Real>{.bitline = w});
  clear(columns, kappa);
  Real* drawn = mu;  // until that is known
  row_sums(tile, drawn, [=](long at) { return load(driven + at) * load(w + at); });
  const Real total = wordline_shortfall(tile, driven, b, drawn, rho);
  inject_wordlines(tile, w, none, static_cast<Real*>(nullptr),
                   [&](long i, long j, Vec<Real>(&block)[width<Real>]) {
                     Vec<Real> received = load(kappa + j);
                     for (long k = 0; k < width_of; ++k) {
                       const long at = (i + k) * columns + j;
                       received += load(b + at) * load(g + at) * block[k];
                       store(x + at, load(a + at) + block[k] - load(w + at));
                     }
                     store(kappa + j, received);
                   });
  bring_in(tile, cotangent, c);
  const Real inverse = inverse_sigma(tile, kappa, total);
  if (!(inverse > 0)) {
    put_ladder_gradient(tile, none, a, b, c, out);
    return;
  }
  row_sums(tile, mu, [=](long at) { return inverse * load(c + at) * load(kappa + at % columns); });
  clear(columns, nu);
  for (long i = 0; i < m; ++i) add(columns, rho[i], c + i * columns, nu);
  Real shared = 0;
  for (long i = 0; i < m; ++i) shared += rho[i] * mu[i];
  for (long j = 0; j < columns; ++j) nu[j] = inverse * (nu[j] - shared);
  for (long i = 0; i < m; ++i) {
    for (long j = 0; j < columns; j += width_of) {
      Real* at = c + i * columns + j;
      store(at, load(at) - mu[i] - load(nu + j));
    }
  }
  put_ladder_gradient(tile, none, a, b, c, out);

  for (long i = 0; i < m; ++i) {
    for (long j = 0; j < columns; j += width_of) {
      const long at = i * columns + j;
      store(w + at, -load(nu + j) * load(b + at));
    }
  }
  inject_wordlines(tile, w, mu, static_cast<Real*>(nullptr),
                   [&](long i, long j, Vec<Real>(&block)[width<Real>]) {
                     for (long k = 0; k < width_of; ++k) {
                       const long at = (i + k) * columns + j;
                       store(a + at, load(g + at) * block[k]);
                     }
                   });
  solve_field<Find::voltages>(tile, limit, a, Found<Real>{.bitline = w});
  inject_wordlines(tile, w, mu, static_cast<Real*>(nullptr),
                   [&](long i, long j, Vec<Real>(&block)[width<Real>]) {
                     for (long k = 0; k < width_of; ++k) {
                       const long at = (i + k) * columns + j;
                       store(a + at, load(x + at) * (block[k] - load(w + at)));
                     }
                   });
  for (long i = 0; i < m; ++i) {
#pragma omp simd
    for (long j = 0; j < n; ++j) out[i * n + j] += a[i * columns + j];
  }
}

#define XBAR_INSTANTIATE_TILE_KERNELS(Real)                                                        \
  template void ladder_tile(long, long, const Real*, const Real*, const LineOhm<Real>&, Real*,     \
                            Real*);                                                                \
  template void ladder_gradient_tile(long, long, const Real*, const Real*, const LineOhm<Real>&,   \
                                     const Real*, Real*, Real*);                                   \
  template long field_tile(long, long, const Real*, const Real*, const LineOhm<Real>&,             \
                           const FieldLimit<Real>&, Real*, Real*, Real*);                          \
  template long sneak_tile(long, long, const Real*, const LineOhm<Real>&, const FieldLimit<Real>&, \
                           Real*, Real*);                                                          \
  template void sneak_gradient_tile(long, long, const Real*, const LineOhm<Real>&,                 \
                                    const FieldLimit<Real>&, const Real*, Real*, Real*);

XBAR_INSTANTIATE_TILE_KERNELS(float)
XBAR_INSTANTIATE_TILE_KERNELS(double)

}  // namespace xbar::surrogate::XBAR_ISA
