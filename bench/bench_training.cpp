// Training steps: xbar's on ideal arrays against PyTorch's, and on wired arrays against the ideal
// ones, with and without converters, as ratios within this run:
//   bench_training [--models lenet5,vgg8s] [--rounds 9] [--table-out FILE]
// Batches of 128, single precision, SGD with momentum 0.9, data already in memory. The contestants
// of a network take turns in random order, a third of a second each, `rounds` times. Printed are
// medians. Takes half an hour and 11 GB; a missing PyTorch leaves its columns empty.

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/gemm.hpp>
#include <xbar/core/isa.hpp>
#include <xbar/core/parallel.hpp>
#include <xbar/core/random.hpp>
#include <xbar/core/stopwatch.hpp>
#include <xbar/core/version.hpp>
#include <xbar/nn/crossbar_mapping.hpp>
#include <xbar/nn/crossbar_weight.hpp>
#include <xbar/nn/layers/softmax_cross_entropy.hpp>
#include <xbar/nn/models.hpp>
#include <xbar/nn/sgd.hpp>
#include <xbar/surrogate_calibrate/calibrate.hpp>

#include "pytorch_opponent.hpp"
#include "training_steps.hpp"

namespace {

using xbar::Index;
using xbar::nn::CrossbarMapping;
using xbar::nn::Network;
using xbar::nn::Shape;
using xbar::nn::StoreTimes;
using xbar::nn::Tensor;
using xbar::surrogate::ModelKind;
using xbar_bench::StepTimes;

constexpr Index batch = 128;
constexpr Index classes = 10;
constexpr double turn_seconds = 0.35;
constexpr int calibration_steps = 2;  // reads with ranges not yet settled are slower
constexpr Index warm_up_steps = calibration_steps + 1;

const std::vector<std::string> all_models{"lenet5", "vgg8s", "resnet20", "vgg16"};

Shape image_shape(const std::string& model) {
  return model == "lenet5" ? Shape{1, 28, 28} : Shape{3, 32, 32};
}

// ---- What is measured. A row more for every way to map a network to arrays.

struct Setup {
  std::string name;
  std::optional<CrossbarMapping> mapping;  // none: no arrays
  double at_most = 0;                      // of the ideal step's time
};

CrossbarMapping wired(ModelKind model) {
  CrossbarMapping mapping;
  mapping.model = model;
  mapping.exact = xbar::surrogate::exact_solver();
  mapping.certificate.tolerance = 1e-3;
  mapping.headroom = 8;
  return mapping;
}

/// Inputs and outputs of every tile in 8 bits, in both directions; ADC ranges are measured with the
/// first batches.
CrossbarMapping with_converters() {
  CrossbarMapping mapping = wired(ModelKind::operating_point);
  mapping.technology.converters = {.input_bits = 8,
                                   .adc_bits = 8,
                                   .adc_range = xbar::mapping::AdcRange::calibrated,
                                   .calibration_batches = calibration_steps};
  return mapping;
}

/// The same with inputs read bit by bit and 8-bit weights in slices of 2 bits a cell.
CrossbarMapping bit_serial() {
  CrossbarMapping mapping = with_converters();
  mapping.technology.converters.dac_bits = 1;
  mapping.technology.bits = {.weight = 8, .cell = 2};
  return mapping;
}

const std::vector<Setup>& setups() {
  static const std::vector<Setup> all = [] {
    std::vector<Setup> rows{{"ideal", std::nullopt, 0}};
    for (const ModelKind kind :
         {ModelKind::operating_point, ModelKind::sneak_ladder, ModelKind::sneak_ratio}) {
      rows.push_back(
          {fmt::format("wired, {}", xbar::surrogate::model_name(kind)), wired(kind), 1.25});
    }
    rows.push_back({"8-bit DAC and ADC", with_converters(), 2});
    rows.push_back({"bit-serial, 2-bit cells", bit_serial(), 8});
    return rows;
  }();
  return all;
}

// ---- A contestant.

/// A network in training on one batch of noise.
class Training {
 public:
  Training(const std::string& model, const Setup& setup)
      : network_(xbar::nn::make_model(model, image_shape(model), classes, 1)) {
    if (setup.mapping) map_to_crossbars(network_, *setup.mapping);
    optimizer_ = std::make_unique<xbar::nn::Sgd>(network_.parameters(),
                                                 xbar::nn::SgdOptions{.momentum = 0.9});
    network_.set_training(true);
    images_.resize(image_shape(model).batch(batch));
    const xbar::RandomStream draws(1, "bench/images");
    for (Index i = 0; i < images_.size(); ++i) {
      images_[i] = static_cast<float>(draws.uniform(static_cast<std::uint64_t>(i)));
    }
    for (Index i = 0; i < batch; ++i) labels_.push_back(static_cast<std::uint8_t>(i % classes));
    StepTimes warm_up;
    for (Index k = 0; k < warm_up_steps; ++k) step(warm_up);
    steps_a_turn_ = std::max<Index>(1, std::lround(turn_seconds / warm_up.step.back()));
  }

