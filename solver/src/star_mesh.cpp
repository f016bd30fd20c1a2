#include "star_mesh.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <utility>
#include <vector>

#include <xbar/core/interruption.hpp>
#include <xbar/core/isa.hpp>

#include "aligned_buffer.hpp"
#include "star_mesh_kernels.hpp"

#define KERNEL(function) XBAR_DISPATCH(::xbar::solver, function)

namespace xbar::solver {
namespace {

constexpr double open = std::numeric_limits<double>::infinity();
/// Far enough from overflow for sums over all neighbours of a node and for divided segments.
constexpr double most_siemens = 1e290;
constexpr double least_ohm = 1 / most_siemens;

constexpr int edge = static_cast<int>(mesh_edge);
constexpr Index leaves_at_once = mesh_edge;

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

enum Side : std::uint8_t { left, right, top, bottom };
constexpr std::array<Side, 4> all_sides{left, right, top, bottom};

// ---- The leaf: 8 x 8 cells and a program that eliminates their nodes, made once.

/// Nodes of a leaf: u(i,j), w(i,j), and 8 ports at each side. The left and top ports are terminals,
/// or stand for the first nodes of the lines. The right and bottom ports are what lies behind the
/// segments after the last nodes: terminals, or the first nodes of the next leaf.
using Node = int;
constexpr Node inner_nodes = 2 * edge * edge;
constexpr Node leaf_nodes = inner_nodes + 4 * edge;
constexpr Node wordline_node(int i, int j) { return edge * i + j; }
constexpr Node bitline_node(int i, int j) { return edge * (edge + i) + j; }
constexpr Node port(Side side, int line) { return inner_nodes + edge * side + line; }

/// Symbolic elimination of the inner nodes: gives every pair of nodes that conducts at some time a
/// slot, which is used again when one of the two is gone, and writes the program of mesh_leaves().
///
/// The order is nested dissection down to single cells. Nodes of a separator go in groups of up to
/// four, which cost little more memory traffic than one. Groups of the separator's two sides
/// alternate, so that the processor finds independent work while it waits for a division.
class Leaf {
 public:
  static const Leaf& get() {
    static const Leaf leaf;
    return leaf;
  }

  [[nodiscard]] const int* program() const { return program_.data(); }
  [[nodiscard]] Index slots() const { return slots_; }
  /// Slots in use before the elimination are 0 .. initial_slots() - 1.
  [[nodiscard]] Index initial_slots() const { return initial_slots_; }
  /// Where the conductance between two nodes goes at first; nowhere if they are one.
  [[nodiscard]] int initial_slot(Node a, Node b) const {
    return a == b ? unread_slot : initial_[pair(a, b)];
  }
  /// In the end, the slots of the tile between the ports of two sides.
  [[nodiscard]] const int* tile(Side a, Side b) const {
    return tiles_.data() + (4 * a + b) * mesh_tile;
  }

 private:
  using Group = std::vector<Node>;

  static constexpr int zero_slot = 0;    ///< never written
  static constexpr int unread_slot = 1;  ///< never read

  static std::size_t pair(Node a, Node b) { return at(a * leaf_nodes + b); }

  Leaf() {
    connect_cells();
    initial_ = slot_;
    initial_slots_ = slots_;
    // Nodes beside the left and top ports exist in few leaves only, and have few neighbours.
    for (int line = 0; line < edge; ++line) {
      eliminate({wordline_node(line, 0)});
      eliminate({bitline_node(0, line)});
    }
    for (const Group& group : dissect(0, edge, 0, edge)) eliminate(group);
    program_.push_back(0);
    for (const Side a : all_sides) {
      for (const Side b : all_sides) {
        for (int i = 0; i < edge; ++i) {
          for (int j = 0; j < edge; ++j) {
            const int slot = slot_[pair(port(a, i), port(b, j))];
            tiles_.push_back(slot < 0 ? zero_slot : slot);
          }
        }
      }
    }
  }

  void connect(Node a, Node b) {
    if (slot_[pair(a, b)] < 0) slot_[pair(a, b)] = slot_[pair(b, a)] = slots_++;
  }

