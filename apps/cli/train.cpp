#include <fmt/format.h>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/core/safetensors.hpp>

#include "commands.hpp"
#include "console.hpp"
#include "experiment.hpp"
#include "flags.hpp"
#include "mpi_session.hpp"
#include "phase_words.hpp"
#include "surrogate_flags.hpp"
#include "technology_flags.hpp"
#include "training_leg.hpp"
#include "update_flags.hpp"
#include "verbosity.hpp"

namespace xbar::cli {
namespace {

class TrainCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "train"; }
  [[nodiscard]] std::string description() const override {
    return "train a network, with ideal arithmetic and through wired arrays";
  }

  void declare(CLI::App& app) override {
    network_.add(app);
    require(network_.model_option);
    require(network_.data_option);
    app.add_option(
           "--mode", mode_,
           "ideal: ideal arithmetic, then deployed on arrays; in-situ: forward, backward and "
           "update through the arrays; both; hardware-aware: digital weights, forward through the "
           "arrays; batch-norm: only batch normalisation is fitted to --weights on arrays")
        ->type_name("ideal|in-situ|both|hardware-aware|batch-norm");
    gradients_option_ = app.add_option("--gradients", gradients_,
                                       "hardware-aware: adjoint (through the arrays) or "
                                       "straight-through (by digital weights)")
                            ->type_name("adjoint|straight-through");
    app.add_option("--epochs", options_.epochs, "passes over the training images");
    app.add_option("--batch", options_.batch, "images of a step");
    app.add_option("--learning-rate", options_.learning_rate, "step size of the first epoch");
    app.add_option("--optimizer", optimizer_, "sgd, adam or adamw")->type_name("sgd|adam|adamw");
    app.add_option("--weights", weights_path_,
                   "weights to begin with, .safetensors under PyTorch's names; default: drawn")
        ->type_name("FILE");
    sgd_flags_ = {
        app.add_option("--momentum", options_.momentum, "sgd: of the gradient, in [0, 1)")};
    adam_flags_ = {
        app.add_option("--beta1", options_.beta1, "adam: decay of the mean gradient"),
        app.add_option("--beta2", options_.beta2, "adam: decay of the mean squared gradient"),
        app.add_option("--epsilon", options_.epsilon, "adam: added to the root in the divisor")};
    app.add_option("--weight-decay", options_.weight_decay,
                   "share of the weight in its gradient; with adamw, in its change");
    app.add_option("--schedule", schedule_, "learning rate by epoch: constant, step or cosine")
        ->type_name("constant|step|cosine");
    app.add_option("--warmup-epochs", options_.schedule.warmup_epochs,
                   "epochs over which the learning rate also grows from 0");
    app.add_option("--augment", augment_,
                   "of training images: none, or crop-flip (4 pixels of padding, random crop and "
                   "mirror image)")
        ->type_name("none|crop-flip");
    technology_.add(app);
    for (const CLI::Option* flag : technology_.acting_when_given()) acts_when_given(flag);
    surrogate_.add(app);
    surrogate_.add_refresh(app);
    scale_.add(app);
    update_.add(app);
    app.add_option("--checkpoint-seconds", files_.checkpoint_seconds,
                   "time between checkpoints within an epoch; 0: only at its end");
    app.add_option("--log-steps", files_.log_steps,
                   "steps between two lines of metrics.jsonl; 0: only a line an epoch");
    out_ = app.add_option("--out", out_path_, "folder of the run; default: a new one under out/")
               ->type_name("DIR");
    app.add_flag("--resume", resume_, "go on with the run in --out");
    for (const auto& flags : {sgd_flags_, adam_flags_}) {
      for (const CLI::Option* flag : flags) acts_when_given(flag);
    }
    for (const CLI::Option* flag : update_.flags()) acts_when_given(flag);
    for (const char* flag : {"--tolerance", "--refresh", "--gradients"}) {
      acts_when_given(app.get_option(flag));
    }
  }

