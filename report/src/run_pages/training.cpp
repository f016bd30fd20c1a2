#include "training.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include <xbar/report/text.hpp>

#include "statistics.hpp"

namespace xbar::report::pages {
namespace {

constexpr double hundred = 100;

LayerCertificate layer_certificate(const Value& v) {
  LayerCertificate certificate;
  certificate.surrogate = v.text("surrogate");
  certificate.checks = v.number("checks");
  certificate.mean_error = v.number("mean_error");
  certificate.worst_error = v.number("worst_error");
  certificate.worst_fresh_error = v.number("worst_fresh_error");
  certificate.broken = v.number("broken");
  return certificate;
}

RunCertificate run_certificate(const Value& v) {
  RunCertificate certificate;
  certificate.all = layer_certificate(v);
  certificate.time_share = v.number("time_share");
  for (const Value& layer : v.at("layers").items()) {
    certificate.layers.push_back(layer_certificate(layer));
    certificate.layers.back().layer = layer.text("name");
    certificate.layers.back().refresh = layer.number("refresh");
  }
  return certificate;
}

TrainingRun training_run(const Value& v, const Run& folder) {
  TrainingRun run;
  run.name = v.text("name");
  run.wired = v.text("arithmetic") != "ideal";
  const std::optional<Value> mode = v.find("mode");
  run.mode = mode ? mode->text() : run.wired ? "in-situ" : "ideal";
  if (run.wired) {
    run.technology = technology(v.at("technology"));
    run.certificate = run_certificate(v.at("certificate"));
    if (const auto pulses = v.find("pulses")) {
      run.pulses = {v.at("technology").text("device"),
                    v.at("update").text("rule"),
                    pulses->number("up"),
                    pulses->number("down"),
                    pulses->number("joule"),
                    pulses->number("second")};
    }
  }
  run.test_accuracy = v.number("test_accuracy");
  run.exact_accuracy = v.number("exact_accuracy");
  run.test_loss = v.number("test_loss");
  run.images_per_second = v.number("images_per_second");
  run.train_seconds = v.number("train_seconds");
  for (const auto& [phase, seconds] : v.at("phase_seconds").members()) {
    run.phase_seconds.emplace_back(phase, seconds.number());
  }
  for (const Value& e : Value::of_lines(folder.file(v.at("metrics")))) {
    if (e.text("kind") != "epoch") continue;
    run.epoch.push_back(e.number("epoch"));
    run.epoch_train_loss.push_back(e.number("train_loss"));
    run.epoch_test_accuracy.push_back(hundred * e.number("test_accuracy"));
  }
  return run;
}

double last_epoch(const std::vector<TrainingRun>& runs) {
  double last = 0;
  for (const TrainingRun& run : runs) {
    for (const double epoch : run.epoch) last = std::max(last, epoch);
  }
  return last;
}

BarPlot run_bars(const std::vector<TrainingRun>& runs, double TrainingRun::*value) {
  BarPlot plot;
  BarSeries bars;
  for (const TrainingRun& run : runs) {
    plot.groups.push_back(run.label);
    bars.values.push_back(run.*value);
  }
  plot.series.push_back(std::move(bars));
  return plot;
}

}  // namespace

std::string mode_words(const TrainingRun& run) {
  if (run.mode == "hardware-aware") return "Trained digitally, read through wired arrays";
  if (run.mode == "batch-norm") return "Batch normalisation fitted to wired arrays";
  if (run.pulses) return "Trained by pulses through wired arrays";
  return "Trained through wired arrays";
}

std::vector<TrainingRun> training_runs(const Value& list, const Run& run) {
  std::vector<TrainingRun> runs;
  std::vector<Technology> technologies;
  for (const Value& v : list.items()) {
    runs.push_back(training_run(v, run));
    if (runs.back().technology) technologies.push_back(*runs.back().technology);
  }
  constexpr Colour colours[] = {Colour::blue,  Colour::orange, Colour::green, Colour::purple,
                                Colour::ochre, Colour::sky,    Colour::red};
  const std::vector<std::string> names = labels(technologies);
  std::size_t wired = 0;
  for (TrainingRun& one : runs) {
    if (one.wired) {
      if (one.mode == "in-situ") {
        one.label = names.size() > 1 ? "Through arrays, " + names[wired] : "Through wired arrays";
      } else {
        one.label = one.mode == "batch-norm" ? "Batch norm refitted" : "Hardware-aware";
        if (names.size() > 1) one.label += ", " + names[wired];
      }
      one.colour = wired < std::size(colours) ? colours[wired] : Colour::automatic;
      ++wired;
    } else {
      one.label = "Ideal arithmetic";
      one.colour = Colour::grey;
    }
  }
  return runs;
}

const TrainingRun* ideal_run(const std::vector<TrainingRun>& runs) {
  const auto found =
      std::find_if(runs.begin(), runs.end(), [](const TrainingRun& run) { return !run.wired; });
  return found == runs.end() ? nullptr : &*found;
}

const TrainingRun* hardest_run(const std::vector<TrainingRun>& runs) {
  const TrainingRun* hardest = nullptr;
  for (const TrainingRun& run : runs) {
    if (run.wired && (hardest == nullptr || run.exact_accuracy < hardest->exact_accuracy)) {
      hardest = &run;
    }
  }
  return hardest;
}

void add_certificates(Page& page, const std::vector<TrainingRun>& runs) {
  Table table;
  table.header = {"Training", "Layer",    "Surrogate", "Interval",      "Arrays",
                  "Mean, %",  "Worst, %", "Fresh, %",  "Over tolerance"};
  for (const TrainingRun& run : runs) {
    for (const LayerCertificate& layer : run.certificate.layers) {
      table.rows.push_back(
          {run.label, layer.layer, layer.surrogate, Cell::fixed(layer.refresh, 0),
           Cell::fixed(layer.checks, 0), Cell::number(hundred * layer.mean_error, 2),
           Cell::number(hundred * layer.worst_error, 2),
           Cell::number(hundred * layer.worst_fresh_error, 2), Cell::fixed(layer.broken, 0)});
    }
  }
  if (table.rows.empty()) return;
  page.section("Certificate")
      .paragraph(
          "While the network was trained, arrays drawn at random were solved exactly, just before "
          "a "
          "measurement, when the surrogate was at its oldest. Error: the share of the output "
          "currents that was wrong, root mean square (fresh: just after the measurement, at "
          "worst). "
          "Where it was over the tolerance, the layer went over to shorter intervals, in updates, "
          "or "
          "to a more accurate surrogate.")
      .table(table);
}

void add_epoch_figures(Blocks& section, const std::vector<TrainingRun>& runs) {
  LinePlot accuracy;
  accuracy.title = "Test accuracy by epoch";
  accuracy.x = count_axis("Epoch", last_epoch(runs));
  accuracy.y = {"Test accuracy", "%"};
  LinePlot loss;
  loss.title = "Training loss by epoch";
  loss.x = accuracy.x;
  loss.y = {"Training loss"};
  constexpr double few_epochs = 15;  // more points than that are a line without markers
  for (const TrainingRun& run : runs) {
    Series series;
    if (last_epoch(runs) > few_epochs) series.markers = run.epoch.size() < 2;
    series.name = run.label;
    series.colour = run.colour;
    series.dashed = !run.wired;
    series.x = run.epoch;
    series.y = run.epoch_test_accuracy;
    accuracy.series.push_back(series);
    series.y = run.epoch_train_loss;
    loss.series.push_back(std::move(series));
  }
  const bool wired = hardest_run(runs) != nullptr;
  section.figure(accuracy.svg(),
                 wired ? "Share of the test images read right after each pass over the training "
                         "images. Wired runs are tested with the surrogate that trains them."
                       : "Share of the test images read right after each pass over the training "
                         "images.");
  section.figure(loss.svg(),
                 "Mean cross-entropy over the training images during each pass; lower is better.");
}

void add_speed_figure(Blocks& section, const std::vector<TrainingRun>& runs) {
  BarPlot plot = run_bars(runs, &TrainingRun::images_per_second);
  plot.title = "Training speed";
  plot.axis = {"Training images a second"};
  plot.decimals = 0;
  std::string caption = "Measured on the machine of the run, with whatever else it was doing.";
  if (const TrainingRun* wired = hardest_run(runs)) {
    caption += fmt::format(
        " Through arrays every step runs forward, backward and update on the surrogate ({}); the "
        "checks against the exact circuit took {} of the time.",
        wired->certificate.all.surrogate, percent(wired->certificate.time_share));
  }
  section.figure(plot.svg(), caption);
}

void add_time_figure(Blocks& section, const std::vector<TrainingRun>& runs) {
  BarPlot plot = run_bars(runs, &TrainingRun::train_seconds);
  plot.title = "Training time";
  plot.axis = {"Time of all training steps", "s"};
  section.figure(plot.svg(), "Without the tests after each epoch.");
}

void add_phase_figure(Blocks& section, const std::vector<TrainingRun>& runs) {
  BarPlot plot;
  plot.title = "Time by phase";
  plot.axis = {"Time of all epochs", "s"};
  const auto place = [&](const std::string& phase) {
    return static_cast<std::size_t>(std::find(plot.groups.begin(), plot.groups.end(), phase) -
                                    plot.groups.begin());
  };
  for (const TrainingRun& run : runs) {
    for (const auto& [phase, seconds] : run.phase_seconds) {
      if (seconds > 0 && place(phase) == plot.groups.size()) plot.groups.push_back(phase);
    }
  }
  if (plot.groups.empty()) return;
  for (const TrainingRun& run : runs) {
    BarSeries bars;
    bars.name = run.label;
    bars.colour = run.colour;
    bars.values.assign(plot.groups.size(), 0);
    for (const auto& [phase, seconds] : run.phase_seconds) {
      if (place(phase) < plot.groups.size()) bars.values[place(phase)] = seconds;
    }
    plot.series.push_back(std::move(bars));
  }
  section.figure(plot.svg(),
                 "Surrogate: effective conductances measured. Certificate: surrogates checked "
                 "against the exact circuit. Converters: inputs and outputs digitised. What arrays "
                 "cost besides is in forward, backward and update.");
}

std::string noise_words(double first, double second, long long images) {
  const double noise = difference_noise(first, second, images);
  if (!std::isfinite(noise)) return "";
  return fmt::format("With {} test images, differences of up to about {} points can be chance.",
                     grouped(images), format_fixed(hundred * noise, 1));
}

std::string whisker_words(long long images) {
  if (images < 1) return "";
  return fmt::format(
      "Whiskers: how far chance can move a value with {} test images (95\u00A0% range).",
      grouped(images));
}

BarSeries accuracy_bars(std::string name, const std::vector<double>& shares, long long images,
                        Colour colour) {
  BarSeries bars;
  bars.name = std::move(name);
  bars.colour = colour;
  for (const double share : shares) {
    bars.values.push_back(hundred * share);
    bars.errors.push_back(hundred * accuracy_noise(share, images));
  }
  return bars;
}

Axis accuracy_axis(const std::vector<BarSeries>& series) {
  std::vector<double> values;
  std::vector<double> noise;
  for (const BarSeries& bars : series) {
    values.insert(values.end(), bars.values.begin(), bars.values.end());
    noise.insert(noise.end(), bars.errors.begin(), bars.errors.end());
  }
  return accuracy_axis(values, noise);
}

}  // namespace xbar::report::pages
