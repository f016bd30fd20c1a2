#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/core/isa.hpp>
#include <xbar/core/parallel.hpp>
#include <xbar/core/stopwatch.hpp>
#include <xbar/core/suggest.hpp>
#include <xbar/core/version.hpp>
#include <xbar/validation/trained_tiles.hpp>

#include "commands.hpp"
#include "console.hpp"
#include "flags.hpp"
#include "study.hpp"
#include "verbosity.hpp"

namespace xbar::cli {
namespace {

using surrogate::CalibrationPoint;
using surrogate::ModelKind;
using validation::StudyPoint;
using validation::StudyRow;

/// Every member but the exact solver, which is what they are compared with.
std::vector<std::string> all_members() {
  std::vector<std::string> names;
  for (const surrogate::ModelInfo& info : surrogate::model_infos()) {
    if (info.kind != ModelKind::exact) names.emplace_back(info.name);
  }
  return names;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

bool contains(const std::vector<ModelKind>& models, ModelKind model) {
  return std::find(models.begin(), models.end(), model) != models.end();
}

class ValidateCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "validate"; }
  [[nodiscard]] std::string description() const override {
    return "surrogates against the exact solver over sizes, resistances and weights";
  }
  void declare(CLI::App& app) override {
    const auto list = [&app](const char* flag, auto& values, const char* what) {
      return app.add_option(flag, values, what)->delimiter(',');
    };
    size_ = list("--size", sizes_, "sides of the square arrays");
    on_ = list("--on-ohm", on_ohm_, "resistances of a fully switched-on cell, ohm");
    line_ = list("--line-ohm", line_ohm_, "wordline and bitline resistances, ohm");
    source_ = list("--source-ohm", source_ohm_, "driver resistances, ohm");
    sink_ = list("--sink-ohm", sink_ohm_,
                 "sense resistances, ohm; as many as driver resistances, paired with them");
    app.add_option("--on-off-ratio", base_.on_off_ratio, "R_off / R_on");
    app.add_option("--density", base_.density, "share of inputs that are not 0");
    weights_option_ = list("--weights", weights_, "uniform, clustered, sparse, trained")
                          ->type_name("uniform|clustered|sparse|trained");
    app.add_option("--network", network_,
                   "trained network whose layers give the trained weights; without it a small one "
                   "is trained on generated glyphs")
        ->type_name("FILE.safetensors");
    model_ = list("--model", models_, "members of the family to measure");
    tolerance_ = list("--tolerance", tolerances_,
                      "relative errors that some member must keep at every technology; other "
                      "groups' members and those that need the exact solver do not count unless "
                      "named in --model; if given, exit code 1 where none does");
    app.add_option("--limit", limits_,
                   "MODEL=SHARE: relative error that this member must keep at every point; exit "
                   "code 1 where it does not; may be repeated")
        ->type_name("MODEL=SHARE");
    arrays_ = app.add_option("--arrays", options_.measure.arrays, "arrays a point");
    inputs_ =
        app.add_option("--inputs", options_.measure.inputs, "random sparse input vectors an array");
    app.add_flag("--quick", quick_, "a small grid, seconds, where no other is given");
    add_seed_flag(app, options_.measure.seed);
    require(app.add_option("--out", out_path_, "folder of the run")->type_name("DIR"));
  }

  int run() override {
    if (quick_) shrink();
    read_models();
    const std::vector<StudyPoint> points = grid();
    RunFolder folder(out_path_, name(), settings(), false);
    const Stopwatch watch;
    read_weights(points);
    Json& results = folder.results();
    results["machine"] = {{"isa", isa_name(isa())}, {"threads", thread_count()}};
    const std::vector<StudyRow> rows = study(points);
    const bool kept = judge(rows, folder);
    known(folder);
    write_file_atomically(folder.file("study.csv"), study_csv(rows, provenance()));
    results["study"] = to_json(rows);
    results["seconds"] = watch.seconds();
    folder.save(true);
    remark(
        "\n{} points in {}; written to {}: study.csv, verdicts.csv, updates.csv, run.json\n"
        "next: xbar report {}\n",
        points.size(), format_duration(watch.seconds()), folder.path().string(),
        folder.path().string());
    return kept ? 0 : 1;
  }

