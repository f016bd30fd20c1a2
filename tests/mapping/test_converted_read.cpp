#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <vector>

#include <xbar/core/random.hpp>
#include <xbar/mapping/converted_read.hpp>

#include "support/catch.hpp"

using xbar::Index;
using xbar::Matrix;
using xbar::MatrixF;
using xbar::RandomStream;
using namespace xbar::mapping;
using xbar_test::Contains;
using xbar_test::WithinRel;

namespace {

// Multiples of 1/64 in (-1, 1): sums of them and whole numbers are exact in single precision.
MatrixF coarse_matrix(Index rows, Index columns, const char* name) {
  const RandomStream stream(7, name);
  MatrixF result(rows, columns);
  for (Index i = 0; i < result.size(); ++i) {
    result.data()[i] =
        static_cast<float>(std::round(stream.uniform(static_cast<std::uint64_t>(i), -63, 63)) / 64);
  }
  return result;
}

// A layer's arrays, as the reference sees them.
struct Arrays {
  std::vector<MatrixF> effective;  // outputs x lines
  std::vector<float> coefficients;
  MatrixF gain;  // outputs x tile rows
  std::vector<Index> line_of_input;

  Arrays(Index outputs, Index inputs, Index lines, Index tile_lines, int count) {
    for (int a = 0; a < count; ++a) {
      effective.push_back(coarse_matrix(outputs, lines, a == 0 ? "first" : "second"));
      coefficients.push_back(a == 0 ? 0.75F : -0.2F);
    }
    gain = coarse_matrix(outputs, (lines + tile_lines - 1) / tile_lines, "gain");
    // Inputs on the lines from the last one on.
    for (Index k = 0; k < inputs; ++k) line_of_input.push_back(lines - 1 - k);
  }

