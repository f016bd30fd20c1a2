#include <optional>

#include <fmt/format.h>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/core/safetensors.hpp>

#include "array_order_file.hpp"
#include "commands.hpp"
#include "console.hpp"
#include "flags.hpp"
#include "remapping.hpp"
#include "surrogate_flags.hpp"
#include "technology_flags.hpp"
#include "verbosity.hpp"

namespace xbar::cli {
namespace {

class RemapCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "remap"; }
  [[nodiscard]] std::string description() const override {
    return "arrange a trained network's columns and rows so that wire resistance hurts least";
  }

  void declare(CLI::App& app) override {
    network_.add(app);
    require(network_.model_option);
    add_weights_flag(app, weights_path_);
    require(network_.data_option);
    require(app.add_option("--strategy", strategies_,
                           "none: as trained; srs: by sensitivity, once; drs: again layer by layer "
                           "on the arrays; optimal: by the error of the outputs; several, with "
                           "commas, are compared")
                ->type_name("none|srs|drs|optimal")
                ->delimiter(','));
    app.add_option("--move", move_,
                   "columns, rows or both; auto: columns for srs and drs, both for optimal")
        ->type_name("columns|rows|both|auto");
    app.add_option("--sensitivity", sensitivity_,
                   "of srs and drs: taylor, |dL/dy y|; fisher, its square; error-aware, with the "
                   "errors on the arrays; measured, the loss with one line at the worst slot")
        ->type_name("taylor|fisher|error-aware|measured");
    app.add_option("--calibration-images", calibration_images_,
                   "training images on which sensitivities and outputs are measured");
    app.add_option("--tries", tries_, "of optimal: most steps of its descent");
    app.add_option("--compensation", compensations_,
                   "what one would otherwise do, measured with and without re-mapping: gain (of "
                   "every column), batch-norm (statistics refitted)")
        ->type_name("gain|batch-norm")
        ->delimiter(',');
    app.add_option("--batch-norm-images", batch_norm_images_,
                   "training images to which batch normalisation is refitted");
    later_second_ = app.add_option("--later-second", later_.drift.time_s,
                                   "re-map again on line when conductances have drifted until then "
                                   "(--drift-exponent)");
    later_stuck_on_ = app.add_option("--later-stuck-on", later_.faults.stuck_on,
                                     "re-map again when this share of the cells is stuck at g_max");
    later_stuck_off_ =
        app.add_option("--later-stuck-off", later_.faults.stuck_off,
                       "re-map again when this share of the cells is stuck at g_min");
    for (const CLI::Option* flag : {later_second_, later_stuck_on_, later_stuck_off_}) {
      acts_when_given(flag);
    }
    // Source and sink resistance are mostly a common gain, which no order of columns changes.
    technology_.technology.wires = {
        .source_ohm = 0, .sink_ohm = 0, .wordline_ohm = 2, .bitline_ohm = 2};
    technology_.on_ohm = {20e3};
    technology_.add(app);
    for (const CLI::Option* flag : technology_.acting_when_given()) acts_when_given(flag);
    surrogate_.add(app);
    require(app.add_option("--out", out_path_, "folder of the run")->type_name("DIR"));
  }

