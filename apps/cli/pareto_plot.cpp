#include "pareto_plot.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include <xbar/report/plot.hpp>

namespace xbar::cli {
namespace {

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

struct Figures {
  std::vector<double> errors;
  std::vector<double> seconds;
};

report::Series front_line(std::vector<MemberSummary> members) {
  std::sort(members.begin(), members.end(), [](const MemberSummary& a, const MemberSummary& b) {
    return a.median_seconds < b.median_seconds;
  });
  report::Series line{.markers = false, .colour = report::Colour::grey};
  for (const MemberSummary& member : members) {
    if (!member.on_front || !(member.median_error > 0)) continue;
    line.x.push_back(member.median_seconds);
    line.y.push_back(100 * member.median_error);
  }
  return line;
}

}  // namespace

std::vector<MemberSummary> summarize(const std::vector<surrogate::CalibrationRow>& rows) {
  std::map<surrogate::ModelKind, Figures> figures;
  for (const surrogate::CalibrationRow& row : rows) {
    const surrogate::Measurement& m = row.measurement;
    const bool rests = surrogate::model_info(m.model).needs_exact;
    const double seconds =
        m.effective_seconds + m.refresh_seconds / (rests ? updates_per_refresh : 1);
    if (row.measured || !(seconds >= 0)) continue;
    figures[m.model].errors.push_back(m.relative_error);
    figures[m.model].seconds.push_back(seconds);
  }
  std::vector<MemberSummary> members;
  for (const auto& [model, of] : figures) {
    members.push_back({model, median(of.errors),
                       *std::max_element(of.errors.begin(), of.errors.end()), median(of.seconds),
                       false});
  }
  for (MemberSummary& member : members) {
    member.on_front = std::none_of(members.begin(), members.end(), [&](const MemberSummary& other) {
      return other.median_error < member.median_error &&
             other.median_seconds <= member.median_seconds;
    });
  }
  return members;
}

std::string pareto_svg(const std::vector<MemberSummary>& members, const std::string& title) {
  report::LinePlot plot;
  plot.title = title;
  plot.x = {.label = "Time an array, one core", .unit = "s", .scale = report::Scale::log};
  plot.y = {.label = "Error of the output currents", .unit = "%", .scale = report::Scale::log};
  plot.width = 720;
  plot.height = 460;
  plot.legend = report::Legend::direct;
  plot.series.push_back(front_line(members));
  for (const MemberSummary& member : members) {
    const surrogate::ModelInfo& info = surrogate::model_info(member.model);
    const std::string name(info.name);
    if (!(member.median_error > 0)) {  // no place on a logarithmic axis
      plot.x_references.push_back({member.median_seconds, name});
      continue;
    }
    plot.series.push_back({.name = name,
                           .x = {member.median_seconds},
                           .y = {100 * member.median_error},
                           .colour = info.of_other_groups ? report::Colour::orange
                                     : info.needs_exact   ? report::Colour::green
                                                          : report::Colour::blue});
  }
  return plot.svg();
}

}  // namespace xbar::cli
