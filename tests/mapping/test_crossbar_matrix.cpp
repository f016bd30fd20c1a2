#include <utility>

#include <xbar/core/error.hpp>
#include <xbar/mapping/crossbar_matrix.hpp>
#include <xbar/solver/solve.hpp>
#include <xbar/surrogate_calibrate/calibrate.hpp>

#include "support/arrays.hpp"
#include "support/catch.hpp"

using xbar::Index;
using xbar::Matrix;
using xbar::MatrixF;
using xbar::mapping::CrossbarMatrix;
using xbar::mapping::CrossbarOptions;
using xbar::mapping::Gain;
using xbar::surrogate::ModelKind;
using xbar_test::random_matrix;
using xbar_test::relative_error;

namespace {

CrossbarOptions options_with(ModelKind kind, Index tile = 8) {
  CrossbarOptions options;
  options.technology.tile_rows = tile;
  options.technology.tile_columns = tile;
  options.model = kind;
  options.exact = xbar::surrogate::exact_solver();
  return options;
}

MatrixF random_weight(Index outputs, Index inputs, std::uint64_t seed) {
  return random_matrix(outputs, inputs, -1, 1, seed).cast<float>();
}

double error(const MatrixF& a, const MatrixF& b) {
  return relative_error(a.cast<double>(), b.cast<double>());
}

}  // namespace

TEST_CASE("mapping/crossbar_matrix: with ideal wires the arrays compute the weights", "[mapping]") {
  // Shapes that do not fill their tiles.
  for (const auto& [outputs, inputs] : {std::pair<Index, Index>{1, 1}, {10, 20}, {8, 8}, {17, 5}}) {
    CrossbarMatrix matrix(outputs, inputs, 1.0F, options_with(ModelKind::ideal));
    const MatrixF weight = random_weight(outputs, inputs, 1);
    matrix.program(weight);
    REQUIRE(error(matrix.weight(), weight) <= 1e-6);
    REQUIRE(error(matrix.forward_weight(), weight) <= 1e-6);
    REQUIRE(error(matrix.backward_weight(), weight) <= 1e-6);
  }
}

TEST_CASE("mapping/crossbar_matrix: tiles carry the differential pairs where they belong",
          "[mapping]") {
  // 3 outputs x 5 inputs on 4 x 2 tiles: tile rows hold inputs 0-3 and 4, tile columns outputs
  // 0-1, 2.
  CrossbarOptions options = options_with(ModelKind::ideal);
  options.technology.tile_rows = 4;
  options.technology.tile_columns = 2;
  options.technology.on_ohm = 1e4;  // g_max 100 uS, g_min 10 uS
  CrossbarMatrix matrix(3, 5, 2.0F, options);
  MatrixF weight = MatrixF::Zero(3, 5);
  weight(2, 4) = 1.0F;   // half of the range: tile row 1, tile column 1, wordline 0, bitline 0
  weight(0, 1) = -2.0F;  // full range: tile 0, wordline 1, bitline 0, minus array
  matrix.program(weight);
  REQUIRE(matrix.tile_count() == 4);
  const Matrix plus = matrix.tile_conductance(0, 3);
  REQUIRE(plus.rows() == 4);
  REQUIRE(plus.cols() == 2);
  REQUIRE_THAT(plus(0, 0), xbar_test::WithinRel(55e-6, 1e-6));
  REQUIRE_THAT(plus(3, 1), xbar_test::WithinRel(10e-6, 1e-6));  // no weight here: g_min
  REQUIRE_THAT(matrix.tile_conductance(1, 0)(1, 0), xbar_test::WithinRel(100e-6, 1e-6));
  REQUIRE_THAT(matrix.tile_conductance(0, 0)(1, 0), xbar_test::WithinRel(10e-6, 1e-6));
}

