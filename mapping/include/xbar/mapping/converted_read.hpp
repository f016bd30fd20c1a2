#pragma once

/// Products with a layer's arrays through DACs and ADCs.

#include <cstdint>
#include <functional>
#include <vector>

#include <xbar/core/matrix.hpp>
#include <xbar/mapping/converters.hpp>

namespace xbar::mapping {

/// One array, or a pair subtracted in analog, of all tiles of a layer: E(o,l), what current a unit
/// digit on line l gives at output o, in units of g_max - g_min; and the digital factor behind it.
struct ArrayView {
  const float* values = nullptr;  ///< E(o,l) = values[o * output_stride + l * line_stride]
  Index output_stride = 0;
  Index line_stride = 1;
  float coefficient = 1;  ///< c
  /// g(o,t), outputs x tile rows up to the last with an input; nullptr: 1
  const float* gain = nullptr;
};

/// What a layer's products are like, whatever is in its arrays.
struct ReadShape {
  Index outputs = 0;
  Index inputs = 0;
  Index tile_lines = 64;  ///< lines of a tile: tile row t has lines t*tile_lines and on
  float full_cell = 1;    ///< the largest E of a cell: of a single array g_max / (g_max - g_min)
};

/// One direction, forward or transposed, of one layer's reads. With the arrays a, tile rows t and
/// digits s of a layer, input k on line l(k) and code(k) = sum_s 2^(s dac_bits) digit_s(k):
///   y(o) = dac_step sum_{a,t} c_a g_a(o,t) sum_s 2^(s dac_bits)
///              ADC(sum_{l(k) in t} E_a(o,l(k)) digit_s(k)),
/// so that W_eff = sum_a c_a g_a E_a is what ideal converters compute.
///
/// Use: set_arrays after every change of the weights; begin_batch with the layer's whole input;
/// calibrate where needs_calibration(); then digitise and read, from several threads if need be.
class ConvertedRead {
 public:
  /// @throws InvalidArgument for sizes < 1 or bad converters
  ConvertedRead(const ReadShape& shape, const Converters& converters);

  [[nodiscard]] const ReadShape& shape() const { return shape_; }
  [[nodiscard]] const Converters& converters() const { return converters_; }

  /// Copies what the products need of the arrays.
  /// @param line_of_input  l(k), all different; empty: k. Lines without an input are at 0 V.
  /// @throws InvalidArgument if a line is given twice, or their number is not shape().inputs
  void set_arrays(const std::vector<ArrayView>& arrays, const std::vector<Index>& line_of_input);

  /// Sets the DAC's range by the `count` inputs x of a whole batch.
  void begin_batch(const float* x, Index count);

  /// codes(i), whole numbers as floats, of `count` inputs (x / dac_step for ideal DACs).
  void digitise(const float* x, Index count, float* codes) const;

  /// Writes the codes of input k at positions first .. first+count-1.
  using Source = std::function<void(Index k, Index first, Index count, float* codes)>;
  /// Takes y(o) at positions first .. first+count-1, and, where the ADC's range is learned,
  /// dy(o)/d adc_range there (else nullptr).
  using Sink =
      std::function<void(Index o, Index first, Index count, const float* y, const float* slope)>;

  /// In training, weights and signals change and calibrated ranges follow: they are measured anew
  /// every so many batches. Otherwise they stay once they are known.
  void set_following(bool following) { following_ = following; }

  /// Whether the ADC's range is still to be measured with this batch.
  [[nodiscard]] bool needs_calibration() const;
  /// Measures it at a sample of the positions 0 .. positions-1.
  void calibrate(const Source& source, Index positions);

  /// y at positions 0 .. positions-1. Blocks of positions come one after the other, in each the
  /// outputs in order.
  void read(const Source& source, const Sink& sink, Index positions) const;

  /// Wall-clock seconds of whole batches, conversions and products, noted by who runs them.
  void add_seconds(double seconds) { seconds_ += seconds; }
  [[nodiscard]] double seconds() const { return seconds_; }

  /// The ranges in use; 0: not yet known. Unit of the inputs; current of a unit E and digit.
  [[nodiscard]] float dac_range() const { return dac_range_; }
  [[nodiscard]] float adc_range() const { return adc_range_; }
  /// For learned ranges. @throws InvalidArgument unless positive and finite
  void set_dac_range(float range);
  void set_adc_range(float range);

