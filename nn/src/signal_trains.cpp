#include "signal_trains.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include <xbar/core/error.hpp>
#include <xbar/core/parallel.hpp>

namespace xbar::nn {
namespace {

// Numbers that a line of a patch is copied with: more than a line has, which the next one mends.
constexpr Index copied = 8;

// The patch at (p, q) of an image; writes up to `copied` values beyond its end.
// @param end  of the memory that may be read
void gather_patch(const Patches& patches, const float* image, const float* end, Index p, Index q,
                  float* to) {
  const Index width = patches.kernel_width;
  const Index left = q * patches.stride - patches.padding;
  const Index top = p * patches.stride - patches.padding;
  const float* corner = image + top * patches.width + left;
  const Index plane = patches.height * patches.width;
  const float* last_line =
      corner + (patches.channels - 1) * plane + (patches.kernel_height - 1) * patches.width;
  const bool inside = top >= 0 && left >= 0 && top + patches.kernel_height <= patches.height &&
                      left + width <= patches.width;
  if (inside && width <= copied && last_line + copied <= end) {
    for (Index c = 0; c < patches.channels; ++c, corner += plane) {
      const float* from = corner;
      for (Index i = 0; i < patches.kernel_height; ++i, from += patches.width, to += width) {
        std::memcpy(to, from, copied * sizeof(float));
      }
    }
    return;
  }
  const Index first = std::clamp<Index>(-left, 0, width);
  const Index last = std::clamp<Index>(patches.width - left, first, width);
  for (Index c = 0; c < patches.channels; ++c) {
    for (Index i = 0; i < patches.kernel_height; ++i, to += width) {
      const Index row = top + i;
      const bool beyond = row < 0 || row >= patches.height;
      const float* from = image + (c * patches.height + row) * patches.width + left;
      for (Index j = 0; j < width; ++j) {
        to[j] = beyond || j < first || j >= last ? 0.0F : from[j];
      }
    }
  }
}

// The positions of an image whose output has any gradient.
void list_positions(const float* dy, Index outputs, Index positions, std::vector<float>& largest,
                    std::vector<Index>& list) {
  largest.assign(static_cast<std::size_t>(positions), 0.0F);
  float* most = largest.data();
  for (Index o = 0; o < outputs; ++o, dy += positions) {
#pragma omp simd
    for (Index p = 0; p < positions; ++p) {
      const float size = std::abs(dy[p]);
      most[p] = size > most[p] ? size : most[p];
    }
  }
  list.clear();
  for (Index p = 0; p < positions; ++p) {
    if (most[p] > 0) list.push_back(p);
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
  const Index inputs = trains_.inputs();
  const Index outputs = trains_.outputs();
  const float* end = x_->data() + x_->size();
  for (Index first = 0; first < images; first += group) {
    const Index count = std::min(group, images - first);
    positions_.resize(static_cast<std::size_t>(count));
    const auto list = [&](Index n) -> std::vector<Index>& {
      return positions_[static_cast<std::size_t>(n)];
    };
    parallel_for(count, [&](Index n) {
      thread_local std::vector<float> largest;
      list_positions(dy_->data() + (first + n) * dy_->item_size(), outputs, positions, largest,
                     list(n));
    });
    std::vector<Index> begin(static_cast<std::size_t>(count) + 1, 0);
    for (Index n = 0; n < count; ++n) {
      begin[static_cast<std::size_t>(n) + 1] =
          begin[static_cast<std::size_t>(n)] + static_cast<Index>(list(n).size());
    }
    const Index samples = begin.back();
    inputs_.resize(static_cast<std::size_t>(samples * inputs));
    outputs_.resize(static_cast<std::size_t>(samples * outputs));
    if (samples == 0) continue;
    // A copy reaches beyond the patch's end, which must not be another image's: its last patch is
    // gathered apart.
    parallel_for(count, [&](Index n) {
      const float* image = x_->data() + (first + n) * x_->item_size();
      const float* dy = dy_->data() + (first + n) * dy_->item_size();
      thread_local std::vector<float> patch;
      patch.resize(static_cast<std::size_t>(inputs + copied));
      Index s = begin[static_cast<std::size_t>(n)];
      for (const Index p : list(n)) {
        float* to = inputs_.data() + s * inputs;
        const bool apart = inputs < copied || p == list(n).back();
        gather_patch(patches_, image, end, p / patches_.out_width, p % patches_.out_width,
                     apart ? patch.data() : to);
        if (apart) std::copy_n(patch.data(), inputs, to);
        float* d = outputs_.data() + s * outputs;
        for (Index o = 0; o < outputs; ++o) d[o] = dy[o * positions + p];
        ++s;
      }
    });
    trains_.add(samples, rate, outputs_.data(), inputs_.data(), draws);
  }
}

}  // namespace xbar::nn