TEST_CASE("mapping/crossbar_matrix: wired products are those of the solved tiles", "[mapping]") {
  // y = W_eff x against solving every array of the layer and adding up the partial currents.
  const Index outputs = 11;
  const Index inputs = 19;
  CrossbarOptions options = options_with(ModelKind::exact);
  CrossbarMatrix matrix(outputs, inputs, 1.5F, options);
  matrix.program(random_weight(outputs, inputs, 2));
  const auto& technology = matrix.technology();
  const Matrix x = random_matrix(inputs, 1, 0, 1, 3);
  Matrix y = Matrix::Zero(outputs, 1);
  for (const Index plane : {0, 1}) {
    for (Index t = 0; t < matrix.tile_count(); ++t) {
      const Index row = t / matrix.tile_column_count();
      const Index column = t % matrix.tile_column_count();
      Matrix voltage = Matrix::Zero(8, 1);
      for (Index i = 0; i < 8 && row * 8 + i < inputs; ++i) voltage(i, 0) = x(row * 8 + i, 0);
      const Matrix current =
          xbar::solver::solve(matrix.tile_conductance(plane, t), voltage, technology.wires).current;
      const double scale = (plane == 0 ? 1.5 : -1.5) / technology.range().width();
      for (Index j = 0; j < 8 && column * 8 + j < outputs; ++j) {
        y(column * 8 + j, 0) += scale * current(j, 0);
      }
    }
  }
  const Matrix found = matrix.forward_weight().cast<double>() * x;
  REQUIRE(relative_error(found, y) <= 1e-6);
}

TEST_CASE("mapping/crossbar_matrix: the backward read follows the terminals", "[mapping]") {
  CrossbarOptions options = options_with(ModelKind::exact);
  CrossbarMatrix keep(9, 14, 1.0F, options);
  options.technology.terminals = xbar::Terminals::swap;
  CrossbarMatrix swap(9, 14, 1.0F, options);
  const MatrixF weight = random_weight(9, 14, 4);
  keep.program(weight);
  swap.program(weight);
  REQUIRE(error(keep.backward_weight(), keep.forward_weight()) == 0.0);
  REQUIRE(error(swap.forward_weight(), keep.forward_weight()) <= 1e-6);
  const double difference = error(swap.backward_weight(), swap.forward_weight());
  REQUIRE(difference >= 1e-4);
  REQUIRE(difference <= 0.05);
}

TEST_CASE("mapping/crossbar_matrix: an update moves the weights, within the range", "[mapping]") {
  CrossbarMatrix matrix(6, 7, 1.0F, options_with(ModelKind::ideal));
  const MatrixF weight = random_weight(6, 7, 5);
  matrix.program(weight);
  MatrixF delta = random_weight(6, 7, 6) * 0.3F;
  delta(0, 0) = 5.0F;
  matrix.update(delta);
  const MatrixF expected = (weight + delta).cwiseMax(-1.0F).cwiseMin(1.0F);
  REQUIRE(error(matrix.weight(), expected) <= 1e-6);
  REQUIRE(error(matrix.forward_weight(), expected) <= 1e-6);
  REQUIRE(matrix.weight()(0, 0) == 1.0F);
}

TEST_CASE("mapping/crossbar_matrix: many small updates add up", "[mapping]") {
  // 1000 steps of 1e-6 of the range: lost entirely if conductances were kept as float siemens.
  CrossbarMatrix matrix(2, 2, 1.0F, options_with(ModelKind::ideal));
  matrix.program(MatrixF::Zero(2, 2));
  for (int k = 0; k < 1000; ++k) matrix.update(MatrixF::Constant(2, 2, 1e-6F));
  REQUIRE_THAT(matrix.weight()(1, 1), xbar_test::WithinRel(1e-3F, 1e-3F));
}

