#pragma once

/// Weights in arrays that form their gradients in the arrays, from the signals.

#include <memory>
#include <vector>

#include <xbar/core/random.hpp>
#include <xbar/nn/crossbar_weight.hpp>
#include <xbar/nn/update_rule.hpp>

namespace xbar::nn {

class SignalTrains;

/// UpdateRule stochastic: pulse trains on wordlines and bitlines of the array of the weights.
class StochasticWeight final : public CrossbarWeight {
 public:
  /// @param draws  of the trains
  /// @throws InvalidArgument for options out of range
  StochasticWeight(mapping::CrossbarMatrix matrix, const UpdateOptions& options,
                   const RandomStream& draws);
  ~StochasticWeight() override;

  [[nodiscard]] bool takes_signals() const override { return true; }
  void take_signals(const Patches& patches, const Tensor& x, const Tensor& dy) override;
  void update_from_signals(double learning_rate) override;

 private:
  std::unique_ptr<SignalTrains> trains_;
};

/// UpdateRule tiki_taka and tiki_taka_v2: the arrays A, of the gradients, and C, of the weights,
/// which all passes read. With s the weight step of C and k the columns whose turn it is
/// (UpdateOptions::transfer_columns of them, around and around), an update is
///   A <- A - fast_rate learning_rate dy^T x   by pulse trains
///   v1   C_k <- C_k + transfer_rate A_k       by pulses, rounded at random
///   v2   H_k <- H_k + transfer_rate A_k / s,  n = trunc(H_k) pulses to C_k,  H_k <- H_k - n
/// A_k being what a wired, noisy read of A gives. The papers' weight of A in the forward pass
/// (gamma) is 0.
class TikiTakaWeight final : public CrossbarWeight {
 public:
  /// @param matrix  C
  /// @param fast    A, of the same size, at 0
  /// @throws InvalidArgument for options out of range
  TikiTakaWeight(mapping::CrossbarMatrix matrix, mapping::CrossbarMatrix fast,
                 const UpdateOptions& options, const RandomStream& draws);
  ~TikiTakaWeight() override;

  [[nodiscard]] bool takes_signals() const override { return true; }
  void take_signals(const Patches& patches, const Tensor& x, const Tensor& dy) override;
  void update_from_signals(double learning_rate) override;
  void refresh() override;
  [[nodiscard]] std::vector<FurtherArrays> further_arrays() override;
  [[nodiscard]] std::vector<DigitalState> digital_state() override;

 private:
  void transfer();

  UpdateOptions options_;
  mapping::CrossbarMatrix fast_;
  std::unique_ptr<SignalTrains> trains_;
  RandomStream rounding_;
  MatrixF accumulator_;  // H, outputs x inputs; empty for v1
};

}  // namespace xbar::nn
