#include <cmath>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/parallel.hpp>
#include <xbar/nn/layers/batch_norm.hpp>

namespace xbar::nn {
namespace {

// Where the values of one channel lie: `runs` runs of `length` values, `stride` apart.
struct Channel {
  Index runs, length, stride;
  [[nodiscard]] Index count() const { return runs * length; }
};

Channel channel_of(const Shape& shape) {
  return {shape[0], shape.volume_from(2), shape.volume_from(1)};
}

// A channel's values stay in the core's cache from one pass to the next, which is why a channel is
// one thread's and why the variance takes a pass of its own, free of cancellation. Runs are summed
// in single precision in a few parallel lanes, their sums in double.
double sum(const float* x, const Channel& channel) {
  double total = 0;
  for (Index n = 0; n < channel.runs; ++n, x += channel.stride) {
    float part = 0;
#pragma omp simd reduction(+ : part)
    for (Index i = 0; i < channel.length; ++i) part += x[i];
    total += static_cast<double>(part);
  }
  return total;
}

double sum_of_squares(const float* x, const Channel& channel, float mean) {
  double total = 0;
  for (Index n = 0; n < channel.runs; ++n, x += channel.stride) {
    float part = 0;
#pragma omp simd reduction(+ : part)
    for (Index i = 0; i < channel.length; ++i) part += (x[i] - mean) * (x[i] - mean);
    total += static_cast<double>(part);
  }
  return total;
}

double sum_of_products(const float* x, const float* dy, const Channel& channel, float mean) {
  double total = 0;
  for (Index n = 0; n < channel.runs; ++n, x += channel.stride, dy += channel.stride) {
    float part = 0;
#pragma omp simd reduction(+ : part)
    for (Index i = 0; i < channel.length; ++i) part += (x[i] - mean) * dy[i];
    total += static_cast<double>(part);
  }
  return total;
}

Parameter channel_parameter(const std::string& name, Index channels, float value) {
  return {name, Shape{channels},
          std::make_unique<DigitalWeight>(MatrixF::Constant(channels, 1, value)),
          MatrixF::Zero(channels, 1)};
}

}  // namespace

BatchNorm::BatchNorm(std::string name, Index channels, const BatchNormOptions& options)
    : Layer(std::move(name)), channels_(channels), options_(options) {
  if (channels < 1) {
    throw InvalidArgument(
        fmt::format("{}: expected channels >= 1, found {}", this->name(), channels));
  }
  if (!(options.epsilon > 0 && std::isfinite(options.epsilon))) {
    throw InvalidArgument(
        fmt::format("{}: expected a finite epsilon > 0, found {}", this->name(), options.epsilon));
  }
  if (!(options.momentum >= 0 && options.momentum <= 1)) {
    throw InvalidArgument(
        fmt::format("{}: expected a momentum in [0, 1], found {}", this->name(), options.momentum));
  }
  gamma_ = channel_parameter(this->name() + ".weight", channels, 1);
  beta_ = channel_parameter(this->name() + ".bias", channels, 0);
  running_mean_ = {this->name() + ".running_mean", Shape{channels}, MatrixF::Zero(channels, 1)};
  running_var_ = {this->name() + ".running_var", Shape{channels}, MatrixF::Ones(channels, 1)};
  batches_ = {this->name() + ".num_batches_tracked", Shape{}, MatrixF::Zero(1, 1), true};
  mean_.resize(static_cast<std::size_t>(channels));
  inverse_deviation_.resize(static_cast<std::size_t>(channels));
}

Shape BatchNorm::output_shape(const Shape& input) const {
  if ((input.rank() != 2 && input.rank() != 4) || input[1] != channels_ ||
      input.volume_from(2) < 1) {
    throw InvalidArgument(
        fmt::format("{}: expected an input of shape (N, {}) or (N, {}, H, W), found {}", name(),
                    channels_, channels_, to_string(input)));
  }
  return input;
}

void BatchNorm::initialise(std::uint64_t /*seed*/) {
  gamma_.store->set_weight(MatrixF::Ones(channels_, 1));
  beta_.store->set_weight(MatrixF::Zero(channels_, 1));
  running_mean_.values.setZero();
  running_var_.values.setOnes();
  batches_.values.setZero();
}

void BatchNorm::measure_together(const Tensor& x) {
  const Channel channel = channel_of(x.shape());
  const auto at = [](Index c) { return static_cast<std::size_t>(c); };
  std::vector<double> sums(at(channels_) + 1);
  parallel_for(channels_,
               [&](Index c) { sums[at(c)] = sum(x.data() + c * channel.length, channel); });
  sums.back() = static_cast<double>(channel.count());
  processes_->add_up(sums);
  count_ = sums.back();
  for (Index c = 0; c < channels_; ++c) mean_[at(c)] = static_cast<float>(sums[at(c)] / count_);
  variance_.resize(at(channels_));
  parallel_for(channels_, [&](Index c) {
    variance_[at(c)] = sum_of_squares(x.data() + c * channel.length, channel, mean_[at(c)]);
  });
  processes_->add_up(variance_);
  for (double& variance : variance_) variance /= count_;
}

void BatchNorm::compute_forward(const Tensor& x, Tensor& y) {
  const Channel channel = channel_of(x.shape());
  of_batch_ = is_training();
  const bool together = of_batch_ && processes_ != nullptr;
  count_ = static_cast<double>(channel.count());
  if (together) measure_together(x);
  const double count = count_;
  if (of_batch_ && count < 2) {
    throw InvalidArgument(
        fmt::format("{}: expected at least two values a channel in training, found a batch of "
                    "shape {}",
                    name(), to_string(x.shape())));
  }
  if (of_batch_ && cumulative_batches_ >= 0) ++cumulative_batches_;
  const double momentum =
      cumulative_batches_ > 0 ? 1 / static_cast<double>(cumulative_batches_) : options_.momentum;
  const auto keep = static_cast<float>(1 - momentum);
  const auto take = static_cast<float>(momentum);
  const float* gamma = gamma_.store->weight().data();
  const float* beta = beta_.store->weight().data();
  parallel_for(channels_, [&](Index c) {
    const float* from = x.data() + c * channel.length;
    float* to = y.data() + c * channel.length;
    float& running_mean = running_mean_.values.data()[c];
    float& running_var = running_var_.values.data()[c];
    double variance = static_cast<double>(running_var);
    float mean = running_mean;
    if (of_batch_) {
      const auto at = static_cast<std::size_t>(c);
      mean = together ? mean_[at] : static_cast<float>(sum(from, channel) / count);
      variance = together ? variance_[at] : sum_of_squares(from, channel, mean) / count;
      running_mean = keep * running_mean + take * mean;
      running_var = keep * running_var + take * static_cast<float>(variance * count / (count - 1));
    }
    const auto inverse = static_cast<float>(1 / std::sqrt(variance + options_.epsilon));
    mean_[static_cast<std::size_t>(c)] = mean;
    inverse_deviation_[static_cast<std::size_t>(c)] = inverse;
    const float scale = gamma[c] * inverse;
    const float shift = beta[c];
    for (Index n = 0; n < channel.runs; ++n, from += channel.stride, to += channel.stride) {
#pragma omp simd
      for (Index i = 0; i < channel.length; ++i) to[i] = (from[i] - mean) * scale + shift;
    }
  });
  if (of_batch_) batches_.values(0, 0) += 1;
}

void BatchNorm::compute_backward(const Tensor& x, const Tensor& /*y*/, const Tensor& dy,
                                 Tensor* dx) {
  const Channel channel = channel_of(x.shape());
  const double count = count_;
  const float* gamma = gamma_.store->weight().data();
  const auto gradients = [&](Index c) {
    const auto at = static_cast<std::size_t>(c);
    const float* value = x.data() + c * channel.length;
    const float* from = dy.data() + c * channel.length;
    const double dbeta = sum(from, channel);
    const double dgamma = sum_of_products(value, from, channel, mean_[at]) *
                          static_cast<double>(inverse_deviation_[at]);
    beta_.gradient.data()[c] = static_cast<float>(dbeta);
    gamma_.gradient.data()[c] = static_cast<float>(dgamma);
    return std::pair(dbeta, dgamma);
  };
  const bool together = of_batch_ && processes_ != nullptr;
  std::vector<double> sums;  // dbeta and dgamma of the whole batch, with the others
  if (together) {
    sums.resize(2 * static_cast<std::size_t>(channels_));
    parallel_for(channels_, [&](Index c) {
      const auto at = 2 * static_cast<std::size_t>(c);
      std::tie(sums[at], sums[at + 1]) = gradients(c);
    });
    processes_->add_up(sums);
  }
  parallel_for(channels_, [&](Index c) {
    const float mean = mean_[static_cast<std::size_t>(c)];
    const float inverse = inverse_deviation_[static_cast<std::size_t>(c)];
    const float* value = x.data() + c * channel.length;
    const float* from = dy.data() + c * channel.length;
    const auto at = 2 * static_cast<std::size_t>(c);
    const auto [dbeta, dgamma] = together ? std::pair(sums[at], sums[at + 1]) : gradients(c);
    if (dx == nullptr) return;
    // dx = scale dy - slope (x - mean) - shift
    const float scale = gamma[c] * inverse;
    const float shift = of_batch_ ? scale * static_cast<float>(dbeta / count) : 0.0F;
    const float slope = of_batch_ ? scale * inverse * static_cast<float>(dgamma / count) : 0.0F;
    float* to = dx->data() + c * channel.length;
    for (Index n = 0; n < channel.runs; ++n) {
#pragma omp simd
      for (Index i = 0; i < channel.length; ++i) {
        to[i] = scale * from[i] - slope * (value[i] - mean) - shift;
      }
      value += channel.stride;
      from += channel.stride;
      to += channel.stride;
    }
  });
}

}  // namespace xbar::nn
