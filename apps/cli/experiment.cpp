#include "experiment.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>
#include <utility>

#include <fmt/format.h>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>

namespace xbar::cli {
namespace fs = std::filesystem;
namespace {

constexpr const char* range_prefix = "weight_range/";

nn::CrossbarMapping crossbar_mapping(const mapping::Technology& technology,
                                     const SurrogateSettings& surrogate) {
  nn::CrossbarMapping mapping;
  mapping.technology = technology;
  mapping.model = surrogate.model;
  mapping.refresh = surrogate.refresh;
  mapping.certificate = surrogate.certificate;
  mapping.exact = surrogate::exact_solver();
  return mapping;
}

// The surrogates of the layers, each once: "ladder, sneak-ladder".
std::string surrogates_used(nn::Network& network) {
  std::set<surrogate::ModelKind> used;
  for (const nn::CrossbarLayer& layer : nn::crossbar_layers(network)) {
    used.insert(layer.matrix->choice().model);
  }
  std::string text;
  for (const surrogate::ModelKind kind : used) {
    text += fmt::format("{}{}", text.empty() ? "" : ", ", surrogate::model_name(kind));
  }
  return text;
}

// The same cells, write noise and all; the surrogate stays each network's own.
void copy_cells(nn::Network& from, nn::Network& to) {
  const std::vector<nn::CrossbarLayer> sources = nn::crossbar_layers(from);
  const std::vector<nn::CrossbarLayer> targets = nn::crossbar_layers(to);
  for (std::size_t k = 0; k < sources.size(); ++k) {
    targets[k].matrix->copy_cells(*sources[k].matrix);
  }
}

}  // namespace

nn::Network NetworkSpec::make() const {
  return nn::make_model(model, input_shape, num_classes, seed);
}

nn::Network NetworkSpec::load(const TensorFile& weights) const {
  nn::Network network = make();
  network.load_state(weights);
  return network;
}

NetworkSpec network_spec(const std::string& model, const nn::DataSet& data, std::uint64_t seed) {
  return {nn::model_source(model),
          {data.train.channels, data.train.height, data.train.width},
          data.num_classes,
          seed};
}

void keep_model_file(const nn::ModelSource& model, const RunFolder& folder, bool resume) {
  if (!model.toml) return;
  const fs::path kept = folder.file("model.toml");
  if (resume && fs::exists(kept) && read_file(kept) != *model.toml) {
    throw InvalidArgument(
        fmt::format("--model: expected {} as it was when the run began ({}), "
                    "found it changed",
                    model.name, kept.string()));
  }
  write_file_atomically(kept, *model.toml);
}

TensorFile weights_file(nn::Network& network) {
  TensorFile file = network.state();
  for (const nn::CrossbarLayer& layer : nn::crossbar_layers(network)) {
    file.metadata[range_prefix + layer.name] = fmt::format("{}", layer.matrix->weight_range());
  }
  return file;
}

void deploy(nn::Network& network, const TensorFile& weights, const mapping::Technology& technology,
            const SurrogateSettings& surrogate) {
  std::vector<float> ranges;
  for (const nn::WeightedLayer* layer : std::as_const(network).weighted_layers()) {
    const auto given = weights.metadata.find(range_prefix + layer->name());
    float range = layer->weight_store().weight().cwiseAbs().maxCoeff();
    if (given != weights.metadata.end()) {
      const std::string& text = given->second;
      const auto parsed = std::from_chars(text.data(), text.data() + text.size(), range);
      if (parsed.ec != std::errc() || !(range > 0)) {
        throw InvalidArgument(fmt::format("weights: metadata '{}': expected a number > 0, got '{}'",
                                          given->first, text));
      }
    }
    ranges.push_back(range > 0 ? range : 1.0F);
  }
  nn::map_to_crossbars(network, crossbar_mapping(technology, surrogate), ranges);
  if (surrogate.model == surrogate::ModelKind::exact) return;
  for (const nn::CrossbarLayer& layer : nn::crossbar_layers(network)) layer.matrix->refresh();
}

TrainedLeg train_leg(const TrainingLeg& leg, const NetworkSpec& spec, const nn::DataSet& data,
                     const LegOptions& options, const fs::path& folder, ProgressBar& bar) {
  LegFiles files(folder / leg.name, options.files);
  nn::Network network = options.weights ? spec.load(*options.weights) : spec.make();
  std::optional<nn::TrainState> state;
  std::optional<TensorFile> checkpoint;
  if (options.resume) {
    checkpoint = files.go_on();
  } else {
    files.begin_anew();
  }
  if (checkpoint) {
    network.load_state(checkpoint_part(*checkpoint, "network/"));
    state = nn::train_state_from(checkpoint_part(*checkpoint, "train/"));
  }
  if (leg.technology) {
    nn::CrossbarMapping mapping = crossbar_mapping(*leg.technology, leg.surrogate);
    mapping.scale = nn::WeightScale::headroom;
    mapping.headroom = leg.headroom;
    mapping.seed = spec.seed;
    nn::map_to_crossbars(network, mapping);
    if (checkpoint) nn::load_crossbar_state(network, checkpoint_part(*checkpoint, "crossbar/"));
  }
  checkpoint.reset();

  TrainedLeg trained;
  trained.report = files.train(network, data, options.train, state ? &*state : nullptr, bar);
  trained.weights = weights_file(network);
  // The trainer tested after the last epoch: for ideal arithmetic that is the result.
  trained.test_accuracy = trained.exact_accuracy = trained.report.epochs.back().test_accuracy;
  trained.test_loss = trained.report.epochs.back().test_loss;
  if (leg.technology) {
    nn::Network exact = spec.load(trained.weights);
    trained.certificate = certificate_json(network, trained.report.seconds);
    deploy(exact, trained.weights, *leg.technology);
    copy_cells(network, exact);
    const nn::Evaluation evaluation = nn::evaluate(exact, data.test, 250, bar.callback());
    trained.exact_accuracy = evaluation.accuracy;
    trained.test_loss = evaluation.loss;
    write_file_atomically(files.file("certificate.json"), trained.certificate.dump(1) + "\n");
  }
  write_safetensors(files.file("weights.safetensors"), trained.weights);
  return trained;
}

Remapping remap_columns(nn::Network& digital, const nn::ImageSet& calibration,
                        Index calibration_images, mapping::RemapStrategy strategy,
                        const mapping::Technology& technology, const ProgressCallback& progress) {
  Remapping result;
  result.sensitivity = nn::column_sensitivity(digital, calibration, calibration_images, progress);
  for (const nn::ColumnSensitivity& layer : result.sensitivity) {
    if (strategy == mapping::RemapStrategy::srs) {
      result.slot_of_output.push_back(
          mapping::order_by_sensitivity(layer.values, technology.tile_columns));
    } else {
      std::vector<Index> as_is(layer.values.size());
      for (std::size_t k = 0; k < as_is.size(); ++k) as_is[k] = static_cast<Index>(k);
      result.slot_of_output.push_back(std::move(as_is));
    }
  }
  return result;
}

RemapComparison compare_remapping(const NetworkSpec& spec, const TensorFile& weights,
                                  const nn::DataSet& data, const mapping::Technology& technology,
                                  const SurrogateSettings& surrogate, const Remapping& remapping,
                                  const ProgressCallback& progress) {
  RemapComparison comparison;
  nn::Network network = spec.load(weights);
  deploy(network, weights, technology, surrogate);
  comparison.certificate = certificate_json(network, 0);
  comparison.as_is = nn::evaluate(network, data.test, 250, progress);
  const std::vector<nn::CrossbarLayer> layers = nn::crossbar_layers(network);
  for (std::size_t k = 0; k < layers.size(); ++k) {
    layers[k].matrix->set_column_order(remapping.slot_of_output[k]);
  }
  comparison.remapped = nn::evaluate(network, data.test, 250, progress);
  for (std::size_t n = 0; n < comparison.as_is.correct.size(); ++n) {
    const bool before = comparison.as_is.correct[n] != 0;
    const bool after = comparison.remapped.correct[n] != 0;
    if (after && !before) ++comparison.put_right;
    if (before && !after) ++comparison.spoilt;
  }
  return comparison;
}

Json to_json(const RemapComparison& comparison) {
  return {{"as_is", {{"accuracy", comparison.as_is.accuracy}, {"loss", comparison.as_is.loss}}},
          {"remapped",
           {{"accuracy", comparison.remapped.accuracy}, {"loss", comparison.remapped.loss}}},
          {"put_right", comparison.put_right},
          {"spoilt", comparison.spoilt},
          {"certificate", comparison.certificate}};
}

Json to_json(const TrainingLeg& leg, const TrainedLeg& trained) {
  Json json;
  json["name"] = leg.name;
  json["arithmetic"] = leg.technology ? "wired" : "ideal";
  if (leg.technology) {
    json["technology"] = to_json(*leg.technology);
    json["certificate"] = trained.certificate;
    json["headroom"] = leg.headroom;
  }
  json["test_accuracy"] = trained.test_accuracy;
  json["exact_accuracy"] = trained.exact_accuracy;
  json["test_loss"] = trained.test_loss;
  json["images_per_second"] = trained.report.images_per_second;
  json["train_seconds"] = trained.report.seconds;
  json["phase_seconds"] = to_json(trained.report.phases);
  json["metrics"] = leg.name + "/metrics.jsonl";
  json["weights"] = leg.name + "/weights.safetensors";
  return json;
}

Json certificate_json(nn::Network& network, double train_seconds) {
  Json layers = Json::array();
  mapping::Certificate all;
  for (const nn::CrossbarLayer& layer : nn::crossbar_layers(network)) {
    const mapping::Certificate& one = layer.matrix->certificate();
    Json changes = Json::array();
    for (const mapping::CertificateChange& change : one.changes) {
      changes.push_back({{"update", change.update},
                         {"error", change.error},
                         {"surrogate", surrogate::model_name(change.model)},
                         {"refresh", change.refresh}});
    }
    layers.push_back({{"name", layer.name},
                      {"surrogate", surrogate::model_name(layer.matrix->choice().model)},
                      {"refresh", layer.matrix->choice().refresh},
                      {"checks", one.checks},
                      {"worst_error", one.worst_error},
                      {"mean_error", one.mean_error()},
                      {"worst_fresh_error", one.worst_fresh},
                      {"broken", one.broken},
                      {"changes", std::move(changes)}});
    all.checks += one.checks;
    all.worst_error = std::max(all.worst_error, one.worst_error);
    all.error_sum += one.error_sum;
    all.worst_fresh = std::max(all.worst_fresh, one.worst_fresh);
    all.broken += one.broken;
    all.seconds += one.seconds;
  }
  return {{"surrogate", surrogates_used(network)},
          {"checks", all.checks},
          {"worst_error", all.worst_error},
          {"mean_error", all.mean_error()},
          {"worst_fresh_error", all.worst_fresh},
          {"broken", all.broken},
          {"seconds", all.seconds},
          {"time_share", train_seconds > 0 ? all.seconds / train_seconds : 0.0},
          {"layers", std::move(layers)}};
}

std::string surrogate_words(const Json& certificate) {
  const auto surrogate = certificate.at("surrogate").get<std::string>();
  if (certificate.at("checks") == 0) return surrogate;
  return fmt::format("{}, at most {:.2g} % off", surrogate,
                     100 * certificate.at("worst_error").get<double>());
}

std::string on_label(double on_ohm) {
  if (on_ohm >= 1e6) return fmt::format("R_on {:g} MΩ", on_ohm / 1e6);
  if (on_ohm >= 1e3) return fmt::format("R_on {:g} kΩ", on_ohm / 1e3);
  return fmt::format("R_on {:g} Ω", on_ohm);
}

}  // namespace xbar::cli
