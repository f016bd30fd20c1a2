#include "remapping.hpp"

namespace xbar::cli {
namespace {

Json evaluation_json(const nn::Evaluation& evaluation) {
  return {{"accuracy", evaluation.accuracy}, {"loss", evaluation.loss}};
}

Json accuracy_json(const nn::OrderAccuracy& order) {
  Json json = evaluation_json(order.plain);
  if (order.gain) json["gain"] = evaluation_json(*order.gain);
  if (order.batch_norm) json["batch_norm"] = evaluation_json(*order.batch_norm);
  json["layer_error"] = order.layer_error;
  return json;
}

}  // namespace

nn::RemapNetworks remap_networks(const NetworkSpec& spec, const TensorFile& weights,
                                 const DeployOptions& options) {
  const auto ideal = [&spec, &weights] { return spec.load(weights); };
  return {ideal, [&weights, ideal, options](const mapping::Technology& technology) {
            nn::Network network = ideal();
            deploy(network, weights, technology, options);
            return network;
          }};
}

Json to_json(const nn::RemapComparison& comparison) {
  return {{"as_is", accuracy_json(comparison.as_is)},
          {"remapped", accuracy_json(comparison.remapped)},
          {"put_right", comparison.put_right},
          {"spoilt", comparison.spoilt},
          {"steps", comparison.report.steps},
          {"seconds", comparison.report.seconds},
          {"certificate", certificate_json(comparison.certificates, 0)}};
}

Json to_json(const nn::RemapStudy::Change& change) {
  return {{"changed", evaluation_json(change.changed)},
          {"remapped", evaluation_json(change.remapped)},
          {"rewritten", change.rewritten},
          {"seconds", change.report.seconds}};
}

}  // namespace xbar::cli
