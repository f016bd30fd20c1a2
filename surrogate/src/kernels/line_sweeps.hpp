#pragma once

/// The recursions along the lines of one tile, for kernel sources (core/isa.hpp).
///
/// Every wordline, and every bitline, is a ladder: a terminal with its resistor, then nodes joined
/// by equal segments, a conductance at each node. With Y(k) the conductance seen from node k away
/// from the terminal, Y(k) = G(k) + Y(k+1) f(k), f(k) = 1 / (1 + r Y(k+1)), all that a line does
/// follows from f and top = 1 / (1 + t Y(0)), r the segment, t the terminal. No division by a
/// resistance: all may be 0.
///
/// In memory a tile is `rows` x `columns`, m and n rounded up to multiples of `lanes`, G = 0 where
/// there is no cell: beyond the open end of a wordline that changes nothing, and of the bitlines
/// only m nodes are walked. The lines of one recursion are side by side in registers; wordlines get
/// there by transposes of blocks in registers, on the way in and out.

#include <xbar/core/kernel_vectors.hpp>

#include "kernels/tile_kernels.hpp"

namespace xbar::surrogate::XBAR_ISA {
namespace {

using ::xbar::XBAR_ISA::all;
using ::xbar::XBAR_ISA::load;
using ::xbar::XBAR_ISA::store;
using ::xbar::XBAR_ISA::store_some;
using ::xbar::XBAR_ISA::sum;
using ::xbar::XBAR_ISA::transpose;
using ::xbar::XBAR_ISA::Vec;
using ::xbar::XBAR_ISA::width;

constexpr long lanes = tile_lanes;  // wordlines side by side
// Registers that hold one node of all lanes.
template <typename Real>
constexpr long groups = lanes / width<Real>;

/// One tile's lines and the memory to work in. Lanes' layout: `lanes` wordlines after the other,
/// node j of line l at [j * lanes + l].
template <typename Real>
struct Tile {
  long m = 0;
  long n = 0;
  long rows = 0;
  long columns = 0;
  LineOhm<Real> ohm;
  Real* conductance = nullptr;   // G
  Real* across = nullptr;        // f of the wordlines, lanes' layout
  Real* down = nullptr;          // f of the bitlines, at the node farther from the sink
  Real* wordline_top = nullptr;  // rows
  Real* bitline_top = nullptr;   // columns
  Real* currents = nullptr;      // of one set of lanes, and a node of zeros behind the last
  Real* rest = nullptr;          // free memory