  [[nodiscard]] Index parameters() {
    Index count = 0;
    for (const auto* parameter : network_.parameters()) count += parameter->shape.volume();
    return count;
  }
  [[nodiscard]] Index steps_a_turn() const { return steps_a_turn_; }

  void take_turn() {
    StepTimes after_others;
    step(after_others);  // finds the caches full of their data
    for (Index k = 0; k < steps_a_turn_; ++k) step(times_);
  }

  /// Without what surrogates and certificates took.
  [[nodiscard]] const StepTimes& times() const { return times_; }

  /// Surrogate and certificate of a mean step: what a refresh of every layer costs, by the interval
  /// at which it is due. (In a run of a few steps it may fall due never, or for all layers at
  /// once.)
  [[nodiscard]] StoreTimes measuring() {
    StoreTimes mean;
    for (xbar::nn::WeightedLayer* layer : network_.weighted_layers()) {
      auto* store = dynamic_cast<xbar::nn::CrossbarWeight*>(&layer->weight_store());
      if (store == nullptr) continue;
      const auto refreshes = static_cast<int>(std::max<Index>(1, checked_every_));
      const double due = 1.0 / (refreshes * store->matrix().choice().refresh);
      const StoreTimes before = store->times();
      for (int k = 0; k < refreshes; ++k) store->refresh();
      const StoreTimes after = store->times();
      mean.surrogate += due * (after.surrogate - before.surrogate);
      mean.certificate += due * (after.certificate - before.certificate);
    }
    return mean;
  }

 private:
  void step(StepTimes& times) {
    const double before = store_times().converters;
    const double forward_seconds =
        seconds_without_stores([&] { loss_.forward(network_.forward(images_), labels_); });
    const double backward_seconds =
        seconds_without_stores([&] { network_.backward(loss_.backward()); });
    const double update_seconds = seconds_without_stores([&] { optimizer_->step(1e-4); });
    times.add(forward_seconds, backward_seconds, update_seconds, store_times().converters - before);
  }

  // Without what the weight stores name of it.
  template <typename Body>
  double seconds_without_stores(const Body& body) {
    const StoreTimes before = store_times();
    const xbar::Stopwatch watch;
    body();
    const double seconds = watch.seconds();
    const StoreTimes after = store_times();
    return seconds - (after.surrogate - before.surrogate) - (after.converters - before.converters) -
           (after.certificate - before.certificate);
  }

  [[nodiscard]] StoreTimes store_times() {
    StoreTimes sum;
    for (xbar::nn::WeightedLayer* layer : network_.weighted_layers()) {
      const StoreTimes times = layer->weight_store().times();
      sum.surrogate += times.surrogate;
      sum.converters += times.converters;
      sum.certificate += times.certificate;
    }
    return sum;
  }

  Network network_;
  std::unique_ptr<xbar::nn::Sgd> optimizer_;
  xbar::nn::SoftmaxCrossEntropy loss_;
  Tensor images_;
  std::vector<std::uint8_t> labels_;
  Index steps_a_turn_ = 1;
  Index checked_every_ = xbar::mapping::CertificateOptions{}.every;
  StepTimes times_;
};

// ---- The table.

double median_milliseconds(const xbar_bench::Series& seconds) {
  return 1e3 * xbar_bench::median(seconds);
}

/// One contestant's medians; a step is what its phases take together.
struct Row {
  std::string model, name;
  double forward_ms, backward_ms, update_ms, converters_ms;
  double surrogate_ms = 0, certificate_ms = 0;
  double step_ms = 0;
  std::size_t steps = 0;
  std::string against;
  double ratio = std::nan("");  // of the step's time to that of `against`
  double at_most = 0;           // 0: nothing is asked