  int run() override {
    std::vector<LegMode> modes;
    if (mode_ == "both") {
      modes = {LegMode::ideal, LegMode::in_situ};
    } else {
      modes = {parse_leg_mode(mode_)};
    }
    options_.seed = network_.seed;
    options_.schedule.kind = nn::schedule_kind(schedule_);
    options_.optimizer = nn::optimizer_kind(optimizer_);
    options_.augment = nn::augmentation_of(augment_);
    refuse_flags_of_others();
    if (options_.epochs < 1 && modes.front() != LegMode::batch_norm) {
      throw InvalidArgument("--epochs: expected at least 1, got 0");
    }
    if (modes.front() == LegMode::batch_norm && !has_weights()) {
      throw InvalidArgument("--mode batch-norm: expected --weights of a trained network, got none");
    }
    if (modes.front() != LegMode::hardware_aware && gradients_option_->count() > 0) {
      throw InvalidArgument(fmt::format(
          "--gradients: expected only with --mode hardware-aware, got it with {}", mode_));
    }
    const std::vector<mapping::Technology> technologies = technology_.all();
    const std::vector<SurrogateSettings> surrogates = surrogate_.settings(technologies);
    DeployOptions deploy{.surrogate = {},
                         .scale = scale_.scale(!has_weights() ? nn::WeightScale::headroom
                                                              : nn::WeightScale::maximum),
                         .percentile = scale_.percentile,
                         .headroom = scale_.headroom,
                         .seed = network_.seed};
    if (deploy.scale == nn::WeightScale::learned && modes.front() != LegMode::hardware_aware) {
      throw InvalidArgument(fmt::format(
          "--weight-scale learned: expected with --mode hardware-aware, got it with {}", mode_));
    }
    const bool in_situ = modes.back() == LegMode::in_situ;
    deploy.update = update_.options(in_situ && technologies.front().device);
    if (in_situ && nn::takes_signals(deploy.update.rule)) {
      expect_plain_sgd();
      const auto& scheme = technologies.front().write_scheme;
      if (scheme && *scheme != surrogate::WriteScheme::half) {
        throw InvalidArgument(fmt::format(
            "--write-scheme: expected v2 with --update-rule {}, whose trains fire half "
            "the voltage on either line; got {}",
            nn::update_rule_name(deploy.update.rule), surrogate::write_scheme_name(*scheme)));
      }
    }
    if (modes.front() == LegMode::hardware_aware) {
      deploy.hardware_aware = nn::parse_gradient_rule(gradients_);
    }
    if (resume_ && out_->count() == 0) {
      throw InvalidArgument("--resume: expected together with --out DIR, the folder of the run");
    }
    nn::check_train_options(options_);
    nn::check_training_file_options(files_);
    const nn::DataSet data = network_.load_data();
    const NetworkSpec spec = network_spec(network_.model, data, network_.seed);
    // Also refuses an unknown model, and weights that do not fit, before anything is written.
    const std::string model = spec.make().name();
    // Ideally trained weights are at hand when they are put on arrays.
    DeployOptions ideal_deploy = deploy;
    ideal_deploy.hardware_aware = {};
    ideal_deploy.scale = scale_.scale(nn::WeightScale::maximum);
    std::vector<TrainingLeg> legs;
    for (const LegMode mode : modes) {
      if (mode == LegMode::ideal) {
        legs.push_back({});
        continue;
      }
      for (std::size_t k = 0; k < technologies.size(); ++k) {
        deploy.surrogate = surrogates[k];
        legs.push_back({mode, technologies[k], deploy});
      }
    }
    const std::unique_ptr<MpiSession> mpi = MpiSession::start();
    const bool first = !mpi || mpi->rank() == 0;
    if (mpi) expect_shareable(deploy, in_situ);
    LegOptions leg_options{options_, files_, {}, resume_, mpi.get()};
    if (has_weights()) leg_options.weights = read_weights(spec);
    RunFolder folder(out_->count() > 0
                         ? std::filesystem::path(out_path_)
                         : free_run_folder(fmt::format("train-{}-{}", model, data.name)),
                     name(), settings(), resume_, {"out", "resume", "data", "checkpoint-seconds"});
    if (mpi) mpi->wait_for_all();  // before the first one writes
    if (!first) return train_along(spec, data, legs, leg_options, folder);
    keep_model_file(spec, folder, resume_);

    remark("{} on {}: {} training and {} test images, {} epochs\n", network_.model, data.name,
           data.train.count, data.test.count, options_.epochs);
    Json& results = folder.results();
    results = {{"model", network_.model},
               {"data", data.name},
               {"train_images", data.train.count},
               {"test_images", data.test.count},
               {"seeds",
                {{"data", network_.seed},
                 {"initialisation", network_.seed},
                 {"order_and_augmentation", network_.seed},
                 {"arrays", network_.seed}}},
               {"runs", Json::array()},
               {"deployed", Json::array()}};
    write_file_atomically(folder.file("config.toml"), config_text({"out", "resume"}));
    folder.save(false);
    try {
      for (const TrainingLeg& leg : legs) {
        const TrainedLeg trained = run_leg(leg, spec, data, leg_options, folder);
        results["runs"].push_back(to_json(leg, trained));
        folder.save(false);
        if (!leg.technology) {
          deploy_everywhere(trained, spec, data, technologies, ideal_deploy, results["deployed"]);
          folder.save(false);
        }
      }
    } catch (const Interrupted&) {
      throw Interrupted(
          fmt::format("interrupted; what is done is in {0}, go on with the same flags or --config "
                      "{0}/config.toml, --out {0} --resume",
                      folder.path().string()));
    }
    folder.save(true);
    remark("\nwritten to {0}\nnext: xbar report {0}\n", folder.path().string());
    return 0;
  }

