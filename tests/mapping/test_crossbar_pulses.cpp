#include <cmath>
#include <utility>
#include <vector>

#include <xbar/core/error.hpp>
#include <xbar/mapping/crossbar_matrix.hpp>
#include <xbar/surrogate_calibrate/calibrate.hpp>

#include "support/arrays.hpp"
#include "support/catch.hpp"
#include "support/pulse_devices.hpp"

using xbar::Index;
using xbar::MatrixF;
using xbar::mapping::CrossbarMatrix;
using xbar::mapping::CrossbarOptions;
using xbar::mapping::Layout;
using xbar_test::constant_step;
using xbar_test::Contains;
using xbar_test::pulse_device;
using xbar_test::random_matrix;
using xbar_test::WithinAbs;
using xbar_test::WithinRel;

namespace {

CrossbarOptions options_with(const xbar::device::PulseDevice& device, Index tile = 8) {
  CrossbarOptions options;
  options.technology.tile_rows = options.technology.tile_columns = tile;
  options.model = xbar::surrogate::ModelKind::ideal;
  options.exact = xbar::surrogate::exact_solver();
  xbar_test::put_on(options.technology, device);
  return options;
}

MatrixF random_weight(Index outputs, Index inputs, double size, std::uint64_t seed) {
  return random_matrix(outputs, inputs, -size, size, seed).cast<float>();
}

// Whole pulses of either sign, from -3 to 3.
MatrixF random_pulses(Index outputs, Index inputs, std::uint64_t seed) {
  return random_matrix(outputs, inputs, -3.49, 3.49, seed)
      .unaryExpr([](double v) { return std::nearbyint(v); })
      .cast<float>();
}

void pulse(CrossbarMatrix& matrix, const MatrixF& pulses, double slots = 0) {
  matrix.pulse(
      [&](Index o, std::span<float> up, std::span<float> down) {
        for (std::size_t k = 0; k < up.size(); ++k) {
          const float n = pulses(o, static_cast<Index>(k));
          up[k] = std::max(n, 0.0F);
          down[k] = std::max(-n, 0.0F);
        }
      },
      {.slots = slots, .input_fires = {}, .output_fires = {}});
}

float largest(const MatrixF& matrix) { return matrix.cwiseAbs().maxCoeff(); }

}  // namespace

TEST_CASE("mapping/crossbar_pulses: constant steps add up in every layout", "[mapping]") {
  xbar::device::PulseDevice device = constant_step(0.005);
  for (const Layout layout :
       {Layout::reference, Layout::offset, Layout::differential, Layout::interleaved}) {
    const bool centred = layout == Layout::reference || layout == Layout::offset;
    device.one_way = !centred;
    CrossbarOptions options = options_with(device);
    options.technology.layout = layout;
    CrossbarMatrix matrix(11, 19, 0.5F, options);
    const MatrixF weight = random_weight(11, 19, 0.3, 1);
    matrix.program(weight);
    CAPTURE(layout_name(layout));
    CHECK(largest(matrix.weight() - weight) <= 1e-6F);
    CHECK_THAT(matrix.weight_step(), WithinRel(0.5F * 0.005F * (centred ? 2.0F : 1.0F), 1e-6F));
    MatrixF expected = weight;
    for (std::uint64_t n = 0; n < 5; ++n) {
      const MatrixF pulses = random_pulses(11, 19, 10 + n);
      pulse(matrix, pulses);
      expected += pulses * matrix.weight_step();
    }
    CHECK(largest(matrix.weight() - expected) <= 2e-6F);
    CHECK(largest(matrix.forward_weight() - expected) <= 2e-5F);
  }
}

TEST_CASE("mapping/crossbar_pulses: weights end at the range", "[mapping]") {
  CrossbarMatrix matrix(2, 3, 0.5F, options_with(constant_step(0.1)));
  matrix.program(MatrixF::Zero(2, 3));
  for (int n = 0; n < 10; ++n) pulse(matrix, MatrixF::Constant(2, 3, n % 2 == 0 ? 3.0F : 1.0F));
  CHECK(largest(matrix.weight() - MatrixF::Constant(2, 3, 0.5F)) <= 1e-6F);
}