TEST_CASE("mapping/crossbar_matrix: between measurements the ratio keeps close to the truth",
          "[mapping]") {
  // After every cell moved by up to 5 % of the range, the design's figure for the ratio on G is
  // 0.45 to 0.8 % at 64 x 64; the stale matrix would be off by the movement itself.
  CrossbarOptions options = options_with(ModelKind::exact, 32);
  options.refresh = 1000;
  CrossbarMatrix estimated(32, 32, 1.0F, options);
  options.refresh = 1;
  CrossbarMatrix measured(32, 32, 1.0F, options);
  const MatrixF weight = random_weight(32, 32, 7) * 0.8F;
  const MatrixF delta = random_weight(32, 32, 8) * 0.05F;
  estimated.program(weight);
  measured.program(weight);
  const MatrixF stale = estimated.forward_weight();
  estimated.update(delta);
  measured.update(delta);
  const double ratio_error = error(estimated.forward_weight(), measured.forward_weight());
  REQUIRE(ratio_error <= 0.01);
  REQUIRE(ratio_error < 0.3 * error(stale, measured.forward_weight()));
  estimated.refresh();
  REQUIRE(error(estimated.forward_weight(), measured.forward_weight()) <= 1e-6);
}

TEST_CASE("mapping/crossbar_matrix: gain calibration takes out the common part of the loss",
          "[mapping]") {
  const MatrixF weight = random_weight(20, 40, 9);
  double former = 1e9;
  double raw = 0;
  for (const Gain gain : {Gain::none, Gain::tile, Gain::column}) {
    CrossbarOptions options = options_with(ModelKind::exact, 16);
    options.technology.gain = gain;
    CrossbarMatrix matrix(20, 40, 1.0F, options);
    matrix.program(weight);
    const double off = (matrix.forward_weight() - weight).norm() / weight.norm();
    REQUIRE(off < former);
    if (gain == Gain::none) raw = off;
    former = off;
  }
  // Source and sink resistance, most of the loss here, act on a bitline nearly as a whole: more
  // than three quarters go.
  REQUIRE(former <= 0.25 * raw);
}

TEST_CASE("mapping/crossbar_matrix: a column order changes where cells sit, not the arithmetic",
          "[mapping]") {
  const MatrixF weight = random_weight(10, 6, 10);
  std::vector<Index> order = {15, 0, 3, 9, 8, 1, 2, 7, 12, 4};
  CrossbarMatrix ideal(10, 6, 1.0F, options_with(ModelKind::ideal));
  ideal.program(weight);
  ideal.set_column_order(order);
  REQUIRE(error(ideal.weight(), weight) <= 1e-6);
  REQUIRE(error(ideal.forward_weight(), weight) <= 1e-6);
  // Output 0 now sits in bitline 7 of tile column 1.
  REQUIRE_THAT(ideal.tile_conductance(weight(0, 0) > 0 ? 0 : 1, 1)(0, 7),
               xbar_test::WithinRel(5e-6 + 45e-6 * std::abs(weight(0, 0)), 1e-5));

  // Wired, moving before or after programming is the same.
  CrossbarMatrix before(10, 6, 1.0F, options_with(ModelKind::exact));
  CrossbarMatrix after(10, 6, 1.0F, options_with(ModelKind::exact));
  before.set_column_order(order);
  before.program(weight);
  after.program(weight);
  after.set_column_order(order);
  REQUIRE(error(before.forward_weight(), after.forward_weight()) == 0.0);

  order[1] = 15;
  REQUIRE_THROWS_WITH(ideal.set_column_order(order), xbar_test::Contains("slot 15 is used twice"));
  order[1] = 16;
  REQUIRE_THROWS_WITH(ideal.set_column_order(order), xbar_test::Contains("0 to 15"));
  order.pop_back();
  REQUIRE_THROWS_WITH(ideal.set_column_order(order), xbar_test::Contains("expected 10 slots"));
}