  Row(const std::string& model_name, const std::string& row_name, const StepTimes& times,
      const StoreTimes& measuring)
      : model(model_name),
        name(row_name),
        forward_ms(median_milliseconds(times.forward)),
        backward_ms(median_milliseconds(times.backward)),
        update_ms(median_milliseconds(times.update)),
        converters_ms(median_milliseconds(times.converters)),
        surrogate_ms(1e3 * measuring.surrogate),
        certificate_ms(1e3 * measuring.certificate),
        step_ms(median_milliseconds(times.step) + surrogate_ms + certificate_ms),
        steps(times.step.size()) {}

  [[nodiscard]] bool holds() const { return ratio <= at_most; }
};

std::string number(double value, const char* format) {
  return std::isnan(value) ? "-" : fmt::format(fmt::runtime(format), value);
}

void print_head() {
  fmt::print("{:<9} {:<24} {:>9} {:>8} {:>8} {:>8} {:>9} {:>10} {:>11} {:>8} {:>7} {:>6}\n",
             "network", "", "images/s", "step ms", "forward", "backward", "update", "converters",
             "surrogate", "certif.", "ratio", "most");
}

void print_row(const Row& row) {
  fmt::print(
      "{:<9} {:<24} {:>9} {:>8} {:>8} {:>8} {:>9} {:>10} {:>11.3f} {:>8.3f} {:>7} {:>6} {}\n",
      row.model, row.name, number(1e3 * batch / row.step_ms, "{:.0f}"),
      number(row.step_ms, "{:.2f}"), number(row.forward_ms, "{:.2f}"),
      number(row.backward_ms, "{:.2f}"), number(row.update_ms, "{:.2f}"),
      number(row.converters_ms, "{:.2f}"), row.surrogate_ms, row.certificate_ms,
      number(row.ratio, "{:.2f}"), row.at_most > 0 ? fmt::format("{:.2f}", row.at_most) : "",
      row.at_most > 0 && !std::isnan(row.ratio) ? (row.holds() ? "holds" : "FAILS") : "");
  std::fflush(stdout);
}

nlohmann::json as_json(const Row& row) {
  nlohmann::json result{{"model", row.model},
                        {"name", row.name},
                        {"steps", row.steps},
                        {"forward_ms", row.forward_ms},
                        {"backward_ms", row.backward_ms},
                        {"update_ms", row.update_ms},
                        {"converters_ms", row.converters_ms},
                        {"surrogate_ms", row.surrogate_ms},
                        {"certificate_ms", row.certificate_ms},
                        {"step_ms", row.step_ms},
                        {"images_per_second", 1e3 * batch / row.step_ms},
                        {"against", row.against},
                        {"ratio", row.ratio}};
  if (row.at_most > 0) {
    result["at_most"] = row.at_most;
    if (!std::isnan(row.ratio)) result["holds"] = row.holds();
  }
  return result;
}

/// PyTorch waiting awake and waiting asleep.
class Opponents {
 public:
  Opponents()
      : active_(XBAR_PYTORCH_TRAINING, "active"), passive_(XBAR_PYTORCH_TRAINING, "passive") {}

  [[nodiscard]] std::string version() const {
    return passive_.available() ? passive_.version() : "none";
  }

  /// The faster one for a model; nullptr if there is no PyTorch.
  xbar_bench::PytorchOpponent* best(const std::string& model, Index parameters) {
    if (!passive_.available()) return nullptr;
    constexpr Index tried_steps = 3;
    StepTimes active;
    StepTimes passive;
    active_.run(model, parameters, batch, tried_steps, active);
    passive_.run(model, parameters, batch, tried_steps, passive);
    return xbar_bench::median(active.step) < xbar_bench::median(passive.step) ? &active_
                                                                              : &passive_;
  }

