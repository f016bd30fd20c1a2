// How the trains of PulseTrains are drawn.

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include <xbar/core/isa.hpp>
#include <xbar/device/pulse_trains.hpp>

#include "train_kernels.hpp"

namespace xbar::device {
namespace {

Index round_up(Index value, Index step) { return (value + step - 1) / step * step; }

/// Rows of uniform bytes from a stream, any of them.
class RandomRows {
 public:
  RandomRows(const RandomStream& stream, Index bytes) : stream_(stream), draws_((bytes + 15) / 16) {
    numbers_.reserve(64);
  }

  void clear() { numbers_.clear(); }
  void want(std::uint64_t number) { numbers_.push_back(number); }
  /// Those wanted since clear().
  void draw() {
    const auto draws = static_cast<std::uint64_t>(draws_);
    indices_.clear();
    for (const std::uint64_t number : numbers_) {
      for (std::uint64_t k = 0; k < draws; ++k) indices_.push_back(number * draws + k);
    }
    words_.resize(4 * indices_.size() + train_margin / 4);
    fill_bits(stream_, indices_, std::span(words_).first(4 * indices_.size()));
  }
  /// The k-th of them.
  [[nodiscard]] const std::uint8_t* row(Index k) const {
    return reinterpret_cast<const std::uint8_t*>(words_.data()) + k * row_bytes();
  }
  [[nodiscard]] Index row_bytes() const { return 16 * draws_; }

 private:
  RandomStream stream_;
  Index draws_;  // of a row, 16 bytes each
  std::vector<std::uint64_t> numbers_;
  std::vector<std::uint64_t> indices_;
  std::vector<std::uint32_t> words_;
};

/// Slots of one train among the 64 of a word.
struct Run {
  Index sample;
  unsigned done;  // slots of the train before
  Index bit;
  Index count;
};

/// The random bytes of one side, wordlines or bitlines, for some runs.
class SideDraws {
 public:
  SideDraws(Index lines, const RandomStream& slots, const RandomStream& phases)
      : slots_(slots, lines), phases_(phases, lines + 1) {}

  /// Slots and samples are counted from these numbers.
  void draw(std::span<const Run> runs, std::uint64_t first_slot, std::uint64_t first_sample) {
    slots_.clear();
    phases_.clear();
    for (const Run& run : runs) {
      phases_.want(first_sample + static_cast<std::uint64_t>(run.sample));
      for (Index t = 0; t < run.count; ++t) {
        slots_.want(first_slot + static_cast<std::uint64_t>(run.bit + t));
      }
    }
    slots_.draw();
    phases_.draw();
  }

  /// Of the k-th slot of the runs.
  [[nodiscard]] const std::uint8_t* slot(Index k) const { return slots_.row(k); }
  [[nodiscard]] Index slot_bytes() const { return slots_.row_bytes(); }
  /// Of the k-th run: a line each, and the dither.
  [[nodiscard]] const std::uint8_t* phase(Index k) const { return phases_.row(k); }

 private:
  RandomRows slots_;
  RandomRows phases_;
};

/// Lines that fire, run by run.
class Lines {
 public:
  Lines(Index lines, const RandomStream& slots, const RandomStream& phases)
      : memory_(static_cast<std::size_t>(4 * round_up(lines, 64))), draws_(lines, slots, phases) {
    const Index stride = round_up(lines, 64);
    lines_ = {lines, memory_.data(), memory_.data() + stride, memory_.data() + 2 * stride,
              memory_.data() + 3 * stride};
  }

  void draw(std::span<const Run> runs, std::uint64_t first_slot, std::uint64_t first_sample) {
    draws_.draw(runs, first_slot, first_sample);
  }

  /// The k-th run, its slots beginning with the `first`-th of all. Row t of positive_rows and
  /// negative_rows, row_words words each, is for the run's slot t.
  void fire(Index k, Index first, const Run& run, const float* values, float scale,
            std::uint64_t* positive_rows, std::uint64_t* negative_rows, Index row_words) const {
    const std::uint8_t* phase = draws_.phase(k);
    XBAR_DISPATCH(xbar::device, prepare_lines)
    (lines_, values, scale, phase[lines_.count], phase, run.done);
    XBAR_DISPATCH(xbar::device, draw_slots)
    (lines_, run.count, draws_.slot(first), draws_.slot_bytes(), positive_rows, negative_rows,
     row_words);
  }