TEST_CASE("mapping/crossbar_pulses: pairs of one-way cells are renewed before they are full",
          "[mapping]") {
  xbar::device::PulseDevice device = constant_step(0.05);
  device.one_way = true;
  CrossbarOptions options = options_with(device);
  options.refresh = 4;
  CrossbarMatrix matrix(3, 4, 1.0F, options);
  matrix.program(MatrixF::Zero(3, 4));
  // Up and down in turn fills both cells while the weight stays where it is.
  for (int n = 0; n < 200; ++n) {
    pulse(matrix, MatrixF::Constant(3, 4, n % 2 == 0 ? 1.0F : -1.0F));
  }
  CHECK(largest(matrix.weight()) <= 1e-5F);
  for (const MatrixF& cells : matrix.state().cells) CHECK(cells.maxCoeff() < 1.0F);
  // Without renewal a cell would stand at its end after 20 steps.
  pulse(matrix, MatrixF::Ones(3, 4));
  CHECK(largest(matrix.weight() - MatrixF::Constant(3, 4, 0.05F)) <= 1e-5F);
}

TEST_CASE("mapping/crossbar_pulses: a zero-shifted weight of 0 is where steps are equal",
          "[mapping]") {
  // up 0.02 (1 - x), down 0.01 x: equal at x = 2/3.
  CrossbarOptions options =
      options_with(pulse_device("soft-bounds", {{"up_step", 0.02}, {"down_step", 0.01}}));
  options.technology.zero_shift = true;
  CrossbarMatrix matrix(4, 5, 1.0F, options);
  matrix.program(MatrixF::Zero(4, 5));
  const auto state = matrix.state();
  CHECK(largest(state.cells[0] - MatrixF::Constant(4, 5, 2.0F / 3)) <= 1e-5F);
  CHECK(largest(state.cells[1] - MatrixF::Constant(4, 5, 2.0F / 3)) <= 1e-5F);
  CHECK(largest(matrix.weight()) <= 1e-5F);
  for (int n = 0; n < 100; ++n) pulse(matrix, MatrixF::Constant(4, 5, n % 2 == 0 ? 1.0F : -1.0F));
  CHECK(largest(matrix.weight()) <= 2e-2F);
  // Anywhere else pulses up and down in turn lead there.
  matrix.program(MatrixF::Constant(4, 5, -0.5F));
  for (int n = 0; n < 1000; ++n) pulse(matrix, MatrixF::Constant(4, 5, n % 2 == 0 ? 1.0F : -1.0F));
  CHECK(largest(matrix.weight()) <= 2e-2F);
}

TEST_CASE("mapping/crossbar_pulses: pulses, energy and time are added up", "[mapping]") {
  CrossbarMatrix matrix(2, 3, 1.0F, options_with(constant_step(0.1)));
  matrix.program(MatrixF::Zero(2, 3));
  MatrixF pulses(2, 3);
  pulses << 1, -2, 0, 0, 3, 0;
  pulse(matrix, pulses);
  const auto& totals = matrix.pulse_totals();
  CHECK(totals.up == 4);
  CHECK(totals.down == 2);
  // Wordline by wordline: 1 up; 3 up and 2 down; nothing, each 1 us.
  CHECK_THAT(totals.second, WithinRel(6e-6, 1e-6));
  // x after the pulses: 0.6, 0.3 and 0.8; G = 10 uS + 90 uS x; V^2 t = 4e-6.
  const double siemens = 1 * 64e-6 + 2 * 37e-6 + 3 * 82e-6;
  CHECK_THAT(totals.joule, WithinRel(4e-6 * siemens, 1e-5));
  // Trains: as many slots as there are, an up and a down phase each.
  pulse(matrix, pulses, 10);
  CHECK_THAT(matrix.pulse_totals().second, WithinRel(26e-6, 1e-6));
}

TEST_CASE("mapping/crossbar_pulses: goes on from a state bit for bit", "[mapping]") {
  xbar::device::PulseDevice device =
      pulse_device("soft-bounds", {{"up_step", 0.02}, {"down_step", 0.01}});
  device.noise = {.step = 0.3, .range = 0.002, .write = 0.01};
  device.spread = {.step = 0.3, .up_down = 0.1, .lower = 0.05, .upper = 0.1};
  device.endurance = {.pulses = 30, .deviation = 0.5};
  for (const bool one_way : {false, true}) {
    device.one_way = one_way;
    CrossbarOptions options = options_with(device);
    options.refresh = 3;
    CrossbarMatrix whole(9, 20, 0.5F, options);
    whole.program(random_weight(9, 20, 0.4, 3));
    CrossbarMatrix resumed(9, 20, 0.5F, options);
    for (std::uint64_t n = 0; n < 20; ++n) {
      pulse(whole, random_pulses(9, 20, n));
      if (n == 7) resumed.restore(whole.state());
      if (n > 7) pulse(resumed, random_pulses(9, 20, n));
    }
    REQUIRE(whole.weight() == resumed.weight());
    REQUIRE(whole.forward_weight() == resumed.forward_weight());
    REQUIRE(whole.pulse_totals().joule == resumed.pulse_totals().joule);
  }
}

