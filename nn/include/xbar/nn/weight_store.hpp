#pragma once

/// Where a layer's weight matrix lives: in digital memory or in crossbar arrays. Layers see only
/// this.

#include <xbar/core/matrix.hpp>
#include <xbar/mapping/converted_read.hpp>

namespace xbar::nn {

struct Patches;
class Tensor;

/// What a store has spent since it was made, wall-clock seconds.
struct StoreTimes {
  double surrogate = 0;    ///< measuring effective conductances
  double converters = 0;   ///< products through converters, conversions included
  double certificate = 0;  ///< checking surrogates against the exact circuit
};

/// The weight matrix of one layer, out x in.
class WeightStore {
 public:
  virtual ~WeightStore() = default;

  /// The stored (programmed) weight, out x in: what a perfect read would give.
  [[nodiscard]] virtual const MatrixF& weight() const = 0;

  /// What the forward pass multiplies by, out x in: y = W_forward x. Equals weight() for a digital
  /// store; for arrays the effective conductance of the wired tiles, as a weight.
  [[nodiscard]] virtual const MatrixF& forward_weight() const = 0;

  /// What the backward pass multiplies by, out x in: dx = W_backward^T dy (the transposed read).
  [[nodiscard]] virtual const MatrixF& backward_weight() const = 0;

  /// The reads through converters that take the place of the products by forward_weight() and
  /// backward_weight(); nullptr: those products. Current whenever the effective weights are.
  [[nodiscard]] virtual mapping::ConvertedRead* converted_forward() { return nullptr; }
  [[nodiscard]] virtual mapping::ConvertedRead* converted_backward() { return nullptr; }

  /// Layers call it before every pass, forward or backward: each reads with a noise of its own.
  virtual void begin_read() {}

  /// From d loss / d forward_weight(), which layers compute, to d loss / d weight(), in place.
  virtual void backpropagate(MatrixF& /*gradient*/) {}

  /// Stores whose largest weight is trained: it, d loss / d range by the latest backpropagate(),
  /// and setting it. nullptr: it is not trained.
  struct LearnedRange {
    float value = 1;
    float gradient = 0;
  };
  [[nodiscard]] virtual const LearnedRange* learned_range() const { return nullptr; }
  virtual void set_learned_range(float /*range*/) {}

  /// Requests weight += delta (out x in). Arrays program their cells: the change that happens is
  /// what the device model makes of the request. Afterwards the effective weights are current.
  virtual void update(const MatrixF& delta) = 0;

  /// Whether the store forms its updates from the signals of the backward pass by itself: layers
  /// then hand it those and form no gradient, and optimisers call update_from_signals() instead of
  /// update().
  [[nodiscard]] virtual bool takes_signals() const { return false; }
  /// The layer's input and d loss / d output; both stay as they are until the next forward pass.
  virtual void take_signals(const Patches& /*patches*/, const Tensor& /*x*/, const Tensor& /*dy*/) {
  }
  /// Requests weight += -learning_rate dy^T x of the signals taken last, and forgets them.
  virtual void update_from_signals(double /*learning_rate*/) {}

  /// Replaces the stored weight.
  virtual void set_weight(const MatrixF& weight) = 0;

  /// Brings up to date what the store only estimates between measurements. The trainer calls it at
  /// the end of every epoch, before the network is tested.
  virtual void refresh() {}

  /// Of the time that calls of this store and of its reads took, what PhaseTimes names on its own.
  [[nodiscard]] virtual StoreTimes times() const { return {}; }
};

/// Weights in digital memory: exact.
class DigitalWeight final : public WeightStore {
 public:
  explicit DigitalWeight(MatrixF weight) : weight_(std::move(weight)) {}
  [[nodiscard]] const MatrixF& weight() const override { return weight_; }
  [[nodiscard]] const MatrixF& forward_weight() const override { return weight_; }
  [[nodiscard]] const MatrixF& backward_weight() const override { return weight_; }
  void update(const MatrixF& delta) override { weight_ += delta; }
  void set_weight(const MatrixF& weight) override { weight_ = weight; }

 private:
  MatrixF weight_;
};

}  // namespace xbar::nn
