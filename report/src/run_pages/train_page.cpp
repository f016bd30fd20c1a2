#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include <xbar/report/text.hpp>

#include "pages.hpp"
#include "statistics.hpp"
#include "training.hpp"

namespace xbar::report::pages {
namespace {

constexpr double hundred = 100;

/// The ideally trained network put on arrays.
struct Deployment {
  Technology technology;
  std::string gain;
  double accuracy = 0;
  double loss = 0;
};

struct Training {
  std::string model;
  std::string data;
  long long train_images = 0;
  long long test_images = 0;
  std::vector<TrainingRun> runs;
  std::vector<Deployment> deployed;
};

Training read_training(const Run& run) {
  Training t;
  const auto text = [&](const char* key) {
    const auto v = run.part(key);
    return v ? v->text() : std::string("a network");
  };
  const auto count = [&](const char* key) {
    const auto v = run.part(key);
    return v ? v->count() : 0;
  };
  t.model = std::filesystem::path(text("model")).filename().string();
  t.data = text("data");
  t.train_images = count("train_images");
  t.test_images = count("test_images");
  if (const auto v = run.part("runs")) t.runs = training_runs(*v, run);
  if (const auto list = run.part("deployed")) {
    for (const Value& v : list->items()) {
      t.deployed.push_back(
          {technology(v.at("technology")), v.text("gain"), v.number("accuracy"), v.number("loss")});
    }
  }
  return t;
}

const Deployment* hardest(const std::vector<Deployment>& deployed, bool calibrated) {
  const Deployment* worst = nullptr;
  for (const Deployment& d : deployed) {
    if ((d.gain != "none") == calibrated && (worst == nullptr || d.accuracy < worst->accuracy)) {
      worst = &d;
    }
  }
  return worst;
}

/// NaN, which a file may hold, equals itself here.
bool equal(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

/// Whether the difference of two accuracies may be chance.
bool alike(double first, double second, long long images) {
  return !(std::abs(first - second) > difference_noise(first, second, images));
}

void add_verdict(Page& page, const Run& run, const Training& t) {
  const TrainingRun* ideal = ideal_run(t.runs);
  const TrainingRun* wired = hardest_run(t.runs);
  if (!run.finished || t.runs.empty()) {
    unfinished_verdict(page);
  } else if (ideal != nullptr && wired != nullptr) {
    const double loss = ideal->exact_accuracy - wired->exact_accuracy;
    const bool same = alike(ideal->exact_accuracy, wired->exact_accuracy, t.test_images);
    const std::string text =
        fmt::format("{} with the exact circuit at R_on {}, {} with ideal arithmetic. {}",
                    percent(wired->exact_accuracy), ohms(wired->technology->on_ohm),
                    percent(ideal->exact_accuracy),
                    noise_words(ideal->exact_accuracy, wired->exact_accuracy, t.test_images));
    if (same) {
      page.verdict(Status::good,
                   mode_words(*wired) + ", the network does as well as with ideal arithmetic",
                   text);
    } else if (loss > 0) {
      page.verdict(Status::warn,
                   fmt::format("{}: that costs up to {} of accuracy", mode_words(*wired),
                               points(loss).substr(1)),
                   text);
    } else {
      page.verdict(Status::good,
                   mode_words(*wired) + ", the network does better than with ideal arithmetic",
                   text);
    }
  } else if (ideal != nullptr) {
    const Deployment* worst = hardest(t.deployed, false);
    page.verdict(Status::neutral,
                 fmt::format("Trained with ideal arithmetic: {} of {} test images read right",
                             percent(ideal->test_accuracy), grouped(t.test_images)),
                 worst == nullptr
                     ? ""
                     : fmt::format("Put on wired arrays, the same weights reach {} at R_on {}.",
                                   percent(worst->accuracy), ohms(worst->technology.on_ohm)));
  } else {
    page.verdict(Status::neutral,
                 fmt::format("{}: {} of {} test images read right", mode_words(*wired),
                             percent(wired->exact_accuracy), grouped(t.test_images)),
                 fmt::format("With the exact circuit at R_on {}, the hardest of the run.",
                             ohms(wired->technology->on_ohm)));
  }
}

/// "−0.60 points to ideal at R_on 20 kΩ"; the technology only where there are several.
std::string against_ideal(double accuracy, const TrainingRun* ideal, const Technology& technology,
                          bool several) {
  std::string text;
  if (ideal != nullptr) text = points(accuracy - ideal->exact_accuracy) + " to ideal. ";
  return text + (several ? "The lowest, at R_on " : "R_on ") + ohms(technology.on_ohm) + ".";
}

void add_cards(Page& page, const Training& t) {
  const TrainingRun* ideal = ideal_run(t.runs);
  const TrainingRun* wired = hardest_run(t.runs);
  const auto card = [&](const std::string& label, double accuracy, std::string why) {
    page.card({label, format_fixed(hundred * accuracy, 2), "%", std::move(why)});
  };
  if (ideal != nullptr) {
    card("Accuracy, ideal arithmetic", ideal->test_accuracy,
         fmt::format("{} test images, no wires.", grouped(t.test_images)));
  }
  for (const bool calibrated : {false, true}) {
    if (const Deployment* d = hardest(t.deployed, calibrated)) {
      card(calibrated ? "On arrays, gain calibrated" : "Same weights on wired arrays", d->accuracy,
           against_ideal(d->accuracy, ideal, d->technology, t.deployed.size() > 2));
    }
  }
  if (wired == nullptr) return;
  const bool several = t.runs.size() > (ideal != nullptr ? 2 : 1);
  card(mode_words(*wired), wired->exact_accuracy,
       against_ideal(wired->exact_accuracy, ideal, *wired->technology, several));
  double largest = 0;
  for (const TrainingRun& run : t.runs) {
    const double difference = std::abs(run.test_accuracy - run.exact_accuracy);
    largest = !(difference <= largest) ? difference : largest;
  }
  page.card({"Surrogate against exact circuit", format_fixed(hundred * largest, 2), "points",
             several ? "Largest difference of the accuracies that the two report."
                     : "Difference of the accuracies that the two report."});
}

std::string mode_text(const TrainingRun& run) {
  if (run.mode == "hardware-aware") {
    return " Trained digitally: the forward pass went through the wires, updates did not.";
  }
  if (run.mode == "batch-norm") {
    return " Batch normalisation fitted: its scales and offsets make up for what the wires take.";
  }
  return " Trained through arrays: forward, backward and update went through the wires, so the "
         "weights have adapted to them.";
}

// What it took to write the cells.
void add_pulses(Page& page, const std::vector<TrainingRun>& runs) {
  Table table;
  table.header = {"Network", "Device", "Update rule", "Pulses up", "Pulses down", "Energy", "Time"};
  for (const TrainingRun& run : runs) {
    if (!run.pulses) continue;
    const TrainingPulses& pulses = *run.pulses;
    Cell joule(pulses.joule > 0 ? format_si(pulses.joule, "J") : "not stated");
    joule.key = pulses.joule;
    Cell time(pulses.second > 0 ? format_si(pulses.second, "s") : "not stated");
    time.key = pulses.second;
    table.rows.push_back({run.label, pulses.device, pulses.rule, Cell::number(pulses.up, 3),
                          Cell::number(pulses.down, 3), joule, time});
  }
  if (table.rows.empty()) return;
  page.section("Programming pulses")
      .paragraph(
          "Pulses to single cells, their energy V²Gt without wires and drivers, and the time that "
          "they take where they have to wait for one another. Not stated: the device file gives no "
          "voltage or no width.")
      .table(table);
}

void add_end_result(Page& page, const Training& t) {
  const TrainingRun* ideal = ideal_run(t.runs);
  std::vector<Technology> technologies;
  const auto place = [&](const Technology& wanted) {
    const auto same = [&](const Technology& other) {
      return equal(other.on_ohm, wanted.on_ohm) && equal(other.wordline_ohm, wanted.wordline_ohm);
    };
    return static_cast<std::size_t>(std::find_if(technologies.begin(), technologies.end(), same) -
                                    technologies.begin());
  };
  const auto remember = [&](const Technology& technology) {
    if (place(technology) == technologies.size()) technologies.push_back(technology);
  };
  for (const Deployment& d : t.deployed) remember(d.technology);
  for (const TrainingRun& run : t.runs) {
    if (run.technology) remember(*run.technology);
  }
  if (technologies.empty()) return;

  // One value a technology; NaN where there is none.
  using Values = std::vector<double>;
  const Values none(technologies.size(), std::nan(""));
  std::vector<std::pair<std::string, Values>> lines = {{"As it is", none},
                                                       {"Gain calibrated", none},
                                                       {"By the surrogate", none},
                                                       {"Exact circuit", none}};
  for (const Deployment& d : t.deployed) {
    lines[d.gain == "none" ? 0 : 1].second[place(d.technology)] = d.accuracy;
  }
  for (const TrainingRun& run : t.runs) {
    if (!run.technology) continue;
    lines[2].second[place(*run.technology)] = run.test_accuracy;
    lines[3].second[place(*run.technology)] = run.exact_accuracy;
  }
  constexpr Colour colours[] = {Colour::orange, Colour::ochre, Colour::sky, Colour::blue};
  BarPlot put;
  put.title = "Put on arrays";
  BarPlot trained;
  trained.title = "Trained through arrays";
  std::vector<BarSeries> all;
  for (std::size_t k = 0; k < lines.size(); ++k) {
    const Values& values = lines[k].second;
    if (std::all_of(values.begin(), values.end(), [](double v) { return std::isnan(v); })) continue;
    all.push_back(accuracy_bars(lines[k].first, values, t.test_images, colours[k]));
    (k < 2 ? put : trained).series.push_back(all.back());
  }
  if (ideal != nullptr) {
    all.push_back(accuracy_bars("", {ideal->test_accuracy}, t.test_images, Colour::automatic));
  }
  const Axis axis = accuracy_axis(all);

  Blocks& section = page.section("What the wires cost");
  std::string text =
      "Put on arrays: weights trained with ideal arithmetic, evaluated with the exact circuit. "
      "Gain "
      "calibration puts a digital factor behind each column that takes out the loss common to its "
      "cells.";
  if (hardest_run(t.runs) != nullptr) {
    text += mode_text(*hardest_run(t.runs));
  }
  section.paragraph(text);
  for (BarPlot* plot : {&put, &trained}) {
    if (plot->series.empty()) continue;
    plot->groups = labels(technologies);
    plot->axis = axis;
    plot->decimals = 2;
    if (ideal != nullptr) {
      const double accuracy = hundred * ideal->test_accuracy;
      plot->references = {{accuracy, "ideal " + format_fixed(accuracy, 2)}};
    }
    section.figure(plot->svg(),
                   plot == &put ? "Test accuracy of the ideally trained weights, exact circuit. " +
                                      whisker_words(t.test_images)
                                : "Test accuracy as the surrogate tells it, with which the network "
                                  "was trained, and as the exact circuit does.");
  }
}

void add_table(Page& page, const Training& t) {
  const TrainingRun* ideal = ideal_run(t.runs);
  Table table;
  table.header = {"Network",  "R_on",      "Gain",     "Surrogate, %", "Exact, %",
                  "To ideal", "Test loss", "Images/s", "Time"};
  const auto difference = [&](double accuracy) {
    if (ideal == nullptr) return Cell();
    Cell cell(points(accuracy - ideal->exact_accuracy));
    cell.text.resize(cell.text.find("\u00A0"));
    cell.key = accuracy - ideal->exact_accuracy;
    return cell;
  };
  const auto on = [](const Technology& technology) {
    Cell cell(ohms(technology.on_ohm));
    cell.key = technology.on_ohm;
    return cell;
  };
  const auto add_run = [&](const TrainingRun& run) {
    Cell time(duration(run.train_seconds));
    time.key = run.train_seconds;
    table.rows.push_back({run.wired ? mode_words(run) : "Ideal arithmetic",
                          run.technology ? on(*run.technology) : Cell(),
                          run.technology ? Cell(run.technology->gain) : Cell(),
                          run.wired ? Cell::fixed(hundred * run.test_accuracy, 2) : Cell(),
                          Cell::fixed(hundred * run.exact_accuracy, 2),
                          run.wired ? difference(run.exact_accuracy) : Cell(),
                          Cell::number(run.test_loss, 3), Cell::fixed(run.images_per_second, 0),
                          time});
  };
  for (const TrainingRun& run : t.runs) {
    if (!run.wired) add_run(run);
  }
  for (const Deployment& d : t.deployed) {
    table.rows.push_back({"Put on arrays", on(d.technology), d.gain, Cell(),
                          Cell::fixed(hundred * d.accuracy, 2), difference(d.accuracy),
                          Cell::number(d.loss, 3)});
  }
  for (const TrainingRun& run : t.runs) {
    if (run.wired) add_run(run);
  }
  if (table.rows.empty()) return;
  page.section("All results")
      .paragraph(
          "Accuracy on the test images by the surrogate and by the exact circuit, the difference "
          "of the latter to ideal arithmetic in points, and the loss in the exact circuit.")
      .table(table);
}

std::string_view layout_words(std::string_view layout) {
  if (layout == "interleaved") {
    return "Each weight is the difference of two cells side by side on one array.";
  }
  if (layout == "reference") {
    return "Each weight is the difference of a cell and one on an array beside it that is not "
           "trained.";
  }
  if (layout == "offset") return "Each weight is a cell, less one at the middle of the range.";
  return "Each weight is the difference of two cells on separate arrays.";
}

}  // namespace

Page train_page(const Run& run) {
  const Training t = read_training(run);
  Page page(fmt::format("Training {} on {}", t.model, t.data),
            fmt::format("{} training and {} test images.", grouped(t.train_images),
                        grouped(t.test_images)));
  add_verdict(page, run, t);
  add_cards(page, t);
  if (!t.runs.empty()) {
    Blocks& section = page.section("Training");
    if (const TrainingRun* wired = hardest_run(t.runs)) {
      Technology shared = *wired->technology;
      section.paragraph(
          fmt::format("Wired runs go through {} × {} tiles with {}, source {}, sink {}. {}",
                      format_number(shared.tile_rows), format_number(shared.tile_columns),
                      line_words(shared.wordline_ohm, shared.bitline_ohm), ohms(shared.source_ohm),
                      ohms(shared.sink_ohm), layout_words(shared.layout)));
    }
    add_epoch_figures(section, t.runs);
  }
  add_end_result(page, t);
  if (!t.runs.empty()) {
    add_pulses(page, t.runs);
    add_certificates(page, t.runs);
    add_table(page, t);
    Blocks& speed = page.section("Speed");
    add_speed_figure(speed, t.runs);
    add_time_figure(speed, t.runs);
    add_phase_figure(speed, t.runs);
  }
  add_end(page, run);
  return page;
}

}  // namespace xbar::report::pages
