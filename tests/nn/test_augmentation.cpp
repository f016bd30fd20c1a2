#include <array>
#include <cmath>
#include <vector>

#include <xbar/core/error.hpp>
#include <xbar/nn/data/augmentation.hpp>

#include "support/catch.hpp"

using Catch::Matchers::Contains;
using xbar::Index;
using namespace xbar::nn;

namespace {

std::vector<float> changed(const CropFlip& draw, const std::vector<float>& image, Index height,
                           Index width, const std::vector<float>& black) {
  std::vector<float> out(image.size(), -99);
  crop_flip(draw, image.data(), height, width, black, out.data());
  return out;
}

}  // namespace

TEST_CASE("nn/augmentation: crops and mirror images are those drawn by hand") {
  const std::vector<float> image = {1, 2, 3, 4, 5, 6};  // 2 rows of 3
  CHECK(changed({4, 4, false}, image, 2, 3, {0}) == image);
  CHECK(changed({4, 4, true}, image, 2, 3, {0}) == std::vector<float>{3, 2, 1, 6, 5, 4});
  // The corner one row higher and one column further left: black comes in above and at the left.
  CHECK(changed({3, 3, false}, image, 2, 3, {9}) == std::vector<float>{9, 9, 9, 9, 1, 2});
  CHECK(changed({3, 3, true}, image, 2, 3, {9}) == std::vector<float>{9, 9, 9, 2, 1, 9});
  // One row lower and two columns further right.
  CHECK(changed({5, 6, false}, image, 2, 3, {0}) == std::vector<float>{6, 0, 0, 0, 0, 0});
  // Moved out altogether: 4 pixels are more than the image has.
  CHECK(changed({0, 0, false}, image, 2, 3, {7}) == std::vector<float>(6, 7.0F));
  CHECK(changed({8, 8, true}, image, 2, 3, {7}) == std::vector<float>(6, 7.0F));
  // Every channel has its own black.
  CHECK(changed({4, 5, false}, image, 1, 3, {-1, -2}) == std::vector<float>{2, 3, -1, 5, 6, -2});
}

TEST_CASE("nn/augmentation: a draw depends on seed, epoch and image, and on nothing else") {
  const auto same = [](const CropFlip& a, const CropFlip& b) {
    return a.top == b.top && a.left == b.left && a.flip == b.flip;
  };
  int other_seed = 0;
  int other_epoch = 0;
  int other_image = 0;
  for (Index i = 0; i < 100; ++i) {
    const CropFlip draw = draw_crop_flip(1, 5, i);
    CHECK(same(draw, draw_crop_flip(1, 5, i)));
    other_seed += same(draw, draw_crop_flip(2, 5, i)) ? 1 : 0;
    other_epoch += same(draw, draw_crop_flip(1, 6, i)) ? 1 : 0;
    other_image += same(draw, draw_crop_flip(1, 5, i + 1)) ? 1 : 0;
  }
  // Equal by chance once in 162.
  CHECK(other_seed <= 8);
  CHECK(other_epoch <= 8);
  CHECK(other_image <= 8);
}

TEST_CASE("nn/augmentation: all places and both sides are equally likely") {
  constexpr int draws = 81000;
  std::array<int, 81> places{};
  int flips = 0;
  for (Index i = 0; i < draws; ++i) {
    const CropFlip draw = draw_crop_flip(1, 0, i);
    ++places.at(static_cast<std::size_t>(9 * draw.top + draw.left));
    flips += draw.flip ? 1 : 0;
  }
  // 1000 expected in each, standard deviation 31.4; 81 places stay within 5 of them.
  for (const int count : places) CHECK(std::abs(count - 1000) <= 157);
  // Standard deviation 142.
  CHECK(std::abs(flips - draws / 2) <= 5 * 142);
}

TEST_CASE("nn/augmentation: names go both ways and a typing error is answered") {
  for (const auto kind : {Augmentation::none, Augmentation::crop_flip}) {
    CHECK(augmentation_of(augmentation_name(kind)) == kind);
  }
  CHECK_THROWS_WITH(augmentation_of("crop_flip"), Contains("did you mean crop-flip"));
}
