#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include <xbar/core/array_file.hpp>
#include <xbar/report/text.hpp>

#include "error_study.hpp"
#include "pages.hpp"
#include "remapping.hpp"
#include "statistics.hpp"
#include "training.hpp"

namespace xbar::report::pages {
namespace {

constexpr double hundred = 100;

/// One array, solved by both methods.
struct ArrayPart {
  double size = 0;
  Technology technology;
  double line_seconds = 0;
  double direct_seconds = 0;
  long long iterations = 0;
  double kcl_residual = 0;
  double agreement = 0;
  ErrorRows errors;
  Matrix ir_drop;  ///< share of the input voltage that each cell loses
};

struct TrainingPart {
  std::string model;
  std::string data;
  long long train_images = 0;
  long long test_images = 0;
  std::vector<TrainingRun> runs;
  double deployed = 0;    ///< accuracy
  double calibrated = 0;  ///< accuracy with a digital gain for each column
};

/// Surrogates on the trained arrays.
struct Certificate {
  long long tiles = 0;
  long long total = 0;
  ErrorRows rows;  ///< model and errors only
};

struct RemapPart {
  Comparison comparison;
  double ideal = 0;  ///< accuracy
};

/// Everything that is there.
struct Tour {
  std::optional<ArrayPart> array;
  ErrorRows by_size;
  ErrorRows by_line;
  std::optional<TrainingPart> training;
  std::optional<Certificate> certificate;
  std::optional<RemapPart> remap;
};

ArrayPart read_array_part(const Run& run, const Value& v) {
  return {v.number("size"),
          technology(v.at("technology")),
          v.number("line_seconds"),
          v.number("direct_seconds"),
          v.count("iterations"),
          v.number("kcl_residual"),
          v.number("agreement"),
          error_rows(v.at("errors")),
          xbar::read_array(run.file(v.at("ir_drop"))).values};
}

Certificate read_certificate(const Value& v) {
  Certificate certificate{v.count("tiles"), v.count("total"), {}};
  for (const Value& r : v.at("rows").items()) {
    ErrorRow row;
    row.model = r.text("model");
    row.mean = r.number("mean_error");
    row.worst = r.number("worst_error");
    certificate.rows.push_back(std::move(row));
  }
  return certificate;
}

Tour read_tour(const Run& run) {
  Tour tour;
  if (const auto v = run.part("array")) tour.array = read_array_part(run, *v);
  if (const auto v = run.part("study")) {
    tour.by_size = error_rows(v->at("by_size"));
    tour.by_line = error_rows(v->at("by_line"));
  }
  if (const auto v = run.part("training")) {
    tour.training = {v->text("model"),
                     v->text("data"),
                     v->count("train_images"),
                     v->count("test_images"),
                     training_runs(v->at("runs"), run),
                     v->at("deployed").number("accuracy"),
                     v->at("deployed").number("calibrated_accuracy")};
  }
  if (const auto v = run.part("certificate")) tour.certificate = read_certificate(*v);
  if (const auto v = run.part("remap")) {
    tour.remap = {comparison(*v), v->number("ideal_accuracy")};
  }
  return tour;
}

/// The surrogate that the network was trained with, on the trained arrays.
std::optional<ErrorRow> checked_surrogate(const Tour& tour) {
  if (!tour.certificate) return {};
  const TrainingRun* wired = tour.training ? hardest_run(tour.training->runs) : nullptr;
  // Of several, the least accurate, which is named first.
  const std::string name = wired != nullptr ? wired->certificate.all.surrogate.substr(
                                                  0, wired->certificate.all.surrogate.find(','))
                                            : best_model(tour.certificate->rows);
  return worst_row(of_model(tour.certificate->rows, name));
}

std::string accuracy_words(const TrainingPart& t) {
  const TrainingRun* ideal = ideal_run(t.runs);
  const TrainingRun* wired = hardest_run(t.runs);
  if (ideal == nullptr || wired == nullptr) return "";
  return fmt::format(
      "With ideal arithmetic the network reads {} of {} test images right; the same weights put on "
      "wired arrays {}; trained through the arrays {}.",
      percent(ideal->test_accuracy), grouped(t.test_images), percent(t.deployed),
      percent(wired->exact_accuracy));
}

void add_verdict(Page& page, const Run& run, const Tour& tour) {
  const std::optional<ErrorRow> checked = checked_surrogate(tour);
  if (!run.finished || !checked || !tour.training) {
    unfinished_verdict(page);
    return;
  }
  page.verdict(error_status(checked->worst),
               fmt::format("On the trained arrays the surrogate is within {} of the exact circuit",
                           error_percent(checked->worst)),
               accuracy_words(*tour.training));
}

void add_cards(Page& page, const Tour& tour) {
  if (tour.training) {
    const TrainingPart& t = *tour.training;
    const TrainingRun* ideal = ideal_run(t.runs);
    const TrainingRun* wired = hardest_run(t.runs);
    const double reference = ideal != nullptr ? ideal->test_accuracy : std::nan("");
    if (ideal != nullptr) {
      page.card({"Accuracy, ideal arithmetic", format_fixed(hundred * reference, 2), "%",
                 fmt::format("{} test images, no wires.", grouped(t.test_images))});
    }
    page.card({"Same weights on wired arrays", format_fixed(hundred * t.deployed, 2), "%",
               fmt::format("{} to ideal; not re-trained, no gain calibration.",
                           points(t.deployed - reference))});
    if (wired != nullptr) {
      page.card({"Trained through the arrays", format_fixed(hundred * wired->exact_accuracy, 2),
                 "%",
                 fmt::format("{} to ideal; tested with the exact circuit.",
                             points(wired->exact_accuracy - reference))});
    }
  }
  if (const std::optional<ErrorRow> checked = checked_surrogate(tour)) {
    page.card({"Surrogate, worst error", format_number(hundred * checked->worst), "%",
               fmt::format("{} on {} of the {} trained arrays; up to 1\u00A0% counts as good.",
                           model_label(checked->model), grouped(tour.certificate->tiles),
                           grouped(tour.certificate->total)),
               error_status(checked->worst)});
  }
  if (tour.array) {
    const ArrayPart& a = *tour.array;
    constexpr double agree = 1e-9;
    page.card({"Line solver against direct", times(a.direct_seconds / a.line_seconds).text,
               "times faster",
               fmt::format("{} against {} for one {} array; same currents to {}.",
                           format_si(a.line_seconds, "s", 2), format_si(a.direct_seconds, "s", 2),
                           square(a.size), format_number(a.agreement, 1)),
               a.agreement <= agree ? Status::good : Status::bad});
  }
}

/// How the loss builds up along the wordlines: mean and range over them.
LinePlot profile(const Matrix& lost) {
  LinePlot plot;
  plot.title = "How the loss builds up along the wordlines";
  plot.x = {"Cells from the driver"};
  plot.y = {"Voltage lost", "%"};
  Series series;
  series.name = "Mean of all wordlines";
  series.colour = Colour::blue;
  series.markers = false;
  for (Index j = 0; j < lost.cols(); ++j) {
    series.x.push_back(static_cast<double>(j + 1));
    series.y.push_back(hundred * lost.col(j).mean());
    series.lower.push_back(hundred * lost.col(j).minCoeff());
    series.upper.push_back(hundred * lost.col(j).maxCoeff());
  }
  plot.series = {std::move(series)};
  plot.height = 440;
  return plot;
}

void add_array(Page& page, const ArrayPart& a) {
  Blocks& section = page.section("One array");
  section.paragraph(fmt::format(
      "A single {} array with random cells, solved exactly: once by the line method (conjugate "
      "gradients, preconditioned line by line), once by a direct factorisation. Wires and "
      "terminals "
      "take a good part of the voltage before it reaches the cells.",
      square(a.size)));
  Entries entries = describe(a.technology);
  entries.front() = {"Array", square(a.size) + " cells"};
  entries.emplace_back("Line method", fmt::format("{}, {}", format_si(a.line_seconds, "s"),
                                                  plural(a.iterations, "iteration")));
  entries.emplace_back("Direct method", format_si(a.direct_seconds, "s"));
  entries.emplace_back("The methods differ by",
                       format_number(a.agreement, 1) + " of the largest current");
  entries.emplace_back("KCL residual",
                       format_number(a.kcl_residual, 1) + " of the largest cell current");
  section.key_values(entries);

  Heatmap map;
  map.title = "IR drop: the share of its input voltage that each cell loses";
  map.values = hundred * a.ir_drop;
  map.quantity = "voltage lost";
  map.unit = "%";
  map.ports = Ports::forward;
  section.figure(map.svg(),
                 "All wordlines driven with the same voltage; bright cells lose most. To the right "
                 "the wordlines take their share. The stripes are chance: a wordline whose cells "
                 "happen to conduct well draws more current through its source resistance.");
  section.figure(
      profile(a.ir_drop).svg(),
      fmt::format("Line: mean of all wordlines. Shade: from the lowest to the highest. The first "
                  "bitline loses {} on average, the last {}: so much do the wordlines add; most of "
                  "the rest falls across source and sink.",
                  percent(a.ir_drop.col(0).mean(), 1),
                  percent(a.ir_drop.col(a.ir_drop.cols() - 1).mean(), 1)));

  Table table;
  table.sortable = false;
  table.caption = "Error of the output currents for random sparse inputs, against the exact solver";
  table.header = {"Model",           "Mean error, %", "Worst error, %",
                  "Time, one array", "Exact solver",  "Times faster"};
  for (const ErrorRow& row : a.errors) {
    Cell time(format_si(row.seconds, "s"));
    time.key = row.seconds;
    Cell exact(format_si(row.exact_seconds, "s"));
    exact.key = row.exact_seconds;
    table.rows.push_back({model_label(row.model), Cell::number(hundred * row.mean, 3),
                          Cell::number(hundred * row.worst, 3), time, exact,
                          row.model == "ideal" ? Cell() : times(row.exact_seconds / row.seconds)});
  }
  section.table(table);
  section.paragraph(
      "The error is the largest deviation of an output current, as a share of the largest exact "
      "current. Ideal arithmetic knows no wires; part of its error is a gain common to all "
      "outputs, "
      "which a calibration could take out. The ladder is a closed formula. The operating-point "
      "ladder corrects it by one solution of the circuit.");
}

std::string side(double size) { return square(size) + " cells"; }

void add_study(Page& page, const Tour& tour) {
  Blocks& section = page.section("How the errors grow");
  ErrorRows all = tour.by_size;
  all.insert(all.end(), tour.by_line.begin(), tour.by_line.end());
  const Axis y = error_axis(all);
  section.paragraph(
      "Both plots have logarithmic axes and the same scale of errors: equal steps are equal "
      "factors, "
      "and a lower line is a better model. Lines are means over random sparse inputs; the shade "
      "reaches up to the worst of them.");
  if (!tour.by_size.empty()) {
    const ErrorRow& row = tour.by_size.front();
    LinePlot plot = error_plot(tour.by_size, &ErrorRow::size, size_axis(tour.by_size), y);
    plot.title = "Error against size";
    section.figure(
        plot.svg(),
        fmt::format("Square arrays of {} cells, {}, source {}, sink {}. {}", ohms(row.on_ohm),
                    line_words(row.wordline_ohm, row.bitline_ohm), ohms(row.source_ohm),
                    ohms(row.sink_ohm), growth_words(tour.by_size, &ErrorRow::size, side)));
  }
  if (!tour.by_line.empty()) {
    const ErrorRow& row = tour.by_line.front();
    LinePlot plot = error_plot(tour.by_line, &ErrorRow::wordline_ohm, line_axis(tour.by_line), y);
    plot.title = "Error against line resistance";
    section.figure(
        plot.svg(),
        fmt::format("{} arrays of {} cells, source {}, sink {}. {} Where the lines hardly matter, "
                    "the terminals' resistances remain.",
                    square(row.size), ohms(row.on_ohm), ohms(row.source_ohm), ohms(row.sink_ohm),
                    growth_words(tour.by_line, &ErrorRow::wordline_ohm, ohms)));
  }
}

void add_training(Page& page, const TrainingPart& t) {
  Blocks& section = page.section("Training");
  const TrainingRun* ideal = ideal_run(t.runs);
  const TrainingRun* wired = hardest_run(t.runs);
  std::string text =
      fmt::format("The network “{}” learns the data set “{}” from {} training images", t.model,
                  t.data, grouped(t.train_images));
  if (wired != nullptr) {
    text +=
        ", once with ideal arithmetic and once with every forward, backward and update step "
        "going through wired arrays: " +
        in_words(*wired->technology);
  }
  section.paragraph(text + ".");
  add_epoch_figures(section, t.runs);

  std::vector<double> shares;
  BarPlot plot;
  plot.title = "Test accuracy in the end";
  if (ideal != nullptr) {
    plot.groups.emplace_back("Ideal arithmetic");
    shares.push_back(ideal->test_accuracy);
    plot.references.push_back({hundred * ideal->test_accuracy, "ideal"});
  }
  plot.groups.emplace_back("Same weights on wired arrays");
  shares.push_back(t.deployed);
  plot.groups.emplace_back("... with a gain for each column");
  shares.push_back(t.calibrated);
  std::string words;
  if (wired != nullptr) {
    plot.groups.emplace_back("Trained through arrays, by surrogate");
    shares.push_back(wired->test_accuracy);
    plot.groups.emplace_back("Trained through arrays, exact circuit");
    shares.push_back(wired->exact_accuracy);
    if (ideal != nullptr) {
      words = noise_words(ideal->test_accuracy, wired->exact_accuracy, t.test_images) + " ";
    }
  }
  plot.series = {accuracy_bars("Accuracy", shares, t.test_images, Colour::blue)};
  plot.axis = accuracy_axis(plot.series);
  plot.decimals = 2;
  section.figure(plot.svg(), words + whisker_words(t.test_images));
  add_speed_figure(section, t.runs);
}

void add_certificate(Page& page, const Tour& tour) {
  const Certificate& c = *tour.certificate;
  Blocks& section = page.section("Certificate");
  section.paragraph(fmt::format(
      "A surrogate is only worth its measured error. {} of the {} trained arrays, drawn at random "
      "over all layers and both polarities, were solved exactly and compared.",
      grouped(c.tiles), grouped(c.total)));
  Table table;
  table.sortable = false;
  table.caption = "Error of the output currents of the trained arrays, random sparse inputs";
  table.header = {"Model", "Mean error, %", "Worst error, %", "Use in this run"};
  const std::optional<ErrorRow> checked = checked_surrogate(tour);
  for (const ErrorRow& row : c.rows) {
    const bool used = checked && row.model == checked->model;
    table.rows.push_back(
        {model_label(row.model), Cell::number(hundred * row.mean, 3),
         Cell::number(hundred * row.worst, 3, used ? error_status(row.worst) : Status::neutral),
         used                   ? "training"
         : row.model == "ideal" ? "the network without wires"
                                : "comparison"});
  }
  section.table(table);
}

void add_remap(Page& page, const RemapPart& r, long long images) {
  const Comparison& c = r.comparison;
  Blocks& section = page.section("Re-mapping");
  section.paragraph(fmt::format(
      "What wires take depends on where a cell sits. Re-mapping puts the columns and rows of every "
      "layer where the network's outputs come out nearest to the ideal ones, judged on training "
      "images. The ideally trained network on {}; no weight is changed.",
      in_words(c.technology)));
  BarPlot plot;
  plot.title = "Test accuracy by order of columns and rows";
  plot.groups = {"Ideal arithmetic", "On arrays, as trained",
                 "On arrays, re-mapped (" + strategy_label(c.strategy) + ")"};
  plot.series = {accuracy_bars("Accuracy", {r.ideal, c.as_is.accuracy, c.remapped.accuracy}, images,
                               Colour::blue)};
  plot.references = {{hundred * r.ideal, "ideal"}};
  plot.axis = accuracy_axis(plot.series);
  plot.decimals = 2;
  section.figure(plot.svg(), fmt::format("{}; the test loss goes from {} to {}. {}",
                                         points(c.gain()), format_number(c.as_is.loss),
                                         format_number(c.remapped.loss), whisker_words(images)));
  BarPlot changed;
  changed.title = "Images that changed";
  changed.axis = {"Test images"};
  changed.groups = {"Re-mapped"};
  changed.series = {{"Put right", {static_cast<double>(c.put_right)}, {}, Colour::green},
                    {"Spoilt", {static_cast<double>(c.spoilt)}, {}, Colour::red}};
  changed.decimals = 0;
  section.figure(changed.svg(), sign_test_words(c));
}

}  // namespace

Page quickstart_page(const Run& run) {
  const Tour tour = read_tour(run);
  Page page(
      "xbar quickstart",
      "From one wired array to a trained and re-mapped network, with every approximation held "
      "against the exact circuit.");
  add_verdict(page, run, tour);
  add_cards(page, tour);
  if (tour.array) add_array(page, *tour.array);
  if (!tour.by_size.empty() || !tour.by_line.empty()) add_study(page, tour);
  if (tour.training) add_training(page, *tour.training);
  if (tour.certificate) add_certificate(page, tour);
  if (tour.remap) add_remap(page, *tour.remap, tour.training ? tour.training->test_images : 0);

  Entries machine;
  if (const auto m = run.results.find("machine")) {
    machine.emplace_back("Machine", fmt::format("{} instructions, {}", m->text("isa"),
                                                plural(m->count("threads"), "thread")));
  }
  if (const auto seconds = run.results.find("seconds")) {
    machine.emplace_back("The whole run took", duration(seconds->number()));
  }
  add_end(page, run, machine);
  return page;
}

}  // namespace xbar::report::pages