TEST_CASE("mapping/crossbar_matrix: state and restore go on bit for bit, noise included",
          "[mapping]") {
  CrossbarOptions options = options_with(ModelKind::operating_point);
  options.technology.update.write_noise = 0.02;
  options.noise = xbar::RandomStream(3, "test");
  CrossbarMatrix matrix(9, 9, 1.0F, options);
  matrix.program(random_weight(9, 9, 11));
  matrix.update(random_weight(9, 9, 12) * 0.1F);
  matrix.refresh();
  CrossbarMatrix copy(9, 9, 1.0F, options);
  copy.restore(matrix.state());
  for (int k = 0; k < 3; ++k) {
    const MatrixF delta = random_weight(9, 9, 13 + static_cast<std::uint64_t>(k)) * 0.1F;
    matrix.update(delta);
    copy.update(delta);
  }
  REQUIRE(error(copy.weight(), matrix.weight()) == 0.0);
  REQUIRE(error(copy.forward_weight(), matrix.forward_weight()) == 0.0);
}

TEST_CASE("mapping/crossbar_matrix: errors name what is wrong", "[mapping]") {
  using xbar_test::Contains;
  CrossbarMatrix matrix(3, 2, 1.0F, options_with(ModelKind::ideal));
  REQUIRE_THROWS_WITH(matrix.program(MatrixF::Zero(2, 3)),
                      Contains("expected 3 x 2") && Contains("got 2 x 3"));
  REQUIRE_THROWS_WITH(matrix.update(MatrixF::Zero(2, 3)), Contains("expected 3 x 2"));
  REQUIRE_THROWS_WITH(matrix.tile_conductance(0, 1), Contains("0 to 0"));
  REQUIRE_THROWS_WITH(CrossbarMatrix(0, 2, 1.0F, options_with(ModelKind::ideal)),
                      Contains("0 x 2"));
  REQUIRE_THROWS_WITH(CrossbarMatrix(1, 2, 0.0F, options_with(ModelKind::ideal)),
                      Contains("weight range"));
  CrossbarOptions unmeasured;
  unmeasured.certificate.tolerance = 1e-3;
  REQUIRE_THROWS_WITH(CrossbarMatrix(1, 2, 1.0F, unmeasured), Contains("exact solver"));
}

TEST_CASE("mapping/crossbar_matrix: every layout and width computes its weights with ideal wires",
          "[mapping]") {
  using xbar::mapping::Layout;
  const MatrixF weight = random_weight(11, 21, 20);
  for (const Layout layout : {Layout::differential, Layout::interleaved, Layout::offset}) {
    for (const xbar::mapping::WeightBits bits :
         {xbar::mapping::WeightBits{0, 0}, xbar::mapping::WeightBits{8, 2},
          xbar::mapping::WeightBits{5, 1}}) {
      CAPTURE(layout_name(layout), bits.weight, bits.cell);
      CrossbarOptions options = options_with(ModelKind::ideal, 7);
      options.technology.layout = layout;
      options.technology.bits = bits;
      CrossbarMatrix matrix(11, 21, 1.25F, options);
      matrix.program(weight);
      const double step = 1.25 * static_cast<double>(matrix.encoder().step());
      // Half a level of every weight at most; the two reads to rounding, g_min and offset gone.
      REQUIRE((matrix.weight() - weight).cwiseAbs().maxCoeff() <= 0.5 * step + 1e-6);
      REQUIRE((matrix.forward_weight() - matrix.weight()).cwiseAbs().maxCoeff() <= 4e-6);
      REQUIRE((matrix.backward_weight() - matrix.weight()).cwiseAbs().maxCoeff() <= 4e-6);
      // What the converters are given adds up to the same.
      for (const auto subtract :
           {xbar::mapping::Subtract::analog, xbar::mapping::Subtract::digital}) {
        options.technology.converters.subtract = subtract;
        CrossbarMatrix read(11, 21, 1.25F, options);
        read.program(weight);
        MatrixF forward = MatrixF::Zero(11, 21);
        for (const auto& array : read.read_arrays(xbar::mapping::Direction::forward)) {
          forward += array.coefficient * array.effective;
        }
        MatrixF backward = MatrixF::Zero(11, 21);
        for (const auto& array : read.read_arrays(xbar::mapping::Direction::backward)) {
          for (Index o = 0; o < 11; ++o) {
            backward.row(o) +=
                array.coefficient *
                array.effective.row(read.column_order()[static_cast<std::size_t>(o)]);
          }
        }
        REQUIRE((forward - read.forward_weight()).cwiseAbs().maxCoeff() <= 4e-6);
        REQUIRE((backward - read.backward_weight()).cwiseAbs().maxCoeff() <= 4e-6);
      }
    }
  }
}

