#include <xbar/validation/known_results.hpp>

#include "support/catch.hpp"

using xbar_test::WithinAbs;

TEST_CASE("validation/known_results: losses as an independent solver finds them", "[validation]") {
  const auto rows = xbar::validation::reference_losses(3, 1);
  REQUIRE(rows.size() == 8);
  for (const auto& row : rows) {
    CAPTURE(row.point.rows, row.point.on_ohm, row.point.wires.source_ohm);
    // The arrays are others: the total conductance of a bitline of m uniform cells varies by
    // 0.47 / sqrt(m) of itself, which moves its loss by that times loss (1 - loss); the mean over
    // n bitlines by sqrt(n) less. Known to three digits.
    const auto m = static_cast<double>(row.point.rows);
    const double spread = 0.47 / std::sqrt(m) * row.known.mean * (1 - row.known.mean);
    REQUIRE_THAT(row.found.mean, WithinAbs(row.known.mean, 1e-3 + 3 * spread / std::sqrt(m)));
    REQUIRE_THAT(row.found.first, WithinAbs(row.known.first, 1e-3 + 3 * spread));
    REQUIRE_THAT(row.found.last, WithinAbs(row.known.last, 1e-3 + 3 * spread));
    REQUIRE(row.found.lowest_ratio > row.known.lowest_ratio - 0.02);
    REQUIRE(row.found.highest_ratio < row.known.highest_ratio + 0.02);
  }
}

TEST_CASE("validation/known_results: closed forms err as was found before", "[validation]") {
  // Known to one or two digits, of one array.
  for (const auto& row : xbar::validation::closed_form_errors(3, 1)) {
    CAPTURE(model_name(row.model), row.point.rows, row.point.on_ohm);
    REQUIRE(row.found.mean <= 2 * row.known_mean);
    REQUIRE(row.found.mean >= 0.4 * row.known_mean);
    REQUIRE(row.found.worst >= row.found.mean);
  }
  REQUIRE(xbar::validation::rxnn_points().size() == 6);
}
