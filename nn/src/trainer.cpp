#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <span>
#include <utility>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/random.hpp>
#include <xbar/core/stopwatch.hpp>
#include <xbar/nn/adam.hpp>
#include <xbar/nn/batch_norm_refit.hpp>
#include <xbar/nn/layers/softmax_cross_entropy.hpp>
#include <xbar/nn/sgd.hpp>
#include <xbar/nn/trainer.hpp>

#include "chunks.hpp"
#include "image_batch.hpp"
#include "together.hpp"

namespace xbar::nn {
namespace {

void check_resume(const TrainState& state, const TrainOptions& options, Index images) {
  const TrainOptions& former = state.options;
  const auto check = [](const char* name, auto expected, auto found) {
    if (expected != found) {
      throw InvalidArgument(fmt::format(
          "resume: {}: expected {}, with which the run began, found {}", name, expected, found));
    }
  };
  check("training images", state.train_images, images);
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
  check("trained", trained_name(former.trained), trained_name(options.trained));
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

std::vector<Parameter*> trained_parameters(Network& network, const TrainOptions& options) {
  return options.trained == Trained::all ? network.parameters() : batch_norm_parameters(network);
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
      const TrainCallbacks& callbacks, Communicator* processes)
      : network_(network),
        data_(data),
        options_(options),
        callbacks_(callbacks),
        processes_(processes),
        together_(network, trained_parameters(network, options), processes),
        optimizer_(make_optimizer(trained_parameters(network, options), options)),
        black_(data.normalisation.black(data.train.channels)),
        order_(static_cast<std::size_t>(data.train.count)),
        steps_((data.train.count + options.batch - 1) / options.batch) {
    if (processes_ == nullptr) return;
    const Index least = data.train.count - (steps_ - 1) * options.batch;  // of the last step
    if (std::min(least, options.batch) < processes_->size()) {
      throw InvalidArgument(fmt::format(
          "batch: expected steps of at least {} images, one for each process, found {} "
          "({} training images, batch {})",
          processes_->size(), std::min(least, options.batch), data.train.count, options.batch));
    }
    // Few test images are not worth sharing out.
    const bool shares = data.test.count >= processes_->size();
    if (shares) test_images_ = part_of(data.test, part_of(data.test.count, processes_));
  }

  void resume(const TrainState& state) {
    check_resume(state, options_, data_.train.count);
    if (state.step > steps_) {
      throw InvalidArgument(
          fmt::format("resume: step: expected at most {}, found {}", steps_, state.step));
    }
    optimizer_->load_state(state.optimizer);
    history_ = state.history;
    step_ = state.step;
    loss_sum_ = state.loss_sum;
    correct_ = state.correct;
    phases_ = state.phases;
  }

  // All epochs that are left.
  const std::vector<EpochRecord>& go() {
    while (static_cast<Index>(history_.size()) < options_.epochs) {
      epoch(static_cast<Index>(history_.size()));
      if (callbacks_.on_epoch_end) callbacks_.on_epoch_end(state(), network_);
    }
    return history_;
  }

 private:
  // What is left of `epoch`, and its evaluation.
  void epoch(Index epoch) {
    shuffle(order_, options_.seed, epoch);
    const double epoch_rate =
        learning_rate_at(options_.schedule, options_.learning_rate, epoch, options_.epochs);
    const auto rate = [&](Index step) {
      return epoch_rate * warmup_share(options_.schedule, epoch, step, steps_);
    };
    while (step_ < steps_) {
      const double loss = train_step(epoch, step_, rate(step_));
      if (!std::isfinite(loss)) {
        throw NumericalError(fmt::format(
            "training diverged: the loss is {} at epoch {}, step {} of {} (learning "
            "rate {})",
            std::isnan(loss) ? "NaN" : "infinite", epoch + 1, step_ + 1, steps_, rate(step_)));
      }
      ++step_;
      const Index size = std::min(options_.batch, data_.train.count - (step_ - 1) * options_.batch);
      loss_sum_ += loss * static_cast<double>(size);
      correct_ += correct_of_step_;
      if (step_ == steps_) {
        timed(&PhaseTimes::update, [&] {
          for (WeightedLayer* layer : network_.weighted_layers()) layer->weight_store().refresh();
        });
      }
      report_step(epoch, loss, rate(step_ - 1));
    }

    const auto count = static_cast<double>(data_.train.count);
    EpochRecord record;
    record.epoch = epoch + 1;
    record.learning_rate = rate(steps_ - 1);
    record.train_loss = loss_sum_ / count;
    record.train_accuracy = static_cast<double>(correct_) / count;
    record.test_loss = record.test_accuracy = std::numeric_limits<double>::quiet_NaN();
    if (data_.test.count > 0) {
      const Stopwatch watch;
      test(record);
      phases_.evaluation += watch.seconds();
    }
    together_.check_equal();
    record.phases = phases_;
    record.seconds = phases_.training();
    record.images_per_second = count / record.seconds;
    history_.push_back(record);
    step_ = 0;
    loss_sum_ = 0;
    correct_ = 0;
    phases_ = {};
  }

  // With others each tests its part.
  void test(EpochRecord& record) {
    const bool shares = test_images_.count > 0;
    const ImageSet& images = shares ? test_images_ : data_.test;
    const Evaluation test = evaluate(network_, images, 250, callbacks_.progress);
    const auto count = static_cast<double>(images.count);
    std::array<double, 2> sums = {test.loss * count, test.accuracy * count};
    if (shares) processes_->add_up(sums);
    record.test_loss = sums[0] / static_cast<double>(data_.test.count);
    record.test_accuracy = sums[1] / static_cast<double>(data_.test.count);
  }

  [[nodiscard]] TrainState state() const {
    return {static_cast<Index>(history_.size()),
            step_,
            loss_sum_,
            correct_,
            phases_,
            data_.train.count,
            options_,
            optimizer_->state(),
            history_};
  }

  void report_step(Index epoch, double loss, double learning_rate) const {
    const Index images = std::min(step_ * options_.batch, data_.train.count);
    if (callbacks_.on_step) {
      callbacks_.on_step({epoch + 1, step_, steps_, learning_rate, loss,
                          static_cast<double>(images) / phases_.training()},
                         [this] { return state(); });
    }
    if (callbacks_.progress) {
      callbacks_.progress({"train", static_cast<double>(epoch * data_.train.count + images),
                           static_cast<double>(options_.epochs * data_.train.count),
                           fmt::format("epoch {} loss {:.3f}", epoch + 1, loss)});
    }
  }

  [[nodiscard]] StoreTimes store_times() const {
    StoreTimes sum;
    for (const WeightedLayer* layer : std::as_const(network_).weighted_layers()) {
      const StoreTimes times = layer->weight_store().times();
      sum.surrogate += times.surrogate;
      sum.converters += times.converters;
      sum.certificate += times.certificate;
    }
    return sum;
  }

  // Adds the time of `body` to `phase`, but to their own what the stores name of it.
  template <typename Body>
  void timed(double PhaseTimes::*phase, const Body& body) {
    const StoreTimes before = store_times();
    const Stopwatch watch;
    body();
    const double seconds = watch.seconds();
    const StoreTimes after = store_times();
    const double surrogate = after.surrogate - before.surrogate;
    const double converters = after.converters - before.converters;
    const double certificate = after.certificate - before.certificate;
    phases_.*phase += seconds - surrogate - converters - certificate;
    phases_.surrogate += surrogate;
    phases_.converters += converters;
    phases_.certificate += certificate;
  }

  double train_step(Index epoch, Index step, double learning_rate) {
    const ModeScope training(network_, true);
    const Index size = std::min(options_.batch, data_.train.count - step * options_.batch);
    const Part part = part_of(size, processes_);
    together_.set_first_image(part.first);
    timed(&PhaseTimes::data, [&] { gather(epoch, step, part); });
    double loss = 0;
    timed(&PhaseTimes::forward,
          [&] { loss = loss_.forward(network_.forward(images_), labels_, size); });
    correct_of_step_ = loss_.correct_count();
    if (processes_ != nullptr) {
      timed(&PhaseTimes::communication, [&] {
        std::array<double, 2> sums = {loss, static_cast<double>(correct_of_step_)};
        processes_->add_up(sums);
        loss = sums[0];
        correct_of_step_ = static_cast<Index>(sums[1]);
      });
    }
    if (!std::isfinite(loss)) return loss;
    timed(&PhaseTimes::backward, [&] { network_.backward(loss_.backward()); });
    if (processes_ != nullptr) {
      timed(&PhaseTimes::communication, [&] { together_.add_up_gradients(); });
    }
    timed(&PhaseTimes::update, [&] { optimizer_->step(learning_rate); });
    return loss;
  }

  // The images of a part of one step, augmented.
  void gather(Index epoch, Index step, const Part& part) {
    const ImageSet& set = data_.train;
    const Index begin = step * options_.batch + part.first;
    const Index size = part.count();
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
  Communicator* processes_;
  Together together_;
  ImageSet test_images_;  // of the part; empty: all are this process's
  std::unique_ptr<Optimizer> optimizer_;
  SoftmaxCrossEntropy loss_;
  std::vector<float> black_;  // one a channel
  std::vector<Index> order_;
  Index steps_;
  Tensor images_;
  std::vector<std::uint8_t> labels_;
  std::vector<EpochRecord> history_;
  // Of the epoch under way:
  Index step_ = 0;
  double loss_sum_ = 0;
  Index correct_ = 0;
  Index correct_of_step_ = 0;
  PhaseTimes phases_;
};

}  // namespace

std::string_view trained_name(Trained trained) {
  return trained == Trained::all ? "all" : "batch-norm";
}

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
                  const TrainCallbacks& callbacks, const TrainState* resume,
                  Communicator* processes) {
  check_train_options(options);
  check_images(network, data.train, "train");
  if (data.test.count > 0) check_images(network, data.test, "test");

  Run run(network, data, options, callbacks, processes);
  if (resume != nullptr) run.resume(*resume);
  TrainReport report;
  report.epochs = run.go();
  for (const EpochRecord& record : report.epochs) report.phases += record.phases;
  report.seconds = report.phases.training();
  if (report.seconds > 0) {
    report.images_per_second = static_cast<double>(report.epochs.size()) *
                               static_cast<double>(data.train.count) / report.seconds;
  }
  return report;
}

}  // namespace xbar::nn