  /// All pairs that can conduct: a terminal of zero resistance takes the place of the node at its
  /// end of the line, and so does a left or top port that is not a terminal.
  void connect_cells() {
    for (int i = 0; i < edge; ++i) {
      for (int j = 0; j < edge; ++j) {
        Group on_wordline{wordline_node(i, j)};
        Group on_bitline{bitline_node(i, j)};
        if (j == 0) on_wordline.push_back(port(left, i));
        if (j == edge - 1) on_wordline.push_back(port(right, i));
        if (i == 0) on_bitline.push_back(port(top, j));
        if (i == edge - 1) on_bitline.push_back(port(bottom, j));
        for (const Node u : on_wordline) {
          for (const Node w : on_bitline) connect(u, w);
          for (const Node other : on_wordline) {
            if (other < u) connect(u, other);
          }
          if (j > 0) connect(wordline_node(i, j - 1), u);
          if (j + 1 < edge) connect(u, wordline_node(i, j + 1));
        }
        for (const Node w : on_bitline) {
          for (const Node other : on_bitline) {
            if (other < w) connect(w, other);
          }
          if (i > 0) connect(bitline_node(i - 1, j), w);
          if (i + 1 < edge) connect(w, bitline_node(i + 1, j));
        }
      }
    }
  }

  /// The nodes of the cells [i0,i1) x [j0,j1), but for the first column of u and the first row of
  /// w, which are ports, in the order of their elimination.
  static std::vector<Group> dissect(int i0, int i1, int j0, int j1) {
    if (i1 - i0 == 1 && j1 - j0 == 1) return {};
    const bool across = j1 - j0 >= i1 - i0;
    const int middle = across ? (j0 + j1) / 2 : (i0 + i1) / 2;
    const std::vector<Group> first =
        across ? dissect(i0, i1, j0, middle) : dissect(i0, middle, j0, j1);
    const std::vector<Group> second =
        across ? dissect(i0, i1, middle, j1) : dissect(middle, i1, j0, j1);
    std::vector<Group> order;
    for (std::size_t k = 0; k < first.size(); ++k) {
      order.push_back(first[k]);
      order.push_back(second[k]);
    }
    const int begin = across ? i0 : j0;
    const int end = across ? i1 : j1;
    for (int line = begin; line < end; ++line) {
      if ((line - begin) % 4 == 0) order.emplace_back();
      order.back().push_back(across ? wordline_node(line, middle) : bitline_node(middle, line));
    }
    return order;
  }

  void eliminate(const Group& group) {
    std::vector<Node> neighbours;
    for (Node node = 0; node < leaf_nodes; ++node) {
      const auto touches = [&](Node member) { return slot_[pair(member, node)] >= 0; };
      const bool inside = std::find(group.begin(), group.end(), node) != group.end();
      if (!inside && std::any_of(group.begin(), group.end(), touches)) neighbours.push_back(node);
    }
    program_.push_back(static_cast<int>(group.size()));
    program_.push_back(static_cast<int>(neighbours.size()));
    const auto take = [&](Node a, Node b) {
      const int slot = slot_[pair(a, b)];
      slot_[pair(a, b)] = slot_[pair(b, a)] = -1;
      if (slot >= 0) free_.push_back(slot);
      program_.push_back(slot < 0 ? zero_slot : slot);
    };
    for (std::size_t a = 0; a < group.size(); ++a) {
      for (std::size_t b = a + 1; b < group.size(); ++b) take(group[a], group[b]);
      for (const Node node : neighbours) take(group[a], node);
    }
    const std::size_t fresh = program_.size();  // their number, then the slots
    program_.push_back(0);
    std::vector<int> targets;
    for (std::size_t a = 0; a < neighbours.size(); ++a) {
      for (std::size_t b = a + 1; b < neighbours.size(); ++b) {
        int slot = slot_[pair(neighbours[a], neighbours[b])];
        if (slot < 0) {
          if (free_.empty()) free_.push_back(slots_++);
          slot = free_.back();
          free_.pop_back();
          slot_[pair(neighbours[a], neighbours[b])] = slot;
          slot_[pair(neighbours[b], neighbours[a])] = slot;
          ++program_[fresh];
          program_.push_back(slot);
        }
        targets.push_back(slot);
      }
    }
    program_.insert(program_.end(), targets.begin(), targets.end());
  }

