#include <algorithm>
#include <cmath>
#include <memory>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/layers/softmax_cross_entropy.hpp>
#include <xbar/nn/sensitivity.hpp>
#include <xbar/nn/trainer.hpp>

#include "image_batch.hpp"

namespace xbar::nn {
namespace {

Index images_of(const Network& network, const ImageSet& images, Index count) {
  check_images(network, images, "calibration");
  count = std::min(count, images.count);
  if (count < 1) {
    throw InvalidArgument(fmt::format("calibration images: expected at least 1, got {}", count));
  }
  return count;
}

std::vector<LayerSensitivity> none_yet(Network& network, bool weights) {
  std::vector<LayerSensitivity> result;
  for (const WeightedLayer* layer : network.weighted_layers()) {
    result.push_back(
        {layer->name(), std::vector<double>(static_cast<std::size_t>(layer->out_features()), 0.0),
         std::vector<double>(static_cast<std::size_t>(layer->in_features()), 0.0),
         weights ? MatrixF::Zero(layer->out_features(), layer->in_features()).eval() : MatrixF()});
  }
  return result;
}

double of_change(SensitivityKind kind, double t) {
  return kind == SensitivityKind::fisher ? t * t / 2 : std::abs(t);
}

// `factor(k)` is what dL/dw of layer k is multiplied by.
template <typename Factor>
std::vector<LayerSensitivity> by_gradient(Network& network, const ImageSet& images, Index count,
                                          SensitivityKind kind, const Factor& factor,
                                          const ProgressCallback& progress) {
  const std::vector<WeightedLayer*> layers = network.weighted_layers();
  std::vector<LayerSensitivity> result = none_yet(network, true);
  const ModeScope evaluation(network, false);
  // One image at a time: the absolute value or the square is taken for each image.
  SoftmaxCrossEntropy loss;
  Tensor image;
  MatrixF change;
  for (Index n = 0; n < count; ++n) {
    fill_batch(network, images, n, 1, image);
    loss.forward(network.forward(image), {&images.labels[static_cast<std::size_t>(n)], 1});
    network.backward(loss.backward());
    for (std::size_t k = 0; k < layers.size(); ++k) {
      change = factor(k).cwiseProduct(layers[k]->weight().gradient);
      LayerSensitivity& of = result[k];
      for (Index o = 0; o < change.rows(); ++o) {
        of.columns[static_cast<std::size_t>(o)] +=
            of_change(kind, static_cast<double>(change.row(o).sum()));
      }
      const Eigen::RowVectorXf of_rows = change.colwise().sum();
      for (Index i = 0; i < change.cols(); ++i) {
        of.rows[static_cast<std::size_t>(i)] += of_change(kind, static_cast<double>(of_rows(i)));
      }
      if (kind == SensitivityKind::fisher) {
        of.weights += 0.5F * change.cwiseAbs2();
      } else {
        of.weights += change.cwiseAbs();
      }
    }
    if (progress) {
      progress({"sensitivity", static_cast<double>(n + 1), static_cast<double>(count), ""});
    }
  }
  for (LayerSensitivity& of : result) {
    for (double& value : of.columns) value /= static_cast<double>(count);
    for (double& value : of.rows) value /= static_cast<double>(count);
    of.weights /= static_cast<float>(count);
  }
  return result;
}

// While it lives, the layers hold their effective weights in digital memory.
class DigitalScope {
 public:
  explicit DigitalScope(Network& network) : layers_(network.weighted_layers()) {
    for (WeightedLayer* layer : layers_) {
      stores_.push_back(layer->replace_weight_store(
          std::make_unique<DigitalWeight>(layer->weight_store().forward_weight())));
    }
  }
  ~DigitalScope() {
    for (std::size_t k = 0; k < layers_.size(); ++k) {
      layers_[k]->replace_weight_store(std::move(stores_[k]));
    }
  }
  DigitalScope(const DigitalScope&) = delete;
  DigitalScope& operator=(const DigitalScope&) = delete;

