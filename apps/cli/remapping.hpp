#pragma once

/// Networks for nn::RemapStudy, and what it has given, as JSON.

#include <xbar/nn/remap_study.hpp>

#include "experiment.hpp"

namespace xbar::cli {

/// @param spec, weights  outlive the study
[[nodiscard]] nn::RemapNetworks remap_networks(const NetworkSpec& spec, const TensorFile& weights,
                                               const DeployOptions& options);

/// Without the strategy's and the technology's name.
[[nodiscard]] Json to_json(const nn::RemapComparison& comparison);
[[nodiscard]] Json to_json(const nn::RemapStudy::Change& change);

}  // namespace xbar::cli