  [[nodiscard]] std::vector<ArrayView> views() const {
    std::vector<ArrayView> result;
    for (std::size_t a = 0; a < effective.size(); ++a) {
      result.push_back({.values = effective[a].data(),
                        .output_stride = effective[a].cols(),
                        .line_stride = 1,
                        .coefficient = coefficients[a],
                        .gain = gain.data()});
    }
    return result;
  }
};

struct Result {
  Matrix y;
  Matrix slope;
};

// y, outputs x positions, of x, inputs x positions, by the read's own batch.
Result read_all(ConvertedRead& read, const MatrixF& x) {
  read.begin_batch(x.data(), x.size());
  MatrixF codes(x.rows(), x.cols());
  const auto source = [&](Index k, Index first, Index count, float* out) {
    std::copy_n(codes.data() + k * codes.cols() + first, count, out);
  };
  read.digitise(x.data(), x.size(), codes.data());
  if (read.needs_calibration()) read.calibrate(source, x.cols());
  Result result{Matrix::Constant(read.shape().outputs, x.cols(), NAN),
                Matrix::Zero(read.shape().outputs, x.cols())};
  read.read(
      source,
      [&](Index o, Index first, Index count, const float* y, const float* slope) {
        for (Index p = 0; p < count; ++p) {
          result.y(o, first + p) = static_cast<double>(y[p]);
          if (slope != nullptr) result.slope(o, first + p) = static_cast<double>(slope[p]);
        }
      },
      x.cols());
  return result;
}

// The equation of ConvertedRead in double precision, one sum after the other. `wrong` bounds how
// far off the ADC's input may be, in its steps: low and high are the y between which the read is.
struct Reference {
  Matrix y, low, high, slope, largest_size;
};
Reference reference(const ConvertedRead& read, const Arrays& arrays, const MatrixF& x,
                    double wrong = 0) {
  const Converters& c = read.converters();
  const Index outputs = read.shape().outputs;
  const Index tile_lines = read.shape().tile_lines;
  const Index lines = arrays.effective[0].cols();
  const double dac_step =
      c.present() ? static_cast<double>(read.dac_range()) / c.input_limit() : 1.0;
  const double adc_step =
      c.adc_bits > 0 ? static_cast<double>(read.adc_range()) / c.adc_code_limit() : 1.0;
  Reference r;
  r.y = r.low = r.high = r.slope = r.largest_size = Matrix::Zero(outputs, x.cols());
  for (Index p = 0; p < x.cols(); ++p) {
    std::vector<double> on_line(static_cast<std::size_t>(lines), 0.0);
    for (Index k = 0; k < x.rows(); ++k) {
      double code = static_cast<double>(x(k, p)) / dac_step;
      if (c.input_bits > 0) {
        code = std::clamp(std::nearbyint(code), -1.0 * c.input_limit(), 1.0 * c.input_limit());
      }
      on_line[static_cast<std::size_t>(arrays.line_of_input[static_cast<std::size_t>(k)])] = code;
    }
    for (Index o = 0; o < outputs; ++o) {
      for (std::size_t a = 0; a < arrays.effective.size(); ++a) {
        for (Index t = 0; t * tile_lines < lines; ++t) {
          const double weight = static_cast<double>(arrays.coefficients[a]) *
                                static_cast<double>(arrays.gain(o, t)) * dac_step * adc_step;
          for (int s = 0; s < c.streams(); ++s) {
            double v = 0;
            for (Index l = t * tile_lines; l < std::min(lines, (t + 1) * tile_lines); ++l) {
              double digit = on_line[static_cast<std::size_t>(l)];
              if (c.streams() > 1) {
                const int size = static_cast<int>(std::abs(digit));
                const int bits = (size >> (s * c.digit_bits())) & c.digit_limit();
                digit = digit < 0 ? -bits : bits;
              }
              v += static_cast<double>(arrays.effective[a](o, l)) * digit;
            }
            r.largest_size(o, p) = std::max(r.largest_size(o, p), std::abs(v));
            const double place = std::ldexp(weight, s * c.digit_bits());
            const auto code = [&](double u) {
              if (c.adc_bits == 0) return u;
              const double limit = c.adc_code_limit();
              return std::clamp(std::nearbyint(u), -limit, limit);
            };
            const double u = v / adc_step;
            r.y(o, p) += place * code(u);
            r.low(o, p) += std::min(place * code(u - wrong), place * code(u + wrong));
            r.high(o, p) += std::max(place * code(u - wrong), place * code(u + wrong));
            const bool inside = std::abs(u) <= c.adc_code_limit();
            r.slope(o, p) += place / adc_step / c.adc_code_limit() * (code(u) - (inside ? u : 0));
          }
        }
      }
    }
  }
  return r;
}

MatrixF random_inputs(Index inputs, Index positions) {
  const RandomStream stream(3, "x");
  MatrixF x(inputs, positions);
  for (Index i = 0; i < x.size(); ++i) {
    x.data()[i] = static_cast<float>(stream.normal(static_cast<std::uint64_t>(i)));
  }
  return x;
}

double worst(const Matrix& difference) {
  double most = 0;
  for (Index i = 0; i < difference.size(); ++i) {
    const double size = std::abs(difference.data()[i]);
    most = size <= most ? most : size;  // a NaN becomes the worst
  }
  return most;
}

}  // namespace

