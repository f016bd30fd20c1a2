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

namespace {

OrderAccuracy order_accuracy(const Value& value) {
  const auto compensated = [&](const char* name) -> std::optional<double> {
    if (const auto found = value.find(name)) return found->number("accuracy");
    return {};
  };
  return {value.number("accuracy"), compensated("gain"), compensated("batch_norm"),
          value.number("loss"), value.at("layer_error").numbers()};
}

std::optional<LaterChange> later_change(const Value& value) {
  const auto later = value.find("later");
  if (!later) return {};
  return LaterChange{later->at("changed").number("accuracy"),
                     later->at("remapped").number("accuracy"), later->number("rewritten"),
                     later->number("seconds")};
}

}  // namespace

bool Comparison::significant() const { return sign_test(put_right, spoilt) < significance; }

Comparison comparison(const Value& value) {
  return {technology(value.at("technology")),
          value.text("strategy"),
          order_accuracy(value.at("as_is")),
          order_accuracy(value.at("remapped")),
          value.number("seconds"),
          later_change(value),
          value.count("put_right"),
          value.count("spoilt"),
          value.at("certificate").text("surrogate"),
          value.at("certificate").number("worst_error")};
}

std::string strategy_label(const std::string& name) {
  if (name == "srs") return "SRS";
  return name == "drs" ? "DRS" : name;
}

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
