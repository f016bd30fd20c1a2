#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include <omp.h>

#include <xbar/core/error.hpp>
#include <xbar/core/parallel.hpp>
#include <xbar/core/stopwatch.hpp>
#include <xbar/nn/crossbar_mapping.hpp>
#include <xbar/nn/crossbar_state.hpp>
#include <xbar/nn/hardware_aware_weight.hpp>
#include <xbar/nn/layers/conv2d.hpp>
#include <xbar/nn/layers/flatten.hpp>
#include <xbar/nn/layers/linear.hpp>
#include <xbar/nn/layers/max_pool2d.hpp>
#include <xbar/nn/layers/relu.hpp>
#include <xbar/nn/models.hpp>
#include <xbar/nn/trainer.hpp>
#include <xbar/surrogate_calibrate/calibrate.hpp>

#include "nn/support/images.hpp"
#include "support/catch.hpp"

using Catch::Matchers::Contains;
using xbar::Index;
using xbar::MatrixF;
using xbar::TensorFile;
using namespace xbar::nn;

namespace {

Network small_network(std::uint64_t seed) {
  Network network("small", {1, 8, 8});
  network.emplace<Conv2d>(
      "conv1",
      Conv2dOptions{.in_channels = 1, .out_channels = 4, .kernel_height = 3, .kernel_width = 3});
  network.emplace<Relu>("relu1");
  network.emplace<MaxPool2d>("pool1", 2);
  network.emplace<Flatten>("flatten");
  network.emplace<Linear>("fc1", 36, 3);
  initialise(network, seed);
  return network;
}

// 50 images in batches of 16: the last one is short.
DataSet small_data() {
  return {"noise", 3, xbar_test::random_images(50, 8, 3, 1), xbar_test::random_images(20, 8, 3, 2)};
}

TrainOptions small_options() {
  return {.epochs = 4,
          .batch = 16,
          .learning_rate = 0.05,
          .momentum = 0.9,
          .weight_decay = 1e-3,
          .schedule = {.kind = ScheduleKind::cosine},
          .seed = 11};
}

bool same_bits(const TensorFile& a, const TensorFile& b) {
  if (a.tensors.size() != b.tensors.size()) return false;
  for (const auto& [name, tensor] : a.tensors) {
    if (tensor.values != b.tensors.at(name).values) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("nn/trainer: mlp and lenet5 learn 64 images of noise by heart") {
  const std::string model = GENERATE("mlp", "lenet5");
  INFO(model);
  DataSet data;
  data.num_classes = 10;
  data.train = xbar_test::random_images(64, 28, 10, 1);
  Network network = make_model(model, {1, 28, 28}, 10, 1);
  // 4 steps an epoch; both are below 0.001 by then with a margin of half the epochs.
  const TrainReport report =
      train(network, data, {.epochs = 150, .batch = 16, .learning_rate = 0.01});
  CHECK(report.epochs.front().train_loss >= 1.5);  // log 10 = 2.3 is guessing
  CHECK(report.epochs.back().train_loss <= 0.01);
  CHECK(report.epochs.back().train_accuracy == 1);
  CHECK(std::isnan(report.epochs.back().test_accuracy));
  CHECK(evaluate(network, data.train).accuracy == 1);
}

TEST_CASE("nn/trainer: an epoch's record and the progress add up") {
  Network network = small_network(1);
  const DataSet data = small_data();
  std::vector<double> done;
  TrainCallbacks callbacks;
  callbacks.progress = [&](const xbar::Progress& progress) {
    if (progress.phase != "train") return;
    CHECK(progress.total == 200);  // 4 epochs of 50 images
    done.push_back(progress.done);
  };
  Index steps = 0;
  callbacks.on_step = [&](const StepRecord& step, const std::function<TrainState()>& state) {
    CHECK(step.epoch == steps / 4 + 1);
    CHECK(step.step == steps % 4 + 1);
    CHECK(step.steps == 4);
    CHECK(step.learning_rate == learning_rate_at(small_options().schedule, 0.05, steps / 4, 4));
    CHECK(step.loss > 0);
    CHECK(step.images_per_second > 0);
    CHECK(state().epoch == steps / 4);
    CHECK(state().step == step.step);
    CHECK(static_cast<Index>(done.size()) == steps++);  // progress comes afterwards
  };
  Index ends = 0;
  callbacks.on_epoch_end = [&](const TrainState& state, const Network& current) {
    CHECK(&current == &network);
    CHECK(state.epoch == ++ends);
    CHECK(static_cast<Index>(state.history.size()) == ends);
  };
  const TrainReport report = train(network, data, small_options(), callbacks);
  REQUIRE(done.size() == 16);
  for (std::size_t i = 0; i < done.size(); ++i) {
    // Batches of 16, 16, 16 and 2.
    const std::size_t images = 50 * (i / 4) + std::min<std::size_t>(50, 16 * (i % 4 + 1));
    CHECK(done[i] == static_cast<double>(images));
  }
  CHECK(ends == 4);
  REQUIRE(report.epochs.size() == 4);
  const EpochRecord& last = report.epochs.back();
  CHECK(last.epoch == 4);
  CHECK(last.learning_rate == learning_rate_at(small_options().schedule, 0.05, 3, 4));
  const Evaluation test = evaluate(network, data.test);
  CHECK(last.test_accuracy == test.accuracy);
  CHECK(last.test_loss == test.loss);
  CHECK(last.train_loss < report.epochs.front().train_loss);
  CHECK(report.seconds > 0);
  CHECK(report.images_per_second > 0);
}

TEST_CASE("nn/trainer: every epoch sees every image once, in an order of its own") {
  DataSet data = small_data();
  for (Index i = 0; i < 50; ++i) {
    data.train.pixels[static_cast<std::size_t>(i) * 64] = static_cast<float>(i) / 64;  // the mark
  }
  const auto orders_of = [&](std::uint64_t seed) {
    Network network = small_network(1);
    std::vector<std::vector<int>> orders(2);
    TrainCallbacks callbacks;
    callbacks.progress = [&](const xbar::Progress& progress) {
      if (progress.phase != "train") return;
      const Tensor& x = network.layers()[0]->last_input();
      for (Index n = 0; n < x.count(); ++n) {
        orders[progress.done <= 50 ? 0 : 1].push_back(static_cast<int>(64 * x[n * 64]));
      }
    };
    train(network, data, {.epochs = 2, .batch = 16, .seed = seed}, callbacks);
    return orders;
  };
  const auto orders = orders_of(1);
  for (std::vector<int> order : orders) {
    REQUIRE(order.size() == 50);
    std::sort(order.begin(), order.end());
    for (int i = 0; i < 50; ++i) CHECK(order[static_cast<std::size_t>(i)] == i);
  }
  CHECK(orders[0] != orders[1]);
  CHECK(orders_of(1) == orders);
  CHECK(orders_of(2)[0] != orders[0]);
}

TEST_CASE("nn/trainer: the same seed gives the same bits, another one others") {
  Network first = small_network(1);
  Network second = small_network(1);
  Network third = small_network(1);
  TrainOptions options = small_options();
  train(first, small_data(), options);
  train(second, small_data(), options);
  CHECK(same_bits(first.state(), second.state()));
  options.seed = 12;
  train(third, small_data(), options);
  CHECK_FALSE(same_bits(first.state(), third.state()));
}

TEST_CASE("nn/trainer: the number of threads does not change a bit of the result") {
  DataSet data;
  data.train = xbar_test::random_images(70, 28, 10, 1);  // batches of 32, 32 and 6
  const int threads = xbar::thread_count();
  std::vector<TensorFile> states;
  for (const int count : {1, 2, 3}) {
    omp_set_num_threads(count);
    Network network = make_model("lenet5", {1, 28, 28}, 10, 1);
    train(network, data, {.epochs = 2, .batch = 32});
    states.push_back(network.state());
  }
  omp_set_num_threads(threads);
  CHECK(same_bits(states[0], states[1]));
  CHECK(same_bits(states[0], states[2]));
}

TEST_CASE("nn/trainer: the number of threads does not change a bit of training on arrays") {
  DataSet data;
  data.train = xbar_test::random_images(70, 28, 10, 1);
  CrossbarMapping mapping;
  mapping.exact = xbar::surrogate::exact_solver();
  mapping.technology.update.write_noise = 0.01;
  mapping.refresh = 2;
  mapping.certificate.tolerance = 1e-3;
  const int threads = xbar::thread_count();
  std::vector<TensorFile> weights;
  std::vector<TensorFile> cells;
  for (const int count : {1, 2}) {
    omp_set_num_threads(count);
    Network network = make_model("mlp", {1, 28, 28}, 10, 1);  // 200,704 weights in fc1
    map_to_crossbars(network, mapping);
    train(network, data, {.epochs = 2, .batch = 32});
    weights.push_back(network.state());
    cells.push_back(crossbar_state(network));
  }
  omp_set_num_threads(threads);
  CHECK(same_bits(weights[0], weights[1]));
  CHECK(same_bits(cells[0], cells[1]));
}

TEST_CASE("nn/trainer: a warm-up holds the learning rate back") {
  Network network = small_network(1);
  TrainOptions options = small_options();  // 4 steps an epoch
  options.schedule = {.kind = ScheduleKind::constant, .warmup_epochs = 2};
  options.epochs = 3;
  const TrainReport report = train(network, small_data(), options);
  CHECK(report.epochs[0].learning_rate == 0.025);
  CHECK(report.epochs[1].learning_rate == 0.05);
  CHECK(report.epochs[2].learning_rate == 0.05);
  // One step of the first epoch is an eighth of the rate: the weights show it.
  Network slow = small_network(1);
  Network eighth = small_network(1);
  options.epochs = 1;
  options.batch = 50;
  options.schedule.warmup_epochs = 8;
  train(slow, small_data(), options);
  options.schedule.warmup_epochs = 0;
  options.learning_rate = 0.05 / 8;
  train(eighth, small_data(), options);
  CHECK(same_bits(slow.state(), eighth.state()));
}

TEST_CASE("nn/trainer: augmented images are those of the draws, with the data set's black") {
  DataSet data = small_data();
  normalise(data, {{0.5F}, {0.25F}});
  TrainOptions options = small_options();
  options.augment = Augmentation::crop_flip;
  options.batch = 50;
  options.epochs = 2;
  Network network = small_network(1);
  Index epoch = 0;
  TrainCallbacks callbacks;
  callbacks.progress = [&](const xbar::Progress& progress) {
    if (progress.phase != "train") return;
    const Tensor& x = network.layers()[0]->last_input();
    // Whatever their order: the sums of the pixels are those of the images changed one by one.
    std::vector<float> expected;
    std::vector<float> found;
    const std::vector<float> black = {-2.0F};  // (0 - 0.5) / 0.25
    std::vector<float> image(64);
    for (Index n = 0; n < 50; ++n) {
      crop_flip(draw_crop_flip(options.seed, epoch, n), data.train.pixels.data() + n * 64, 8, 8,
                black, image.data());
      expected.push_back(std::accumulate(image.begin(), image.end(), 0.0F));
      found.push_back(std::accumulate(x.data() + n * 64, x.data() + (n + 1) * 64, 0.0F));
    }
    std::sort(expected.begin(), expected.end());
    std::sort(found.begin(), found.end());
    CHECK(found == expected);
    ++epoch;
  };
  train(network, data, options, callbacks);
  CHECK(epoch == 2);
}

TEST_CASE("nn/trainer: a run that stopped and resumed equals one that did not, bit for bit") {
  const DataSet data = small_data();
  TrainOptions options = small_options();
  const bool with_all = GENERATE(false, true);
  CAPTURE(with_all);
  if (with_all) {  // warm-up past the interruption after epoch 2
    options.optimizer = OptimizerKind::adamw;
    options.augment = Augmentation::crop_flip;
    options.schedule.warmup_epochs = 3;
  }
  Network whole = small_network(1);
  const TrainReport expected = train(whole, data, options);

  const auto folder = std::filesystem::temp_directory_path();
  const auto weights_path = folder / "xbar_test_resume_weights.safetensors";
  const auto state_path = folder / "xbar_test_resume_state.safetensors";
  {
    Network stopped = small_network(1);
    TrainCallbacks callbacks;
    callbacks.on_epoch_end = [&](const TrainState& state, const Network& network) {
      write_safetensors(weights_path, network.state());
      write_safetensors(state_path, to_tensor_file(state));
      if (state.epoch == 2) throw xbar::Interrupted("stopped after epoch 2");
    };
    CHECK_THROWS_AS(train(stopped, data, options, callbacks), xbar::Interrupted);
  }
  Network resumed = small_network(999);
  resumed.load_state(xbar::read_safetensors(weights_path));
  const TrainState state = train_state_from(xbar::read_safetensors(state_path));
  std::filesystem::remove(weights_path);
  std::filesystem::remove(state_path);
  CHECK(state.epoch == 2);
  const TrainReport found = train(resumed, data, options, {}, &state);

  CHECK(same_bits(whole.state(), resumed.state()));
  REQUIRE(found.epochs.size() == expected.epochs.size());
  for (std::size_t i = 0; i < found.epochs.size(); ++i) {
    const EpochRecord& a = expected.epochs[i];
    const EpochRecord& b = found.epochs[i];
    CHECK(a.epoch == b.epoch);
    CHECK(a.learning_rate == b.learning_rate);
    CHECK(a.train_loss == b.train_loss);
    CHECK(a.train_accuracy == b.train_accuracy);
    CHECK(a.test_loss == b.test_loss);
    CHECK(a.test_accuracy == b.test_accuracy);
  }
}

TEST_CASE("nn/trainer: a run stopped after any step and resumed equals one that was not") {
  enum class Kind { digital, in_situ, converters, hardware_aware };
  const Kind kind = GENERATE(Kind::digital, Kind::in_situ, Kind::converters, Kind::hardware_aware);
  const bool wired = kind != Kind::digital;
  // After the first step, within an epoch, before its test, after a warm-up, before the end.
  const Index stop = GENERATE(1, 2, 4, 7, 11, 16);
  CAPTURE(static_cast<int>(kind), stop);
  const DataSet data = small_data();
  TrainOptions options = small_options();
  options.optimizer = OptimizerKind::adam;
  options.learning_rate = 0.01;
  options.augment = Augmentation::crop_flip;
  options.schedule.warmup_epochs = 2;
  CrossbarMapping mapping;
  mapping.exact = xbar::surrogate::exact_solver();
  mapping.technology.update.write_noise = 0.01;
  mapping.refresh = 3;
  mapping.certificate.tolerance = 1e-3;
  if (kind == Kind::converters || kind == Kind::hardware_aware) {
    mapping.technology.layout = xbar::mapping::Layout::interleaved;
    mapping.technology.bits = {.weight = 6, .cell = 3};
    mapping.technology.read_noise = 0.01;
    mapping.technology.device_variation = 0.05;
    mapping.technology.converters = {.input_bits = 6, .adc_bits = 6};
  }
  if (kind == Kind::hardware_aware) {
    mapping.hardware_aware = GradientRule::adjoint;
    mapping.scale = WeightScale::learned;
    mapping.technology.converters.dac_range = xbar::mapping::DacRange::learned;
    mapping.technology.converters.adc_range = xbar::mapping::AdcRange::learned;
  }
  const auto map = [&](Network& network) {
    if (wired) map_to_crossbars(network, mapping);
  };
  const auto fresh = [&] {
    Network network = small_network(1);
    map(network);
    return network;
  };
  Network whole = fresh();
  const TrainReport expected = train(whole, data, options);

  TensorFile weights;
  TensorFile cells;
  TensorFile rest;
  Network stopped = fresh();
  Index steps = 0;
  TrainCallbacks callbacks;
  callbacks.on_step = [&](const StepRecord&, const std::function<TrainState()>& state) {
    // Taken at every step, which must not matter either.
    rest = to_tensor_file(state());
    weights = stopped.state();
    cells = crossbar_state(stopped);
    if (++steps == stop) throw xbar::Interrupted("stopped");
  };
  CHECK_THROWS_AS(train(stopped, data, options, callbacks), xbar::Interrupted);

  Network resumed = small_network(999);
  map(resumed);
  resumed.load_state(weights);
  if (wired) load_crossbar_state(resumed, cells);
  const TrainState state = train_state_from(rest);
  CHECK(4 * state.epoch + state.step == stop);
  const TrainReport found = train(resumed, data, options, {}, &state);
  CHECK(same_bits(whole.state(), resumed.state()));
  CHECK(same_bits(crossbar_state(whole), crossbar_state(resumed)));
  REQUIRE(found.epochs.size() == expected.epochs.size());
  for (std::size_t i = 0; i < found.epochs.size(); ++i) {
    CHECK(found.epochs[i].learning_rate == expected.epochs[i].learning_rate);
    CHECK(found.epochs[i].train_loss == expected.epochs[i].train_loss);
    CHECK(found.epochs[i].train_accuracy == expected.epochs[i].train_accuracy);
    CHECK(found.epochs[i].test_loss == expected.epochs[i].test_loss);
  }
}

TEST_CASE("nn/trainer: phases add up, and what a store spent is taken out of its step") {
  // A store that says what it slept.
  class SleepingStore final : public WeightStore {
   public:
    explicit SleepingStore(const MatrixF& weight) : weight_(weight) {}
    [[nodiscard]] const MatrixF& weight() const override { return weight_.weight(); }
    [[nodiscard]] const MatrixF& forward_weight() const override { return weight(); }
    [[nodiscard]] const MatrixF& backward_weight() const override { return weight(); }
    void update(const MatrixF& delta) override {
      weight_.update(delta);
      sleep(times_.certificate);
    }
    void set_weight(const MatrixF& weight) override { weight_.set_weight(weight); }
    void refresh() override { sleep(times_.surrogate); }
    [[nodiscard]] StoreTimes times() const override { return times_; }

   private:
    static void sleep(double& seconds) {
      const xbar::Stopwatch watch;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      seconds += watch.seconds();
    }
    DigitalWeight weight_;
    StoreTimes times_;
  };
  Network network = small_network(1);
  WeightedLayer& layer = *network.weighted_layers().front();
  layer.replace_weight_store(std::make_unique<SleepingStore>(layer.weight_store().weight()));
  TrainOptions options = small_options();
  options.epochs = 2;
  const xbar::Stopwatch watch;
  const TrainReport report = train(network, small_data(), options);
  const double wall = watch.seconds();
  CHECK(report.phases.certificate >= 8 * 0.02);  // steps
  CHECK(report.phases.surrogate >= 2 * 0.02);    // epochs
  CHECK(report.phases.converters == 0);
  CHECK(report.phases.update < 0.5 * report.phases.certificate);
  for (const double seconds : {report.phases.data, report.phases.forward, report.phases.backward,
                               report.phases.update, report.phases.evaluation}) {
    CHECK(seconds > 0);
  }
  double sum = 0;
  for (const Phase& phase : phases) sum += report.phases.*phase.seconds;
  CHECK(sum <= wall);
  CHECK_THAT(report.seconds, xbar_test::WithinRel(sum - report.phases.evaluation, 1e-12));
}

TEST_CASE("nn/trainer: resuming with other options is refused, more epochs are not") {
  const DataSet data = small_data();
  TrainOptions options = small_options();
  options.schedule.kind = ScheduleKind::constant;
  options.epochs = 1;
  Network network = small_network(1);
  TrainState state;
  TrainCallbacks callbacks;
  callbacks.on_epoch_end = [&](const TrainState& now, const Network&) { state = now; };
  train(network, data, options, callbacks);

  TrainOptions other = options;
  other.seed = 3;
  CHECK_THROWS_WITH(train(network, data, other, {}, &state),
                    Contains("seed") && Contains("expected 11") && Contains("found 3"));
  other = options;
  other.batch = 8;
  CHECK_THROWS_WITH(train(network, data, other, {}, &state), Contains("batch"));
  other = options;
  other.optimizer = OptimizerKind::adam;
  CHECK_THROWS_WITH(train(network, data, other, {}, &state),
                    Contains("optimizer") && Contains("sgd") && Contains("adam"));
  other = options;
  other.augment = Augmentation::crop_flip;
  CHECK_THROWS_WITH(train(network, data, other, {}, &state),
                    Contains("augment") && Contains("none") && Contains("crop-flip"));
  other = options;
  other.schedule.warmup_epochs = 1;
  CHECK_THROWS_WITH(train(network, data, other, {}, &state), Contains("warmup_epochs"));
  other = options;
  other.beta1 = 0.5;  // of another optimiser
  CHECK_NOTHROW(train(network, data, other, {}, &state));
  other = options;
  other.schedule.kind = ScheduleKind::cosine;
  CHECK_THROWS_WITH(train(network, data, other, {}, &state),
                    Contains("constant") && Contains("cosine"));
  DataSet fewer = data;
  fewer.train = xbar_test::random_images(49, 8, 3, 1);
  CHECK_THROWS_WITH(train(network, fewer, options, {}, &state),
                    Contains("training images") && Contains("50") && Contains("49"));
  other = options;
  other.epochs = 2;
  TrainState beyond = state;
  beyond.step = 5;
  CHECK_THROWS_WITH(train(network, data, other, {}, &beyond), Contains("step") && Contains("4"));
  CHECK(train(network, data, other, {}, &state).epochs.size() == 2);
  CHECK(train(network, data, options, {}, &state).epochs.size() == 1);  // nothing left to do
}

TEST_CASE("nn/trainer: a state whose metadata are damaged is refused with the entry's name") {
  Network network = small_network(1);
  TensorFile good;
  TrainCallbacks callbacks;
  callbacks.on_epoch_end = [&](const TrainState& state, const Network&) {
    good = to_tensor_file(state);
  };
  train(network, small_data(), small_options(), callbacks);
  CHECK(train_state_from(good).epoch == 4);
  for (const std::string key : {"epoch", "step", "loss_sum", "correct", "phases", "train_images",
                                "history", "options/seed", "options/schedule"}) {
    TensorFile file = good;
    file.metadata.erase(key);
    CHECK_THROWS_WITH(train_state_from(file), Contains(key));
    file.metadata[key] = std::string("x7");
    CHECK_THROWS_AS(train_state_from(file), xbar::InvalidArgument);
  }
  TensorFile file = good;
  file.metadata["epoch"] = std::string("3");
  CHECK_THROWS_WITH(train_state_from(file), Contains("epoch") && Contains("4"));
}

TEST_CASE("nn/trainer: a loss that is not finite stops the run with epoch and step") {
  Network network = small_network(1);
  TrainOptions options = small_options();
  options.learning_rate = 1e30;  // the weights' products overflow float within a few steps
  CHECK_THROWS_AS(train(network, small_data(), options), xbar::NumericalError);
  network = small_network(1);
  CHECK_THROWS_WITH(train(network, small_data(), options),
                    Contains("diverged") && Contains("epoch 1, step ") && Contains(" of 4"));
}

TEST_CASE("nn/trainer: options out of range and data that do not fit are named") {
  Network network = small_network(1);
  const auto attempt = [&](auto change) {
    TrainOptions options = small_options();
    change(options);
    train(network, small_data(), options);
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_WITH(attempt([](auto& o) { o.epochs = -1; }), Contains("epochs"));
  CHECK_THROWS_WITH(attempt([](auto& o) { o.batch = 0; }), Contains("batch"));
  CHECK_THROWS_WITH(attempt([](auto& o) { o.learning_rate = 0; }), Contains("learning_rate"));
  CHECK_THROWS_WITH(attempt([&](auto& o) { o.learning_rate = nan; }), Contains("learning_rate"));
  CHECK_THROWS_WITH(attempt([](auto& o) { o.momentum = 1; }), Contains("momentum"));
  CHECK_THROWS_WITH(attempt([&](auto& o) { o.weight_decay = nan; }), Contains("weight_decay"));
  CHECK_THROWS_WITH(attempt([](auto& o) { o.schedule.step_epochs = 0; }), Contains("step_epochs"));
  CHECK_THROWS_WITH(attempt([](auto& o) {
                      o.optimizer = OptimizerKind::adam;
                      o.beta2 = 1;
                    }),
                    Contains("beta2"));

  DataSet data = small_data();
  data.train = xbar_test::random_images(5, 6, 3, 1);
  CHECK_THROWS_WITH(train(network, data, small_options()),
                    Contains("train") && Contains("(1, 8, 8)") && Contains("(1, 6, 6)"));
  data = small_data();
  data.test.labels[3] = 7;
  CHECK_THROWS_WITH(train(network, data, small_options()), Contains("test") && Contains("7"));
}