TEST_CASE("mapping/crossbar_pulses: weights of 0 are 0 through the wires, tiles filled or not",
          "[mapping]") {
  // What is subtracted loads the wires as the trained cells do.
  for (const Layout layout : {Layout::reference, Layout::differential}) {
    xbar::device::PulseDevice device = constant_step(0.01);
    device.one_way = layout == Layout::differential;
    CrossbarOptions options = options_with(device, 16);
    options.technology.wires = {
        .source_ohm = 500, .sink_ohm = 100, .wordline_ohm = 5, .bitline_ohm = 5};
    options.model = xbar::surrogate::ModelKind::exact;
    CrossbarMatrix matrix(3, 21, 1.0F, options);
    matrix.program(MatrixF::Zero(3, 21));
    CHECK(largest(matrix.forward_weight()) <= 1e-6F);
    matrix.set_column_order({7, 2, 11});
    CHECK(largest(matrix.forward_weight()) <= 1e-6F);
  }
}

TEST_CASE("mapping/crossbar_pulses: cells whose range reaches down to 0 S are read as such",
          "[mapping]") {
  xbar::device::PulseDevice device = constant_step(0.01);
  device.spread.lower = 0.5;  // g_min is 1/9 of the range: many cells end at 0 S
  CrossbarOptions options = options_with(device);
  options.model = xbar::surrogate::ModelKind::sneak_ladder;
  CrossbarMatrix matrix(20, 30, 1.0F, options);
  matrix.program(MatrixF::Zero(20, 30));
  pulse(matrix, MatrixF::Constant(20, 30, -500.0F));
  matrix.refresh();
  CHECK(matrix.forward_weight().allFinite());
  CHECK(matrix.tile_conductance(0, 0).minCoeff() == 0);
  CHECK(matrix.certificate().worst_fresh < 0.05);
}

TEST_CASE("mapping/crossbar_pulses: writes lose what the wires take, and disturb who shares a line",
          "[mapping]") {
  xbar::device::PulseDevice device = constant_step(0.01);
  device.voltage = {.exponent = 2, .threshold = 0};
  CrossbarOptions options = options_with(device);
  options.technology.write_scheme = xbar::surrogate::WriteScheme::half;
  options.technology.wires = {
      .source_ohm = 200, .sink_ohm = 100, .wordline_ohm = 20, .bitline_ohm = 10};
  CrossbarMatrix matrix(3, 4, 1.0F, options);
  matrix.program(MatrixF::Zero(3, 4));
  const xbar::surrogate::WritePath path = xbar::surrogate::write_path(
      matrix.tile_conductance(0, 0), options.technology.wires, *options.technology.write_scheme);
  MatrixF pulses = MatrixF::Zero(3, 4);
  pulses(1, 2) = 4;   // alone on its bitline
  pulses(0, 0) = -3;  // with another on its wordline
  pulses(2, 0) = -1;
  pulse(matrix, pulses);
  // Counts at the cells: k^2 of a cell's own pulses, and k_half^2 of those that only its wordline
  // or only its bitline gets. A pulse changes a weight by 0.02.
  const auto expected = [&](Index o, Index k) {
    const double own = pulses(o, k);
    const auto sum = [&](double sign) {
      const double mine = std::max(sign * own, 0.0);
      double row = 0;
      double column = 0;
      for (Index p = 0; p < 3; ++p) row = std::max(row, sign * double(pulses(p, k)));
      for (Index i = 0; i < 4; ++i) column += std::max(sign * double(pulses(o, i)), 0.0);
      const double k_own = path.selected(k, o);
      const double k_half = path.half_selected(k, o);
      return k_own * k_own * mine + k_half * k_half * (row - mine + column - mine);
    };
    return 0.02 * (sum(1) - sum(-1));
  };
  for (Index o = 0; o < 3; ++o) {
    for (Index k = 0; k < 4; ++k) {
      CAPTURE(o, k);
      CHECK_THAT(double(matrix.weight()(o, k)), WithinAbs(expected(o, k), 2e-6));
    }
  }
  CHECK(matrix.weight()(1, 2) < 0.079F);  // less than was sent
  CHECK(matrix.weight()(1, 3) > 0.01F);   // on its bitline
  CHECK(matrix.pulse_totals().up == 4);   // sent
  CHECK(matrix.pulse_totals().down == 4);

  // A threshold above half the voltage protects the neighbours.
  device.voltage.threshold = 0.6;
  options.technology.device = std::make_shared<const xbar::device::PulseDevice>(device);
  CrossbarMatrix safe(3, 4, 1.0F, options);
  safe.program(MatrixF::Zero(3, 4));
  pulse(safe, pulses);
  CHECK(std::abs(safe.weight()(1, 0)) <= 1e-6F);
  CHECK(std::abs(safe.weight()(1, 3)) <= 1e-6F);
  CHECK(safe.weight()(1, 2) > 0.03F);
}

