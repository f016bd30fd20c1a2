#include <cmath>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/random.hpp>
#include <xbar/nn/layers/layer.hpp>

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
  return store;
}

std::vector<Parameter*> WeightedLayer::parameters() {
  std::vector<Parameter*> result{&weight_};
  if (has_bias()) result.push_back(&bias_);
  return result;
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