 private:
  xbar_bench::PytorchOpponent active_;
  xbar_bench::PytorchOpponent passive_;
};

std::vector<Row> measure(const std::string& model, Index rounds, Opponents& opponents) {
  std::vector<std::unique_ptr<Training>> trainings;
  for (const Setup& setup : setups()) {
    trainings.push_back(std::make_unique<Training>(model, setup));
  }
  const Index parameters = trainings.front()->parameters();
  xbar_bench::PytorchOpponent* const pytorch = opponents.best(model, parameters);
  StepTimes theirs;
  std::vector<Training*> order{nullptr};  // PyTorch
  for (const auto& training : trainings) order.push_back(training.get());
  std::mt19937 draws(1);
  for (Index round = 0; round < rounds; ++round) {
    std::shuffle(order.begin(), order.end(), draws);
    for (Training* training : order) {
      if (training != nullptr) {
        training->take_turn();
      } else if (pytorch != nullptr) {
        pytorch->run(model, parameters, batch, trainings.front()->steps_a_turn(), theirs);
      }
    }
  }
  std::vector<Row> rows{{model, "PyTorch", theirs, {}}};
  for (std::size_t k = 0; k < trainings.size(); ++k) {
    const Setup& setup = setups()[k];
    Row& row =
        rows.emplace_back(model, setup.name, trainings[k]->times(), trainings[k]->measuring());
    const Row& against = rows[setup.mapping ? 1 : 0];
    row.against = against.name;
    row.ratio = row.step_ms / against.step_ms;
    row.at_most = setup.mapping ? setup.at_most : 1;
  }
  return rows;
}

// ---- The program.

struct Options {
  std::vector<std::string> models = all_models;
  Index rounds = 9;
  std::string table_out;
};

Options parse(int argc, char** argv) {
  Options options;
  for (int k = 1; k < argc; k += 2) {
    const std::string_view flag = argv[k];
    if (k + 1 == argc) throw std::invalid_argument(fmt::format("{}: expected a value", flag));
    const std::string value = argv[k + 1];
    if (flag == "--models") {
      options.models.clear();
      for (std::size_t begin = 0; begin <= value.size();) {
        const std::size_t end = std::min(value.find(',', begin), value.size());
        options.models.push_back(value.substr(begin, end - begin));
        begin = end + 1;
      }
    } else if (flag == "--rounds") {
      options.rounds = std::atol(value.c_str());
      if (options.rounds < 1) {
        throw std::invalid_argument(fmt::format("--rounds: expected at least 1, found {}", value));
      }
    } else if (flag == "--table-out") {
      options.table_out = value;
    } else {
      throw std::invalid_argument(
          fmt::format("expected --models, --rounds or --table-out, found {}", flag));
    }
  }
  for (const std::string& model : options.models) {
    if (std::find(all_models.begin(), all_models.end(), model) != all_models.end()) continue;
    throw std::invalid_argument(
        fmt::format("--models: expected of {}, found {}", fmt::join(all_models, ", "), model));
  }
  return options;
}

// libgomp reads OMP_WAIT_POLICY before main (docs/adr/0005-waiting-threads.md). PyTorch gets it
// too.
void let_threads_sleep(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr) return;
  setenv("OMP_WAIT_POLICY", "passive", 0);
  execv("/proc/self/exe", argv);  // returns only if that is not possible; then go on as we are
}

void run(int argc, char** argv) {
  const Options options = parse(argc, argv);
  Opponents opponents;
  double load[1] = {std::nan("")};
  getloadavg(load, 1);
  const std::map<std::string, std::string> machine{
      {"xbar", xbar::version},
      {"instruction set", std::string(xbar::isa_name(xbar::isa()))},
      {"engine", xbar::gemm_engine()},
      {"threads", std::to_string(xbar::thread_count())},
      {"waiting threads", std::getenv("OMP_WAIT_POLICY") ? std::getenv("OMP_WAIT_POLICY") : ""},
      {"PyTorch", opponents.version()},
      {"load average at start", fmt::format("{:.2f}", load[0])}};
  for (const auto& [key, value] : machine) fmt::print("{}: {}\n", key, value);
  print_head();
  nlohmann::json lines = nlohmann::json::array();
  for (const std::string& model : options.models) {
    for (const Row& row : measure(model, options.rounds, opponents)) {
      print_row(row);
      lines.push_back(as_json(row));
    }
  }
  if (options.table_out.empty()) return;
  xbar::write_file_atomically(
      options.table_out,
      nlohmann::json{{"machine", machine}, {"batch", batch}, {"training", lines}}.dump(2) + "\n");
}

}  // namespace

int main(int argc, char** argv) {
  let_threads_sleep(argv);
  try {
    run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_training: {}\n", error.what());
    return 2;
  }
}