  int run() override {
    const std::vector<nn::RemapOptions> remaps = remap_options();
    const std::vector<mapping::Technology> technologies = technology_.all();
    const std::vector<SurrogateSettings> surrogates = surrogate_.settings(technologies);
    const nn::DataSet data = network_.load_data();
    const NetworkSpec spec = network_spec(network_.model, data, network_.seed);
    const TensorFile weights = read_weights(weights_path_, spec);
    const nn::Compensations compensations = this->compensations();
    DeployOptions deploy_options;
    deploy_options.seed = network_.seed;
    RunFolder folder(out_path_, name(), settings(), false);

    nn::Evaluation ideal;
    std::vector<nn::LayerSensitivity> sensitivities;
    {
      // Gone when the strategies begin: activations of many images take gigabytes.
      nn::Network digital = spec.load(weights);
      ProgressBar bar;
      ideal = nn::evaluate(digital, data.test, 250, bar.callback());
      sensitivities = nn::layer_sensitivity(digital, data.train, calibration_images_,
                                            nn::SensitivityKind::taylor, bar.callback());
    }
    Json layers = Json::array();
    for (const nn::LayerSensitivity& layer : sensitivities) {
      layers.push_back({{"name", layer.layer}, {"sensitivity", layer.columns}});
    }
    fmt::print("{} on {}: ideal arithmetic {:.2f} %\n", network_.model, data.name,
               100 * ideal.accuracy);
    Json comparisons = Json::array();
    for (std::size_t k = 0; k < technologies.size(); ++k) {
      deploy_options.surrogate = surrogates[k];
      std::optional<nn::RemapStudy> study;
      {
        ProgressBar bar(on_label(technologies[k].on_ohm));
        study.emplace(remap_networks(spec, weights, deploy_options), data, technologies[k],
                      compensations, bar.callback());
      }
      print_head(technologies[k], study->as_is());
      for (const nn::RemapOptions& options : remaps) {
        comparisons.push_back(compare(*study, technologies[k], options, ideal.accuracy, folder));
      }
    }
    folder.results() = {{"model", network_.model},
                        {"data", data.name},
                        {"strategies", strategies_},
                        {"calibration_images", calibration_images_},
                        {"test_images", data.test.count},
                        {"ideal", {{"accuracy", ideal.accuracy}, {"loss", ideal.loss}}},
                        {"layers", std::move(layers)},
                        {"comparisons", std::move(comparisons)}};
    folder.save(true);
    remark("\nwritten to {0}: order-STRATEGY-OHM.json, run.json\nnext: xbar report {0}\n",
           folder.path().string());
    return 0;
  }

 private:
  [[nodiscard]] std::vector<nn::RemapOptions> remap_options() const {
    if (calibration_images_ < 1) {
      throw InvalidArgument(
          fmt::format("--calibration-images: expected at least 1, got {}", calibration_images_));
    }
    if (tries_ < 0) {
      throw InvalidArgument(fmt::format("--tries: expected at least 0, got {}", tries_));
    }
    std::vector<nn::RemapOptions> result;
    for (const std::string& name : strategies_) {
      nn::RemapOptions options;
      options.strategy = mapping::parse_remap_strategy(name);
      if (move_ == "auto") {
        options.freedoms.rows = options.strategy == mapping::RemapStrategy::optimal;
      } else if (move_ == "columns" || move_ == "rows") {
        options.freedoms = {.columns = move_ == "columns", .rows = move_ == "rows"};
      } else if (move_ != "both") {
        throw InvalidArgument(
            fmt::format("--move: expected auto, columns, rows or both, got '{}'", move_));
      }
      options.sensitivity = nn::parse_sensitivity_kind(sensitivity_);
      options.calibration_images = calibration_images_;
      options.most_tries = tries_;
      options.seed = network_.seed;
      result.push_back(options);
    }
    return result;
  }

  [[nodiscard]] nn::Compensations compensations() const {
    nn::Compensations result;
    if (batch_norm_images_ < 2) {
      throw InvalidArgument(
          fmt::format("--batch-norm-images: expected at least 2, got {}", batch_norm_images_));
    }
    for (const std::string& name : compensations_) {
      if (name == "gain") {
        result.gain = true;
      } else if (name == "batch-norm") {
        result.batch_norm_images = batch_norm_images_;
      } else {
        throw InvalidArgument(
            fmt::format("--compensation: expected gain or batch-norm, got '{}'", name));
      }
    }
    return result;
  }

