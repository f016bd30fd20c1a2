#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>

#include <xbar/core/error.hpp>
#include <xbar/sweep/design.hpp>

#include "support/catch.hpp"

using xbar_test::Contains;
using namespace xbar::sweep;

namespace {

double number(const Setting& setting, std::size_t key) { return std::stod(setting[key].second); }

}  // namespace

TEST_CASE("sweep/design: a grid has every combination, the last key fastest", "[sweep]") {
  Design design;
  design.keys = {{"a", {"1", "2"}}, {"b", {"\"x\"", "\"y\"", "\"z\""}}};
  const auto settings = settings_of(design);
  REQUIRE(settings.size() == 6);
  REQUIRE(settings[0] == Setting{{"a", "1"}, {"b", "\"x\""}});
  REQUIRE(settings[1] == Setting{{"a", "1"}, {"b", "\"y\""}});
  REQUIRE(settings[5] == Setting{{"a", "2"}, {"b", "\"z\""}});
}

TEST_CASE("sweep/design: a Latin hypercube has one draw in each part of each key", "[sweep]") {
  constexpr xbar::Index samples = 50;
  Design design;
  design.sampling = Sampling::latin_hypercube;
  design.samples = samples;
  design.keys = {{"linear", {}, -1, 3},
                 {"logarithmic", {}, 1e-3, 1e3, true},
                 {"whole", {}, 1, 10, false, true},
                 {"choice", {"true", "false"}}};
  const auto settings = settings_of(design);
  REQUIRE(settings.size() == samples);
  std::set<long> linear;
  std::set<long> logarithmic;
  std::map<double, int> whole;
  std::map<std::string, int> choice;
  bool same_order = true;
  for (const Setting& setting : settings) {
    const long a = std::lround(std::floor((number(setting, 0) + 1) / 4 * samples));
    const long b = std::lround(std::floor((std::log10(number(setting, 1)) + 3) / 6 * samples));
    same_order = same_order && a == b;
    linear.insert(a);
    logarithmic.insert(b);
    ++whole[number(setting, 2)];
    ++choice[setting[3].second];
  }
  REQUIRE(linear.size() == samples);
  REQUIRE(*linear.begin() == 0);
  REQUIRE(logarithmic.size() == samples);
  REQUIRE_FALSE(same_order);
  REQUIRE(whole.size() == 10);
  for (const auto& [value, count] : whole) REQUIRE(count == 5);
  REQUIRE(choice["true"] == 25);
}

TEST_CASE("sweep/design: random draws fill the range, and hang on the seed alone", "[sweep]") {
  constexpr xbar::Index samples = 4000;
  Design design;
  design.sampling = Sampling::random;
  design.samples = samples;
  design.keys = {{"r", {}, 1, 100, true}, {"k", {}, 2, 4, false, true}};
  const auto settings = settings_of(design);
  // ln r is uniform: mean ln 10; of 4000 the mean lies within four standard errors.
  double sum = 0;
  std::map<double, int> whole;
  for (const Setting& setting : settings) {
    REQUIRE(number(setting, 0) > 1);
    REQUIRE(number(setting, 0) < 100);
    sum += std::log(number(setting, 0));
    ++whole[number(setting, 1)];
  }
  const double deviation = std::log(100.0) / std::sqrt(12.0 * samples);
  REQUIRE(std::abs(sum / samples - std::log(10.0)) < 4 * deviation);
  REQUIRE(whole.size() == 3);
  for (const auto& [value, count] : whole) REQUIRE(std::abs(count - samples / 3) < 120);
  REQUIRE(settings == settings_of(design));
  design.seed = 2;
  REQUIRE(settings != settings_of(design));
}

TEST_CASE("sweep/design: refuses what is no design", "[sweep]") {
  Design design;
  design.keys = {{"r", {}, 1, 2}};
  REQUIRE_THROWS_WITH(settings_of(design), Contains("key 'r'") && Contains("list of values"));
  design.sampling = Sampling::random;
  REQUIRE_THROWS_WITH(settings_of(design), Contains("samples: expected 1 to"));
  design.samples = 3;
  design.keys = {{"r", {}, 2, 1}};
  REQUIRE_THROWS_WITH(settings_of(design), Contains("low < high"));
  design.keys = {{"r", {}, 0, 1, true}};
  REQUIRE_THROWS_WITH(settings_of(design), Contains("low > 0"));
  design.keys = {{"r", {}, 0.5, 3, false, true}};
  REQUIRE_THROWS_WITH(settings_of(design), Contains("whole numbers"));
  design.sampling = Sampling::list;
  REQUIRE_THROWS_WITH(settings_of(design), Contains("one setting or more"));
  design.sampling = Sampling::grid;
  design.keys.assign(7, {"k", std::vector<std::string>(10, "1")});
  REQUIRE_THROWS_WITH(settings_of(design), Contains("1000000 settings or fewer"));
  REQUIRE_THROWS_WITH(parse_sampling("latin"), Contains("expected grid, list, random"));
  REQUIRE(parse_sampling(sampling_name(Sampling::latin_hypercube)) == Sampling::latin_hypercube);
}
