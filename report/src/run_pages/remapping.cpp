#include "remapping.hpp"

#include <fmt/format.h>

#include <xbar/report/text.hpp>

#include "statistics.hpp"

namespace xbar::report::pages {
namespace {

constexpr double significance = 0.05;
constexpr double hundred = 100;

std::string images(long long count) { return plural(count, "image"); }

}  // namespace

bool Comparison::significant() const { return sign_test(put_right, spoilt) < significance; }

Comparison comparison(const Value& value) {
  return {technology(value.at("technology")),
          value.at("as_is").number("accuracy"),
          value.at("as_is").number("loss"),
          value.at("remapped").number("accuracy"),
          value.at("remapped").number("loss"),
          value.count("put_right"),
          value.count("spoilt"),
          value.at("certificate").text("surrogate"),
          value.at("certificate").number("worst_error")};
}

std::string strategy_label(const std::string& name) { return name == "srs" ? "SRS" : name; }

std::string chance(double probability) {
  constexpr double least = 0.001;
  constexpr double small = 0.1;
  if (probability < least) return "less than 0.1\u00A0%";
  return format_fixed(hundred * probability, probability < small ? 1 : 0) + "\u00A0%";
}

std::string sign_test_words(const Comparison& c) {
  const long long changed = c.put_right + c.spoilt;
  if (changed == 0) return "Not one test image changed between right and wrong.";
  std::string text =
      fmt::format("Re-mapping put {} right and spoilt {}.", images(c.put_right), grouped(c.spoilt));
  const double p = sign_test(c.put_right, c.spoilt);
  if (changed == 1) return text + " One image says nothing about a difference.";
  text += fmt::format(
      " A fair coin splits {} at least as unevenly in {} of cases, so the difference is ",
      images(changed), chance(p));
  return text + (p < significance ? "more than the noise of the test set."
                                  : "within the noise of the test set.");
}

}  // namespace xbar::report::pages
