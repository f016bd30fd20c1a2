#include "study.hpp"

#include <fmt/format.h>

namespace xbar::cli {
namespace {

using surrogate::CalibrationPoint;
using validation::StudyRow;

bool same_point(const validation::StudyPoint& a, const validation::StudyPoint& b) {
  return a.technology == b.technology && a.trained == b.trained;
}

constexpr std::string_view technology_columns =
    "size,on_ohm,on_off_ratio,source_ohm,sink_ohm,wordline_ohm,bitline_ohm";

std::string technology_cells(const CalibrationPoint& p) {
  return fmt::format("{},{},{},{},{},{},{}", p.rows, p.on_ohm, p.on_off_ratio, p.wires.source_ohm,
                     p.wires.sink_ohm, p.wires.wordline_ohm, p.wires.bitline_ohm);
}

Json technology_json(const CalibrationPoint& p) {
  return {{"size", p.rows},
          {"on_ohm", p.on_ohm},
          {"on_off_ratio", p.on_off_ratio},
          {"source_ohm", p.wires.source_ohm},
          {"sink_ohm", p.wires.sink_ohm},
          {"wordline_ohm", p.wires.wordline_ohm},
          {"bitline_ohm", p.wires.bitline_ohm}};
}

std::string header(std::string_view title, std::string_view provenance) {
  std::string text = fmt::format("# {}\n", title);
  while (!provenance.empty()) {
    const std::size_t end = provenance.find('\n');
    text += fmt::format("# {}\n", provenance.substr(0, end));
    provenance.remove_prefix(end == std::string_view::npos ? provenance.size() : end + 1);
  }
  return text;
}

Json to_json(const validation::Losses& losses) {
  return {{"mean", losses.mean},
          {"first", losses.first},
          {"last", losses.last},
          {"lowest_ratio", losses.lowest_ratio},
          {"highest_ratio", losses.highest_ratio}};
}

constexpr std::string_view error_definition =
    "error of the output currents against the exact solver, random sparse inputs. relative: root "
    "mean square of the deviations over that of the exact currents; mean, p99, worst: over the "
    "inputs of the largest deviation of a bitline as a share of the largest exact current";

}  // namespace

validation::StudyPoint study_point(const CalibrationPoint& technology) { return {technology}; }

void print_study(std::span<const StudyRow> rows) {
  if (rows.empty()) return;
  fmt::print("error of the output currents against the exact solver, mean (worst)\n");
  fmt::print("  {:>9} {:>9} {:>7}", "array", "R_on", "line");
  for (std::size_t r = 0; r < rows.size() && same_point(rows[r].point, rows[0].point); ++r) {
    fmt::print("  {:>20}", surrogate::model_name(rows[r].measurement.model));
  }
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const CalibrationPoint& point = rows[r].point.technology;
    if (r == 0 || !same_point(rows[r].point, rows[r - 1].point)) {
      fmt::print("\n  {:>9} {:>7.0f} Ω {:>5g} Ω", fmt::format("{0} x {0}", point.rows),
                 point.on_ohm, point.wires.wordline_ohm);
    }
    const surrogate::Measurement& m = rows[r].measurement;
    fmt::print("  {:>20}",
               fmt::format("{} ({})", error_text(m.mean_error), error_text(m.worst_error)));
  }
  fmt::print("\n");
}

std::string place(const validation::StudyPoint& point) {
  const CalibrationPoint& t = point.technology;
  return fmt::format("{0} x {0}, R_on {1:g} kΩ, lines {2:g} Ω, source {3:g} Ω, sink {4:g} Ω, {5}",
                     t.rows, t.on_ohm / 1e3, t.wires.wordline_ohm, t.wires.source_ohm,
                     t.wires.sink_ohm, validation::weights_name(point));
}

std::string error_text(double share) { return fmt::format("{:.3g} %", 100 * share); }

std::string study_csv(std::span<const StudyRow> rows, std::string_view provenance) {
  std::string text = header("surrogates against solver::effective_conductance", provenance);
  text += fmt::format(
      "# {}; shares. Ratio members: after one update of the cells\n"
      "# seconds: one effective conductance, single precision, one core; exact_seconds: the exact "
      "solver's\n"
      "{},weights,model,relative_error,mean_error,p99_error,worst_error,seconds,exact_seconds\n",
      error_definition, technology_columns);
  for (const StudyRow& row : rows) {
    const surrogate::Measurement& m = row.measurement;
    text += fmt::format("{},{},{},{:.6g},{:.6g},{:.6g},{:.6g},{:.4g},{:.4g}\n",
                        technology_cells(row.point.technology), validation::weights_name(row.point),
                        surrogate::model_name(m.model), m.relative_error, m.mean_error, m.p99_error,
                        m.worst_error, row.seconds(), row.exact_seconds);
  }
  return text;
}

