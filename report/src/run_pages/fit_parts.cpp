#include "fit_parts.hpp"

#include <cmath>
#include <utility>

#include <xbar/report/text.hpp>

#include "parts.hpp"

namespace xbar::report::pages {
namespace {

std::vector<Cell> estimate_row(const Value& estimate) {
  const auto bound = [&](const char* key) {
    const double value = estimate.number(key);
    return std::isnan(value) ? Cell("not determined") : Cell::number(value, 5);
  };
  return {estimate.text("name"), Cell::number(estimate.number("value"), 5), bound("low"),
          bound("high"), estimate.text("unit")};
}

}  // namespace

Value best_model(const Value& results) {
  const std::string best = results.text("best");
  for (const Value& model : results.at("models").items()) {
    if (model.text("name") == best) return model;
  }
  results.at("best").fail("one of the models", best);
}

Table estimate_table(const std::vector<Value>& estimates) {
  Table table;
  table.header = {"Parameter", "Value", "95 % from", "to", "Unit"};
  for (const Value& estimate : estimates) table.rows.push_back(estimate_row(estimate));
  return table;
}

Series series(std::string name, std::vector<double> x, std::vector<double> y, Colour colour) {
  Series s;
  s.name = std::move(name);
  s.x = std::move(x);
  s.y = std::move(y);
  s.markers = false;
  s.colour = colour;
  return s;
}

}  // namespace xbar::report::pages
