#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>

#include <xbar/core/error.hpp>
#include <xbar/device/neurosim_label.hpp>

#include "support/catch.hpp"

using xbar::device::neurosim_exponent;
using xbar::device::neurosim_label;
using xbar_test::WithinAbs;
using xbar_test::WithinRel;

TEST_CASE("device/neurosim_label: the label is the distance from the diagonal", "[device][pulse]") {
  // nu = ln 4: x = (1 - 4^-p) 4/3; its slope is 1 where 4^-p = 3/(4 ln 4).
  const double nu = std::log(4.0);
  const double p = std::log(4 * nu / 3) / nu;
  const double x = (1 - 3 / (4 * nu)) * 4 / 3;
  CHECK_THAT(neurosim_label(nu), WithinRel((x - p) / std::sqrt(2.0) / 0.07, 1e-13));
  CHECK(neurosim_label(-nu) == -neurosim_label(nu));
  // By search: 10^4 places, between which a parabola changes by 1e-9 of its height.
  double largest = 0;
  for (int k = 0; k <= 10000; ++k) {
    const double q = k / 10000.0;
    largest = std::max(largest, std::expm1(-nu * q) / std::expm1(-nu) - q);
  }
  CHECK_THAT(neurosim_label(nu), WithinRel(largest / std::sqrt(2.0) / 0.07, 1e-7));
}

TEST_CASE("device/neurosim_label: exponents are the inverse", "[device][pulse]") {
  for (const double label : {-9.0, -4.88, -1e-3, 0.0, 1e-9, 1e-5, 0.01, 1.0, 2.4, 6.0, 9.0}) {
    CAPTURE(label);
    CHECK_THAT(neurosim_label(neurosim_exponent(label)),
               WithinAbs(label, 1e-8 * std::abs(label) + 1e-8));
  }
  CHECK_THROWS_WITH(neurosim_exponent(9.5), "non-linearity label: expected -9 to 9, got 9.5");
  CHECK_THROWS_AS(neurosim_exponent(std::numeric_limits<double>::quiet_NaN()),
                  xbar::InvalidArgument);
}

TEST_CASE("device/neurosim_label: NeuroSim's own table", "[device][pulse]") {
  const std::filesystem::path file =
      std::filesystem::path(XBAR_SHARED_DIR) / "data" / "device" / "neurosim_nonlinearity_to_A.csv";
  if (!std::filesystem::exists(file)) {
    WARN("skipped: no " << file);
    return;
  }
  std::ifstream input(file);
  std::string line;
  std::getline(input, line);  // names of the columns
  int rows = 0;
  while (std::getline(input, line)) {
    std::replace(line.begin(), line.end(), ',', ' ');
    std::istringstream numbers(line);
    double label = 0;
    double four_digits = 0;
    double six_digits = 0;
    REQUIRE((numbers >> label >> four_digits >> six_digits));
    const double A = 1 / neurosim_exponent(label);
    // Half a unit of the last digit, and the little by which the two columns differ.
    CAPTURE(label);
    CHECK_THAT(A, WithinAbs(six_digits, 1e-6 + 2e-6 * A));
    CHECK_THAT(A, WithinAbs(four_digits, 0.6e-4));
    ++rows;
  }
  CHECK(rows == 900);
}
