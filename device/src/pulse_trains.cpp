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
}

/// Fills trains_; whether any input is negative.
bool PulseTrains::plan(Index samples, double rate, const float* d, const float* x) {
  trains_.resize(static_cast<std::size_t>(samples));
  std::atomic<bool> x_negative{false};
  parallel_for((samples + sample_group - 1) / sample_group, [&](Index group) {
    const auto survey = XBAR_DISPATCH(xbar::device, survey);
    std::uint32_t signs = 0;
    const Index last = std::min(samples, (group + 1) * sample_group);
    for (Index s = group * sample_group; s < last; ++s) {
      std::uint32_t x_bits = 0;
      std::uint32_t d_bits = 0;
      std::uint32_t x_any = 0;
      std::uint32_t d_any = 0;
      survey(inputs_, x + s * inputs_, &x_bits, &x_any);
      survey(outputs_, d + s * outputs_, &d_bits, &d_any);
      if (x_bits >= infinity_bits || d_bits >= infinity_bits) {
        throw InvalidArgument(
            fmt::format("pulse trains: expected finite numbers, got {} among the "
                        "{} of sample {}",
                        std::bit_cast<float>(std::max(x_bits, d_bits)),
                        x_bits >= infinity_bits ? "inputs" : "errors", s));
      }
      signs |= x_any;
      const double x_max = std::bit_cast<float>(x_bits);
      const double d_max = std::bit_cast<float>(d_bits);
      Train train;
      const double pulses = rate * x_max * d_max;  // where both are largest
      train.length = static_cast<std::uint64_t>(options_.length);
      if (options_.length_management && pulses < options_.length) {
        const auto whole = static_cast<std::uint64_t>(pulses);
        train.length = whole + (static_cast<double>(whole) < pulses ? 1 : 0);
      }
      if (pulses > 0) {
        const bool managed = options_.update_management;
        const double root =
            std::sqrt((managed ? pulses : rate) / static_cast<double>(train.length));
        constexpr double most = std::numeric_limits<float>::max();
        train.input_scale = static_cast<float>(std::min(most, managed ? root / x_max : root));
        train.output_scale = static_cast<float>(std::min(most, managed ? root / d_max : root));
      }
      trains_[static_cast<std::size_t>(s)] = train;
    }
    if ((signs >> 31U) != 0) x_negative.store(true, std::memory_order_relaxed);
  });
  return x_negative.load();
}

void PulseTrains::add(Index samples, double rate, const float* d, const float* x,
                      const RandomStream& noise) {
  if (!(rate >= 0) || !std::isfinite(rate)) {
    throw InvalidArgument(
        fmt::format("pulse rate: expected a finite number of at least 0, got {}", rate));
  }
  const bool x_negative = plan(samples, rate, d, x);
  if (options_.expects_fires) expect_fires(d, x);
  std::uint64_t end = slots_;
  for (Train& train : trains_) {
    train.first_slot = end;
    end += train.length;
  }
  reserve_planes(end);
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
  Drawing drawing{d, x, noise.substream(0), noise.substream(1)};
  while (slots_ < end) {
    const Index slots = std::min(largest, static_cast<Index>(end - slots_));
    const Index slot_words = (slots + 63) / 64;
    drawing.first = slots_;
    drawing.end = slots_ + static_cast<std::uint64_t>(slots);
    const Index chunk = std::clamp(round_up(slots / chunks, 64), least_chunk, largest_chunk);
    parallel_for((slots + chunk - 1) / chunk, [&](Index k) {
      draw(drawing, k * chunk / 64, std::min((k + 1) * chunk / 64, slot_words));
    });
    slots_ = drawing.end;
    const auto total = std::max<Index>(4, std::bit_width(slots_));
    // Several outputs on one run of rows, while that is near.
    const Index group = std::clamp<Index>(outputs_ / 16, 1, largest_output_group);
    parallel_for((outputs_ + group - 1) / group, [&](Index g) {
      sum(g * group, std::min(outputs_, (g + 1) * group), slot_words, total, x_negative);
    });
    used_planes_ = total;
  }
  samples_ += static_cast<std::uint64_t>(samples);
}

void PulseTrains::expect_fires(const float* d, const float* x) {
  const auto expect = [](const Train& train, float scale, const float* values,
                         std::vector<float>& fires) {
    const auto length = static_cast<float>(train.length);
    for (std::size_t k = 0; k < fires.size(); ++k) {
      fires[k] += length * std::min(1.0F, scale * std::abs(values[k]));
    }
  };
  for (std::size_t s = 0; s < trains_.size(); ++s) {
    const Train& train = trains_[s];
    expect(train, train.input_scale, x + static_cast<Index>(s) * inputs_, input_fires_);
    expect(train, train.output_scale, d + static_cast<Index>(s) * outputs_, output_fires_);
  }
}

/// Planes for counts of up to `slots`.
void PulseTrains::reserve_planes(std::uint64_t slots) {
  const auto needed = std::max<Index>(4, std::bit_width(slots));
  if (needed <= planes_there_) return;
  Bits larger(2 * outputs_, needed * words_);
  if (used_planes_ > 0)
    larger.leftCols(used_planes_ * words_) = planes_.leftCols(used_planes_ * words_);
  planes_.swap(larger);
  planes_there_ = needed;
}

/// Adds the coincidences of the block to the counts of some outputs.
void PulseTrains::sum(Index first, Index last, Index slot_words, Index total, bool x_negative) {
  const auto list_rows = XBAR_DISPATCH(xbar::device, list_rows);
  const auto add_rows = XBAR_DISPATCH(xbar::device, add_rows);
  constexpr Index run_words = run_slots / 64;
  std::array<std::uint32_t, run_slots + 2 * list_step> list;
  const int shift = std::countr_zero(static_cast<std::uint64_t>(row_words_));
  const auto beside = static_cast<std::uint32_t>(half_rows_ * row_words_);
  const auto none = static_cast<std::uint32_t>((half_rows_ - 1) * row_words_);
  Index used = used_planes_;
  for (Index word = 0; word < slot_words; word += run_words, used = total) {
    const Index some = std::min(run_words, slot_words - word);
    for (Index output = first; output < last; ++output) {
      std::uint64_t* const up = planes_.row(2 * output).data();
      std::uint64_t* const down = planes_.row(2 * output + 1).data();
      const auto add = [&](const std::uint64_t* positive, const std::uint64_t* negative,
                           std::uint64_t* planes, std::uint64_t* others) {
        Index count = list_rows(positive, negative, some, shift, beside,
                                static_cast<std::uint32_t>(64 * word * row_words_), list.data());
        while (count % list_step != 0) list[static_cast<std::size_t>(count++)] = none;
        add_rows(list.data(), count, rows_.data(), beside, words_, planes, others, words_, used,
                 total);
      };
      const std::uint64_t* positive = fires_.data() + output * slot_words + word;
      const std::uint64_t* negative = positive + outputs_ * slot_words;
      if (x_negative) {
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
  if (used_planes_ == 0) {
    std::fill(up.begin(), up.end(), 0.0F);
    std::fill(down.begin(), down.end(), 0.0F);
    return;
  }
  expand_planes(planes_.row(2 * output).data(), words_, used_planes_, inputs_, up.data());
  expand_planes(planes_.row(2 * output + 1).data(), words_, used_planes_, inputs_, down.data());
}

}  // namespace xbar::device
