#pragma once

/// One of the networks that a run trains.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <xbar/nn/trainer.hpp>
#include <xbar/nn/training_files.hpp>

#include "console.hpp"
#include "experiment.hpp"

namespace xbar::cli {

/// What of a network on arrays is trained.
enum class LegMode {
  ideal,           ///< nothing is on arrays
  in_situ,         ///< forward, backward and update through the arrays
  hardware_aware,  ///< digital weights, forward through the arrays
  batch_norm,      ///< the arrays stay; batch normalisation is fitted to them
};

/// @throws InvalidArgument for a name that is not ideal, in-situ, hardware-aware or batch-norm.
[[nodiscard]] LegMode parse_leg_mode(std::string_view name);
[[nodiscard]] std::string_view leg_mode_name(LegMode mode);

/// How one network of a run is trained.
struct TrainingLeg {
  LegMode mode = LegMode::ideal;
  std::optional<mapping::Technology> technology;  ///< empty for LegMode::ideal alone
  DeployOptions deploy;                           ///< hardware_aware as the mode wants it

  /// Folder of its files: "ideal", "in-situ-20000ohm".
  [[nodiscard]] std::string name() const;
};

struct TrainedLeg {
  nn::TrainReport report;
  TensorFile weights;         ///< weights_file()
  double test_accuracy = 0;   ///< as computed while training (by the surrogate, for arrays)
  double exact_accuracy = 0;  ///< the same network with exact effective conductances
  double test_loss = 0;       ///< with exact effective conductances
  Json certificate;           ///< certificate_json() of a leg on arrays
  std::optional<mapping::PulseTotals> pulses;  ///< of a leg whose cells are written by pulses
  /// Of LegMode::batch_norm: before, and with the statistics recomputed.
  std::optional<double> deployed_accuracy;
  std::optional<double> statistics_accuracy;
};

/// How the legs of a run are trained, besides what each is on.
struct LegOptions {
  nn::TrainOptions train;
  nn::TrainingFileOptions files{};
  std::optional<TensorFile> weights{};  ///< to begin with; empty: drawn by the seed
  bool resume = false;                  ///< go on from the leg's checkpoint, if there is one
  Communicator* processes = nullptr;    ///< that train together; the first alone writes and tests
};

/// Trains one network, in FOLDER/NAME: nn::TrainingFiles while it is trained, at the end
/// weights.safetensors and, for arrays, certificate.json.
[[nodiscard]] TrainedLeg train_leg(const TrainingLeg& leg, const NetworkSpec& spec,
                                   const nn::DataSet& data, const LegOptions& options,
                                   const std::filesystem::path& folder, ProgressBar& bar);

/// One training leg as JSON: name, accuracies, speed, time by phase, where its files are.
[[nodiscard]] Json to_json(const TrainingLeg& leg, const TrainedLeg& trained);

}  // namespace xbar::cli
