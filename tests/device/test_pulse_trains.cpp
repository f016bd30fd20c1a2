/// Counts of coincidences against laws, against a slow plain reference and, where every pulse is
/// sure, against counting.

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <xbar/core/error.hpp>
#include <xbar/core/one_thread.hpp>
#include <xbar/device/pulse_trains.hpp>

#include "support/catch.hpp"

using xbar::Index;
using xbar::Matrix;
using xbar::MatrixF;
using xbar::RandomStream;
using xbar::device::PulseTrainOptions;
using xbar::device::PulseTrains;

namespace {

struct Counts {
  MatrixF up, down;  // outputs x inputs
  bool operator==(const Counts& other) const { return up == other.up && down == other.down; }
};

Counts counts(const PulseTrains& trains) {
  Counts result{MatrixF::Constant(trains.outputs(), trains.inputs(), -1),
                MatrixF::Constant(trains.outputs(), trains.inputs(), -1)};
  const auto inputs = static_cast<std::size_t>(trains.inputs());
  for (Index o = 0; o < trains.outputs(); ++o) {
    trains.count(o, {result.up.row(o).data(), inputs}, {result.down.row(o).data(), inputs});
  }
  return result;
}

Counts counts_of(const PulseTrainOptions& options, double rate, const MatrixF& d, const MatrixF& x,
                 const RandomStream& noise) {
  PulseTrains trains(d.cols(), x.cols(), options);
  trains.add(d.rows(), rate, d.data(), x.data(), noise);
  return counts(trains);
}

/// Probabilities and slots of one sample, by the formulas of the header.
struct PlainTrain {
  std::vector<double> p, q;  // of inputs and outputs
  int length = 0;
};

PlainTrain plain_train(const PulseTrainOptions& options, double rate, const MatrixF& d,
                       const MatrixF& x, Index sample) {
  const double x_max = x.row(sample).cwiseAbs().maxCoeff();
  const double d_max = d.row(sample).cwiseAbs().maxCoeff();
  PlainTrain train;
  train.length = options.length;
  if (options.length_management) {
    train.length = std::min(options.length, static_cast<int>(std::ceil(rate * x_max * d_max)));
  }
  const bool any = rate * x_max * d_max > 0;
  const double gain = options.update_management && any ? std::sqrt(d_max / x_max) : 1;
  const double root = any ? std::sqrt(rate / train.length) : 0;
  for (Index k = 0; k < x.cols(); ++k) {
    train.p.push_back(std::min(1.0, gain * root * std::fabs(double{x(sample, k)})));
  }
  for (Index o = 0; o < d.cols(); ++o) {
    train.q.push_back(std::min(1.0, root / gain * std::fabs(double{d(sample, o)})));
  }
  return train;
}

/// One draw after the other.
Counts plain_counts(const PulseTrainOptions& options, double rate, const MatrixF& d,
                    const MatrixF& x, const RandomStream& noise) {
  Counts result{MatrixF::Zero(d.cols(), x.cols()), MatrixF::Zero(d.cols(), x.cols())};
  std::uint64_t draw = 0;
  for (Index s = 0; s < x.rows(); ++s) {
    const PlainTrain train = plain_train(options, rate, d, x, s);
    for (int t = 0; t < train.length; ++t) {
      std::vector<bool> wordline;
      std::vector<bool> bitline;
      for (const double p : train.p) wordline.push_back(noise.uniform(draw++) < p);
      for (const double q : train.q) bitline.push_back(noise.uniform(draw++) < q);
      for (Index o = 0; o < d.cols(); ++o) {
        for (Index k = 0; k < x.cols(); ++k) {
          if (!bitline[static_cast<std::size_t>(o)] || !wordline[static_cast<std::size_t>(k)]) {
            continue;
          }
          (d(s, o) * x(s, k) > 0 ? result.up : result.down)(o, k) += 1;
        }
      }
    }
  }
  return result;
}

/// Four samples of three errors and five inputs, of both signs: some zero, some so small that most
/// of the probability is below 1/256, and large enough for saturation at a rate of 60.
MatrixF some_errors() {
  MatrixF d(4, 3);
  d << 0.9F, -0.2F, 0.004F, -0.5F, 0.5F, 0, 0.03F, 1.1F, -0.7F, 0.25F, -1, 0.6F;
  return d;
}
MatrixF some_inputs() {
  MatrixF x(4, 5);
  x << 1, -0.3F, 0, 0.05F, 0.002F, 0.7F, 0.7F, -1.2F, 0.01F, 0.4F, -0.2F, 0.6F, 0.33F, -0.9F, 0,
      0.5F, -0.5F, 0.1F, 1.4F, -0.03F;
  return x;
}

std::vector<PulseTrainOptions> all_options() {
  return {{31, true, true}, {31, true, false}, {31, false, true}, {31, false, false}};
}

constexpr std::uint64_t repeats = 4000;

/// Every count of many runs, run by run.
std::vector<Counts> many_runs(const PulseTrainOptions& options, double rate) {
  const RandomStream noise(20260701, "test-trains");
  std::vector<Counts> runs;
  for (std::uint64_t r = 0; r < repeats; ++r) {
    runs.push_back(counts_of(options, rate, some_errors(), some_inputs(), noise.substream(r)));
  }
  return runs;
}

/// Moments of one kind of count at (o, k): slots are independent, with chances c in each.
struct Moments {
  double mean = 0, variance = 0, fourth = 0;
};

Moments expected(const PulseTrainOptions& options, double rate, Index o, Index k, bool up) {
  const MatrixF d = some_errors();
  const MatrixF x = some_inputs();
  Moments m;
  for (Index s = 0; s < x.rows(); ++s) {
    if ((d(s, o) * x(s, k) > 0) != up) continue;
    const PlainTrain train = plain_train(options, rate, d, x, s);
    const double c = train.q[static_cast<std::size_t>(o)] * train.p[static_cast<std::size_t>(k)];
    m.mean += train.length * c;
    m.variance += train.length * c * (1 - c);
    m.fourth += train.length * c * (1 - c) * (1 - 6 * c * (1 - c));  // 4th cumulant
  }
  m.fourth += 3 * m.variance * m.variance;
  return m;
}

/// Samples with values -1, 0 and 1 only.
MatrixF signs(Index rows, Index columns, const RandomStream& stream) {
  MatrixF values(rows, columns);
  for (Index e = 0; e < values.size(); ++e) {
    values.data()[e] = static_cast<float>(stream.below(static_cast<std::uint64_t>(e), 3)) - 1;
  }
  // So that the largest is 1 in each.
  for (Index s = 0; s < rows; ++s) values(s, s % columns) = s % 2 == 0 ? 1.0F : -1.0F;
  return values;
}

}  // namespace

