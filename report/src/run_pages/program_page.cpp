#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <xbar/core/array_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/report/text.hpp>

#include "named_table.hpp"
#include "pages.hpp"
#include "parts.hpp"

namespace xbar::report::pages {
namespace {

constexpr double hundred = 100;
constexpr std::size_t listed_cells = 12;

/// The arrays of a run, m x n each.
struct Arrays {
  Matrix targets;
  Matrix conductance;
  Matrix error;
  Matrix disturbed;
  Matrix outcome;
  Matrix pulses;
  Matrix energy_joule;
};

Arrays read_arrays(const Run& run) {
  const std::string path = run.file(run.results.at("arrays")).string();
  const std::map<std::string, ArrayFile> file = read_npz(path);
  const long long m = run.results.count("wordlines");
  const long long n = run.results.count("bitlines");
  const auto array = [&](const char* name) {
    const auto found = file.find(name);
    if (found == file.end()) {
      throw IoError(fmt::format("{}: expected an array {}, found none", path, name));
    }
    const Matrix& values = found->second.values;
    if (values.rows() != m || values.cols() != n) {
      throw IoError(fmt::format("{}: {}: expected {} x {}, found {} x {}", path, name, m, n,
                                values.rows(), values.cols()));
    }
    return values;
  };
  return {array("targets"), array("conductance"), array("error"),       array("disturbed"),
          array("outcome"), array("pulses"),      array("energy_joule")};
}

/// |reading / target - 1| after each pulse, one list a cell.
using Courses = std::vector<std::vector<double>>;

Courses read_courses(const Run& run, const Value& name) {
  const NamedTable log = read_named_table(run.file(name));
  const std::vector<double> i = log.column("wordline");
  const std::vector<double> j = log.column("bitline");
  const std::vector<double> error = log.column("error");
  std::map<std::pair<double, double>, std::vector<double>> cells;
  for (std::size_t k = 0; k < error.size(); ++k) {
    // What is no number has no place in an order.
    if (!std::isfinite(i[k]) || !std::isfinite(j[k]) || !std::isfinite(error[k])) continue;
    cells[{i[k], j[k]}].push_back(std::abs(error[k]));
  }
  Courses courses;
  for (auto& [cell, errors] : cells) courses.push_back(std::move(errors));
  return courses;
}

/// The value below which `share` of them lie; sorts them.
double quantile(std::vector<double>& values, double share) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(
      std::lround(share * static_cast<double>(values.size() - 1)))];
}

void add_courses(Page& page, const Courses& courses, double tolerance) {
  std::size_t most = 0;
  for (const auto& course : courses) most = std::max(most, course.size());
  if (most == 0) return;
  Series error;
  error.name = "median";
  error.markers = most <= 40;
  Series waiting;
  waiting.name = "cells";
  waiting.markers = false;
  waiting.colour = Colour::orange;
  for (std::size_t pulse = 0; pulse <= most; ++pulse) {
    std::vector<double> sizes;
    double outside = 0;
    for (const auto& course : courses) {
      if (pulse > 0 && pulse <= course.size()) sizes.push_back(hundred * course[pulse - 1]);
      const bool within = pulse > 0 && course[std::min(pulse, course.size()) - 1] <= tolerance;
      outside += within ? 0 : 1;
    }
    waiting.x.push_back(static_cast<double>(pulse));
    waiting.y.push_back(outside);
    if (pulse == 0) continue;
    error.x.push_back(static_cast<double>(pulse));
    error.y.push_back(quantile(sizes, 0.5));
    error.lower.push_back(quantile(sizes, 0.1));
    error.upper.push_back(quantile(sizes, 0.9));
  }
  const Axis number{"Pulses of the cell"};
  LinePlot errors;
  errors.title = "Error after each pulse";
  errors.x = number;
  errors.y = {"Size of the error", "%", Scale::log};
  errors.series.push_back(std::move(error));
  if (std::isfinite(tolerance) && tolerance > 0) {
    errors.y_references = {{hundred * tolerance, "tolerance"}};
  }
  LinePlot left;
  left.title = "Cells outside tolerance";
  left.x = number;
  left.y = {"Cells"};
  left.y.min = 0;
  left.series.push_back(std::move(waiting));
  page.section("On the way")
      .figure(errors.svg(),
              "Line: median of the cells that got this many pulses. Shade: from the tenth to the "
              "ninetieth percentile. A cell that has reached its target gets no more.")
      .figure(left.svg(), "Of those that got pulses, while they were being written.");
}

