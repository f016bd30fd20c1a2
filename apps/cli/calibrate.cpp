#include <algorithm>
#include <ctime>
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/core/isa.hpp>
#include <xbar/core/stopwatch.hpp>
#include <xbar/core/version.hpp>

#include "commands.hpp"
#include "console.hpp"
#include "flags.hpp"
#include "pareto_plot.hpp"
#include "verbosity.hpp"

namespace xbar::cli {
namespace {

namespace fs = std::filesystem;
using surrogate::CalibrationPoint;
using surrogate::CalibrationRow;
using surrogate::CalibrationTable;
using surrogate::ModelKind;

/// The lists of the flags; every combination is a point.
struct Grid {
  std::vector<std::string> size = {"16", "32", "64", "128"};
  std::vector<double> on_ohm = {20e3, 100e3};
  std::vector<double> on_off_ratio = {10};
  std::vector<double> line_ohm = {0.1, 1, 5};
  std::vector<double> wordline_ohm;  // given: instead of line_ohm
  std::vector<double> bitline_ohm;
  std::vector<double> source_ohm = {100, 500};
  std::vector<double> sink_ohm = {100};
  std::vector<std::string> distribution = {"uniform", "clustered", "sparse"};
  std::vector<double> density = {0.1, 0.5, 1};
  std::vector<double> sinh_alpha = {0};
  double input_volt = 0.2;

  /// @throws InvalidArgument naming the flag
  [[nodiscard]] std::vector<CalibrationPoint> points() const;
};

/// "64": square, "64x128": 64 wordlines, 128 bitlines.
void set_size(const std::string& text, CalibrationPoint& point) {
  const std::size_t x = text.find('x');
  const auto rows = as_number<Index>(std::string_view(text).substr(0, x));
  const auto columns =
      x == std::string::npos ? rows : as_number<Index>(std::string_view(text).substr(x + 1));
  if (!rows || !columns) {
    throw InvalidArgument(fmt::format(
        "--size: expected a side or ROWSxCOLUMNS, such as 64 or 64x128, got '{}'", text));
  }
  point.rows = *rows;
  point.columns = *columns;
}

/// Every point once for each value of a list.
template <typename Values, typename Set>
void multiply(std::vector<CalibrationPoint>& points, const char* flag, const Values& values,
              const Set& set) {
  if (values.empty()) throw InvalidArgument(fmt::format("{}: expected a value, got none", flag));
  std::vector<CalibrationPoint> result;
  for (const CalibrationPoint& point : points) {
    for (const auto& value : values) {
      result.push_back(point);
      set(result.back(), value);
    }
  }
  points = std::move(result);
}

std::vector<CalibrationPoint> Grid::points() const {
  using Point = CalibrationPoint;
  std::vector<Point> all(1);
  all.front().input_volt = input_volt;
  multiply(all, "--size", size, [](Point& p, const std::string& v) { set_size(v, p); });
  multiply(all, "--on-ohm", on_ohm, [](Point& p, double v) { p.on_ohm = v; });
  multiply(all, "--on-off-ratio", on_off_ratio, [](Point& p, double v) { p.on_off_ratio = v; });
  if (wordline_ohm.empty() != bitline_ohm.empty()) {
    throw InvalidArgument(
        "--wordline-ohm, --bitline-ohm: expected both or neither (--line-ohm sets them equal)");
  }
  if (wordline_ohm.empty()) {
    multiply(all, "--line-ohm", line_ohm,
             [](Point& p, double v) { p.wires.wordline_ohm = p.wires.bitline_ohm = v; });
  } else {
    multiply(all, "--wordline-ohm", wordline_ohm,
             [](Point& p, double v) { p.wires.wordline_ohm = v; });
    multiply(all, "--bitline-ohm", bitline_ohm,
             [](Point& p, double v) { p.wires.bitline_ohm = v; });
  }
  multiply(all, "--source-ohm", source_ohm, [](Point& p, double v) { p.wires.source_ohm = v; });
  multiply(all, "--sink-ohm", sink_ohm, [](Point& p, double v) { p.wires.sink_ohm = v; });
  multiply(all, "--distribution", distribution, [](Point& p, const std::string& v) {
    p.distribution = surrogate::parse_distribution(v);
  });
  multiply(all, "--density", density, [](Point& p, double v) { p.density = v; });
  multiply(all, "--sinh-alpha", sinh_alpha, [](Point& p, double v) { p.sinh_alpha = v; });
  for (const Point& point : all) surrogate::check_calibration_point(point);
  return all;
}

/// The table on disk, point after point.
class TableFile {
 public:
  /// @param settings  of the run, one line; a run that goes on must have the same
  TableFile(fs::path path, const std::string& settings, bool resume) : path_(std::move(path)) {
    const std::string made_by = fmt::format("xbar {} calibrate, ", version);
    if (!fs::exists(path_)) {
      table_.comments = {fmt::format("{}{:%Y-%m-%dT%H:%M:%S}Z, {}", made_by,
                                     fmt::gmtime(std::time(nullptr)), isa_name(isa())),
                         settings};
      for (std::string& line : surrogate::calibration_legend()) {
        table_.comments.push_back(std::move(line));
      }
    } else if (!resume) {
      throw InvalidArgument(
          fmt::format("out: {} is there already; give another file, or --resume to go on with it",
                      path_.string()));
    } else {
      table_ = surrogate::read_calibration_table(path_);
      const auto& comments = table_.comments;
      if (comments.size() < 2 || !comments[0].starts_with(made_by)) {
        throw InvalidArgument(fmt::format(
            "resume: expected a table made by xbar {} calibrate, {} {}", version, path_.string(),
            comments.empty() ? "has no comment that says so" : "says '" + comments[0] + "'"));
      }
      if (comments[1] != settings) {
        throw InvalidArgument(
            fmt::format("resume: {} was made by '{}', expected the same, got '{}'", path_.string(),
                        comments[1], settings));
      }
    }
    text_ = surrogate::format_calibration_table(table_);
  }