 private:
  void shrink() {
    const auto set = [](CLI::Option* option, auto& values, auto small) {
      if (option->count() == 0) values = std::move(small);
    };
    set(size_, sizes_, std::vector<Index>{16, 64});
    set(on_, on_ohm_, std::vector<double>{20e3, 100e3});
    set(line_, line_ohm_, std::vector<double>{1, 5});
    if (source_->count() == 0 && sink_->count() == 0) source_ohm_ = sink_ohm_ = {100};
    set(weights_option_, weights_, std::vector<std::string>{"uniform", "clustered"});
    if (arrays_->count() == 0) options_.measure.arrays = 1;
    if (inputs_->count() == 0) options_.measure.inputs = 32;
  }

  void read_models() {
    options_.models.clear();
    const auto add = [this](ModelKind model, const char* flag) {
      if (model == ModelKind::exact) {
        throw InvalidArgument(
            fmt::format("{}: expected a surrogate, got exact, which they are compared with", flag));
      }
      if (!contains(options_.models, model)) options_.models.push_back(model);
    };
    for (const std::string& name : models_) add(surrogate::parse_model(name), "--model");
    choice_ = options_.models;
    if (model_->count() == 0) {
      // The ratio members are the exact solver itself until the cells move.
      std::erase_if(choice_, [](ModelKind m) {
        const surrogate::ModelInfo& info = surrogate::model_info(m);
        return info.of_other_groups || info.needs_exact;
      });
    }
    const auto check = [](const char* flag, double share) {
      if (!(share > 0) || std::isinf(share)) {
        throw InvalidArgument(fmt::format("{}: expected a share more than 0, got {}", flag, share));
      }
    };
    for (const double tolerance : tolerances_) check("--tolerance", tolerance);
    for (const auto& [name, share] : read_parameters("--limit", limits_)) {
      check("--limit", share);
      const ModelKind model = surrogate::parse_model(name);
      add(model, "--limit");
      limit_[model] = share;
    }
  }

  /// The points of the grid, those of one size together.
  [[nodiscard]] std::vector<StudyPoint> grid() const {
    if (source_ohm_.size() != sink_ohm_.size()) {
      throw InvalidArgument(
          fmt::format("--sink-ohm: expected {} values, as --source-ohm has, got {}",
                      source_ohm_.size(), sink_ohm_.size()));
    }
    std::vector<StudyPoint> points;
    for (const Index size : sizes_) {
      if (size < 1 || size > 1024) {
        throw InvalidArgument(fmt::format("--size: expected 1 to 1024, got {}", size));
      }
      for (const double on : on_ohm_) {
        for (const double line : line_ohm_) {
          for (std::size_t t = 0; t < source_ohm_.size(); ++t) {
            for (const std::string& weights : weights_) {
              StudyPoint point{base_};
              point.technology.rows = point.technology.columns = size;
              point.technology.on_ohm = on;
              point.technology.wires = {source_ohm_[t], sink_ohm_[t], line, line};
              point.trained = weights == "trained";
              if (!point.trained) point.technology.distribution = distribution(weights);
              surrogate::check_calibration_point(point.technology);
              points.push_back(point);
            }
          }
        }
      }
    }
    return points;
  }

  static surrogate::WeightDistribution distribution(const std::string& name) {
    const std::vector<std::string> names{"uniform", "clustered", "sparse", "trained"};
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      throw InvalidArgument(fmt::format("--weights: expected one of {}, got '{}'{}",
                                        fmt::join(names, ", "), name, did_you_mean(name, names)));
    }
    return surrogate::parse_distribution(name);
  }