TEST_CASE("device/pulse_trains: mean and variance of every count are those of the law",
          "[device][trains]") {
  // 240 comparisons at five standard errors: one in 7,000 such tests would fail by chance, the
  // seed being fixed it does not. Rates: nothing saturates; some probabilities are 1.
  for (const double rate : {10.0, 60.0}) {
    for (const PulseTrainOptions& options : all_options()) {
      const std::vector<Counts> runs = many_runs(options, rate);
      for (Index o = 0; o < 3; ++o) {
        for (Index k = 0; k < 5; ++k) {
          for (const bool up : {true, false}) {
            const Moments law = expected(options, rate, o, k, up);
            double mean = 0;
            double square = 0;
            for (const Counts& run : runs) {
              const double deviation = (up ? run.up : run.down)(o, k) - law.mean;
              mean += deviation / repeats;
              square += deviation * deviation / repeats;
            }
            CAPTURE(rate, options.update_management, options.length_management, o, k, up);
            // What rounding of probabilities to 2^-24 may do, besides.
            REQUIRE(std::fabs(mean) <= 5 * std::sqrt(law.variance / repeats) + 1e-4);
            REQUIRE(std::fabs(square - law.variance) <=
                    5 * std::sqrt((law.fourth - law.variance * law.variance) / repeats) +
                        0.004 * law.variance + 1e-4);
          }
        }
      }
    }
  }
}