TEST_CASE("mapping/crossbar_matrix: interleaved and offset arrays against their solved circuits",
          "[mapping]") {
  using xbar::mapping::Layout;
  const Index outputs = 9;
  const Index inputs = 13;
  const MatrixF weight = random_weight(outputs, inputs, 21);
  const Matrix x = random_matrix(inputs, 1, 0, 1, 22);
  for (const Layout layout : {Layout::interleaved, Layout::offset}) {
    CrossbarOptions options = options_with(ModelKind::exact, 8);
    options.technology.layout = layout;
    CrossbarMatrix matrix(outputs, inputs, 1.0F, options);
    matrix.program(weight);
    const auto& technology = matrix.technology();
    const Index per_tile = layout == Layout::offset ? 7 : 4;
    REQUIRE(matrix.outputs_per_tile() == per_tile);
    REQUIRE(matrix.plane_count() == 1);
    Matrix y = Matrix::Zero(outputs, 1);
    for (Index t = 0; t < matrix.tile_count(); ++t) {
      const Index row = t / matrix.tile_column_count();
      const Index column = t % matrix.tile_column_count();
      Matrix voltage = Matrix::Zero(8, 1);
      for (Index i = 0; i < 8 && row * 8 + i < inputs; ++i) voltage(i, 0) = x(row * 8 + i, 0);
      const Matrix current =
          xbar::solver::solve(matrix.tile_conductance(0, t), voltage, technology.wires).current;
      for (Index j = 0; j < per_tile && column * per_tile + j < outputs; ++j) {
        const double pair = layout == Layout::offset ? 2 * (current(j, 0) - current(7, 0))
                                                     : current(2 * j, 0) - current(2 * j + 1, 0);
        y(column * per_tile + j, 0) += pair / technology.range().width();
      }
    }
    const Matrix found = matrix.forward_weight().cast<double>() * x;
    // Single precision, and for offset the difference of two large currents.
    REQUIRE(relative_error(found, y) <= 5e-6);
  }
}