 private:
  // A flag that has no effect is a mistake.
  void refuse_flags_of_others() const {
    const bool sgd = options_.optimizer == nn::OptimizerKind::sgd;
    for (const CLI::Option* flag : sgd ? adam_flags_ : sgd_flags_) {
      if (flag->count() > 0) {
        throw InvalidArgument(fmt::format("{}: expected only with --optimizer {}, got it with {}",
                                          flag->get_name(), sgd ? "adam or adamw" : "sgd",
                                          optimizer_));
      }
    }
  }

  // Arrays that form their gradients take each as it comes.
  void expect_plain_sgd() {
    const CLI::Option* momentum = sgd_flags_.front();
    if (momentum->count() == 0) options_.momentum = 0;
    if (options_.optimizer != nn::OptimizerKind::sgd || options_.momentum > 0 ||
        options_.weight_decay > 0) {
      throw InvalidArgument(
          "--update-rule: expected --optimizer sgd, --momentum 0 and --weight-decay 0 with "
          "stochastic, tiki-taka and tiki-taka-v2, which form the gradient in the arrays");
    }
  }

  // An ONNX file has its own.
  [[nodiscard]] bool has_weights() const {
    return !weights_path_.empty() || network_.model.ends_with(".onnx");
  }

  [[nodiscard]] TensorFile read_weights(const NetworkSpec& spec) const {
    TensorFile weights = cli::read_weights(weights_path_, spec);
    try {
      (void)spec.load(weights);
    } catch (const InvalidArgument& error) {
      throw InvalidArgument(fmt::format("--weights {}: {}", weights_path_, error.what()));
    }
    return weights;
  }

  // What several processes cannot train.
  static void expect_shareable(const DeployOptions& deploy, bool in_situ) {
    if (in_situ && nn::takes_signals(deploy.update.rule)) {
      throw InvalidArgument(
          fmt::format("--update-rule: expected one that works on the gradient with several "
                      "processes, got {}",
                      nn::update_rule_name(deploy.update.rule)));
    }
    if (deploy.scale == nn::WeightScale::learned) {
      throw InvalidArgument(
          "--weight-scale: expected one that is not learned with several processes, got learned");
    }
  }

  // As one of the processes that do not write.
  static int train_along(const NetworkSpec& spec, const nn::DataSet& data,
                         const std::vector<TrainingLeg>& legs, const LegOptions& options,
                         const RunFolder& folder) {
    for (const TrainingLeg& leg : legs) {
      ProgressBar bar;
      static_cast<void>(train_leg(leg, spec, data, options, folder.path(), bar));
    }
    return 0;
  }

