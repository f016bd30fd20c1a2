#pragma once

/// How gradients become programming pulses.

#include <string_view>

#include <xbar/device/pulse_trains.hpp>

namespace xbar::nn {

/// With D = -learning_rate dL/dW what the optimiser asks for and s the weight step of one typical
/// pulse (mapping::CrossbarMatrix::weight_step):
enum class UpdateRule {
  outer_product,   ///< |D|/s pulses to every weight, rounded up or down at random; the gradient is
                   ///< formed digitally and written without looking
  program_verify,  ///< the same, then read and corrected until the weight is within half a step
  stochastic,      ///< coincidences of random pulse trains on wordlines and bitlines form the outer
                   ///< product in the array (device::PulseTrains) [Gokmen2016]
  sign,            ///< one pulse where |D| exceeds a threshold: Manhattan rule
  mixed_precision,  ///< D is added up digitally; whole steps are taken from the sum and written
                    ///< [LeGallo2018]
  tiki_taka,        ///< a fast array takes the gradients by pulse trains; its columns are read in
                    ///< turn and written to the array of the weights [Gokmen2020]
  tiki_taka_v2,     ///< what is read is added up digitally first, whole steps are written
                    ///< [Gokmen2021]
};

/// @throws InvalidArgument for an unknown name (outer-product, program-verify, stochastic, sign,
///         mixed-precision, tiki-taka, tiki-taka-v2), suggesting the nearest.
[[nodiscard]] UpdateRule parse_update_rule(std::string_view name);
[[nodiscard]] std::string_view update_rule_name(UpdateRule rule);

/// Whether the arrays form the gradient from the signals: no momentum, no weight decay.
[[nodiscard]] constexpr bool takes_signals(UpdateRule rule) {
  return rule == UpdateRule::stochastic || rule == UpdateRule::tiki_taka ||
         rule == UpdateRule::tiki_taka_v2;
}

struct UpdateOptions {
  UpdateRule rule = UpdateRule::outer_product;
  device::PulseTrainOptions trains{};  ///< of stochastic and Tiki-Taka updates
  int verify_rounds = 10;              ///< of program-verify, 1 to 1000
  double sign_threshold = 0;           ///< of |D|, in weight steps, >= 0
  double fast_rate = 1;                ///< learning rate of Tiki-Taka's fast array, in that of the
                                       ///< optimiser, > 0
  int transfer_columns = 10;           ///< columns of it read after each update, >= 1
  double transfer_rate = 0.1;          ///< weight written for each unit of weight read, > 0
};

/// @throws InvalidArgument naming the first field out of range.
void check_update_options(const UpdateOptions& options);

}  // namespace xbar::nn