TEST_CASE("mapping/crossbar_matrix: faults, spread and drift are in the arrays, not in the weight",
          "[mapping]") {
  const MatrixF weight = random_weight(40, 50, 23);
  CrossbarOptions options = options_with(ModelKind::ideal, 16);
  options.technology.on_ohm = 1e4;  // g_max 100 uS, g_min 10 uS
  SECTION("stuck and open cells") {
    options.technology.faults = {.stuck_on = 0.1, .stuck_off = 0.2, .open = 0.3};
    CrossbarMatrix matrix(40, 50, 1.0F, options);
    matrix.program(weight);
    REQUIRE(error(matrix.weight(), weight) <= 1e-6);
    Index on = 0;
    Index open = 0;
    Index all = 0;
    for (Index p = 0; p < 2; ++p) {
      for (Index t = 0; t < matrix.tile_count(); ++t) {
        const Matrix g = matrix.tile_conductance(p, t);
        all += g.size();
        on += ((g.array() - 100e-6).abs() <= 1e-10).count();
        open += (g.array() == 0).count();
      }
    }
    // 3 x 4 tiles of 256 cells, twice; 4 standard deviations of the binomial.
    REQUIRE(all == 6144);
    REQUIRE(std::abs(static_cast<double>(on) - 614.4) <= 4 * std::sqrt(6144 * 0.1 * 0.9));
    REQUIRE(std::abs(static_cast<double>(open) - 1843.2) <= 4 * std::sqrt(6144 * 0.3 * 0.7));
    // Faults stay where they are when other weights are written.
    const Matrix before = matrix.tile_conductance(0, 0);
    matrix.program(-weight);
    const Matrix after = matrix.tile_conductance(0, 0);
    for (Index k = 0; k < before.size(); ++k) {
      REQUIRE((before.data()[k] == 0) == (after.data()[k] == 0));
    }
  }
  SECTION("wired, an open cell lets nothing through and a full array of them computes zero") {
    CrossbarOptions wired = options_with(ModelKind::exact, 16);
    wired.technology.faults.open = 1;
    CrossbarMatrix matrix(4, 5, 1.0F, wired);
    matrix.program(random_weight(4, 5, 24));
    REQUIRE(matrix.forward_weight().cwiseAbs().maxCoeff() == 0.0F);
  }
  SECTION("variation spreads the conductances by its deviation") {
    options.technology.device_variation = 0.1;
    CrossbarMatrix matrix(64, 64, 1.0F, options);
    matrix.program(MatrixF::Constant(64, 64, 1.0F));
    double sum = 0;
    double squares = 0;
    for (Index t = 0; t < matrix.tile_count(); ++t) {
      const Matrix g = (matrix.tile_conductance(0, t) / 100e-6).array().log().matrix();
      sum += g.sum();
      squares += g.squaredNorm();
    }
    const double mean = sum / 4096;
    // Standard errors over 4096 cells: 0.1 / 64 and 0.1 / sqrt(2 * 4096).
    REQUIRE(std::abs(mean) <= 4 * 0.1 / 64);
    REQUIRE(std::abs(std::sqrt(squares / 4096 - mean * mean) - 0.1) <= 4 * 0.1 / 90.5);
  }
  SECTION("drift without spread multiplies every weight by (t/t0)^-nu") {
    options.technology.drift = {.exponent = 0.05, .time_s = 1000, .reference_s = 1};
    CrossbarMatrix matrix(40, 50, 1.0F, options);
    matrix.program(weight);
    const MatrixF expected = static_cast<float>(std::pow(1000, -0.05)) * weight;
    REQUIRE(error(matrix.forward_weight(), expected) <= 2e-6);
  }
}

TEST_CASE("mapping/crossbar_matrix: every read has a noise of its own, the same for the same seed",
          "[mapping]") {
  CrossbarOptions options = options_with(ModelKind::ideal, 32);
  options.technology.read_noise = 0.05;
  options.technology.on_off_ratio = 1e6;
  CrossbarMatrix matrix(64, 64, 1.0F, options);
  CrossbarMatrix twin(64, 64, 1.0F, options);
  const MatrixF weight = MatrixF::Constant(64, 64, 0.5F);
  matrix.program(weight);
  twin.program(weight);
  REQUIRE(error(matrix.forward_weight(), weight) <= 1e-6);
  matrix.next_read();
  twin.next_read();
  const MatrixF first = matrix.forward_weight();
  REQUIRE(error(first, twin.forward_weight()) == 0.0);
  // Relative noise 0.05 on cells at half range: deviation 0.025, over 4096 cells.
  REQUIRE(std::abs((first - weight).norm() / 64 - 0.025) <= 4 * 0.025 / 90.5);
  matrix.next_read();
  REQUIRE((matrix.forward_weight() - first).norm() / 64 >= 0.02);
  // Nothing of it stays in the cells.
  matrix.refresh();
  REQUIRE(error(matrix.forward_weight(), weight) <= 1e-6);
}

