#pragma once

/// How the cells that hold one weight share it.

#include <string_view>
#include <vector>

#include <xbar/core/matrix.hpp>

namespace xbar::mapping {

/// Where a weight's sign goes.
enum class Layout {
  differential,  ///< |w| in the plus or the minus array of a pair of arrays (TxSim [Roy2021])
  interleaved,   ///< the same pair in two bitlines side by side of one array
  offset,        ///< one cell that also carries the middle of the range; the last bitline of every
                 ///< array, at that middle, is subtracted from the others (ISAAC [Shafiee2016])
  reference,     ///< one cell as in offset, and one of an array beside it that is subtracted and is
              ///< not trained: at the middle, or where the trained one is symmetric (zero shifting
              ///< [Kim2019]); analog weights only
};

/// @throws InvalidArgument for a name that is not one of those.
[[nodiscard]] Layout parse_layout(std::string_view name);
[[nodiscard]] std::string_view layout_name(Layout layout);

/// How many bits a weight and a cell have.
struct WeightBits {
  int weight = 0;  ///< of a weight, sign included, 2 to 16; 0: as many as `cell` gives, or analog
  int cell = 0;    ///< of a cell, 1 to 8; 0: one cell holds what a weight has
};

/// Between normalised weights v = w / weight_range in [-1, 1] and cell states
/// x = (G - g_min) / (g_max - g_min) in [0, 1]. With magnitude bits B (weight bits without the
/// sign; with it for Layout::offset), b bits a cell, L = 2^b levels and S = ceil(B / b) slices:
///   differential, interleaved  M = round(|v| (2^B - 1)) = sum_s d_s L^s, x = d_s / (L - 1) in the
///                              cell of the sign, 0 in the other;
///   offset                     U = 2^(B-1) + round(v (2^(B-1) - 1)) = sum_s d_s L^s, the bitline
///                              that is subtracted holds U = 2^(B-1).
/// Without bits (analog): x = max(+-v, 0), and x = (1 + v) / 2 with 1/2 in the bitline subtracted;
/// for Layout::reference x = r + v / 2, r being what the other cell holds, 1/2 as a rule.
/// Either way v = sum over the cells of coefficient x, less the same sum over the reference
/// bitline. Cells are counted slice by slice, the least significant first, plus before minus.
class WeightEncoder {
 public:
  /// @throws InvalidArgument for bits out of range, a single bit with Layout::offset, or any with
  ///         Layout::reference
  WeightEncoder(Layout layout, const WeightBits& bits);

  [[nodiscard]] Layout layout() const { return layout_; }
  [[nodiscard]] Index slices() const { return static_cast<Index>(slice_.size()); }
  /// Cells of one weight.
  [[nodiscard]] Index cells() const { return slices() * signs(); }
  /// 2 where plus and minus have cells of their own, else 1.
  [[nodiscard]] Index signs() const { return layout_ == Layout::offset ? 1 : 2; }
  [[nodiscard]] Index slice_of(Index cell) const { return cell / signs(); }
  [[nodiscard]] bool is_minus(Index cell) const { return cell % signs() == 1; }
  /// What x = 1 in this cell adds to v.
  [[nodiscard]] float coefficient(Index cell) const {
    const float share = slice_[static_cast<std::size_t>(slice_of(cell))].coefficient;
    return is_minus(cell) ? -share : share;
  }
  /// Whether both signs of a weight share a cell, so that the middle of its range is 0.
  [[nodiscard]] bool is_centred() const {
    return layout_ == Layout::offset || layout_ == Layout::reference;
  }
  /// x of what is subtracted from a slice of such a weight, as a rule; 0 for the other layouts.
  [[nodiscard]] float reference(Index slice) const {
    return slice_[static_cast<std::size_t>(slice)].reference;
  }
  /// Least distance of two weights, as v; 0: analog.
  [[nodiscard]] float step() const { return magnitudes_ > 0 ? 1 / magnitudes_ : 0.0F; }

  /// States of the cells for v, which is clipped to [-1, 1].
  /// @param v      `count` normalised weights
  /// @param cells  cells() arrays of `count` states, written; but the second one of
  ///               Layout::reference, which is read
  void encode(const float* v, Index count, float* const* cells) const;

  /// v of the cells' states, whatever their noise.
  void decode(const float* const* cells, Index count, float* v) const;

 private:
  struct Slice {
    float coefficient = 1;
    float reference = 0;
  };

  Layout layout_;
  std::vector<Slice> slice_;
  float constant_ = 0;    // the reference bitline's sum
  float magnitudes_ = 0;  // largest |M|, or of U about its middle; 0: analog
  int cell_bits_ = 0;
  int middle_ = 0;  // U of v = 0; 0 for the pairs
};

}  // namespace xbar::mapping
