#pragma once

/// Parallel stochastic update: an outer product formed by coincidences of random pulses.

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include <xbar/core/matrix.hpp>
#include <xbar/core/random.hpp>

namespace xbar::device {

struct PulseTrainOptions {
  int length = 31;  ///< BL, slots of a train at most, 1 to 127
  /// Whether both sides of a sample's outer product get the same largest probability (update
  /// management), and each sample only as many slots as it needs (length management) [Gokmen2017].
  bool update_management = true;
  bool length_management = true;
  bool expects_fires = false;  ///< whether input_fires() and output_fires() are wanted
};

/// @throws InvalidArgument naming the first field out of range.
void check_pulse_train_options(const PulseTrainOptions& options);

/// Samples whose signals are put together one by one, and inputs only where an output fires.
struct TrainSamples {
  Index count = 0;
  std::span<const float> largest_d{};  ///< of each sample, max |d|
  std::span<const float> largest_x{};  ///< and max |x|
  bool x_negative = true;              ///< whether any input may be negative
  /// A sample's errors and its inputs, each where they are or in `room`, which has place for 16
  /// more; called on several threads at once.
  std::function<const float*(Index sample, float* room)> d{};
  std::function<const float*(Index sample, float* room)> x{};
};

/// Counts of coincidences. For each sample s every wordline k fires in a slot with probability
/// P_k = min(1, A_s |x_sk|), every bitline o with Q_o = min(1, B_s |d_so|), independently;
/// A_s B_s BL_s = rate, so that the expected count at a crosspoint is rate |x_sk d_so|. Where both
/// fire the cell (o, k) gets one pulse: up for x d > 0, down for x d < 0. All cells of a line share
/// its pulses, as in an array.
///   update management  A = g sqrt(rate/BL_s), B = sqrt(rate/BL_s)/g, g = sqrt(max|d_s| /
///   max|x_s|);
///                      without it g = 1
///   length management  BL_s = min(BL, ceil(rate max|x_s| max|d_s|)), 0 where that is 0; without it
///                      BL
/// [Gokmen2016, Gokmen2017]
///
/// A slot's draw is a byte. Over a train the threshold steps between the two nearest multiples of
/// 1/256 so that its mean is P, from a random start: every slot has probability P to 2^-24, and
/// the sum of the thresholds of a train is within 1/256 of BL_s P, so that its number of pulses is
/// binomial to within a variance of 2^-16. Counts are the same with every number of threads and
/// instruction set.
class PulseTrains {
 public:
  /// @throws InvalidArgument as check_pulse_train_options, or sizes < 1
  PulseTrains(Index outputs, Index inputs, const PulseTrainOptions& options);

  /// Forgets all samples.
  void clear();

  /// Draws the trains of further samples, on all cores. The draws of a sample depend on `noise`,
  /// its number and that of its slots since clear() only: not on how samples are split over calls.
  /// @param rate  pulses at x d = 1, >= 0
  /// @param d  samples x outputs, row-major; x: samples x inputs
  /// @throws InvalidArgument for a rate or a value that is not finite; nothing has been added then
  void add(Index samples, double rate, const float* d, const float* x, const RandomStream& noise);
  void add(const TrainSamples& samples, double rate, const RandomStream& noise);

  /// Pulses to the cells of one output, inputs() each; thread-safe. What was added last is summed
  /// up here: once an output is enough.
  void count(Index output, std::span<float> up, std::span<float> down) const;

  [[nodiscard]] Index outputs() const { return outputs_; }
  [[nodiscard]] Index inputs() const { return inputs_; }
  /// Slots of all samples: the time that the update takes is this many pulses'.
  [[nodiscard]] std::uint64_t slots() const { return slots_; }
  /// Slots in which each line is expected to fire, sum over the samples of BL P and of BL Q; empty
  /// unless asked for.
  [[nodiscard]] std::span<const float> input_fires() const { return input_fires_; }
  [[nodiscard]] std::span<const float> output_fires() const { return output_fires_; }

 private:
  /// A sample's train: what makes probabilities of its values, and its slots.
  struct Train {
    float input_scale = 0;
    float output_scale = 0;
    std::uint64_t first_slot = 0;  // since clear()
    std::uint64_t length = 0;
  };
  using Bits = Eigen::Matrix<std::uint64_t, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  /// What a block of slots is drawn from.
  struct Drawing {
    const TrainSamples& samples;
    RandomStream output_slots;
    RandomStream output_phases;
    RandomStream input_slots;
    RandomStream input_phases;
    std::uint64_t first = 0;  // of its slots, since clear()
    std::uint64_t end = 0;
  };

  void plan(const TrainSamples& samples, double rate);
  void draw(const Drawing& drawing, Index first_word, Index last_word);
  [[nodiscard]] static Index plane_count(std::uint64_t slots);
  void settle();
  void sum_block(Index first, Index last, std::uint64_t* planes, Index stride, Index total) const;
  void expect_fires(const TrainSamples& samples);

  Index outputs_ = 0;
  Index inputs_ = 0;
  Index words_ = 0;      // of 64 inputs
  Index row_words_ = 0;  // a power of 2
  PulseTrainOptions options_;
  std::uint64_t samples_ = 0;
  std::uint64_t slots_ = 0;
  std::vector<Train> trains_;  // of the samples being added
  // Of these, where they are surveyed here.
  std::vector<float> largest_d_;
  std::vector<float> largest_x_;
  // A block of slots at a time: which inputs fire in a slot, positive ones in row t, negative ones
  // in row half_rows_ + t, undefined where no output fires; and in which slots an output fires,
  // with a positive error and with a negative one. It waits to be summed until counts are wanted or
  // the next one comes.
  Index block_words_ = 0;  // of 64 slots; 0: none waits
  bool block_negative_ = false;
  Index half_rows_ = 0;  // a power of 2
  std::vector<std::uint64_t> rows_;
  std::vector<std::uint64_t> fires_;
  // Counts up and down of each output but for that block; plane q, words_ words, holds bit q of
  // them.
  Bits planes_;
  std::vector<float> input_fires_;
  std::vector<float> output_fires_;
  Index planes_there_ = 0;
  Index used_planes_ = 0;
};

}  // namespace xbar::device
