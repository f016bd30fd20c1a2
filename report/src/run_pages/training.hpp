#pragma once

/// Training runs and how they are shown.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "parts.hpp"

namespace xbar::report::pages {

/// What the arrays of one layer were seen to do while they were trained. Errors are shares.
struct LayerCertificate {
  std::string layer;
  std::string surrogate;  ///< at the end
  double refresh = 0;     ///< updates between two measurements, at the end
  double checks = 0;      ///< arrays solved exactly
  double mean_error = 0;
  double worst_error = 0;
  double worst_fresh_error = 0;  ///< just after a measurement
  double broken = 0;             ///< checks above the tolerance
};

/// The same of all layers.
struct RunCertificate {
  LayerCertificate all;
  double time_share = 0;  ///< of the training
  std::vector<LayerCertificate> layers = {};
};

/// The programming pulses of a training.
struct TrainingPulses {
  std::string device;  ///< device file's name
  std::string rule;
  double up = 0;
  double down = 0;
  double joule = 0;
  double second = 0;
};

/// One training, with ideal arithmetic or through arrays. Accuracies are shares.
struct TrainingRun {
  std::string name;
  std::string mode;  ///< "ideal", "in-situ", "hardware-aware" or "batch-norm"
  bool wired = false;
  std::optional<Technology> technology = {};  ///< of a wired run
  RunCertificate certificate = {};            ///< of a wired run
  std::optional<TrainingPulses> pulses = {};  ///< of a run whose cells are written by pulses
  double test_accuracy = 0;   ///< with the arithmetic of training: ideal, or the surrogate
  double exact_accuracy = 0;  ///< with the exact circuit (ideal run: the same again)
  double test_loss = 0;       ///< likewise
  double images_per_second = 0;
  double train_seconds = 0;
  std::vector<std::pair<std::string, double>> phase_seconds = {};  ///< by phase, tests included
  std::vector<double> epoch = {};
  std::vector<double> epoch_train_loss = {};
  std::vector<double> epoch_test_accuracy = {};

  std::string label = {};  ///< in plots and tables
  Colour colour = Colour::automatic;
};

/// Reads the list, and the metrics that it names in the run's folder, and hands out labels and
/// colours: ideal grey, then a colour for each technology.
[[nodiscard]] std::vector<TrainingRun> training_runs(const Value& list, const Run& run);

/// What a wired run did, to begin a sentence with: "Trained through wired arrays".
[[nodiscard]] std::string mode_words(const TrainingRun& run);

/// The first run with ideal arithmetic.
[[nodiscard]] const TrainingRun* ideal_run(const std::vector<TrainingRun>& runs);
/// The wired run with the lowest accuracy in the exact circuit.
[[nodiscard]] const TrainingRun* hardest_run(const std::vector<TrainingRun>& runs);

/// Measured error of the surrogates, layer by layer. Nothing where no run is wired.
void add_certificates(Page& page, const std::vector<TrainingRun>& runs);

/// Two figures: test accuracy and training loss by epoch.
void add_epoch_figures(Blocks& section, const std::vector<TrainingRun>& runs);
/// One figure: images a second.
void add_speed_figure(Blocks& section, const std::vector<TrainingRun>& runs);
/// One figure: how long the training took.
void add_time_figure(Blocks& section, const std::vector<TrainingRun>& runs);
/// One figure: on what.
void add_phase_figure(Blocks& section, const std::vector<TrainingRun>& runs);

/// "With 2,000 test images, differences of up to about 0.9 points can be chance."
[[nodiscard]] std::string noise_words(double first, double second, long long images);
/// Caption part that explains whiskers.
[[nodiscard]] std::string whisker_words(long long images);

/// Accuracies (shares) of one series of a BarPlot with their noise, in percent.
[[nodiscard]] BarSeries accuracy_bars(std::string name, const std::vector<double>& shares,
                                      long long images, Colour colour);
/// Axis that suits all series.
[[nodiscard]] Axis accuracy_axis(const std::vector<BarSeries>& series);

}  // namespace xbar::report::pages