TEST_CASE("mapping/converted_read: two lines by hand, ties to even") {
  // DAC of 3 bits: codes -3 .. 3, step 0.5 at a range of 1.5. ADC of 8 bits with a range of 127:
  // step 1.
  ConvertedRead read({.outputs = 1, .inputs = 2, .tile_lines = 2, .full_cell = 1},
                     {.input_bits = 3,
                      .dac_range = DacRange::fixed,
                      .dac_limit = 1.5,
                      .adc_bits = 8,
                      .adc_range = AdcRange::fixed,
                      .adc_limit = 127.0 / 3});
  CHECK_THAT(static_cast<double>(read.adc_range()), WithinRel(127, 1e-6));
  read.set_adc_range(127);
  const float e[] = {0.5F, 1.0F};
  read.set_arrays({{.values = e, .coefficient = 2}}, {});
  MatrixF x(2, 7);
  // codes   1    2 (of 1.25: tie of 2.5)  -1   -3   3 (clipped)   0 (tie of 0.5)  -2 (tie of -1.5)
  x << 0.5F, 1.25F, -0.5F, -1.5F, 9.0F, 0.25F, -0.75F,  //
      0, 0, 0, 0, 0, 1.5F, 1.5F;
  // currents 0.5, 1, -0.5, -1.5, 1.5, 3, 2; codes 0, 1, 0, -2, 2, 3, 2; y = 2 * 0.5 * code.
  const double expected[] = {0, 1, 0, -2, 2, 3, 2};
  const Result result = read_all(read, x);
  for (Index p = 0; p < 7; ++p) {
    INFO("position " << p);
    CHECK(result.y(0, p) == expected[p]);
  }
}

TEST_CASE("mapping/converted_read: ideal converters give the plain product") {
  // 150 inputs on 160 lines, 3 tile rows, more positions than a block.
  const Arrays arrays(37, 150, 160, 64, 2);
  ConvertedRead read({.outputs = 37, .inputs = 150, .tile_lines = 64, .full_cell = 1}, {});
  read.set_arrays(arrays.views(), arrays.line_of_input);
  const MatrixF x = random_inputs(150, 141);
  const Reference expected = reference(read, arrays, x);
  // Sums of 300 terms of size <= 1, each rounded to 6e-8 of a sum below 100.
  CHECK(worst(read_all(read, x).y - expected.y) <= 1e-4);
}

TEST_CASE("mapping/converted_read: reads agree with the equation, number by number") {
  struct Case {
    int input_bits, dac_bits, adc_bits, arrays;
    Index tile_lines;
  };
  const Case k = GENERATE(Case{8, 0, 8, 1, 64}, Case{8, 0, 0, 2, 32}, Case{0, 0, 6, 2, 64},
                          Case{6, 2, 5, 2, 64}, Case{9, 3, 9, 1, 100}, Case{8, 1, 9, 2, 64},
                          Case{4, 0, 16, 2, 7});
  INFO("bits " << k.input_bits << " " << k.dac_bits << " " << k.adc_bits << ", arrays " << k.arrays
               << ", lines " << k.tile_lines);
  const Arrays arrays(37, 150, 160, k.tile_lines, k.arrays);
  // A range that no multiple of 1/64 is a tie of, and that some currents exceed.
  const Converters converters{.input_bits = k.input_bits,
                              .dac_bits = k.dac_bits,
                              .adc_bits = k.adc_bits,
                              .adc_range = AdcRange::fixed,
                              .adc_limit = 2.71828};
  ConvertedRead read({.outputs = 37, .inputs = 150, .tile_lines = k.tile_lines, .full_cell = 1.1F},
                     converters);
  read.allow_fixed_point(false);
  read.set_arrays(arrays.views(), arrays.line_of_input);
  CHECK_FALSE(read.in_fixed_point());
  const MatrixF x = random_inputs(150, 41);
  const Matrix y = read_all(read, x).y;
  CHECK(static_cast<double>(read.dac_range()) == static_cast<double>(x.cwiseAbs().maxCoeff()));
  const Reference expected = reference(read, arrays, x, 1e-4);
  // Codes and currents are exact but for rounding of v / step; what is left is the adding up.
  const double rounding = 1e-5 * expected.y.cwiseAbs().maxCoeff();
  CHECK(worst((y - expected.high).cwiseMax(0)) <= rounding);
  CHECK(worst((expected.low - y).cwiseMax(0)) <= rounding);
  // Hardly any current lies within 1e-4 of a tie.
  const double differing = ((y - expected.y).cwiseAbs().array() > rounding).cast<double>().mean();
  CHECK(differing <= 0.02);
}

