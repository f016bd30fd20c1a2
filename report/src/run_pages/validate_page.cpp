#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include <xbar/report/text.hpp>

#include "error_study.hpp"
#include "pages.hpp"

namespace xbar::report::pages {
namespace {

constexpr double hundred = 100;
constexpr std::size_t most_panels = 9;

/// The rows of one technology and size: one a model.
std::vector<ErrorRows> by_point(const ErrorRows& rows) {
  const auto same = [](const ErrorRow& a, const ErrorRow& b) {
    return a.size == b.size && a.on_ohm == b.on_ohm && a.on_off_ratio == b.on_off_ratio &&
           a.source_ohm == b.source_ohm && a.sink_ohm == b.sink_ohm &&
           a.wordline_ohm == b.wordline_ohm && a.bitline_ohm == b.bitline_ohm;
  };
  std::vector<ErrorRows> points;
  for (const ErrorRow& row : rows) {
    if (points.empty() || !same(points.back().front(), row)) points.emplace_back();
    points.back().push_back(row);
  }
  return points;
}

std::string place(const ErrorRow& row) {
  return fmt::format("{}, R_on {}, {}", square(row.size), ohms(row.on_ohm),
                     line_words(row.wordline_ohm, row.bitline_ohm));
}

/// At most `most` of the values: the ends and some between.
std::vector<double> spread(const std::vector<double>& values, std::size_t most) {
  if (values.size() <= most) return values;
  if (most < 2) return {values.back()};
  std::vector<double> kept;
  for (std::size_t k = 0; k < most; ++k) {
    kept.push_back(values[k * (values.size() - 1) / (most - 1)]);
  }
  return kept;
}

double largest_size(const ErrorRows& rows) {
  const std::vector<double> sizes = distinct(rows, &ErrorRow::size);
  return sizes.empty() ? 0 : sizes.back();
}

void add_verdict(Page& page, const Run& run, const ErrorRows& rows) {
  const std::string best = best_model(rows);
  const ErrorRows of_best = of_model(rows, best);
  const std::optional<ErrorRow> worst = worst_row(of_best);
  if (!run.finished || !worst) {
    unfinished_verdict(page);
    return;
  }
  constexpr double good = 0.01;
  const auto within = std::count_if(of_best.begin(), of_best.end(),
                                    [](const ErrorRow& row) { return row.worst <= good; });
  const auto total = static_cast<long long>(of_best.size());
  const bool all = within == total;
  std::string name = model_label(best);
  page.verdict(
      all ? Status::good : Status::warn,
      all ? fmt::format("{}: within {} of the exact solver everywhere", name,
                        error_percent(worst->worst))
          : fmt::format("{}: within 1\u00A0% of the exact solver at {} of {} points", name, within,
                        grouped(total)),
      fmt::format("Its worst error, {}, is at {}.", error_percent(worst->worst), place(*worst)));
}

void add_cards(Page& page, const ErrorRows& rows) {
  for (const std::string& model : models(rows)) {
    const std::optional<ErrorRow> worst = worst_row(of_model(rows, model));
    page.card({model_label(model) + ", worst", format_number(hundred * worst->worst), "%",
               place(*worst) + ".",
               model == best_model(rows)
                   ? (error_status(worst->worst) == Status::good ? Status::good : Status::warn)
                   : Status::neutral});
  }
  const std::string best = best_model(rows);
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
             fmt::format("{} against {} for the effective conductance of one {} array, mean.",
                         format_si(seconds / n, "s", 2), format_si(exact / n, "s", 2),
                         square(large.front().size))});
}

/// Small multiples of one kind: a plot for each R_on and each value of `fixed`.
void add_panels(Blocks& section, const ErrorRows& rows, double ErrorRow::*x, const Axis& x_axis,
                double ErrorRow::*fixed, std::string (*name)(double)) {
  const std::vector<double> all_on = distinct(rows, &ErrorRow::on_ohm);
  const std::vector<double> all_fixed = distinct(rows, fixed);
  const std::vector<double> on = spread(all_on, 4);
  const std::vector<double> values = spread(
      all_fixed, std::max<std::size_t>(1, most_panels / std::max<std::size_t>(1, on.size())));
  if (on.size() < all_on.size() || values.size() < all_fixed.size()) {
    section.paragraph("A selection from the ends and the middle; the table has every point.");
  }
  const Axis y = error_axis(rows);
  const auto add = [&](double r_on, double value) {
    const ErrorRows panel = with(with(rows, &ErrorRow::on_ohm, r_on), fixed, value);
    if (panel.empty()) return;
    LinePlot plot = error_plot(panel, x, x_axis, y);
    plot.title = fmt::format("R_on {}, {}", ohms(r_on), name(value));
    plot.height = 280;
    section.figure(plot.svg());
  };
  // Two panels stand side by side: what there is an even number of goes across.
  if (on.size() % 2 == 0) {
    for (const double value : values) {
      for (const double r_on : on) add(r_on, value);
    }
  } else {
    for (const double r_on : on) {
      for (const double value : values) add(r_on, value);
    }
  }
}

std::string line_name(double ohm) { return ohms(ohm) + " a line segment"; }

std::string size_name(double size) { return square(size) + " cells"; }

