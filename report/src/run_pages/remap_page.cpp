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
};

struct Remap {
  std::string model;
  std::string data;
  long long calibration_images = 0;
  long long test_images = 0;
  double ideal = 0;
  double ideal_loss = 0;
  std::vector<Comparison> comparisons;  ///< technologies one after the other
  std::vector<Layer> layers;
};

Layer read_layer(const Value& value) {
  Layer layer{value.text("name"), value.at("sensitivity").numbers()};
  std::erase_if(layer.sensitivity, [](double s) { return std::isnan(s); });
  std::sort(layer.sensitivity.begin(), layer.sensitivity.end(), std::greater<>());
  return layer;
}

std::optional<Remap> read_remap(const Run& run) {
  if (!run.finished && !run.results.find("comparisons")) return {};
  const Value& v = run.results;
  Remap remap{v.text("model"),
              v.text("data"),
              v.count("calibration_images"),
              v.count("test_images"),
              v.at("ideal").number("accuracy"),
              v.at("ideal").number("loss"),
              {},
              {}};
  for (const Value& c : v.at("comparisons").items()) remap.comparisons.push_back(comparison(c));
  for (const Value& layer : v.at("layers").items()) remap.layers.push_back(read_layer(layer));
  return remap;
}

/// Where the network as trained does worst, by the strategy that does best there.
const Comparison* hardest(const Remap& r) {
  const Comparison* worst = nullptr;
  for (const Comparison& c : r.comparisons) {
    if (worst == nullptr || c.as_is.accuracy < worst->as_is.accuracy ||
        (c.as_is.accuracy == worst->as_is.accuracy &&
         c.remapped.accuracy > worst->remapped.accuracy)) {
      worst = &c;
    }
  }
  return worst;
}

/// The comparisons by technology: strategies on the same arrays.
std::vector<std::vector<const Comparison*>> by_technology(const Remap& r) {
  std::vector<std::vector<const Comparison*>> groups;
  for (const Comparison& c : r.comparisons) {
    const auto goes_on = [&](const std::vector<const Comparison*>& group) {
      return group.front()->technology.on_ohm == c.technology.on_ohm &&
             std::none_of(group.begin(), group.end(),
                          [&](const Comparison* other) { return other->strategy == c.strategy; });
    };
    if (groups.empty() || !goes_on(groups.back())) groups.emplace_back();
    groups.back().push_back(&c);
  }
  return groups;
}

/// The share of what wires cost that comes back, in percent; NaN where they cost nothing.
double recovered(const Remap& r, const Comparison& c) {
  const double lost = r.ideal - c.as_is.accuracy;
  return lost > 0 ? hundred * c.gain() / lost : std::nan("");
}

void add_verdict(Page& page, const Remap& r) {
  const Comparison* c = hardest(r);
  if (c == nullptr) {
    page.verdict(Status::warn, "Nothing was compared");
    return;
  }
  if (std::all_of(r.comparisons.begin(), r.comparisons.end(),
                  [](const Comparison& one) { return one.strategy == "none"; })) {
    page.verdict(Status::neutral, "Columns and rows were left as trained",
                 "Strategy none is the baseline: nothing moves, and nothing should change.");
    return;
  }
  const double share = recovered(r, *c);
  const std::string what =
      fmt::format("{} on R_on {}: {}", strategy_label(c->strategy), ohms(c->technology.on_ohm),
                  points(c->gain())) +
      (std::isnan(share) ? ""
                         : fmt::format(", {}\u00A0% of what wires cost", format_fixed(share, 0)));
  const std::string words = sign_test_words(*c);
  if (!c->significant()) {
    page.verdict(Status::neutral,
                 "Re-mapping makes no difference beyond the noise of the test set: " + what, words);
  } else if (c->put_right < c->spoilt) {
    page.verdict(Status::bad, "Re-mapping did harm: " + what, words);
  } else {
    page.verdict(Status::good, "Re-mapping gains accuracy: " + what, words);
  }
}

void add_cards(Page& page, const Remap& r) {
  page.card({"Accuracy, ideal arithmetic", format_fixed(hundred * r.ideal, 2), "%",
             fmt::format("{} test images, no wires.", grouped(r.test_images))});
  const Comparison* c = hardest(r);
  if (c == nullptr) return;
  const std::string where = "R_on " + ohms(c->technology.on_ohm);
  page.card({"On arrays, as trained", format_fixed(hundred * c->as_is.accuracy, 2), "%",
             fmt::format("{} to ideal. {}{}.", points(c->as_is.accuracy - r.ideal),
                         r.comparisons.size() > 1 ? "The lowest, at " : "", where)});
  page.card({"On arrays, re-mapped", format_fixed(hundred * c->remapped.accuracy, 2), "%",
             fmt::format("{} to as trained, {}, {}.", points(c->gain()), where,
                         strategy_label(c->strategy))});
  page.card({"Put right, spoilt", fmt::format("{} : {}", grouped(c->put_right), grouped(c->spoilt)),
             "images",
             c->put_right + c->spoilt == 0
                 ? "No image changed."
                 : fmt::format("Chance alone is as uneven in {} of cases.",
                               chance(sign_test(c->put_right, c->spoilt)))});
}