TEST_CASE("mapping/converted_read: fixed point stays within its error of the equation") {
  const Index tile_lines = GENERATE(64, 100, 16);
  const int arrays_count = GENERATE(1, 2);
  INFO("lines " << tile_lines << ", arrays " << arrays_count);
  const Index lines = 160;
  Arrays arrays(37, 150, lines, tile_lines, arrays_count);
  const Converters converters{
      .input_bits = 8, .dac_bits = 1, .adc_bits = 8, .adc_range = AdcRange::full_scale};
  ConvertedRead read({.outputs = 37, .inputs = 150, .tile_lines = tile_lines, .full_cell = 1},
                     converters);
  read.set_arrays(arrays.views(), arrays.line_of_input);
  REQUIRE(read.in_fixed_point());
  const MatrixF x = random_inputs(150, 77);
  const Matrix y = read_all(read, x).y;

  // Each E is rounded to 1 / scale, see docs/theory.md; ties may go up.
  double most = 0;
  for (const MatrixF& e : arrays.effective) {
    for (Index t = 0; t * tile_lines < lines; ++t) {
      const Index count = std::min(tile_lines, lines - t * tile_lines);
      most = std::max(
          most, static_cast<double>(
                    e.middleCols(t * tile_lines, count).cwiseAbs().rowwise().sum().maxCoeff()));
    }
  }
  const double step = static_cast<double>(read.adc_range()) / 127;
  const double most_scale = (32767 - 0.5 * static_cast<double>(tile_lines)) / most;
  const double scale = 32768 / ((std::ceil(32768 / (most_scale * step)) + 1) * step);
  const double wrong = 0.5 * static_cast<double>(tile_lines) / scale / step + 1e-6;
  CHECK(wrong < 0.2);  // of a step, if all lines were wrong by the most and on
  const Reference expected = reference(read, arrays, x, wrong);
  const double rounding = 1e-5 * expected.y.cwiseAbs().maxCoeff();
  CHECK(worst((y - expected.high).cwiseMax(0)) <= rounding);
  CHECK(worst((expected.low - y).cwiseMax(0)) <= rounding);
  // Close to the floating-point read as a whole: what differs are few codes by 1.
  read.allow_fixed_point(false);
  read.set_arrays(arrays.views(), arrays.line_of_input);
  const Matrix in_float = read_all(read, x).y;
  CHECK((y - in_float).norm() <= 0.05 * in_float.norm());
}

TEST_CASE("mapping/converted_read: currents beyond the range clip in fixed point too") {
  const std::vector<float> e(64, 1.0F);
  ConvertedRead read({.outputs = 1, .inputs = 64, .tile_lines = 64, .full_cell = 1},
                     {.input_bits = 2,
                      .dac_bits = 1,
                      .adc_bits = 8,
                      .adc_range = AdcRange::fixed,
                      .adc_limit = 20});
  read.set_arrays({{.values = e.data()}}, {});
  REQUIRE(read.in_fixed_point());
  MatrixF x = MatrixF::Zero(64, 3);
  x.col(0).setOnes();  // 64, of which 20 are seen
  x.col(1).setConstant(-1.0F);
  x.col(2).head(10).setOnes();  // 10 = 63.5 steps of 20 / 127: 63 or 64 of them
  const Matrix y = read_all(read, x).y;
  CHECK_THAT(y(0, 0), WithinRel(20, 1e-6));
  CHECK_THAT(y(0, 1), WithinRel(-20, 1e-6));
  CHECK(std::abs(y(0, 2) - 10) <= 0.51 * 20 / 127);
}

