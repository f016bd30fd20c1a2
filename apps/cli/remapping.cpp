#include "remapping.hpp"

#include <xbar/nn/batch_norm_refit.hpp>

#include "array_order_file.hpp"

namespace xbar::cli {
namespace {

constexpr Index evaluation_batch = 250;
constexpr Index batch_norm_batch = 125;

// Share of the weights on other cells than before.
double moved(const std::vector<mapping::ArrayOrder>& before,
             const std::vector<mapping::ArrayOrder>& after) {
  const auto kept = [](const std::vector<Index>& a, const std::vector<Index>& b) {
    double same = 0;
    for (std::size_t k = 0; k < a.size(); ++k) same += a[k] == b[k] ? 1 : 0;
    return same;
  };
  double stay = 0;
  double all = 0;
  for (std::size_t k = 0; k < before.size(); ++k) {
    stay += kept(before[k].slot_of_output, after[k].slot_of_output) *
            kept(before[k].slot_of_input, after[k].slot_of_input);
    all += static_cast<double>(before[k].slot_of_output.size() * before[k].slot_of_input.size());
  }
  return 1 - stay / all;
}

Json evaluation_json(const nn::Evaluation& evaluation) {
  return {{"accuracy", evaluation.accuracy}, {"loss", evaluation.loss}};
}

Json accuracy_json(const OrderAccuracy& order) {
  Json json = evaluation_json(order.plain);
  if (order.gain) json["gain"] = evaluation_json(*order.gain);
  if (order.batch_norm) json["batch_norm"] = evaluation_json(*order.batch_norm);
  json["layer_error"] = order.layer_error;
  return json;
}

}  // namespace

RemapStudy::RemapStudy(const NetworkSpec& spec, const TensorFile& weights, const nn::DataSet& data,
                       const mapping::Technology& technology, const RemapSettings& settings,
                       const ProgressCallback& progress)
    : spec_(spec),
      weights_(weights),
      data_(data),
      settings_(settings),
      ideal_(spec.load(weights)),
      network_(spec.load(weights)) {
  deploy(network_, weights, technology, settings_.deploy);
  nn::calibrate_converters(network_, technology, data.train);
  if (settings_.gain) {
    mapping::Technology gained = technology;
    gained.gain = mapping::Gain::column;
    with_gain_ = spec.load(weights);
    deploy(*with_gain_, weights, gained, settings_.deploy);
    nn::calibrate_converters(*with_gain_, gained, data.train);
  }
  as_is_ = measure(progress);
}

OrderAccuracy RemapStudy::measure(const ProgressCallback& progress) {
  OrderAccuracy result;
  result.plain = nn::evaluate(network_, data_.test, evaluation_batch, progress);
  for (const nn::CrossbarLayer& layer : nn::crossbar_layers(network_)) {
    const MatrixF& weight = layer.matrix->weight();
    result.layer_error.push_back(
        static_cast<double>((layer.matrix->forward_weight() - weight).norm() / weight.norm()));
  }
  if (with_gain_) {
    nn::set_orders(nn::crossbar_layers(*with_gain_), nn::orders_of(nn::crossbar_layers(network_)));
    result.gain = nn::evaluate(*with_gain_, data_.test, evaluation_batch, progress);
  }
  if (settings_.batch_norm_images > 0) {
    std::vector<MatrixF> kept;
    for (const nn::Buffer* buffer : network_.buffers()) kept.push_back(buffer->values);
    nn::match_batch_norm(network_, ideal_,
                         nn::first_images(data_.train, settings_.batch_norm_images),
                         batch_norm_batch, progress);
    result.batch_norm = nn::evaluate(network_, data_.test, evaluation_batch, progress);
    for (std::size_t k = 0; k < kept.size(); ++k) network_.buffers()[k]->values = kept[k];
  }
  return result;
}

RemapComparison RemapStudy::compare(const nn::RemapOptions& options,
                                    const ProgressCallback& progress) {
  RemapComparison comparison;
  const std::vector<nn::CrossbarLayer> layers = nn::crossbar_layers(network_);
  nn::set_orders(layers, nn::orders_as_trained(layers));
  comparison.certificate = certificate_json(network_, 0);
  comparison.as_is = as_is_;
  comparison.report = nn::remap(ideal_, network_, data_.train, options, progress);
  comparison.remapped = measure(progress);
  for (std::size_t n = 0; n < as_is_.plain.correct.size(); ++n) {
    const bool before = as_is_.plain.correct[n] != 0;
    const bool after = comparison.remapped.plain.correct[n] != 0;
    if (after && !before) ++comparison.put_right;
    if (before && !after) ++comparison.spoilt;
  }
  return comparison;
}

RemapStudy::Change RemapStudy::after(const mapping::Technology& later,
                                     const nn::RemapOptions& options,
                                     const ProgressCallback& progress) {
  Change change;
  const std::vector<mapping::ArrayOrder> before = nn::orders_of(nn::crossbar_layers(network_));
  nn::Network changed = spec_.load(weights_);
  deploy(changed, weights_, later, settings_.deploy);
  const std::vector<nn::CrossbarLayer> layers = nn::crossbar_layers(changed);
  nn::set_orders(layers, before);
  nn::calibrate_converters(changed, later, data_.train);
  change.changed = nn::evaluate(changed, data_.test, evaluation_batch, progress);
  change.report = nn::remap(ideal_, changed, data_.train, options, progress);
  change.remapped = nn::evaluate(changed, data_.test, evaluation_batch, progress);
  change.rewritten = moved(before, nn::orders_of(layers));
  return change;
}

Json RemapStudy::order_json() { return array_order_json(nn::crossbar_layers(network_)); }

Json to_json(const RemapComparison& comparison) {
  return {
      {"as_is", accuracy_json(comparison.as_is)}, {"remapped", accuracy_json(comparison.remapped)},
      {"put_right", comparison.put_right},        {"spoilt", comparison.spoilt},
      {"steps", comparison.report.steps},         {"seconds", comparison.report.seconds},
      {"certificate", comparison.certificate}};
}

Json to_json(const RemapStudy::Change& change) {
  return {{"changed", evaluation_json(change.changed)},
          {"remapped", evaluation_json(change.remapped)},
          {"rewritten", change.rewritten},
          {"seconds", change.report.seconds}};
}

}  // namespace xbar::cli
