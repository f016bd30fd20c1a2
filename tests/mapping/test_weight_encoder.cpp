#include <array>
#include <cmath>

#include <xbar/core/error.hpp>
#include <xbar/mapping/weight_encoder.hpp>

#include "support/arrays.hpp"
#include "support/catch.hpp"

using xbar::Index;
using xbar::mapping::Layout;
using xbar::mapping::WeightBits;
using xbar::mapping::WeightEncoder;
using xbar_test::Contains;

namespace {

// States of all cells of one weight.
std::vector<float> cells_of(const WeightEncoder& encoder, float v) {
  std::vector<float> x(static_cast<std::size_t>(encoder.cells()));
  std::vector<float*> lines;
  for (float& cell : x) lines.push_back(&cell);
  encoder.encode(&v, 1, lines.data());
  return x;
}

float weight_of(const WeightEncoder& encoder, const std::vector<float>& x) {
  std::vector<const float*> lines;
  for (const float& cell : x) lines.push_back(&cell);
  float v = 0;
  encoder.decode(lines.data(), 1, &v);
  return v;
}

}  // namespace

TEST_CASE("mapping/weight_encoder: analog cells hold the weight itself", "[mapping]") {
  const WeightEncoder pair(Layout::differential, {});
  REQUIRE(cells_of(pair, 0.25F) == std::vector<float>{0.25F, 0.0F});
  REQUIRE(cells_of(pair, -0.5F) == std::vector<float>{0.0F, 0.5F});
  REQUIRE(cells_of(pair, 3.0F) == std::vector<float>{1.0F, 0.0F});
  const WeightEncoder offset(Layout::offset, {});
  REQUIRE(cells_of(offset, 0.0F) == std::vector<float>{0.5F});
  REQUIRE(cells_of(offset, -1.0F) == std::vector<float>{0.0F});
  REQUIRE(offset.reference(0) == 0.5F);
  REQUIRE(offset.coefficient(0) == 2.0F);
}

TEST_CASE("mapping/weight_encoder: slices of 8-bit weights on 2-bit cells, by hand", "[mapping]") {
  // 7 magnitude bits: round(0.5 * 127) = 64 (63.5 to even) = 01 00 00 00 in base 4.
  const WeightEncoder encoder(Layout::differential, {.weight = 8, .cell = 2});
  REQUIRE(encoder.slices() == 4);
  REQUIRE(encoder.cells() == 8);
  REQUIRE(cells_of(encoder, -0.5F) == std::vector<float>{0, 0, 0, 0, 0, 0, 0, 1.0F / 3.0F});
  // 127 = 1 11 11 11: all cells full but the last, whose two bits are used for one.
  REQUIRE(cells_of(encoder, 1.0F) == std::vector<float>{1, 0, 1, 0, 1, 0, 1.0F / 3.0F, 0});
  // A full cell of slice s adds 3 * 4^s / 127.
  REQUIRE_THAT(encoder.coefficient(4), xbar_test::WithinRel(48.0F / 127.0F, 1e-6F));
  REQUIRE_THAT(encoder.coefficient(5), xbar_test::WithinRel(-48.0F / 127.0F, 1e-6F));
}

TEST_CASE("mapping/weight_encoder: offset binary, by hand", "[mapping]") {
  // 4 bits: U = 8 + round(7 v); v = 3/7 -> 11 = 10 11 in base 4; the middle 8 = 10 00.
  const WeightEncoder encoder(Layout::offset, {.weight = 4, .cell = 2});
  REQUIRE(encoder.cells() == 2);
  REQUIRE(cells_of(encoder, 3.0F / 7.0F) == std::vector<float>{1.0F, 2.0F / 3.0F});
  REQUIRE(encoder.reference(0) == 0.0F);
  REQUIRE(encoder.reference(1) == 2.0F / 3.0F);
}

TEST_CASE("mapping/weight_encoder: decoding gives the nearest level for every layout and width",
          "[mapping]") {
  for (const Layout layout : {Layout::differential, Layout::interleaved, Layout::offset}) {
    for (const WeightBits bits :
         {WeightBits{0, 0}, WeightBits{0, 4}, WeightBits{8, 0}, WeightBits{8, 1}, WeightBits{8, 2},
          WeightBits{8, 4}, WeightBits{5, 3}, WeightBits{16, 1}, WeightBits{3, 8}}) {
      const WeightEncoder encoder(layout, bits);
      CAPTURE(layout_name(layout), bits.weight, bits.cell);
      double worst = 0;
      for (int k = -1000; k <= 1000; ++k) {
        const float v = static_cast<float>(k) / 1000.0F;
        const std::vector<float> x = cells_of(encoder, v);
        for (const float state : x) {
          REQUIRE(state >= 0.0F);
          REQUIRE(state <= 1.0F);
        }
        const float found = weight_of(encoder, x);
        worst = std::max(worst, std::abs(static_cast<double>(found - v)));
        // What is decoded is encoded as the same cells.
        REQUIRE(cells_of(encoder, found) == x);
        if (k == 0) REQUIRE(std::abs(found) <= 1e-6F);
      }
      REQUIRE(worst <= 0.5 * static_cast<double>(encoder.step()) + 2e-6);
      if (encoder.step() > 0) {
        REQUIRE(worst >= 0.4 * std::min(static_cast<double>(encoder.step()), 1e-3));
      }
    }
  }
}

TEST_CASE("mapping/weight_encoder: bad bits are named", "[mapping]") {
  REQUIRE_THROWS_WITH(WeightEncoder(Layout::differential, {.weight = 1}),
                      Contains("weight-bits: expected 2 to 16") && Contains("got 1"));
  REQUIRE_THROWS_WITH(WeightEncoder(Layout::differential, {.weight = 17}), Contains("got 17"));
  REQUIRE_THROWS_WITH(WeightEncoder(Layout::differential, {.cell = 9}), Contains("cell-bits"));
  REQUIRE_THROWS_WITH(WeightEncoder(Layout::offset, {.cell = 1}),
                      Contains("at least 2 with layout offset"));
  REQUIRE_THROWS_WITH(
      xbar::mapping::parse_layout("diff"),
      Contains("differential, interleaved, offset or reference") && Contains("'diff'"));
}