TEST_CASE("device/pulse_trains: where nothing saturates the law's mean is the rate times |x d|",
          "[device][trains]") {
  // Of the plain formulas. At a rate of 10 only short trains without update management saturate.
  const Matrix product = some_errors().cast<double>().transpose() * some_inputs().cast<double>();
  for (const PulseTrainOptions& options : all_options()) {
    if (options.length_management && !options.update_management) continue;
    for (Index o = 0; o < 3; ++o) {
      for (Index k = 0; k < 5; ++k) {
        const double net =
            expected(options, 10, o, k, true).mean - expected(options, 10, o, k, false).mean;
        CHECK(std::fabs(net - 10 * product(o, k)) <= 1e-9);
      }
    }
  }
}

TEST_CASE("device/pulse_trains: cells share the pulses of their line, and nothing else",
          "[device][trains]") {
  const PulseTrainOptions options{31, false, false};
  const double rate = 10;
  const std::vector<Counts> runs = many_runs(options, rate);
  struct Covariance {
    double found = 0, error = 0, law = 0;
  };
  const auto covariance = [&](Index o, Index k, Index o2, Index k2) {
    Covariance result;
    double first = 0;
    double second = 0;
    for (Index s = 0; s < 4; ++s) {
      // In a slot E[c c'] - E[c] E[c'], where what both have in common is drawn once.
      const PlainTrain train = plain_train(options, rate, some_errors(), some_inputs(), s);
      const double q = train.q[static_cast<std::size_t>(o)];
      const double p = train.p[static_cast<std::size_t>(k)];
      const double q2 = o2 == o ? 1 : train.q[static_cast<std::size_t>(o2)];
      const double p2 = k2 == k ? 1 : train.p[static_cast<std::size_t>(k2)];
      const double c2 =
          train.q[static_cast<std::size_t>(o2)] * train.p[static_cast<std::size_t>(k2)];
      result.law += train.length * (q * p * q2 * p2 - q * p * c2);
      first += train.length * q * p;
      second += train.length * c2;
    }
    double squares = 0;
    for (const Counts& run : runs) {
      const double product =
          (run.up(o, k) + run.down(o, k) - first) * (run.up(o2, k2) + run.down(o2, k2) - second);
      result.found += product / repeats;
      squares += product * product / repeats;
    }
    result.error = std::sqrt((squares - result.found * result.found) / repeats);
    return result;
  };
  const Covariance same_output = covariance(0, 0, 0, 1);
  CHECK(std::fabs(same_output.found - same_output.law) <= 5 * same_output.error);
  CHECK(same_output.law > 8 * same_output.error);  // or the test could not tell
  const Covariance same_input = covariance(1, 3, 2, 3);
  CHECK(std::fabs(same_input.found - same_input.law) <= 5 * same_input.error);
  CHECK(same_input.law > 8 * same_input.error);
  const Covariance neither = covariance(0, 0, 2, 3);
  CHECK(std::fabs(neither.law) <= 1e-12);
  CHECK(std::fabs(neither.found) <= 5 * neither.error);
}

TEST_CASE("device/pulse_trains: small probabilities are not rounded away", "[device][trains]") {
  // P = |x|, Q = 1: half of the inputs at 2^-13, 1/32 of what one step of a byte is worth, half at
  // 2^-18, a quarter of the finest that the threshold and its fraction can be.
  const Index samples = 40000;
  const MatrixF d = MatrixF::Ones(samples, 1);
  MatrixF x = MatrixF::Constant(samples, 100, 0x1p-13F);
  x.rightCols(50).setConstant(-0x1p-18F);
  const Counts found = counts_of({31, false, false}, 31, d, x, RandomStream(20260708, "small"));
  const double draws = 31.0 * 50 * static_cast<double>(samples);
  const double large = found.up.sum();
  const double small = found.down.sum();
  CHECK(std::fabs(large - draws * 0x1p-13) <= 5 * std::sqrt(draws * 0x1p-13));
  CHECK(std::fabs(small - draws * 0x1p-18) <= 5 * std::sqrt(draws * 0x1p-18));
}