  static TrainedLeg run_leg(const TrainingLeg& leg, const NetworkSpec& spec,
                            const nn::DataSet& data, const LegOptions& options,
                            const RunFolder& folder) {
    const std::string label = leg.technology ? fmt::format("{}, {}", leg_mode_name(leg.mode),
                                                           on_label(leg.technology->on_ohm))
                                             : "ideal arithmetic";
    TrainedLeg trained;
    {
      ProgressBar bar(label, "images");
      trained = train_leg(leg, spec, data, options, folder.path(), bar);
    }
    if (trained.deployed_accuracy) {
      fmt::print("  {:<34} {:6.2f} %   with statistics recomputed {:.2f} %\n",
                 "deployed, " + on_label(leg.technology->on_ohm), 100 * *trained.deployed_accuracy,
                 100 * *trained.statistics_accuracy);
    }
    if (leg.technology) {
      fmt::print("  {:<34} {:6.2f} %   exact circuit {:6.2f} %   {:>6.0f} images/s\n",
                 "trained " + label, 100 * trained.test_accuracy, 100 * trained.exact_accuracy,
                 trained.report.images_per_second);
    } else {
      fmt::print("  {:<34} {:6.2f} %                            {:>6.0f} images/s\n",
                 "trained with " + label, 100 * trained.test_accuracy,
                 trained.report.images_per_second);
    }
    fmt::print("    time: {}\n", phase_words(trained.report.phases));
    if (trained.pulses) {
      fmt::print(
          "    pulses: {:.3g} up, {:.3g} down; {:.3g} J, {:.3g} s of pulses one after the other\n",
          trained.pulses->up, trained.pulses->down, trained.pulses->joule, trained.pulses->second);
    }
    return trained;
  }

  // The ideally trained network on the arrays of each technology, without and with gain
  // calibration.
  static void deploy_everywhere(const TrainedLeg& trained, const NetworkSpec& spec,
                                const nn::DataSet& data,
                                const std::vector<mapping::Technology>& technologies,
                                const DeployOptions& options, Json& deployed) {
    for (mapping::Technology technology : technologies) {
      for (const mapping::Gain gain : {mapping::Gain::none, mapping::Gain::column}) {
        technology.gain = gain;
        nn::Network network = spec.load(trained.weights);
        nn::Evaluation evaluation;
        {
          ProgressBar bar("deployed, " + on_label(technology.on_ohm), "images");
          deploy(network, trained.weights, technology, options);
          nn::calibrate_converters(network, technology, data.train);
          evaluation = nn::evaluate(network, data.test, 250, bar.callback());
        }
        fmt::print("  {:<34} {:6.2f} %   exact circuit, gain calibration: {}\n",
                   "deployed, wired, " + on_label(technology.on_ohm), 100 * evaluation.accuracy,
                   mapping::gain_name(gain));
        deployed.push_back({{"technology", to_json(technology)},
                            {"gain", mapping::gain_name(gain)},
                            {"accuracy", evaluation.accuracy},
                            {"loss", evaluation.loss}});
      }
    }
  }

  NetworkFlags network_;
  TechnologyFlags technology_;
  nn::TrainOptions options_{.epochs = 5};
  nn::TrainingFileOptions files_;
  std::string weights_path_;
  std::string mode_ = "both";
  std::string schedule_ = "cosine";
  std::string optimizer_ = "sgd";
  std::string augment_ = "none";
  std::vector<CLI::Option*> sgd_flags_;
  std::vector<CLI::Option*> adam_flags_;
  SurrogateFlags surrogate_{"auto"};
  WeightScaleFlags scale_;
  UpdateFlags update_;
  std::string gradients_ = "adjoint";
  CLI::Option* gradients_option_ = nullptr;
  std::string out_path_;
  CLI::Option* out_ = nullptr;
  bool resume_ = false;
};

}  // namespace

std::unique_ptr<Command> make_train_command() { return std::make_unique<TrainCommand>(); }

}  // namespace xbar::cli
