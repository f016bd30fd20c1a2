#pragma once

/// Stochastic gradient descent.

#include <map>
#include <string>
#include <vector>

#include <xbar/core/matrix.hpp>
#include <xbar/nn/optimizer.hpp>
#include <xbar/nn/parameter.hpp>

namespace xbar::nn {

struct SgdOptions {
  double momentum = 0.9;    ///< mu, in [0, 1)
  double weight_decay = 0;  ///< lambda, >= 0; of weights and biases, as PyTorch
};

/// SGD with momentum, the formula of PyTorch:
///
///     v <- mu v + (g + lambda w),   delta = -learning_rate v,   store.update(delta)
///
/// v starts at zero; w is the stored weight.
class Sgd final : public Optimizer {
 public:
  /// @throws InvalidArgument for an option out of range.
  Sgd(std::vector<Parameter*> parameters, const SgdOptions& options);

  void step(double learning_rate) override;

  /// v of every parameter, under "momentum/" + the parameter's name.
  [[nodiscard]] std::map<std::string, NamedTensor> state() const override;

  void load_state(const std::map<std::string, NamedTensor>& state) override;

 private:
  struct Slot {
    Parameter* parameter;
    MatrixF velocity;
    MatrixF delta;
  };

  std::vector<Slot> slots_;
  SgdOptions options_;
};

}  // namespace xbar::nn
