#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include <xbar/report/text.hpp>

#include "error_study.hpp"
#include "pages.hpp"

namespace xbar::report::pages {
namespace {

constexpr double hundred = 100;
constexpr std::size_t most_rows = 100;  // of a table of every point

bool same_technology(const ErrorRow& a, const ErrorRow& b) {
  return a.on_ohm == b.on_ohm && a.on_off_ratio == b.on_off_ratio && a.source_ohm == b.source_ohm &&
         a.sink_ohm == b.sink_ohm && a.wordline_ohm == b.wordline_ohm &&
         a.bitline_ohm == b.bitline_ohm;
}

/// The rows of one technology, size and kind of weights: one a model.
std::vector<ErrorRows> by_point(const ErrorRows& rows) {
  std::vector<ErrorRows> points;
  for (const ErrorRow& row : rows) {
    const bool same = !points.empty() && same_technology(points.back().front(), row) &&
                      points.back().front().size == row.size &&
                      points.back().front().weights == row.weights;
    if (!same) points.emplace_back();
    points.back().push_back(row);
  }
  return points;
}

std::string terminal_words(const ErrorRow& row) {
  if (row.source_ohm == row.sink_ohm) return ohms(row.source_ohm);
  return fmt::format("{} / {}", ohms(row.source_ohm), ohms(row.sink_ohm));
}

std::string place(const ErrorRow& row) {
  return fmt::format("{}, R_on {}, {}, terminals {}, {} weights", square(row.size),
                     ohms(row.on_ohm), line_words(row.wordline_ohm, row.bitline_ohm),
                     terminal_words(row), row.weights);
}

double largest_size(const ErrorRows& rows) {
  const std::vector<double> sizes = distinct(rows, &ErrorRow::size);
  return sizes.empty() ? 0 : sizes.back();
}

std::optional<ErrorRow> worst_of(const ErrorRows& rows) {
  return worst_row(rows, &ErrorRow::relative);
}

/// The rows of the members that the verdicts choose from.
ErrorRows of_choice(const Run& run, const ErrorRows& rows) {
  const auto list = run.part("choice");
  if (!list) return rows;
  ErrorRows result;
  for (const Value& name : list->items()) {
    const ErrorRows some = of_model(rows, name.text());
    result.insert(result.end(), some.begin(), some.end());
  }
  return result;
}

/// The member whose largest relative error is smallest: what the page speaks of first.
std::string best_of(ErrorRows rows) {
  for (ErrorRow& row : rows) row.worst = row.relative;
  return best_model(rows);
}

/// Which member to take at one technology and size.
struct Choice {
  ErrorRow at;  // model: empty if none keeps the tolerance
  double tolerance = 0;
  double error = 0;
};

std::vector<Choice> choices(const Run& run) {
  std::vector<Choice> result;
  const auto list = run.part("verdicts");
  if (!list) return result;
  for (const Value& v : list->items()) {
    Choice choice;
    choice.at.size = v.number("size");
    choice.at.on_ohm = v.number("on_ohm");
    choice.at.on_off_ratio = v.number("on_off_ratio");
    choice.at.source_ohm = v.number("source_ohm");
    choice.at.sink_ohm = v.number("sink_ohm");
    choice.at.wordline_ohm = v.number("wordline_ohm");
    choice.at.bitline_ohm = v.number("bitline_ohm");
    if (const auto model = v.find("model")) choice.at.model = model->text();
    choice.tolerance = v.number("tolerance");
    choice.error = v.number("error");
    result.push_back(std::move(choice));
  }
  return result;
}

void add_verdict(Page& page, const Run& run, const ErrorRows& rows, const std::string& best) {
  const ErrorRows of_best = of_model(rows, best);
  const std::optional<ErrorRow> worst = worst_of(of_best);
  if (!run.finished || !worst) {
    unfinished_verdict(page);
    return;
  }
  const auto kept = run.results.find("kept");
  if (kept && !kept->truth()) {
    page.verdict(Status::bad, "A tolerance that was asked for is missed",
                 "Its place is in the tables below and in what the command printed.");
    return;
  }
  constexpr double good = 1e-3;
  const auto within = std::count_if(of_best.begin(), of_best.end(),
                                    [](const ErrorRow& row) { return row.relative <= good; });
  const auto total = static_cast<long long>(of_best.size());
  const bool all = within == total;
  const std::string name = model_label(best);
  page.verdict(all ? Status::good : Status::warn,
               all ? fmt::format("{}: within {} of the exact solver everywhere", name,
                                 error_percent(worst->relative))
                   : fmt::format("{}: within {} of the exact solver at {} of {} points", name,
                                 error_percent(good), within, grouped(total)),
               fmt::format("Its largest relative error, {}, is at {}.",
                           error_percent(worst->relative), place(*worst)));
}

void add_cards(Page& page, const ErrorRows& rows, const std::string& best) {
  for (const std::string& model : models(rows)) {
    if (model != best && model != "ideal" && model != "ladder" && model != "operating-point") {
      continue;
    }
    const std::optional<ErrorRow> worst = worst_of(of_model(rows, model));
    page.card({model_label(model) + ", largest", format_number(hundred * worst->relative), "%",
               place(*worst) + ".",
               model == best
                   ? (error_status(worst->relative) == Status::good ? Status::good : Status::warn)
                   : Status::neutral});
  }
  const ErrorRows large = with(of_model(rows, best), &ErrorRow::size, largest_size(rows));
  if (large.empty()) return;
  double seconds = 0;
  double exact = 0;
  for (const ErrorRow& row : large) {
    seconds += row.seconds;
    exact += row.exact_seconds;
  }
  const auto n = static_cast<double>(large.size());
  page.card({"Faster than the exact solver", times(exact / seconds).text, "times",
             fmt::format("{}: {} against {} for the effective conductance of one {} array, mean.",
                         model_label(best), format_si(seconds / n, "s", 2),
                         format_si(exact / n, "s", 2), square(large.front().size))});
}

/// Largest and median error of every member.
void add_members(Page& page, const ErrorRows& rows) {
  BarPlot plot;
  plot.title = "Relative error of each member over all points";
  plot.axis = {"Relative error of the output currents", "%", Scale::log};
  BarSeries median{"median"};
  BarSeries largest{"largest"};
  median.colour = Colour::blue;
  largest.colour = Colour::orange;
  for (const std::string& model : models(rows)) {
    plot.groups.push_back(model_label(model));
    std::vector<double> errors;
    for (const ErrorRow& row : of_model(rows, model)) errors.push_back(hundred * row.relative);
    // NaN counts as the largest.
    std::sort(errors.begin(), errors.end(),
              [](double a, double b) { return std::isnan(b) ? !std::isnan(a) : a < b; });
    median.values.push_back(errors[errors.size() / 2]);
    largest.values.push_back(errors.back());
  }
  plot.series = {std::move(median), std::move(largest)};
  page.section("The members")
      .paragraph(
          "Relative error: root mean square of the deviations of all output currents over that of "
          "the exact currents, random sparse inputs. The ratio members are shown one update of the "
          "cells after their last exact measurement, all others as just measured.")
      .figure(plot.svg());
}

/// Size against line resistance for one model and R_on: the largest error over what else varies.
Heatmap error_map(const ErrorRows& rows, const std::string& model, double on_ohm,
                  const std::vector<double>& sizes, const std::vector<double>& lines) {
  Heatmap map;
  map.title = fmt::format("{}, R_on {}", model_label(model), ohms(on_ohm));
  map.quantity = "Relative error";
  map.unit = "%";
  map.scale = Scale::log;
  map.min = 1e-4;
  map.max = hundred;
  map.row_label = "side";
  map.column_label = "line Ω";
  map.values = Matrix::Constant(static_cast<Index>(sizes.size()), static_cast<Index>(lines.size()),
                                std::nan(""));
  for (const double size : sizes) map.row_names.push_back(format_number(size));
  for (const double line : lines) map.column_names.push_back(format_number(line));
  const ErrorRows some = with(of_model(rows, model), &ErrorRow::on_ohm, on_ohm);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    for (std::size_t j = 0; j < lines.size(); ++j) {
      const ErrorRows cell =
          with(with(some, &ErrorRow::size, sizes[i]), &ErrorRow::wordline_ohm, lines[j]);
      if (const std::optional<ErrorRow> worst = worst_of(cell)) {
        map.values(static_cast<Index>(i), static_cast<Index>(j)) = hundred * worst->relative;
      }
    }
  }
  return map;
}

void add_maps(Page& page, const ErrorRows& rows, const std::string& best) {
  constexpr std::size_t most_lines = 64;
  const std::vector<double> sizes = distinct(rows, &ErrorRow::size);
  const std::vector<double> lines = distinct(rows, &ErrorRow::wordline_ohm);
  if (sizes.empty() || lines.empty() || sizes.size() > most_lines || lines.size() > most_lines) {
    return;
  }
  Blocks& section = page.section("Error by size and line resistance");
  section.paragraph(
      "Each cell is the largest relative error over the terminals and weights of the study. All "
      "maps share one logarithmic scale of colours, from 0.0001 % to 100 %.");
  const auto add = [&](Blocks& blocks, const std::string& model) {
    for (const double on_ohm : distinct(rows, &ErrorRow::on_ohm)) {
      blocks.figure(error_map(rows, model, on_ohm, sizes, lines).svg());
    }
  };
  if (!best.empty()) add(section, best);
  for (const std::string& model : models(rows)) {
    if (model != best) add(section.details(model_label(model)), model);
  }
}

Table choice_table(const std::vector<Choice>& choices, const std::vector<double>& sizes) {
  Table table;
  table.header = {"R_on", "Line, Ω", "Terminals"};
  for (const double size : sizes) table.header.push_back(square(size));
  std::vector<ErrorRow> technologies;
  for (const Choice& choice : choices) {
    auto at = std::find_if(technologies.begin(), technologies.end(),
                           [&](const ErrorRow& row) { return same_technology(row, choice.at); });
    if (at == technologies.end()) {
      technologies.push_back(choice.at);
      Cell on(ohms(choice.at.on_ohm));
      on.key = choice.at.on_ohm;
      table.rows.push_back({on, Cell::number(choice.at.wordline_ohm), terminal_words(choice.at)});
      table.rows.back().resize(3 + sizes.size());
      at = technologies.end() - 1;
    }
    const auto column = std::find(sizes.begin(), sizes.end(), choice.at.size);
    if (column == sizes.end()) continue;
    const auto row = static_cast<std::size_t>(at - technologies.begin());
    table.rows[row][3 + static_cast<std::size_t>(column - sizes.begin())] =
        choice.at.model.empty()
            ? Cell(fmt::format("none (best {})", error_percent(choice.error)), Status::warn)
            : Cell(model_label(choice.at.model));
  }
  return table;
}

void add_choices(Page& page, const Run& run, const ErrorRows& rows) {
  std::map<double, std::vector<Choice>> by_tolerance;
  for (Choice& choice : choices(run)) {
    if (!std::isnan(choice.tolerance)) by_tolerance[choice.tolerance].push_back(std::move(choice));
  }
  if (by_tolerance.empty()) return;
  Blocks& section = page.section("Which member to take");
  section.paragraph(
      "The cheapest of our members whose relative error stays within the tolerance with every kind "
      "of weights of the study; cost is the median time to measure and compute one array of the "
      "size. None: only the exact solver keeps it.");
  const std::vector<double> sizes = distinct(rows, &ErrorRow::size);
  for (const auto& [tolerance, some] : by_tolerance) {
    const auto none =
        std::count_if(some.begin(), some.end(), [](const Choice& c) { return c.at.model.empty(); });
    section
        .details(fmt::format("Within {}: {} of {}, none at {}", error_percent(tolerance),
                             grouped(static_cast<long long>(some.size()) - none),
                             plural(static_cast<long long>(some.size()), "combination"),
                             grouped(none)))
        .table(choice_table(some, sizes));
  }
}

/// Members down, updates across.
void add_updates(Page& page, const Run& run) {
  const auto list = run.part("updates");
  if (!list) return;
  std::vector<std::string> columns;
  std::vector<std::string> members;
  std::map<std::pair<std::string, std::string>, double> errors;
  for (const Value& v : list->items()) {
    const std::string column =
        fmt::format("{}, {}, {}", ohms(v.number("on_ohm")), v.text("weights"), v.text("update"));
    const std::string model = v.text("model");
    if (std::find(columns.begin(), columns.end(), column) == columns.end()) {
      columns.push_back(column);
    }
    if (std::find(members.begin(), members.end(), model) == members.end()) {
      members.push_back(model);
    }
    errors[{column, model}] = v.number("relative_error");
  }
  Table table;
  table.header = {"R_on, weights, update"};
  for (const std::string& model : members) table.header.push_back(model_label(model));
  for (const std::string& column : columns) {
    table.rows.push_back({column});
    for (const std::string& model : members) {
      const auto at = errors.find({column, model});
      table.rows.back().push_back(at == errors.end() ? Cell()
                                                     : Cell::number(hundred * at->second, 2));
    }
  }
  const auto share = run.part("update_share");
  page.section("After an update")
      .paragraph(fmt::format(
          "Relative error in percent when every cell has moved by {} of the range since the member "
          "last "
          "measured the array: not at all, up or down at random, all up, all down. 64 × 64, 1 Ω "
          "lines, 100 Ω terminals.",
          share ? percent(share->number(), 0) : "a share"))
      .table(table);
}

/// Array, R_on, lines, terminals and weights of a point.
std::vector<Cell> place_cells(const ErrorRow& row) {
  Cell array(square(row.size));
  array.key = row.size;
  Cell on(ohms(row.on_ohm));
  on.key = row.on_ohm;
  return {array, on, Cell::number(row.wordline_ohm), terminal_words(row), row.weights};
}

/// Mean time by size, over all technologies.
void add_times(Page& page, const ErrorRows& rows) {
  const std::vector<double> sizes = distinct(rows, &ErrorRow::size);
  const auto line_of = [&](const ErrorRows& some, double ErrorRow::*time) {
    Series series;
    for (const double size : sizes) {
      const ErrorRows at = with(some, &ErrorRow::size, size);
      double sum = 0;
      for (const ErrorRow& row : at) sum += row.*time;
      series.x.push_back(size);
      series.y.push_back(sum / static_cast<double>(at.size()));
    }
    return series;
  };
  LinePlot plot;
  plot.title = "Time for one effective conductance";
  plot.x = size_axis(rows);
  plot.y = {"Time", "s", Scale::log};
  plot.series.push_back(line_of(rows, &ErrorRow::exact_seconds));
  plot.series.back().name = model_label("exact");
  plot.series.back().colour = model_colour("exact");
  for (const std::string& model : models(rows)) {
    if (model == "ideal") continue;  // nothing to compute
    plot.series.push_back(line_of(of_model(rows, model), &ErrorRow::seconds));
    plot.series.back().name = model_label(model);
    plot.series.back().colour = model_colour(model);
  }
  Blocks& section = page.section("Time");
  section.figure(
      plot.svg(),
      "What it takes to turn one array with its wires into one matrix: the effective conductance. "
      "Means over all technologies of a size; both axes are logarithmic. Measured on the machine "
      "of "
      "the run, with whatever else it was doing.");
  LinePlot faster;
  faster.title = "Times faster than the exact solver";
  faster.x = plot.x;
  faster.y = {"Ratio of the times", "", Scale::log};
  for (std::size_t k = 1; k < plot.series.size(); ++k) {
    Series series = plot.series[k];
    for (std::size_t i = 0; i < series.y.size(); ++i) {
      series.y[i] = plot.series.front().y[i] / series.y[i];
    }
    faster.series.push_back(std::move(series));
  }
  section.figure(faster.svg(), "The same times as ratios: what the errors above buy.");
}

void add_table(Page& page, const ErrorRows& rows) {
  const std::vector<ErrorRows> points = by_point(rows);
  Blocks& section = page.section("Every point");
  if (points.size() > most_rows) {
    section.paragraph(fmt::format(
        "study.csv beside this page has all {} points, with the mean, the 99th percentile and the "
        "worst error as well.",
        grouped(static_cast<long long>(points.size()))));
    return;
  }
  const std::vector<std::string> names = models(rows);
  Table table;
  table.header = {"Array", "R_on", "Line, Ω", "Terminals", "Weights"};
  for (const std::string& model : names) table.header.push_back(model_label(model));
  for (const ErrorRows& point : points) {
    std::vector<Cell> cells = place_cells(point.front());
    for (const std::string& model : names) {
      const std::optional<ErrorRow> row = worst_of(of_model(point, model));
      cells.push_back(row ? Cell::number(hundred * row->relative, 3) : Cell());
    }
    table.rows.push_back(std::move(cells));
  }
  section.paragraph("Relative errors in percent. A click on a heading sorts.").table(table);
}

}  // namespace

Page validate_page(const Run& run) {
  const auto study = run.part("study");
  const ErrorRows rows = study ? error_rows(*study) : ErrorRows();
  std::string subtitle = "Ideal arithmetic and the surrogates on random arrays.";
  if (!rows.empty()) {
    subtitle =
        fmt::format("{} of size, R_on, line and terminal resistance and weights; on/off ratio {}.",
                    plural(static_cast<long long>(by_point(rows).size()), "combination"),
                    format_number(rows.front().on_off_ratio));
  }
  Page page("Surrogates against the exact solver", subtitle);
  const ErrorRows chosen = of_choice(run, rows);
  const std::string best = best_of(chosen);
  add_verdict(page, run, rows, best);
  if (!rows.empty()) {
    add_cards(page, rows, best);
    add_members(page, rows);
    add_maps(page, rows, best);
    add_choices(page, run, rows);
    add_updates(page, run);
    if (!chosen.empty()) add_times(page, chosen);
    add_table(page, rows);
  }
  add_end(page, run);
  return page;
}

}  // namespace xbar::report::pages
