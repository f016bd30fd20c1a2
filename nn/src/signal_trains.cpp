#include "signal_trains.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>

#include <xbar/core/error.hpp>
#include <xbar/core/isa.hpp>
#include <xbar/core/parallel.hpp>

#include "signal_kernels.hpp"

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

// The largest size of each position's patch: over the channels, along the lines, down the columns.
// Returns all bits of the image or-ed.
std::int32_t largest_inputs(const Patches& patches, const float* image,
                            std::vector<std::int32_t>& memory, std::int32_t* largest) {
  const auto raise_to_sizes = XBAR_DISPATCH(xbar::nn, raise_to_sizes);
  const auto raise = XBAR_DISPATCH(xbar::nn, raise);
  const Index width = patches.width + 2 * patches.padding;
  const Index height = patches.height + 2 * patches.padding;
  memory.assign(static_cast<std::size_t>(height * (width + patches.out_width)), 0);
  std::int32_t* const pixels = memory.data();
  std::int32_t* const lines = pixels + height * width;
  std::int32_t all = 0;
  for (Index c = 0; c < patches.channels; ++c) {
    for (Index i = 0; i < patches.height; ++i, image += patches.width) {
      all |= raise_to_sizes(patches.width, image,
                            pixels + (i + patches.padding) * width + patches.padding);
    }
  }
  for (Index i = 0; i < height; ++i) {
    for (Index j = 0; j < patches.kernel_width; ++j) {
      raise(patches.out_width, pixels + i * width + j, patches.stride,
            lines + i * patches.out_width);
    }
  }
  std::fill_n(largest, patches.out_height * patches.out_width, 0);
  for (Index p = 0; p < patches.out_height; ++p) {
    for (Index i = 0; i < patches.kernel_height; ++i) {
      raise(patches.out_width, lines + (p * patches.stride + i) * patches.out_width, 1,
            largest + p * patches.out_width);
    }
  }
  return all;
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
  const Index outputs = trains_.outputs();
  if (positions == 1 && x_->item_size() == trains_.inputs()) {
    trains_.add(images, rate, dy_->data(), x_->data(), draws);
    return;
  }
  const Listed listed = list_positions();
  const auto count = static_cast<std::size_t>(listed.count);
  const float* end = x_->data() + x_->size();
  trains_.add({.count = listed.count,
               .largest_d = std::span(largest_d_).first(count),
               .largest_x = std::span(largest_x_).first(count),
               .x_negative = listed.x_negative,
               .d =
                   [&](Index s, float* room) {
                     const auto at = static_cast<std::size_t>(s);
                     const float* dy = dy_->data() + image_[at] * dy_->item_size() + position_[at];
                     for (Index o = 0; o < outputs; ++o) room[o] = dy[o * positions];
                     return room;
                   },
               .x =
                   [&](Index s, float* room) {
                     const auto at = static_cast<std::size_t>(s);
                     gather_patch(patches_, x_->data() + image_[at] * x_->item_size(), end,
                                  position_[at] / patches_.out_width,
                                  position_[at] % patches_.out_width, room);
                     return room;
                   }},
              rate, draws);
}

/// The positions of the batch with a gradient: image_, position_, largest_d_ and largest_x_ begin
/// with them.
SignalTrains::Listed SignalTrains::list_positions() {
  const Index images = x_->count();
  const Index positions = patches_.out_height * patches_.out_width;
  const auto all = static_cast<std::size_t>(images * positions);
  image_.resize(all);
  position_.resize(all);
  largest_d_.resize(all);
  largest_x_.resize(all);
  std::vector<Index> listed(static_cast<std::size_t>(images));
  std::atomic<bool> x_negative{false};
  parallel_for(images, [&](Index n) {
    thread_local std::vector<std::int32_t> memory;
    thread_local std::vector<std::int32_t> largest;
    largest.resize(2 * static_cast<std::size_t>(positions));
    std::int32_t* const of_d = largest.data();
    std::int32_t* const of_x = of_d + positions;
    XBAR_DISPATCH(xbar::nn, largest_sizes)
    (trains_.outputs(), positions, dy_->data() + n * dy_->item_size(), of_d);
    if (largest_inputs(patches_, x_->data() + n * x_->item_size(), memory, of_x) < 0) {
      x_negative.store(true, std::memory_order_relaxed);
    }
    const Index first = n * positions;
    listed[static_cast<std::size_t>(n)] = XBAR_DISPATCH(xbar::nn, list_positions)(
        positions, of_d, of_x, position_.data() + first, largest_d_.data() + first,
        largest_x_.data() + first);
  });
  Index count = 0;
  for (Index n = 0; n < images; ++n) {
    const Index some = listed[static_cast<std::size_t>(n)];
    const auto close_up = [&](auto* values) {
      std::copy_n(values + n * positions, some, values + count);
    };
    close_up(position_.data());
    close_up(largest_d_.data());
    close_up(largest_x_.data());
    std::fill_n(image_.data() + count, some, static_cast<std::int32_t>(n));
    count += some;
  }
  return {count, x_negative};
}

}  // namespace xbar::nn
