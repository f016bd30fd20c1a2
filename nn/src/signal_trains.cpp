#include "signal_trains.hpp"

#include <algorithm>

#include <xbar/core/error.hpp>
#include <xbar/core/parallel.hpp>

namespace xbar::nn {
namespace {

// The patches of one image, positions x inputs.
void gather_patches(const Patches& patches, const float* image, float* to) {
  const Index width = patches.kernel_width;
  for (Index p = 0; p < patches.out_height; ++p) {
    for (Index q = 0; q < patches.out_width; ++q) {
      const Index left = q * patches.stride - patches.padding;
      const Index first = std::clamp<Index>(-left, 0, width);
      const Index last = std::clamp<Index>(patches.width - left, first, width);
      for (Index c = 0; c < patches.channels; ++c) {
        for (Index i = 0; i < patches.kernel_height; ++i, to += width) {
          const Index row = p * patches.stride + i - patches.padding;
          if (row < 0 || row >= patches.height) {
            std::fill_n(to, width, 0.0F);
            continue;
          }
          const float* from = image + (c * patches.height + row) * patches.width + left;
          for (Index j = 0; j < first; ++j) to[j] = 0;
          for (Index j = first; j < last; ++j) to[j] = from[j];
          for (Index j = last; j < width; ++j) to[j] = 0;
        }
      }
    }
  }
}

// outputs x positions -> positions x outputs.
void transpose(const float* from, Index outputs, Index positions, float* to) {
  constexpr Index block = 16;
  for (Index first = 0; first < positions; first += block) {
    const Index last = std::min(first + block, positions);
    for (Index o = 0; o < outputs; ++o) {
      for (Index p = first; p < last; ++p) to[p * outputs + o] = from[o * positions + p];
    }
  }
}

}  // namespace

SignalTrains::SignalTrains(Index outputs, Index inputs, const device::PulseTrainOptions& options,
                           const RandomStream& draws)
    : trains_(outputs, inputs, options), draws_(draws) {}

void SignalTrains::take(const Patches& patches, const Tensor& x, const Tensor& dy) {
  patches_ = patches;
  x_ = &x;
  dy_ = &dy;
}

void SignalTrains::pulse(mapping::CrossbarMatrix& matrix, double learning_rate) {
  if (x_ == nullptr) throw InvalidArgument("update: expected a backward pass before it");
  const double step = static_cast<double>(matrix.weight_step());
  trains_.clear();
  add(learning_rate / step, draws_.substream(matrix.update_count()));
  x_ = dy_ = nullptr;
  // Down where x dy > 0: the weights follow the negative gradient.
  matrix.pulse(
      [&](Index o, std::span<float> up, std::span<float> down) { trains_.count(o, down, up); },
      {.slots = static_cast<double>(trains_.slots()),
       .input_fires = trains_.input_fires(),
       .output_fires = trains_.output_fires()});
}

void SignalTrains::add(double rate, const RandomStream& draws) {
  const Index images = x_->count();
  const Index positions = patches_.out_height * patches_.out_width;
  const bool plain = positions == 1 && x_->item_size() == trains_.inputs();
  if (plain) {
    trains_.add(images, rate, dy_->data(), x_->data(), draws);
    return;
  }
  // A few thousand positions at a time stay in the cache.
  constexpr Index positions_at_once = 8192;
  const Index group = std::max<Index>(1, positions_at_once / positions);
  for (Index first = 0; first < images; first += group) {
    const Index count = std::min(group, images - first);
    inputs_.resize(static_cast<std::size_t>(count * positions * trains_.inputs()));
    outputs_.resize(static_cast<std::size_t>(count * positions * trains_.outputs()));
    parallel_for(count, [&](Index n) {
      gather_patches(patches_, x_->data() + (first + n) * x_->item_size(),
                     inputs_.data() + n * positions * trains_.inputs());
      transpose(dy_->data() + (first + n) * dy_->item_size(), trains_.outputs(), positions,
                outputs_.data() + n * positions * trains_.outputs());
    });
    trains_.add(count * positions, rate, outputs_.data(), inputs_.data(), draws);
  }
}

}  // namespace xbar::nn
