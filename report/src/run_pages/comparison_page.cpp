#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include <xbar/report/text.hpp>

#include "named_table.hpp"
#include "pages.hpp"
#include "parts.hpp"
#include "statistics.hpp"
#include "training.hpp"

namespace xbar::report::pages {
namespace {

constexpr double hundred = 100;
constexpr std::size_t most_bars = 12;

/// A number of the results in both runs; NaN where one does not have it.
struct Pair {
  std::string path;
  double first = std::nan("");
  double second = std::nan("");
};

std::string last_part(const std::string& path) { return path.substr(path.rfind('.') + 1); }

bool is_accuracy(const Pair& pair) { return last_part(pair.path).ends_with("accuracy"); }

bool is_error(const Pair& pair) {
  const std::string key = last_part(pair.path);
  return key.ends_with("error") && pair.path.find("layers.") == std::string::npos;
}

bool is_headline(const Pair& pair) {
  const std::string key = last_part(pair.path);
  if (pair.path.find("layers.") != std::string::npos) return false;  // too many
  return is_accuracy(pair) || is_error(pair) || key.ends_with("loss") || key.ends_with("seconds") ||
         key == "images_per_second" || key.ends_with("joule");
}

// "runs.in-situ-20000ohm.test_accuracy" as "in-situ-20000ohm, test accuracy".
std::string words(const std::string& path) {
  std::string text = path.rfind("runs.", 0) == 0 ? path.substr(5) : path;
  std::string result;
  for (const char c : text) {
    if (c == '.') {
      result += ", ";
    } else {
      result += c == '_' ? ' ' : c;
    }
  }
  return result;
}

std::vector<Pair> pairs(const Run& first, const Run& second) {
  std::vector<Pair> result;
  std::map<std::string, std::size_t> place;
  for (const auto& [path, value] : first.results.numbers_below()) {
    if (place.emplace(path, result.size()).second) result.push_back({path, value, std::nan("")});
  }
  for (const auto& [path, value] : second.results.numbers_below()) {
    const auto [at, fresh] = place.emplace(path, result.size());
    if (fresh) {
      result.push_back({path, std::nan(""), value});
    } else {
      result[at->second].second = value;
    }
  }
  return result;
}

/// How runs are called: by their folders, with the folder above where those are alike.
std::pair<std::string, std::string> names_of(const Run& first, const Run& second) {
  const auto name = [](const std::filesystem::path& folder, bool longer) {
    const auto whole = std::filesystem::weakly_canonical(folder);
    return longer ? (whole.parent_path().filename() / whole.filename()).string()
                  : whole.filename().string();
  };
  const bool longer = name(first.folder, false) == name(second.folder, false);
  return {name(first.folder, longer), name(second.folder, longer)};
}

long long test_images(const Run& run) {
  const auto count = run.results.find("test_images");
  return count ? count->count() : 0;
}

/// The accuracy that both have and that is lowest in either: the hardest case.
const Pair* hardest(const std::vector<Pair>& all) {
  const Pair* result = nullptr;
  const auto lowest = [](const Pair& pair) { return std::min(pair.first, pair.second); };
  for (const Pair& pair : all) {
    if (!is_accuracy(pair) || std::isnan(pair.first) || std::isnan(pair.second)) continue;
    if (last_part(pair.path) == "train_accuracy") continue;
    if (result == nullptr || lowest(pair) < lowest(*result)) result = &pair;
  }
  return result;
}

void add_verdict(Page& page, const Run& a, const Run& b, const std::vector<Pair>& all,
                 const std::pair<std::string, std::string>& names) {
  if (!a.finished || !b.finished) {
    page.verdict(Status::warn,
                 fmt::format("{} is not finished", a.finished ? names.second : names.first),
                 "What is there so far is compared.");
    return;
  }
  const Pair* pair = hardest(all);
  if (a.command != b.command) {
    page.verdict(Status::neutral,
                 fmt::format("Runs of two commands: {} and {}", a.command, b.command),
                 "Only numbers of the same name stand side by side.");
  } else if (pair == nullptr) {
    page.verdict(Status::neutral, fmt::format("Two runs of xbar {}", a.command),
                 "They state no accuracy that both have; their numbers stand side by side below.");
  } else {
    const double gain = pair->second - pair->first;
    const long long images = std::min(test_images(a), test_images(b));
    const bool chance =
        images > 0 && !(std::abs(gain) > difference_noise(pair->first, pair->second, images));
    const std::string explanation =
        fmt::format("{}: {} in {}, {} in {}. {}", words(pair->path), percent(pair->first),
                    names.first, percent(pair->second), names.second,
                    images > 0 ? noise_words(pair->first, pair->second, images) : "");
    if (gain == 0 || chance) {
      page.verdict(Status::neutral, "Both do equally well, as far as the test images tell",
                   explanation);
    } else {
      page.verdict(gain > 0 ? Status::good : Status::warn,
                   fmt::format("{} is {} by {}", names.second, gain > 0 ? "better" : "worse",
                               points(std::abs(gain)).substr(1)),
                   explanation);
    }
  }
}

Cell value_cell(const Pair& pair, double value) {
  if (std::isnan(value)) return {};
  if (is_accuracy(pair)) return Cell::fixed(hundred * value, 2);
  if (is_error(pair)) return Cell::number(hundred * value, 3);
  return Cell::number(value, 4);
}

Cell difference_cell(const Pair& pair) {
  const double difference = pair.second - pair.first;
  if (std::isnan(difference)) return {};
  if (is_accuracy(pair)) {
    Cell cell = Cell::fixed(hundred * difference, 2);
    if (difference > 0) cell.text.insert(0, "+");
    return cell;
  }
  Cell cell = Cell::number(is_error(pair) ? hundred * difference : difference, 3);
  if (difference > 0) cell.text.insert(0, "+");
  return cell;
}

Cell ratio_cell(const Pair& pair) {
  const double ratio = pair.second / pair.first;
  return std::isfinite(ratio) && ratio > 0 ? Cell::number(ratio, 3) : Cell();
}

Table results_table(const std::vector<Pair>& all, const std::pair<std::string, std::string>& names,
                    bool headline) {
  Table table;
  table.header = {"Result", names.first, names.second, "Difference", "Ratio"};
  for (const Pair& pair : all) {
    if (is_headline(pair) != headline) continue;
    const std::string unit = is_accuracy(pair) || is_error(pair) ? ", %" : "";
    table.rows.push_back({words(pair.path) + unit, value_cell(pair, pair.first),
                          value_cell(pair, pair.second), difference_cell(pair), ratio_cell(pair)});
  }
  return table;
}

void add_settings(Page& page, const Run& a, const Run& b,
                  const std::pair<std::string, std::string>& names) {
  std::map<std::string, std::pair<std::string, std::string>> settings;
  for (const auto& [key, value] : a.settings) settings[key].first = value;
  for (const auto& [key, value] : b.settings) settings[key].second = value;
  settings["xbar version"] = {a.version, b.version};
  settings["command"] = {a.command, b.command};
  Table differ;
  Table same;
  differ.header = {"Setting", names.first, names.second};
  same.header = {"Setting", "Value"};
  for (const auto& [key, value] : settings) {
    if (key == "out") continue;  // the folder itself
    if (value.first == value.second) {
      same.rows.push_back({key, value.first});
    } else {
      differ.rows.push_back({key, value.first, value.second});
    }
  }
  Blocks& section = page.section("Settings that differ");
  if (differ.rows.empty()) {
    section.paragraph("None: the two runs were asked for the same.");
  } else {
    section.table(differ);
  }
  section.details("Settings that are the same").table(same);
}

std::string bars(const std::vector<Pair>& all, const std::pair<std::string, std::string>& names,
                 bool accuracy) {
  BarPlot plot;
  plot.title = accuracy ? "Accuracies" : "Errors";
  BarSeries first{names.first, {}, {}, Colour::blue};
  BarSeries second{names.second, {}, {}, Colour::orange};
  for (const Pair& pair : all) {
    if (!(accuracy ? is_accuracy(pair) : is_error(pair)) || plot.groups.size() == most_bars) {
      continue;
    }
    plot.groups.push_back(words(pair.path));
    first.values.push_back(hundred * pair.first);
    second.values.push_back(hundred * pair.second);
  }
  if (plot.groups.empty()) return "";
  if (accuracy) {
    std::vector<double> values = first.values;
    values.insert(values.end(), second.values.begin(), second.values.end());
    std::erase_if(values, [](double v) { return std::isnan(v); });
    plot.axis = accuracy_axis(values, std::vector<double>(values.size(), 0));
    plot.decimals = 2;
  } else {
    plot.axis = {"Error", "%"};
  }
  plot.series = {std::move(first), std::move(second)};
  return plot.svg();
}

void add_training_curves(Page& page, const Run& a, const Run& b,
                         const std::pair<std::string, std::string>& names) {
  LinePlot accuracy;
  accuracy.title = "Accuracy by epoch";
  accuracy.y = {"Test accuracy", "%"};
  LinePlot loss;
  loss.title = "Training loss by epoch";
  loss.y = {"Training loss"};
  double last = 1;
  constexpr Colour colours[] = {Colour::blue,   Colour::orange, Colour::green,
                                Colour::purple, Colour::ochre,  Colour::sky};
  std::map<std::string, Colour> of_leg;
  for (const bool second : {false, true}) {
    const Run& run = second ? b : a;
    const auto list = run.results.find("runs");
    if (!list) continue;
    for (const TrainingRun& leg : training_runs(*list, run)) {
      const auto colour = of_leg.emplace(leg.name, colours[of_leg.size() % std::size(colours)]);
      Series series;
      series.name = fmt::format("{}: {}", second ? names.second : names.first, leg.label);
      series.colour = colour.first->second;
      series.dashed = second;
      series.x = leg.epoch;
      series.y = leg.epoch_test_accuracy;
      accuracy.series.push_back(series);
      series.y = leg.epoch_train_loss;
      loss.series.push_back(std::move(series));
      if (!leg.epoch.empty()) last = std::max(last, leg.epoch.back());
    }
  }
  if (accuracy.series.empty()) return;
  accuracy.x = loss.x = count_axis("Epoch", last);
  accuracy.legend = loss.legend = Legend::top;
  page.section("Curves")
      .figure(accuracy.svg(),
              fmt::format("Dashed: {}. Legs of the same name share a colour.", names.second))
      .figure(loss.svg(), "Mean cross-entropy over the training images; lower is better.");
}

void add_device_curves(Page& page, const Run& a, const Run& b,
                       const std::pair<std::string, std::string>& names) {
  constexpr std::size_t most_points = 4000;
  LinePlot loop;
  loop.title = "Current against voltage";
  loop.x = {"Voltage", "V"};
  loop.y = {"Current", "A"};
  for (const bool second : {false, true}) {
    const Run& run = second ? b : a;
    const auto trace = run.results.find("trace");
    if (!trace) continue;
    const NamedTable table = read_named_table(run.file(*trace));
    const std::vector<double> volt = table.column("voltage_volt");
    const std::vector<double> ampere = table.column("current_ampere");
    Series series;
    series.name = second ? names.second : names.first;
    series.colour = second ? Colour::orange : Colour::blue;
    series.dashed = second;
    series.markers = false;
    const std::size_t every = std::max<std::size_t>(1, volt.size() / most_points);
    for (std::size_t k = 0; k < volt.size(); k += every) {
      series.x.push_back(volt[k]);
      series.y.push_back(ampere[k]);
    }
    loop.series.push_back(std::move(series));
  }
  if (loop.series.empty()) return;
  loop.legend = Legend::top;
  page.section("Curves").figure(loop.svg(), "The loops that switching leaves.");
}

}  // namespace

Page comparison_page(const Run& a, const Run& b) {
  const auto names = names_of(a, b);
  Page page(fmt::format("{} against {}", names.second, names.first),
            fmt::format("Two runs of xbar {}side by side. Differences are those of {} to {}.",
                        a.command == b.command ? a.command + " " : "", names.second, names.first));
  const std::vector<Pair> all = pairs(a, b);
  add_verdict(page, a, b, all, names);
  if (const Pair* pair = hardest(all)) {
    page.card({names.first, format_fixed(hundred * pair->first, 2), "%", words(pair->path)});
    page.card({names.second, format_fixed(hundred * pair->second, 2), "%", words(pair->path)});
    Cell difference = difference_cell(*pair);
    page.card({"Difference", difference.text, "points",
               fmt::format("{} less {}.", names.second, names.first)});
  }
  add_settings(page, a, b, names);
  const Table headlines = results_table(all, names, true);
  Blocks& results = page.section("Results side by side");
  for (const bool accuracy : {true, false}) {
    const std::string plot = bars(all, names, accuracy);
    if (!plot.empty()) results.figure(plot);
  }
  if (!headlines.rows.empty()) results.table(headlines);
  const Table others = results_table(all, names, false);
  if (!others.rows.empty()) results.details("All other numbers").table(others);
  if (a.command == "train" && b.command == "train") add_training_curves(page, a, b, names);
  if (a.command == "device" && b.command == "device") add_device_curves(page, a, b, names);
  page.footer(fmt::format("xbar {} and {} · made from runs of “xbar {}” and “xbar {}”", a.version,
                          b.version, a.command, b.command));
  return page;
}

}  // namespace xbar::report::pages