Cell percent(const std::optional<double>& share) {
  return share ? Cell::fixed(hundred * *share, 2) : Cell();
}

void add_table(Blocks& section, const Remap& r) {
  const bool gain = std::any_of(r.comparisons.begin(), r.comparisons.end(),
                                [](const Comparison& c) { return c.remapped.gain.has_value(); });
  const bool refit =
      std::any_of(r.comparisons.begin(), r.comparisons.end(),
                  [](const Comparison& c) { return c.remapped.batch_norm.has_value(); });
  Table table;
  table.header = {"R_on", "Order", "Accuracy, %", "Change, points", "Recovered, %"};
  if (gain) table.header.push_back("With gain, %");
  if (refit) table.header.push_back("Batch norm refitted, %");
  for (const char* name : {"Loss", "Put right", "Spoilt", "Chance alone", "Time", "Surrogate"}) {
    table.header.push_back(name);
  }
  const auto add_order = [&](const Comparison& c, const OrderAccuracy& order, bool as_is) {
    Cell on(ohms(c.technology.on_ohm));
    on.key = c.technology.on_ohm;
    std::vector<Cell> row = {on, as_is ? Cell("as trained") : Cell(strategy_label(c.strategy)),
                             Cell::fixed(hundred * order.accuracy, 2)};
    const double share = recovered(r, c);
    row.push_back(as_is ? Cell() : Cell::fixed(hundred * c.gain(), 2));
    row.push_back(as_is || std::isnan(share) ? Cell() : Cell::fixed(share, 0));
    if (gain) row.push_back(percent(order.gain));
    if (refit) row.push_back(percent(order.batch_norm));
    row.push_back(Cell::number(order.loss, 3));
    if (as_is) {
      row.insert(row.end(), 4, Cell());
    } else {
      const double p = sign_test(c.put_right, c.spoilt);
      Cell probability(chance(p));
      probability.key = p;
      Cell time(format_fixed(c.seconds, 1) + "\u00A0s");
      time.key = c.seconds;
      row.insert(row.end(), {c.put_right, c.spoilt, probability, time});
    }
    row.push_back(c.surrogate_error > 0 ? c.surrogate + ", " + error_percent(c.surrogate_error)
                                        : c.surrogate);
    table.rows.push_back(std::move(row));
  };
  for (const auto& group : by_technology(r)) {
    add_order(*group.front(), group.front()->as_is, true);
    for (const Comparison* c : group) add_order(*c, c->remapped, false);
  }
  section.paragraph(
      "Recovered: share of what wires cost that comes back. Chance alone: how often a fair coin "
      "splits the changed images at least as unevenly (sign test); below 5 % is more than noise.");
  constexpr std::size_t worth_sorting = 5;
  table.sortable = table.rows.size() >= worth_sorting;
  section.table(table);
}

void add_comparison(Page& page, const Remap& r) {
  Blocks& section = page.section("As trained and re-mapped");
  std::string text =
      "The same weights on the same arrays; only the order of the columns and rows differs. The "
      "column Surrogate says what stood in for the circuit, and the largest measured error of its "
      "output currents.";
  const Comparison* worst = hardest(r);
  if (worst != nullptr) {
    const Technology& t = worst->technology;
    text += fmt::format(" Tiles of {} × {}, {}, source {}, sink {}.", format_number(t.tile_rows),
                        format_number(t.tile_columns), line_words(t.wordline_ohm, t.bitline_ohm),
                        ohms(t.source_ohm), ohms(t.sink_ohm));
  }
  section.paragraph(text);

  std::vector<Technology> technologies;
  std::vector<double> as_is;
  std::vector<std::pair<std::string, std::vector<double>>> remapped;  // by strategy
  BarSeries right{"Put right"};
  BarSeries spoilt{"Spoilt"};
  BarPlot changed;
  for (const auto& group : by_technology(r)) {
    technologies.push_back(group.front()->technology);
    as_is.push_back(group.front()->as_is.accuracy);
    for (const Comparison* c : group) {
      const auto of = std::find_if(remapped.begin(), remapped.end(),
                                   [&](const auto& one) { return one.first == c->strategy; });
      (of != remapped.end() ? *of : remapped.emplace_back(c->strategy, std::vector<double>{}))
          .second.push_back(c->remapped.accuracy);
      right.values.push_back(static_cast<double>(c->put_right));
      spoilt.values.push_back(static_cast<double>(c->spoilt));
      changed.groups.push_back(ohms(c->technology.on_ohm) + ", " + strategy_label(c->strategy));
    }
  }
  BarPlot accuracy;
  accuracy.title = "Test accuracy";
  accuracy.groups = labels(technologies);
  accuracy.series = {accuracy_bars("As trained", as_is, r.test_images, Colour::grey)};
  for (const auto& [strategy, shares] : remapped) {
    accuracy.series.push_back(
        accuracy_bars(strategy_label(strategy), shares, r.test_images, Colour::automatic));
  }
  std::vector<BarSeries> all = accuracy.series;
  all.push_back(accuracy_bars("", {r.ideal}, r.test_images, Colour::automatic));
  accuracy.axis = accuracy_axis(all);
  accuracy.references = {{hundred * r.ideal, "ideal " + format_fixed(hundred * r.ideal, 2)}};
  accuracy.decimals = 2;
  section.figure(accuracy.svg(),
                 whisker_words(r.test_images) +
                     " All orders read the same images, so what counts is which of them change.");
  right.colour = Colour::green;
  spoilt.colour = Colour::red;
  changed.title = "Images that changed";
  changed.axis = {"Test images"};
  changed.series = {std::move(right), std::move(spoilt)};
  changed.decimals = 0;
  section.figure(changed.svg(),
                 "Put right: wrong as trained, right re-mapped. Spoilt: the other way round.");
  add_table(section, r);
}

