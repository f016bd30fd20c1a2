#pragma once

/// What train(), evaluate() and remap() share: networks, their weights, images.

#include <cstdint>
#include <string>
#include <variant>

#include <xbar/core/safetensors.hpp>
#include <xbar/nn/data/data_set.hpp>
#include <xbar/nn/network.hpp>
#include <xbar/nn/trainer.hpp>

#include "deployment.hpp"

namespace xbar::python {

/// Weights of a network as a caller has them.
struct Weights {
  TensorFile file;
};
using WeightsArgument = std::variant<std::string, Weights, nb::dict>;
using DataArgument = std::variant<std::string, nn::DataSet>;

/// As signatures have it.
inline constexpr const char* weights_type =
    "str | Weights | dict[str, numpy.typing.NDArray[numpy.float32]]";
inline constexpr const char* progress_type =
    "collections.abc.Callable[[dict[str, typing.Any]], None] | None";

constexpr Index evaluation_batch = 250;  ///< images at a time

[[nodiscard]] TensorFile file_of(const WeightsArgument& weights);
[[nodiscard]] nn::DataSet data_of(const DataArgument& data, std::uint64_t seed);
/// The model for these images, untrained.
[[nodiscard]] nn::Network network_of(const std::string& model, const nn::DataSet& data,
                                     std::uint64_t seed);

/// accuracy, loss, correct.
[[nodiscard]] nb::dict to_dict(const nn::Evaluation& evaluation);

}  // namespace xbar::python