  void read_weights(const std::vector<StudyPoint>& points) {
    if (!network_.empty()) {
      options_.weights = validation::weights_in(read_safetensors(network_));
    } else if (std::any_of(points.begin(), points.end(), [](const auto& p) { return p.trained; })) {
      ProgressBar bar("weights of a trained network");
      options_.weights = validation::train_weights(options_.measure.seed, bar.callback());
    }
  }

  [[nodiscard]] std::vector<StudyRow> study(const std::vector<StudyPoint>& points) const {
    ProgressBar bar;
    return validation::surrogate_study(points, options_, bar.callback());
  }

  /// Summary, verdicts and what was asked to be kept. @return whether it was
  [[nodiscard]] bool judge(const std::vector<StudyRow>& rows, RunFolder& folder) const {
    fmt::print(
        "relative error of the output currents against the exact solver, {} points\n"
        "  {:<16} {:>10} {:>10}  {}\n",
        rows.size() / options_.models.size(), "member", "median", "worst", "at");
    for (const ModelKind model : options_.models) {
      const std::vector<StudyRow> all = validation::beyond(rows, model, -1);  // worst first
      std::vector<double> errors;
      for (const StudyRow& row : all) errors.push_back(row.measurement.relative_error);
      fmt::print("  {:<16} {:>10} {:>10}  {}\n", surrogate::model_name(model),
                 error_text(median(errors)), error_text(all.front().measurement.relative_error),
                 place(all.front().point));
    }
    bool kept = true;
    std::vector<validation::Verdict> verdicts;
    for (const double tolerance : tolerances_) {
      const std::vector<validation::Verdict> some = validation::verdicts(rows, tolerance, choice_);
      kept = print_verdicts(some, tolerance) && kept;
      verdicts.insert(verdicts.end(), some.begin(), some.end());
    }
    for (const auto& [model, limit] : limit_) {
      const std::vector<StudyRow> missed = validation::beyond(rows, model, limit);
      if (missed.empty()) continue;
      kept = false;
      fmt::print(
          "missed: {} within {} at {} of {} points; worst {} at {}\n", surrogate::model_name(model),
          error_text(limit), missed.size(), rows.size() / options_.models.size(),
          error_text(missed.front().measurement.relative_error), place(missed.front().point));
    }
    write_file_atomically(folder.file("verdicts.csv"), verdict_csv(verdicts, provenance()));
    Json choice = Json::array();
    for (const ModelKind model : choice_) choice.push_back(surrogate::model_name(model));
    folder.results()["choice"] = std::move(choice);
    folder.results()["verdicts"] = to_json(verdicts);
    folder.results()["kept"] = kept;
    return kept;
  }

  /// @return false if the tolerance was asked for and some technology has no member that keeps it
  [[nodiscard]] bool print_verdicts(const std::vector<validation::Verdict>& verdicts,
                                    double tolerance) const {
    std::map<std::string_view, int> count;
    const validation::Verdict* worst = nullptr;
    for (const validation::Verdict& v : verdicts) {
      ++count[v.model ? surrogate::model_name(*v.model) : "none"];
      if (!v.model && (worst == nullptr || v.error > worst->error)) worst = &v;
    }
    fmt::print("cheapest member within {}:", error_text(tolerance));
    for (const auto& [name, times] : count) fmt::print(" {} {}", name, times);
    fmt::print(" of {} technologies and sizes\n", verdicts.size());
    if (worst == nullptr || tolerance_->count() == 0) return true;
    std::string where = place({worst->technology});
    where.resize(where.rfind(','));  // all weights are meant
    fmt::print("missed: {} at {} of {}; the best member has {} at {}\n", error_text(tolerance),
               count["none"], verdicts.size(), error_text(worst->error), where);
    return false;
  }

