/// The hyperbolic functions behind the cell models, in every build that this machine runs.

#include <cmath>
#include <vector>

#include <xbar/core/isa.hpp>
#include <xbar/core/random.hpp>

#include "cell_kernels.hpp"
#include "support/catch.hpp"

namespace {

using Kernel = void (*)(long, double, const double*, const double*, double*, double*);

std::vector<Kernel> sinh_builds() {
  std::vector<Kernel> builds{xbar::device::baseline::sinh_cells};
#if defined(__x86_64__)
  if (xbar::isa() >= xbar::Isa::avx2) builds.push_back(xbar::device::avx2::sinh_cells);
  if (xbar::isa() >= xbar::Isa::avx512) builds.push_back(xbar::device::avx512::sinh_cells);
#endif
  return builds;
}

// Distance in units of the last place of the exact value.
double ulps(double found, long double exact) {
  const auto rounded = static_cast<double>(exact);
  const double unit = std::nextafter(std::abs(rounded), HUGE_VAL) - std::abs(rounded);
  return static_cast<double>(std::abs(found - exact) / unit);
}

}  // namespace

TEST_CASE("device/cell_kernels: sinh and cosh within 2.5 and 2 units in the last place",
          "[device]") {
  // Magnitudes from 1e-12, where a difference of exponentials would have lost all digits, to the
  // end of the range, and many around the ends of the reduced range, multiples of ln 2 / 2.
  const xbar::RandomStream stream(20260401, "test-sinh");
  std::vector<double> x{0.0, -0.0, 700.0, -700.0};
  for (std::uint64_t k = 0; k < 50000; ++k) {
    const double sign = stream.uniform(4 * k) < 0.5 ? -1.0 : 1.0;
    x.push_back(sign * std::pow(10.0, stream.uniform(4 * k + 1, -12, 2.845)));
    x.push_back(stream.uniform(4 * k + 2, -3, 3));
    x.push_back(std::log(2.0) / 2 * static_cast<double>(stream.below(4 * k + 3, 100)));
  }
  const auto count = static_cast<long>(x.size());
  const std::vector<double> one(x.size(), 1.0);
  std::vector<double> sine(x.size());
  std::vector<double> cosine(x.size());
  for (const Kernel kernel : sinh_builds()) {
    kernel(count, 1.0, one.data(), x.data(), sine.data(), cosine.data());
    double worst_sine = 0;
    double worst_cosine = 0;
    for (std::size_t k = 0; k < x.size(); ++k) {
      if (x[k] == 0) continue;
      worst_sine = std::max(worst_sine, ulps(sine[k], std::sinh(static_cast<long double>(x[k]))));
      worst_cosine =
          std::max(worst_cosine, ulps(cosine[k], std::cosh(static_cast<long double>(x[k]))));
    }
    CAPTURE(worst_sine, worst_cosine);
    REQUIRE(worst_sine <= 2.5);
    REQUIRE(worst_cosine <= 2);
    REQUIRE(sine[0] == 0);
    REQUIRE(cosine[0] == 1);
  }
}

TEST_CASE("device/cell_kernels: beyond 700 the values stay finite", "[device]") {
  const double one[] = {1, 1};
  const double x[] = {1e4, -HUGE_VAL};
  double sine[2];
  double cosine[2];
  for (const Kernel kernel : sinh_builds()) {
    kernel(2, 1.0, one, x, sine, cosine);
    REQUIRE(sine[0] == -sine[1]);
    REQUIRE(ulps(sine[0], std::sinh(700.0L)) <= 2.5);
  }
}
