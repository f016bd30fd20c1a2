#include "training_leg.hpp"

#include <utility>

#include <fmt/format.h>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/nn/batch_norm_refit.hpp>
#include <xbar/nn/crossbar_state.hpp>

#include "phase_words.hpp"
#include "update_flags.hpp"

namespace xbar::cli {
namespace fs = std::filesystem;
namespace {

// The network of a leg as its training begins.
nn::Network begin(const TrainingLeg& leg, const NetworkSpec& spec, const LegOptions& options) {
  nn::Network network = options.weights ? spec.load(*options.weights) : spec.make();
  if (leg.technology) {
    deploy(network, options.weights.value_or(TensorFile{}), *leg.technology, leg.deploy);
  }
  return network;
}

}  // namespace

std::string_view leg_mode_name(LegMode mode) {
  switch (mode) {
    case LegMode::in_situ:
      return "in-situ";
    case LegMode::hardware_aware:
      return "hardware-aware";
    case LegMode::batch_norm:
      return "batch-norm";
    case LegMode::ideal:
      break;
  }
  return "ideal";
}

LegMode parse_leg_mode(std::string_view name) {
  for (const LegMode mode :
       {LegMode::ideal, LegMode::in_situ, LegMode::hardware_aware, LegMode::batch_norm}) {
    if (leg_mode_name(mode) == name) return mode;
  }
  throw InvalidArgument(fmt::format(
      "--mode: expected ideal, in-situ, both, hardware-aware or batch-norm, got '{}'", name));
}

std::string TrainingLeg::name() const {
  if (!technology) return std::string(leg_mode_name(mode));
  return fmt::format("{}-{:g}ohm", leg_mode_name(mode), technology->on_ohm);
}

TrainedLeg train_leg(const TrainingLeg& leg, const NetworkSpec& spec, const nn::DataSet& data,
                     const LegOptions& options, const fs::path& folder, ProgressBar& bar) {
  nn::TrainingFiles files(folder / leg.name(), options.files, options.processes);
  std::optional<TensorFile> checkpoint;
  if (options.resume) {
    checkpoint = files.go_on();
  } else {
    files.begin_anew();
  }
  std::optional<nn::TrainState> state;
  if (checkpoint) state = nn::train_state_from(nn::checkpoint_part(*checkpoint, "train/"));

  TrainedLeg trained;
  nn::TrainOptions train = options.train;
  nn::Network network = begin(leg, spec, options);
  if (leg.mode == LegMode::batch_norm) {
    train.trained = nn::Trained::batch_norm;
    nn::calibrate_converters(network, *leg.technology, data.train);
    trained.deployed_accuracy = nn::evaluate(network, data.test, 250, bar.callback()).accuracy;
    nn::refit_batch_norm(network, data.train, train.batch, bar.callback());
    trained.statistics_accuracy = nn::evaluate(network, data.test, 250, bar.callback()).accuracy;
  }
  if (checkpoint) {
    network.load_state(nn::checkpoint_part(*checkpoint, "network/"));
    if (leg.technology)
      nn::load_crossbar_state(network, nn::checkpoint_part(*checkpoint, "crossbar/"));
    checkpoint.reset();
  }

  trained.report = files.train(
      network, data, train, state ? &*state : nullptr,
      [&](const Progress& progress) { bar.show(progress); }, interrupt_requested);
  if (!files.writes()) return trained;
  trained.weights = nn::weights_file(network);
  if (trained.report.epochs.empty()) {
    const nn::Evaluation evaluation = nn::evaluate(network, data.test, 250, bar.callback());
    trained.test_accuracy = trained.exact_accuracy = evaluation.accuracy;
    trained.test_loss = evaluation.loss;
  } else {
    // The trainer tested after the last epoch: for ideal arithmetic that is the result.
    trained.test_accuracy = trained.exact_accuracy = trained.report.epochs.back().test_accuracy;
    trained.test_loss = trained.report.epochs.back().test_loss;
  }
  if (leg.technology) {
    trained.certificate = certificate_json(nn::certificates(network), trained.report.seconds);
    if (leg.mode == LegMode::in_situ && leg.technology->device) {
      trained.pulses = nn::pulse_totals(network);
    }
    nn::Network exact = spec.load(trained.weights);
    DeployOptions as_trained = leg.deploy;
    as_trained.surrogate = {};
    as_trained.hardware_aware = {};
    deploy(exact, trained.weights, *leg.technology, as_trained);
    nn::copy_cells(network, exact);
    const nn::Evaluation evaluation = nn::evaluate(exact, data.test, 250, bar.callback());
    trained.exact_accuracy = evaluation.accuracy;
    trained.test_loss = evaluation.loss;
    write_file_atomically(files.file("certificate.json"), trained.certificate.dump(1) + "\n");
  }
  write_safetensors(files.file("weights.safetensors"), trained.weights);
  return trained;
}

Json to_json(const TrainingLeg& leg, const TrainedLeg& trained) {
  Json json;
  json["name"] = leg.name();
  json["mode"] = leg_mode_name(leg.mode);
  json["arithmetic"] = leg.technology ? "wired" : "ideal";
  if (leg.technology) {
    json["technology"] = to_json(*leg.technology);
    json["certificate"] = trained.certificate;
    json["weight_scale"] = nn::weight_scale_name(leg.deploy.scale);
    json["headroom"] = leg.deploy.headroom;
    if (trained.pulses) {
      json["update"] = to_json(leg.deploy.update);
      json["pulses"] = {{"up", trained.pulses->up},
                        {"down", trained.pulses->down},
                        {"joule", trained.pulses->joule},
                        {"second", trained.pulses->second}};
    }
    if (leg.deploy.hardware_aware) {
      json["gradients"] = nn::gradient_rule_name(*leg.deploy.hardware_aware);
    }
  }
  if (trained.deployed_accuracy) json["deployed_accuracy"] = *trained.deployed_accuracy;
  if (trained.statistics_accuracy) json["statistics_accuracy"] = *trained.statistics_accuracy;
  json["test_accuracy"] = trained.test_accuracy;
  json["exact_accuracy"] = trained.exact_accuracy;
  json["test_loss"] = trained.test_loss;
  json["images_per_second"] = trained.report.images_per_second;
  json["train_seconds"] = trained.report.seconds;
  json["phase_seconds"] = to_json(trained.report.phases);
  json["metrics"] = leg.name() + "/metrics.jsonl";
  json["weights"] = leg.name() + "/weights.safetensors";
  return json;
}

}  // namespace xbar::cli
