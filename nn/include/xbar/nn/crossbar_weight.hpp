#pragma once

/// Layers on crossbars: the weight store that lives in arrays, and moving a network there and back.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <xbar/mapping/crossbar_matrix.hpp>
#include <xbar/nn/network.hpp>
#include <xbar/nn/weight_store.hpp>

namespace xbar::nn {

/// Weights in the wired tiles of a CrossbarMatrix: what is trained are the cells themselves.
class CrossbarWeight : public WeightStore {
 public:
  explicit CrossbarWeight(mapping::CrossbarMatrix matrix);

  [[nodiscard]] const MatrixF& weight() const override { return matrix_.weight(); }
  [[nodiscard]] const MatrixF& forward_weight() const override { return matrix_.forward_weight(); }
  [[nodiscard]] const MatrixF& backward_weight() const override {
    return matrix_.backward_weight();
  }
  [[nodiscard]] mapping::ConvertedRead* converted_forward() override;
  [[nodiscard]] mapping::ConvertedRead* converted_backward() override;
  void begin_read() override { matrix_.next_read(); }
  void update(const MatrixF& delta) override { matrix_.update(delta); }
  void set_weight(const MatrixF& weight) override { matrix_.program(weight); }
  void refresh() override { matrix_.refresh(); }
  /// Converters: setting them up for changed arrays, and the products through them.
  [[nodiscard]] StoreTimes times() const override;

  [[nodiscard]] mapping::CrossbarMatrix& matrix() { return matrix_; }
  [[nodiscard]] const mapping::CrossbarMatrix& matrix() const { return matrix_; }

  /// One direction's read through converters, without bringing its arrays up to date; nullptr:
  /// none.
  [[nodiscard]] mapping::ConvertedRead* read(mapping::Direction direction);

 private:
  struct Reads {
    mapping::ConvertedRead read;
    std::uint64_t version = ~std::uint64_t{0};  // CrossbarMatrix::version() of its arrays
  };
  [[nodiscard]] mapping::ConvertedRead* current(mapping::Direction direction);
  [[nodiscard]] std::optional<Reads>& reads(mapping::Direction direction) {
    return direction == mapping::Direction::forward ? forward_ : backward_;
  }

  mapping::CrossbarMatrix matrix_;
  std::optional<Reads> forward_;
  std::optional<Reads> backward_;
  double converter_seconds_ = 0;  // of setting up
};

/// How a gradient gets from the wired arrays to digital weights.
enum class GradientRule {
  adjoint,           ///< through the surrogate: the derivative of what the arrays compute
  straight_through,  ///< as if the arrays computed what they are programmed to
};

/// @throws InvalidArgument for a name that is not adjoint or straight-through.
[[nodiscard]] GradientRule parse_gradient_rule(std::string_view name);
[[nodiscard]] std::string_view gradient_rule_name(GradientRule rule);

/// Weights in digital memory that are written to arrays, without write noise, for every forward
/// pass (hardware-aware training): updates are exact, reads are wired. The backward pass is
/// digital: by the effective weights (adjoint) or the digital ones (straight through).
class HardwareAwareWeight final : public CrossbarWeight {
 public:
  /// @param learns_range  whether the largest weight that the cells hold is trained too
  /// [Esser2020]:
  ///   with W_q what is programmed for W at range r, dL/dr = sum dL/dW_q (W_q - W)/r within the
  ///   range and dL/dW_q sign(W) beyond it, divided by sqrt(weights x levels); weights beyond it
  ///   get no gradient. Else weights are clipped to the range.
  HardwareAwareWeight(mapping::CrossbarMatrix matrix, GradientRule rule, bool learns_range);

  [[nodiscard]] const MatrixF& weight() const override { return master_; }
  [[nodiscard]] const MatrixF& backward_weight() const override {
    return rule_ == GradientRule::adjoint ? forward_weight() : master_;
  }
  [[nodiscard]] mapping::ConvertedRead* converted_backward() override { return nullptr; }
  void backpropagate(MatrixF& gradient) override;
  void update(const MatrixF& delta) override;
  void set_weight(const MatrixF& weight) override;
  [[nodiscard]] const LearnedRange* learned_range() const override {
    return range_ ? &*range_ : nullptr;
  }
  void set_learned_range(float range) override;

 private:
  GradientRule rule_;
  std::optional<LearnedRange> range_;
  MatrixF master_;
};

/// What sets the largest weight that a layer's cells hold. Weights beyond it are clipped.
enum class WeightScale {
  maximum,     ///< the layer's largest |weight|
  percentile,  ///< a percentile of its |weights|
  headroom,    ///< headroom times the bound of its initialisation, sqrt(6 / in_features): training
               ///< has room, and most cells stay near g_min, where arrays lose least
  learned,     ///< trained along with digital weights, beginning at the percentile
};

/// @throws InvalidArgument for a name that is not maximum, percentile, headroom or learned.
[[nodiscard]] WeightScale parse_weight_scale(std::string_view name);
[[nodiscard]] std::string_view weight_scale_name(WeightScale scale);

/// How a network is put on arrays.
struct CrossbarMapping {
  mapping::Technology technology;
  surrogate::ModelKind model = surrogate::ModelKind::sneak_ladder;
  surrogate::ExactSolver exact;  ///< CrossbarOptions::exact
  int refresh = 20;              ///< updates between full measurements, CrossbarOptions::refresh
  mapping::CertificateOptions certificate;
  WeightScale scale = WeightScale::maximum;
  double percentile = 99.9;  ///< of WeightScale::percentile and learned, in (0, 100]
  double headroom = 8;       ///< of WeightScale::headroom, > 0
  /// Empty: what is trained are the cells. Else digital weights (HardwareAwareWeight).
  std::optional<GradientRule> hardware_aware;
  std::uint64_t seed = 1;  ///< of write noise, cell effects and read noise
};

/// The largest weight that each layer's cells hold by mapping.scale, in the order of
/// weighted_layers().
/// @throws InvalidArgument for a headroom or percentile out of range
[[nodiscard]] std::vector<float> weight_ranges(const Network& network,
                                               const CrossbarMapping& mapping);

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

/// The state of all arrays and converters, for resuming bit for bit: tensors "LAYER.cells" (a
/// weight's cells, outputs, inputs), "LAYER.ratios" (planes, bitlines, wordlines),
/// "LAYER.backward", "LAYER.gain", "LAYER.slot", and metadata.
[[nodiscard]] TensorFile crossbar_state(Network& network);

/// Puts it back. @throws InvalidArgument for a missing or mis-shaped tensor.
void load_crossbar_state(Network& network, const TensorFile& file);

}  // namespace xbar::nn