  [[nodiscard]] const CalibrationTable& table() const { return table_; }

  /// How many of the points are finished. @throws InvalidArgument if the rows are other ones
  [[nodiscard]] std::size_t finished(const std::vector<CalibrationPoint>& points,
                                     const std::vector<ModelKind>& models) const {
    const std::size_t expected = points.size() * models.size();
    for (std::size_t r = 0; r < std::min(expected, table_.rows.size()); ++r) {
      const CalibrationRow& row = table_.rows[r];
      if (row.measured || row.measurement.model != models[r % models.size()] ||
          !(row.point == points[r / models.size()])) {
        throw InvalidArgument(
            fmt::format("resume: row {} of {} is not of these settings", r + 1, path_.string()));
      }
    }
    return std::min(points.size(), table_.rows.size() / models.size());
  }

  /// Adds a finished point. What lies on disk is always whole points.
  void add(const CalibrationPoint& point, const std::vector<surrogate::Measurement>& figures) {
    for (const surrogate::Measurement& measurement : figures) {
      table_.rows.push_back({point, false, measurement});
      text_ += surrogate::format_calibration_row(table_.rows.back());
    }
    write_file_atomically(path_, text_);
  }

 private:
  fs::path path_;
  CalibrationTable table_;
  std::string text_;
};

class CalibrateCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "calibrate"; }
  [[nodiscard]] std::string description() const override {
    return "calibration table: error, gain and cost of the surrogates over technologies";
  }
  void declare(CLI::App& app) override {
    const auto list = [&app](const char* flag, auto& values, const char* what) {
      return app.add_option(flag, values, what)->delimiter(',');
    };
    list("--size", grid_.size, "sides of the arrays, or ROWSxCOLUMNS")->type_name("SIZE ...");
    list("--on-ohm", grid_.on_ohm, "resistances of a fully switched-on cell, ohm");
    list("--on-off-ratio", grid_.on_off_ratio, "R_off / R_on");
    list("--line-ohm", grid_.line_ohm, "wordline and bitline resistances from cell to cell, ohm");
    list("--wordline-ohm", grid_.wordline_ohm, "wordline resistances, with --bitline-ohm");
    list("--bitline-ohm", grid_.bitline_ohm, "bitline resistances, with --wordline-ohm");
    list("--source-ohm", grid_.source_ohm, "driver resistances, ohm");
    list("--sink-ohm", grid_.sink_ohm, "sense resistances, ohm");
    list("--distribution", grid_.distribution, "of the weights: uniform, clustered, sparse")
        ->type_name("uniform|clustered|sparse");
    list("--density", grid_.density, "shares of inputs that are not 0");
    list("--sinh-alpha", grid_.sinh_alpha, "cells I = G sinh(a v)/a, 1/V; 0: ohmic");
    app.add_option("--input-volt", grid_.input_volt,
                   "largest input, volt; matters where --sinh-alpha is not 0");
    list("--models", models_, "surrogates; all unless given");
    app.add_option("--arrays", options_.arrays, "random arrays a point");
    app.add_option("--inputs", options_.inputs, "random sparse input vectors an array");
    app.add_option("--update-share", options_.update_share,
                   "ratio surrogates: share of the range that every cell has moved since the last "
                   "exact refresh");
    add_seed_flag(app, options_.seed);
    require(app.add_option("--out", out_path_, "table, .csv")->type_name("FILE"));
    app.add_flag("--resume", resume_, "go on with the table that --out names");
    app.add_option("--plot-out", plot_path_, "error against cost, median over the table, .svg")
        ->type_name("FILE");
    app.add_flag("--json", json_, "print one JSON object and nothing else");
  }

