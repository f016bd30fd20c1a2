#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/random.hpp>
#include <xbar/nn/layers/dropout.hpp>

#include "../chunks.hpp"

namespace xbar::nn {
namespace {

constexpr Index draws = 4;  // words that one counter gives

}  // namespace

Dropout::Dropout(std::string name, double probability)
    : Layer(std::move(name)), probability_(probability) {
  if (!(probability >= 0 && probability < 1)) {
    throw InvalidArgument(
        fmt::format("{}: expected a probability in [0, 1), found {}", this->name(), probability));
  }
  passes_ = {this->name() + ".passes", Shape{}, MatrixF::Zero(1, 1), true};
}

void Dropout::initialise(std::uint64_t seed) {
  seed_ = seed;
  passes_.values.setZero();
}

void Dropout::compute_forward(const Tensor& x, Tensor& y) {
  if (!is_training()) {
    mask_.clear();
    std::copy(x.data(), x.data() + x.size(), y.data());
    return;
  }
  mask_.resize(static_cast<std::size_t>(x.size()));
  const RandomStream stream = RandomStream(seed_, "dropout/" + name())
                                  .substream(static_cast<std::uint64_t>(passes_.values(0, 0)));
  passes_.values(0, 0) += 1;
  const auto scale = static_cast<float>(1 / (1 - probability_));
  const auto limit = static_cast<std::uint64_t>(std::ldexp(probability_, 32));
  const Index before = first_image_ * x.item_size();  // values of the batch that others have
  const Index first_group = before / draws;
  const Index groups = (before + x.size() + draws - 1) / draws - first_group;
  for_chunks(groups, draws, [&](Index begin, Index end) {
    for (Index group = first_group + begin; group < first_group + end; ++group) {
      const auto words = stream.bits(static_cast<std::uint64_t>(group));
      const Index first = group * draws - before;
      const Index last = std::min(x.size(), first + draws);
      for (Index i = std::max<Index>(first, 0); i < last; ++i) {
        const bool drop = words[static_cast<std::size_t>(i - first)] < limit;
        mask_[static_cast<std::size_t>(i)] = drop ? 0.0F : scale;
        y[i] = drop ? 0.0F : scale * x[i];
      }
    }
  });
}

void Dropout::compute_backward(const Tensor& /*x*/, const Tensor& /*y*/, const Tensor& dy,
                               Tensor* dx) {
  if (dx == nullptr) return;
  if (mask_.empty()) {
    std::copy(dy.data(), dy.data() + dy.size(), dx->data());
    return;
  }
  const float* from = dy.data();
  float* to = dx->data();
  for_chunks(dy.size(), 1, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) to[i] = mask_[static_cast<std::size_t>(i)] * from[i];
  });
}

}  // namespace xbar::nn