TEST_CASE("device/pulse_trains: the distribution is that of a slow plain reference",
          "[device][trains]") {
  // Two-sample Kolmogorov-Smirnov at a significance of 1e-4 (2.23), which for whole numbers is on
  // the safe side.
  const double limit = 2.23 * std::sqrt(2.0 / repeats);
  const RandomStream noise(20260702, "test-plain-trains");
  for (const PulseTrainOptions& options : {PulseTrainOptions{31, true, true}, {31, false, false}}) {
    const std::vector<Counts> runs = many_runs(options, 10);
    std::vector<Counts> plain;
    for (std::uint64_t r = 0; r < repeats; ++r) {
      plain.push_back(plain_counts(options, 10, some_errors(), some_inputs(), noise.substream(r)));
    }
    for (Index o = 0; o < 3; ++o) {
      for (Index k = 0; k < 5; ++k) {
        std::array<double, 130> difference{};  // of the numbers of runs with this net count
        for (std::size_t r = 0; r < repeats; ++r) {
          const auto net = [&](const Counts& c) {
            return static_cast<std::size_t>(c.up(o, k) - c.down(o, k) + 65);
          };
          difference[net(runs[r])] += 1.0 / repeats;
          difference[net(plain[r])] -= 1.0 / repeats;
        }
        double distance = 0;
        double sum = 0;
        for (const double change : difference)
          distance = std::max(distance, std::fabs(sum += change));
        CAPTURE(options.update_management, o, k);
        REQUIRE(distance <= limit);
      }
    }
  }
}

TEST_CASE("device/pulse_trains: sure pulses are counted exactly, whatever the sizes",
          "[device][trains]") {
  // With values of size 1 and a whole rate R up to BL the trains have R slots and every line fires
  // in all of them: up and down are R times the numbers of samples with x d = 1 and -1. Sizes on
  // either side of words and registers; the last rows take several blocks of slots.
  struct Case {
    Index outputs, inputs, samples;
    int rate;
    bool negative;
  };
  for (const Case& c :
       {Case{1, 1, 1, 1, true}, Case{3, 1, 50, 31, true}, Case{1, 64, 9, 7, true},
        Case{65, 63, 130, 3, true}, Case{70, 1000, 20, 5, true}, Case{40, 513, 33, 31, false},
        Case{130, 65, 64, 2, false}, Case{6, 25, 20000, 7, true}, Case{3, 150, 3000, 31, false}}) {
    const RandomStream stream(20260703, "test-sure-trains");
    const MatrixF d = signs(c.samples, c.outputs, stream.substream(0));
    MatrixF x = signs(c.samples, c.inputs, stream.substream(1));
    if (!c.negative) x = x.cwiseAbs().eval();
    PulseTrains trains(c.outputs, c.inputs, {31, true, true});
    trains.add(c.samples, c.rate, d.data(), x.data(), stream);
    const auto rate = static_cast<float>(c.rate);
    const MatrixF positive = d.cwiseMax(0.0F);
    const MatrixF negative = (-d).cwiseMax(0.0F);
    const MatrixF x_positive = x.cwiseMax(0.0F);
    const MatrixF x_negative = (-x).cwiseMax(0.0F);
    CAPTURE(c.outputs, c.inputs, c.samples);
    const Counts found = counts(trains);
    REQUIRE(trains.slots() == static_cast<std::uint64_t>(c.samples * c.rate));
    REQUIRE(found.up ==
            rate * (positive.transpose() * x_positive + negative.transpose() * x_negative));
    REQUIRE(found.down ==
            rate * (positive.transpose() * x_negative + negative.transpose() * x_positive));
  }
}

