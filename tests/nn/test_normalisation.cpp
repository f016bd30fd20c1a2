#include <limits>
#include <vector>

#include <xbar/core/error.hpp>
#include <xbar/nn/data/data_set.hpp>

#include "support/catch.hpp"

using Catch::Matchers::Contains;
using namespace xbar::nn;

namespace {

// One image of two channels of 1 x 2 pixels.
DataSet small_data() {
  const ImageSet set{1, 2, 1, 2, {0.0F, 0.5F, 1.0F, 0.25F}, {0}};
  return {"small", 1, set, set};
}

}  // namespace

TEST_CASE("nn/normalisation: pixels are shifted and scaled by channel, in both splits") {
  DataSet data = small_data();
  normalise(data, {{0.5F, 0.25F}, {0.25F, 0.5F}});
  const std::vector<float> expected = {-2.0F, 0.0F, 1.5F, 0.0F};  // exact in binary
  CHECK(data.train.pixels == expected);
  CHECK(data.test.pixels == expected);
  CHECK(data.normalisation.black(2) == std::vector<float>{-2.0F, -0.5F});
  CHECK_THROWS_WITH(normalise(data, {{0.5F}, {0.25F}}), Contains("normalised already"));
}

TEST_CASE("nn/normalisation: one value serves all channels, none changes nothing") {
  DataSet data = small_data();
  normalise(data, {});
  CHECK(data.train.pixels == small_data().train.pixels);
  CHECK(data.normalisation.black(2) == std::vector<float>{0.0F, 0.0F});
  normalise(data, {{0.5F}, {0.5F}});
  CHECK(data.train.pixels == std::vector<float>{-1.0F, 0.0F, 1.0F, -0.5F});
  CHECK(data.normalisation.black(2) == std::vector<float>{-1.0F, -1.0F});
}

TEST_CASE("nn/normalisation: lists that do not fit are refused by name") {
  const auto attempt = [](const Normalisation& normalisation) {
    DataSet data = small_data();
    normalise(data, normalisation);
  };
  CHECK_THROWS_WITH(attempt({{0, 0, 0}, {1, 1}}),
                    Contains("pixel_mean: expected 2 values") && Contains("got 3"));
  CHECK_THROWS_WITH(attempt({{0}, {}}), Contains("pixel_deviation") && Contains("got 0"));
  CHECK_THROWS_WITH(attempt({{0}, {0}}), Contains("pixel_deviation") && Contains("> 0"));
  CHECK_THROWS_WITH(attempt({{std::numeric_limits<float>::infinity()}, {1}}),
                    Contains("pixel_mean") && Contains("finite"));
}