void add_verdict(Page& page, const Value& results) {
  const long long closed =
      results.count("wordlines") * results.count("bitlines") - results.count("open");
  const long long missed = closed - results.count("reached");
  const std::string within = error_percent(results.number("tolerance"));
  const std::string cost =
      fmt::format("{}, {} in all, {}.", plural(results.count("pulses"), "pulse"),
                  format_si(results.number("pulse_second"), "s"),
                  format_si(results.at("energy_joule").number("delivered"), "J"));
  if (missed <= 0) {
    page.verdict(Status::good, fmt::format("Every cell is within {} of its target", within), cost);
    return;
  }
  std::string why;
  const auto add = [&](const char* key, const char* words) {
    if (const long long cells = results.count(key); cells > 0) {
      why += fmt::format("{}{} {}", why.empty() ? "" : ", ", grouped(cells), words);
    }
  };
  add("out_of_pulses", "out of pulses");
  add("stuck", "stuck");
  add("disturbed", "disturbed by pulses of other cells");
  page.verdict(Status::bad,
               fmt::format("{} of {} cells miss their targets by more than {}", grouped(missed),
                           grouped(closed), within),
               why.empty() ? cost : fmt::format("{}. {}", why, cost));
}

void add_cards(Page& page, const Value& results) {
  const double cells = results.number("wordlines") * results.number("bitlines");
  const double closed = cells - results.number("open");
  const double reached = results.number("reached");
  const double tolerance = results.number("tolerance");
  const double worst = results.number("worst_error");
  page.card({"Within tolerance", format_fixed(hundred * reached / closed, 1), "%",
             fmt::format("{} of {} cells.", format_number(reached), format_number(closed)),
             reached >= closed ? Status::good : Status::bad});
  page.card({"Worst error", format_number(hundred * worst), "%",
             fmt::format("Mean {}.", error_percent(results.number("mean_error"))),
             worst <= tolerance ? Status::good : Status::bad});
  page.card({"Pulses", grouped(results.count("pulses")), "",
             fmt::format("At most {} for a cell; {} in all.",
                         grouped(results.count("most_pulses_of_a_cell")),
                         format_si(results.number("pulse_second"), "s"))});
  page.card({"Energy", format_si(results.at("energy_joule").number("delivered"), "J"), "",
             fmt::format("{} a cell.",
                         format_si(results.at("energy_joule").number("delivered") / cells, "J"))});
  const long long disturbed = results.count("disturbed");
  const Value unselected = results.at("largest_unselected_volt");
  page.card(
      {"Disturbed cells", grouped(disturbed), "",
       fmt::format("Reached at their turn, driven out of tolerance later. Unselected cells saw "
                   "up to {}.",
                   format_si(unselected.number("value"), "V")),
       disturbed == 0 ? Status::good : Status::bad});
}

std::string map(const char* title, const Matrix& values, const char* quantity, const char* unit,
                Ramp ramp = Ramp::sequential) {
  Heatmap map;
  map.title = title;
  map.values = values;
  map.quantity = quantity;
  map.unit = unit;
  map.ramp = ramp;
  return map.svg();
}

void add_maps(Page& page, const Arrays& a) {
  // One scale for what was asked for and what is there.
  const double lowest = std::min(a.targets.minCoeff(), a.conductance.minCoeff());
  const double highest = std::max(a.targets.maxCoeff(), a.conductance.maxCoeff());
  const auto conductance = [&](const char* title, const Matrix& values) {
    Heatmap map;
    map.title = title;
    map.values = values;
    map.quantity = "conductance";
    map.unit = "S";
    if (lowest < highest && std::isfinite(lowest) && std::isfinite(highest)) {
      map.min = lowest;
      map.max = highest;
    }
    return map.svg();
  };
  page.section("Target and result")
      .figure(conductance("Target", a.targets), "What was asked for.")
      .figure(conductance("Reached", a.conductance),
              "What the cells have now, on the same scale of colours.")
      .figure(map("Error", hundred * a.error, "reading / target − 1", "%", Ramp::diverging),
              "Red: too conductive, blue: too little.")
      .figure(map("Pulses", a.pulses, "pulses", ""), "That each cell was selected for.");
}

/// "out of pulses", as the solver numbers outcomes.
std::string outcome_words(double outcome, bool disturbed) {
  constexpr std::array names = {"waiting", "reached", "out of pulses", "stuck", "open"};
  if (disturbed) return "disturbed";
  for (std::size_t k = 0; k < names.size(); ++k) {
    if (outcome == static_cast<double>(k)) return names[k];
  }
  return "unknown";
}

