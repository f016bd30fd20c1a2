#include <xbar/core/error.hpp>
#include <xbar/surrogate/ladder.hpp>
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
  for (const ModelKind kind :
       {ModelKind::ideal, ModelKind::ladder, ModelKind::operating_point, ModelKind::exact}) {
    const auto model = xbar::surrogate::make_model(kind, wires);
    REQUIRE(model->kind() == kind);
    model->refresh(batch, conductance);
    model->effective(batch, conductance, effective);
    for (Index t = 0; t < batch.count; ++t) {
      const Eigen::Map<const MatrixF> tile(conductance.data() + t * batch.tile_size(), rows,
                                           columns);
      const Eigen::Map<const MatrixF> found(effective.data() + t * batch.tile_size(), rows,
                                            columns);
      const Matrix expected = xbar::surrogate::effective_conductance(kind, tile.cast<double>(),
                                                                     wires, Vector::Ones(rows));
      CAPTURE(xbar::surrogate::model_name(kind), t);
      // A few hundred roundings of 6e-8 along two recursions.
      REQUIRE(relative_error(found.cast<double>(), expected) <= 3e-6);
    }
  }
}

TEST_CASE("surrogate/model: names and wrong names", "[surrogate]") {
  for (const ModelKind kind :
       {ModelKind::ideal, ModelKind::ladder, ModelKind::operating_point, ModelKind::exact}) {
    REQUIRE(xbar::surrogate::parse_model(xbar::surrogate::model_name(kind)) == kind);
  }
  REQUIRE_THROWS_WITH(xbar::surrogate::parse_model("lader"),
                      xbar_test::Contains("did you mean ladder"));
}
