#pragma once

namespace xbar::nn {

/// Options that every optimiser has.
/// @throws InvalidArgument unless value is in [0, 1); `name` stands for it in the message.
void check_decay_rate(const char* name, double value);
/// @throws InvalidArgument unless weight_decay is finite and >= 0.
void check_weight_decay(double weight_decay);

}  // namespace xbar::nn