TEST_CASE("mapping/converted_read: calibrated ranges are mean percentiles of the first batches") {
  const Arrays arrays(5, 40, 40, 16, 2);
  Converters converters{.input_bits = 8,
                        .dac_range = DacRange::calibrated,
                        .adc_bits = 8,
                        .adc_range = AdcRange::calibrated,
                        .percentile = 100,
                        .calibration_batches = 2};
  const ReadShape shape{.outputs = 5, .inputs = 40, .tile_lines = 16, .full_cell = 1};
  ConvertedRead read(shape, converters);
  read.set_arrays(arrays.views(), arrays.line_of_input);
  const MatrixF x = random_inputs(40, 33);
  const double top = static_cast<double>(x.cwiseAbs().maxCoeff());
  CHECK(read.needs_calibration());
  read_all(read, x);
  CHECK_THAT(static_cast<double>(read.dac_range()), WithinRel(top, 1e-6));
  const double first = static_cast<double>(read.adc_range());
  CHECK_THAT(first, WithinRel(reference(read, arrays, x).largest_size.maxCoeff(), 1e-5));
  CHECK(read.needs_calibration());
  read_all(read, 3.0F * x);
  CHECK_THAT(static_cast<double>(read.dac_range()), WithinRel(2 * top, 1e-6));
  CHECK_FALSE(read.needs_calibration());
  // Clipped inputs aside, the second batch drives the lines with 3/2 the codes.
  CHECK(static_cast<double>(read.adc_range()) > first);
  const ConvertedRead::State state = read.state();
  const Matrix y = read_all(read, 9.0F * x).y;
  CHECK_THAT(static_cast<double>(read.dac_range()), WithinRel(2 * top, 1e-6));

  ConvertedRead later(shape, converters);
  later.restore(state);
  later.set_arrays(arrays.views(), arrays.line_of_input);
  CHECK(read_all(later, 9.0F * x).y == y);

  // Half of the values are at most the median.
  converters.percentile = 50;
  ConvertedRead median(shape, converters);
  median.set_arrays(arrays.views(), arrays.line_of_input);
  read_all(median, x);
  const double share = (x.cwiseAbs().array() <= median.dac_range()).cast<double>().mean();
  CHECK(std::abs(share - 0.5) <= 1.0 / static_cast<double>(x.size()));
}

TEST_CASE("mapping/converted_read: slope and DAC gradient of learned ranges") {
  const Arrays arrays(9, 40, 40, 16, 2);
  ConvertedRead read({.outputs = 9, .inputs = 40, .tile_lines = 16, .full_cell = 1},
                     {.input_bits = 4,
                      .dac_range = DacRange::learned,
                      .adc_bits = 5,
                      .adc_range = AdcRange::learned});
  read.set_arrays(arrays.views(), arrays.line_of_input);
  read.set_dac_range(1.3F);
  read.set_adc_range(9.871F);
  const MatrixF x = random_inputs(40, 50);
  const Result result = read_all(read, x);
  const Reference expected = reference(read, arrays, x);
  CHECK(worst(result.slope - expected.slope) <= 1e-4);
  CHECK(expected.slope.cwiseAbs().maxCoeff() > 0.05);

  // DAC: range 1.4, codes to 7, step 0.2.
  read.set_dac_range(1.4F);
  const float inputs[] = {0.27F, -0.27F, 2.0F, -2.0F};
  float dx[] = {1, 10, 100, 1000};
  // (round(1.35) - 1.35), (round(-1.35) + 1.35), 7, -7, each / 7.
  const double sum = (-0.35 * 1 + 0.35 * 10 + 7 * 100 - 7 * 1000) / 7;
  CHECK_THAT(read.dac_gradient(inputs, 4, dx), WithinRel(sum, 1e-5));
  CHECK(dx[0] == 1);
  CHECK(dx[1] == 10);
  CHECK(dx[2] == 0);
  CHECK(dx[3] == 0);
  CHECK(ConvertedRead::range_gradient_scale(100, 16) == 0.025);
}

