#include "star_mesh_kernels.hpp"

#include "kernel_vectors.hpp"

// No Eigen, no standard algorithms here: this file is compiled for several instruction sets, and an
// inline function shared with other files would be kept in only one of its versions.

namespace xbar::solver::XBAR_ISA {
namespace {

constexpr long E = mesh_edge;
constexpr long parts = E / width;  ///< vectors in 8 doubles

// 1 / s. An isolated node has a row of zeros, which stay zeros whatever they are divided by.
constexpr double least_sum = 1e-300;
double inverse(double s) { return 1.0 / (s > least_sum ? s : least_sum); }
Vec inverse(Vec s) { return 1.0 / (s > least_sum ? s : least_sum - Vec{}); }

// C nodes that share their d neighbours. Program: for each of them the slots of its conductances to
// the nodes after it and to the neighbours; number and slots of the pairs of neighbours that had no
// conductance yet; slots of all pairs of neighbours, by rows of the upper triangle.
template <long C>
const int* eliminate_nodes(long d, const int* program, double* x) {
  alignas(64) double row[C][C + leaf_neighbours][E];
  Vec over[C][parts];  // 1 / sum of the row
  for (long a = 0; a < C; ++a) {
    for (long j = a + 1; j < C + d; ++j) {
      const double* from = x + *program++ * E;
      for (long p = 0; p < parts; ++p) store(&row[a][j][p * width], load(from + p * width));
    }
  }
  for (long a = 0; a < C; ++a) {
    Vec sums[4][parts] = {};  // four, since an addition takes that many cycles
    long j = a + 1;
    for (; j + 3 < C + d; j += 4) {
      for (long q = 0; q < 4; ++q) {
        for (long p = 0; p < parts; ++p) sums[q][p] += load(&row[a][j + q][p * width]);
      }
    }
    for (; j < C + d; ++j) {
      for (long p = 0; p < parts; ++p) sums[0][p] += load(&row[a][j][p * width]);
    }
    for (long p = 0; p < parts; ++p) {
      over[a][p] = inverse((sums[0][p] + sums[1][p]) + (sums[2][p] + sums[3][p]));
    }
    for (long b = a + 1; b < C; ++b) {
      Vec share[parts];
      for (long p = 0; p < parts; ++p) share[p] = load(&row[a][b][p * width]) * over[a][p];
      for (j = b + 1; j < C + d; ++j) {
        for (long p = 0; p < parts; ++p) {
          store(&row[b][j][p * width],
                load(&row[b][j][p * width]) + share[p] * load(&row[a][j][p * width]));
        }
      }
    }
  }
  const long fresh = *program++;
  for (long e = 0; e < fresh; ++e) {
    double* to = x + *program++ * E;
    for (long p = 0; p < parts; ++p) store(to + p * width, Vec{});
  }
  for (long i = C; i < C + d; ++i) {
    Vec share[C][parts];
    for (long a = 0; a < C; ++a) {
      for (long p = 0; p < parts; ++p) share[a][p] = load(&row[a][i][p * width]) * over[a][p];
    }
    for (long j = i + 1; j < C + d; ++j) {
      double* to = x + *program++ * E;
      for (long p = 0; p < parts; ++p) {
        Vec sum = load(to + p * width);
        for (long a = 0; a < C; ++a) sum += share[a][p] * load(&row[a][j][p * width]);
        store(to + p * width, sum);
      }
    }
  }
  return program;
}

// Rows and vectors of C that are summed in registers at once: 16 of 32, 8 of 16 registers.
constexpr long block_rows = width == 8 ? 8 : 4;
constexpr long tiles_at_once = width == 8 ? 2 : 1;

// Tile t < tiles: out + t * out_stride = in[t] + sum_{k<K} a(k,i) b(k,j), b b_stride apart. An
// in[t] may be its out, or null for 0.
template <long tiles>
void add_product(long K, const double* a, const double* b, long b_stride,
                 const double* const (&in)[tiles], double* out, long out_stride) {
  constexpr long vectors = width == 8 ? tiles : 2;
  // From one vector to the next: the next tile, or along the row of one tile.
  const auto at = [](long v, long stride) { return width == 8 ? v * stride : v * width; };
  for (long i0 = 0; i0 < E; i0 += block_rows) {
    for (long j0 = 0; j0 < E; j0 += width == 8 ? E : vectors * width) {
      Vec sum[block_rows][vectors];
#pragma GCC unroll 8
      for (long v = 0; v < vectors; ++v) {
        const double* const from = width == 8 ? in[v] : in[0];
#pragma GCC unroll 8
        for (long i = 0; i < block_rows; ++i) {
          sum[i][v] = from == nullptr ? Vec{} : load(from + (i0 + i) * E + j0 + at(v, 0));
        }
      }
      const double* ak = a + i0;
      const double* bk = b + j0;
      for (long k = 0; k < K; ++k) {
#pragma GCC unroll 8
        for (long i = 0; i < block_rows; ++i) {
#pragma GCC unroll 8
          for (long v = 0; v < vectors; ++v) sum[i][v] += ak[i] * load(bk + at(v, b_stride));
        }
        ak += E;
        bk += E;
      }
#pragma GCC unroll 8
      for (long i = 0; i < block_rows; ++i) {
#pragma GCC unroll 8
        for (long v = 0; v < vectors; ++v) {
          store(out + (i0 + i) * E + j0 + at(v, out_stride), sum[i][v]);
        }
      }
    }
  }
}

const double* tile_of(const Mesh& mesh, long I, long J) {
  return mesh.tiles + mesh.shape.tile(I, J) * mesh_tile;
}

// Factors of 8 nodes: row k of the tile has Q(k,i) for the nodes i > k among them, then come
// 1 / sqrt(s(k)), then the sums of Q(k,j) over the nodes j that stay.
struct Factor {
  double coupling[E][E];
  double scale[E];
  double outside[E];
};
static_assert(sizeof(Factor) == mesh_factor * sizeof(double));

// The rows of 8 nodes in one tile of another column: eliminated among each other, scaled.
void eliminate_rows(const Factor& factor, const double* in, double* out) {
  for (long j = 0; j < E; j += width) {
    Vec row[E];
#pragma GCC unroll 8
    for (long k = 0; k < E; ++k) row[k] = load(in + k * E + j);
#pragma GCC unroll 8
    for (long k = 0; k < E; ++k) {
      row[k] *= factor.scale[k];
      store(out + k * E + j, row[k]);
#pragma GCC unroll 8
      for (long i = k + 1; i < E; ++i) row[i] += factor.coupling[k][i] * row[k];
    }
  }
}

// sums += row sums of all tiles that were added
struct RowSums {
  Vec partial[E] = {};

