#include <optional>

#include <fmt/format.h>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/core/safetensors.hpp>
#include <xbar/core/stopwatch.hpp>
#include <xbar/report/run_page.hpp>

#include "array_order_file.hpp"
#include "commands.hpp"
#include "console.hpp"
#include "experiment.hpp"
#include "flags.hpp"
#include "run_folder.hpp"
#include "surrogate_flags.hpp"
#include "technology_flags.hpp"
#include "verbosity.hpp"

namespace xbar::cli {
namespace {

class EvaluateCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "evaluate"; }
  [[nodiscard]] std::string description() const override {
    return "test accuracy of trained weights, ideal and on wired arrays";
  }

  void declare(CLI::App& app) override {
    network_.add(app);
    require(network_.model_option);
    add_weights_flag(app, weights_path_);
    require(network_.data_option);
    add_order_flag(app, order_path_);
    technology_.add(app);
    for (const CLI::Option* flag : technology_.acting_when_given()) acts_when_given(flag);
    scale_.add(app);
    surrogate_.add(app);
    app.add_flag(
        "--stream", streamed_,
        "arrays and signals of one layer at a time, arrays made anew for every batch: less memory");
    app.add_option("--batch", batch_, "images at a time; more of them are quicker with --stream");
    app.add_option("--out", out_path_, "folder of the run, for xbar report")->type_name("DIR");
    app.add_flag("--json", json_, "print one JSON object and nothing else");
  }

  int run() override {
    if (batch_ < 1) throw InvalidArgument(fmt::format("--batch: expected >= 1, got {}", batch_));
    if (streamed_ && !order_path_.empty()) {
      throw InvalidArgument("--order: expected without --stream, got both");
    }
    const std::vector<mapping::Technology> technologies = technology_.all();
    const std::vector<SurrogateSettings> surrogates = surrogate_.settings(technologies);
    std::optional<RunFolder> folder;
    if (!out_path_.empty()) folder.emplace(out_path_, name(), settings(), false);
    const nn::DataSet data = network_.load_data();
    const NetworkSpec spec = network_spec(network_.model, data, network_.seed);
    const TensorFile weights = read_weights(weights_path_, spec);

    const auto evaluate = [&](nn::Network& network, const std::string& label) {
      ProgressBar bar(label, "images");
      network.set_keeping(!streamed_);
      return nn::evaluate(network, data.test, batch_, bar.callback());
    };
    const Stopwatch ideal_watch;
    const nn::Evaluation ideal = [&] {
      nn::Network digital = spec.load(weights);
      return evaluate(digital, "ideal arithmetic");
    }();
    const double ideal_seconds = ideal_watch.seconds();
    Json document = {
        {"model", network_.model},
        {"data", data.name},
        {"test_images", data.test.count},
        {"ideal", {{"accuracy", ideal.accuracy}, {"loss", ideal.loss}, {"seconds", ideal_seconds}}},
        {"wired", Json::array()}};
    if (!json_) {
      fmt::print("{} on {}, {} test images\n  {:<32} {:6.2f} %\n", network_.model, data.name,
                 data.test.count, "ideal arithmetic", 100 * ideal.accuracy);
    }
    for (std::size_t k = 0; k < technologies.size(); ++k) {
      const mapping::Technology& technology = technologies[k];
      nn::Network network = spec.load(weights);
      const Stopwatch deploy_watch;
      {
        const Phase phase(fmt::format("{}, deploy", on_label(technology.on_ohm)));
        deploy(network, weights, technology,
               {.surrogate = surrogates[k],
                .scale = scale_.scale(nn::WeightScale::maximum),
                .percentile = scale_.percentile,
                .headroom = scale_.headroom,
                .seed = network_.seed,
                .streamed = streamed_});
        if (!order_path_.empty()) read_array_order(order_path_, nn::crossbar_layers(network));
        nn::calibrate_converters(network, technology, data.train);
      }
      const double deploy_seconds = deploy_watch.seconds();
      const Stopwatch wired_watch;
      const nn::Evaluation wired = evaluate(network, on_label(technology.on_ohm));
      const Json certificate = certificate_json(nn::certificates(network), 0);
      document["wired"].push_back({{"technology", to_json(technology)},
                                   {"surrogate", certificate.at("surrogate")},
                                   {"certificate", certificate},
                                   {"accuracy", wired.accuracy},
                                   {"deploy_seconds", deploy_seconds},
                                   {"seconds", wired_watch.seconds()},
                                   {"loss", wired.loss}});
      if (!json_) {
        fmt::print("  {:<32} {:6.2f} %   ({}, gain calibration: {})\n",
                   "wired, " + on_label(technology.on_ohm), 100 * wired.accuracy,
                   surrogate_words(certificate), mapping::gain_name(technology.gain));
      }
    }
    if (folder) {
      folder->results() = document;
      folder->save(true);
      write_file_atomically(folder->file("index.html"), report::run_page(folder->path()));
    }
    if (json_) {
      fmt::print("{}\n", document.dump());
    } else if (folder) {
      remark("written to {0}: run.json, index.html\n", folder->path().string());
    }
    return 0;
  }

 private:
  NetworkFlags network_;
  TechnologyFlags technology_;
  WeightScaleFlags scale_;
  std::string weights_path_;
  std::string order_path_;
  std::string out_path_;
  SurrogateFlags surrogate_{"exact"};
  bool streamed_ = false;
  Index batch_ = 250;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_evaluate_command() { return std::make_unique<EvaluateCommand>(); }

}  // namespace xbar::cli