  int run() override {
    const std::vector<CalibrationPoint> points = grid_.points();
    const std::vector<ModelKind> models = parse_models();
    surrogate::check_measure_options(options_);
    TableFile file(out_path_, settings_line(), resume_);
    const std::size_t finished = file.finished(points, models);
    const Stopwatch watch;
    measure_points(points, models, finished, file);
    const std::vector<MemberSummary> members = summarize(file.table().rows);
    if (!plot_path_.empty()) {
      write_file_atomically(plot_path_, pareto_svg(members, plot_title(points)));
    }
    if (json_) {
      print_json(points.size(), members, watch.seconds());
    } else {
      print(points.size(), points.size() - finished, members, watch.seconds());
    }
    return 0;
  }

 private:
  [[nodiscard]] std::vector<ModelKind> parse_models() const {
    std::vector<ModelKind> kinds;
    for (const std::string& text : models_) {
      const ModelKind kind = surrogate::parse_model(text);
      if (std::find(kinds.begin(), kinds.end(), kind) != kinds.end()) {
        throw InvalidArgument(fmt::format("--models: {} is given twice", text));
      }
      kinds.push_back(kind);
    }
    if (models_.empty()) {
      for (const surrogate::ModelInfo& info : surrogate::model_infos()) kinds.push_back(info.kind);
    }
    return kinds;
  }

  /// The command line that makes this table, whatever the flags and the configuration were.
  [[nodiscard]] std::string settings_line() const {
    std::string line = "command: xbar calibrate";
    const auto add = [&line](const char* flag, const auto& values) {
      if (!values.empty()) line += fmt::format(" {} {}", flag, fmt::join(values, ","));
    };
    add("--size", grid_.size);
    add("--on-ohm", grid_.on_ohm);
    add("--on-off-ratio", grid_.on_off_ratio);
    if (grid_.wordline_ohm.empty()) add("--line-ohm", grid_.line_ohm);
    add("--wordline-ohm", grid_.wordline_ohm);
    add("--bitline-ohm", grid_.bitline_ohm);
    add("--source-ohm", grid_.source_ohm);
    add("--sink-ohm", grid_.sink_ohm);
    add("--distribution", grid_.distribution);
    add("--density", grid_.density);
    add("--sinh-alpha", grid_.sinh_alpha);
    add("--models", models_);
    return line +
           fmt::format(" --input-volt {} --arrays {} --inputs {} --update-share {} --seed {}",
                       grid_.input_volt, options_.arrays, options_.inputs, options_.update_share,
                       options_.seed);
  }

