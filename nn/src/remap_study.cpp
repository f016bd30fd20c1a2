#include <utility>

#include <xbar/nn/batch_norm_refit.hpp>
#include <xbar/nn/deployment.hpp>
#include <xbar/nn/remap_study.hpp>

namespace xbar::nn {
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

}  // namespace

RemapStudy::RemapStudy(RemapNetworks networks, const DataSet& data,
                       const mapping::Technology& technology, const Compensations& compensations,
                       const ProgressCallback& progress)
    : networks_(std::move(networks)),
      data_(data),
      compensations_(compensations),
      ideal_(networks_.ideal()),
      network_(networks_.on_arrays(technology)) {
  calibrate_converters(network_, technology, data.train);
  if (compensations_.gain) {
    mapping::Technology gained = technology;
    gained.gain = mapping::Gain::column;
    with_gain_ = networks_.on_arrays(gained);
    calibrate_converters(*with_gain_, gained, data.train);
  }
  as_is_ = measure(progress);
}

OrderAccuracy RemapStudy::measure(const ProgressCallback& progress) {
  OrderAccuracy result;
  result.plain = evaluate(network_, data_.test, evaluation_batch, progress);
  for (const CrossbarLayer& layer : crossbar_layers(network_)) {
    const MatrixF& weight = layer.matrix->weight();
    result.layer_error.push_back(
        static_cast<double>((layer.matrix->forward_weight() - weight).norm() / weight.norm()));
  }
  if (with_gain_) {
    set_orders(crossbar_layers(*with_gain_), orders_of(crossbar_layers(network_)));
    result.gain = evaluate(*with_gain_, data_.test, evaluation_batch, progress);
  }
  if (compensations_.batch_norm_images > 0) {
    std::vector<MatrixF> kept;
    for (const Buffer* buffer : network_.buffers()) kept.push_back(buffer->values);
    match_batch_norm(network_, ideal_, first_images(data_.train, compensations_.batch_norm_images),
                     batch_norm_batch, progress);
    result.batch_norm = evaluate(network_, data_.test, evaluation_batch, progress);
    for (std::size_t k = 0; k < kept.size(); ++k) network_.buffers()[k]->values = kept[k];
  }
  return result;
}

RemapComparison RemapStudy::compare(const RemapOptions& options, const ProgressCallback& progress) {
  RemapComparison comparison;
  const std::vector<CrossbarLayer> layers = crossbar_layers(network_);
  set_orders(layers, orders_as_trained(layers));
  comparison.certificates = certificates(network_);
  comparison.as_is = as_is_;
  comparison.report = remap(ideal_, network_, data_.train, options, progress);
  comparison.remapped = measure(progress);
  for (std::size_t n = 0; n < as_is_.plain.correct.size(); ++n) {
    const bool before = as_is_.plain.correct[n] != 0;
    const bool after = comparison.remapped.plain.correct[n] != 0;
    if (after && !before) ++comparison.put_right;
    if (before && !after) ++comparison.spoilt;
  }
  return comparison;
}

RemapStudy::Change RemapStudy::after(const mapping::Technology& later, const RemapOptions& options,
                                     const ProgressCallback& progress) {
  Change change;
  const std::vector<mapping::ArrayOrder> before = orders_of(crossbar_layers(network_));
  Network changed = networks_.on_arrays(later);
  const std::vector<CrossbarLayer> layers = crossbar_layers(changed);
  set_orders(layers, before);
  calibrate_converters(changed, later, data_.train);
  change.changed = evaluate(changed, data_.test, evaluation_batch, progress);
  change.report = remap(ideal_, changed, data_.train, options, progress);
  change.remapped = evaluate(changed, data_.test, evaluation_batch, progress);
  change.rewritten = moved(before, orders_of(layers));
  return change;
}

}  // namespace xbar::nn