std::string update_csv(std::span<const validation::UpdateRow> rows, double update_share,
                       std::string_view provenance) {
  std::string text = header("surrogates measured before an update of the cells", provenance);
  text += fmt::format(
      "# update: every cell moved by {:g} % of the range after the member's refresh: up or down at "
      "random, all up, all down; none: not at all\n# {}; shares\n"
      "{},weights,update,model,relative_error,mean_error,worst_error\n",
      100 * update_share, error_definition, technology_columns);
  for (const validation::UpdateRow& row : rows) {
    text += fmt::format("{},{},{},{},{:.6g},{:.6g},{:.6g}\n", technology_cells(row.point),
                        surrogate::distribution_name(row.point.distribution),
                        validation::update_name(row.update), surrogate::model_name(row.model),
                        row.error.relative, row.error.mean, row.error.worst);
  }
  return text;
}

std::string verdict_csv(std::span<const validation::Verdict> verdicts,
                        std::string_view provenance) {
  std::string text = header("cheapest member that keeps a tolerance", provenance);
  text += fmt::format(
      "# tolerance, error: relative error with every kind of weights of the study; share. model "
      "none: no member keeps it, error is the best one's\n"
      "# seconds: one effective conductance, single precision, one core; median over the study\n"
      "{},tolerance,model,error,seconds\n",
      technology_columns);
  for (const validation::Verdict& v : verdicts) {
    text += fmt::format("{},{:g},{},{:.6g},{:.4g}\n", technology_cells(v.technology), v.tolerance,
                        v.model ? surrogate::model_name(*v.model) : "none", v.error, v.seconds);
  }
  return text;
}

Json to_json(std::span<const StudyRow> rows) {
  Json list = Json::array();
  for (const StudyRow& row : rows) {
    const surrogate::Measurement& m = row.measurement;
    Json json = technology_json(row.point.technology);
    json["weights"] = validation::weights_name(row.point);
    json["model"] = surrogate::model_name(m.model);
    json["relative_error"] = m.relative_error;
    json["mean_error"] = m.mean_error;
    json["p99_error"] = m.p99_error;
    json["worst_error"] = m.worst_error;
    json["seconds"] = row.seconds();
    json["exact_seconds"] = row.exact_seconds;
    list.push_back(std::move(json));
  }
  return list;
}

Json to_json(std::span<const validation::UpdateRow> rows) {
  Json list = Json::array();
  for (const validation::UpdateRow& row : rows) {
    Json json = technology_json(row.point);
    json["weights"] = surrogate::distribution_name(row.point.distribution);
    json["update"] = validation::update_name(row.update);
    json["model"] = surrogate::model_name(row.model);
    json["relative_error"] = row.error.relative;
    json["mean_error"] = row.error.mean;
    json["worst_error"] = row.error.worst;
    list.push_back(std::move(json));
  }
  return list;
}

Json to_json(std::span<const validation::Verdict> verdicts) {
  Json list = Json::array();
  for (const validation::Verdict& v : verdicts) {
    Json json = technology_json(v.technology);
    json["tolerance"] = v.tolerance;
    json["model"] = v.model ? Json(surrogate::model_name(*v.model)) : Json(nullptr);
    json["error"] = v.error;
    json["seconds"] = v.seconds;
    list.push_back(std::move(json));
  }
  return list;
}

Json to_json(std::span<const validation::LossRow> rows) {
  Json list = Json::array();
  for (const validation::LossRow& row : rows) {
    Json json = technology_json(row.point);
    json["known"] = to_json(row.known);
    json["found"] = to_json(row.found);
    list.push_back(std::move(json));
  }
  return list;
}

Json to_json(std::span<const validation::ClosedFormRow> rows) {
  Json list = Json::array();
  for (const validation::ClosedFormRow& row : rows) {
    Json json = technology_json(row.point);
    json["model"] = surrogate::model_name(row.model);
    json["known_mean"] = row.known_mean;
    json["known_worst"] = row.known_worst ? Json(*row.known_worst) : Json(nullptr);
    json["mean"] = row.found.mean;
    json["worst"] = row.found.worst;
    list.push_back(std::move(json));
  }
  return list;
}

}  // namespace xbar::cli