  void measure_points(const std::vector<CalibrationPoint>& points,
                      const std::vector<ModelKind>& models, std::size_t finished,
                      TableFile& file) const {
    // What a point costs grows about so with its cells.
    const auto work = [](const CalibrationPoint& p) {
      return 3000 + static_cast<double>(p.rows) * static_cast<double>(p.columns);
    };
    Progress progress{"calibrate", 0, 0, ""};
    for (const CalibrationPoint& point : points) progress.total += work(point);
    ProgressBar bar;
    const ProgressCallback report = bar.callback();
    for (std::size_t k = 0; k < points.size(); ++k) {
      const CalibrationPoint& point = points[k];
      if (k >= finished) {
        progress.note =
            fmt::format("{} of {}: {} x {}", k + 1, points.size(), point.rows, point.columns);
        try {
          report(progress);
        } catch (const Interrupted&) {
          throw Interrupted(fmt::format(
              "interrupted; {} of {} points are in {}, go on with the same flags and --resume", k,
              points.size(), out_path_));
        }
        file.add(point, surrogate::measure(point, models, options_));
      }
      progress.done += work(point);
    }
  }

  [[nodiscard]] static std::string plot_title(const std::vector<CalibrationPoint>& points) {
    const CalibrationPoint& p = points.front();
    if (points.size() > 1) return fmt::format("Surrogates, median over {} points", points.size());
    return fmt::format("{} x {}, R_on {:g} ohm, lines {:g}, source {:g}, sink {:g} ohm", p.rows,
                       p.columns, p.on_ohm, p.wires.wordline_ohm, p.wires.source_ohm,
                       p.wires.sink_ohm);
  }

  void print(std::size_t points, std::size_t measured, const std::vector<MemberSummary>& members,
             double seconds) const {
    fmt::print("error of the output currents and seconds an array, one core, over {} points\n",
               points);
    fmt::print("  {:<16} {:>10} {:>10} {:>10}\n", "", "median", "worst", "us");
    for (const MemberSummary& member : members) {
      fmt::print("  {:<16} {:>8.2g} % {:>8.2g} % {:>10.3g}{}\n",
                 surrogate::model_name(member.model), 100 * member.median_error,
                 100 * member.worst_error, 1e6 * member.median_seconds,
                 member.on_front ? "  on the front" : "");
    }
    remark("\n{} points measured in {}, written to {}\n", measured, format_duration(seconds),
           out_path_);
    if (!plot_path_.empty()) remark("error against cost: {}\n", plot_path_);
  }

  void print_json(std::size_t points, const std::vector<MemberSummary>& members,
                  double seconds) const {
    nlohmann::ordered_json json;
    json["table"] = out_path_;
    json["points"] = points;
    json["seconds"] = seconds;
    json["members"] = nlohmann::ordered_json::array();
    for (const MemberSummary& member : members) {
      json["members"].push_back({{"model", surrogate::model_name(member.model)},
                                 {"median_relative_error", member.median_error},
                                 {"worst_relative_error", member.worst_error},
                                 {"median_seconds", member.median_seconds},
                                 {"on_front", member.on_front}});
    }
    fmt::print("{}\n", json.dump(1));
  }

  Grid grid_;
  std::vector<std::string> models_;
  surrogate::MeasureOptions options_;
  std::string out_path_;
  std::string plot_path_;
  bool resume_ = false;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_calibrate_command() { return std::make_unique<CalibrateCommand>(); }

}  // namespace xbar::cli
