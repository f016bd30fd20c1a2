#include <cmath>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/random.hpp>
#include <xbar/nn/layers/layer.hpp>

#include "converted_product.hpp"

namespace xbar::nn {

const Tensor& Layer::forward(const Tensor& x) {
  const Shape shape = output_shape(x.shape());
  if (x.count() < 1) {
    throw InvalidArgument(fmt::format("{}: expected a batch of at least one item, found {}", name_,
                                      to_string(x.shape())));
  }
  output_.resize(shape);
  input_ = &x;
  compute_forward(x, output_);
  return output_;
}

void Layer::check_backward(const Tensor& dy) const {
  if (input_ == nullptr) {
    throw InvalidArgument(fmt::format("{}: backward needs a forward pass before it", name_));
  }
  if (dy.shape() != output_.shape()) {
    throw InvalidArgument(fmt::format("{}: expected an output gradient of shape {}, found {}",
                                      name_, to_string(output_.shape()), to_string(dy.shape())));
  }
}

const Tensor& Layer::backward(const Tensor& dy) {
  check_backward(dy);
  input_gradient_.resize(input_->shape());
  compute_backward(*input_, output_, dy, &input_gradient_);
  return input_gradient_;
}

void Layer::backward_parameters(const Tensor& dy) {
  check_backward(dy);
  compute_backward(*input_, output_, dy, nullptr);
}

void Layer::initialise(std::uint64_t seed) {
  for (Layer* child : children()) child->initialise(seed);
}

void Layer::set_training(bool training) {
  training_ = training;
  for (Layer* child : children()) child->set_training(training);
}

void Layer::set_keeping(bool keeping) {
  keeping_ = keeping;
  for (Layer* child : children()) child->set_keeping(keeping);
}

void Layer::release() {
  output_ = {};
  input_ = nullptr;
}

const Tensor& Layer::last_input() const {
  if (input_ == nullptr) {
    throw InvalidArgument(fmt::format("{}: no input yet, there was no forward pass", name_));
  }
  return *input_;
}

WeightedLayer::WeightedLayer(std::string name, const Shape& weight_shape, bool with_bias)
    : Layer(std::move(name)) {
  const Index rows = weight_shape[0];
  const Index columns = weight_shape.volume_from(1);
  weight_ = {this->name() + ".weight", weight_shape,
             std::make_unique<DigitalWeight>(MatrixF::Zero(rows, columns)),
             MatrixF::Zero(rows, columns)};
  if (with_bias) {
    bias_ = {this->name() + ".bias", Shape{rows},
             std::make_unique<DigitalWeight>(MatrixF::Zero(rows, 1)), MatrixF::Zero(rows, 1)};
  }
}

std::unique_ptr<WeightStore> WeightedLayer::replace_weight_store(
    std::unique_ptr<WeightStore> store) {
  if (!store) {
    throw InvalidArgument(fmt::format("{}: expected a weight store, found none", weight_.name));
  }
  for (const MatrixF* matrix :
       {&store->weight(), &store->forward_weight(), &store->backward_weight()}) {
    if (matrix->rows() != out_features() || matrix->cols() != in_features()) {
      throw InvalidArgument(fmt::format("{}: expected a weight store of {} x {}, found {} x {}",
                                        weight_.name, out_features(), in_features(), matrix->rows(),
                                        matrix->cols()));
    }
  }
  std::swap(weight_.store, store);
  read_ = nullptr;
  const mapping::ConvertedRead* read = weight_.store->converted_forward();
  const auto learn = [&](Parameter& range, const char* kind, bool learned) {
    range = {};
    if (!learned) return;
    range = {name() + kind, Shape{1, 1}, std::make_unique<DigitalWeight>(MatrixF::Zero(1, 1)),
             MatrixF::Zero(1, 1)};
  };
  learn(dac_range_, ".dac_range",
        read != nullptr && read->converters().dac_range == mapping::DacRange::learned);
  learn(adc_range_, ".adc_range",
        read != nullptr && read->converters().adc_range == mapping::AdcRange::learned);
  const WeightStore::LearnedRange* range = weight_.store->learned_range();
  learn(weight_range_, ".weight_range", range != nullptr);
  if (range != nullptr) weight_range_.store->set_weight(MatrixF::Constant(1, 1, range->value));
  return store;
}

std::vector<Parameter*> WeightedLayer::parameters() {
  std::vector<Parameter*> result{&weight_};
  if (has_bias()) result.push_back(&bias_);
  if (dac_range_.store) result.push_back(&dac_range_);
  if (adc_range_.store) result.push_back(&adc_range_);
  if (weight_range_.store) result.push_back(&weight_range_);
  return result;
}

void WeightedLayer::multiply_forward(const Patches& patches, const Tensor& x, Tensor& y,
                                     const std::function<void()>& plain) {
  const auto value = [](const Parameter& range) { return range.store->weight()(0, 0); };
  if (weight_range_.store) {
    // Where the optimiser went below 0, the former one stays.
    if (value(weight_range_) > 0) weight_store().set_learned_range(value(weight_range_));
    weight_range_.store->set_weight(MatrixF::Constant(1, 1, weight_store().learned_range()->value));
  }
  weight_store().begin_read();
  mapping::ConvertedRead* read = weight_store().converted_forward();
  read_ = read;
  if (read == nullptr) {
    plain();
    return;
  }
  read->set_following(is_training());
  if (dac_range_.store && value(dac_range_) > 0) read->set_dac_range(value(dac_range_));
  if (adc_range_.store && value(adc_range_) > 0) read->set_adc_range(value(adc_range_));
  converted_forward(*read, patches, x, has_bias() ? bias().store->weight().data() : nullptr, y,
                    adc_slope_);
  // Measured just now, or kept where the optimiser went below 0.
  const auto keep = [&](Parameter& range, float used) {
    if (range.store && !(value(range) > 0)) range.store->set_weight(MatrixF::Constant(1, 1, used));
  };
  keep(dac_range_, read->dac_range());
  keep(adc_range_, read->adc_range());
}

void WeightedLayer::multiply_backward(const Patches& patches, const Tensor& x, const Tensor& dy,
                                      Tensor* dx, const std::function<void(Tensor& dx)>& plain) {
  if (weight_range_.store) {
    weight_range_.gradient(0, 0) = weight_store().learned_range()->gradient;
  }
  if (dx == nullptr && dac_range_.store) {
    unwanted_gradient_.resize(x.shape());
    dx = &unwanted_gradient_;
  }
  if (dx != nullptr) {
    weight_store().begin_read();
    if (mapping::ConvertedRead* read = weight_store().converted_backward(); read != nullptr) {
      read->set_following(is_training());
      converted_backward(*read, patches, dy, *dx);
    } else {
      plain(*dx);
    }
  }
  if (read_ == nullptr) return;
  if (dx != nullptr && read_->clips_inputs()) {
    const double gradient = dac_range_gradient(*read_, x, *dx);
    if (dac_range_.store) dac_range_.gradient(0, 0) = static_cast<float>(gradient);
  }
  if (adc_range_.store) {
    adc_range_.gradient(0, 0) = static_cast<float>(adc_range_gradient(*read_, dy, adc_slope_));
  }
}

void WeightedLayer::initialise(std::uint64_t seed) {
  const RandomStream stream(seed, "init/" + name());
  const double bound = std::sqrt(6.0 / static_cast<double>(in_features()));
  MatrixF weight(out_features(), in_features());
  for (Index i = 0; i < weight.size(); ++i) {
    weight.data()[i] =
        static_cast<float>(stream.uniform(static_cast<std::uint64_t>(i), -bound, bound));
  }
  weight_.store->set_weight(weight);
  if (has_bias()) bias_.store->set_weight(MatrixF::Zero(out_features(), 1));
}

}  // namespace xbar::nn
