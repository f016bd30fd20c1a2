#pragma once

/// Adam [Kingma2015] and AdamW [Loshchilov2019].

#include <map>
#include <string>
#include <vector>

#include <xbar/core/matrix.hpp>
#include <xbar/nn/optimizer.hpp>
#include <xbar/nn/parameter.hpp>

namespace xbar::nn {

struct AdamOptions {
  double beta1 = 0.9;       ///< decay of the mean gradient, in [0, 1)
  double beta2 = 0.999;     ///< decay of the mean squared gradient, in [0, 1)
  double epsilon = 1e-8;    ///< added to the root in the divisor, > 0
  double weight_decay = 0;  ///< lambda, >= 0; of weights and biases, as PyTorch
  /// false: lambda w joins the gradient (Adam); true: it acts on the weight alone (AdamW)
  bool decoupled_decay = false;
};

/// Adam, the formulas and defaults of PyTorch. In step t = 1, 2, ...:
///
///     g <- g + lambda w                                    unless decoupled
///     m <- beta1 m + (1 - beta1) g
///     v <- beta2 v + (1 - beta2) g^2
///     delta = -learning_rate (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
///     delta <- delta - learning_rate lambda w              if decoupled
///     store.update(delta)
///
/// m and v start at zero; w is the stored weight before the step.
class Adam final : public Optimizer {
 public:
  /// @throws InvalidArgument for an option out of range.
  Adam(std::vector<Parameter*> parameters, const AdamOptions& options);

  void step(double learning_rate) override;

  /// m and v of every parameter, under "mean/" and "square/" + the parameter's name, and "steps":
  /// t mod 2^24 and t / 2^24, each of which a float holds exactly.
  [[nodiscard]] std::map<std::string, NamedTensor> state() const override;

  void load_state(const std::map<std::string, NamedTensor>& state) override;

 private:
  struct Slot {
    Parameter* parameter;
    MatrixF mean;
    MatrixF square;
    MatrixF delta;
  };

  std::vector<Slot> slots_;
  AdamOptions options_;
  Index steps_ = 0;  ///< t
};

}  // namespace xbar::nn
