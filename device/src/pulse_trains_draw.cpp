// How the trains of PulseTrains are drawn.

#include <algorithm>
#include <bit>
#include <limits>

#include <xbar/core/isa.hpp>
#include <xbar/device/pulse_trains.hpp>

#include "train_kernels.hpp"

namespace xbar::device {
namespace {

Index round_up(Index value, Index step) { return (value + step - 1) / step * step; }

/// Rows of uniform bytes from a stream, for rows taken mostly in order.
class RandomRows {
 public:
  RandomRows(const RandomStream& stream, Index least_bytes)
      : stream_(stream),
        row_bytes_(round_up(least_bytes, 32)),
        // Whole groups of draws, 256 bytes.
        shift_(std::max(
            3, static_cast<int>(std::bit_width(4096U / static_cast<unsigned>(row_bytes_))) - 1)),
        words_(static_cast<std::size_t>(((row_bytes_ << shift_) + train_margin) / 4)) {}

  [[nodiscard]] const std::uint8_t* row(std::uint64_t number) {
    const std::uint64_t piece = number >> shift_;
    if (piece != piece_) {
      const auto drawn = static_cast<std::size_t>((row_bytes_ << shift_) / 4);
      fill_words(stream_, piece * drawn, std::span(words_).first(drawn));
      piece_ = piece;
    }
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(words_.data());
    return bytes + static_cast<Index>(number - (piece << shift_)) * row_bytes_;
  }
  /// Rows that follow `number` in memory, itself included.
  [[nodiscard]] std::uint64_t run(std::uint64_t number) const {
    return (((number >> shift_) + 1) << shift_) - number;
  }
  [[nodiscard]] Index row_bytes() const { return row_bytes_; }

 private:
  RandomStream stream_;
  Index row_bytes_;
  int shift_;  // 2^shift rows are drawn at a time
  std::vector<std::uint32_t> words_;
  std::uint64_t piece_ = std::numeric_limits<std::uint64_t>::max();
};

/// The lines of one side, with the memory that the kernels work on.
class Side {
 public:
  explicit Side(Index lines) : bytes_(static_cast<std::size_t>(4 * stride(lines))) {
    lines_ = {lines, bytes_.data(), bytes_.data() + stride(lines),
              bytes_.data() + 2 * stride(lines), bytes_.data() + 3 * stride(lines)};
  }
  [[nodiscard]] const TrainLines& lines() const { return lines_; }

 private:
  static Index stride(Index lines) { return round_up(lines, 64); }
  std::vector<std::uint8_t> bytes_;
  TrainLines lines_;
};

}  // namespace

/// Fills rows and fires_ of the block's slots from 64 first_word up to 64 last_word.
void PulseTrains::draw(const Drawing& drawing, Index first_word, Index last_word) {
  const auto prepare_lines = XBAR_DISPATCH(xbar::device, prepare_lines);
  const auto draw_slots = XBAR_DISPATCH(xbar::device, draw_slots);
  const auto transpose_words = XBAR_DISPATCH(xbar::device, transpose_words);
  const Index output_words = (outputs_ + 63) / 64;
  const auto block_words = static_cast<Index>((drawing.end - drawing.first + 63) / 64);
  const Index lines = inputs_ + outputs_;
  RandomRows draws(drawing.slots, lines);
  RandomRows phases(drawing.phases, lines + 1);
  const Side inputs(inputs_);
  const Side outputs(outputs_);
  std::vector<std::uint64_t> output_rows(static_cast<std::size_t>(2 * 64 * output_words));
  std::uint64_t slot = drawing.first + static_cast<std::uint64_t>(64 * first_word);
  // The train that this slot is of.
  auto train = std::upper_bound(
      trains_.begin(), trains_.end(), slot,
      [](std::uint64_t number, const Train& t) { return number < t.first_slot + t.length; });
  bool prepared = false;
  for (Index word = first_word; word < last_word; ++word) {
    const std::uint64_t first = drawing.first + static_cast<std::uint64_t>(64 * word);
    const std::uint64_t last = std::min(drawing.end, first + 64);
    if (last - first < 64) std::fill(output_rows.begin(), output_rows.end(), 0);
    while (slot < last) {
      const std::uint64_t train_end = train->first_slot + train->length;
      if (slot == train_end) {
        ++train;
        prepared = false;
        continue;
      }
      if (!prepared) {
        const Index sample = train - trains_.begin();
        const std::uint8_t* start = phases.row(samples_ + static_cast<std::uint64_t>(sample));
        const auto done = static_cast<unsigned>(slot - train->first_slot);
        prepare_lines(inputs.lines(), drawing.x + sample * inputs_, train->input_scale,
                      start[lines], start, done);
        prepare_lines(outputs.lines(), drawing.d + sample * outputs_, train->output_scale,
                      start[lines] + 128U, start + inputs_, done);
        prepared = true;
      }
      const std::uint8_t* draw = draws.row(slot);
      const auto run =
          static_cast<Index>(std::min(std::min(train_end, last) - slot, draws.run(slot)));
      const auto row = static_cast<Index>(slot - drawing.first);
      const auto bit = static_cast<Index>(slot - first);
      draw_slots(inputs.lines(), run, draw, draws.row_bytes(), rows_.data() + row * row_words_,
                 rows_.data() + (half_rows_ + row) * row_words_, row_words_);
      draw_slots(outputs.lines(), run, draw + inputs_, draws.row_bytes(),
                 output_rows.data() + bit * output_words,
                 output_rows.data() + (64 + bit) * output_words, output_words);
      slot += static_cast<std::uint64_t>(run);
    }
    for (Index side = 0; side < 2; ++side) {
      for (Index k = 0; k < output_words; ++k) {
        transpose_words(output_rows.data() + 64 * side * output_words + k, output_words,
                        fires_.data() + (side * outputs_ + 64 * k) * block_words + word,
                        block_words, std::min<Index>(64, outputs_ - 64 * k));
      }
    }
  }
}

}  // namespace xbar::device
