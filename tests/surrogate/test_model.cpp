#include <xbar/core/error.hpp>
#include <xbar/surrogate/current_error.hpp>
#include <xbar/surrogate/model.hpp>
#include <xbar/surrogate_calibrate/calibrate.hpp>

#include "support/arrays.hpp"
#include "support/catch.hpp"

using xbar::Index;
using xbar::Matrix;
using xbar::MatrixF;
using xbar::Vector;
using xbar::WireResistance;
using xbar::surrogate::ModelKind;
using xbar_test::random_matrix;
using xbar_test::relative_error;

TEST_CASE("surrogate/model: a batch in float is each tile in double", "[surrogate]") {
  const WireResistance wires{500, 100, 2.5, 2};
  const Index rows = 17;
  const Index columns = 30;
  const xbar::surrogate::TileBatch batch{5, rows, columns};
  std::vector<float> conductance;
  for (std::uint64_t t = 0; t < 5; ++t) {
    const MatrixF tile = random_matrix(rows, columns, 5e-6, 5e-5, t).cast<float>();
    conductance.insert(conductance.end(), tile.data(), tile.data() + tile.size());
  }
  std::vector<float> effective(conductance.size());
  for (const xbar::surrogate::ModelInfo& info : xbar::surrogate::model_infos()) {
    const ModelKind kind = info.kind;
    const auto model = xbar::surrogate::make_model<float>(kind, wires);
    REQUIRE(model->kind() == kind);
    model->refresh(batch, conductance);
    model->effective(batch, conductance, effective);
    for (Index t = 0; t < batch.count; ++t) {
      const Eigen::Map<const MatrixF> tile(conductance.data() + t * batch.tile_size(), rows,
                                           columns);
      const Eigen::Map<const MatrixF> found(effective.data() + t * batch.tile_size(), rows,
                                            columns);
      const Matrix expected =
          xbar::surrogate::effective_conductance(kind, tile.cast<double>(), wires);
      CAPTURE(xbar::surrogate::model_name(kind), t);
      // A few hundred roundings of 6e-8 along two recursions.
      REQUIRE(relative_error(found.cast<double>(), expected) <= 3e-6);
    }
  }
}

TEST_CASE("surrogate/model: names and wrong names", "[surrogate]") {
  int position = 0;
  for (const xbar::surrogate::ModelInfo& info : xbar::surrogate::model_infos()) {
    REQUIRE(static_cast<int>(info.kind) == position++);
    REQUIRE(xbar::surrogate::parse_model(info.name) == info.kind);
    REQUIRE_FALSE(info.what.empty());
  }
  REQUIRE_THROWS_WITH(xbar::surrogate::parse_model("lader"),
                      xbar_test::Contains("did you mean ladder"));
}

TEST_CASE("surrogate/model: what does not fit is refused", "[surrogate]") {
  const xbar::surrogate::TileBatch batch{2, 3, 4};
  const std::vector<float> conductance(24, 1e-5F);
  std::vector<float> out(24);
  const auto ladder = xbar::surrogate::make_model<float>(ModelKind::ladder, {});
  std::vector<float> small(23);
  REQUIRE_THROWS_WITH(ladder->effective(batch, conductance, small),
                      xbar_test::Contains("expected 24 values for the batch, got 23"));
  const auto measured = xbar::surrogate::make_model<float>(ModelKind::operating_point, {});
  REQUIRE_THROWS_WITH(measured->effective(batch, conductance, out),
                      xbar_test::Contains("expected a refresh() of 2 tiles of 3 x 4 first"));
  REQUIRE_THROWS_WITH(measured->refresh(batch, conductance, std::vector<float>(5)),
                      xbar_test::Contains("inputs: expected 6 values"));
  REQUIRE_THROWS_WITH(
      xbar::surrogate::make_model<float>(ModelKind::exact, {}, xbar::surrogate::ExactSolver{}),
      xbar_test::Contains("expected an exact solver"));
}

TEST_CASE("surrogate/model: ratios are exact where they were measured and age slowly",
          "[surrogate]") {
  const WireResistance wires{100, 100, 1, 1};
  const xbar::surrogate::TileBatch batch{1, 64, 64};
  const Matrix before = random_matrix(64, 64, 5e-6, 5e-5, 8);
  // Every cell moves by 5 % of the range, up or down.
  Matrix after = before;
  const Matrix sign = random_matrix(64, 64, -1, 1, 9);
  for (Index e = 0; e < after.size(); ++e) {
    after.data()[e] += (sign.data()[e] > 0 ? 0.05 : -0.05) * 4.5e-5;
  }
  const Matrix inputs = xbar::surrogate::random_sparse_inputs(64, 64, 10);
  const auto span = [](const Matrix& x) {
    return std::span<const double>(x.data(), static_cast<std::size_t>(x.size()));
  };
  Matrix out(64, 64);
  const std::span<double> result(out.data(), 4096);
  const Matrix exact_before =
      xbar::surrogate::effective_conductance(ModelKind::exact, before, wires);
  const Matrix exact_after = xbar::surrogate::effective_conductance(ModelKind::exact, after, wires);
  for (const auto& [kind, most] : {std::pair{ModelKind::cell_ratio, 8e-3},
                                   {ModelKind::ladder_ratio, 1.5e-3},
                                   {ModelKind::sneak_ratio, 1e-4}}) {
    const auto model = xbar::surrogate::make_model<double>(kind, wires);
    model->refresh(batch, span(before));
    model->effective(batch, span(before), result);
    REQUIRE(relative_error(out, exact_before) <= 1e-14);
    model->effective(batch, span(after), result);
    CAPTURE(xbar::surrogate::model_name(kind));
    CHECK(xbar::surrogate::current_error(out, exact_after, inputs).relative <= most);
  }
}
