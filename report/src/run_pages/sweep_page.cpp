#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include <xbar/report/text.hpp>

#include "pages.hpp"
#include "parts.hpp"
#include "sweep_plots.hpp"
#include "sweep_results.hpp"

namespace xbar::report::pages {
namespace {

constexpr double hundred = 100;
constexpr std::size_t most_rows = 1000;  // of a table on the page
constexpr std::size_t most_results = 8;  // columns of the table of settings
constexpr std::size_t more_results = 3;  // with plots of their own, beside the first
constexpr std::size_t most_figures = 6;  // a result

/// How the sweep stands.
struct Standing {
  long long points = 0;
  long long done = 0;
  long long failed = 0;
};

Cell text_or_number(std::string_view cell) {
  const auto number = sweep::number_in(cell);
  Cell result(readable(cell));
  result.key = number;
  return result;
}

Cell shown(const SweepResult& result, double value) {
  if (!result.is_share) return Cell::number(value);
  if (result.merit == Merit::higher_is_better) return Cell::fixed(hundred * value, 2);
  return Cell::number(hundred * value, 3);
}

std::string setting_words(const SweepResults& sweep, const sweep::Table& settings,
                          std::size_t row) {
  std::string words;
  for (const std::string& key : sweep.keys) {
    words += fmt::format("{}{} {}", words.empty() ? "At " : ", ", key,
                         readable(settings.cell(row, settings.column(key))));
  }
  return words + (words.empty() ? "" : ".");
}

void add_verdict(Page& page, const Standing& standing) {
  const long long open = standing.points - standing.done - standing.failed;
  const std::string left =
      open > 0 ? fmt::format("{} not run yet; --resume goes on. ", plural(open, "point")) : "";
  if (standing.failed > 0) {
    page.verdict(
        Status::bad,
        fmt::format("{} of {} failed", grouped(standing.failed), plural(standing.points, "point")),
        left + "Their errors are below; --resume --retry-failed runs them again.");
  } else if (open > 0) {
    page.verdict(
        Status::warn,
        fmt::format("{} of {} done", grouped(standing.done), plural(standing.points, "point")),
        left);
  } else {
    page.verdict(Status::good,
                 standing.points == 1
                     ? "The point is done"
                     : fmt::format("All {} are done", plural(standing.points, "point")));
  }
}

// Best and worst setting of the first result, or its least and largest.
void add_ends(Page& page, const SweepResults& sweep, const sweep::Table& settings) {
  if (sweep.results.empty()) return;
  const SweepResult& result = sweep.results.front();
  std::vector<std::pair<double, std::size_t>> found;
  for (std::size_t r = 0; r < settings.size(); ++r) {
    if (const auto estimate = estimate_of(settings, r, result.name)) {
      found.emplace_back(estimate->mean, r);
    }
  }
  if (found.empty()) return;
  const auto card = [&](const char* word, std::pair<double, std::size_t> end) {
    const auto estimate = estimate_of(settings, end.second, result.name);
    std::string why = setting_words(sweep, settings, end.second);
    if (estimate->low && estimate->high) {
      why += fmt::format(" 95 % interval over the seeds: {} to {}.",
                         shown(result, *estimate->low).text, shown(result, *estimate->high).text);
    }
    page.card({fmt::format("{} {}", word, result.label), shown(result, end.first).text,
               result.is_share ? "%" : "", why});
  };
  const auto [least, largest] = std::minmax_element(found.begin(), found.end());
  const bool low_first = result.merit == Merit::lower_is_better;
  const bool judged = result.merit != Merit::none;
  card(judged ? "Best" : "Largest", low_first ? *least : *largest);
  if (found.size() > 1) card(judged ? "Worst" : "Least", low_first ? *largest : *least);
}

void add_plots(Blocks& blocks, const sweep::Table& points, const std::vector<std::string>& keys,
               const SweepResult& result) {
  std::size_t figures = 0;
  for (const std::string& key : keys) {
    if (distinct(points, key).size() < 2 || figures++ == most_figures) continue;
    const SweepFigure figure = against(points, keys, result, key);
    blocks.figure(figure.svg, figure.caption);
  }
}

void add_results(Page& page, const SweepResults& sweep, const sweep::Table& settings) {
  Blocks& section = page.section("Results");
  if (sweep.results.empty()) {
    section.paragraph("No point has left a number.");
    return;
  }
  add_plots(section, sweep.points, sweep.keys, sweep.results.front());
  for (std::size_t k = 1; k < std::min(sweep.results.size(), 1 + more_results); ++k) {
    add_plots(section.details(sweep.results[k].label), sweep.points, sweep.keys, sweep.results[k]);
  }
  const std::size_t columns = std::min(sweep.results.size(), most_results);
  Table table;
  table.caption = sweep.has_seeds ? "Settings, means over the seeds" : "Settings";
  table.header = sweep.keys;
  if (sweep.has_seeds) table.header.emplace_back("runs");
  for (std::size_t k = 0; k < columns; ++k) {
    table.header.push_back(sweep.results[k].label + (sweep.results[k].is_share ? ", %" : ""));
    if (k == 0 && sweep.has_seeds) table.header.emplace_back("±, 95 %");
  }
  for (std::size_t r = 0; r < std::min(settings.size(), most_rows); ++r) {
    std::vector<Cell> row;
    for (const std::string& key : sweep.keys) {
      row.push_back(text_or_number(settings.cell(r, settings.column(key))));
    }
    if (sweep.has_seeds) row.push_back(text_or_number(settings.cell(r, settings.column("runs"))));
    for (std::size_t k = 0; k < columns; ++k) {
      const SweepResult& result = sweep.results[k];
      const auto estimate = estimate_of(settings, r, result.name);
      row.push_back(estimate ? shown(result, estimate->mean) : Cell());
      if (k > 0 || !sweep.has_seeds) continue;
      row.push_back(estimate && estimate->high ? shown(result, *estimate->high - estimate->mean)
                                               : Cell());
    }
    table.rows.push_back(std::move(row));
  }
  section.table(table);
  const std::size_t left = settings.size() - table.rows.size();
  section.paragraph(fmt::format(
      "{}All columns of all points: table.csv. A point's own page, where its command has one: "
      "xbar report points/POINT/run.",
      left > 0 ? plural(static_cast<long long>(left), "more setting") + " in table.csv. " : ""));
}

void add_failures(Page& page, const SweepResults& sweep) {
  const sweep::Table& points = sweep.points;
  Table table;
  table.header = {"Point"};
  table.header.insert(table.header.end(), sweep.keys.begin(), sweep.keys.end());
  if (sweep.has_seeds) table.header.emplace_back("seed");
  table.header.emplace_back("Error");
  std::size_t failed = 0;
  for (std::size_t r = 0; r < points.size(); ++r) {
    if (points.cell(r, points.column("status")) != "failed" || ++failed > most_rows) continue;
    std::vector<Cell> row = {points.cell(r, points.column("point"))};
    for (const std::string& key : sweep.keys) {
      row.push_back(text_or_number(points.cell(r, points.column(key))));
    }
    if (sweep.has_seeds) row.push_back(text_or_number(points.cell(r, points.column("seed"))));
    const std::string_view error = points.cell(r, points.column("error"));
    row.emplace_back(error.empty() ? "a check failed" : error);
    table.rows.push_back(std::move(row));
  }
  if (table.rows.empty()) return;
  page.section("Failures")
      .table(table)
      .paragraph("What a point printed stands in points/POINT/output.txt and error.txt.");
}

struct Times {
  double total = 0;
  double median = 0;
  double longest = 0;
};

Times times_of(const sweep::Table& table) {
  std::vector<double> seconds;
  for (std::size_t r = 0; r < table.size(); ++r) {
    if (const auto found = sweep::number_in(table.cell(r, table.column("seconds")))) {
      seconds.push_back(*found);
    }
  }
  if (seconds.empty()) return {};
  std::sort(seconds.begin(), seconds.end());
  return {std::accumulate(seconds.begin(), seconds.end(), 0.0), seconds[seconds.size() / 2],
          seconds.back()};
}

void add_time(Page& page, const SweepResults& sweep, const Times& times) {
  Blocks& section = page.section("Time");
  section.key_values({{"All points together", duration(times.total)},
                      {"A point, median", duration(times.median)},
                      {"The longest", duration(times.longest)}});
  const SweepResult seconds{"seconds", "Time a point"};
  add_plots(section.details("Time a point against each key"), sweep.times, sweep.keys, seconds);
}

}  // namespace

Page sweep_page(const Run& run) {
  const SweepResults sweep = read_sweep(run);
  const sweep::Table settings = sweep.settings();
  const Standing standing{run.results.count("points"), run.results.count("done"),
                          run.results.count("failed")};
  Page page(fmt::format("Sweep of xbar {}", run.results.text("command")),
            fmt::format("{} ({}), {}.", plural(static_cast<long long>(settings.size()), "setting"),
                        run.results.text("sampling"), plural(standing.points, "point")));
  add_verdict(page, standing);
  page.card({"Points done", grouped(standing.done), "of " + grouped(standing.points), "",
             standing.done == standing.points ? Status::good : Status::warn});
  if (standing.failed > 0) {
    page.card({"Points failed", grouped(standing.failed), "", "", Status::bad});
  }
  add_ends(page, sweep, settings);
  const Times times = times_of(sweep.times);
  page.card({"Time of all points", duration(times.total), "",
             fmt::format("One takes {} (median).", duration(times.median))});
  add_results(page, sweep, settings);
  add_failures(page, sweep);
  add_time(page, sweep, times);
  add_end(page, run);
  return page;
}

}  // namespace xbar::report::pages
