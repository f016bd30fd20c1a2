#include "error_study.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include <xbar/report/text.hpp>

namespace xbar::report::pages {
namespace {

constexpr double hundred = 100;

std::string in_sentence(const std::string& model) {
  std::string label = model_label(model);
  if (label == model) return label;
  label.front() = static_cast<char>(label.front() - 'A' + 'a');
  return model == "ideal" ? label : "the " + label;
}

ErrorRows sorted(ErrorRows rows, double ErrorRow::*x) {
  // NaN has no place in an order; it has none in a plot either.
  std::erase_if(rows, [&](const ErrorRow& row) { return std::isnan(row.*x); });
  std::stable_sort(rows.begin(), rows.end(),
                   [&](const ErrorRow& a, const ErrorRow& b) { return a.*x < b.*x; });
  return rows;
}

}  // namespace

ErrorRows error_rows(const Value& list) {
  ErrorRows rows;
  for (const Value& v : list.items()) {
    rows.push_back({v.number("size"), v.number("on_ohm"), v.number("on_off_ratio"),
                    v.number("source_ohm"), v.number("sink_ohm"), v.number("wordline_ohm"),
                    v.number("bitline_ohm"), v.text("weights"), v.text("model"),
                    v.number("relative_error"), v.number("mean_error"), v.number("worst_error"),
                    v.number("seconds"), v.number("exact_seconds")});
  }
  return rows;
}

std::vector<std::string> models(const ErrorRows& rows) {
  std::vector<std::string> names;
  for (const ErrorRow& row : rows) {
    if (std::find(names.begin(), names.end(), row.model) == names.end()) {
      names.push_back(row.model);
    }
  }
  return names;
}

std::vector<double> distinct(const ErrorRows& rows, double ErrorRow::*field) {
  std::set<double> values;
  for (const ErrorRow& row : rows) {
    if (std::isfinite(row.*field)) values.insert(row.*field);
  }
  return {values.begin(), values.end()};
}

ErrorRows with(const ErrorRows& rows, double ErrorRow::*field, double value) {
  ErrorRows result;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(result),
               [&](const ErrorRow& row) { return row.*field == value; });
  return result;
}

ErrorRows of_model(const ErrorRows& rows, const std::string& model) {
  ErrorRows result;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(result),
               [&](const ErrorRow& row) { return row.model == model; });
  return result;
}

std::optional<ErrorRow> worst_row(const ErrorRows& rows, double ErrorRow::*error) {
  std::optional<ErrorRow> worst;
  for (const ErrorRow& row : rows) {
    // A NaN is as bad as it gets.
    if (!worst || !(row.*error <= (*worst).*error)) worst = row;
    if (std::isnan(row.*error)) break;
  }
  return worst;
}

std::string best_model(const ErrorRows& rows) {
  std::string best;
  double least = 0;
  for (const std::string& model : models(rows)) {
    if (model == "ideal") continue;
    const double worst = worst_row(of_model(rows, model))->worst;
    if (best.empty() || worst < least || std::isnan(least)) {
      best = model;
      least = worst;
    }
  }
  return best;
}

Axis error_axis(const ErrorRows& rows) {
  double lo = 0;
  double hi = 0;
  for (const ErrorRow& row : rows) {
    for (const double share : {row.mean, row.worst}) {
      if (!std::isfinite(share) || share <= 0) continue;
      lo = lo > 0 ? std::min(lo, share) : share;
      hi = std::max(hi, share);
    }
  }
  Axis axis{"Error of the output currents", "%", Scale::log};
  constexpr double margin = 1.3;
  if (lo > 0 && hi < 1e100) {
    axis.min = hundred * lo / margin;
    axis.max = hundred * hi * margin;
    // Every decade, unless there are too many or too few.
    constexpr double few = 2;
    constexpr double many = 8;
    const double first = std::ceil(std::log10(*axis.min));
    const double last = std::floor(std::log10(*axis.max));
    for (double decade = first; last - first >= few && last - first < many && decade <= last;
         ++decade) {
      axis.ticks.push_back(std::pow(10.0, decade));
    }
  }
  return axis;
}

Axis size_axis(const ErrorRows& rows) {
  Axis axis{"Array side", "cells", Scale::log2};
  constexpr std::size_t most_ticks = 8;
  std::vector<double> sizes = distinct(rows, &ErrorRow::size);
  if (sizes.size() <= most_ticks) axis.ticks = std::move(sizes);
  return axis;
}

Axis line_axis(const ErrorRows& rows) {
  Axis axis{"Line resistance a segment", "Ω", Scale::log};
  constexpr std::size_t most_ticks = 8;
  std::vector<double> values = distinct(rows, &ErrorRow::wordline_ohm);
  if (values.size() <= most_ticks) axis.ticks = std::move(values);
  return axis;
}

LinePlot error_plot(const ErrorRows& rows, double ErrorRow::*x, const Axis& x_axis,
                    const Axis& y_axis) {
  LinePlot plot;
  plot.x = x_axis;
  plot.y = y_axis;
  for (const std::string& model : models(rows)) {
    Series series;
    series.name = model_label(model);
    series.colour = model_colour(model);
    for (const ErrorRow& row : sorted(of_model(rows, model), x)) {
      series.x.push_back(row.*x);
      series.y.push_back(hundred * row.mean);
      series.lower.push_back(hundred * row.mean);
      series.upper.push_back(hundred * row.worst);
    }
    plot.series.push_back(std::move(series));
  }
  return plot;
}

std::string growth_words(const ErrorRows& rows, double ErrorRow::*x, std::string (*show)(double)) {
  std::string text;
  for (const std::string& model : models(rows)) {
    const ErrorRows line = sorted(of_model(rows, model), x);
    if (line.size() < 2) continue;
    if (text.empty()) {
      text = fmt::format("From {} to {} the mean error goes", show(line.front().*x),
                         show(line.back().*x));
    } else {
      text += ',';
    }
    text += fmt::format(" for {} from {} to {}", in_sentence(model),
                        error_percent(line.front().mean), error_percent(line.back().mean));
  }
  return text.empty() ? text : text + '.';
}

std::string square(double size) { return fmt::format("{0}\u00A0×\u00A0{0}", format_number(size)); }

}  // namespace xbar::report::pages