  // The arrays as they are later, if they change.
  [[nodiscard]] std::optional<mapping::Technology> later(mapping::Technology technology) const {
    const bool drifts = later_second_->count() > 0;
    const bool on = later_stuck_on_->count() > 0;
    const bool off = later_stuck_off_->count() > 0;
    if (!drifts && !on && !off) return {};
    if (drifts) technology.drift.time_s = later_.drift.time_s;
    if (on) technology.faults.stuck_on = later_.faults.stuck_on;
    if (off) technology.faults.stuck_off = later_.faults.stuck_off;
    mapping::check_technology(technology);
    return technology;
  }

  static std::string with_compensations(const nn::OrderAccuracy& order) {
    std::string text = fmt::format("{:6.2f} %", 100 * order.plain.accuracy);
    if (order.gain) text += fmt::format("   with gain {:6.2f} %", 100 * order.gain->accuracy);
    if (order.batch_norm) {
      text +=
          fmt::format("   with batch norm refitted {:6.2f} %", 100 * order.batch_norm->accuracy);
    }
    return text;
  }

  static void print_head(const mapping::Technology& technology, const nn::OrderAccuracy& as_is) {
    fmt::print("  {}\n    {:<8} {}\n", on_label(technology.on_ohm), "as is",
               with_compensations(as_is));
  }

  // Prints a line of its own, and writes the order.
  [[nodiscard]] Json compare(nn::RemapStudy& study, const mapping::Technology& technology,
                             const nn::RemapOptions& options, double ideal,
                             const RunFolder& folder) const {
    const auto strategy = std::string(mapping::remap_strategy_name(options.strategy));
    nn::RemapComparison comparison;
    std::optional<nn::RemapStudy::Change> change;
    const std::string file = fmt::format("order-{}-{:.0f}ohm.json", strategy, technology.on_ohm);
    {
      ProgressBar bar(strategy);
      comparison = study.compare(options, bar.callback());
      write_file_atomically(folder.file(file),
                            array_order_json(nn::crossbar_layers(study.network())).dump(1) + "\n");
      if (const auto changed = later(technology)) {
        change = study.after(*changed, options, bar.callback());
      }
    }
    Json json = to_json(comparison);
    const double drop = ideal - comparison.as_is.plain.accuracy;
    const double gain = comparison.remapped.plain.accuracy - comparison.as_is.plain.accuracy;
    fmt::print("    {:<8} {}   {:+.2f} points{}, {} images put right, {} spoilt; {}; {}\n",
               strategy, with_compensations(comparison.remapped), 100 * gain,
               drop > 0 ? fmt::format(", {:.0f} % of the loss recovered", 100 * gain / drop) : "",
               comparison.put_right, comparison.spoilt, format_duration(comparison.report.seconds),
               surrogate_words(json.at("certificate")));
    if (change) {
      fmt::print(
          "             later {:.2f} %, re-mapped again {:.2f} %, {:.0f} % of the weights "
          "written anew; {}\n",
          100 * change->changed.accuracy, 100 * change->remapped.accuracy, 100 * change->rewritten,
          format_duration(change->report.seconds));
    }
    json["strategy"] = strategy;
    json["technology"] = to_json(technology);
    json["order"] = file;
    if (change) json["later"] = to_json(*change);
    return json;
  }

  NetworkFlags network_;
  TechnologyFlags technology_;
  SurrogateFlags surrogate_{"exact"};
  mapping::Technology later_{};  // what of it is given
  const CLI::Option* later_second_ = nullptr;
  const CLI::Option* later_stuck_on_ = nullptr;
  const CLI::Option* later_stuck_off_ = nullptr;
  std::string weights_path_;
  std::vector<std::string> strategies_;
  std::vector<std::string> compensations_;
  std::string move_ = "auto";
  std::string sensitivity_ = "taylor";
  Index calibration_images_ = 250;
  Index batch_norm_images_ = 1000;
  int tries_ = 40;
  std::string out_path_;
};

}  // namespace

std::unique_ptr<Command> make_remap_command() { return std::make_unique<RemapCommand>(); }

}  // namespace xbar::cli
