#pragma once

/// Layers on crossbars: the weight store that lives in arrays, and moving a network there and back.

#include <optional>
#include <string>
#include <vector>

#include <xbar/mapping/crossbar_matrix.hpp>
#include <xbar/nn/network.hpp>
#include <xbar/nn/weight_store.hpp>

namespace xbar::nn {

/// Weights in the wired tiles of a CrossbarMatrix.
class CrossbarWeight final : public WeightStore {
 public:
  explicit CrossbarWeight(mapping::CrossbarMatrix matrix) : matrix_(std::move(matrix)) {}

  [[nodiscard]] const MatrixF& weight() const override { return matrix_.weight(); }
  [[nodiscard]] const MatrixF& forward_weight() const override { return matrix_.forward_weight(); }
  [[nodiscard]] const MatrixF& backward_weight() const override {
    return matrix_.backward_weight();
  }
  void update(const MatrixF& delta) override { matrix_.update(delta); }
  void set_weight(const MatrixF& weight) override { matrix_.program(weight); }
  void refresh() override { matrix_.refresh(); }

  [[nodiscard]] mapping::CrossbarMatrix& matrix() { return matrix_; }
  [[nodiscard]] const mapping::CrossbarMatrix& matrix() const { return matrix_; }

 private:
  mapping::CrossbarMatrix matrix_;
};

/// How a network is put on arrays.
struct CrossbarMapping {
  mapping::Technology technology;
  surrogate::ModelKind model = surrogate::ModelKind::sneak_ladder;
  surrogate::ExactSolver exact;  ///< CrossbarOptions::exact
  int refresh = 20;              ///< updates between full measurements, CrossbarOptions::refresh
  mapping::CertificateOptions certificate;
  /// Largest weight that a layer's cells hold. Empty: the layer's largest |weight|. A number h: h
  /// times the bound of its initialisation, sqrt(6 / in_features), so that training has room and
  /// most cells stay near g_min, where arrays lose least.
  std::optional<double> headroom;
  std::uint64_t seed = 1;  ///< of the write noise
};

/// Replaces every weight store of the network by crossbar arrays that hold the same weights.
void map_to_crossbars(Network& network, const CrossbarMapping& mapping);

/// As above with the largest weight of each layer given, in the order of weighted_layers().
/// @throws InvalidArgument if their number differs
void map_to_crossbars(Network& network, const CrossbarMapping& mapping,
                      const std::vector<float>& weight_ranges);

/// Replaces every crossbar store by digital memory with the programmed weights.
void map_to_digital(Network& network);

/// A weighted layer that sits on arrays.
struct CrossbarLayer {
  std::string name;
  mapping::CrossbarMatrix* matrix = nullptr;
};

/// The layers on arrays, in order; empty for a digital network.
[[nodiscard]] std::vector<CrossbarLayer> crossbar_layers(Network& network);

/// The cells' states as tensors "LAYER.plus", "LAYER.minus", "LAYER.slot" and metadata, for
/// resuming.
[[nodiscard]] TensorFile crossbar_state(Network& network);

/// Puts them back. @throws InvalidArgument for a missing or mis-shaped tensor.
void load_crossbar_state(Network& network, const TensorFile& file);

}  // namespace xbar::nn
