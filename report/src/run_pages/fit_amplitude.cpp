// The voltage law of a device.

#include <fmt/format.h>

#include <xbar/report/text.hpp>

#include "fit_parts.hpp"
#include "named_table.hpp"
#include "parts.hpp"

namespace xbar::report::pages {

void add_amplitude_figures(Page& page, const Run& run, const Value& results) {
  const NamedTable table = read_named_table(run.file(results.at("levels")));
  const auto direction = table.column("direction");
  const auto volt = table.column("pulse_volt");
  const auto change = table.column("change_siemens");
  const auto model = table.column("model_siemens");
  const auto residual = table.column("residual_siemens");
  Blocks& section = page.section("Change against voltage");
  for (const double sign : {1.0, -1.0}) {
    std::vector<double> x;
    std::vector<double> measured;
    std::vector<double> predicted;
    std::vector<double> left;
    std::vector<double> scatter;
    for (std::size_t k = 0; k < direction.size(); ++k) {
      if (direction[k] != sign) continue;
      x.push_back(volt[k]);
      measured.push_back(change[k]);
      predicted.push_back(model[k]);
      left.push_back(change[k] - model[k]);
      scatter.push_back(residual[k]);
    }
    if (x.empty()) continue;
    LinePlot plot;
    plot.title = sign > 0 ? "Up pulses" : "Down pulses";
    plot.x = {"Voltage", "V"};
    plot.y = {"Mean change", "S"};
    plot.series = {series("measured", x, measured, Colour::grey),
                   series(results.text("best"), x, predicted, Colour::blue)};
    section.figure(plot.svg(), "Of all pulses of a voltage, each from where it found its cell.");
    LinePlot residuals;
    residuals.title = plot.title + ": residuals";
    residuals.x = plot.x;
    residuals.y = {"Measured less law", "S"};
    residuals.y_references = {{0, ""}};
    residuals.series = {series("mean", x, left, Colour::blue),
                        series("root mean square of single pulses", x, scatter, Colour::orange)};
    section.figure(residuals.svg());
  }
}

void add_amplitude_tables(Page& page, const Value& results) {
  Table laws;
  laws.header = {"Law", "Held out, %", "Fitted, %", "Chosen"};
  laws.caption = "Root mean square errors, percent of the range of the readings. Held out: " +
                 results.text("held_out") + ".";
  constexpr double hundred = 100;
  const std::string best = results.text("best");
  for (const Value& law : results.at("models").items()) {
    const std::string name = law.text("name");
    laws.rows.push_back({name, Cell::number(hundred * law.number("validated_rms")),
                         Cell::number(hundred * law.number("rms")),
                         name == best ? Cell("chosen", Status::good) : Cell("")});
  }
  Blocks& section = page.section("Voltage law");
  section.table(laws).table(estimate_table(best_model(results).at("parameters").items()));
  const std::vector<Value> up = results.at("up_alone").items();
  if (up.empty()) return;
  section.paragraph(fmt::format("Each direction with a law of its own leaves {} of the range.",
                                error_percent(results.number("alone_rms"))));
  section.table(estimate_table(up)).table(estimate_table(results.at("down_alone").items()));
}

void add_amplitudes(Page& page, const Run& run) {
  const Value& results = run.results;
  const Value law = best_model(results);
  page.verdict(Status::neutral, "Voltage law: " + results.text("best"),
               fmt::format("{} pulses of {} devices.", grouped(results.count("pulses")),
                           grouped(results.count("devices"))));
  page.card({"Fitted", error_percent(law.number("rms")), "",
             "RMS residual of the conductance after a pulse, of the range."});
  page.card({"Held out", error_percent(law.number("validated_rms")), "",
             "RMS error of pulses that the fit has not seen, of the range."});
  add_amplitude_figures(page, run, results);
  add_amplitude_tables(page, results);
}

}  // namespace xbar::report::pages
