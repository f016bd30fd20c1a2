#pragma once

/// Training and evaluation of a network.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <xbar/core/communicator.hpp>
#include <xbar/core/progress.hpp>
#include <xbar/core/safetensors.hpp>
#include <xbar/nn/data/augmentation.hpp>
#include <xbar/nn/data/data_set.hpp>
#include <xbar/nn/network.hpp>
#include <xbar/nn/optimizer.hpp>
#include <xbar/nn/phase_times.hpp>
#include <xbar/nn/schedule.hpp>

namespace xbar::nn {

/// What the optimiser changes.
enum class Trained {
  all,         ///< every parameter
  batch_norm,  ///< gamma and beta of batch normalisation; its running statistics follow as ever
};

[[nodiscard]] std::string_view trained_name(Trained trained);

/// How to train. Every step takes the mean gradient of `batch` images and lets the optimiser (Sgd,
/// Adam) update the weights, at the learning rate of the schedule.
struct TrainOptions {
  Index epochs = 10;  ///< passes over the training images, >= 0
  Index batch = 64;   ///< images of one step, >= 1; the last step of an epoch takes the rest
  double learning_rate = 0.05;  ///< lr of the first epoch after a warm-up, > 0
  OptimizerKind optimizer = OptimizerKind::sgd;
  double momentum = 0.9;    ///< sgd: in [0, 1)
  double beta1 = 0.9;       ///< adam, adamw: decay of the mean gradient, in [0, 1)
  double beta2 = 0.999;     ///< adam, adamw: decay of the mean squared gradient, in [0, 1)
  double epsilon = 1e-8;    ///< adam, adamw: added to the divisor, > 0
  double weight_decay = 0;  ///< factor of w, in the gradient or (adamw) apart from it, >= 0
  Schedule schedule{};      ///< lr by epoch
  Augmentation augment = Augmentation::none;  ///< of the training images
  Trained trained = Trained::all;             ///< the rest keeps its values
  std::uint64_t seed = 1;  ///< of order and augmentation: RandomStreams "shuffle" and "augment"
};

/// @throws InvalidArgument naming the option that is out of range.
void check_train_options(const TrainOptions& options);

/// What one epoch did.
struct EpochRecord {
  Index epoch = 0;               ///< 1 for the first
  double learning_rate = 0;      ///< of the last step
  double train_loss = 0;         ///< mean over the images, each at the time of its step
  double train_accuracy = 0;     ///< likewise, in [0, 1]
  double test_loss = 0;          ///< after the epoch; NaN without test images
  double test_accuracy = 0;      ///< after the epoch, in [0, 1]; NaN without test images
  PhaseTimes phases{};           ///< where the time went
  double seconds = 0;            ///< phases.training()
  double images_per_second = 0;  ///< training images / seconds
};

/// What one step did.
struct StepRecord {
  Index epoch = 0;               ///< 1 for the first
  Index step = 0;                ///< of the epoch, 1 for the first
  Index steps = 0;               ///< of an epoch
  double learning_rate = 0;      ///< of this step
  double loss = 0;               ///< mean over its images, before the update
  double images_per_second = 0;  ///< of the epoch so far
};

/// Everything besides the weights that the rest of a training run depends on. With the weights of
/// the same moment (Network::state, and whatever state the weight stores have of their own) a run
/// continues as if it had never stopped, bit for bit, timings aside.
struct TrainState {
  Index epoch = 0;                               ///< epochs finished
  Index step = 0;                                ///< steps done of the next one
  double loss_sum = 0;                           ///< of those steps, over their images
  Index correct = 0;                             ///< likewise, images
  PhaseTimes phases{};                           ///< likewise
  Index train_images = 0;                        ///< of an epoch
  TrainOptions options{};                        ///< of the run
  std::map<std::string, NamedTensor> optimizer;  ///< Optimizer::state
  std::vector<EpochRecord> history;              ///< one record an epoch
};

/// As tensors (the optimiser's) and metadata ("epoch", "step", "history", "options/...").
[[nodiscard]] TensorFile to_tensor_file(const TrainState& state);

/// @throws InvalidArgument naming the entry of the metadata that is missing or malformed.
[[nodiscard]] TrainState train_state_from(const TensorFile& file);

/// What the caller of train may look at; each may be empty, each may throw (Interrupted, say).
struct TrainCallbacks {
  /// Once a step, after on_step: phase "train", done and total in images of the whole run, note
  /// "epoch 1 loss 0.213"; also during the evaluation at the end of an epoch (phase "test").
  ProgressCallback progress;
  /// After each step. `state` makes the state of this moment, for a checkpoint; taking it, or
  /// throwing, changes nothing of what the run computes. After the last step of an epoch only its
  /// evaluation is left.
  std::function<void(const StepRecord&, const std::function<TrainState()>& state)> on_step;
  /// After each epoch and its evaluation; the same is true of its state.
  std::function<void(const TrainState&, const Network&)> on_epoch_end;
};

struct TrainReport {
  std::vector<EpochRecord> epochs;  ///< all, those before a resume included
  PhaseTimes phases;                ///< sum over the epochs
  double seconds = 0;               ///< phases.training()
  double images_per_second = 0;     ///< over all epochs, without evaluation
};

/// Trains on data.train by SoftmaxCrossEntropy; tests on data.test, if there is any, after each
/// epoch. Steps run in training mode (Network::set_training). Pixels go in as
/// the data set has them: in [0, 1], voltages of an array that are not negative, unless it was
/// normalised.
///
/// The order of the images of an epoch depends on (seed, epoch) only, the augmentation of an image
/// on (seed, epoch, image). The result is the same, bit for bit, on one machine for any number of
/// threads, and for any steps at which it stopped and went on.
///
/// With `processes` each of them calls this with an equal network, data and options. A step's
/// images are shared out; losses, gradients and what batch normalisation measures are added up over
/// all, so that every process makes the same update of the same weights, on the same arrays. The
/// result is that of one process but for the order of sums. Tests are shared out too. What forms
/// its update from signals (WeightStore::takes_signals) or learns its range takes no part in this.
/// @param resume     a state to continue from, the network having the weights of that moment
/// @param processes  those that train together; nullptr: this one alone
/// @throws InvalidArgument for options out of range, data that do not fit the network, or a
///         resumed state whose options or number of training images differ (epochs may, unless the
///         schedule is cosine); a step with fewer images than processes; NumericalError naming
///         epoch and step if the loss is not finite, or if processes no longer have equal weights.
TrainReport train(Network& network, const DataSet& data, const TrainOptions& options,
                  const TrainCallbacks& callbacks = {}, const TrainState* resume = nullptr,
                  Communicator* processes = nullptr);

/// How well a network does on a set of images.
struct Evaluation {
  double accuracy = 0;                ///< share of correct images
  double loss = 0;                    ///< mean cross entropy
  std::vector<std::uint8_t> correct;  ///< 1 or 0 for each image
};

/// Runs the images through the network in evaluation mode, `batch` at a time. (As in train, a
/// network whose input is a vector takes the images of that many values, flattened.)
/// @param progress  phase "test", in images
/// @throws InvalidArgument for an empty set, images that do not fit the network, or batch < 1.
[[nodiscard]] Evaluation evaluate(Network& network, const ImageSet& images, Index batch = 250,
                                  const ProgressCallback& progress = {});

}  // namespace xbar::nn