TEST_CASE("mapping/crossbar_matrix: a state of any moment goes on bit for bit", "[mapping]") {
  // Between two measurements, with everything that has a state of its own.
  CrossbarOptions options = options_with(ModelKind::sneak_ladder);
  options.refresh = 5;
  options.technology.terminals = xbar::Terminals::swap;
  options.technology.gain = Gain::column;
  options.technology.layout = xbar::mapping::Layout::interleaved;
  options.technology.update.write_noise = 0.02;
  options.technology.device_variation = 0.05;
  options.technology.read_noise = 0.01;
  CrossbarMatrix matrix(9, 11, 1.0F, options);
  matrix.program(random_weight(9, 11, 25));
  for (int k = 0; k < 3; ++k) {
    matrix.next_read();
    matrix.update(random_weight(9, 11, 26 + static_cast<std::uint64_t>(k)) * 0.1F);
  }
  CrossbarMatrix copy(9, 11, 1.0F, options);
  copy.restore(matrix.state());
  REQUIRE(error(copy.forward_weight(), matrix.forward_weight()) == 0.0);
  for (int k = 0; k < 4; ++k) {
    const MatrixF delta = random_weight(9, 11, 30 + static_cast<std::uint64_t>(k)) * 0.1F;
    for (CrossbarMatrix* m : {&matrix, &copy}) {
      m->next_read();
      m->update(delta);
    }
    REQUIRE(error(copy.weight(), matrix.weight()) == 0.0);
    REQUIRE(error(copy.forward_weight(), matrix.forward_weight()) == 0.0);
    REQUIRE(error(copy.backward_weight(), matrix.backward_weight()) == 0.0);
  }
}

TEST_CASE("mapping/crossbar_matrix: the adjoint is the derivative of the wired weights",
          "[mapping]") {
  using xbar::mapping::Layout;
  for (const Layout layout : {Layout::differential, Layout::interleaved, Layout::offset}) {
    for (const ModelKind kind : {ModelKind::sneak_ladder, ModelKind::exact}) {
      CAPTURE(layout_name(layout), xbar::surrogate::model_name(kind));
      CrossbarOptions options = options_with(kind);
      options.technology.layout = layout;
      options.technology.device_variation = 0.1;
      options.refresh = 1;
      CrossbarMatrix matrix(10, 12, 1.0F, options);
      // Away from zero, where the pair of cells changes roles.
      MatrixF weight = random_weight(10, 12, 40) * 0.8F;
      weight = weight.unaryExpr([](float w) { return w + (w < 0 ? -0.1F : 0.1F); });
      const MatrixF cotangent = random_weight(10, 12, 41);
      const auto loss = [&](const MatrixF& w) {
        matrix.program(w);
        return matrix.forward_weight().cast<double>().cwiseProduct(cotangent.cast<double>()).sum();
      };
      loss(weight);
      MatrixF gradient = cotangent;
      matrix.backpropagate(gradient);
      // Single precision: central differences over 2e-2 carry about 1e-7 * |loss| / 2e-2.
      for (const auto& [o, k] : {std::pair<Index, Index>{0, 0}, {3, 7}, {9, 11}, {8, 1}}) {
        MatrixF up = weight;
        MatrixF down = weight;
        up(o, k) += 0.01F;
        down(o, k) -= 0.01F;
        const double difference = (loss(up) - loss(down)) / 0.02;
        REQUIRE(std::abs(difference - static_cast<double>(gradient(o, k))) <= 2e-3);
      }
    }
  }
}

TEST_CASE(
    "mapping/crossbar_matrix: programming again and again keeps no noise and measures in turn",
    "[mapping]") {
  CrossbarOptions options = options_with(ModelKind::sneak_ladder);
  options.refresh = 3;
  options.technology.update.write_noise = 0.1;
  CrossbarMatrix matrix(6, 6, 1.0F, options);
  const MatrixF weight = random_weight(6, 6, 50);
  matrix.program(weight);
  for (int k = 1; k <= 3; ++k) {
    matrix.reprogram(weight * (1.0F - 0.1F * static_cast<float>(k)));
    REQUIRE(error(matrix.weight(), weight * (1.0F - 0.1F * static_cast<float>(k))) <= 1e-6);
  }
  CrossbarMatrix fresh(6, 6, 1.0F, options);
  fresh.program(weight * 0.7F);
  REQUIRE(error(matrix.forward_weight(), fresh.forward_weight()) <= 1e-6);
  // Without verify the same write is noisy.
  options.technology.verify = false;
  CrossbarMatrix single(6, 6, 1.0F, options);
  single.program(weight);
  const double off = (single.weight() - weight).cwiseAbs().mean();
  REQUIRE(off >= 0.01);
  REQUIRE(off <= 0.2);
}