  int slots_ = 2;
  int initial_slots_ = 0;
  std::vector<int> slot_ = std::vector<int>(pair(leaf_nodes, 0), -1);  ///< of every pair, now
  std::vector<int> initial_;                                           ///< and at first
  std::vector<int> free_;
  std::vector<int> program_;
  std::vector<int> tiles_;
};

// ---- The circuit in whole leaves.

Index padded(Index count) { return (count + edge - 1) / edge * edge; }

/// Where crossing k of n stands in a padded line: padding comes before the last one, so that the
/// terminals are at the ends.
Index position(Index k, Index n) { return n > 1 && k == n - 1 ? padded(n) - 1 : k; }

/// The wordlines, or the bitlines, as conductances.
///
/// Lines of n crossings are padded to a multiple of 8 by crossings without a cell, which divide the
/// segment before the last crossing into equal parts. A line of one crossing has no segment; there
/// the far terminal's resistor is divided. Lines that pad the other direction conduct nowhere.
struct Lines {
  AlignedBuffer segment;  ///< siemens from crossing k to the next: [line * padded(n) + k]
  AlignedBuffer near;     ///< siemens of the near terminal (left, top), by line
  /// Whether the node at the line's end is a terminal, without resistance.
  std::vector<std::uint8_t> near_merged, far_merged;
  bool has_near = false;  ///< whether any line has a near terminal
  bool has_far = false;
  Matrix siemens;  ///< of the segments, in the shape in which the circuit has them
};

/// @param line_step, step  in lines.siemens, from a line to the next and along a line
void pad_lines(Index count, Index n, Index line_step, Index step, const Vector& near_ohm,
               const Vector& far_ohm, Lines& lines) {
  const Index length = padded(n);
  lines.segment.assign(at(padded(count) * length), 0.0);
  lines.near.assign(at(padded(count)), 0.0);
  lines.near_merged.assign(at(padded(count)), 0);
  lines.far_merged.assign(at(padded(count)), 0);
  lines.has_near = lines.has_far = false;
  for (Index line = 0; line < count; ++line) {
    double near = near_ohm(line);
    double far = far_ohm(line);
    // Both terminals of a single crossing are at the same node, and at the same voltage.
    if (n == 1 && far == 0) {
      far = near == 0 ? open : near;
      near = 0;
    }
    const Index to = position(line, count);
    double* const segment = lines.segment.data() + to * length;
    if (n == 1) {
      std::fill(segment, segment + length, static_cast<double>(length) / far);
    } else {
      const double* const siemens = lines.siemens.data() + line * line_step;
      for (Index k = 0; k + 2 < n; ++k) segment[k] = siemens[k * step];
      const auto parts = static_cast<double>(length - n + 1);
      std::fill(segment + n - 2, segment + length - 1, parts * siemens[(n - 2) * step]);
      segment[length - 1] = far == 0 ? 0 : 1 / far;
    }
    lines.near[at(to)] = near == 0 ? 0 : 1 / near;
    lines.near_merged[at(to)] = near == 0 ? 1 : 0;
    lines.far_merged[at(to)] = far == 0 ? 1 : 0;
    lines.has_near = lines.has_near || near < open;
    lines.has_far = lines.has_far || far < open;
  }
}

// ---- Nested blocks.

/// Leaves [row, row + rows) x [column, column + columns). A block has the nodes of its cells and
/// the segments that start at them; its ports are like those of a leaf.
struct Block {
  Index row, column, rows, columns;
};

/// Slots for the conductances of a leaf, by merged ends: bit i of merged[side] says that the node
/// at that end of line i is the port.
struct LeafSlots {
  std::array<std::uint8_t, 4> merged{};
  bool known = false;
  std::array<int, mesh_tile> cell{}, wordline{}, bitline{};  ///< bitline: [j * edge + i]
  std::array<int, edge> left_terminal{}, top_terminal{};
};

/// What a thread keeps between calls.
struct Workspace {
  struct Level {
    AlignedBuffer first, second;  ///< the two meshes that are merged at this depth
  };
  Lines wordlines, bitlines;
  AlignedBuffer cell;        ///< G, padded
  LeafSlots leaf_slots;      ///< of the last leaf
  AlignedBuffer lanes;       ///< conductances of eight leaves
  AlignedBuffer leaf_tiles;  ///< of each of them the tiles between all pairs of sides
  std::vector<MeshPort> ports;
  AlignedBuffer columns;  ///< Q
  AlignedBuffer factors;
  std::deque<Level> levels;  ///< by depth; references to them must last
  AlignedBuffer result;
};

/// The work space of a larger array is given back; that of 512 x 512 takes 40 MB.
constexpr Index most_cells_kept = Index{512} * 512;

double* room(AlignedBuffer& buffer, Index size) {
  if (buffer.size() < at(size)) buffer.resize(at(size));
  return buffer.data();
}

class Elimination {
 public:
  Elimination(const Circuit& circuit, Workspace& work)
      : circuit_(circuit),
        work_(work),
        m_(circuit.wordlines()),
        n_(circuit.bitlines()),
        rows_(padded(m_)),
        columns_(padded(n_)) {}

