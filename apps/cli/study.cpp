#include "study.hpp"

#include <fmt/format.h>

#include <xbar/core/version.hpp>

namespace xbar::cli {
namespace {

bool same_point(const validation::StudyPoint& a, const validation::StudyPoint& b) {
  return a.size == b.size && a.on_ohm == b.on_ohm && a.on_off_ratio == b.on_off_ratio &&
         a.wires == b.wires;
}

}  // namespace

void print_study(const std::vector<validation::StudyRow>& rows) {
  if (rows.empty()) return;
  fmt::print("error of the output currents against the exact solver, mean (worst)\n");
  fmt::print("  {:>9} {:>9} {:>7}", "array", "R_on", "line");
  for (std::size_t r = 0; r < rows.size() && same_point(rows[r].point, rows[0].point); ++r) {
    fmt::print("  {:>20}", surrogate::model_name(rows[r].model));
  }
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const validation::StudyPoint& point = rows[r].point;
    if (r == 0 || !same_point(point, rows[r - 1].point)) {
      fmt::print("\n  {:>9} {:>7.0f} Ω {:>5g} Ω", fmt::format("{0} x {0}", point.size),
                 point.on_ohm, point.wires.wordline_ohm);
    }
    fmt::print("  {:>20}", fmt::format("{:.3g} % ({:.3g} %)", 100 * rows[r].error.mean,
                                       100 * rows[r].error.worst));
  }
  fmt::print("\n");
}

std::string study_csv(const std::vector<validation::StudyRow>& rows) {
  std::string text = fmt::format(
      "# xbar {} validate: surrogates against solver::effective_conductance\n"
      "# error: largest deviation of an output current / largest exact current, share\n"
      "# seconds: one effective conductance; exact_seconds: the exact solver's\n"
      "size,on_ohm,on_off_ratio,source_ohm,sink_ohm,wordline_ohm,bitline_ohm,model,mean_error,"
      "worst_error,seconds,exact_seconds\n",
      version);
  for (const validation::StudyRow& row : rows) {
    const validation::StudyPoint& p = row.point;
    text += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{}\n", p.size, p.on_ohm, p.on_off_ratio,
                        p.wires.source_ohm, p.wires.sink_ohm, p.wires.wordline_ohm,
                        p.wires.bitline_ohm, surrogate::model_name(row.model), row.error.mean,
                        row.error.worst, row.seconds, row.exact_seconds);
  }
  return text;
}

Json to_json(const std::vector<validation::StudyRow>& rows) {
  Json json = Json::array();
  for (const validation::StudyRow& row : rows) {
    const validation::StudyPoint& p = row.point;
    json.push_back({{"size", p.size},
                    {"on_ohm", p.on_ohm},
                    {"on_off_ratio", p.on_off_ratio},
                    {"source_ohm", p.wires.source_ohm},
                    {"sink_ohm", p.wires.sink_ohm},
                    {"wordline_ohm", p.wires.wordline_ohm},
                    {"bitline_ohm", p.wires.bitline_ohm},
                    {"model", surrogate::model_name(row.model)},
                    {"mean_error", row.error.mean},
                    {"worst_error", row.error.worst},
                    {"seconds", row.seconds},
                    {"exact_seconds", row.exact_seconds}});
  }
  return json;
}

}  // namespace xbar::cli