TEST_CASE(
    "device/pulse_trains: saturated lines fire in every slot, and counts stay within the slots",
    "[device][trains]") {
  MatrixF d(1, 2);
  d << 3, -0.5F;
  MatrixF x(1, 3);
  x << 2, -4, 0.5F;
  // sqrt(rate/BL) = 1, no management: P = 1, 1, 0.5, Q = 1, 0.5.
  const Counts found = counts_of({31, false, false}, 31, d, x, RandomStream(4, "saturated"));
  CHECK(found.up(0, 0) == 31);
  CHECK(found.down(0, 1) == 31);
  CHECK(found.down(0, 0) == 0);
  CHECK(found.up(1, 1) == found.down(1, 0));  // both fire whenever the output does
  CHECK(found.up(1, 1) > 0);
  CHECK(found.up(1, 1) < 31);
  CHECK(found.up(0, 2) < 31);
  CHECK(found.down(1, 2) <= std::min(found.up(1, 1), found.up(0, 2)));
}

TEST_CASE("device/pulse_trains: trains are as long as they need to be", "[device][trains]") {
  MatrixF d(3, 1);
  d << 0.5F, 0, 2;
  MatrixF x(3, 1);
  x << 1, 1, -40;
  // rate max|x| max|d| = 3.5, 0 and 560: 4, 0 and at most BL = 31 slots.
  PulseTrains managed(1, 1, {31, true, true});
  managed.add(3, 7, d.data(), x.data(), RandomStream(5, "lengths"));
  CHECK(managed.slots() == 35);
  CHECK(counts(managed).down(0, 0) == 31);
  CHECK(counts(managed).up(0, 0) <= 4);
  PulseTrains whole(1, 1, {31, true, false});
  whole.add(3, 7, d.data(), x.data(), RandomStream(5, "lengths"));
  CHECK(whole.slots() == 93);
  whole.clear();
  CHECK(whole.slots() == 0);
  CHECK(counts(whole).up(0, 0) == 0);
  // Nothing to be done costs no slot, and none fires.
  managed.clear();
  managed.add(3, 0, d.data(), x.data(), RandomStream(5, "lengths"));
  CHECK(managed.slots() == 0);
  CHECK(counts(managed).down(0, 0) == 0);
  whole.add(3, 0, d.data(), x.data(), RandomStream(5, "lengths"));
  CHECK(whole.slots() == 93);
  CHECK(counts(whole).down(0, 0) == 0);
}

TEST_CASE("device/pulse_trains: draws depend neither on threads nor on how samples are split",
          "[device][trains]") {
  // Trains of 0 to 31 slots; 5,000 samples are several chunks, and more slots than a block has.
  const RandomStream stream(20260704, "test-split");
  const Index samples = 5000;
  MatrixF d(samples, 9);
  MatrixF x(samples, 30);
  xbar::fill_normal(stream.substream(0), 0, {d.data(), static_cast<std::size_t>(d.size())});
  xbar::fill_normal(stream.substream(1), 0, {x.data(), static_cast<std::size_t>(x.size())});
  for (Index s = 0; s < samples; s += 17) d.row(s).setZero();
  const PulseTrainOptions options{31, true, true};
  PulseTrains whole(9, 30, options);
  whole.add(samples, 1.5, d.data(), x.data(), stream);
  const Counts all = counts(whole);
  CHECK(all.up.sum() + all.down.sum() > 1e5F);
  {
    const xbar::OneThread one_thread;
    CHECK(counts_of(options, 1.5, d, x, stream) == all);
  }
  PulseTrains split(9, 30, options);
  for (int again = 0; again < 2; ++again) {
    split.clear();
    Index first = 0;
    for (Index size = 1; first < samples; size = 3 * size + 1) {
      const Index some = std::min(size, samples - first);
      split.add(some, 1.5, d.row(first).data(), x.row(first).data(), stream);
      first += some;
    }
    CHECK(split.slots() == whole.slots());
    CHECK(counts(split) == all);
  }
  CHECK_FALSE(counts_of(options, 1.5, d, x, stream.substream(2)) == all);
}

