#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/random.hpp>
#include <xbar/nn/layers/softmax_cross_entropy.hpp>
#include <xbar/nn/optimizer.hpp>
#include <xbar/nn/trainer.hpp>

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
  check("momentum", former.momentum, options.momentum);
  check("weight_decay", former.weight_decay, options.weight_decay);
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
        sgd_(network.parameters(),
             {.momentum = options.momentum, .weight_decay = options.weight_decay}),
        order_(static_cast<std::size_t>(data.train.count)),
        steps_((data.train.count + options.batch - 1) / options.batch) {}

  void resume(const TrainState& state) { sgd_.load_state(state.momentum); }

  EpochRecord epoch(Index epoch) {
    const auto start = std::chrono::steady_clock::now();
    shuffle(order_, options_.seed, epoch);
    EpochRecord record;
    record.epoch = epoch + 1;
    record.learning_rate =
        learning_rate_at(options_.schedule, options_.learning_rate, epoch, options_.epochs);
    Index correct = 0;
    for (Index step = 0; step < steps_; ++step) {
      const double loss = train_step(step, record.learning_rate);
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
    return {static_cast<Index>(history.size()), options_, sgd_.state(), history};
  }

 private:
  double train_step(Index step, double learning_rate) {
    const Index begin = step * options_.batch;
    gather(begin, std::min(options_.batch, data_.train.count - begin));
    const double loss = loss_.forward(network_.forward(images_), labels_);
    if (!std::isfinite(loss)) return loss;
    network_.backward(loss_.backward());
    sgd_.step(learning_rate);
    return loss;
  }

  void gather(Index begin, Index size) {
    const Index image_size = data_.train.image_size();
    images_.resize(network_.input_shape().batch(size));
    labels_.resize(static_cast<std::size_t>(size));
    for (Index n = 0; n < size; ++n) {
      const Index image = order_[static_cast<std::size_t>(begin + n)];
      const float* pixels = data_.train.pixels.data() + image * image_size;
      std::copy(pixels, pixels + image_size, images_.data() + n * image_size);
      labels_[static_cast<std::size_t>(n)] = data_.train.labels[static_cast<std::size_t>(image)];
    }
  }

  Network& network_;
  const DataSet& data_;
  const TrainOptions& options_;
  const TrainCallbacks& callbacks_;
  Sgd sgd_;
  SoftmaxCrossEntropy loss_;
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
  if (!(options.momentum >= 0 && options.momentum < 1)) {
    fail("momentum", "a value in [0, 1)", options.momentum);
  }
  if (!(options.weight_decay >= 0 && std::isfinite(options.weight_decay))) {
    fail("weight_decay", "a finite value >= 0", options.weight_decay);
  }
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
