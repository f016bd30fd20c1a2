#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include <xbar/core/error.hpp>
#include <xbar/nn/pulsed_weight.hpp>

#include "pulse_rounding.hpp"

namespace xbar::nn {

PulsedWeight::PulsedWeight(mapping::CrossbarMatrix matrix, const UpdateOptions& options,
                           const RandomStream& draws)
    : CrossbarWeight(std::move(matrix)), options_(options), draws_(draws) {
  check_update_options(options);
  if (nn::takes_signals(options.rule)) {
    throw InvalidArgument("update-rule: expected one that works on the gradient");
  }
  if (options.rule == UpdateRule::mixed_precision) {
    accumulator_ = MatrixF::Zero(this->matrix().outputs(), this->matrix().inputs());
  }
}

void PulsedWeight::update(const MatrixF& delta) {
  switch (options_.rule) {
    case UpdateRule::program_verify:
      write_and_verify(delta);
      return;
    case UpdateRule::sign:
      write_signs(delta);
      return;
    case UpdateRule::mixed_precision:
      write_whole_steps(delta);
      return;
    default:
      write_once(delta);
  }
}

void PulsedWeight::write_once(const MatrixF& delta) { write_rounded(matrix(), delta, draws_); }

void PulsedWeight::write_and_verify(const MatrixF& delta) {
  const float range = matrix().weight_range();
  const float inverse = 1 / matrix().weight_step();
  const MatrixF target = (matrix().weight() + delta).cwiseMax(-range).cwiseMin(range);
  write_once(delta);
  for (int round = 1; round < options_.verify_rounds; ++round) {
    // Within half a step a further pulse would do harm.
    const float worst = (target - matrix().weight()).cwiseAbs().maxCoeff() * inverse;
    if (!(worst > 0.5F)) return;
    matrix().pulse([&](Index o, std::span<float> up, std::span<float> down) {
      const float* w = matrix().weight().row(o).data();
      const float* wanted = target.row(o).data();
      for (std::size_t k = 0; k < up.size(); ++k) {
        const float pulses = std::nearbyint((wanted[k] - w[k]) * inverse);
        up[k] = std::max(pulses, 0.0F);
        down[k] = std::max(-pulses, 0.0F);
      }
    });
  }
}

void PulsedWeight::write_signs(const MatrixF& delta) {
  const float threshold = static_cast<float>(options_.sign_threshold) * matrix().weight_step();
  matrix().pulse([&](Index o, std::span<float> up, std::span<float> down) {
    const float* d = delta.row(o).data();
    for (std::size_t k = 0; k < up.size(); ++k) {
      up[k] = d[k] > threshold ? 1.0F : 0.0F;
      down[k] = -d[k] > threshold ? 1.0F : 0.0F;
    }
  });
}

void PulsedWeight::write_whole_steps(const MatrixF& delta) {
  const float inverse = 1 / matrix().weight_step();
  matrix().pulse([&](Index o, std::span<float> up, std::span<float> down) {
    const float* d = delta.row(o).data();
    float* sum = accumulator_.row(o).data();
    for (std::size_t k = 0; k < up.size(); ++k) {
      sum[k] += d[k] * inverse;
      const float pulses = std::trunc(sum[k]);
      sum[k] -= pulses;
      up[k] = std::max(pulses, 0.0F);
      down[k] = std::max(-pulses, 0.0F);
    }
  });
}

std::vector<CrossbarWeight::DigitalState> PulsedWeight::digital_state() {
  if (accumulator_.size() == 0) return {};
  return {{".accumulator", &accumulator_}};
}

}  // namespace xbar::nn
