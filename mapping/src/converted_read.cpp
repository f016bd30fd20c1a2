#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <numeric>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/isa.hpp>
#include <xbar/core/parallel.hpp>
#include <xbar/mapping/converted_read.hpp>

#include "kernels/read_kernels.hpp"

namespace xbar::mapping {
namespace {

constexpr Index ceil_divide(Index a, Index b) { return (a + b - 1) / b; }
constexpr Index rounded_up(Index a, Index b) { return ceil_divide(a, b) * b; }

// Memory on a cache-line boundary that registers can be loaded from.
template <typename Element>
struct alignas(64) CacheLine {
  Element values[64 / sizeof(Element)];
};
using FloatMemory = std::vector<CacheLine<float>>;

// Room for so many elements; what is in it is unspecified.
template <typename Element, typename Line>
Element* room(std::vector<Line>& memory, Index count) {
  const auto lines = static_cast<std::size_t>(
      ceil_divide(count, static_cast<Index>(sizeof(Line) / sizeof(Element))));
  if (memory.size() < lines) memory.resize(lines);
  return memory.data()->values;
}

// The smallest value that at least `percent` of the finite ones do not exceed; 0 without any.
float percentile_of(std::vector<float>& values, double percent) {
  std::erase_if(values, [](float value) { return !std::isfinite(value); });
  if (values.empty()) return 0;
  const auto count = static_cast<double>(values.size());
  const auto place =
      static_cast<std::ptrdiff_t>(std::clamp(std::ceil(percent / 100 * count) - 1, 0.0, count - 1));
  std::nth_element(values.begin(), values.begin() + place, values.end());
  return values[static_cast<std::size_t>(place)];
}

// Mean of the first `most` measurements; from then on it follows the new ones, as much as one of
// so many counts.
void take_measurement(float measured, int most, float& range, std::int32_t& batches) {
  if (!(measured > 0) || !std::isfinite(measured)) return;
  const std::int32_t before = std::min(batches, most - 1);
  range = (range * static_cast<float>(before) + measured) / static_cast<float>(before + 1);
  batches = before + 1;
}

// Batches of training from one measurement of a calibrated range to the next.
constexpr std::int32_t batches_between = 32;

}  // namespace

struct ConvertedRead::Scratch {
  FloatMemory codes_memory, digits_memory, weight_memory, y_memory, slope_memory, turned_memory;
  std::vector<std::uint64_t> plus, minus;
  Index stride = 0;  // of codes, digits and y in floating point
  float* codes = nullptr;
  float* turned = nullptr;  // y in fixed point, positions x outputs
  float* y = nullptr;
  float* slope = nullptr;
};

ConvertedRead::ConvertedRead(const ReadShape& shape, const Converters& converters)
    : shape_(shape), converters_(converters) {
  check_converters(converters);
  if (shape.outputs < 1 || shape.inputs < 1 || shape.tile_lines < 1) {
    throw InvalidArgument(
        fmt::format("converted read: expected outputs, inputs and lines of a tile >= 1, got {}, {} "
                    "and {}",
                    shape.outputs, shape.inputs, shape.tile_lines));
  }
  if (!(shape.full_cell > 0) || !std::isfinite(shape.full_cell)) {
    throw InvalidArgument(
        fmt::format("converted read: expected a finite full cell > 0, got {}", shape.full_cell));
  }
  if (converters.dac_range == DacRange::fixed) {
    dac_range_ = static_cast<float>(converters.dac_limit);
  }
  if (converters.adc_range == AdcRange::full_scale) {
    adc_range_ = full_scale();
  } else if (converters.adc_range == AdcRange::fixed) {
    adc_range_ = full_scale() / static_cast<float>(shape.tile_lines) *
                 static_cast<float>(converters.adc_limit);
  }
}

float ConvertedRead::full_scale() const {
  return static_cast<float>(shape_.tile_lines) * static_cast<float>(converters_.digit_limit()) *
         shape_.full_cell;
}

// --- arrays --------------------------------------------------------------------------------------

float ConvertedRead::gain(Index array, Index t, Index o) const {
  return gain_[static_cast<std::size_t>((array * tile_count() + t) * shape_.outputs + o)];
}

void ConvertedRead::place_inputs(const std::vector<Index>& line_of_input) {
  const Index inputs = shape_.inputs;
  if (!line_of_input.empty() && static_cast<Index>(line_of_input.size()) != inputs) {
    throw InvalidArgument(
        fmt::format("lines of the inputs: expected {}, got {}", inputs, line_of_input.size()));
  }
  const auto line = [&](Index k) {
    return line_of_input.empty() ? k : line_of_input[static_cast<std::size_t>(k)];
  };
  input_of_place_.resize(static_cast<std::size_t>(inputs));
  std::iota(input_of_place_.begin(), input_of_place_.end(), Index{0});
  std::sort(input_of_place_.begin(), input_of_place_.end(),
            [&](Index a, Index b) { return line(a) < line(b); });
  tile_begin_.assign(1, 0);
  for (Index place = 0; place < inputs; ++place) {
    const Index here = line(input_of_place_[static_cast<std::size_t>(place)]);
    if (here < 0)
      throw InvalidArgument(fmt::format("line of an input: expected >= 0, got {}", here));
    if (place > 0 && here == line(input_of_place_[static_cast<std::size_t>(place - 1)])) {
      throw InvalidArgument(fmt::format("line {} is given to two inputs", here));
    }
    while (here / shape_.tile_lines >= tile_count() + 1) tile_begin_.push_back(place);
  }
  tile_begin_.push_back(inputs);
}

void ConvertedRead::set_arrays(const std::vector<ArrayView>& arrays,
                               const std::vector<Index>& line_of_input) {
  if (arrays.empty()) throw InvalidArgument("arrays: expected at least one, got none");
  place_inputs(line_of_input);
  array_count_ = static_cast<Index>(arrays.size());
  const Index tiles = tile_count();
  gain_.resize(static_cast<std::size_t>(array_count_ * tiles * shape_.outputs));
  float* to = gain_.data();
  for (const ArrayView& array : arrays) {
    for (Index t = 0; t < tiles; ++t) {
      for (Index o = 0; o < shape_.outputs; ++o) {
        *to++ = array.coefficient * (array.gain == nullptr ? 1.0F : array.gain[o * tiles + t]);
      }
    }
  }
  serial_.units = 0;
  const auto line_of_place = [&](Index place) {
    const Index k = input_of_place_[static_cast<std::size_t>(place)];
    return line_of_input.empty() ? k : line_of_input[static_cast<std::size_t>(k)];
  };
  std::vector<Index> lines(static_cast<std::size_t>(shape_.inputs));
  for (Index place = 0; place < shape_.inputs; ++place) {
    lines[static_cast<std::size_t>(place)] = line_of_place(place);
  }
  const auto entry = [&](Index a, Index place, Index o) {
    const ArrayView& array = arrays[static_cast<std::size_t>(a)];
    return array.values[o * array.output_stride +
                        lines[static_cast<std::size_t>(place)] * array.line_stride];
  };
  if (adc_range_settled()) pack_fixed_point(entry);
  // The next measurement of a range in training is made with floats.
  const bool measured_next = (passes_ + 1) % batches_between == 0;
  if (!in_fixed_point() || measured_next) pack_floats(entry);
}

template <typename Entry>
void ConvertedRead::pack_floats(const Entry& entry) {
  const Index tiles = tile_count();
  floats_.blocks = ceil_divide(shape_.outputs, XBAR_DISPATCH(xbar::mapping, float_block_outputs)());
  floats_.block_outputs = ceil_divide(shape_.outputs, floats_.blocks);
  const Index width = floats_.block_outputs;
  floats_.packed.resize(static_cast<std::size_t>(array_count_ * tiles));
  parallel_for(array_count_ * tiles, [&](Index part) {
    const Index a = part / tiles;
    const Index t = part % tiles;
    const Index begin = tile_begin_[static_cast<std::size_t>(t)];
    const Index lines = tile_size(t);
    std::vector<float>& packed = floats_.packed[static_cast<std::size_t>(part)];
    packed.resize(static_cast<std::size_t>(floats_.blocks * width * lines));
    float* to = packed.data();
    for (Index b = 0; b < floats_.blocks; ++b) {
      for (Index l = 0; l < lines; ++l) {
        for (Index o = b * width; o < (b + 1) * width; ++o) {
          *to++ = o < shape_.outputs ? entry(a, begin + l, o) : 0.0F;
        }
      }
    }
  });
}

float ConvertedRead::packed_entry(Index array, Index place, Index o) const {
  const auto end = std::upper_bound(tile_begin_.begin(), tile_begin_.end() - 1, place);
  const Index t = end - tile_begin_.begin() - 1;
  const Index width = floats_.block_outputs;
  const Index line = (o / width) * tile_size(t) + place - tile_begin_[static_cast<std::size_t>(t)];
  return floats_.packed[static_cast<std::size_t>(array * tile_count() + t)]
                       [static_cast<std::size_t>(line * width + o % width)];
}

// E becomes whole numbers, E scale, such that no sum over a tile's lines leaves 16 bits, and that
// the ADC's step is 2^15 / factor of them with a whole factor; an odd one, for which ties are rare.
template <typename Entry>
void ConvertedRead::pack_fixed_point(const Entry& entry) {
  // A step of fewer whole numbers than this would not be resolved.
  constexpr double least_step = 32;
  constexpr double most_sum = 32767;
  const Converters& c = converters_;
  const Index longest = [&] {
    Index most = 0;
    for (Index t = 0; t < tile_count(); ++t) most = std::max(most, tile_size(t));
    return most;
  }();
  if (!fixed_point_allowed_ || c.input_bits < 2 || c.input_bits > 8 || c.digit_limit() != 1 ||
      c.adc_bits == 0 || c.adc_range == AdcRange::learned ||
      c.input_limit() * c.adc_code_limit() > 32767) {
    return;
  }
  const Index tiles = tile_count();
  std::vector<double> largest(static_cast<std::size_t>(tiles));
  parallel_for(tiles, [&](Index t) {
    double most = 0;
    for (Index a = 0; a < array_count_; ++a) {
      for (Index o = 0; o < shape_.outputs; ++o) {
        double sum = 0;
        for (Index place = tile_begin_[static_cast<std::size_t>(t)];
             place < tile_begin_[static_cast<std::size_t>(t + 1)]; ++place) {
          sum += std::abs(static_cast<double>(entry(a, place, o)));
        }
        if (!(sum <= most)) most = sum;
      }
    }
    largest[static_cast<std::size_t>(t)] = most;
  });
  double most = 0;
  for (const double sum : largest) {
    if (!(sum <= most)) most = sum;
  }
  const double step = static_cast<double>(adc_step());
  const double most_scale = (most_sum - 0.5 * static_cast<double>(longest)) / most;
  double factor = std::ceil(32768 / (most_scale * step));
  if (std::fmod(factor, 2) == 0) ++factor;
  if (!std::isfinite(most_scale) || !(factor <= 32768 / least_step)) return;
  const double scale = 32768 / (factor * step);

  serial_.factor = static_cast<std::int16_t>(factor);
  const Index sixteens = ceil_divide(shape_.outputs, unit_lanes);
  const Index units = rounded_up(sixteens * array_count_, 2);
  const Index group = XBAR_DISPATCH(xbar::mapping, serial_group_units)();
  serial_.output.assign(static_cast<std::size_t>(units), 0);
  for (Index u = 0; u < sixteens * array_count_; ++u) {
    serial_.output[static_cast<std::size_t>(u)] = u / array_count_ * unit_lanes;
  }
  serial_.packed.resize(static_cast<std::size_t>(tiles));
  parallel_for(tiles, [&](Index t) {
    const Index lines = tile_size(t);
    const Index chunks = ceil_divide(std::max<Index>(lines, 1), mask_lines);
    const Index begin = tile_begin_[static_cast<std::size_t>(t)];
    std::vector<FixedPointLanes>& packed = serial_.packed[static_cast<std::size_t>(t)];
    const Index size = chunks * (mask_lines + 1) * units * unit_lanes;
    auto* to = room<std::int16_t>(packed, size);
    std::fill(to, to + size, std::int16_t{0});
    for (Index first = 0; first < units; first += group) {
      const Index count = std::min(group, units - first);
      for (Index l = 0; l < lines; ++l) {
        const Index line = l / mask_lines * (mask_lines + 1) + l % mask_lines;
        for (Index u = first; u < std::min(first + count, sixteens * array_count_); ++u) {
          std::int16_t* lanes = to + (line * count + u - first) * unit_lanes;
          const Index first_output = u / array_count_ * unit_lanes;
          const Index outputs = std::min<Index>(unit_lanes, shape_.outputs - first_output);
          for (Index o = 0; o < outputs; ++o) {
            lanes[o] = static_cast<std::int16_t>(std::lrint(
                scale * static_cast<double>(entry(u % array_count_, begin + l, first_output + o))));
          }
        }
      }
      to += chunks * (mask_lines + 1) * count * unit_lanes;
    }
  });
  serial_.units = units;
  floats_ = {};
}

// --- ranges --------------------------------------------------------------------------------------

float ConvertedRead::dac_step() const {
  if (!converters_.present()) return 1;
  return dac_range_ / static_cast<float>(converters_.input_limit());
}

// Until a range is known, that of full scale.
float ConvertedRead::adc_step() const {
  const float range = adc_range_ > 0 ? adc_range_ : full_scale();
  return range / static_cast<float>(converters_.adc_code_limit());
}

bool ConvertedRead::adc_range_settled() const {
  if (!(adc_range_ > 0)) return false;
  return converters_.adc_range != AdcRange::calibrated ||
         adc_batches_ >= converters_.calibration_batches;
}

bool ConvertedRead::follows_now() const { return following_ && passes_ % batches_between == 0; }

bool ConvertedRead::needs_calibration() const {
  if (converters_.adc_bits == 0) return false;
  if (converters_.adc_range == AdcRange::calibrated) {
    return adc_batches_ < converters_.calibration_batches ||
           (follows_now() && !floats_.packed.empty());
  }
  return converters_.adc_range == AdcRange::learned && !(adc_range_ > 0);
}

void ConvertedRead::begin_batch(const float* x, Index count) {
  if (!converters_.present()) return;
  if (following_) ++passes_;
  const DacRange kind = converters_.dac_range;
  if (kind == DacRange::maximum) {
    constexpr Index chunk = 65536;
    std::vector<float> largest(static_cast<std::size_t>(ceil_divide(count, chunk)));
    const auto measure = [&](Index part) {
      largest[static_cast<std::size_t>(part)] = XBAR_DISPATCH(xbar::mapping, largest_magnitude)(
          x + part * chunk, std::min(chunk, count - part * chunk));
    };
    if (largest.size() == 1) {
      measure(0);
    } else {
      parallel_for(static_cast<Index>(largest.size()), measure);
    }
    dac_range_ = XBAR_DISPATCH(xbar::mapping, largest_magnitude)(
        largest.data(), static_cast<Index>(largest.size()));
    return;
  }
  const bool measured = kind == DacRange::calibrated
                            ? dac_batches_ < converters_.calibration_batches || follows_now()
                            : kind == DacRange::learned && !(dac_range_ > 0);
  if (!measured) return;
  constexpr Index most_values = 262144;
  const Index stride = ceil_divide(count, most_values) | 1;  // odd, to meet all channels
  std::vector<float> values;
  for (Index i = 0; i < count; i += stride) values.push_back(std::abs(x[i]));
  take_measurement(percentile_of(values, converters_.percentile), converters_.calibration_batches,
                   dac_range_, dac_batches_);
}

void ConvertedRead::calibrate(const Source& source, Index positions) {
  constexpr Index most_values = 1 << 18;
  const Index tiles = tile_count();
  const Index each = shape_.outputs * tiles * array_count_ * converters_.streams();
  const Index count = std::clamp<Index>(most_values / each, 1, std::min<Index>(positions, 256));
  Scratch scratch;
  scratch.stride = rounded_up(count, position_lanes);
  const Index padded_outputs = floats_.blocks * floats_.block_outputs;
  std::vector<float> values;
  values.reserve(static_cast<std::size_t>(each * count));
  const std::vector<float> unit(static_cast<std::size_t>(padded_outputs), 1.0F);
  for (Index t = 0; t < tiles; ++t) {
    const Index lines = tile_size(t);
    const Index size = lines * scratch.stride;
    float* codes = room<float>(scratch.codes_memory, size);
    float* digits = room<float>(scratch.digits_memory, size);
    float* y = room<float>(scratch.y_memory, padded_outputs * scratch.stride);
    std::fill(codes, codes + size, 0.0F);
    for (Index l = 0; l < lines; ++l) {
      for (Index p = 0; p < count; ++p) {
        source(tile_inputs(t)[l], p * positions / count, 1, codes + l * scratch.stride + p);
      }
    }
    for (int s = 0; s < converters_.streams(); ++s) {
      const float* driven = codes;
      if (converters_.streams() > 1) {
        XBAR_DISPATCH(xbar::mapping, take_digits)
        (codes, size, s * converters_.digit_bits(), converters_.digit_limit(), digits);
        driven = digits;
      }
      for (Index a = 0; a < array_count_; ++a) {
        std::fill(y, y + padded_outputs * scratch.stride, 0.0F);
        XBAR_DISPATCH(xbar::mapping, float_tile)
        ({.digits = driven,
          .stride = scratch.stride,
          .lines = lines,
          .positions = scratch.stride,
          .packed = floats_.packed[static_cast<std::size_t>(a * tiles + t)].data(),
          .blocks = floats_.blocks,
          .block_outputs = floats_.block_outputs,
          .weight = unit.data(),
          .y = y});
        for (Index o = 0; o < shape_.outputs; ++o) {
          for (Index p = 0; p < count; ++p) {
            values.push_back(std::abs(y[o * scratch.stride + p]));
          }
        }
      }
    }
  }
  take_measurement(percentile_of(values, converters_.percentile), converters_.calibration_batches,
                   adc_range_, adc_batches_);
  if (adc_range_settled()) {
    pack_fixed_point([&](Index a, Index place, Index o) { return packed_entry(a, place, o); });
  }
}

void ConvertedRead::set_dac_range(float range) {
  if (!(range > 0) || !std::isfinite(range)) {
    throw InvalidArgument(fmt::format("DAC range: expected a finite number > 0, got {}", range));
  }
  dac_range_ = range;
}

void ConvertedRead::set_adc_range(float range) {
  if (!(range > 0) || !std::isfinite(range)) {
    throw InvalidArgument(fmt::format("ADC range: expected a finite number > 0, got {}", range));
  }
  adc_range_ = range;
}

double ConvertedRead::dac_gradient(const float* x, Index count, float* dx) const {
  if (!clips_inputs()) return 0;
  const float limit = static_cast<float>(converters_.input_limit());
  const float inverse_step = 1 / dac_step();
  double sum = 0;
  for (Index i = 0; i < count; ++i) {
    const float place = x[i] * inverse_step;
    if (std::abs(place) > limit) {
      sum += static_cast<double>(dx[i]) * (place > 0 ? limit : -limit);
      dx[i] = 0;
    } else {
      sum += static_cast<double>(dx[i]) * (std::nearbyint(place) - place);
    }
  }
  return sum / limit;
}

double ConvertedRead::range_gradient_scale(Index values, int limit) {
  return 1 / std::sqrt(static_cast<double>(values) * limit);
}

ConvertedRead::State ConvertedRead::state() const {
  return {dac_range_, adc_range_, dac_batches_, adc_batches_, passes_};
}

void ConvertedRead::restore(const State& state) {
  dac_range_ = state.dac_range;
  adc_range_ = state.adc_range;
  dac_batches_ = state.dac_batches;
  adc_batches_ = state.adc_batches;
  passes_ = state.passes;
}

// --- reads ---------------------------------------------------------------------------------------

void ConvertedRead::digitise(const float* x, Index count, float* codes) const {
  const float step = dac_step();
  XBAR_DISPATCH(xbar::mapping, digitise)
  (x, count, step == 0 ? 0.0F : 1 / step,
   converters_.input_bits == 0 ? 0.0F : static_cast<float>(converters_.input_limit()), codes);
}

void ConvertedRead::fill(const Source& source, Index t, Index first, Index count,
                         Scratch& scratch) const {
  const Index lines = tile_size(t);
  const Index* inputs = tile_inputs(t);
  scratch.codes = room<float>(scratch.codes_memory, lines * scratch.stride);
  for (Index l = 0; l < lines; ++l) {
    float* row = scratch.codes + l * scratch.stride;
    source(inputs[l], first, count, row);
    // Digits are taken of whole lines.
    std::fill(row + count, row + scratch.stride, 0.0F);
  }
}

void ConvertedRead::read_floats(Index t, Index positions, Scratch& scratch) const {
  const Converters& c = converters_;
  const Index lines = tile_size(t);
  const float limit = c.adc_bits == 0 ? 0.0F : static_cast<float>(c.adc_code_limit());
  const float step = c.adc_bits == 0 ? 1.0F : adc_step();
  float* weight = room<float>(scratch.weight_memory, floats_.blocks * floats_.block_outputs);
  std::fill(weight, weight + floats_.blocks * floats_.block_outputs, 0.0F);
  for (int s = 0; s < c.streams(); ++s) {
    const float* digits = scratch.codes;
    if (c.streams() > 1) {
      float* taken = room<float>(scratch.digits_memory, lines * scratch.stride);
      XBAR_DISPATCH(xbar::mapping, take_digits)
      (scratch.codes, lines * scratch.stride, s * c.digit_bits(), c.digit_limit(), taken);
      digits = taken;
    }
    const float place = dac_step() * std::ldexp(step, s * c.digit_bits());
    for (Index a = 0; a < array_count_; ++a) {
      for (Index o = 0; o < shape_.outputs; ++o) weight[o] = place * gain(a, t, o);
      XBAR_DISPATCH(xbar::mapping, float_tile)
      ({.digits = digits,
        .stride = scratch.stride,
        .lines = lines,
        .positions = rounded_up(positions, position_lanes),
        .packed = floats_.packed[static_cast<std::size_t>(a * tile_count() + t)].data(),
        .blocks = floats_.blocks,
        .block_outputs = floats_.block_outputs,
        .weight = weight,
        .inverse_step = 1 / step,
        .limit = limit,
        .y = scratch.y,
        .slope = scratch.slope});
    }
  }
}

void ConvertedRead::read_fixed_point(Index t, Index positions, Scratch& scratch) const {
  const Converters& c = converters_;
  const Index lines = tile_size(t);
  const Index chunks = ceil_divide(std::max<Index>(lines, 1), mask_lines);
  const Index padded = rounded_up(positions, position_lanes);
  const Index words = c.streams() * padded;
  scratch.plus.resize(static_cast<std::size_t>(chunks * words));
  scratch.minus.resize(static_cast<std::size_t>(chunks * words));
  for (Index k = 0; k < chunks; ++k) {
    XBAR_DISPATCH(xbar::mapping, bit_masks)
    (scratch.codes + k * mask_lines * scratch.stride, scratch.stride,
     std::min(mask_lines, lines - k * mask_lines), padded, c.streams(),
     scratch.plus.data() + k * words, scratch.minus.data() + k * words);
  }
  float* weight = room<float>(scratch.weight_memory, serial_.units * unit_lanes);
  std::fill(weight, weight + serial_.units * unit_lanes, 0.0F);
  const float place = dac_step() * adc_step();
  for (Index u = 0; u < serial_.units; ++u) {
    const Index a = u % array_count_;
    const Index first = serial_.output[static_cast<std::size_t>(u)];
    if (u / array_count_ * unit_lanes != first) continue;  // fills up a register
    for (Index o = 0; o < std::min<Index>(unit_lanes, shape_.outputs - first); ++o) {
      weight[u * unit_lanes + o] = place * gain(a, t, first + o);
    }
  }
  XBAR_DISPATCH(xbar::mapping, serial_tile)
  ({.plus = scratch.plus.data(),
    .minus = scratch.minus.data(),
    .chunks = chunks,
    .streams = c.streams(),
    .positions = padded,
    .packed = serial_.packed[static_cast<std::size_t>(t)].data()->values,
    .units = serial_.units,
    .output = serial_.output.data(),
    .weight = weight,
    .factor = serial_.factor,
    .limit = static_cast<std::int16_t>(c.adc_code_limit()),
    .y = scratch.turned,
    .y_stride = rounded_up(shape_.outputs, unit_lanes)});
}

void ConvertedRead::read(const Source& source, const Sink& sink, Index positions) const {
  // The codes of a tile row fit the first-level cache, the sums the second-level one.
  constexpr Index most_positions = 128;
  constexpr Index most_sums = 131072;
  thread_local Scratch scratch;
  const bool fixed_point = in_fixed_point();
  const Index outputs =
      fixed_point ? rounded_up(shape_.outputs, unit_lanes) : floats_.blocks * floats_.block_outputs;
  const Index block = std::clamp<Index>(most_sums / outputs / position_lanes * position_lanes,
                                        position_lanes, most_positions);
  scratch.stride = block + 16;  // lines of codes in different sets of the cache
  const Index sums = outputs * scratch.stride;
  scratch.y = room<float>(scratch.y_memory, sums);
  const bool sloped = converters_.adc_bits > 0 && converters_.adc_range == AdcRange::learned;
  scratch.slope = sloped ? room<float>(scratch.slope_memory, sums) : nullptr;
  for (Index first = 0; first < positions; first += block) {
    const Index count = std::min(block, positions - first);
    const Index padded = rounded_up(count, position_lanes);
    if (fixed_point) {
      scratch.turned = room<float>(scratch.turned_memory, padded * outputs);
      std::fill(scratch.turned, scratch.turned + padded * outputs, 0.0F);
    } else {
      std::fill(scratch.y, scratch.y + sums, 0.0F);
      if (sloped) std::fill(scratch.slope, scratch.slope + sums, 0.0F);
    }
    for (Index t = 0; t < tile_count(); ++t) {
      fill(source, t, first, count, scratch);
      if (fixed_point) {
        read_fixed_point(t, count, scratch);
      } else {
        read_floats(t, count, scratch);
      }
    }
    if (fixed_point) {
      XBAR_DISPATCH(xbar::mapping, turn)
      (scratch.turned, outputs, padded, outputs, scratch.y, scratch.stride);
    }
    if (sloped) {
      const float per_range = 1 / (adc_step() * static_cast<float>(converters_.adc_code_limit()));
      for (Index i = 0; i < sums; ++i) scratch.slope[i] *= per_range;
    }
    for (Index o = 0; o < shape_.outputs; ++o) {
      sink(o, first, count, scratch.y + o * scratch.stride,
           sloped ? scratch.slope + o * scratch.stride : nullptr);
    }
  }
}

}  // namespace xbar::mapping