void add_worst_cells(Page& page, const Arrays& a) {
  std::vector<Index> cells(static_cast<std::size_t>(a.error.size()));
  std::iota(cells.begin(), cells.end(), Index{0});
  const auto open = [&](Index e) { return outcome_words(a.outcome.data()[e], false) == "open"; };
  cells.erase(std::remove_if(cells.begin(), cells.end(), open), cells.end());
  const auto size = [&](Index e) {
    const double error = std::abs(a.error.data()[e]);
    return std::isnan(error) ? 0.0 : error;
  };
  std::stable_sort(cells.begin(), cells.end(), [&](Index x, Index y) { return size(x) > size(y); });
  if (cells.size() > listed_cells) cells.resize(listed_cells);
  Table table;
  table.header = {"Wordline", "Bitline", "Target", "Reached", "Error, %", "Pulses", "Outcome"};
  const auto siemens = [](double value) {
    Cell cell(format_si(value, "S", 4));
    cell.key = value;
    return cell;
  };
  for (const Index e : cells) {
    table.rows.push_back({e / a.error.cols(), e % a.error.cols(), siemens(a.targets.data()[e]),
                          siemens(a.conductance.data()[e]),
                          Cell::number(hundred * a.error.data()[e], 3),
                          Cell::number(a.pulses.data()[e]),
                          outcome_words(a.outcome.data()[e], a.disturbed.data()[e] != 0)});
  }
  page.section("The worst cells").table(table);
}

void add_energy(Page& page, const Value& results, const Arrays& a) {
  const Value energy = results.at("energy_joule");
  BarPlot bars;
  bars.title = "Where the energy goes";
  bars.axis = {"Energy", "J"};
  BarSeries series{"energy", {}, {}, Colour::blue};
  for (const char* part : {"cells", "wordlines", "bitlines", "terminals"}) {
    bars.groups.emplace_back(part);
    series.values.push_back(energy.number(part));
  }
  bars.series.push_back(std::move(series));
  page.section("Energy")
      .figure(bars.svg(),
              fmt::format("What the drivers deliver, {} in all, and where it turns into heat; the "
                          "balance holds to {}.",
                          format_si(energy.number("delivered"), "J"),
                          format_number(results.number("energy_imbalance"), 2)))
      .figure(map("Energy of each cell's pulses", a.energy_joule, "energy", "J"),
              "Delivered to the whole array by the pulses that the cell was selected for, in equal "
              "shares where it was not alone.");
}

void add_disturbed(Page& page, const Value& results, const Arrays& a) {
  Blocks& section = page.section("Neighbours");
  const auto place = [](const Value& extreme) {
    const std::vector<double> cell = extreme.at("cell").numbers();
    return cell.size() == 2 ? fmt::format("({},{})", format_number(cell[0]), format_number(cell[1]))
                            : std::string("n/a");
  };
  const Value volt = results.at("largest_unselected_volt");
  const Value disturb = results.at("largest_disturb");
  section.paragraph(fmt::format(
      "An unselected cell saw {} at most, at {}. One pulse moved an unselected cell by {} of the "
      "range at most, at {}.",
      format_si(volt.number("value"), "V"), place(volt),
      error_percent(std::abs(disturb.number("value"))), place(disturb)));
  if (results.count("disturbed") == 0) return;
  section.figure(map("Disturbed cells", a.disturbed, "disturbed", ""),
                 "1: reached its target at its turn, and has been driven out of tolerance since.");
}

}  // namespace

Page program_page(const Run& run) {
  const auto size = [&](const char* key) {
    const auto v = run.part(key);
    return v ? v->count() : 0;
  };
  const long long m = size("wordlines");
  Page page(m > 0 ? fmt::format("Programming {} × {} cells", grouped(m), grouped(size("bitlines")))
                  : "Programming an array",
            "Pulses of rising amplitude until every cell reads as its target asks.");
  const auto log = run.part("log");
  const auto tolerance = run.part("tolerance");
  const auto courses = [&] {
    if (log && tolerance) add_courses(page, read_courses(run, *log), tolerance->number());
  };
  if (!run.finished) {
    unfinished_verdict(page);
    courses();
  } else {
    const Arrays arrays = read_arrays(run);
    add_verdict(page, run.results);
    add_cards(page, run.results);
    add_maps(page, arrays);
    courses();
    add_energy(page, run.results, arrays);
    add_disturbed(page, run.results, arrays);
    add_worst_cells(page, arrays);
  }
  add_end(page, run);
  return page;
}

}  // namespace xbar::report::pages
