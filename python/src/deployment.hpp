#pragma once

/// The keywords of everything that puts weights on arrays.

#include <map>
#include <string>

#include <xbar/core/safetensors.hpp>
#include <xbar/nn/crossbar_mapping.hpp>

#include "arrays.hpp"
#include "keywords.hpp"

namespace xbar::python {

/// surrogate, tolerance, refresh, weight_scale, weight_percentile, headroom, seed, and of pulsed
/// cells update_rule and what belongs to it: as the flags of `xbar train`.
[[nodiscard]] nn::CrossbarMapping take_mapping(Keywords& keywords,
                                               const mapping::Technology& technology,
                                               const std::string& surrogate);

/// Tensors by name, handed over, and texts.
[[nodiscard]] nb::dict to_dict(TensorFile file);
/// @throws InvalidArgument naming the tensor
[[nodiscard]] TensorFile to_tensor_file(const nb::dict& tensors,
                                        const std::map<std::string, std::string>& metadata);

/// What the arrays' certificates say, by layer: surrogate, refresh, checks, worst and mean error.
[[nodiscard]] nb::dict certificate_dict(nn::Network& network);

}  // namespace xbar::python