 private:
  std::vector<std::uint8_t> memory_;
  TrainLines lines_;
  SideDraws draws_;
};

/// Words of 64 slots for every output: those in which it fires with a positive error and, `lines`
/// words behind, with a negative one.
class Outputs {
 public:
  Outputs(Index lines, const RandomStream& slots, const RandomStream& phases)
      : count_(lines),
        room_(static_cast<std::size_t>(lines + train_room)),
        fires_(static_cast<std::size_t>(2 * lines)),
        wide_(lines > most_few),
        lines_(lines, slots, phases),
        draws_(lines, slots, phases) {
    if (wide_) {
      rows_.resize(static_cast<std::size_t>(2 * 64 * row_words()));
    } else {
      values_.resize(static_cast<std::size_t>(64 * lines));
      slots_.resize(values_.size());
      phases_.resize(values_.size());
    }
  }

  /// Slots of the word in which any fires.
  template <typename Scale>
  std::uint64_t fire(std::span<const Run> runs, std::uint64_t first_slot,
                     std::uint64_t first_sample, const TrainSamples& samples, const Scale& scale) {
    return wide_ ? fire_many(runs, first_slot, first_sample, samples, scale)
                 : fire_few(runs, first_slot, first_sample, samples, scale);
  }
  [[nodiscard]] const std::vector<std::uint64_t>& fires() const { return fires_; }

 private:
  // So few that a register is better filled with slots.
  static constexpr Index most_few = 32;

  [[nodiscard]] Index row_words() const { return (count_ + 63) / 64; }

  template <typename Scale>
  std::uint64_t fire_many(std::span<const Run> runs, std::uint64_t first_slot,
                          std::uint64_t first_sample, const TrainSamples& samples,
                          const Scale& scale) {
    const auto transpose_words = XBAR_DISPATCH(xbar::device, transpose_words);
    lines_.draw(runs, first_slot, first_sample);
    std::fill(rows_.begin(), rows_.end(), 0);
    std::uint64_t* const negative = rows_.data() + 64 * row_words();
    std::uint64_t any = 0;
    for (std::size_t k = 0; k < runs.size(); ++k) {
      const Run& run = runs[k];
      const Index at = run.bit * row_words();
      lines_.fire(static_cast<Index>(k), run.bit, run, samples.d(run.sample, room_.data()),
                  scale(run), rows_.data() + at, negative + at, row_words());
      for (Index e = 0; e < run.count * row_words(); ++e) {
        if ((rows_[static_cast<std::size_t>(at + e)] | negative[at + e]) == 0) continue;
        any |= std::uint64_t{1} << static_cast<unsigned>(run.bit + e / row_words());
      }
    }
    for (Index side = 0; side < 2; ++side) {
      for (Index k = 0; k < row_words(); ++k) {
        transpose_words(rows_.data() + 64 * side * row_words() + k, row_words(),
                        fires_.data() + side * count_ + 64 * k, 1,
                        std::min<Index>(64, count_ - 64 * k));
      }
    }
    return any;
  }

  template <typename Scale>
  std::uint64_t fire_few(std::span<const Run> runs, std::uint64_t first_slot,
                         std::uint64_t first_sample, const TrainSamples& samples,
                         const Scale& scale) {
    const auto draw_line = XBAR_DISPATCH(xbar::device, draw_line);
    draws_.draw(runs, first_slot, first_sample);
    scales_.fill(0);
    for (std::size_t k = 0; k < runs.size(); ++k) {
      const Run& run = runs[k];
      const float* values = samples.d(run.sample, room_.data());
      const std::uint8_t* phase = draws_.phase(static_cast<Index>(k));
      for (Index t = 0; t < run.count; ++t) {
        const auto lane = static_cast<std::size_t>(run.bit + t);
        const std::uint8_t* slot = draws_.slot(run.bit + t);
        scales_[lane] = scale(run);
        dither_[lane] = phase[count_];
        done_[lane] = static_cast<std::uint8_t>(run.done + static_cast<unsigned>(t));
        for (Index o = 0; o < count_; ++o) {
          const std::size_t at = static_cast<std::size_t>(64 * o) + lane;
          values_[at] = values[o];
          slots_[at] = slot[o];
          phases_[at] = phase[o];
        }
      }
    }
    std::uint64_t any = 0;
    for (Index o = 0; o < count_; ++o) {
      std::uint64_t* const positive = fires_.data() + o;
      std::uint64_t* const negative = positive + count_;
      draw_line({values_.data() + 64 * o, scales_.data(), dither_.data(), done_.data(),
                 phases_.data() + 64 * o, slots_.data() + 64 * o},
                o, positive, negative);
      any |= *positive | *negative;
    }
    return any;
  }