  Matrix run() {
    pad();
    const Block all{0, 0, rows_ / edge, columns_ / edge};
    double* const tiles = room(work_.result, doubles(shape(all)));
    reduce(all, all_sides, 0, nullptr, tiles);
    return between_terminals(all, {shape(all), tiles});
  }

 private:
  /// Of the four sides, in which their ports come: those to be eliminated soonest first. So
  /// terminals are last, as MeshShape asks for.
  using Order = std::array<Side, 4>;

  void pad() {
    Lines& w = work_.wordlines;
    Lines& b = work_.bitlines;
    w.siemens = circuit_.wordline_ohm.cwiseInverse();
    b.siemens = circuit_.bitline_ohm.cwiseInverse();
    const auto row_step = [](const Matrix& x) { return x.rows() == 1 ? 0 : x.cols(); };
    const auto column_step = [](const Matrix& x) { return x.cols() == 1 ? Index{0} : Index{1}; };
    pad_lines(m_, n_, row_step(w.siemens), column_step(w.siemens), circuit_.left_ohm,
              circuit_.right_ohm, w);
    pad_lines(n_, m_, column_step(b.siemens), row_step(b.siemens), circuit_.top_ohm,
              circuit_.bottom_ohm, b);
    work_.cell.assign(at(rows_ * columns_), 0.0);
    for (Index i = 0; i < m_; ++i) {
      const double* const from = circuit_.conductance.data() + i * n_;
      double* const to = work_.cell.data() + position(i, m_) * columns_;
      std::copy(from, from + n_ - 1, to);
      to[position(n_ - 1, n_)] = from[n_ - 1];
    }
  }

  [[nodiscard]] bool at_edge(const Block& block, Side side) const {
    switch (side) {
      case left:
        return block.column == 0;
      case right:
        return (block.column + block.columns) * edge == columns_;
      case top:
        return block.row == 0;
      case bottom:
        break;
    }
    return (block.row + block.rows) * edge == rows_;
  }

  /// Tile rows of the ports at a side. Sides of the array without any terminal have none.
  [[nodiscard]] Index length(const Block& block, Side side) const {
    const bool terminals = side == left    ? work_.wordlines.has_near
                           : side == right ? work_.wordlines.has_far
                           : side == top   ? work_.bitlines.has_near
                                           : work_.bitlines.has_far;
    if (at_edge(block, side) && !terminals) return 0;
    return side == left || side == right ? block.rows : block.columns;
  }

  [[nodiscard]] MeshShape shape(const Block& block) const {
    MeshShape result{};
    for (const Side side : all_sides) {
      long& kind = !at_edge(block, side)           ? result.inner
                   : side == left || side == right ? result.wordline_terminals
                                                   : result.bitline_terminals;
      kind += length(block, side);
    }
    return result;
  }

  static Index doubles(const MeshShape& shape) {
    const Index end = shape.inner + shape.wordline_terminals;
    return shape.tile(end, end) * mesh_tile;
  }