 private:
  std::vector<WeightedLayer*> layers_;
  std::vector<std::unique_ptr<WeightStore>> stores_;
};

}  // namespace

SensitivityKind parse_sensitivity_kind(std::string_view name) {
  if (name == "taylor") return SensitivityKind::taylor;
  if (name == "fisher") return SensitivityKind::fisher;
  if (name == "error-aware") return SensitivityKind::error_aware;
  if (name == "measured") return SensitivityKind::measured;
  throw InvalidArgument(
      fmt::format("sensitivity: expected taylor, fisher, error-aware or measured, got '{}'", name));
}

std::vector<LayerSensitivity> layer_sensitivity(Network& network, const ImageSet& images,
                                                Index count, SensitivityKind kind,
                                                const ProgressCallback& progress) {
  count = images_of(network, images, count);
  const std::vector<WeightedLayer*> layers = network.weighted_layers();
  const auto weight = [&](std::size_t k) -> const MatrixF& {
    return layers[k]->weight_store().weight();
  };
  return by_gradient(network, images, count, kind, weight, progress);
}

std::vector<LayerSensitivity> error_sensitivity(Network& network, const ImageSet& images,
                                                Index count, const std::vector<MatrixF>& errors,
                                                const ProgressCallback& progress) {
  count = images_of(network, images, count);
  const std::vector<WeightedLayer*> layers = network.weighted_layers();
  if (errors.size() != layers.size()) {
    throw InvalidArgument(
        fmt::format("errors: expected {} layers, got {}", layers.size(), errors.size()));
  }
  for (std::size_t k = 0; k < layers.size(); ++k) {
    if (errors[k].rows() == layers[k]->out_features() &&
        errors[k].cols() == layers[k]->in_features()) {
      continue;
    }
    throw InvalidArgument(fmt::format(
        "errors of {}: expected {} x {}, got {} x {}", layers[k]->name(), layers[k]->out_features(),
        layers[k]->in_features(), errors[k].rows(), errors[k].cols()));
  }
  const auto error = [&](std::size_t k) -> const MatrixF& { return errors[k]; };
  return by_gradient(network, images, count, SensitivityKind::error_aware, error, progress);
}

std::vector<LayerSensitivity> measured_sensitivity(Network& network, const ImageSet& images,
                                                   Index count,
                                                   const std::vector<LineTrial>& trials,
                                                   const ProgressCallback& progress) {
  count = images_of(network, images, count);
  const std::vector<WeightedLayer*> layers = network.weighted_layers();
  if (trials.size() != layers.size()) {
    throw InvalidArgument(
        fmt::format("trials: expected {} layers, got {}", layers.size(), trials.size()));
  }
  const ImageSet first = first_images(images, count);
  std::vector<LayerSensitivity> result = none_yet(network, false);
  double total = 0;
  for (std::size_t k = 0; k < layers.size(); ++k) {
    total += static_cast<double>((trials[k].column_share > 0 ? layers[k]->out_features() : 0) +
                                 (trials[k].row_share > 0 ? layers[k]->in_features() : 0));
  }
  double done = 0;
  const DigitalScope digital(network);
  const double loss = evaluate(network, first).loss;
  for (std::size_t k = 0; k < layers.size(); ++k) {
    WeightStore& store = layers[k]->weight_store();
    const MatrixF weight = store.weight();
    const auto rise = [&](const MatrixF& tried) {
      store.set_weight(tried);
      const double more = evaluate(network, first).loss - loss;
      store.set_weight(weight);
      if (progress) progress({"sensitivity", ++done, total, layers[k]->name()});
      return std::max(more, 0.0);
    };
    const auto columns = static_cast<float>(1 - trials[k].column_share);
    for (Index o = 0; o < weight.rows() && trials[k].column_share > 0; ++o) {
      MatrixF tried = weight;
      tried.row(o) *= columns;
      result[k].columns[static_cast<std::size_t>(o)] = rise(tried);
    }
    const auto rows = static_cast<float>(1 - trials[k].row_share);
    for (Index i = 0; i < weight.cols() && trials[k].row_share > 0; ++i) {
      MatrixF tried = weight;
      tried.col(i) *= rows;
      result[k].rows[static_cast<std::size_t>(i)] = rise(tried);
    }
  }
  return result;
}

}  // namespace xbar::nn
