#pragma once

/// From gradients to requested changes of the weights.

#include <map>
#include <string>
#include <string_view>

#include <xbar/core/safetensors.hpp>

namespace xbar::nn {

/// What every optimiser does. It computes a wanted change of each parameter; the parameter's store
/// decides what becomes of it: digital memory adds it, crossbar arrays program their cells.
/// The parameters must outlive the optimiser; their stores may be replaced meanwhile.
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  /// One update of every parameter from its gradient.
  virtual void step(double learning_rate) = 0;

  /// What the next steps depend on besides weights and gradients.
  [[nodiscard]] virtual std::map<std::string, NamedTensor> state() const = 0;

  /// Continues from a state() of the same kind of optimiser.
  /// @throws InvalidArgument for a missing, an unknown or a mis-shaped tensor.
  virtual void load_state(const std::map<std::string, NamedTensor>& state) = 0;
};

enum class OptimizerKind {
  sgd,    ///< Sgd
  adam,   ///< Adam, weight decay in the gradient
  adamw,  ///< Adam, weight decay apart from the gradient
};

/// "sgd", "adam" or "adamw".
[[nodiscard]] std::string_view optimizer_name(OptimizerKind kind);

/// The kind of that name. @throws InvalidArgument for an unknown one (suggests the nearest).
[[nodiscard]] OptimizerKind optimizer_kind(std::string_view name);

}  // namespace xbar::nn
