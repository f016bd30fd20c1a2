#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/variant.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/batch_norm_refit.hpp>
#include <xbar/nn/crossbar_state.hpp>
#include <xbar/nn/deployment.hpp>
#include <xbar/nn/training_files.hpp>

#include "bindings.hpp"
#include "calls.hpp"
#include "networks.hpp"

namespace xbar::python {

using namespace nb::literals;

namespace {

/// What train() takes beside model and data.
struct Training {
  nn::TrainOptions train{.epochs = 5};
  nn::CrossbarMapping mapping;
  std::optional<std::string> out;
  bool resume = false;
  nn::TrainingFileOptions files;
};

Training take_training(Keywords& keywords, const mapping::Technology& technology, bool begun,
                       const std::string& mode) {
  Training training;
  nn::TrainOptions& options = training.train;
  std::string schedule = "cosine";
  std::string optimizer = "sgd";
  std::string augment = "none";
  std::string gradients = "adjoint";
  std::optional<double> momentum;
  keywords.take("epochs", options.epochs);
  keywords.take("batch", options.batch);
  keywords.take("learning_rate", options.learning_rate);
  keywords.take("optimizer", optimizer);
  keywords.take("momentum", momentum);
  keywords.take("beta1", options.beta1);
  keywords.take("beta2", options.beta2);
  keywords.take("epsilon", options.epsilon);
  keywords.take("weight_decay", options.weight_decay);
  keywords.take("schedule", schedule);
  keywords.take("warmup_epochs", options.schedule.warmup_epochs);
  keywords.take("augment", augment);
  keywords.take("gradients", gradients);
  keywords.take("out", training.out);
  keywords.take("resume", training.resume);
  keywords.take("checkpoint_seconds", training.files.checkpoint_seconds);
  keywords.take("log_steps", training.files.log_steps);
  training.mapping = take_mapping(keywords, technology, "auto");
  keywords.finish();
  options.schedule.kind = nn::schedule_kind(schedule);
  options.optimizer = nn::optimizer_kind(optimizer);
  options.augment = nn::augmentation_of(augment);
  options.seed = training.mapping.seed;
  if (!keywords.given("weight_scale") && !begun) {
    training.mapping.scale = nn::WeightScale::headroom;
  }
  if (mode == "hardware-aware") {
    training.mapping.hardware_aware = nn::parse_gradient_rule(gradients);
  } else if (mode == "batch-norm") {
    options.trained = nn::Trained::batch_norm;
  }
  const bool forms_gradient =
      mode != "ideal" && technology.device && nn::takes_signals(training.mapping.update.rule);
  options.momentum = momentum.value_or(forms_gradient ? 0 : options.momentum);
  nn::check_train_options(options);
  nn::check_training_file_options(training.files);
  if (training.resume && !training.out) {
    throw InvalidArgument("resume: expected with out, the folder to go on with; got none");
  }
  return training;
}

/// The files of one training, if it leaves any.
class Files {
 public:
  Files(const Training& training, SignalWatch& signals) : signals_(signals) {
    if (!training.out) return;
    files_.emplace(*training.out, training.files);
    if (training.resume) {
      checkpoint_ = files_->go_on();
    } else if (std::filesystem::exists(files_->file("checkpoint.safetensors"))) {
      throw InvalidArgument(fmt::format(
          "out: {} holds a training already; give another folder, or resume=True to go on with it",
          *training.out));
    } else {
      files_->begin_anew();
    }
    if (checkpoint_) state_ = nn::train_state_from(nn::checkpoint_part(*checkpoint_, "train/"));
  }

  /// Puts a network where the checkpoint left it.
  void restore(nn::Network& network) const {
    if (!checkpoint_) return;
    network.load_state(nn::checkpoint_part(*checkpoint_, "network/"));
    nn::load_crossbar_state(network, nn::checkpoint_part(*checkpoint_, "crossbar/"));
  }

  nn::TrainReport train(nn::Network& network, const nn::DataSet& data,
                        const nn::TrainOptions& options, const ProgressArgument& progress) {
    if (!files_) {
      nn::TrainCallbacks callbacks;
      callbacks.progress = progress_callback(progress);
      return nn::train(network, data, options, callbacks);
    }
    return files_->train(
        network, data, options, state_ ? &*state_ : nullptr,
        [this](const Progress& now) { signals_.show(now); }, [this] { return signals_.raised(); });
  }

  void keep(const TensorFile& weights) const {
    if (files_) write_safetensors(files_->file("weights.safetensors"), weights);
  }