  [[nodiscard]] long size() const { return rows * columns; }
  /// The next matrix, or vector, of the free memory.
  Real* take(long count) {
    Real* taken = rest;
    rest += count;
    return taken;
  }
  Real* take() { return take(size()); }
};

// x, m x n without padding, into `out`.
template <typename Real>
void bring_in(const Tile<Real>& tile, const Real* x, Real* out) {
  for (long i = 0; i < tile.rows; ++i) {
    const long count = i < tile.m ? tile.n : 0;
    Real* row = out + i * tile.columns;
#pragma omp simd
    for (long j = 0; j < count; ++j) row[j] = x[i * tile.n + j];
    for (long j = count; j < tile.columns; ++j) row[j] = 0;
  }
}

template <typename Real>
Tile<Real> lay_out(long m, long n, const Real* conductance, const LineOhm<Real>& ohm,
                   Real* scratch) {
  Tile<Real> tile;
  tile.m = m;
  tile.n = n;
  tile.rows = (m + lanes - 1) / lanes * lanes;
  tile.columns = (n + lanes - 1) / lanes * lanes;
  tile.ohm = ohm;
  constexpr unsigned long boundary = 64;
  tile.rest = reinterpret_cast<Real*>((reinterpret_cast<unsigned long>(scratch) + boundary - 1) /
                                      boundary * boundary);
  tile.conductance = tile.take();
  tile.across = tile.take();
  tile.down = tile.take();
  tile.wordline_top = tile.take(tile.rows);
  tile.bitline_top = tile.take(tile.columns);
  tile.currents = tile.take(lanes * (tile.columns + 1));
  for (long l = 0; l < lanes; ++l) tile.currents[lanes * tile.columns + l] = 0;
  bring_in(tile, conductance, tile.conductance);
  return tile;
}

// body<N>(c) for all lines, N registers of them from c on: four hide each other's latency.
template <typename Real, typename Body>
void for_lines(long lines, const Body& body) {
  constexpr long w = width<Real>;
  long c = 0;
  for (; c + 4 * w <= lines; c += 4 * w) body.template operator()<4>(c);
  if (c + 2 * w <= lines) {
    body.template operator()<2>(c);
    c += 2 * w;
  }
  if (c < lines) body.template operator()<1>(c);
}

// Columns [j, j + width) of wordlines [i, i + lanes): x(i, j) from get(at); out[g][k] is node j + k
// of group g.
template <typename Real, typename Get>
[[gnu::always_inline]] inline void turn_in(long columns, long i, long j, const Get& get,
                                           Vec<Real> (&out)[groups<Real>][width<Real>]) {
  constexpr long w = width<Real>;
  for (long g = 0; g < groups<Real>; ++g) {
    for (long k = 0; k < w; ++k) out[g][k] = get((i + g * w + k) * columns + j);
    transpose<Real>(out[g]);
  }
}

// f and top of the wordlines with these cells. Divisions take long: four registers of wordlines
// hide each other's.
template <typename Real>
void factor_wordlines(const Tile<Real>& tile, const Real* cells) {
  constexpr long w = width<Real>;
  const Real r = tile.ohm.wordline;
  for_lines<Real>(tile.rows, [&]<long N>(long i) {
    Real* f[N];
    Vec<Real> y[N] = {};
    for (long e = 0; e < N; ++e) {
      const long row = i + e * w;
      f[e] = tile.across + row / lanes * lanes * tile.columns + row % lanes;
    }
    for (long j = tile.columns - w; j >= 0; j -= w) {
      Vec<Real> cell[N][w];
      for (long e = 0; e < N; ++e) {
        for (long k = 0; k < w; ++k) cell[e][k] = load(cells + (i + e * w + k) * tile.columns + j);
        transpose<Real>(cell[e]);
      }
      for (long k = w - 1; k >= 0; --k) {
        for (long e = 0; e < N; ++e) {
          const Vec<Real> share = Real(1) / (Real(1) + r * y[e]);
          y[e] = cell[e][k] + y[e] * share;
          store(f[e] + (j + k) * lanes, share);
        }
      }
    }
    for (long e = 0; e < N; ++e) {
      store(tile.wordline_top + i + e * w, Real(1) / (Real(1) + tile.ohm.source * y[e]));
    }
  });
}

template <typename Real>
void factor_bitlines(const Tile<Real>& tile) {
  constexpr long w = width<Real>;
  const Real r = tile.ohm.bitline;
  for_lines<Real>(tile.columns, [&]<long N>(long c) {
    Vec<Real> y[N];
    for (long e = 0; e < N; ++e) y[e] = load(tile.conductance + c + e * w);
    for (long i = 1; i < tile.m; ++i) {
      for (long e = 0; e < N; ++e) {
        const long at = i * tile.columns + c + e * w;
        const Vec<Real> share = Real(1) / (Real(1) + r * y[e]);
        store(tile.down + at - tile.columns, share);
        y[e] = load(tile.conductance + at) + y[e] * share;
      }
    }
    for (long e = 0; e < N; ++e) {
      store(tile.bitline_top + c + e * w, Real(1) / (Real(1) + tile.ohm.sink * y[e]));
    }
  });
}

// The wordlines' voltages with the drivers at 1 and the bitlines at 0: top f(0) f(1) ... Given to
// finish(i, j, block): column j + e of wordline i + k in element e of block[k].
template <typename Real, typename Finish>
void drive_wordlines(const Tile<Real>& tile, const Finish& finish) {
  constexpr long w = width<Real>;
  constexpr long count = groups<Real>;
  for (long i = 0; i < tile.rows; i += lanes) {
    const Real* f = tile.across + i * tile.columns;
    Vec<Real> v[count];
    for (long g = 0; g < count; ++g) v[g] = load(tile.wordline_top + i + g * w);
    for (long j = 0; j < tile.columns; j += w) {
      Vec<Real> block[count][w];
      for (long k = 0; k < w; ++k) {
        for (long g = 0; g < count; ++g) {
          block[g][k] = v[g];
          v[g] *= load(f + (j + k) * lanes + g * w);
        }
      }
      for (long g = 0; g < count; ++g) {
        transpose<Real>(block[g]);
        finish(i + g * w, j, block[g]);
      }
    }
  }
}

// The bitlines' voltages with the sink terminals at 1 and the wordlines at 0, by reciprocity the
// share of a current into each node that reaches the sink. Given to finish(i, c, value).
template <typename Real, typename Finish>
void drive_bitlines(const Tile<Real>& tile, const Finish& finish) {
  constexpr long w = width<Real>;
  for_lines<Real>(tile.columns, [&]<long N>(long c) {
    Vec<Real> v[N];
    for (long e = 0; e < N; ++e) v[e] = load(tile.bitline_top + c + e * w);
    for (long i = tile.m - 1;; --i) {
      for (long e = 0; e < N; ++e) finish(i, c + e * w, v[e]);
      if (i == 0) break;
      for (long e = 0; e < N; ++e) v[e] *= load(tile.down + (i - 1) * tile.columns + c + e * w);
    }
  });
}

// What wordlines do that are driven and loaded with currents: `drive`, rows, the drivers' voltages
// or nullptr (all 0), and the currents G x. Norton currents J(k) = (G x)(k) + f(k) J(k+1) from the
// open end, then u(0) = top (V + t J(0)), u(k+1) = f(k) (u(k) + r J(k+1)). u goes to
// finish(i, j, block) as in drive_wordlines. drawn, rows, or nullptr: top J(0), the current that
// x alone sends into the drivers. Returns x^T G u at V = 0, as a sum of squares.
template <typename Real, typename Finish>
Real inject_wordlines(const Tile<Real>& tile, const Real* x, const Real* drive, Real* drawn,
                      const Finish& finish) {
  constexpr long w = width<Real>;
  constexpr long count = groups<Real>;
  const Real* g_cells = tile.conductance;
  const Real r = tile.ohm.wordline;
  Vec<Real> first[count] = {};
  Vec<Real> others[count] = {};
  for (long i = 0; i < tile.rows; i += lanes) {
    const Real* f = tile.across + i * tile.columns;
    Vec<Real> current[count] = {};
    for (long j = tile.columns - w; j >= 0; j -= w) {
      Vec<Real> cell[count][w];
      turn_in<Real>(
          tile.columns, i, j, [=](long at) { return load(g_cells + at) * load(x + at); }, cell);
      for (long k = w - 1; k >= 0; --k) {
        for (long g = 0; g < count; ++g) {
          const long at = (j + k) * lanes + g * w;
          current[g] = cell[g][k] + load(f + at) * current[g];
          store(tile.currents + at, current[g]);
        }
      }
    }
    Vec<Real> u[count];
    for (long g = 0; g < count; ++g) {
      const Vec<Real> top = load(tile.wordline_top + i + g * w);
      const Vec<Real> out = top * current[g];
      if (drawn != nullptr) store(drawn + i + g * w, out);
      u[g] = tile.ohm.source * out;
      first[g] += u[g] * current[g];
      if (drive != nullptr) u[g] += top * load(drive + i + g * w);
    }
    for (long j = 0; j < tile.columns; j += w) {
      Vec<Real> block[count][w];
      for (long k = 0; k < w; ++k) {
        for (long g = 0; g < count; ++g) {
          block[g][k] = u[g];
          const long at = (j + k) * lanes + g * w;
          const Vec<Real> share = load(f + at);
          const Vec<Real> next = load(tile.currents + at + lanes);
          const Vec<Real> through = share * next;
          others[g] += through * next;
          u[g] = share * u[g] + r * through;
        }
      }
      for (long g = 0; g < count; ++g) {
        transpose<Real>(block[g]);
        finish(i + g * w, j, block[g]);
      }
    }
  }
  Vec<Real> energy{};
  for (long g = 0; g < count; ++g) energy += first[g] + r * others[g];
  return sum<Real>(energy);
}

// Norton currents of the bitlines from the open end to the sink, J(i) = x(i) + f(i-1) J(i-1),
// x = get(at). Returns x^T w, w the voltages that currents x cause, as a sum of squares.
template <typename Real, typename Get>
Real inject_bitlines(const Tile<Real>& tile, Real* currents, const Get& get) {
  constexpr long w = width<Real>;
  Vec<Real> last{};
  Vec<Real> others{};
  for_lines<Real>(tile.columns, [&]<long N>(long c) {
    Vec<Real> carried[N] = {};
    Vec<Real> squares[N] = {};
    for (long i = 0; i + 1 < tile.m; ++i) {
      for (long e = 0; e < N; ++e) {
        const long at = i * tile.columns + c + e * w;
        const Vec<Real> current = get(at) + carried[e];
        store(currents + at, current);
        carried[e] = load(tile.down + at) * current;
        squares[e] += carried[e] * current;
      }
    }
    for (long e = 0; e < N; ++e) {
      const long at = (tile.m - 1) * tile.columns + c + e * w;
      const Vec<Real> current = get(at) + carried[e];
      store(currents + at, current);
      last += load(tile.bitline_top + c + e * w) * current * current;
      others += squares[e];
    }
  });
  return sum<Real>(tile.ohm.sink * last + tile.ohm.bitline * others);
}

// The voltages from those currents, in place: w(m-1) = t top J(m-1), w(i) = f(i) (w(i+1) + r J(i)).
template <typename Real>
void settle_bitlines(const Tile<Real>& tile, Real* x) {
  constexpr long w = width<Real>;
  for_lines<Real>(tile.columns, [&]<long N>(long c) {
    Vec<Real> v[N];
    for (long e = 0; e < N; ++e) {
      const long at = (tile.m - 1) * tile.columns + c + e * w;
      v[e] = tile.ohm.sink * load(tile.bitline_top + c + e * w) * load(x + at);
      store(x + at, v[e]);
    }
    for (long i = tile.m - 2; i >= 0; --i) {
      for (long e = 0; e < N; ++e) {
        const long at = i * tile.columns + c + e * w;
        const Vec<Real> share = load(tile.down + at);
        v[e] = share * v[e] + share * (tile.ohm.bitline * load(x + at));
        store(x + at, v[e]);
      }
    }
  });
}

// Given H(k) = d(loss)/d ln v(k) of node voltages v of lines driven at their terminals, how the
// loss depends on the cells: with P(k) = sum of H beyond k - 1 and Q(k) = d(loss)/dY(k),
// Q(0) = -t top P(0), Q(k+1) = Q(k) f(k)^2 - r f(k) P(k+1), and d(loss)/dG(k) = Q(k).
template <typename Real, typename Finish>
void wordline_gradient(const Tile<Real>& tile, const Real* h, const Finish& finish) {
  constexpr long w = width<Real>;
  constexpr long count = groups<Real>;
  const Real r = tile.ohm.wordline;
  for (long i = 0; i < tile.rows; i += lanes) {
    const Real* f = tile.across + i * tile.columns;
    Vec<Real> beyond[count] = {};
    for (long j = tile.columns - w; j >= 0; j -= w) {
      Vec<Real> node[count][w];
      turn_in<Real>(
          tile.columns, i, j, [=](long at) { return load(h + at); }, node);
      for (long k = w - 1; k >= 0; --k) {
        for (long g = 0; g < count; ++g) {
          beyond[g] += node[g][k];
          store(tile.currents + (j + k) * lanes + g * w, beyond[g]);
        }
      }
    }
    Vec<Real> q[count];
    for (long g = 0; g < count; ++g) {
      q[g] = -tile.ohm.source * load(tile.wordline_top + i + g * w) * beyond[g];
    }
    for (long j = 0; j < tile.columns; j += w) {
      Vec<Real> block[count][w];
      for (long k = 0; k < w; ++k) {
        for (long g = 0; g < count; ++g) {
          block[g][k] = q[g];
          const long at = (j + k) * lanes + g * w;
          const Vec<Real> share = load(f + at);
          q[g] = share * (share * q[g] - r * load(tile.currents + at + lanes));
        }
      }
      for (long g = 0; g < count; ++g) {
        transpose<Real>(block[g]);
        finish(i + g * w, j, block[g]);
      }
    }
  }
}

// The same of the bitlines; h is overwritten with P.
template <typename Real, typename Finish>
void bitline_gradient(const Tile<Real>& tile, Real* h, const Finish& finish) {
  constexpr long w = width<Real>;
  for_lines<Real>(tile.columns, [&]<long N>(long c) {
    Vec<Real> beyond[N] = {};
    for (long i = 0; i < tile.m; ++i) {
      for (long e = 0; e < N; ++e) {
        const long at = i * tile.columns + c + e * w;
        beyond[e] += load(h + at);
        store(h + at, beyond[e]);
      }
    }
    Vec<Real> q[N];
    for (long e = 0; e < N; ++e) {
      q[e] = -tile.ohm.sink * load(tile.bitline_top + c + e * w) * beyond[e];
      finish(tile.m - 1, c + e * w, q[e]);
    }
    for (long i = tile.m - 2; i >= 0; --i) {
      for (long e = 0; e < N; ++e) {
        const long at = i * tile.columns + c + e * w;
        const Vec<Real> share = load(tile.down + at);
        q[e] = share * (share * q[e] - tile.ohm.bitline * load(h + at));
        finish(i, c + e * w, q[e]);
      }
    }
  });
}

}  // namespace
}  // namespace xbar::surrogate::XBAR_ISA
