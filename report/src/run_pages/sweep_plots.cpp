#include "sweep_plots.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include <fmt/format.h>

#include "parts.hpp"

namespace xbar::report::pages {
namespace {

constexpr double hundred = 100;
constexpr double none = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t most_series = 8;
constexpr std::size_t most_values = 24;  // of a key; with more a point is a mark

/// One line, or the bars of one colour: a number for each value of the key, and its range.
struct Trace {
  std::string name = {};
  std::vector<double> middle = {};
  std::vector<double> low = {};
  std::vector<double> high = {};
};

bool spans_decades(const std::vector<double>& values) {
  constexpr double wide = 30;
  double lo = std::numeric_limits<double>::infinity();
  double hi = 0;
  for (const double value : values) {
    if (std::isnan(value)) continue;
    lo = std::min(lo, value);
    hi = std::max(hi, value);
  }
  return lo > 0 && hi >= wide * lo;
}

std::string unit_of(const std::string& name) {
  constexpr std::pair<const char*, const char*> units[] = {
      {"ohm", "ohm"},   {"volt", "V"},   {"second", "s"}, {"seconds", "s"}, {"farad", "F"},
      {"siemens", "S"}, {"ampere", "A"}, {"watt", "W"},   {"joule", "J"}};
  const std::string last = name.substr(name.find_last_of("-_.") + 1);
  for (const auto& [word, unit] : units) {
    if (last == word) return unit;
  }
  return "";
}

Axis key_axis(const std::string& key, const std::vector<double>& values) {
  const bool powers = std::all_of(values.begin(), values.end(), [](double value) {
    return value >= 1 && std::log2(value) == std::floor(std::log2(value));
  });
  Axis axis{key, unit_of(key)};
  if (powers && values.size() > 2 && axis.unit.empty()) {
    axis.scale = Scale::log2;
  } else if (spans_decades(values)) {
    axis.scale = Scale::log;
  }
  return axis;
}

Axis result_axis(const SweepResult& result, const std::vector<Trace>& traces) {
  std::vector<double> shown;
  std::vector<double> reach;
  for (const Trace& trace : traces) {
    for (std::size_t k = 0; k < trace.middle.size(); ++k) {
      shown.push_back(trace.middle[k]);
      reach.push_back(trace.low.empty() ? none : trace.middle[k] - trace.low[k]);
    }
  }
  if (result.is_share && result.merit == Merit::higher_is_better) {
    Axis axis = accuracy_axis(shown, reach);
    axis.label = result.label;
    return axis;
  }
  Axis axis{result.label, result.is_share ? "%" : unit_of(result.name)};
  if (result.merit == Merit::lower_is_better && spans_decades(shown)) axis.scale = Scale::log;
  return axis;
}

/// A trace for each setting of the other keys; nothing if those are too many.
std::vector<Trace> by_setting(const sweep::Table& points, const std::vector<std::string>& keys,
                              const std::vector<std::string>& others, const SweepResult& result,
                              const std::string& key, const std::vector<std::string>& values) {
  const double factor = result.is_share ? hundred : 1;
  const sweep::Table settings = sweep::summary(points, keys, {result.name});
  std::vector<Trace> traces;
  std::map<std::string, std::size_t> trace_of;
  bool intervals = false;
  for (std::size_t r = 0; r < settings.size(); ++r) {
    std::string name;
    for (const std::string& other : others) {
      name += fmt::format("{}{} {}", name.empty() ? "" : ", ", other,
                          readable(settings.cell(r, settings.column(other))));
    }
    const auto [at, is_new] = trace_of.emplace(name, traces.size());
    if (is_new && traces.size() == most_series) return {};
    const std::vector<double> gaps(values.size(), none);
    if (is_new) traces.push_back({name, gaps, gaps, gaps});
    const auto value = std::find(values.begin(), values.end(),
                                 std::string(settings.cell(r, settings.column(key))));
    const std::optional<Estimate> found = estimate_of(settings, r, result.name);
    if (value == values.end() || !found) continue;
    const auto k = static_cast<std::size_t>(value - values.begin());
    Trace& trace = traces[at->second];
    trace.middle[k] = factor * found->mean;
    trace.low[k] = factor * found->low.value_or(found->mean);
    trace.high[k] = factor * found->high.value_or(found->mean);
    intervals = intervals || found->low.has_value();
  }
  if (!intervals) {
    for (Trace& trace : traces) trace.low = trace.high = {};
  }
  return traces;
}

/// Mean, least and largest of all points with each value of the key.
Trace over_all(const sweep::Table& points, const SweepResult& result, const std::string& key,
               const std::vector<std::string>& values) {
  const double factor = result.is_share ? hundred : 1;
  Trace trace;
  for (const std::string& value : values) {
    double sum = 0;
    double count = 0;
    double low = none;
    double high = none;
    for (std::size_t r = 0; r < points.size(); ++r) {
      if (points.cell(r, points.column(key)) != value) continue;
      const auto found = sweep::number_in(points.cell(r, points.column(result.name)));
      if (!found) continue;
      sum += *found;
      ++count;
      low = std::fmin(low, *found);
      high = std::fmax(high, *found);
    }
    trace.middle.push_back(count > 0 ? factor * sum / count : none);
    trace.low.push_back(factor * low);
    trace.high.push_back(factor * high);
  }
  return trace;
}

/// A mark a point: gaps between them keep lines away.
Series marks(const sweep::Table& points, const SweepResult& result, const std::string& key) {
  Series series;
  series.markers = true;
  for (std::size_t r = 0; r < points.size(); ++r) {
    const auto x = sweep::number_in(points.cell(r, points.column(key)));
    const auto y = sweep::number_in(points.cell(r, points.column(result.name)));
    if (!x || !y) continue;
    series.x.insert(series.x.end(), {*x, none});
    series.y.insert(series.y.end(), {result.is_share ? hundred * *y : *y, none});
  }
  return series;
}

std::string lines(const std::vector<Trace>& traces, const SweepResult& result,
                  const std::string& key, const std::vector<std::string>& values) {
  std::vector<double> x;
  for (const std::string& value : values) x.push_back(sweep::number_in(value).value_or(none));
  LinePlot plot;
  plot.x = key_axis(key, x);
  plot.y = result_axis(result, traces);
  for (const Trace& trace : traces) {
    Series series{trace.name, x, trace.middle, trace.low, trace.high};
    series.markers = true;
    plot.series.push_back(std::move(series));
  }
  return plot.svg();
}

std::string bars(const std::vector<Trace>& traces, const SweepResult& result,
                 const std::vector<std::string>& values, bool ranges) {
  BarPlot plot;
  for (const std::string& value : values) plot.groups.push_back(readable(value));
  plot.axis = result_axis(result, traces);
  for (const Trace& trace : traces) {
    BarSeries series{trace.name, trace.middle};
    if (ranges && !trace.low.empty()) {
      for (std::size_t k = 0; k < values.size(); ++k) {
        series.errors.push_back(trace.high[k] - trace.middle[k]);
      }
    }
    plot.series.push_back(std::move(series));
  }
  if (result.is_share && result.merit == Merit::higher_is_better) plot.decimals = 2;
  return plot.svg();
}

}  // namespace

SweepFigure against(const sweep::Table& points, const std::vector<std::string>& keys,
                    const SweepResult& result, const std::string& key) {
  const std::vector<std::string> values = distinct(points, key);
  std::vector<std::string> others;
  for (const std::string& other : keys) {
    if (other != key && distinct(points, other).size() > 1) others.push_back(other);
  }
  const bool numeric = is_numeric(points, key);
  if (numeric && values.size() > most_values) {
    LinePlot plot;
    plot.series = {marks(points, result, key)};
    std::vector<double> x = plot.series.front().x;
    std::erase_if(x, [](double value) { return std::isnan(value); });
    plot.x = key_axis(key, x);
    plot.y = result_axis(result, {{"", plot.series.front().y}});
    return {plot.svg(), "A mark a point."};
  }
  const std::vector<Trace> traces = by_setting(points, keys, others, result, key, values);
  if (!traces.empty()) {
    const bool intervals = !traces.front().low.empty();
    const std::string svg = numeric && values.size() > 1 ? lines(traces, result, key, values)
                                                         : bars(traces, result, values, true);
    return {svg, intervals ? fmt::format("Means over the seeds; {}: 95 % interval of the mean.",
                                         numeric && values.size() > 1 ? "shaded" : "whiskers")
                           : ""};
  }
  const std::vector<Trace> all = {over_all(points, result, key, values)};
  return numeric ? SweepFigure{lines(all, result, key, values),
                               "Means over all other settings; shaded: least to largest."}
                 : SweepFigure{bars(all, result, values, false), "Means over all other settings."};
}

}  // namespace xbar::report::pages
