#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/isa.hpp>
#include <xbar/core/parallel.hpp>
#include <xbar/device/pulse_trains.hpp>

#include "train_kernels.hpp"

namespace xbar::device {
namespace {

// Multiples of 64, the slots of a word.
constexpr Index least_chunk = 128;  // drawn by one thread at a time
constexpr Index largest_chunk = 2048;
constexpr Index chunks = 32;
constexpr Index run_slots = 2048;       // summed at a time
constexpr Index block_bytes = 1 << 20;  // of rows
constexpr Index least_half_rows = 256;
constexpr Index sample_group = 64;
constexpr Index plan_group = 4096;
constexpr Index largest_output_group = 16;

constexpr std::uint32_t infinity_bits = 0x7f800000U;

Index round_up(Index value, Index step) { return (value + step - 1) / step * step; }

}  // namespace

void check_pulse_train_options(const PulseTrainOptions& options) {
  if (options.length < 1 || options.length > 127) {
    throw InvalidArgument(
        fmt::format("pulse-length: expected 1 to 127 slots, got {}", options.length));
  }
}

PulseTrains::PulseTrains(Index outputs, Index inputs, const PulseTrainOptions& options)
    : outputs_(outputs),
      inputs_(inputs),
      words_((inputs + 63) / 64),
      row_words_(std::bit_ceil(static_cast<std::uint64_t>(words_))),
      options_(options) {
  check_pulse_train_options(options);
  if (outputs < 1 || inputs < 1) {
    throw InvalidArgument(
        fmt::format("pulse trains: expected at least one output and one input, "
                    "got {} and {}",
                    outputs, inputs));
  }
}

void PulseTrains::clear() {
  if (options_.expects_fires) {
    input_fires_.assign(static_cast<std::size_t>(inputs_), 0.0F);
    output_fires_.assign(static_cast<std::size_t>(outputs_), 0.0F);
  }
  samples_ = 0;
  slots_ = 0;
  used_planes_ = 0;
  block_words_ = 0;
}

void PulseTrains::add(Index samples, double rate, const float* d, const float* x,
                      const RandomStream& noise) {
  largest_d_.resize(static_cast<std::size_t>(samples));
  largest_x_.resize(static_cast<std::size_t>(samples));
  std::atomic<bool> x_negative{false};
  parallel_for((samples + sample_group - 1) / sample_group, [&](Index group) {
    const auto survey = XBAR_DISPATCH(xbar::device, survey);
    const auto take = [&](Index count, const float* values, float& largest) {
      std::uint32_t bits = 0;
      std::uint32_t any = 0;
      survey(count, values, &bits, &any);
      largest = std::bit_cast<float>(bits);
      return any;
    };
    std::uint32_t signs = 0;
    const Index last = std::min(samples, (group + 1) * sample_group);
    for (Index s = group * sample_group; s < last; ++s) {
      const auto at = static_cast<std::size_t>(s);
      take(outputs_, d + s * outputs_, largest_d_[at]);
      signs |= take(inputs_, x + s * inputs_, largest_x_[at]);
    }
    if ((signs >> 31U) != 0) x_negative.store(true, std::memory_order_relaxed);
  });
  add({.count = samples,
       .largest_d = largest_d_,
       .largest_x = largest_x_,
       .x_negative = x_negative,
       .d = [&](Index s, float* /*room*/) { return d + s * outputs_; },
       .x = [&](Index s, float* /*room*/) { return x + s * inputs_; }},
      rate, noise);
}

/// Fills trains_.
void PulseTrains::plan(const TrainSamples& samples, double rate) {
  const TrainRule rule{rate, static_cast<double>(options_.length), options_.update_management,
                       options_.length_management};
  trains_.resize(static_cast<std::size_t>(samples.count));
  parallel_for((samples.count + plan_group - 1) / plan_group, [&](Index group) {
    std::array<float, plan_group> input_scale;
    std::array<float, plan_group> output_scale;
    std::array<std::uint8_t, plan_group> length;
    const auto first = static_cast<std::size_t>(group * plan_group);
    const std::size_t count = std::min<std::size_t>(plan_group, trains_.size() - first);
    const float* largest_x = samples.largest_x.data() + first;
    const float* largest_d = samples.largest_d.data() + first;
    for (std::size_t s = 0; s < count; ++s) {
      const auto x_bits = std::bit_cast<std::uint32_t>(largest_x[s]);
      const auto d_bits = std::bit_cast<std::uint32_t>(largest_d[s]);
      if (x_bits >= infinity_bits || d_bits >= infinity_bits) {
        throw InvalidArgument(
            fmt::format("pulse trains: expected finite numbers, got {} among the "
                        "{} of sample {}",
                        std::bit_cast<float>(std::max(x_bits, d_bits)),
                        x_bits >= infinity_bits ? "inputs" : "errors", first + s));
      }
    }
    XBAR_DISPATCH(xbar::device, plan_trains)
    (static_cast<long>(count), largest_x, largest_d, rule, input_scale.data(), output_scale.data(),
     length.data());
    for (std::size_t s = 0; s < count; ++s) {
      trains_[first + s] = {input_scale[s], output_scale[s], 0, length[s]};
    }
  });
  std::uint64_t end = slots_;
  for (Train& train : trains_) {
    train.first_slot = end;
    end += train.length;
  }
}

void PulseTrains::add(const TrainSamples& samples, double rate, const RandomStream& noise) {
  if (!(rate >= 0) || !std::isfinite(rate)) {
    throw InvalidArgument(
        fmt::format("pulse rate: expected a finite number of at least 0, got {}", rate));
  }
  plan(samples, rate);
  settle();
  if (options_.expects_fires) expect_fires(samples);
  const std::uint64_t end =
      trains_.empty() ? slots_ : trains_.back().first_slot + trains_.back().length;
  // The last row of either half stays empty.
  const Index most = std::max(block_bytes / (16 * row_words_), least_half_rows);
  const Index needed = round_up(static_cast<Index>(std::min<std::uint64_t>(
                                    end - slots_, static_cast<std::uint64_t>(most))),
                                64) +
                       64;
  half_rows_ =
      std::min(most, static_cast<Index>(std::bit_ceil(static_cast<std::uint64_t>(needed))));
  const Index largest = half_rows_ - 64;
  rows_.resize(std::max(rows_.size(),
                        static_cast<std::size_t>(2 * half_rows_ * row_words_ + train_margin / 8)));
  fires_.resize(std::max(fires_.size(), static_cast<std::size_t>(2 * outputs_ * largest / 64)));
  for (const Index half : {1, 2}) {
    std::fill_n(rows_.begin() + (half * half_rows_ - 1) * row_words_, row_words_, 0);
  }
  Drawing drawing{samples, noise.substream(0), noise.substream(1), noise.substream(2),
                  noise.substream(3)};
  while (slots_ < end) {
    settle();
    const Index slots = std::min(largest, static_cast<Index>(end - slots_));
    block_words_ = (slots + 63) / 64;
    block_negative_ = samples.x_negative;
    drawing.first = slots_;
    drawing.end = slots_ + static_cast<std::uint64_t>(slots);
    const Index chunk = std::clamp(round_up(slots / chunks, 64), least_chunk, largest_chunk);
    parallel_for((slots + chunk - 1) / chunk, [&](Index k) {
      draw(drawing, k * chunk / 64, std::min((k + 1) * chunk / 64, block_words_));
    });
    slots_ = drawing.end;
  }
  samples_ += static_cast<std::uint64_t>(samples.count);
}

void PulseTrains::expect_fires(const TrainSamples& samples) {
  std::vector<float> room(static_cast<std::size_t>(std::max(inputs_, outputs_)) + train_room);
  const auto expect = [](const Train& train, float scale, const float* values,
                         std::vector<float>& fires) {
    const auto length = static_cast<float>(train.length);
    for (std::size_t k = 0; k < fires.size(); ++k) {
      fires[k] += length * std::min(1.0F, scale * std::abs(values[k]));
    }
  };
  for (std::size_t s = 0; s < trains_.size(); ++s) {
    const Train& train = trains_[s];
    const auto sample = static_cast<Index>(s);
    expect(train, train.input_scale, samples.x(sample, room.data()), input_fires_);
    expect(train, train.output_scale, samples.d(sample, room.data()), output_fires_);
  }
}

/// Planes of counts of up to `slots`.
Index PulseTrains::plane_count(std::uint64_t slots) {
  return std::max<Index>(4, std::bit_width(slots));
}

/// Adds the block that waits to planes_.
void PulseTrains::settle() {
  if (block_words_ == 0) return;
  const Index total = plane_count(slots_);
  if (total > planes_there_) {
    Bits larger(2 * outputs_, total * words_);
    if (used_planes_ > 0) {
      larger.leftCols(used_planes_ * words_) = planes_.leftCols(used_planes_ * words_);
    }
    planes_.swap(larger);
    planes_there_ = total;
  }
  // Several outputs on one run of rows, while that is near.
  const Index group = std::clamp<Index>(outputs_ / 16, 1, largest_output_group);
  parallel_for((outputs_ + group - 1) / group, [&](Index g) {
    const Index first = g * group;
    sum_block(first, std::min(outputs_, first + group), planes_.row(2 * first).data(),
              planes_.cols(), total);
  });
  used_planes_ = total;
  block_words_ = 0;
}

/// Adds the coincidences of the block to the counts of some outputs: planes up and, `stride` words
/// behind, down of each in turn.
void PulseTrains::sum_block(Index first, Index last, std::uint64_t* planes, Index stride,
                            Index total) const {
  const auto list_rows = XBAR_DISPATCH(xbar::device, list_rows);
  const auto add_rows = XBAR_DISPATCH(xbar::device, add_rows);
  constexpr Index run_words = run_slots / 64;
  std::array<std::uint32_t, run_slots + 2 * list_step> list;
  const int shift = std::countr_zero(static_cast<std::uint64_t>(row_words_));
  const auto beside = static_cast<std::uint32_t>(half_rows_ * row_words_);
  const auto none = static_cast<std::uint32_t>((half_rows_ - 1) * row_words_);
  Index used = used_planes_;
  for (Index word = 0; word < block_words_; word += run_words, used = total) {
    const Index some = std::min(run_words, block_words_ - word);
    for (Index output = first; output < last; ++output) {
      std::uint64_t* const up = planes + 2 * (output - first) * stride;
      std::uint64_t* const down = up + stride;
      const auto add = [&](const std::uint64_t* positive, const std::uint64_t* negative,
                           std::uint64_t* to, std::uint64_t* others) {
        Index count = list_rows(positive, negative, some, shift, beside,
                                static_cast<std::uint32_t>(64 * word * row_words_), list.data());
        while (count % list_step != 0) list[static_cast<std::size_t>(count++)] = none;
        add_rows(list.data(), count, rows_.data(), beside, words_, to, others, words_, used, total);
      };
      const std::uint64_t* positive = fires_.data() + output * block_words_ + word;
      const std::uint64_t* negative = positive + outputs_ * block_words_;
      if (block_negative_) {
        add(positive, negative, up, down);
      } else {
        add(positive, nullptr, up, nullptr);
        add(negative, nullptr, down, nullptr);
      }
    }
  }
}

void PulseTrains::count(Index output, std::span<float> up, std::span<float> down) const {
  const auto expand_planes = XBAR_DISPATCH(xbar::device, expand_planes);
  const Index total = plane_count(slots_);
  const auto expand = [&](const std::uint64_t* planes, Index stride) {
    expand_planes(planes, words_, total, inputs_, up.data());
    expand_planes(planes + stride, words_, total, inputs_, down.data());
  };
  if (slots_ == 0) {
    std::fill(up.begin(), up.end(), 0.0F);
    std::fill(down.begin(), down.end(), 0.0F);
  } else if (block_words_ == 0) {
    expand(planes_.row(2 * output).data(), planes_.cols());
  } else {
    thread_local std::vector<std::uint64_t> sums;
    const Index stride = total * words_;
    sums.resize(static_cast<std::size_t>(2 * stride));
    for (Index side = 0; used_planes_ > 0 && side < 2; ++side) {
      std::copy_n(planes_.row(2 * output + side).data(), used_planes_ * words_,
                  sums.data() + side * stride);
    }
    sum_block(output, output + 1, sums.data(), stride, total);
    expand(sums.data(), stride);
  }
}

}  // namespace xbar::device
