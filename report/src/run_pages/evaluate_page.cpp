#include <algorithm>
#include <cmath>
#include <filesystem>
#include <vector>

#include <fmt/format.h>

#include <xbar/report/text.hpp>

#include "pages.hpp"
#include "parts.hpp"
#include "statistics.hpp"
#include "training.hpp"

namespace xbar::report::pages {
namespace {

constexpr double hundred = 100;

/// The weights on arrays of one technology.
struct Wired {
  Technology technology;
  Value certificate;
  double accuracy = 0;
  double loss = 0;
  double deploy_seconds = 0;
  double seconds = 0;
};

std::vector<Wired> read_wired(const Run& run) {
  std::vector<Wired> all;
  for (const Value& v : run.results.at("wired").items()) {
    all.push_back({technology(v.at("technology")), v.at("certificate"), v.number("accuracy"),
                   v.number("loss"), v.number("deploy_seconds"), v.number("seconds")});
  }
  return all;
}

void add_verdict(Page& page, double ideal, const Wired& worst, long long images) {
  const double loss = ideal - worst.accuracy;
  const std::string explanation = fmt::format(
      "{} on wired arrays at R_on {}, {} with ideal arithmetic. {}", percent(worst.accuracy),
      ohms(worst.technology.on_ohm), percent(ideal), noise_words(ideal, worst.accuracy, images));
  if (!(std::abs(loss) > difference_noise(ideal, worst.accuracy, images))) {
    page.verdict(Status::good, "On wired arrays the network does as well as with ideal arithmetic",
                 explanation);
  } else if (loss > 0) {
    page.verdict(Status::warn, fmt::format("The wires cost {} of accuracy", points(loss).substr(1)),
                 explanation);
  } else {
    page.verdict(Status::good, "On wired arrays the network does better than with ideal arithmetic",
                 explanation);
  }
}

void add_certificate(Page& page, const std::vector<Wired>& all,
                     const std::vector<std::string>& names) {
  Table table;
  table.header = {"Arrays", "Layer", "Surrogate", "Checks", "Mean error, %", "Worst error, %"};
  for (std::size_t k = 0; k < all.size(); ++k) {
    for (const Value& layer : all[k].certificate.at("layers").items()) {
      if (layer.count("checks") == 0) continue;
      const double worst = layer.number("worst_error");
      table.rows.push_back({names[k], layer.text("name"), model_label(layer.text("surrogate")),
                            layer.count("checks"),
                            Cell::number(hundred * layer.number("mean_error"), 3),
                            Cell::number(hundred * worst, 3, error_status(worst))});
    }
  }
  Blocks& section = page.section("Error certificate");
  if (table.rows.empty()) {
    section.paragraph("The arrays were solved exactly: there is no error to certify.");
    return;
  }
  section
      .paragraph(
          "Arrays drawn at random were also solved exactly while the network was put on them. "
          "Errors of their output currents, root mean square, as shares of these.")
      .table(table);
}

}  // namespace

Page evaluate_page(const Run& run) {
  const std::string model = std::filesystem::path(run.results.text("model")).filename().string();
  const long long images = run.results.count("test_images");
  Page page(fmt::format("Testing {} on {}", model, run.results.text("data")),
            fmt::format("Trained weights, {} test images.", grouped(images)));
  const Value ideal = run.results.at("ideal");
  const std::vector<Wired> all = read_wired(run);
  std::vector<Technology> technologies;
  for (const Wired& one : all) technologies.push_back(one.technology);
  const std::vector<std::string> names = labels(technologies);
  const auto worst = std::min_element(all.begin(), all.end(), [](const Wired& a, const Wired& b) {
    return a.accuracy < b.accuracy;
  });
  const double accuracy = ideal.number("accuracy");
  page.card({"Accuracy, ideal arithmetic", format_fixed(hundred * accuracy, 2), "%", "No wires."});
  if (worst != all.end()) {
    add_verdict(page, accuracy, *worst, images);
    page.card(
        {"Accuracy on wired arrays", format_fixed(hundred * worst->accuracy, 2), "%",
         fmt::format("{} to ideal. R_on {}{}.", points(worst->accuracy - accuracy),
                     ohms(worst->technology.on_ohm), all.size() > 1 ? ", the lowest of all" : "")});
    const double error = worst->certificate.number("worst_error");
    const bool checked = worst->certificate.count("checks") > 0;
    page.card({"Worst error of the surrogate", checked ? format_number(hundred * error) : "0", "%",
               checked ? fmt::format("{} arrays solved exactly.",
                                     grouped(worst->certificate.count("checks")))
                       : "The circuit was solved exactly.",
               checked ? error_status(error) : Status::good});
  }

  BarPlot plot;
  plot.title = "Test accuracy";
  std::vector<double> shares;
  for (const Wired& one : all) shares.push_back(one.accuracy);
  const BarSeries bars = accuracy_bars("On wired arrays", shares, images, Colour::blue);
  plot.groups = names;
  plot.axis = accuracy_axis({bars, accuracy_bars("", {accuracy}, images, Colour::automatic)});
  plot.series = {bars};
  plot.decimals = 2;
  plot.references = {{hundred * accuracy, "ideal " + format_fixed(hundred * accuracy, 2)}};
  Table table;
  table.header = {"Arrays", "Accuracy, %", "To ideal, points", "Loss", "Deploy, s", "Test, s"};
  table.rows.push_back({"Ideal arithmetic", Cell::fixed(hundred * accuracy, 2), Cell(),
                        Cell::number(ideal.number("loss"), 3), Cell(),
                        Cell::number(ideal.number("seconds"), 3)});
  for (std::size_t k = 0; k < all.size(); ++k) {
    table.rows.push_back({names[k], Cell::fixed(hundred * all[k].accuracy, 2),
                          Cell::fixed(hundred * (all[k].accuracy - accuracy), 2),
                          Cell::number(all[k].loss, 3), Cell::number(all[k].deploy_seconds, 3),
                          Cell::number(all[k].seconds, 3)});
  }
  Blocks& section = page.section("What the wires cost");
  if (!all.empty()) section.figure(plot.svg(), whisker_words(images));
  section.table(table);
  add_certificate(page, all, names);

  BarPlot time;
  time.title = "Time by phase";
  time.axis = {"Time", "s"};
  time.groups = {"ideal arithmetic, test"};
  BarSeries seconds{"", {ideal.number("seconds")}, {}, Colour::blue};
  for (std::size_t k = 0; k < all.size(); ++k) {
    time.groups.push_back(names[k] + ", deploy");
    seconds.values.push_back(all[k].deploy_seconds);
    time.groups.push_back(names[k] + ", test");
    seconds.values.push_back(all[k].seconds);
  }
  time.series = {std::move(seconds)};
  page.section("Time").figure(
      time.svg(), "Deploy: weights to conductances, and these to effective conductances.");
  for (std::size_t k = 0; k < all.size(); ++k) {
    page.section(k == 0 ? "Arrays" : "Arrays, " + names[k]).key_values(describe(technologies[k]));
  }
  add_end(page, run);
  return page;
}

}  // namespace xbar::report::pages