  /// Whether inputs can lie beyond the DAC's range.
  [[nodiscard]] bool clips_inputs() const {
    return converters_.input_bits > 0 && converters_.dac_range != DacRange::maximum;
  }
  /// Straight-through gradient of the DAC [Esser2020]: in place dx = 0 where x was clipped by a
  /// range (clips_inputs()); returns d loss / d dac_range, unscaled, of these `count` inputs.
  double dac_gradient(const float* x, Index count, float* dx) const;

  /// Factor that [Esser2020] multiplies the gradient of a range by: 1 / sqrt(values * limit),
  /// `values` the numbers that share the range.
  [[nodiscard]] static double range_gradient_scale(Index values, int limit);

  /// What a later object needs to go on bit for bit.
  struct State {
    float dac_range = 0;
    float adc_range = 0;
    std::int32_t dac_batches = 0;  ///< that the calibrated range is the mean over so far
    std::int32_t adc_batches = 0;
    std::int32_t passes = 0;  ///< of training
  };
  [[nodiscard]] State state() const;
  /// set_arrays is to follow.
  void restore(const State& state);

  /// Bit-serial reads run in 16-bit fixed point where that is precise enough, see
  /// docs/theory.md; false: always in floating point, for comparisons. From the next set_arrays on.
  void allow_fixed_point(bool allowed) { fixed_point_allowed_ = allowed; }
  [[nodiscard]] bool in_fixed_point() const { return serial_.units > 0; }

 private:
  // What the kernels need of E, by arrays and tile rows.
  struct FloatArrays {
    long block_outputs = 0;
    long blocks = 0;
    std::vector<std::vector<float>> packed;  // array * tiles + tile
  };
  struct alignas(64) FixedPointLanes {
    std::int16_t values[32];
  };
  struct SerialArrays {
    long units = 0;
    std::vector<long> output;                          // first of each unit
    std::int16_t factor = 0;                           // of the ADC
    std::vector<std::vector<FixedPointLanes>> packed;  // of each tile
  };
  struct Scratch;

  [[nodiscard]] Index tile_count() const { return static_cast<Index>(tile_begin_.size()) - 1; }
  [[nodiscard]] Index tile_size(Index t) const {
    return tile_begin_[static_cast<std::size_t>(t + 1)] - tile_begin_[static_cast<std::size_t>(t)];
  }
  [[nodiscard]] const Index* tile_inputs(Index t) const {
    return input_of_place_.data() + tile_begin_[static_cast<std::size_t>(t)];
  }
  [[nodiscard]] float gain(Index array, Index t, Index o) const;
  [[nodiscard]] float dac_step() const;
  [[nodiscard]] float adc_step() const;
  [[nodiscard]] float full_scale() const;
  [[nodiscard]] bool adc_range_settled() const;
  [[nodiscard]] bool follows_now() const;
  void place_inputs(const std::vector<Index>& line_of_input);
  // From entry(array, place, o), places being the inputs in the order of their lines.
  template <typename Entry>
  void pack_floats(const Entry& entry);
  template <typename Entry>
  void pack_fixed_point(const Entry& entry);
  [[nodiscard]] float packed_entry(Index array, Index place, Index o) const;
  void fill(const Source& source, Index t, Index first, Index count, Scratch& scratch) const;
  void read_floats(Index t, Index positions, Scratch& scratch) const;
  void read_fixed_point(Index t, Index positions, Scratch& scratch) const;

  ReadShape shape_;
  Converters converters_;
  bool fixed_point_allowed_ = true;
  double seconds_ = 0;
  float dac_range_ = 0;
  float adc_range_ = 0;
  std::int32_t dac_batches_ = 0;
  std::int32_t adc_batches_ = 0;
  std::int32_t passes_ = 0;
  bool following_ = false;
  Index array_count_ = 0;
  std::vector<Index> input_of_place_;  // inputs sorted by line
  std::vector<Index> tile_begin_;      // first place of each tile row, and the end
  std::vector<float> gain_;            // c_a g_a(o,t) by array, tile row, output
  FloatArrays floats_;                 // one of the two is filled
  SerialArrays serial_;
};

}  // namespace xbar::mapping
