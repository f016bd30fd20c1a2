#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include <xbar/report/text.hpp>

#include "pages.hpp"
#include "remapping.hpp"
#include "statistics.hpp"
#include "training.hpp"

namespace xbar::report::pages {
namespace {

constexpr double hundred = 100;

struct Layer {
  std::string name;
  std::vector<double> sensitivity;  ///< falling
  long long moved = 0;              ///< outputs that left their slot
};

struct Remap {
  std::string model;
  std::string data;
  std::string strategy;
  long long calibration_images = 0;
  long long test_images = 0;
  double ideal = 0;
  double ideal_loss = 0;
  std::vector<Comparison> comparisons;
  std::vector<Layer> layers;
};

Layer read_layer(const std::string& name, const Value& value) {
  Layer layer{name, value.at("sensitivity").numbers()};
  const std::vector<double> slots = value.at("slot_of_output").numbers();
  if (slots.size() != layer.sensitivity.size()) {
    value.at("slot_of_output")
        .fail(fmt::format("{} slots, one for each sensitivity", layer.sensitivity.size()),
              fmt::format("{}", slots.size()));
  }
  for (std::size_t k = 0; k < slots.size(); ++k) layer.moved += slots[k] != static_cast<double>(k);
  std::erase_if(layer.sensitivity, [](double s) { return std::isnan(s); });
  std::sort(layer.sensitivity.begin(), layer.sensitivity.end(), std::greater<>());
  return layer;
}

std::optional<Remap> read_remap(const Run& run) {
  if (!run.finished && !run.results.find("comparisons")) return {};
  const Value& v = run.results;
  Remap remap{v.text("model"),
              v.text("data"),
              v.text("strategy"),
              v.count("calibration_images"),
              v.count("test_images"),
              v.at("ideal").number("accuracy"),
              v.at("ideal").number("loss"),
              {},
              {}};
  for (const Value& c : v.at("comparisons").items()) remap.comparisons.push_back(comparison(c));
  const Value orders = Value::of_file(run.file(v.at("column_order")));
  for (const auto& [name, layer] : orders.members()) {
    remap.layers.push_back(read_layer(name, layer));
  }
  return remap;
}

/// The technology on which the network as trained does worst.
const Comparison* hardest(const Remap& r) {
  const Comparison* worst = nullptr;
  for (const Comparison& c : r.comparisons) {
    if (worst == nullptr || c.as_is < worst->as_is) worst = &c;
  }
  return worst;
}

std::string range_of_gains(const Remap& r) {
  double lo = r.comparisons.front().gain();
  double hi = lo;
  for (const Comparison& c : r.comparisons) {
    lo = std::min(lo, c.gain());
    hi = std::max(hi, c.gain());
  }
  if (points(lo) == points(hi)) return points(lo);
  std::string first = points(lo);
  first.resize(first.find("\u00A0"));
  return first + " to " + points(hi);
}

void add_verdict(Page& page, const Remap& r) {
  if (r.comparisons.empty()) {
    page.verdict(Status::warn, "Nothing was compared");
    return;
  }
  if (r.strategy == "none") {
    page.verdict(Status::neutral, "The columns were left as trained",
                 "Strategy none is the baseline: nothing moves, and nothing should change.");
    return;
  }
  std::size_t better = 0;
  std::size_t worse = 0;
  for (const Comparison& c : r.comparisons) {
    better += c.significant() && c.put_right > c.spoilt;
    worse += c.significant() && c.put_right < c.spoilt;
  }
  const std::string gains = range_of_gains(r);
  const bool several = r.comparisons.size() > 1;
  if (worse > 0) {
    page.verdict(Status::bad, "Re-mapping did harm: " + gains,
                 several
                     ? fmt::format("More than the noise of the test set on {} of {} technologies.",
                                   worse, r.comparisons.size())
                     : sign_test_words(r.comparisons.front()));
  } else if (better > 0) {
    page.verdict(Status::good, "Re-mapping gains accuracy: " + gains,
                 several
                     ? fmt::format("More than the noise of the test set on {} of {} technologies.",
                                   better, r.comparisons.size())
                     : sign_test_words(r.comparisons.front()));
  } else {
    page.verdict(
        Status::neutral,
        fmt::format("Re-mapping makes no difference beyond the noise of the test set: {}", gains),
        several ? "On none of the technologies does a sign test tell put right from spoilt."
                : sign_test_words(r.comparisons.front()));
  }
}

void add_cards(Page& page, const Remap& r) {
  page.card({"Accuracy, ideal arithmetic", format_fixed(hundred * r.ideal, 2), "%",
             fmt::format("{} test images, no wires.", grouped(r.test_images))});
  const Comparison* c = hardest(r);
  if (c == nullptr) return;
  const std::string where = "R_on " + ohms(c->technology.on_ohm);
  page.card({"On arrays, as trained", format_fixed(hundred * c->as_is, 2), "%",
             fmt::format("{} to ideal. {}{}.", points(c->as_is - r.ideal),
                         r.comparisons.size() > 1 ? "The lowest, at " : "", where)});
  page.card({"On arrays, re-mapped", format_fixed(hundred * c->remapped, 2), "%",
             fmt::format("{} to as trained, {}.", points(c->gain()), where)});
  page.card({"Put right, spoilt", fmt::format("{} : {}", grouped(c->put_right), grouped(c->spoilt)),
             "images",
             c->put_right + c->spoilt == 0
                 ? "No image changed."
                 : fmt::format("Chance alone is as uneven in {} of cases.",
                               chance(sign_test(c->put_right, c->spoilt)))});
}

void add_comparison(Page& page, const Remap& r) {
  Blocks& section = page.section("As trained and re-mapped");
  std::string text =
      "The same weights on the same arrays; only the order of the columns differs. The column "
      "Surrogate says what stood in for the circuit, and the largest measured error of its output "
      "currents.";
  if (const Comparison* c = hardest(r)) {
    text += fmt::format(" Tiles of {} × {}, {}, source {}, sink {}.",
                        format_number(c->technology.tile_rows),
                        format_number(c->technology.tile_columns),
                        line_words(c->technology.wordline_ohm, c->technology.bitline_ohm),
                        ohms(c->technology.source_ohm), ohms(c->technology.sink_ohm));
  }
  section.paragraph(text);

  std::vector<Technology> technologies;
  std::vector<double> as_is;
  std::vector<double> remapped;
  BarSeries right{"Put right"};
  BarSeries spoilt{"Spoilt"};
  Table table;
  table.header = {"R_on",       "As trained, %", "Re-mapped, %", "Change, points", "Loss before",
                  "Loss after", "Put right",     "Spoilt",       "Chance alone",   "Surrogate"};
  for (const Comparison& c : r.comparisons) {
    technologies.push_back(c.technology);
    as_is.push_back(c.as_is);
    remapped.push_back(c.remapped);
    right.values.push_back(static_cast<double>(c.put_right));
    spoilt.values.push_back(static_cast<double>(c.spoilt));
    const double p = sign_test(c.put_right, c.spoilt);
    Cell on(ohms(c.technology.on_ohm));
    on.key = c.technology.on_ohm;
    const std::string surrogate =
        c.surrogate_error > 0 ? c.surrogate + ", " + error_percent(c.surrogate_error) : c.surrogate;
    Cell probability(chance(p));
    probability.key = p;
    table.rows.push_back({on, Cell::fixed(hundred * c.as_is, 2),
                          Cell::fixed(hundred * c.remapped, 2), Cell::fixed(hundred * c.gain(), 2),
                          Cell::number(c.as_is_loss, 3), Cell::number(c.remapped_loss, 3),
                          c.put_right, c.spoilt, probability, surrogate});
  }
  BarPlot accuracy;
  accuracy.title = "Test accuracy";
  accuracy.groups = labels(technologies);
  accuracy.series = {accuracy_bars("As trained", as_is, r.test_images, Colour::grey),
                     accuracy_bars("Re-mapped", remapped, r.test_images, Colour::blue)};
  accuracy.axis = accuracy_axis({accuracy.series[0], accuracy.series[1],
                                 accuracy_bars("", {r.ideal}, r.test_images, Colour::automatic)});
  accuracy.references = {{hundred * r.ideal, "ideal " + format_fixed(hundred * r.ideal, 2)}};
  accuracy.decimals = 2;
  section.figure(accuracy.svg(),
                 whisker_words(r.test_images) +
                     " Both orders read the same images, so what counts is which of them change.");
  right.colour = Colour::green;
  spoilt.colour = Colour::red;
  BarPlot changed;
  changed.title = "Images that changed";
  changed.axis = {"Test images"};
  changed.groups = accuracy.groups;
  changed.series = {std::move(right), std::move(spoilt)};
  changed.decimals = 0;
  section.figure(changed.svg(),
                 "Put right: wrong as trained, right re-mapped. Spoilt: the other way round.");
  table.caption =
      "Chance alone: how often a fair coin splits the changed images at least as "
      "unevenly (sign test); below 5 % is more than noise";
  constexpr std::size_t worth_sorting = 5;
  table.sortable = table.rows.size() >= worth_sorting;
  section.table(table);
  if (r.comparisons.size() == 1) section.paragraph(sign_test_words(r.comparisons.front()));
}

/// The share of all sensitivity that the most sensitive tenth of the outputs carries.
double tenth(const Layer& layer) {
  const std::vector<double>& s = layer.sensitivity;
  const std::size_t n = (s.size() + 9) / 10;
  double top = 0;
  double sum = 0;
  for (std::size_t k = 0; k < s.size(); ++k) {
    top += k < n ? s[k] : 0;
    sum += s[k];
  }
  return sum > 0 ? top / sum : std::nan("");
}

LinePlot sensitivity_plot(const Layer& layer) {
  LinePlot plot;
  plot.title = fmt::format("{}: {}", layer.name,
                           plural(static_cast<long long>(layer.sensitivity.size()), "output"));
  plot.x = {"Outputs, most sensitive first"};
  plot.y = {"Sensitivity of the loss"};
  plot.y.min = 0;
  if (layer.sensitivity.empty() || !(layer.sensitivity.front() > 0)) plot.y.min.reset();
  Series series;
  series.name = layer.name;
  series.colour = Colour::blue;
  series.y = layer.sensitivity;
  for (std::size_t k = 0; k < series.y.size(); ++k) series.x.push_back(static_cast<double>(k + 1));
  plot.series.push_back(std::move(series));
  plot.height = 260;
  return plot;
}

void add_sensitivity(Page& page, const Remap& r) {
  if (r.layers.empty()) return;
  Blocks& section = page.section("Sensitivities");
  section.paragraph(fmt::format(
      "How much a relative error of an output raises the loss, to first order, measured on {} "
      "training "
      "images. The more uneven a layer, the more the order of its columns can matter. SRS puts "
      "the most sensitive outputs next to the row drivers.",
      grouped(r.calibration_images)));
  Table table;
  table.header = {"Layer", "Outputs", "Top tenth carries, %", "Largest", "Median", "Outputs moved"};
  constexpr std::size_t most_shown = 8;
  Blocks* rest = nullptr;
  for (std::size_t k = 0; k < r.layers.size(); ++k) {
    const Layer& layer = r.layers[k];
    const std::vector<double>& s = layer.sensitivity;
    if (k == most_shown) {
      rest = &section.details(fmt::format("The other {} layers", r.layers.size() - most_shown));
    }
    (rest != nullptr ? *rest : section).figure(sensitivity_plot(layer).svg());
    table.rows.push_back({layer.name, static_cast<long long>(s.size()),
                          Cell::fixed(hundred * tenth(layer), 1),
                          s.empty() ? Cell() : Cell::number(s.front(), 3),
                          s.empty() ? Cell() : Cell::number(s[s.size() / 2], 3), layer.moved});
  }
  section.table(table);
}

}  // namespace

Page remap_page(const Run& run) {
  const std::optional<Remap> remap = read_remap(run);
  if (!remap) {
    Page page("Re-mapping");
    unfinished_verdict(page);
    add_end(page, run);
    return page;
  }
  const Remap& r = *remap;
  Page page(fmt::format("Re-mapping {} on {}", r.model, r.data),
            fmt::format("Columns {}, against columns as trained; {} test images.",
                        r.strategy == "srs" ? "by sensitivity (SRS)" : "by strategy " + r.strategy,
                        grouped(r.test_images)));
  if (run.finished) {
    add_verdict(page, r);
  } else {
    unfinished_verdict(page);
  }
  add_cards(page, r);
  if (!r.comparisons.empty()) add_comparison(page, r);
  add_sensitivity(page, r);
  add_end(page, run);
  return page;
}

}  // namespace xbar::report::pages
