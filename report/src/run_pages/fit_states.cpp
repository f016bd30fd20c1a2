// Distributions of steps, and cycling between two states.

#include <algorithm>

#include <fmt/format.h>

#include <xbar/report/text.hpp>

#include "fit_parts.hpp"
#include "named_table.hpp"
#include "parts.hpp"

namespace xbar::report::pages {

void add_distribution(Page& page, const Run& run) {
  const Value& results = run.results;
  const std::string best = results.text("best");
  page.verdict(Status::neutral, "Model: table",
               fmt::format("{} conductances and {} steps; no probability is off by more than {}.",
                           grouped(results.count("rows")), grouped(results.count("columns")),
                           format_number(results.number("thinning_error"))));
  const NamedTable table = read_named_table(run.file(results.at("bands")));
  const auto direction = table.column("direction");
  const auto conductance = table.column("conductance_siemens");
  Blocks& section = page.section("Steps against conductance");
  for (const double sign : {1.0, -1.0}) {
    const auto part = [&](const std::vector<double>& values) {
      std::vector<double> result;
      for (std::size_t k = 0; k < values.size(); ++k) {
        if (direction[k] == sign) result.push_back(values[k]);
      }
      return result;
    };
    const std::vector<double> x = part(conductance);
    LinePlot plot;
    plot.title = sign > 0 ? "Up pulses" : "Down pulses";
    plot.x = {"Conductance", "S"};
    plot.y = {"Change", "S"};
    plot.y_references = {{0, ""}};
    plot.series = {series("mean", x, part(table.column("mean_siemens")), Colour::blue),
                   series("10 %", x, part(table.column("low_siemens")), Colour::grey),
                   series("90 %", x, part(table.column("high_siemens")), Colour::grey),
                   series(best, x, part(table.column("model_siemens")), Colour::orange)};
    section.figure(plot.svg(),
                   "As in the files; the parametric model is the nearest to the means.");
  }
  Table models;
  models.header = {"Model", "Off the mean steps, %"};
  models.caption =
      "What a parametric model loses of the means, root mean square, percent of those "
      "of the means. What it says of a step's spread is not compared.";
  constexpr double hundred = 100;
  for (const Value& model : results.at("models").items()) {
    models.rows.push_back({model.text("name"), Cell::number(hundred * model.number("rms"))});
  }
  page.section("Parametric models")
      .table(models)
      .table(estimate_table(best_model(results).at("parameters").items()));
}

void add_cycling(Page& page, const Run& run) {
  const Value& results = run.results;
  page.verdict(Status::neutral, "Two states",
               fmt::format("{} cells, {} cycles; {} of the readings lie beyond the middle.",
                           grouped(results.count("cells")), grouped(results.count("cycles")),
                           percent(results.number("failures"))));
  const NamedTable table = read_named_table(run.file(results.at("means")));
  std::vector<double> share;
  for (std::size_t c = 0; c < table.column("cell").size(); ++c) {
    share.push_back((static_cast<double>(c) + 0.5) / static_cast<double>(results.count("cells")));
  }
  LinePlot plot;
  plot.title = "Cells' mean conductances";
  plot.x = {"Conductance", "S", Scale::log};
  plot.y = {"Share of the cells below"};
  for (const auto& [column, name, colour] :
       {std::tuple{"off_siemens", "off", Colour::orange}, {"on_siemens", "on", Colour::blue}}) {
    std::vector<double> values = table.column(column);
    std::sort(values.begin(), values.end());
    plot.series.push_back(series(name, values, share, colour));
  }
  page.section("States").figure(plot.svg());
  Table states;
  states.header = {"State",   "Mean, S", "95 % from",       "to",
                   "10 %, S", "90 %, S", "Cell to cell, S", "Cycle to cycle, S"};
  for (const char* name : {"off", "on"}) {
    const Value state = results.at(name);
    const Value mean = state.at("mean");
    states.rows.push_back(
        {name, Cell::number(mean.number("value"), 4), Cell::number(mean.number("low"), 4),
         Cell::number(mean.number("high"), 4), Cell::number(state.number("low_siemens"), 3),
         Cell::number(state.number("high_siemens"), 3), Cell::number(state.number("cell_sigma"), 3),
         Cell::number(state.number("cycle_sigma"), 3)});
  }
  page.section("Figures").table(states).paragraph(
      "A device file has one write noise: the root mean square of both states' variation from "
      "cycle to cycle.");
}

}  // namespace xbar::report::pages