TEST_CASE("device/pulse_trains: signals put together one by one count as those side by side",
          "[device][trains]") {
  // Few outputs and many, which are drawn in two ways; inputs are asked for only where outputs
  // fire.
  const RandomStream stream(20260708, "test-gather");
  const Index samples = 300;
  for (const Index outputs : {3L, 32L, 33L}) {
    MatrixF d(samples, outputs);
    MatrixF x(samples, 70);
    xbar::fill_normal(stream.substream(0), 0, {d.data(), static_cast<std::size_t>(d.size())});
    xbar::fill_normal(stream.substream(1), 0, {x.data(), static_cast<std::size_t>(x.size())});
    const MatrixF d_max = d.cwiseAbs().rowwise().maxCoeff();
    const MatrixF x_max = x.cwiseAbs().rowwise().maxCoeff();
    std::atomic<Index> gathered{0};
    for (const double rate : {0.001, 2.0}) {
      const PulseTrainOptions options{31, true, true};
      PulseTrains trains(outputs, 70, options);
      gathered = 0;
      trains.add({.count = samples,
                  .largest_d = {d_max.data(), static_cast<std::size_t>(samples)},
                  .largest_x = {x_max.data(), static_cast<std::size_t>(samples)},
                  .d = [&](Index s, float*) { return d.row(s).data(); },
                  .x =
                      [&](Index s, float* room) {
                        ++gathered;
                        std::copy_n(x.row(s).data(), 70, room);
                        return room;
                      }},
                 rate, stream);
      CAPTURE(outputs, rate);
      CHECK(counts(trains) == counts_of(options, rate, d, x, stream));
      CHECK(counts(trains) == counts(trains));
      // At 0.001 the largest error's line fires in about one slot of fifteen.
      if (outputs == 3) CHECK((gathered < samples / 2) == (rate < 1));
    }
  }
}

TEST_CASE("device/pulse_trains: values near the ends of single precision", "[device][trains]") {
  MatrixF d(1, 1);
  MatrixF x(1, 2);
  d << 0x1p100F;
  x << 0x1p-115F, -0.0F;
  // rate |x d| = 1: one sure pulse.
  const Counts found = counts_of({31, true, true}, 0x1p15, d, x, RandomStream(6, "ends"));
  CHECK(found.up(0, 0) == 1);
  CHECK(found.up(0, 1) + found.down(0, 1) == 0);
}

TEST_CASE("device/pulse_trains: what is unusable is refused by name", "[device][trains]") {
  CHECK_THROWS_WITH(PulseTrains(1, 1, {0, true, true}),
                    "pulse-length: expected 1 to 127 slots, got 0");
  CHECK_THROWS_AS(PulseTrains(1, 1, {128, true, true}), xbar::InvalidArgument);
  CHECK_THROWS_WITH(PulseTrains(0, 3, {}),
                    "pulse trains: expected at least one output and one input, got 0 and 3");
  PulseTrains trains(1, 2, {});
  const MatrixF d = MatrixF::Ones(2, 1);
  MatrixF x = MatrixF::Ones(2, 2);
  const RandomStream noise(7, "refused");
  CHECK_THROWS_WITH(trains.add(2, -1, d.data(), x.data(), noise),
                    "pulse rate: expected a finite number of at least 0, got -1");
  CHECK_THROWS_AS(trains.add(2, std::nan(""), d.data(), x.data(), noise), xbar::InvalidArgument);
  x(1, 0) = std::numeric_limits<float>::infinity();
  CHECK_THROWS_WITH(trains.add(2, 1, d.data(), x.data(), noise),
                    "pulse trains: expected finite numbers, got inf among the inputs of sample 1");
  CHECK(trains.slots() == 0);
  x(1, 0) = 1;
  trains.add(2, 1, d.data(), x.data(), noise);
  CHECK(counts(trains).up == MatrixF::Constant(1, 2, 2));
}