TEST_CASE("mapping/crossbar_pulses: trains disturb lines that fire alone", "[mapping]") {
  xbar::device::PulseDevice device = constant_step(0.01);
  device.voltage = {.exponent = 1, .threshold = 0};
  CrossbarOptions options = options_with(device);
  options.technology.write_scheme = xbar::surrogate::WriteScheme::half;
  options.technology.wires = {.source_ohm = 0, .sink_ohm = 0, .wordline_ohm = 0, .bitline_ohm = 0};
  CrossbarMatrix matrix(2, 2, 1.0F, options);
  matrix.program(MatrixF::Zero(2, 2));
  const std::vector<float> input_fires = {8, 0};
  const std::vector<float> output_fires = {8, 2};
  matrix.pulse(
      [&](Index o, std::span<float> up, std::span<float> down) {
        up[0] = o == 0 ? 4.0F : 0.0F;
        up[1] = 0;
        down[0] = down[1] = 0;
      },
      {.slots = 10, .input_fires = input_fires, .output_fires = output_fires});
  // Cell (0, 0): 4 up, and of the 4 + 4 down phases of its lines each counts half; at half the
  // voltage nothing else of the up phases. (1, 1): 1 up and 1 down phase of its bitline.
  CHECK_THAT(matrix.weight()(0, 0), WithinAbs(0.02F * (4 - 4), 1e-5F));
  CHECK_THAT(matrix.weight()(1, 1), WithinAbs(0.0F, 1e-5F));
}

TEST_CASE("mapping/crossbar_pulses: layouts that a device cannot fill are refused", "[mapping]") {
  using xbar::InvalidArgument;
  const auto make = [](const CrossbarOptions& options) {
    CrossbarMatrix matrix(2, 2, 1.0F, options);
  };
  CrossbarOptions options = options_with(constant_step(0.1));
  options.technology.layout = Layout::differential;
  CHECK_THROWS_WITH(make(options), Contains("reference or offset"));
  options.technology.layout = Layout::reference;
  options.technology.bits.cell = 2;
  CHECK_THROWS_WITH(make(options), Contains("analog"));
  options.technology.bits = {};
  options.technology.verify = false;
  CHECK_THROWS_WITH(make(options), Contains("single-write"));
  options.technology.verify = true;
  options.technology.layout = Layout::offset;
  options.technology.zero_shift = true;
  CHECK_THROWS_WITH(make(options), Contains("zero-shift"));
}

TEST_CASE("mapping/crossbar_pulses: effects of a device are switched off one by one", "[mapping]") {
  using xbar::mapping::Effect;
  xbar::device::PulseDevice device =
      pulse_device("soft-bounds", {{"up_step", 0.02}, {"down_step", 0.01}});
  device.noise.step = 0.3;
  device.spread.step = 0.2;
  xbar::mapping::Technology technology;
  xbar_test::put_on(technology, device);
  const auto quiet = without(technology, Effect::write_noise);
  CHECK(quiet.device->noise.step == 0);
  CHECK(quiet.device->spread.step == 0.2);
  CHECK(without(technology, Effect::variation).device->spread.step == 0);
  const auto straight = without(technology, Effect::nonlinearity);
  CHECK_THAT(straight.device->model->up_step(0.9),
             WithinAbs(straight.device->model->down_step(0.1), 1e-12));
  CHECK_THAT(straight.device->model->up_step(0.1), WithinRel(device.typical_step(), 1e-12));
  CHECK(straight.device->noise.step == 0.3);
}