 private:
  SignalWatch& signals_;
  std::optional<nn::TrainingFiles> files_;
  std::optional<TensorFile> checkpoint_;
  std::optional<nn::TrainState> state_;
};

struct Trained {
  nn::TrainReport report;
  TensorFile weights;
  nn::Evaluation exact;
  std::optional<double> deployed_accuracy;  // of batch-norm: before
  std::optional<double> statistics_accuracy;
};

nb::dict to_dict(const nn::EpochRecord& epoch) {
  nb::dict one;
  one["epoch"] = epoch.epoch;
  one["learning_rate"] = epoch.learning_rate;
  one["train_loss"] = epoch.train_loss;
  one["train_accuracy"] = epoch.train_accuracy;
  one["test_loss"] = epoch.test_loss;
  one["test_accuracy"] = epoch.test_accuracy;
  one["images_per_second"] = epoch.images_per_second;
  return one;
}

void check_mode(const std::string& mode, bool has_technology, bool has_weights) {
  if (mode != "ideal" && mode != "in-situ" && mode != "hardware-aware" && mode != "batch-norm") {
    throw InvalidArgument("mode: expected ideal, in-situ, hardware-aware or batch-norm, got '" +
                          mode + "'");
  }
  if (has_technology && mode == "ideal") {
    throw InvalidArgument(
        "technology: expected with mode in-situ, hardware-aware or batch-norm, got it with ideal");
  }
  if (mode == "batch-norm" && !has_weights) {
    throw InvalidArgument("weights: expected with mode batch-norm, the trained weights; got none");
  }
}

nb::dict train(const std::string& model, const DataArgument& data, const std::string& mode,
               const std::optional<mapping::Technology>& technology,
               const std::optional<WeightsArgument>& weights, const ProgressArgument& progress,
               const nb::kwargs& stated) {
  check_mode(mode, technology.has_value(), weights.has_value());
  const bool wired = mode != "ideal";
  Keywords keywords("train", stated);
  const Training training = take_training(keywords, technology.value_or(mapping::Technology{}),
                                          weights.has_value(), mode);
  const nn::CrossbarMapping& mapping = training.mapping;
  const nn::DataSet set = data_of(data, mapping.seed);
  const TensorFile begin = weights ? file_of(*weights) : TensorFile{};
  const ProgressCallback callback = progress_callback(progress);
  SignalWatch signals(progress);
  Files files(training, signals);
  nn::Network network = network_of(model, set, mapping.seed);
  Trained trained;
  const auto work = [&] {
    const auto accuracy = [&] {
      return nn::evaluate(network, set.test, evaluation_batch, callback).accuracy;
    };
    if (weights) network.load_state(begin);
    if (wired) nn::deploy(network, begin, mapping);
    if (mode == "batch-norm") {
      nn::calibrate_converters(network, mapping.technology, set.train);
      trained.deployed_accuracy = accuracy();
      nn::refit_batch_norm(network, set.train, training.train.batch, callback);
      trained.statistics_accuracy = accuracy();
    }
    files.restore(network);
    trained.report = files.train(network, set, training.train, progress);
    trained.weights = nn::weights_file(network);
    files.keep(trained.weights);
    if (!wired) {
      trained.exact = nn::evaluate(network, set.test, evaluation_batch, callback);
      return;
    }
    // The same cells by the exact circuit.
    nn::Network checked = network_of(model, set, mapping.seed);
    checked.load_state(trained.weights);
    nn::CrossbarMapping with_exact = mapping;
    with_exact.model = surrogate::ModelKind::exact;
    with_exact.certificate.tolerance = 0;
    with_exact.hardware_aware.reset();
    nn::deploy(checked, trained.weights, with_exact);
    nn::copy_cells(network, checked);
    trained.exact = nn::evaluate(checked, set.test, evaluation_batch, callback);
  };
  try {
    // With files the step under way is finished and saved before an interrupt ends the work.
    if (training.out) {
      without_lock(work);
    } else {
      interruptible(work);
    }
  } catch (const Interrupted&) {
    signals.rethrow();
    throw;
  }
  nb::list history;
  for (const nn::EpochRecord& epoch : trained.report.epochs) history.append(to_dict(epoch));
  nb::dict result;
  result["weights"] = Weights{std::move(trained.weights)};
  result["history"] = history;
  result["accuracy"] = trained.exact.accuracy;
  result["loss"] = trained.exact.loss;
  result["images_per_second"] = trained.report.images_per_second;
  if (wired) result["certificate"] = certificate_dict(network);
  if (trained.deployed_accuracy) result["deployed_accuracy"] = *trained.deployed_accuracy;
  if (trained.statistics_accuracy) result["statistics_accuracy"] = *trained.statistics_accuracy;
  return result;
}

}  // namespace

void bind_training(nb::module_& m) {
  const std::string signature = fmt::format(
      "def train(model: str, data: str | DataSet, *, mode: str = 'ideal', technology: Technology | "
      "None = None, weights: {} | None = None, progress: {} = None{}) -> dict[str, typing.Any]",
      weights_type, progress_type,
      parameters_of([](Keywords& k) { take_training(k, {}, false, "ideal"); }));
  m.def("train", &train, "model"_a, "data"_a, nb::kw_only(), "mode"_a = "ideal",
        "technology"_a = nb::none(), "weights"_a = nb::none(), "progress"_a = nb::none(),
        "options"_a, nb::sig(signature.c_str()),
        R"(Trains a network and tests it.

model       a name of model_names(), a .toml or a .onnx file
data        NAME, NAME=DIR or a DataSet
mode        ideal; in-situ: forward, backward and update through the arrays; hardware-aware: digital
            weights, forward through the arrays; batch-norm: the arrays stay as `weights` has them,
            and batch normalisation is fitted to them
technology  of the arrays; default: Technology()
weights     to begin with; default: drawn by `seed`
progress    called with {phase, done, total, note}; what it raises ends the work, as Ctrl-C does
optimizer   sgd, adam or adamw; schedule: cosine, constant or step; augment: none or crop-flip
momentum    0.9, with arrays that form the gradient 0
gradients   of hardware-aware: adjoint or straight-through
out         folder for weights.safetensors, metrics.jsonl and checkpoint.safetensors
            (docs/runs.md): a checkpoint an epoch, and every checkpoint_seconds within it (0: no);
            a line of metrics every log_steps. Ctrl-C and what `progress` raises save one too
resume      goes on from the checkpoint in out, with the same arguments, as if never stopped
surrogate ... transfer_rate   as CrossbarMatrix, with surrogate="auto" and its tolerance of 1e-3

Returns weights (Weights), history (a dictionary an epoch), accuracy and loss on the test images
(on arrays: by the exact circuit), images_per_second, certificate (on arrays, by layer); of
batch-norm deployed_accuracy, before, and statistics_accuracy, with the statistics recomputed.
Raises InvalidArgument, IoError, NumericalError.)");
}

}  // namespace xbar::python