  Index count_;
  std::vector<float> room_;
  std::vector<std::uint64_t> fires_;
  bool wide_;
  Lines lines_;
  SideDraws draws_;
  std::vector<std::uint64_t> rows_;
  // Of a word's slots, output by output: a lane each.
  std::vector<float> values_;
  std::vector<std::uint8_t> slots_;
  std::vector<std::uint8_t> phases_;
  std::array<float, 64> scales_{};
  std::array<std::uint8_t, 64> dither_{};
  std::array<std::uint8_t, 64> done_{};
};

}  // namespace

/// Fills rows and fires_ of the block's slots from 64 first_word up to 64 last_word.
void PulseTrains::draw(const Drawing& drawing, Index first_word, Index last_word) {
  const TrainSamples& samples = drawing.samples;
  Outputs outputs(outputs_, drawing.output_slots, drawing.output_phases);
  Lines inputs(inputs_, drawing.input_slots, drawing.input_phases);
  std::vector<float> room(static_cast<std::size_t>(inputs_ + train_room));
  std::vector<Run> runs;
  std::uint64_t slot = drawing.first + static_cast<std::uint64_t>(64 * first_word);
  // The train that this slot is of.
  auto train = std::upper_bound(
      trains_.begin(), trains_.end(), slot,
      [](std::uint64_t number, const Train& t) { return number < t.first_slot + t.length; });
  for (Index word = first_word; word < last_word; ++word) {
    const std::uint64_t first = drawing.first + static_cast<std::uint64_t>(64 * word);
    const std::uint64_t last = std::min(drawing.end, first + 64);
    runs.clear();
    while (slot < last) {
      const std::uint64_t train_end = train->first_slot + train->length;
      if (slot == train_end) {
        ++train;
        continue;
      }
      const std::uint64_t end = std::min(train_end, last);
      runs.push_back({train - trains_.begin(), static_cast<unsigned>(slot - train->first_slot),
                      static_cast<Index>(slot - first), static_cast<Index>(end - slot)});
      slot = end;
    }
    // Outputs first: where none fires no input is needed.
    const std::uint64_t any = outputs.fire(runs, first, samples_, samples, [&](const Run& run) {
      return trains_[static_cast<std::size_t>(run.sample)].output_scale;
    });
    for (Index line = 0; line < 2 * outputs_; ++line) {
      fires_[static_cast<std::size_t>(line * block_words_ + word)] =
          outputs.fires()[static_cast<std::size_t>(line)];
    }
    std::erase_if(runs, [&](const Run& run) {
      const std::uint64_t slots = ~std::uint64_t{0} >> static_cast<unsigned>(64 - run.count);
      return ((any >> static_cast<unsigned>(run.bit)) & slots) == 0;
    });
    inputs.draw(runs, first, samples_);
    Index drawn = 0;
    for (std::size_t k = 0; k < runs.size(); ++k) {
      const Run& run = runs[k];
      const Index row = 64 * word + run.bit;
      inputs.fire(static_cast<Index>(k), drawn, run, samples.x(run.sample, room.data()),
                  trains_[static_cast<std::size_t>(run.sample)].input_scale,
                  rows_.data() + row * row_words_, rows_.data() + (half_rows_ + row) * row_words_,
                  row_words_);
      drawn += run.count;
    }
  }
}

}  // namespace xbar::device
