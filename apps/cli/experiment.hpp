#pragma once

/// What train, evaluate, remap and quickstart share: networks on arrays, trained and deployed.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <xbar/core/progress.hpp>
#include <xbar/mapping/column_order.hpp>
#include <xbar/mapping/technology.hpp>
#include <xbar/nn/crossbar_weight.hpp>
#include <xbar/nn/models.hpp>
#include <xbar/nn/sensitivity.hpp>
#include <xbar/nn/trainer.hpp>
#include <xbar/surrogate_calibrate/calibrate.hpp>

#include "console.hpp"
#include "leg_files.hpp"
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

  [[nodiscard]] nn::Network make() const;
  /// A network with the given weights and its weight ranges where the file carries them.
  [[nodiscard]] nn::Network load(const TensorFile& weights) const;
};

[[nodiscard]] NetworkSpec network_spec(const std::string& model, const nn::DataSet& data,
                                       std::uint64_t seed);

/// Keeps a model file as model.toml in the run's folder; nothing for a built-in model.
/// @throws InvalidArgument with `resume` if it is no longer as it was when the run began.
void keep_model_file(const nn::ModelSource& model, const RunFolder& folder, bool resume);

/// Weights of a network as a file: PyTorch's names; for a network on arrays the programmed weights,
/// and metadata "weight_range/LAYER" so that the same cells can be made again.
[[nodiscard]] TensorFile weights_file(nn::Network& network);

/// Puts a digital network on arrays, with the weight ranges of the file where it has them. Sampled
/// arrays of a surrogate other than the exact one are checked at once.
void deploy(nn::Network& network, const TensorFile& weights, const mapping::Technology& technology,
            const SurrogateSettings& surrogate = {});

/// How one network of a run is trained.
struct TrainingLeg {
  std::string name;  ///< folder of its files: "ideal", "in-situ-20000ohm"
  std::optional<mapping::Technology> technology;  ///< empty: ideal arithmetic
  SurrogateSettings surrogate;
  double headroom = 8;
};

struct TrainedLeg {
  nn::TrainReport report;
  TensorFile weights;         ///< weights_file()
  double test_accuracy = 0;   ///< as computed while training (by the surrogate, for arrays)
  double exact_accuracy = 0;  ///< the same network with exact effective conductances
  double test_loss = 0;       ///< with exact effective conductances
  Json certificate;           ///< certificate_json() of a leg on arrays
};

/// What the arrays' certificates say: worst and mean measured error, changes, time, by layer.
/// @param train_seconds  to relate the time of the checks to
[[nodiscard]] Json certificate_json(nn::Network& network, double train_seconds);

/// The surrogates of such a certificate, and the largest error where they were measured:
/// "sneak-ladder, at most 0.012 % off".
[[nodiscard]] std::string surrogate_words(const Json& certificate);

/// How the legs of a run are trained, besides what each is on.
struct LegOptions {
  nn::TrainOptions train;
  LegFileOptions files;
  std::optional<TensorFile> weights;  ///< to begin with; empty: drawn by the seed
  bool resume = false;                ///< go on from the leg's checkpoint, if there is one
};

/// Trains one network, in FOLDER/NAME: LegFiles while it is trained, at the end
/// weights.safetensors and, for arrays, certificate.json.
[[nodiscard]] TrainedLeg train_leg(const TrainingLeg& leg, const NetworkSpec& spec,
                                   const nn::DataSet& data, const LegOptions& options,
                                   const std::filesystem::path& folder, ProgressBar& bar);

/// Slots of every weighted layer by `strategy`, from sensitivities on calibration images of the
/// training set.
struct Remapping {
  std::vector<nn::ColumnSensitivity> sensitivity;
  std::vector<std::vector<Index>> slot_of_output;  ///< one list a layer
};
[[nodiscard]] Remapping remap_columns(nn::Network& digital, const nn::ImageSet& calibration,
                                      Index calibration_images, mapping::RemapStrategy strategy,
                                      const mapping::Technology& technology,
                                      const ProgressCallback& progress);

/// A network on arrays as trained and re-mapped, image by image.
struct RemapComparison {
  nn::Evaluation as_is;
  nn::Evaluation remapped;
  Index put_right = 0;  ///< images wrong as is and right re-mapped
  Index spoilt = 0;     ///< images right as is and wrong re-mapped
  Json certificate;     ///< certificate_json()
};

/// Both orders on the test images.
[[nodiscard]] RemapComparison compare_remapping(const NetworkSpec& spec, const TensorFile& weights,
                                                const nn::DataSet& data,
                                                const mapping::Technology& technology,
                                                const SurrogateSettings& surrogate,
                                                const Remapping& remapping,
                                                const ProgressCallback& progress);

[[nodiscard]] Json to_json(const RemapComparison& comparison);

/// One training leg as JSON: name, accuracies, speed, time by phase, where its files are.
[[nodiscard]] Json to_json(const TrainingLeg& leg, const TrainedLeg& trained);

/// "R_on 20 kΩ".
[[nodiscard]] std::string on_label(double on_ohm);

}  // namespace xbar::cli
