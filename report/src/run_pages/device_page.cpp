#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <xbar/report/text.hpp>

#include "named_table.hpp"
#include "pages.hpp"
#include "parts.hpp"

namespace xbar::report::pages {
namespace {

// More points than this cannot be told apart on the page.
constexpr std::size_t most_points = 4000;

/// What happened over time, thinned to what a plot can show.
struct Trace {
  std::vector<double> second;
  std::vector<double> volt;
  std::vector<double> ampere;
  std::vector<double> kelvin;  ///< empty: the model has no temperature
  std::vector<double> fraction;
  std::size_t every = 1;  ///< which points are shown
};

Trace read_trace(const Run& run, const Value& name) {
  const NamedTable table = read_named_table(run.file(name));
  Trace trace;
  const auto rows = static_cast<std::size_t>(table.values.rows());
  trace.every = std::max<std::size_t>(1, (rows + most_points - 1) / most_points);
  const auto column = [&](const char* column_name) {
    const std::vector<double> all = table.column(column_name);
    std::vector<double> some;
    for (std::size_t k = 0; k < all.size(); k += trace.every) some.push_back(all[k]);
    return some;
  };
  trace.second = column("time_second");
  trace.volt = column("voltage_volt");
  trace.ampere = column("current_ampere");
  trace.fraction = column("fraction_on");
  if (table.has("temperature_kelvin")) trace.kelvin = column("temperature_kelvin");
  return trace;
}

std::string line(const char* title, const Axis& x, const Axis& y, const std::vector<double>& at,
                 std::vector<double> values, Colour colour) {
  LinePlot plot;
  plot.title = title;
  plot.x = x;
  plot.y = y;
  Series series;
  series.name = title;
  series.x = at;
  series.y = std::move(values);
  series.markers = false;
  series.colour = colour;
  plot.series.push_back(std::move(series));
  return plot.svg();
}

void add_verdict(Page& page, const Value& results) {
  const Value end = results.at("end");
  page.verdict(
      Status::neutral,
      fmt::format("Ends at {}, {} of the way from off to on", ohms(end.number("ohm")),
                  percent(end.number("fraction_on"), 1)),
      fmt::format("After {}; {} on and {} off at {}.", format_si(end.number("second"), "s"),
                  ohms(results.number("on_ohm")), ohms(results.number("off_ohm")),
                  format_si(results.number("read_volt"), "V")));
}

void add_cards(Page& page, const Value& results) {
  const double lowest = results.number("lowest_current_ampere");
  const double highest = results.number("highest_current_ampere");
  page.card({"Highest current", format_si(highest, "A"), "", "At positive voltage."});
  page.card({"Lowest current", format_si(lowest, "A"), "", "At negative voltage."});
  page.card({"Energy", format_si(results.number("energy_joule"), "J"), "",
             "That the voltage source has put into the cell."});
  if (const auto kelvin = results.find("highest_kelvin")) {
    page.card({"Highest temperature", format_number(kelvin->number(), 4), "K",
               "Of the filament, heated by its own current."});
  }
}

void add_figures(Page& page, const Trace& trace) {
  const Axis time{"Time", "s"};
  const Axis volt{"Voltage", "V"};
  const Axis current{"Current", "A"};
  // At 0 V rounding leaves currents that would take the logarithmic axis down by decades.
  double largest = 0;
  for (const double v : trace.volt) largest = std::max(largest, std::abs(v));
  std::vector<double> size;
  for (std::size_t k = 0; k < trace.ampere.size(); ++k) {
    const bool at_zero = std::abs(trace.volt[k]) < 1e-9 * largest;
    size.push_back(at_zero ? std::nan("") : std::abs(trace.ampere[k]));
  }
  const std::string thinned =
      trace.every == 1 ? "" : fmt::format(" Every {}th point is drawn.", trace.every);
  page.section("Current against voltage")
      .figure(line("Current", volt, current, trace.volt, trace.ampere, Colour::blue),
              "The loop that switching leaves." + thinned)
      .figure(line("Size of the current", volt, {"Size of the current", "A", Scale::log},
                   trace.volt, std::move(size), Colour::blue),
              "The same by decades; the tips point to 0 V.");
  Axis fraction{"Share of the way from off to on"};
  fraction.min = 0;
  fraction.max = 1;
  Blocks& section = page.section("Over time");
  section.figure(line("Voltage", time, volt, trace.second, trace.volt, Colour::grey));
  section.figure(line("Current", time, current, trace.second, trace.ampere, Colour::blue));
  section.figure(line("State", time, fraction, trace.second, trace.fraction, Colour::orange),
                 "Where the state stands between the model's off and on.");
  if (!trace.kelvin.empty()) {
    section.figure(
        line("Temperature", time, {"Temperature", "K"}, trace.second, trace.kelvin, Colour::red));
  }
}

void add_tables(Page& page, const Value& results) {
  Table parameters;
  parameters.header = {"Parameter", "Value"};
  for (const auto& [name, value] : results.at("parameters").members()) {
    parameters.rows.push_back({name, Cell::number(value.number(), 6)});
  }
  page.section("The model")
      .paragraph("Units are in the names; a name without one is a pure number.")
      .table(parameters);
  const Value report = results.at("report");
  page.section("Integration")
      .key_values({{"Method", report.text("integrator")},
                   {"Tolerance of a step", format_number(report.number("tolerance"))},
                   {"Steps", grouped(report.count("steps"))},
                   {"Rejected", grouped(report.count("rejected"))},
                   {"Evaluations of the model", grouped(report.count("evaluations"))},
                   {"Bounds of the state reached", grouped(report.count("bounds_hit"))}});
}

}  // namespace

Page device_page(const Run& run) {
  const auto model = run.part("model");
  const auto waveform = run.part("waveform");
  Page page(fmt::format("One {} cell", model ? model->text() : "memristive"),
            waveform ? "Voltage over time: " + waveform->text() : "");
  if (!run.finished) {
    unfinished_verdict(page);
  } else {
    add_verdict(page, run.results);
    add_cards(page, run.results);
    add_figures(page, read_trace(run, run.results.at("trace")));
    add_tables(page, run.results);
  }
  add_end(page, run);
  return page;
}

}  // namespace xbar::report::pages
