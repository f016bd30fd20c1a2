#include "experiment.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/onnx/import.hpp>

namespace xbar::cli {
namespace fs = std::filesystem;
namespace {

// The surrogates of the layers, each once: "ladder, sneak-ladder".
std::string surrogates_used(const std::vector<nn::LayerCertificate>& certificates) {
  std::set<surrogate::ModelKind> used;
  for (const nn::LayerCertificate& layer : certificates) {
    used.insert(layer.choice.model);
  }
  std::string text;
  for (const surrogate::ModelKind kind : used) {
    text += fmt::format("{}{}", text.empty() ? "" : ", ", surrogate::model_name(kind));
  }
  return text;
}

}  // namespace

nn::Network NetworkSpec::make() const {
  if (onnx) return onnx::import_network(*onnx, model.name, input_shape, num_classes);
  return nn::make_model(model, input_shape, num_classes, seed);
}

nn::Network NetworkSpec::load(const TensorFile& weights) const {
  nn::Network network = make();
  network.load_state(weights);
  return network;
}

NetworkSpec network_spec(const std::string& model, const nn::DataSet& data, std::uint64_t seed) {
  NetworkSpec spec{nn::model_source(model),
                   {data.train.channels, data.train.height, data.train.width},
                   data.num_classes,
                   seed};
  if (model.ends_with(".onnx")) spec.onnx = read_file(model);
  return spec;
}

TensorFile read_weights(const std::string& path, const NetworkSpec& spec) {
  if (!path.empty()) return read_safetensors(path);
  if (spec.onnx) return spec.make().state();
  throw InvalidArgument(
      fmt::format("--weights: expected a .safetensors file with the weights of {}, found none",
                  spec.model.name));
}

void keep_model_file(const NetworkSpec& spec, const RunFolder& folder, bool resume) {
  const std::optional<std::string>& contents = spec.onnx ? spec.onnx : spec.model.toml;
  if (!contents) return;
  const fs::path kept = folder.file(spec.onnx ? "model.onnx" : "model.toml");
  if (resume && fs::exists(kept) && read_file(kept) != *contents) {
    throw InvalidArgument(
        fmt::format("--model: expected {} as it was when the run began ({}), "
                    "found it changed",
                    spec.model.name, kept.string()));
  }
  write_file_atomically(kept, *contents);
}

nn::CrossbarMapping crossbar_mapping(const mapping::Technology& technology,
                                     const DeployOptions& options) {
  nn::CrossbarMapping mapping;
  mapping.technology = technology;
  mapping.model = options.surrogate.model;
  mapping.refresh = options.surrogate.refresh;
  mapping.certificate = options.surrogate.certificate;
  mapping.exact = surrogate::exact_solver();
  mapping.scale = options.scale;
  mapping.percentile = options.percentile;
  mapping.headroom = options.headroom;
  mapping.hardware_aware = options.hardware_aware;
  mapping.update = options.update;
  mapping.seed = options.seed;
  mapping.streamed = options.streamed;
  return mapping;
}

void deploy(nn::Network& network, const TensorFile& weights, const mapping::Technology& technology,
            const DeployOptions& options) {
  nn::deploy(network, weights, crossbar_mapping(technology, options));
}

Json certificate_json(const std::vector<nn::LayerCertificate>& certificates, double train_seconds) {
  Json layers = Json::array();
  mapping::Certificate all;
  for (const nn::LayerCertificate& layer : certificates) {
    const mapping::Certificate& one = layer.certificate;
    Json changes = Json::array();
    for (const mapping::CertificateChange& change : one.changes) {
      changes.push_back({{"update", change.update},
                         {"error", change.error},
                         {"surrogate", surrogate::model_name(change.model)},
                         {"refresh", change.refresh}});
    }
    layers.push_back({{"name", layer.name},
                      {"surrogate", surrogate::model_name(layer.choice.model)},
                      {"refresh", layer.choice.refresh},
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
  return {{"surrogate", surrogates_used(certificates)},
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