void add_errors(Page& page, const ErrorRows& rows) {
  const bool sizes = distinct(rows, &ErrorRow::size).size() > 1;
  const std::vector<double> line = distinct(rows, &ErrorRow::wordline_ohm);
  const char* reading =
      " Both axes are logarithmic and all plots share the scale of errors. Lines are means over "
      "random arrays and random sparse inputs; the shade reaches up to the worst.";
  if (sizes) {
    Blocks& section = page.section("Error against size");
    section.paragraph(
        std::string(
            "How far the output currents are off as arrays grow, one plot for each R_on and "
            "line resistance.") +
        reading);
    add_panels(section, rows, &ErrorRow::size, size_axis(rows), &ErrorRow::wordline_ohm, line_name);
  }
  if (line.size() > 1) {
    Blocks& section = page.section("Error against line resistance");
    section.paragraph(
        fmt::format("The same errors as the lines get worse, for the largest array{}: one plot for "
                    "each R_on.{}",
                    sizes ? " of the study (the table has the others)" : "", sizes ? "" : reading));
    if (line.front() == 0) {
      section.paragraph(
          "Lines without resistance have no place on a logarithmic axis; see the "
          "table.");
    }
    add_panels(section, with(rows, &ErrorRow::size, largest_size(rows)), &ErrorRow::wordline_ohm,
               line_axis(rows), &ErrorRow::size, size_name);
  }
  if (sizes || line.size() > 1 || rows.empty()) return;
  BarPlot plot;
  plot.title = "Worst error";
  plot.axis = {"Error of the output currents", "%", Scale::log};
  for (const ErrorRows& point : by_point(rows)) {
    plot.groups.push_back("R_on " + ohms(point.front().on_ohm));
  }
  for (const std::string& model : models(rows)) {
    BarSeries series{model_label(model)};
    series.colour = model_colour(model);
    for (const ErrorRows& point : by_point(rows)) {
      const std::optional<ErrorRow> row = worst_row(of_model(point, model));
      series.values.push_back(row ? hundred * row->worst : std::nan(""));
    }
    plot.series.push_back(std::move(series));
  }
  page.section("Errors").figure(plot.svg(), "The worst over random arrays and sparse inputs.");
}

/// Array, R_on and line resistance of a point.
std::vector<Cell> place_cells(const ErrorRow& row) {
  Cell array(square(row.size));
  array.key = row.size;
  Cell on(ohms(row.on_ohm));
  on.key = row.on_ohm;
  return {array, on, Cell::number(row.wordline_ohm)};
}

Table time_table(const ErrorRows& rows) {
  std::vector<std::string> names = models(rows);
  std::erase(names, "ideal");
  Table table;
  table.caption = "Time for one effective conductance";
  table.header = {"Array", "R_on", "Line, Ω", model_label("exact")};
  for (const std::string& model : names) {
    table.header.push_back(model_label(model));
    table.header.emplace_back("times faster");
  }
  for (const ErrorRows& point : by_point(rows)) {
    std::vector<Cell> cells = place_cells(point.front());
    const auto add = [&](double seconds) {
      cells.emplace_back(format_si(seconds, "s"));
      cells.back().key = seconds;
    };
    add(point.front().exact_seconds);
    for (const std::string& model : names) {
      if (const std::optional<ErrorRow> row = worst_row(of_model(point, model))) {
        add(row->seconds);
        cells.push_back(times(row->exact_seconds / row->seconds));
      } else {
        cells.resize(cells.size() + 2);
      }
    }
    table.rows.push_back(std::move(cells));
  }
  return table;
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
  section.details("All times").table(time_table(rows));
}

void add_table(Page& page, const ErrorRows& rows) {
  const std::vector<std::string> names = models(rows);
  Table table;
  table.header = {"Array", "R_on", "Line, Ω"};
  for (const std::string& model : names) {
    // Long enough to wrap, so that nine columns fit the page.
    const std::string label = model == "ladder" ? "Ladder surrogate" : model_label(model);
    table.header.push_back(label + ", mean\u00A0%");
    table.header.push_back(label + ", worst\u00A0%");
  }
  for (const ErrorRows& point : by_point(rows)) {
    std::vector<Cell> cells = place_cells(point.front());
    for (const std::string& model : names) {
      const std::optional<ErrorRow> row = worst_row(of_model(point, model));
      cells.push_back(row ? Cell::number(hundred * row->mean, 3) : Cell());
      cells.push_back(row ? Cell::number(hundred * row->worst, 3) : Cell());
    }
    table.rows.push_back(std::move(cells));
  }
  page.section("Every point")
      .paragraph(
          "The error is the largest deviation of an output current, as a share of the largest "
          "exact "
          "current: the mean and the worst over random arrays and random sparse inputs. A click on "
          "a "
          "heading sorts.")
      .table(table);
}

}  // namespace

Page validate_page(const Run& run) {
  const auto study = run.part("study");
  const ErrorRows rows = study ? error_rows(*study) : ErrorRows();
  std::string subtitle = "Ideal arithmetic and the surrogates on random arrays.";
  if (!rows.empty()) {
    const ErrorRow& row = rows.front();
    subtitle =
        fmt::format("Random arrays, {}; on/off ratio {}, source {}, sink {}.",
                    plural(static_cast<long long>(by_point(rows).size()), "combination") +
                        " of size, R_on and line resistance",
                    format_number(row.on_off_ratio), ohms(row.source_ohm), ohms(row.sink_ohm));
  }
  Page page("Surrogates against the exact solver", subtitle);
  add_verdict(page, run, rows);
  if (!rows.empty()) {
    add_cards(page, rows);
    add_errors(page, rows);
    add_times(page, rows);
    add_table(page, rows);
  }
  add_end(page, run);
  return page;
}

}  // namespace xbar::report::pages
