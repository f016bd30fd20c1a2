#pragma once

/// Weights in arrays that are trained by pulses of a gradient formed digitally.

#include <vector>

#include <xbar/core/random.hpp>
#include <xbar/nn/crossbar_weight.hpp>
#include <xbar/nn/update_rule.hpp>

namespace xbar::nn {

/// UpdateRule outer_product, program_verify, sign or mixed_precision.
class PulsedWeight final : public CrossbarWeight {
 public:
  /// @param draws  of the random rounding to whole pulses
  /// @throws InvalidArgument for another rule or options out of range
  PulsedWeight(mapping::CrossbarMatrix matrix, const UpdateOptions& options,
               const RandomStream& draws);

  void update(const MatrixF& delta) override;
  [[nodiscard]] std::vector<DigitalState> digital_state() override;

 private:
  void write_once(const MatrixF& delta);
  void write_and_verify(const MatrixF& delta);
  void write_signs(const MatrixF& delta);
  void write_whole_steps(const MatrixF& delta);

  UpdateOptions options_;
  RandomStream draws_;
  MatrixF accumulator_;  // mixed precision: what was asked for and not yet written, in steps
};

}  // namespace xbar::nn
