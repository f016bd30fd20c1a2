#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <span>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/random.hpp>
#include <xbar/nn/adam.hpp>
#include <xbar/nn/layers/softmax_cross_entropy.hpp>
#include <xbar/nn/sgd.hpp>
#include <xbar/nn/trainer.hpp>

#include "chunks.hpp"
#include "image_check.hpp"

namespace xbar::nn {
namespace {

void check_resume(const TrainState& state, const TrainOptions& options) {
  const TrainOptions& former = state.options;
  const auto check = [](const char* name, auto expected, auto found) {
    if (expected != found) {
      throw InvalidArgument(fmt::format(
          "resume: {}: expected {}, with which the run began, found {}", name, expected, found));
    }
  };
  check("batch", former.batch, options.batch);
  check("learning_rate", former.learning_rate, options.learning_rate);
  check("optimizer", optimizer_name(former.optimizer), optimizer_name(options.optimizer));
  if (options.optimizer == OptimizerKind::sgd) {
    check("momentum", former.momentum, options.momentum);
  } else {
    check("beta1", former.beta1, options.beta1);
    check("beta2", former.beta2, options.beta2);
    check("epsilon", former.epsilon, options.epsilon);
  }
  check("weight_decay", former.weight_decay, options.weight_decay);
  check("augment", augmentation_name(former.augment), augmentation_name(options.augment));
  check("seed", former.seed, options.seed);
  check("schedule", schedule_name(former.schedule.kind), schedule_name(options.schedule.kind));
  if (options.schedule.kind == ScheduleKind::step) {
    check("schedule.step_epochs", former.schedule.step_epochs, options.schedule.step_epochs);
    check("schedule.step_factor", former.schedule.step_factor, options.schedule.step_factor);
  }
  if (options.schedule.kind == ScheduleKind::cosine) {
    check("epochs", former.epochs, options.epochs);
    check("schedule.final_fraction", former.schedule.final_fraction,
          options.schedule.final_fraction);
  }
  check("schedule.warmup_epochs", former.schedule.warmup_epochs, options.schedule.warmup_epochs);
}

std::unique_ptr<Optimizer> make_optimizer(std::vector<Parameter*> parameters,
                                          const TrainOptions& options) {
  if (options.optimizer == OptimizerKind::sgd) {
    return std::make_unique<Sgd>(
        std::move(parameters),
        SgdOptions{.momentum = options.momentum, .weight_decay = options.weight_decay});
  }
  return std::make_unique<Adam>(
      std::move(parameters),
      AdamOptions{.beta1 = options.beta1,
                  .beta2 = options.beta2,
                  .epsilon = options.epsilon,
                  .weight_decay = options.weight_decay,
                  .decoupled_decay = options.optimizer == OptimizerKind::adamw});
}

// Fisher-Yates; a function of (seed, epoch) alone.
void shuffle(std::vector<Index>& order, std::uint64_t seed, Index epoch) {
  std::iota(order.begin(), order.end(), Index{0});
  const RandomStream stream =
      RandomStream(seed, "shuffle").substream(static_cast<std::uint64_t>(epoch));
  for (std::size_t i = order.size(); i > 1; --i) {
    std::swap(order[i - 1], order[static_cast<std::size_t>(stream.below(i - 1, i))]);
  }
}

// One training run: everything that lives from step to step.
class Run {
 public:
  Run(Network& network, const DataSet& data, const TrainOptions& options,
      const TrainCallbacks& callbacks)
      : network_(network),
        data_(data),
        options_(options),
        callbacks_(callbacks),
        optimizer_(make_optimizer(network.parameters(), options)),
        black_(data.normalisation.black(data.train.channels)),
        order_(static_cast<std::size_t>(data.train.count)),
        steps_((data.train.count + options.batch - 1) / options.batch) {}

  void resume(const TrainState& state) { optimizer_->load_state(state.optimizer); }