  /// Writes the mesh of a block.
  /// @param group  the block whose leaves are in work_.leaf_tiles, null if there is none yet
  void reduce(const Block& block, const Order& order, std::size_t depth, const Block* group,
              double* tiles) {
    if (group == nullptr) poll_interruption();
    if (group == nullptr && block.rows * block.columns <= leaves_at_once) {
      reduce_leaves(block);
      group = &block;
    }
    if (block.rows == 1 && block.columns == 1) {
      copy_leaf(block, order, *group, tiles);
      return;
    }
    const bool across = block.columns >= block.rows;
    Block first_block = block;
    Block second_block = block;
    if (across) {
      first_block.columns = block.columns / 2;
      second_block.column += first_block.columns;
      second_block.columns -= first_block.columns;
    } else {
      first_block.rows = block.rows / 2;
      second_block.row += first_block.rows;
      second_block.rows -= first_block.rows;
    }
    const Side first_shared = across ? right : bottom;
    const Side second_shared = across ? left : top;
    // What is shared comes first, the rest as in the result, so that no tile is ever transposed.
    const auto with_first = [&](Side shared) {
      Order result{shared};
      std::copy_if(order.begin(), order.end(), result.begin() + 1,
                   [&](Side side) { return side != shared; });
      return result;
    };
    if (work_.levels.size() <= depth) work_.levels.emplace_back();
    Workspace::Level& level = work_.levels[depth];
    double* const first_tiles = room(level.first, doubles(shape(first_block)));
    double* const second_tiles = room(level.second, doubles(shape(second_block)));
    reduce(first_block, with_first(first_shared), depth + 1, group, first_tiles);
    reduce(second_block, with_first(second_shared), depth + 1, group, second_tiles);

    const Mesh first{shape(first_block), first_tiles};
    const Mesh second{shape(second_block), second_tiles};
    const Index shared = across ? block.rows : block.columns;
    std::vector<MeshPort>& ports = work_.ports;
    ports.clear();
    Index first_row = shared;
    Index second_row = shared;
    for (const Side side : order) {
      if (side != first_shared) {
        const Index end = first_row + length(first_block, side);
        while (first_row < end) ports.push_back({&first, first_row++});
      }
      if (side != second_shared) {
        const Index end = second_row + length(second_block, side);
        while (second_row < end) ports.push_back({&second, second_row++});
      }
    }
    const auto n = static_cast<Index>(ports.size());
    double* const Q = room(work_.columns, (shared + n) * shared * mesh_tile);
    double* const factors = room(work_.factors, shared * mesh_factor);
    KERNEL(mesh_factor_shared)(shared, first, second, Q, factors);
    KERNEL(mesh_columns)(shared, n, ports.data(), factors, Q);
    KERNEL(mesh_update)(shared, ports.data(), Q, shape(block), tiles);
  }

  /// Eliminates the leaves of a block of at most eight.
  void reduce_leaves(const Block& block) {
    const Leaf& leaf = Leaf::get();
    double* const x = room(work_.lanes, leaf.slots() * leaves_at_once);
    std::fill(x, x + leaf.initial_slots() * leaves_at_once, 0.0);
    for (Index lane = 0; lane < block.rows * block.columns; ++lane) {
      load_leaf({block.row + lane / block.columns, block.column + lane % block.columns, 1, 1},
                x + lane);
    }
    KERNEL(mesh_leaves)(leaf.program(), x);
    constexpr Index leaf_doubles = 16 * mesh_tile;
    double* const tiles = room(work_.leaf_tiles, leaves_at_once * leaf_doubles);
    for (const Side a : all_sides) {
      for (const Side b : all_sides) {
        KERNEL(mesh_leaf_tile)
        (leaf.tile(a, b), x, leaf_doubles, tiles + (4 * a + b) * mesh_tile);
      }
    }
  }

  /// @param x  the leaf's lane
  void load_leaf(const Block& leaf, double* x) {
    const auto mask = [](const std::vector<std::uint8_t>& merged, Index number) {
      unsigned bits = 0;
      for (int line = 0; line < edge; ++line) {
        bits |= static_cast<unsigned>(merged[at(number * edge + line)]) << line;
      }
      return static_cast<std::uint8_t>(bits);
    };
    const Lines& w = work_.wordlines;
    const Lines& b = work_.bitlines;
    const std::uint8_t every = 0xff;
    const std::uint8_t none = 0;
    const LeafSlots& slots =
        leaf_slots({at_edge(leaf, left) ? mask(w.near_merged, leaf.row) : every,
                    at_edge(leaf, right) ? mask(w.far_merged, leaf.row) : none,
                    at_edge(leaf, top) ? mask(b.near_merged, leaf.column) : every,
                    at_edge(leaf, bottom) ? mask(b.far_merged, leaf.column) : none});
    const Index row = leaf.row * edge;
    const Index column = leaf.column * edge;
    for (Index i = 0; i < edge; ++i) {
      const double* const cell = work_.cell.data() + (row + i) * columns_ + column;
      const double* const wordline = w.segment.data() + (row + i) * columns_ + column;
      const double* const bitline = b.segment.data() + (column + i) * rows_ + row;
      for (Index j = 0; j < edge; ++j) {
        const std::size_t e = at(i * edge + j);
        x[slots.cell[e] * leaves_at_once] = cell[j];
        x[slots.wordline[e] * leaves_at_once] = wordline[j];
        x[slots.bitline[e] * leaves_at_once] = bitline[j];
      }
      x[slots.left_terminal[at(i)] * leaves_at_once] = w.near[at(row + i)];
      x[slots.top_terminal[at(i)] * leaves_at_once] = b.near[at(column + i)];
    }
  }

