#pragma once

/// What train, evaluate, remap and quickstart share: networks on arrays, trained and deployed.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <xbar/core/progress.hpp>
#include <xbar/mapping/technology.hpp>
#include <xbar/nn/crossbar_mapping.hpp>
#include <xbar/nn/deployment.hpp>
#include <xbar/nn/hardware_aware_weight.hpp>
#include <xbar/nn/models.hpp>
#include <xbar/nn/trainer.hpp>
#include <xbar/surrogate_calibrate/calibrate.hpp>

#include "run_folder.hpp"
#include "surrogate_flags.hpp"
#include "technology_flags.hpp"

namespace xbar::cli {

/// How to build a network of the run.
struct NetworkSpec {
  nn::ModelSource model;
  nn::Shape input_shape;
  int num_classes = 0;
  std::uint64_t seed = 1;
  std::optional<std::string> onnx{};  ///< contents of the model's file if it is an ONNX file

  /// Untrained; from an ONNX file with the file's weights.
  [[nodiscard]] nn::Network make() const;
  /// A network with the given weights and its weight ranges where the file carries them.
  [[nodiscard]] nn::Network load(const TensorFile& weights) const;
};

[[nodiscard]] NetworkSpec network_spec(const std::string& model, const nn::DataSet& data,
                                       std::uint64_t seed);

/// The weights of the file; without a path, those of the model's ONNX file.
/// @throws InvalidArgument without a path if the model is none
[[nodiscard]] TensorFile read_weights(const std::string& path, const NetworkSpec& spec);

/// Keeps a model file as model.toml or model.onnx in the run's folder; nothing for a built-in
/// model.
/// @throws InvalidArgument with `resume` if it is no longer as it was when the run began.
void keep_model_file(const NetworkSpec& spec, const RunFolder& folder, bool resume);

/// How networks are put on arrays, besides what the arrays are.
struct DeployOptions {
  SurrogateSettings surrogate;
  nn::WeightScale scale = nn::WeightScale::maximum;  ///< where the file has no weight ranges
  double percentile = 99.9;
  double headroom = 8;
  std::optional<nn::GradientRule> hardware_aware{};  ///< CrossbarMapping::hardware_aware
  nn::UpdateOptions update{};                        ///< CrossbarMapping::update
  std::uint64_t seed = 1;                            ///< CrossbarMapping::seed
  bool streamed = false;                             ///< CrossbarMapping::streamed
};

/// How such a network is mapped.
[[nodiscard]] nn::CrossbarMapping crossbar_mapping(const mapping::Technology& technology,
                                                   const DeployOptions& options);

/// nn::deploy with that mapping.
void deploy(nn::Network& network, const TensorFile& weights, const mapping::Technology& technology,
            const DeployOptions& options = {});

/// What the arrays' certificates say: worst and mean measured error, changes, time, by layer.
/// @param train_seconds  to relate the time of the checks to
[[nodiscard]] Json certificate_json(const std::vector<nn::LayerCertificate>& certificates,
                                    double train_seconds);

/// The surrogates of such a certificate, and the largest error where they were measured:
/// "sneak-ladder, at most 0.012 % off".
[[nodiscard]] std::string surrogate_words(const Json& certificate);

/// "R_on 20 kΩ".
[[nodiscard]] std::string on_label(double on_ohm);

}  // namespace xbar::cli