  EpochRecord epoch(Index epoch) {
    const auto start = std::chrono::steady_clock::now();
    shuffle(order_, options_.seed, epoch);
    EpochRecord record;
    record.epoch = epoch + 1;
    const double epoch_rate =
        learning_rate_at(options_.schedule, options_.learning_rate, epoch, options_.epochs);
    Index correct = 0;
    for (Index step = 0; step < steps_; ++step) {
      record.learning_rate = epoch_rate * warmup_share(options_.schedule, epoch, step, steps_);
      gather(epoch, step);
      const double loss = train_step(record.learning_rate);
      if (!std::isfinite(loss)) {
        throw NumericalError(
            fmt::format("training diverged: the loss is {} at epoch {}, step {} of {} (learning "
                        "rate {})",
                        std::isnan(loss) ? "NaN" : "infinite", epoch + 1, step + 1, steps_,
                        record.learning_rate));
      }
      record.train_loss += loss * static_cast<double>(labels_.size());
      correct += loss_.correct_count();
      if (callbacks_.progress) {
        callbacks_.progress({"train", static_cast<double>(epoch * steps_ + step + 1),
                             static_cast<double>(options_.epochs * steps_),
                             fmt::format("epoch {} loss {:.3f}", epoch + 1, loss)});
      }
    }
    const auto count = static_cast<double>(data_.train.count);
    record.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    record.images_per_second = count / record.seconds;
    record.train_loss /= count;
    record.train_accuracy = static_cast<double>(correct) / count;
    for (WeightedLayer* layer : network_.weighted_layers()) layer->weight_store().refresh();
    record.test_loss = record.test_accuracy = std::numeric_limits<double>::quiet_NaN();
    if (data_.test.count > 0) {
      const Evaluation test = evaluate(network_, data_.test, 250, callbacks_.progress);
      record.test_loss = test.loss;
      record.test_accuracy = test.accuracy;
    }
    return record;
  }

  [[nodiscard]] TrainState state(const std::vector<EpochRecord>& history) const {
    return {static_cast<Index>(history.size()), options_, optimizer_->state(), history};
  }

 private:
  double train_step(double learning_rate) {
    const ModeScope training(network_, true);
    const double loss = loss_.forward(network_.forward(images_), labels_);
    if (!std::isfinite(loss)) return loss;
    network_.backward(loss_.backward());
    optimizer_->step(learning_rate);
    return loss;
  }

  // The images of one step, augmented.
  void gather(Index epoch, Index step) {
    const ImageSet& set = data_.train;
    const Index begin = step * options_.batch;
    const Index size = std::min(options_.batch, set.count - begin);
    const Index image_size = set.image_size();
    images_.resize(network_.input_shape().batch(size));
    labels_.resize(static_cast<std::size_t>(size));
    for_chunks(size, image_size, [&](Index first, Index last) {
      for (Index n = first; n < last; ++n) {
        const Index image = order_[static_cast<std::size_t>(begin + n)];
        const float* pixels = set.pixels.data() + image * image_size;
        float* to = images_.data() + n * image_size;
        if (options_.augment == Augmentation::crop_flip) {
          crop_flip(draw_crop_flip(options_.seed, epoch, image), pixels, set.height, set.width,
                    black_, to);
        } else {
          std::copy(pixels, pixels + image_size, to);
        }
        labels_[static_cast<std::size_t>(n)] = set.labels[static_cast<std::size_t>(image)];
      }
    });
  }

  Network& network_;
  const DataSet& data_;
  const TrainOptions& options_;
  const TrainCallbacks& callbacks_;
  std::unique_ptr<Optimizer> optimizer_;
  SoftmaxCrossEntropy loss_;
  std::vector<float> black_;  // one a channel
  std::vector<Index> order_;
  Index steps_;
  Tensor images_;
  std::vector<std::uint8_t> labels_;
};

}  // namespace

void check_train_options(const TrainOptions& options) {
  const auto fail = [](const char* name, const char* expected, auto found) {
    throw InvalidArgument(fmt::format("{}: expected {}, found {}", name, expected, found));
  };
  if (options.epochs < 0) fail("epochs", "a value >= 0", options.epochs);
  if (options.batch < 1) fail("batch", "a value >= 1", options.batch);
  if (!(options.learning_rate > 0 && std::isfinite(options.learning_rate))) {
    fail("learning_rate", "a finite value > 0", options.learning_rate);
  }
  static_cast<void>(make_optimizer({}, options));  // checks its options
  check_schedule(options.schedule);
}

TrainReport train(Network& network, const DataSet& data, const TrainOptions& options,
                  const TrainCallbacks& callbacks, const TrainState* resume) {
  check_train_options(options);
  check_images(network, data.train, "train");
  if (data.test.count > 0) check_images(network, data.test, "test");

  TrainReport report;
  Run run(network, data, options, callbacks);
  if (resume != nullptr) {
    check_resume(*resume, options);
    run.resume(*resume);
    report.epochs = resume->history;
  }
  while (static_cast<Index>(report.epochs.size()) < options.epochs) {
    report.epochs.push_back(run.epoch(static_cast<Index>(report.epochs.size())));
    if (callbacks.on_epoch_end) callbacks.on_epoch_end(run.state(report.epochs), network);
  }
  for (const EpochRecord& record : report.epochs) report.seconds += record.seconds;
  if (report.seconds > 0) {
    report.images_per_second = static_cast<double>(report.epochs.size()) *
                               static_cast<double>(data.train.count) / report.seconds;
  }
  return report;
}

}  // namespace xbar::nn
