#pragma once

/// Inner loops of star-mesh elimination, compiled once per instruction set (core/isa.hpp).
///
/// Small blocks ("leaves") are eliminated eight at a time, one a lane: x[slot * mesh_edge + lane]
/// is the conductance between two nodes of leaf `lane`; which two, the leaf program knows.
///
/// A larger block is a *mesh*: the symmetric matrix of conductances between its ports, in tiles of
/// 8 x 8 (MeshShape). Two meshes A and B share their first S tile rows. Eliminating these ports k
/// gives, for the others i, j,
///   C(i,j) = A(i,j) + B(i,j) + sum_k Q(k,i) Q(k,j),   Q(k,j) = g(k,j) / sqrt(s(k)),
/// with g(k,j) the conductance once the ports before k are gone and s(k) the sum of g(k,j) over all
/// ports left. Q is stored by columns of tiles: column J is S tiles, entry [k * mesh_edge + j]; the
/// shared ports are the first S columns, those of C follow.
///
/// Tiles and lanes are aligned to 64 bytes.

#define XBAR_DECLARE_STAR_MESH_KERNELS                                                         \
  /* Runs the leaf program (layout: eliminate_nodes in star_mesh_kernels.cpp) on all lanes. */ \
  void mesh_leaves(const int* program, double* x);                                             \
  /* tile[lane * stride + e] = x[slot[e] * mesh_edge + lane], e < mesh_tile, all lanes */      \
  void mesh_leaf_tile(const int* slot, const double* x, long stride, double* tile);            \
  /* Eliminates the shared ports from each other: columns 0 .. S-1 of Q, and S * mesh_factor   \
     doubles of factors that the other columns need. */                                        \
  void mesh_factor_shared(long S, const Mesh& A, const Mesh& B, double* Q, double* factors);   \
  /* The columns of Q for the n tile rows of C. */                                             \
  void mesh_columns(long S, long n, const MeshPort* port, const double* factors, double* Q);   \
  void mesh_update(long S, const MeshPort* port, const double* Q, const MeshShape& shape,      \
                   double* C);

namespace xbar::solver {

/// Leaves side by side; cells along an edge of a leaf; ports along an edge of a tile.
inline constexpr long mesh_edge = 8;
inline constexpr long mesh_tile = mesh_edge * mesh_edge;
inline constexpr long mesh_factor = mesh_tile + 2 * mesh_edge;
/// The most neighbours that nodes of a leaf have when they are eliminated.
inline constexpr long leaf_neighbours = 40;

/// How many tile rows of a mesh are of which kind; they come in this order. Terminals are never
/// eliminated, so that tiles between terminals of wordlines, or of bitlines, are not needed and do
/// not exist. The others of the upper triangle are stored by rows, 64 doubles each, row-major. The
/// diagonal of the matrix is never read.
struct MeshShape {
  long inner;
  long wordline_terminals;
  long bitline_terminals;

  // Not a function that the linker could merge across instruction sets.
  /// Number of tile (I,J), I <= J.
  [[gnu::always_inline]] [[nodiscard]] constexpr long tile(long I, long J) const {
    const long n = inner + wordline_terminals + bitline_terminals;
    if (I < inner) return I * (2 * n - I - 1) / 2 + J;
    return inner * (2 * n - inner + 1) / 2 + (I - inner) * bitline_terminals + J - inner -
           wordline_terminals;
  }
};

struct Mesh {
  MeshShape shape;
  const double* tiles;
};

/// A tile row of a merged mesh: where it comes from.
struct MeshPort {
  const Mesh* mesh;
  long row;
};

namespace baseline {
XBAR_DECLARE_STAR_MESH_KERNELS
}
#if defined(__x86_64__)
namespace avx2 {
XBAR_DECLARE_STAR_MESH_KERNELS
}
namespace avx512 {
XBAR_DECLARE_STAR_MESH_KERNELS
}
#endif

}  // namespace xbar::solver
