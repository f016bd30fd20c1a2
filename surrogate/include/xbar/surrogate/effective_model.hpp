#pragma once

/// One interface for everything that turns wired tiles into plain matrices.

#include <span>

#include <xbar/surrogate/model_kind.hpp>
#include <xbar/surrogate/tile_batch.hpp>

namespace xbar::surrogate {

/// Effective conductance of a batch of tiles with the same wires, Real = float or double. What a
/// member measures at the tiles (their fields, their exact matrices) it keeps between calls; one
/// object serves one set of tiles. All work is spread over the tiles, on all cores; results do not
/// depend on the number of threads.
///
/// The transposed read: between the same terminals its matrix is the transpose (reciprocity); with
/// driver and sense amplifier swapped it is the transpose of what a model with source and sink
/// resistance exchanged gives.
template <typename Real>
class EffectiveModel {
 public:
  virtual ~EffectiveModel() = default;
  [[nodiscard]] virtual ModelKind kind() const = 0;

  /// Measures the tiles where the member needs it; the others do nothing.
  /// @param conductance  G of all tiles, siemens, >= 0
  /// @param inputs       operating point: a typical input vector of each tile, count x rows, volt
  ///                     (only its direction counts); empty: all inputs equal
  /// @throws InvalidArgument if a span does not fit the batch
  void refresh(const TileBatch& batch, std::span<const Real> conductance,
               std::span<const Real> inputs = {});

  /// G_eff of all tiles, siemens.
  /// @pre refresh() has seen a batch of this shape
  /// @throws InvalidArgument if a span does not fit the batch or, where the member needs it, no
  ///         refresh() of this shape came before
  void effective(const TileBatch& batch, std::span<const Real> conductance,
                 std::span<Real> out) const;

  /// d(loss)/dG for a loss that depends on G through effective(): given C = d(loss)/dG_eff,
  ///     out(k,l) = sum over (i,j) of C(i,j) dG_eff(i,j)/dG(k,l).
  /// What was measured by refresh() is held: a derivative at constant operating point or ratio.
  /// @throws InvalidArgument as effective()
  void gradient(const TileBatch& batch, std::span<const Real> conductance,
                std::span<const Real> cotangent, std::span<Real> out) const;

 private:
  virtual void do_refresh(const TileBatch& /*batch*/, const Real* /*conductance*/,
                          const Real* /*inputs, or nullptr*/) {}
  virtual void do_effective(const TileBatch& batch, const Real* conductance, Real* out) const = 0;
  virtual void do_gradient(const TileBatch& batch, const Real* conductance, const Real* cotangent,
                           Real* out) const = 0;
  void check(const TileBatch& batch) const;

  TileBatch measured_;  // what refresh() has seen last
};

extern template class EffectiveModel<float>;
extern template class EffectiveModel<double>;

}  // namespace xbar::surrogate
