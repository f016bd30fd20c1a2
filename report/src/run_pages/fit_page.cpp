#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <xbar/report/text.hpp>

#include "fit_parts.hpp"
#include "named_table.hpp"
#include "pages.hpp"
#include "parts.hpp"

namespace xbar::report::pages {
namespace {

// More curves than these hide each other.
constexpr std::size_t most_curves = 4;
// Of which a spread can be told (fit::FittedNoise).
constexpr int fewest_devices = 3;

/// The rows of one curve of the table of residuals.
struct Curve {
  std::vector<double> pulse;
  std::vector<double> measured;
  std::vector<double> model;
  std::vector<double> residual;
  std::vector<double> step_residual;
};

std::vector<Curve> read_curves(const Run& run) {
  const NamedTable table = read_named_table(run.file(run.results.at("residuals")));
  const auto number = table.column("curve");
  const auto pulse = table.column("pulse");
  const auto measured = table.column("measured_siemens");
  const auto model = table.column("curve_siemens");
  const auto predicted = table.column("predicted_siemens");
  std::vector<Curve> curves;
  double last = 0;
  for (std::size_t k = 0; k < number.size(); ++k) {
    if (number[k] != last) {
      if (curves.size() == most_curves) break;
      curves.emplace_back();
      last = number[k];
    }
    Curve& curve = curves.back();
    curve.pulse.push_back(pulse[k]);
    curve.measured.push_back(measured[k]);
    curve.model.push_back(model[k]);
    curve.residual.push_back(measured[k] - model[k]);
    curve.step_residual.push_back(measured[k] - predicted[k]);
  }
  return curves;
}

void add_pulse_figures(Page& page, const Run& run) {
  const std::vector<Value> names = run.results.at("curves").items();
  const std::vector<Curve> curves = read_curves(run);
  const Axis pulse{"Pulse"};
  const std::string best = run.results.text("best");
  Blocks& section = page.section("Readings and model");
  if (names.size() > curves.size()) {
    section.paragraph(fmt::format("The first {} of {} curves.", curves.size(), names.size()));
  }
  for (std::size_t c = 0; c < curves.size() && c < names.size(); ++c) {
    const Curve& curve = curves[c];
    const std::string title =
        fmt::format("Device {}, cycle {}", names[c].text("device"), names[c].text("cycle"));
    LinePlot response;
    response.title = title;
    response.x = pulse;
    response.y = {"Conductance", "S"};
    response.series = {series("measured", curve.pulse, curve.measured, Colour::grey),
                       series(best, curve.pulse, curve.model, Colour::blue)};
    section.figure(response.svg(), "The curve that the model draws by itself.");
    LinePlot residual;
    residual.title = title + ": residuals";
    residual.x = pulse;
    residual.y = {"Measured less model", "S"};
    residual.y_references = {{0, ""}};
    residual.series = {series("of the curve", curve.pulse, curve.residual, Colour::blue),
                       series("of each step", curve.pulse, curve.step_residual, Colour::orange)};
    section.figure(residual.svg(), "Steps are predicted from all readings before.");
  }
}

void add_pulse_tables(Page& page, const Value& results) {
  Table models;
  models.header = {"Model", "Held out, %", "Curve, %", "Step, %", "Chosen"};
  models.caption = "Root mean square errors, percent of the range of the readings. Held out: " +
                   results.text("held_out") + ".";
  constexpr double hundred = 100;
  const std::string best = results.text("best");
  for (const Value& model : results.at("models").items()) {
    const std::string name = model.text("name");
    models.rows.push_back({name, Cell::number(hundred * model.number("validated_rms")),
                           Cell::number(hundred * model.number("curve_rms")),
                           Cell::number(hundred * model.number("step_rms")),
                           name == best ? Cell("chosen", Status::good) : Cell("")});
  }
  page.section("Models").table(models).paragraph(
      "Chosen is the first, simplest one whose held-out error is within one standard error of the "
      "lowest.");
  const Value model = best_model(results);
  std::vector<Value> estimates = model.at("parameters").items();
  for (const char* key : {"g_min", "g_max"}) estimates.push_back(model.at(key));
  const Value noise = results.at("pulse_noise");
  const Value spread = results.at("spread");
  std::vector<std::pair<std::string, std::string>> values = {
      {"Pulse to pulse, of the step", percent(noise.number("step"))},
      {"Pulse to pulse, of the range", percent(noise.number("range"))},
      {"Reading, of the range", percent(noise.number("write"))},
      {"Devices", grouped(spread.count("devices"))}};
  if (spread.count("devices") < fewest_devices) {
    values.emplace_back("Device to device",
                        fmt::format("not determined: takes {} devices", fewest_devices));
  } else {
    values.emplace_back("Device to device, step", percent(spread.number("step")));
    values.emplace_back("Device to device, up against down", percent(spread.number("up_down")));
    values.emplace_back("Device to device, lower bound", percent(spread.number("lower")));
    values.emplace_back("Device to device, upper bound", percent(spread.number("upper")));
  }
  page.section("Parameters").table(estimate_table(estimates)).key_values(std::move(values));
}

void add_pulses(Page& page, const Run& run) {
  const Value& results = run.results;
  const Value model = best_model(results);
  page.verdict(Status::neutral, "Best model: " + results.text("best"),
               fmt::format("{} readings from {} to {}.", grouped(results.count("readings")),
                           format_si(results.number("low_siemens"), "S"),
                           format_si(results.number("high_siemens"), "S")));
  page.card({"Curve", error_percent(model.number("curve_rms")), "",
             "RMS residual of the model's curve, of the range."});
  page.card({"Held out", error_percent(model.number("validated_rms")), "",
             "RMS error of readings that the fit has not seen, of the range."});
  page.card({"Step", error_percent(model.number("step_rms")), "",
             "RMS error of a reading predicted from those before, of the range."});
  add_pulse_figures(page, run);
  add_pulse_tables(page, results);
  if (results.find("amplitude")) {
    const Value law = results.at("amplitude");
    add_amplitude_figures(page, run, law);
    add_amplitude_tables(page, law);
  }
}

// A gap in lines over x where the next branch begins.
void break_lines(const std::vector<double>& branch, std::vector<double>& x,
                 const std::vector<std::vector<double>*>& lines) {
  for (std::size_t k = branch.size(); k-- > 1;) {
    if (branch[k] == branch[k - 1]) continue;
    const auto at = static_cast<std::ptrdiff_t>(k);
    x.insert(x.begin() + at, x[k]);
    for (std::vector<double>* line : lines) line->insert(line->begin() + at, std::nan(""));
  }
}

void add_xy_figures(Page& page, const Run& run, const char* at, const Axis& x, const Axis& y,
                    const char* measured, const char* model) {
  const NamedTable table = read_named_table(run.file(run.results.at("residuals")));
  auto places = table.column(at);
  auto readings = table.column(measured);
  auto values = table.column(model);
  std::vector<double> residual(readings.size());
  for (std::size_t k = 0; k < residual.size(); ++k) residual[k] = readings[k] - values[k];
  if (table.has("branch"))
    break_lines(table.column("branch"), places, {&readings, &values, &residual});
  LinePlot plot;
  plot.title = "Readings and model";
  plot.x = x;
  plot.y = y;
  plot.series = {series("measured", places, readings, Colour::grey),
                 series(run.results.text("best"), places, values, Colour::blue)};
  LinePlot left;
  left.title = "Residuals";
  left.x = x;
  left.y = {"Measured less model", y.unit};
  left.y_references = {{0, ""}};
  left.series = {series("residual", places, residual, Colour::blue)};
  page.section("Readings and model").figure(plot.svg()).figure(left.svg());
}

void add_sweep(Page& page, const Run& run) {
  const Value model = best_model(run.results);
  page.verdict(Status::neutral, "Best model: " + run.results.text("best"),
               "Fitted where the voltage falls in size and the cell keeps its state.");
  page.card({"Branches", error_percent(model.number("rms")), "",
             "RMS residual, of each branch's largest current."});
  page.card({"Held out", error_percent(model.number("validated_rms")), "",
             "RMS error of points that the fit has not seen."});
  add_xy_figures(page, run, "voltage_volt", {"Voltage", "V"}, {"Current", "A"}, "measured_ampere",
                 "model_ampere");
  std::vector<Value> estimates = model.at("parameters").items();
  for (const Value& g : model.at("conductances").items()) estimates.push_back(g);
  page.section("Parameters").table(estimate_table(estimates));
}

void add_retention(Page& page, const Run& run) {
  const Value exponent = run.results.at("exponent");
  page.verdict(
      Status::neutral, fmt::format("Drift exponent {}", format_number(exponent.number("value"))),
      fmt::format("95 % from {} to {}; negative: the readings rise.",
                  format_number(exponent.number("low")), format_number(exponent.number("high"))));
  add_xy_figures(page, run, "time_second", {"Time", "s", Scale::log}, {"Reading"}, "measured",
                 "model");
}

}  // namespace

Page fit_page(const Run& run) {
  Page page("Device from measurements", "Fitted models, residuals and noise");
  if (!run.finished) {
    unfinished_verdict(page);
  } else {
    const std::string kind = run.results.text("kind");
    if (kind == "pulses") {
      add_pulses(page, run);
    } else if (kind == "iv") {
      add_sweep(page, run);
    } else if (kind == "retention") {
      add_retention(page, run);
    } else if (kind == "amplitude") {
      add_amplitudes(page, run);
    } else if (kind == "distribution") {
      add_distribution(page, run);
    } else if (kind == "cycling") {
      add_cycling(page, run);
    } else {
      run.results.at("kind").fail("pulses, amplitude, distribution, cycling, iv or retention",
                                  kind);
    }
  }
  add_end(page, run);
  return page;
}

}  // namespace xbar::report::pages