TEST_CASE("mapping/converted_read: NaN and zero inputs") {
  const Converters converters = GENERATE(Converters{.input_bits = 8, .adc_bits = 8},
                                         Converters{.input_bits = 8, .dac_bits = 1, .adc_bits = 8});
  const Arrays arrays(3, 20, 20, 16, 1);
  ConvertedRead read({.outputs = 3, .inputs = 20, .tile_lines = 16, .full_cell = 1}, converters);
  read.set_arrays(arrays.views(), arrays.line_of_input);
  MatrixF x = MatrixF::Zero(20, 4);
  CHECK(read_all(read, x).y == Matrix::Zero(3, 4));
  x(0, 0) = std::numeric_limits<float>::quiet_NaN();
  CHECK(std::isnan(read_all(read, x).y(0, 0)));
}

TEST_CASE("mapping/converted_read: bad sizes and lines are refused") {
  CHECK_THROWS_WITH(ConvertedRead({.outputs = 0, .inputs = 2}, {}),
                    Contains("expected outputs, inputs and lines of a tile >= 1, got 0, 2"));
  CHECK_THROWS_WITH(ConvertedRead({.outputs = 1, .inputs = 2, .full_cell = 0}, {}),
                    Contains("full cell"));
  ConvertedRead read({.outputs = 1, .inputs = 2}, {});
  const float e[] = {1, 1, 1};
  CHECK_THROWS_WITH(read.set_arrays({}, {}), Contains("arrays: expected at least one"));
  CHECK_THROWS_WITH(read.set_arrays({{.values = e}}, {0}), Contains("expected 2, got 1"));
  CHECK_THROWS_WITH(read.set_arrays({{.values = e}}, {1, 1}), Contains("line 1"));
  CHECK_THROWS_WITH(read.set_arrays({{.values = e}}, {-1, 1}), Contains("got -1"));
  CHECK_THROWS_WITH(read.set_adc_range(0), Contains("ADC range"));
  CHECK_THROWS_WITH(read.set_dac_range(NAN), Contains("DAC range"));
}

TEST_CASE("mapping/converted_read: in training a calibrated range follows, also in fixed point") {
  // Bit-serial reads pack whole numbers once the range is known; measuring anew wants floats.
  const int dac_bits = GENERATE(0, 1);
  CAPTURE(dac_bits);
  const Arrays arrays(5, 40, 40, 16, 2);
  const Converters converters{.input_bits = 8,
                              .dac_bits = dac_bits,
                              .adc_bits = 8,
                              .adc_range = AdcRange::calibrated,
                              .percentile = 100,
                              .calibration_batches = 2};
  const ReadShape shape{.outputs = 5, .inputs = 40, .tile_lines = 16, .full_cell = 1};
  const MatrixF x = random_inputs(40, 33);
  Arrays larger = arrays;
  for (MatrixF& array : larger.effective) array *= 3.0F;
  const auto range_after = [&](bool following, int stop) {
    ConvertedRead read(shape, converters);
    std::optional<ConvertedRead> later;
    float range = 0;
    for (int k = 0; k < 100; ++k) {
      ConvertedRead& used = later ? *later : read;
      used.set_arrays(k < 2 ? arrays.views() : larger.views(), arrays.line_of_input);
      used.set_following(following);
      read_all(used, x);
      range = used.adc_range();
      if (k == stop) {
        later.emplace(shape, converters);
        later->restore(used.state());
      }
    }
    return range;
  };
  const float still = range_after(false, -1);
  const float followed = range_after(true, -1);
  // Three measurements, at passes 32, 64 and 96, each of weight 1/2: 1 - (1/2)^3 of the way from
  // 1 to 3.
  CHECK_THAT(followed / still, WithinRel(1 + 2 * 0.875F, 1e-3F));
  // Stopped and gone on with just before, at and after a measurement.
  for (const int stop : {30, 31, 32}) CHECK(range_after(true, stop) == followed);
}