void add_layer_errors(Page& page, const Remap& r) {
  const Comparison* worst = hardest(r);
  if (worst == nullptr || worst->as_is.layer_error.empty()) return;
  Blocks& section = page.section("Errors of the layers");
  section.paragraph(fmt::format(
      "How far the effective weights of each layer are from those that the network was trained "
      "with, |W_eff − W| / |W|, on R_on {}. SRS and DRS look at sensitivities; optimal lowers the "
      "error of the network's outputs, and lets the errors of layers cancel each other.",
      ohms(worst->technology.on_ohm)));
  const auto series = [](const std::string& name, const std::vector<double>& errors,
                         Colour colour) {
    Series result;
    result.name = name;
    result.colour = colour;
    for (std::size_t k = 0; k < errors.size(); ++k) {
      result.x.push_back(static_cast<double>(k + 1));
      result.y.push_back(hundred * errors[k]);
    }
    return result;
  };
  LinePlot plot;
  plot.title = "Error of the effective weights";
  plot.x =
      count_axis("Layer, from the input on", static_cast<double>(worst->as_is.layer_error.size()));
  plot.y = {"Error, %"};
  plot.y.min = 0;
  plot.series.push_back(series("As trained", worst->as_is.layer_error, Colour::grey));
  for (const auto& group : by_technology(r)) {
    if (std::find(group.begin(), group.end(), worst) == group.end()) continue;
    for (const Comparison* c : group) {
      plot.series.push_back(
          series(strategy_label(c->strategy), c->remapped.layer_error, Colour::automatic));
    }
  }
  section.figure(plot.svg(), "");
}

void add_later(Page& page, const Remap& r) {
  Table table;
  table.header = {"R_on",
                  "Strategy",
                  "Accuracy before, %",
                  "After the change, %",
                  "Re-mapped again, %",
                  "Gain, points",
                  "Weights written anew, %",
                  "Time"};
  for (const Comparison& c : r.comparisons) {
    if (!c.later) continue;
    table.rows.push_back({ohms(c.technology.on_ohm), strategy_label(c.strategy),
                          Cell::fixed(hundred * c.remapped.accuracy, 2),
                          Cell::fixed(hundred * c.later->changed, 2),
                          Cell::fixed(hundred * c.later->remapped, 2),
                          Cell::fixed(hundred * (c.later->remapped - c.later->changed), 2),
                          Cell::fixed(hundred * c.later->rewritten, 0),
                          format_fixed(c.later->seconds, 1) + "\u00A0s"});
  }
  if (table.rows.empty()) return;
  Blocks& section = page.section("Re-mapping on line");
  section.paragraph(
      "The arrays have drifted or lost cells since. The order from before, and what re-mapping "
      "once more from there gives; weights that it moves have to be written again.");
  section.table(table);
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
  table.header = {"Layer", "Outputs", "Top tenth carries, %", "Largest", "Median"};
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
                          s.empty() ? Cell() : Cell::number(s[s.size() / 2], 3)});
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
            fmt::format("Columns and rows against those as trained; {} test images, {} training "
                        "images for calibration.",
                        grouped(r.test_images), grouped(r.calibration_images)));
  if (run.finished) {
    add_verdict(page, r);
  } else {
    unfinished_verdict(page);
  }
  add_cards(page, r);
  if (!r.comparisons.empty()) add_comparison(page, r);
  add_later(page, r);
  add_layer_errors(page, r);
  add_sensitivity(page, r);
  add_end(page, run);
  return page;
}

}  // namespace xbar::report::pages