  void add(const double* tile) {
    for (long i = 0; i < E; ++i) {
      for (long j = 0; j < E; j += width) partial[i] += load(tile + i * E + j);
    }
  }
  void finish(double* sums) {
    for (long i = 0; i < E; i += width) {
      Vec rows[width];
      for (long k = 0; k < width; ++k) rows[k] = partial[i + k];
      transpose(rows);
      Vec sum = load(sums + i);
      for (long k = 0; k < width; ++k) sum += rows[k];
      store(sums + i, sum);
    }
  }
};

// Eliminates 8 ports from each other. outside, later: sums of their conductances to the ports that
// stay and to those that are eliminated after them; these change as any column does.
void factor_tile(const double* tile, double* outside, double* later, Factor& factor) {
  alignas(64) double row[E][E];  // read above the diagonal only
  for (long k = 0; k < E; ++k) {
    for (long j = 0; j < E; j += width) store(&row[k][j], load(tile + k * E + j));
  }
#pragma GCC unroll 8
  for (long k = 0; k < E; ++k) {
    const auto g = [&](long j) { return j > k ? row[k][j] : 0.0; };
    const double inside = (g(1) + (g(2) + g(3))) + ((g(4) + g(5)) + (g(6) + g(7)));
    const double outside_k = outside[k];
    const double later_k = later[k];
    const double over = inverse(inside + (outside_k + later_k));
    factor.scale[k] = __builtin_sqrt(over);
    factor.outside[k] = outside_k * factor.scale[k];
    for (long j = 0; j < E; j += width) {
      const Vec share = load(&row[k][j]) * over;
      store(&factor.coupling[k][j], load(&row[k][j]) * factor.scale[k]);
      store(outside + j, load(outside + j) + share * outside_k);
      store(later + j, load(later + j) + share * later_k);
      for (long i = k + 1; i < E; ++i) store(&row[i][j], load(&row[i][j]) + row[k][i] * share);
    }
  }
}

}  // namespace

void mesh_leaves(const int* program, double* x) {
  while (*program != 0) {
    const int nodes = *program++;
    const int d = *program++;
    program = nodes == 1   ? eliminate_nodes<1>(d, program, x)
              : nodes == 2 ? eliminate_nodes<2>(d, program, x)
                           : eliminate_nodes<4>(d, program, x);
  }
}

void mesh_leaf_tile(const int* slot, const double* x, long stride, double* tile) {
  for (long e = 0; e < mesh_tile; e += width) {
    for (long lane = 0; lane < E; lane += width) {
      Vec block[width];
      for (long k = 0; k < width; ++k) block[k] = load(x + slot[e + k] * E + lane);
      transpose(block);
      for (long k = 0; k < width; ++k) store(tile + (lane + k) * stride + e, block[k]);
    }
  }
}

void mesh_factor_shared(long S, const Mesh& A, const Mesh& B, double* Q, double* factors) {
  const long column = S * mesh_tile;
  Factor* const factor = reinterpret_cast<Factor*>(factors);
  for (long I = 0; I < S; ++I) {
    double* const q = Q + I * mesh_tile;  // rows of these ports in each column
    alignas(64) double outside[E] = {};
    RowSums to_staying;
    const Mesh* const both[] = {&A, &B};
    for (const Mesh* mesh : both) {
      const long n =
          mesh->shape.inner + mesh->shape.wordline_terminals + mesh->shape.bitline_terminals;
      for (long J = S; J < n; ++J) to_staying.add(tile_of(*mesh, I, J));
    }
    to_staying.finish(outside);
    for (long j = 0; j < E; j += width) {
      Vec sum = load(outside + j);
      for (long k = 0; k < I * E; ++k) {
        sum += load(Q + I * column + k * E + j) * factor[k / E].outside[k % E];
      }
      store(outside + j, sum);
    }

    alignas(64) double later[E] = {};
    RowSums to_later;
    for (long J = I; J < S; ++J) {
      double* const tile = q + J * column;
      const double* const a = tile_of(A, I, J);
      const double* const b = tile_of(B, I, J);
      for (long e = 0; e < mesh_tile; e += width) store(tile + e, load(a + e) + load(b + e));
      if (I > 0) {
        add_product<1>(I * E, Q + I * column, Q + J * column, column, {tile}, tile, column);
      }
      if (J > I) to_later.add(tile);
    }
    to_later.finish(later);
    factor_tile(q + I * column, outside, later, factor[I]);
    for (long J = I + 1; J < S; ++J) eliminate_rows(factor[I], q + J * column, q + J * column);
  }
}

void mesh_columns(long S, long n, const MeshPort* port, const double* factors, double* Q) {
  const long column = S * mesh_tile;
  const Factor* const factor = reinterpret_cast<const Factor*>(factors);
  // As many columns at once as a small second-level cache holds.
  const long most = 2 * (1 + 4096 / column);
  for (long begin = 0; begin < n; begin += most) {
    const long end = begin + most < n ? begin + most : n;
    for (long I = 0; I < S; ++I) {
      const auto from = [&](long J) { return tile_of(*port[J].mesh, I, port[J].row); };
      const double* const a = Q + I * column;
      long step = 1;
      for (long J = begin; J < end; J += step) {
        double* const b = Q + (S + J) * column;
        double* const tile = b + I * mesh_tile;
        step = tiles_at_once <= end - J ? tiles_at_once : 1;
        if (I == 0) {
          for (long t = 0; t < step; ++t) {
            eliminate_rows(factor[I], from(J + t), tile + t * column);
          }
          continue;
        }
        if (step == 2) {
          add_product<2>(I * E, a, b, column, {from(J), from(J + 1)}, tile, column);
        } else {
          add_product<1>(I * E, a, b, column, {from(J)}, tile, column);
        }
        for (long t = 0; t < step; ++t) {
          eliminate_rows(factor[I], tile + t * column, tile + t * column);
        }
      }
    }
  }
}

void mesh_update(long S, const MeshPort* port, const double* Q, const MeshShape& shape, double* C) {
  const long column = S * mesh_tile;
  const double* const Q_C = Q + S * column;
  const long bitlines = shape.inner + shape.wordline_terminals;
  const long n = bitlines + shape.bitline_terminals;
  // The part of column I in use stays in the first-level cache, those of columns J in the second.
  constexpr long most_ports = 256;
  for (long k = 0; k < S * E; k += most_ports) {
    const long K = k + most_ports <= S * E ? most_ports : S * E - k;
    const long most = 2 * (1 + 8192 / (K * E));
    for (long begin = 0; begin < n; begin += most) {
      const long end = begin + most < n ? begin + most : n;
      for (long I = 0; I < end && I < bitlines; ++I) {
        const auto before = [&](long J) -> const double* {
          if (k > 0) return C + shape.tile(I, J) * mesh_tile;
          if (port[I].mesh != port[J].mesh) return nullptr;
          return tile_of(*port[I].mesh, port[I].row, port[J].row);
        };
        const double* const a = Q_C + I * column + k * E;
        const long first = I < shape.inner ? I : bitlines;
        long step = 1;
        for (long J = first > begin ? first : begin; J < end; J += step) {
          const double* const b = Q_C + J * column + k * E;
          double* const tile = C + shape.tile(I, J) * mesh_tile;
          step = tiles_at_once <= end - J ? tiles_at_once : 1;
          if (step == 2) {
            add_product<2>(K, a, b, column, {before(J), before(J + 1)}, tile, mesh_tile);
          } else {
            add_product<1>(K, a, b, column, {before(J)}, tile, mesh_tile);
          }
        }
      }
    }
  }
}

}  // namespace xbar::solver::XBAR_ISA
