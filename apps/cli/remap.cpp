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
    return "arrange a trained network's columns so that wire resistance hurts least";
  }

  void declare(CLI::App& app) override {
    network_.add(app);
    require(network_.model_option);
    require(app.add_option("--weights", weights_path_, "trained weights, .safetensors")
                ->type_name("FILE"));
    require(network_.data_option);
    require(
        app.add_option("--strategy", strategy_, "none: as trained; srs: static, by sensitivity"));
    app.add_option("--calibration-images", calibration_images_,
                   "training images on which sensitivities are measured");
    // Source and sink resistance are mostly a common gain, which no order of columns changes.
    technology_.technology.wires = {
        .source_ohm = 0, .sink_ohm = 0, .wordline_ohm = 2, .bitline_ohm = 2};
    technology_.on_ohm = {20e3};
    technology_.add(app);
    surrogate_.add(app);
    require(app.add_option("--out", out_path_, "folder of the run")->type_name("DIR"));
  }

  int run() override {
    const mapping::RemapStrategy strategy = mapping::parse_remap_strategy(strategy_);
    const std::vector<mapping::Technology> technologies = technology_.all();
    const std::vector<SurrogateSettings> surrogates = surrogate_.settings(technologies);
    if (calibration_images_ < 1) {
      throw InvalidArgument(
          fmt::format("--calibration-images: expected at least 1, got {}", calibration_images_));
    }
    const TensorFile weights = read_safetensors(weights_path_);
    const nn::DataSet data = network_.load_data();
    const NetworkSpec spec = network_spec(network_.model, data, network_.seed);
    nn::Network digital = spec.load(weights);
    RunFolder folder(out_path_, name(), settings(), false);

    Remapping remapping;
    nn::Evaluation ideal;
    {
      ProgressBar bar;
      ideal = nn::evaluate(digital, data.test, 250, bar.callback());
      remapping = remap_columns(digital, data.train, calibration_images_, strategy,
                                technologies.front(), bar.callback());
    }
    fmt::print("{} on {}: ideal arithmetic {:.2f} %\n", network_.model, data.name,
               100 * ideal.accuracy);
    Json comparisons = Json::array();
    for (std::size_t k = 0; k < technologies.size(); ++k) {
      comparisons.push_back(
          compare_orders(spec, weights, data, technologies[k], surrogates[k], remapping));
    }
    write_orders(remapping, folder);
    folder.results() = {{"model", network_.model},
                        {"data", data.name},
                        {"strategy", strategy_},
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
  [[nodiscard]] Json compare_orders(const NetworkSpec& spec, const TensorFile& weights,
                                    const nn::DataSet& data, const mapping::Technology& technology,
                                    const SurrogateSettings& surrogate,
                                    const Remapping& remapping) const {
    ProgressBar bar(on_label(technology.on_ohm));
    const RemapComparison comparison = compare_remapping(
        spec, weights, data, technology, {.surrogate = surrogate, .seed = network_.seed}, remapping,
        bar.callback());
    fmt::print(
        "  {}: as is {:.2f} %, {} {:.2f} % ({:+.2f} points; {} images put right, {} spoilt; {})\n",
        on_label(technology.on_ohm), 100 * comparison.as_is.accuracy, strategy_,
        100 * comparison.remapped.accuracy,
        100 * (comparison.remapped.accuracy - comparison.as_is.accuracy), comparison.put_right,
        comparison.spoilt, surrogate_words(comparison.certificate));
    Json json = to_json(comparison);
    json["technology"] = to_json(technology);
    return json;
  }

  static void write_orders(const Remapping& remapping, const RunFolder& folder) {
    Json orders = Json::object();
    for (std::size_t k = 0; k < remapping.sensitivity.size(); ++k) {
      orders[remapping.sensitivity[k].layer] = {{"slot_of_output", remapping.slot_of_output[k]},
                                                {"sensitivity", remapping.sensitivity[k].values}};
    }
    write_file_atomically(folder.file("column_order.json"), orders.dump(1) + "\n");
  }

  NetworkFlags network_;
  TechnologyFlags technology_;
  SurrogateFlags surrogate_{"exact"};
  std::string weights_path_;
  std::string strategy_;
  Index calibration_images_ = 1000;
  std::string out_path_;
};

}  // namespace

std::unique_ptr<Command> make_remap_command() { return std::make_unique<RemapCommand>(); }

}  // namespace xbar::cli
