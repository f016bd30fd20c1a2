#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <xbar/core/error.hpp>
#include <xbar/device/faults.hpp>

#include "support/catch.hpp"

using xbar::RandomStream;
using xbar::device::CellFault;
using xbar::device::CellFaults;
using xbar::device::check_cell_faults;
using xbar::device::draw_cell_faults;

namespace {

std::vector<CellFault> drawn(const CellFaults& faults, const RandomStream& stream,
                             std::uint64_t first, std::size_t count) {
  std::vector<CellFault> fault(count, CellFault::open);
  draw_cell_faults(faults, stream, first, fault);
  return fault;
}

}  // namespace

TEST_CASE("device/faults: each fault has the share of cells that was asked for", "[device]") {
  const CellFaults faults{.stuck_on = 0.0175, .stuck_off = 0.0904, .open = 0.003};
  const std::size_t count = 1000000;
  std::array<double, 4> found{};
  for (const CellFault fault : drawn(faults, RandomStream(1, "faults"), 0, count)) {
    ++found[static_cast<std::size_t>(fault)];
  }
  const std::array<double, 4> share = {1 - 0.0175 - 0.0904 - 0.003, 0.0175, 0.0904, 0.003};
  for (std::size_t k = 0; k < 4; ++k) {
    // Binomial; the draws are fixed, so five standard errors hold for ever or fail for ever.
    const double error = std::sqrt(share[k] * (1 - share[k]) / static_cast<double>(count));
    CAPTURE(k);
    CHECK(std::fabs(found[k] / static_cast<double>(count) - share[k]) <= 5 * error);
  }
}

TEST_CASE("device/faults: shares of 0 and 1 mean no cell and every cell", "[device]") {
  const RandomStream stream(2, "faults");
  const std::size_t count = 10000;
  CHECK_FALSE(CellFaults{}.any());
  CHECK(drawn({}, stream, 0, count) == std::vector<CellFault>(count, CellFault::none));
  CHECK(CellFaults{.stuck_on = 1}.any());
  CHECK(drawn({.stuck_on = 1}, stream, 0, count) ==
        std::vector<CellFault>(count, CellFault::stuck_on));
  CHECK(CellFaults{.stuck_off = 1}.any());
  CHECK(drawn({.stuck_off = 1}, stream, 0, count) ==
        std::vector<CellFault>(count, CellFault::stuck_off));
  CHECK(CellFaults{.open = 1}.any());
  CHECK(drawn({.open = 1}, stream, 0, count) == std::vector<CellFault>(count, CellFault::open));
}

TEST_CASE("device/faults: a cell's fault is its own, however the array is cut", "[device]") {
  const CellFaults faults{.stuck_on = 0.2, .stuck_off = 0.3, .open = 0.1};
  const RandomStream stream(3, "faults");
  const auto whole = drawn(faults, stream, 100, 2000);
  for (const std::size_t cut : {1U, 64U, 700U}) {
    auto pieces = drawn(faults, stream, 100, cut);
    const auto rest = drawn(faults, stream, 100 + cut, 2000 - cut);
    pieces.insert(pieces.end(), rest.begin(), rest.end());
    CHECK(pieces == whole);
  }
  CHECK(drawn(faults, RandomStream(4, "faults"), 100, 2000) != whole);
}

TEST_CASE("device/faults: cells stuck on at a share are so at every larger one", "[device]") {
  const RandomStream stream(5, "faults");
  const auto few = drawn({.stuck_on = 0.05}, stream, 0, 5000);
  const auto more = drawn({.stuck_on = 0.1}, stream, 0, 5000);
  int kept = 0;
  for (std::size_t k = 0; k < few.size(); ++k) {
    if (few[k] != CellFault::stuck_on) continue;
    CHECK(more[k] == CellFault::stuck_on);
    ++kept;
  }
  CHECK(kept > 150);  // 250 +- 15
}

TEST_CASE("device/faults: shares that are none are refused by name", "[device]") {
  CHECK_NOTHROW(check_cell_faults({}));
  CHECK_NOTHROW(check_cell_faults({.stuck_on = 0.5, .stuck_off = 0.25, .open = 0.25}));
  const auto message = [](const CellFaults& faults) {
    try {
      check_cell_faults(faults);
    } catch (const xbar::InvalidArgument& error) {
      return std::string(error.what());
    }
    return std::string("nothing thrown");
  };
  CHECK(message({.stuck_on = -0.1}) == "stuck-on: expected a share of cells, 0 to 1, got -0.1");
  CHECK(message({.stuck_off = 1.5}) == "stuck-off: expected a share of cells, 0 to 1, got 1.5");
  CHECK(message({.open = std::numeric_limits<double>::quiet_NaN()}) ==
        "open: expected a share of cells, 0 to 1, got nan");
  CHECK(message({.stuck_on = 0.5, .stuck_off = 0.5, .open = 0.25}) ==
        "stuck-on + stuck-off + open: expected shares that sum to at most 1, got 1.25");
}
