#include <fmt/format.h>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/core/safetensors.hpp>

#include "commands.hpp"
#include "console.hpp"
#include "experiment.hpp"
#include "flags.hpp"
#include "surrogate_flags.hpp"
#include "technology_flags.hpp"

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
    app.add_option("--weights", weights_path_,
                   "trained weights, .safetensors; default: those of an .onnx model")
        ->type_name("FILE");
    require(network_.data_option);
    require(app.add_option("--strategy", strategies_,
                           "none: as trained; srs: by sensitivity, once; drs: again layer by layer "
                           "on the arrays; optimal: by the error of the outputs; several, with "
                           "commas, are compared")
                ->delimiter(','));
    app.add_option("--move", move_,
                   "columns, rows or both; auto: columns for srs and drs, both for optimal");
    app.add_option("--sensitivity", sensitivity_,
                   "of srs and drs: taylor, |dL/dy y|, or fisher, its square");
    app.add_option("--calibration-images", calibration_images_,
                   "training images on which sensitivities and signals are measured");
    app.add_option("--batch-norm-images", batch_norm_images_,
                   "training images on which batch normalisation is also refitted, as trained and "
                   "re-mapped; 0: it is not");
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
    if (calibration_images_ < 1) {
      throw InvalidArgument(
          fmt::format("--calibration-images: expected at least 1, got {}", calibration_images_));
    }
    if (batch_norm_images_ < 0) {
      throw InvalidArgument(
          fmt::format("--batch-norm-images: expected at least 0, got {}", batch_norm_images_));
    }
    const nn::DataSet data = network_.load_data();
    const NetworkSpec spec = network_spec(network_.model, data, network_.seed);
    const TensorFile weights = read_weights(weights_path_, spec);
    nn::Network digital = spec.load(weights);
    RunFolder folder(out_path_, name(), settings(), false);

    nn::Evaluation ideal;
    {
      ProgressBar bar;
      ideal = nn::evaluate(digital, data.test, 250, bar.callback());
    }
    fmt::print("{} on {}: ideal arithmetic {:.2f} %\n", network_.model, data.name,
               100 * ideal.accuracy);
    Json comparisons = Json::array();
    Json orders;
    for (std::size_t k = 0; k < technologies.size(); ++k) {
      for (const nn::RemapOptions& remap : remaps) {
        comparisons.push_back(compare(spec, weights, data, technologies[k], surrogates[k], remap,
                                      ideal.accuracy, orders));
      }
    }
    write_file_atomically(folder.file("column_order.json"), orders.dump(1) + "\n");
    folder.results() = {{"model", network_.model},
                        {"data", data.name},
                        {"strategy", strategies_.back()},
                        {"strategies", strategies_},
                        {"calibration_images", calibration_images_},
                        {"test_images", data.test.count},
                        {"ideal", {{"accuracy", ideal.accuracy}, {"loss", ideal.loss}}},
                        {"comparisons", std::move(comparisons)},
                        {"column_order", "column_order.json"}};
    folder.save(true);
    fmt::print("\nwritten to {0}: column_order.json, run.json\nnext: xbar report {0}\n",
               folder.path().string());
    return 0;
  }

 private:
  [[nodiscard]] std::vector<nn::RemapOptions> remap_options() const {
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
      options.seed = network_.seed;
      result.push_back(options);
    }
    return result;
  }

  // Also sets `orders`, to those of this network.
  [[nodiscard]] Json compare(const NetworkSpec& spec, const TensorFile& weights,
                             const nn::DataSet& data, const mapping::Technology& technology,
                             const SurrogateSettings& surrogate, const nn::RemapOptions& remap,
                             double ideal, Json& orders) const {
    ProgressBar bar(on_label(technology.on_ohm));
    const RemapComparison comparison = compare_remapping(
        spec, weights, data, technology, {.surrogate = surrogate, .seed = network_.seed}, remap,
        batch_norm_images_, bar.callback());
    const auto strategy = std::string(mapping::remap_strategy_name(remap.strategy));
    const double drop = ideal - comparison.as_is.accuracy;
    const double gain = comparison.remapped.accuracy - comparison.as_is.accuracy;
    fmt::print(
        "  {}: as is {:.2f} %, {} {:.2f} % ({:+.2f} points{}; {} images put right, {} "
        "spoilt; {}; {})\n",
        on_label(technology.on_ohm), 100 * comparison.as_is.accuracy, strategy,
        100 * comparison.remapped.accuracy, 100 * gain,
        drop > 0 ? fmt::format(", {:.0f} % of the loss recovered", 100 * gain / drop) : "",
        comparison.put_right, comparison.spoilt, format_duration(comparison.report.seconds),
        surrogate_words(comparison.certificate));
    if (comparison.as_is_refit) {
      fmt::print("    batch normalisation refitted: as is {:.2f} %, {} {:.2f} %\n",
                 100 * comparison.as_is_refit->accuracy, strategy,
                 100 * comparison.remapped_refit->accuracy);
    }
    orders = Json::object();
    for (const nn::LayerRemap& layer : comparison.report.layers) {
      orders[layer.layer] = {{"slot_of_output", layer.order.slot_of_output},
                             {"slot_of_input", layer.order.slot_of_input},
                             {"sensitivity", layer.sensitivity}};
    }
    Json json = to_json(comparison);
    json["strategy"] = strategy;
    json["technology"] = to_json(technology);
    return json;
  }

  NetworkFlags network_;
  TechnologyFlags technology_;
  SurrogateFlags surrogate_{"exact"};
  std::string weights_path_;
  std::vector<std::string> strategies_;
  std::string move_ = "auto";
  std::string sensitivity_ = "taylor";
  Index calibration_images_ = 250;
  Index batch_norm_images_ = 0;
  std::string out_path_;
};

}  // namespace

std::unique_ptr<Command> make_remap_command() { return std::make_unique<RemapCommand>(); }

}  // namespace xbar::cli