  const LeafSlots& leaf_slots(const std::array<std::uint8_t, 4>& merged) {
    LeafSlots& slots = work_.leaf_slots;
    if (slots.known && slots.merged == merged) return slots;
    slots.merged = merged;
    slots.known = true;
    const auto is_merged = [&](Side side, int line) { return (merged[side] >> line & 1) != 0; };
    const auto u = [&](int i, int j) {
      if (j == 0 && is_merged(left, i)) return port(left, i);
      if (j == edge || (j == edge - 1 && is_merged(right, i))) return port(right, i);
      return wordline_node(i, j);
    };
    const auto w = [&](int i, int j) {
      if (i == 0 && is_merged(top, j)) return port(top, j);
      if (i == edge || (i == edge - 1 && is_merged(bottom, j))) return port(bottom, j);
      return bitline_node(i, j);
    };
    const Leaf& leaf = Leaf::get();
    for (int i = 0; i < edge; ++i) {
      for (int j = 0; j < edge; ++j) {
        const std::size_t e = at(i * edge + j);
        slots.cell[e] = leaf.initial_slot(u(i, j), w(i, j));
        slots.wordline[e] = leaf.initial_slot(u(i, j), u(i, j + 1));
        slots.bitline[e] = leaf.initial_slot(w(j, i), w(j + 1, i));
      }
      slots.left_terminal[at(i)] = leaf.initial_slot(port(left, i), u(i, 0));
      slots.top_terminal[at(i)] = leaf.initial_slot(port(top, i), w(0, i));
    }
    return slots;
  }

  void copy_leaf(const Block& block, const Order& order, const Block& group, double* tiles) {
    const Index lane = (block.row - group.row) * group.columns + block.column - group.column;
    const double* const from = work_.leaf_tiles.data() + lane * 16 * mesh_tile;
    const auto on_wordline = [](Side side) { return side == left || side == right; };
    for (auto a = order.begin(); a != order.end(); ++a) {
      if (length(block, *a) == 0) continue;
      for (auto b = a; b != order.end(); ++b) {
        if (length(block, *b) == 0) continue;
        // These do not exist in a mesh.
        if (at_edge(block, *a) && at_edge(block, *b) && on_wordline(*a) == on_wordline(*b))
          continue;
        const double* const tile = from + (4 * *a + *b) * mesh_tile;
        tiles = std::copy(tile, tile + mesh_tile, tiles);
      }
    }
  }

  /// G_eff: what lies between the terminals of wordline i and those of bitline j.
  [[nodiscard]] Matrix between_terminals(const Block& all, const Mesh& mesh) const {
    const Index wordlines = mesh.shape.wordline_terminals;
    const Index bitlines = mesh.shape.bitline_terminals;
    Matrix result = Matrix::Zero(m_, n_);
    for (Index I0 = 0; I0 < wordlines; I0 += all.rows) {
      for (Index J0 = 0; J0 < bitlines; J0 += all.columns) {
        for (Index i = 0; i < m_; ++i) {
          const Index r = position(i, m_);
          for (Index j = 0; j < n_; ++j) {
            const Index c = position(j, n_);
            const Index tile = mesh.shape.tile(I0 + r / edge, wordlines + J0 + c / edge);
            result(i, j) += mesh.tiles[tile * mesh_tile + r % edge * edge + c % edge];
          }
        }
      }
    }
    return result;
  }

  const Circuit& circuit_;
  Workspace& work_;
  Index m_, n_;
  Index rows_, columns_;  ///< padded
};

}  // namespace

bool star_mesh_applies(const Circuit& circuit) {
  const auto segments = [](const Matrix& ohm) { return (ohm.array() >= least_ohm).all(); };
  const auto terminals = [](const Vector& ohm) {
    return (ohm.array() == 0 || ohm.array() >= least_ohm).all();
  };
  return (circuit.conductance.array() <= most_siemens).all() &&
         (circuit.bitlines() == 1 || segments(circuit.wordline_ohm)) &&
         (circuit.wordlines() == 1 || segments(circuit.bitline_ohm)) &&
         terminals(circuit.left_ohm) && terminals(circuit.right_ohm) &&
         terminals(circuit.top_ohm) && terminals(circuit.bottom_ohm);
}

Matrix star_mesh_effective(const Circuit& circuit) {
  thread_local Workspace work;
  Matrix result = Elimination(circuit, work).run();
  if (circuit.conductance.size() > most_cells_kept) work = Workspace{};
  return result;
}

}  // namespace xbar::solver