  /// Updates without a new measurement, and figures that others have stated.
  void known(RunFolder& folder) const {
    constexpr Index arrays = 5;
    surrogate::MeasureOptions options = options_.measure;
    options.arrays = arrays;
    std::vector<validation::UpdateRow> updates;
    ProgressBar bar;
    const ProgressCallback progress = bar.callback();
    for (const double on : {20e3, 100e3}) {
      for (const auto weights :
           {surrogate::WeightDistribution::uniform, surrogate::WeightDistribution::clustered}) {
        progress({"updates", static_cast<double>(updates.size()), 0, ""});
        CalibrationPoint point;
        point.on_ohm = on;
        point.distribution = weights;
        const std::vector<validation::UpdateRow> some =
            validation::update_study(point, options_.models, options);
        updates.insert(updates.end(), some.begin(), some.end());
      }
    }
    std::vector<StudyPoint> rxnn;
    for (const CalibrationPoint& point : validation::rxnn_points())
      rxnn.push_back(study_point(point));
    validation::StudyOptions rxnn_options = options_;
    rxnn_options.measure.arrays = arrays;
    const std::vector<StudyRow> rxnn_rows =
        validation::surrogate_study(rxnn, rxnn_options, progress);
    const std::uint64_t seed = options_.measure.seed;
    Json& results = folder.results();
    results["update_share"] = options.update_share;
    results["updates"] = to_json(updates);
    results["limits"] = limits_json();
    results["rxnn"] = to_json(rxnn_rows);
    results["losses"] = to_json(validation::reference_losses(arrays, seed));
    results["closed_forms"] = to_json(validation::closed_form_errors(arrays, seed));
    write_file_atomically(folder.file("updates.csv"),
                          update_csv(updates, options.update_share, provenance()));
  }

  static Json limits_json() {
    Json list = Json::array();
    for (const validation::StatedLimit& limit : validation::stated_limits()) {
      list.push_back({{"on_ohm", limit.on_ohm},
                      {"weights", surrogate::distribution_name(limit.distribution)},
                      {"update", validation::update_name(limit.update)},
                      {"relative_error", limit.relative_error}});
    }
    return list;
  }

  [[nodiscard]] std::string provenance() const {
    const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    std::string text = fmt::format("xbar {}, {:%Y-%m-%d}, seed {}\nxbar {}", version,
                                   fmt::gmtime(now), options_.measure.seed, name());
    for (const auto& [flag, value] : settings()) {
      if (!value.empty()) text += fmt::format(" --{} {}", flag, value);
    }
    return text + '\n';
  }

  std::vector<Index> sizes_ = {16, 32, 64, 128, 256};
  std::vector<double> on_ohm_ = {5e3, 20e3, 100e3, 1e6};
  std::vector<double> line_ohm_ = {0.5, 1, 2.5, 10};
  std::vector<double> source_ohm_ = {0, 100, 1000};
  std::vector<double> sink_ohm_ = {0, 100, 1000};
  std::vector<std::string> weights_ = {"uniform", "clustered", "sparse", "trained"};
  std::vector<std::string> models_ = all_members();
  std::vector<double> tolerances_ = {1e-2, 1e-3, 1e-4};
  std::vector<std::string> limits_;
  std::map<ModelKind, double> limit_;
  std::vector<ModelKind> choice_;  // what verdicts choose from
  CalibrationPoint base_;
  validation::StudyOptions options_;
  std::string network_;
  bool quick_ = false;
  std::string out_path_;
  CLI::Option* size_ = nullptr;
  CLI::Option* on_ = nullptr;
  CLI::Option* line_ = nullptr;
  CLI::Option* source_ = nullptr;
  CLI::Option* sink_ = nullptr;
  CLI::Option* weights_option_ = nullptr;
  CLI::Option* model_ = nullptr;
  CLI::Option* tolerance_ = nullptr;
  CLI::Option* arrays_ = nullptr;
  CLI::Option* inputs_ = nullptr;
};

}  // namespace

std::unique_ptr<Command> make_validate_command() { return std::make_unique<ValidateCommand>(); }

}  // namespace xbar::cli
