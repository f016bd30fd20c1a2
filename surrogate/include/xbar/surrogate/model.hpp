#pragma once

/// One interface for everything that turns a batch of wired tiles into plain matrices.

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <xbar/core/matrix.hpp>
#include <xbar/core/wires.hpp>

namespace xbar::surrogate {

/// The family, from free to exact.
enum class ModelKind {
  ideal,            ///< G itself: no wires
  ladder,           ///< closed form, ladder.hpp
  operating_point,  ///< ladder corrected at a typical input, one field solve a tile and refresh
  exact,            ///< the solver's effective conductance
};

/// @return "ideal", "ladder", "operating-point" or "exact".
[[nodiscard]] std::string_view model_name(ModelKind kind);

/// @throws InvalidArgument for any other name, suggesting the nearest.
[[nodiscard]] ModelKind parse_model(std::string_view name);

/// Equal tiles side by side in memory: tile t, wordline i, bitline j at [(t * rows + i) * columns +
/// j].
struct TileBatch {
  Index count = 0;
  Index rows = 0;     ///< m, wordlines of a tile
  Index columns = 0;  ///< n, bitlines of a tile
  [[nodiscard]] Index tile_size() const { return rows * columns; }
};

/// Effective conductance of a batch of tiles, single precision. Keeps what it measured about the
/// tiles between calls (their operating points); one object serves one set of tiles.
class EffectiveModel {
 public:
  virtual ~EffectiveModel() = default;
  [[nodiscard]] virtual ModelKind kind() const = 0;

  /// Measures the tiles anew where the model needs it (solves their fields); else does nothing.
  /// @param conductance  G of all tiles, siemens
  virtual void refresh(const TileBatch& batch, std::span<const float> conductance) = 0;

  /// G_eff of all tiles, siemens, on all cores. @pre refresh() has seen a batch of this shape.
  virtual void effective(const TileBatch& batch, std::span<const float> conductance,
                         std::span<float> out) const = 0;
};

/// Exact node voltages of one array at input V, injected so that the run-time surrogates do not
/// link the solver: (G, wires, V, u out, w out), u and w m x n.
using FieldSolver = std::function<void(const Matrix& conductance, const WireResistance& wires,
                                       const Vector& voltage, Matrix& wordline, Matrix& bitline)>;

[[nodiscard]] std::unique_ptr<EffectiveModel> make_ideal_model();
[[nodiscard]] std::unique_ptr<EffectiveModel> make_ladder_model(const WireResistance& wires);

/// The operating point is all inputs equal, as for `xbar effective`.
[[nodiscard]] std::unique_ptr<EffectiveModel> make_operating_point_model(
    const WireResistance& wires, FieldSolver solve_fields);

}  // namespace xbar::surrogate
