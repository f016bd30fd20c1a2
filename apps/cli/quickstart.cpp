#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include <xbar/core/array_file.hpp>
#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/core/isa.hpp>
#include <xbar/core/parallel.hpp>
#include <xbar/core/stopwatch.hpp>
#include <xbar/core/version.hpp>
#include <xbar/report/run_page.hpp>
#include <xbar/solver/effective_conductance.hpp>
#include <xbar/solver/solve.hpp>
#include <xbar/validation/study.hpp>
#include <xbar/validation/tile_check.hpp>

#include "commands.hpp"
#include "console.hpp"
#include "flags.hpp"
#include "remapping.hpp"
#include "study.hpp"
#include "training_leg.hpp"
#include "verbosity.hpp"

namespace xbar::cli {
namespace {

/// The tour: the whole path from one array to a re-mapped network, in about a minute.
class QuickstartCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "quickstart"; }
  [[nodiscard]] std::string description() const override {
    return "the whole path in a minute: solve, surrogate, train, check, re-map, one page";
  }

  void declare(CLI::App& app) override {
    app.add_option("--out", out_path_, "folder of the run; an earlier quickstart there is replaced")
        ->type_name("DIR");
    app.add_flag("--short", short_, "smaller and quicker, to see that everything works");
    add_seed_flag(app, seed_);
  }

  int run() override {
    const Stopwatch watch;
    const std::filesystem::path out(out_path_);
    if (std::filesystem::exists(out / "run.json")) replace_earlier_run(out);
    RunFolder folder(out, name(), settings(), false);
    Json& results = folder.results();
    results["machine"] = {{"isa", isa_name(isa())}, {"threads", thread_count()}};
    array(folder);
    study(folder);
    const nn::DataSet data = nn::load_data("glyphs", seed_);
    const NetworkSpec spec = network_spec("mlp", data, seed_);
    const TrainedLeg ideal = training(folder, spec, data);
    remapping(folder, spec, data, ideal);
    results["seconds"] = watch.seconds();
    folder.save(true);
    const std::filesystem::path page = out / "index.html";
    write_file_atomically(page, report::run_page(out));
    remark(
        "\nDone in {}. The page with the plots: {}\n"
        "Next, your own numbers:\n"
        "  xbar solve --conductance G.npy --voltage V.npy --wordline-ohm 2.5 --bitline-ohm 2.5\n"
        "  xbar validate --out out/validate         surrogates against the solver, your "
        "technology\n"
        "  xbar train --model lenet5 --data glyphs --on-ohm 100e3\n"
        "  scripts/get-data mnist data/mnist && xbar train --model mlp --data mnist=data/mnist\n",
        format_duration(watch.seconds()), page.string());
    return 0;
  }

 private:
  static void replace_earlier_run(const std::filesystem::path& out) {
    const Json former = Json::parse(read_file(out / "run.json"), nullptr, false);
    if (former.is_discarded() || former.value("command", "") != "quickstart") {
      throw InvalidArgument(fmt::format(
          "--out: {} holds a run of another command; give another folder", out.string()));
    }
    std::filesystem::remove(out / "run.json");
  }

  [[nodiscard]] surrogate::CalibrationPoint array_point() const {
    surrogate::CalibrationPoint point;
    point.on_ohm = array_technology_.on_ohm;
    point.on_off_ratio = array_technology_.on_off_ratio;
    point.wires = array_technology_.wires;
    return point;
  }

  // (a) One array, exactly; ideal arithmetic and the surrogates against it.
  void array(RunFolder& folder) const {
    const surrogate::CalibrationPoint point = array_point();
    const Matrix conductance = surrogate::random_conductance(point, seed_);
    const Vector voltage = Vector::Ones(point.rows);
    const WireResistance& w = point.wires;
    fmt::print(
        "1. One {0} x {0} array: R_on {1:g} kΩ, ratio {2:g}, source {3:g} Ω, sink {4:g} Ω, "
        "lines {5:g} Ω a cell\n",
        point.rows, point.on_ohm / 1e3, point.on_off_ratio, w.source_ohm, w.sink_ohm,
        w.wordline_ohm);
    solver::SolveOptions options;
    options.node_voltages = true;
    const solver::SolveResult line = solver::solve(conductance, voltage, w, options);
    options.method = solver::SolveMethod::direct;
    const solver::SolveResult direct = solver::solve(conductance, voltage, w, options);
    const double largest = direct.current.cwiseAbs().maxCoeff();
    const double agreement = (line.current - direct.current).cwiseAbs().maxCoeff() / largest;
    fmt::print("   {}\n   {}\n   the two methods agree to {:.0e}\n", line.report.brief(),
               direct.report.brief(), agreement);

    validation::StudyOptions study;
    study.measure.seed = seed_;
    study.measure.arrays = 1;
    const std::vector<validation::StudyRow> rows =
        validation::surrogate_study({study_point(point)}, study);
    fmt::print("   error of the output currents, random sparse inputs, mean (worst):\n");
    for (const validation::StudyRow& row : rows) {
      const surrogate::Measurement& m = row.measurement;
      fmt::print("     {:<16} {:>8.3g} % ({:.3g} %)\n",
                 m.model == surrogate::ModelKind::ideal ? "ideal arithmetic"
                                                        : surrogate::model_name(m.model),
                 100 * m.mean_error, 100 * m.worst_error);
    }

    // What of its input voltage each cell loses.
    const solver::NodeVoltages& nodes = line.nodes.front();
    const Matrix lost =
        1.0 - ((nodes.wordline - nodes.bitline).array().colwise() / voltage.array());
    write_array(folder.file("ir_drop.npy"), lost);
    folder.results()["array"] = {
        {"size", point.rows},
        {"technology", to_json(array_technology_)},
        {"line_seconds", line.report.factor_seconds + line.report.solve_seconds},
        {"direct_seconds", direct.report.factor_seconds + direct.report.solve_seconds},
        {"iterations", line.report.iterations},
        {"kcl_residual", line.report.kcl_residual},
        {"agreement", agreement},
        {"errors", to_json(rows)},
        {"ir_drop", "ir_drop.npy"}};
    folder.save(false);
  }

  // The same errors against size and line resistance, for the plots.
  void study(RunFolder& folder) const {
    fmt::print("2. How the errors grow with size and line resistance\n");
    const validation::StudyPoint base = study_point(array_point());
    std::vector<validation::StudyPoint> by_size;
    for (const Index size :
         short_ ? std::vector<Index>{16, 32, 64} : std::vector<Index>{16, 32, 64, 128}) {
      by_size.push_back(base);
      by_size.back().technology.rows = by_size.back().technology.columns = size;
    }
    std::vector<validation::StudyPoint> by_line;
    for (const double ohm :
         short_ ? std::vector<double>{0.1, 1, 10} : std::vector<double>{0.1, 0.3, 1, 3, 10}) {
      by_line.push_back(base);
      WireResistance& wires = by_line.back().technology.wires;
      wires.wordline_ohm = wires.bitline_ohm = ohm;
    }
    validation::StudyOptions options;
    options.measure.seed = seed_;
    options.measure.arrays = short_ ? 1 : 3;
    std::vector<validation::StudyRow> size_rows;
    std::vector<validation::StudyRow> line_rows;
    {
      ProgressBar bar;
      size_rows = validation::surrogate_study(by_size, options, bar.callback());
      line_rows = validation::surrogate_study(by_line, options, bar.callback());
    }
    print_study(size_rows);
    folder.results()["study"] = {{"by_size", to_json(size_rows)}, {"by_line", to_json(line_rows)}};
    folder.save(false);
  }

  // (b) Training, ideal and in-situ; (c) the surrogate on the trained tiles.
  TrainedLeg training(RunFolder& folder, const NetworkSpec& spec, const nn::DataSet& data) const {
    nn::TrainOptions options;
    options.epochs = short_ ? 1 : 8;
    options.seed = seed_;
    options.schedule.kind = nn::ScheduleKind::cosine;
    fmt::print(
        "3. Training mlp (784-256-128-10) on {} generated glyphs, {} epoch{}, on {} x {} tiles: "
        "{}, "
        "source {:g} Ω, sink {:g} Ω, lines {:g} Ω a cell\n",
        data.train.count, options.epochs, options.epochs == 1 ? "" : "s", technology_.tile_rows,
        technology_.tile_columns, on_label(technology_.on_ohm), technology_.wires.source_ohm,
        technology_.wires.sink_ohm, technology_.wires.wordline_ohm);
    const std::vector<TrainingLeg> legs = {{},
                                           {LegMode::in_situ,
                                            technology_,
                                            {.surrogate = surrogate_,
                                             .scale = nn::WeightScale::headroom,
                                             .headroom = headroom_,
                                             .seed = seed_}}};
    Json training = {{"model", spec.model.name},
                     {"data", data.name},
                     {"train_images", data.train.count},
                     {"test_images", data.test.count},
                     {"runs", Json::array()}};
    std::vector<TrainedLeg> trained;
    for (const TrainingLeg& leg : legs) {
      std::filesystem::remove_all(folder.file(leg.name()));
      ProgressBar bar(leg.name(), "images");
      trained.push_back(train_leg(leg, spec, data, {.train = options}, folder.path(), bar));
      training["runs"].push_back(to_json(leg, trained.back()));
    }
    const auto deployed_accuracy = [&](mapping::Gain gain) {
      mapping::Technology technology = technology_;
      technology.gain = gain;
      nn::Network network = spec.load(trained[0].weights);
      deploy(network, trained[0].weights, technology);
      return nn::evaluate(network, data.test).accuracy;
    };
    const double as_deployed = deployed_accuracy(mapping::Gain::none);
    const double calibrated = deployed_accuracy(mapping::Gain::column);
    training["deployed"] = {{"accuracy", as_deployed}, {"calibrated_accuracy", calibrated}};
    fmt::print("   test accuracy\n");
    fmt::print("     ideal arithmetic                            {:6.2f} %\n",
               100 * trained[0].test_accuracy);
    fmt::print("     the same weights put on wired arrays        {:6.2f} %\n", 100 * as_deployed);
    fmt::print("     ... with a digital gain for each column      {:6.2f} %\n", 100 * calibrated);
    fmt::print(
        "     trained through the wired arrays            {:6.2f} %  (exact circuit {:.2f} %)\n",
        100 * trained[1].test_accuracy, 100 * trained[1].exact_accuracy);
    fmt::print("   speed: {:.0f} images/s ideal, {:.0f} through the arrays\n",
               trained[0].report.images_per_second, trained[1].report.images_per_second);
    folder.results()["training"] = std::move(training);
    folder.save(false);

    nn::Network network = spec.load(trained[1].weights);
    deploy(network, trained[1].weights, technology_,
           {.surrogate = {.model = surrogate::ModelKind::ladder}});
    validation::TileCheckOptions check;
    check.tiles = short_ ? 8 : 32;
    check.seed = seed_;
    const validation::TileCheck certificate = validation::check_tiles(network, check);
    fmt::print("4. The surrogates on {} of the {} trained arrays against the exact solver\n",
               certificate.tiles, certificate.total);
    Json rows = Json::array();
    for (const surrogate::Measurement& row : certificate.rows) {
      fmt::print("     {:<16} mean {:.3g} %, worst {:.3g} %\n", surrogate::model_name(row.model),
                 100 * row.mean_error, 100 * row.worst_error);
      rows.push_back({{"model", surrogate::model_name(row.model)},
                      {"mean_error", row.mean_error},
                      {"worst_error", row.worst_error}});
    }
    folder.results()["certificate"] = {
        {"tiles", certificate.tiles}, {"total", certificate.total}, {"rows", std::move(rows)}};
    folder.save(false);
    return trained[0];
  }

  // (d) Columns and rows re-arranged, where line resistance dominates.
  void remapping(RunFolder& folder, const NetworkSpec& spec, const nn::DataSet& data,
                 const TrainedLeg& ideal) const {
    mapping::Technology technology = technology_;
    technology.on_ohm = 5e3;
    technology.wires = {.source_ohm = 0, .sink_ohm = 0, .wordline_ohm = 10, .bitline_ohm = 10};
    fmt::print(
        "5. Re-mapping the ideally trained network on arrays with line resistance only "
        "({}, {:g} Ω a cell)\n",
        on_label(technology.on_ohm), technology.wires.wordline_ohm);
    nn::RemapComparison comparison;
    {
      ProgressBar bar;
      nn::RemapStudy study(remap_networks(spec, ideal.weights, {}), data, technology, {},
                           bar.callback());
      comparison = study.compare(
          {.strategy = mapping::RemapStrategy::optimal, .calibration_images = short_ ? 100 : 400},
          bar.callback());
    }
    fmt::print(
        "     as trained          {:6.2f} %\n     re-mapped           {:6.2f} %  "
        "({:+.2f} points: {} images put right, {} spoilt)\n",
        100 * comparison.as_is.plain.accuracy, 100 * comparison.remapped.plain.accuracy,
        100 * (comparison.remapped.plain.accuracy - comparison.as_is.plain.accuracy),
        comparison.put_right, comparison.spoilt);
    Json json = to_json(comparison);
    json["strategy"] = "optimal";
    json["technology"] = to_json(technology);
    json["ideal_accuracy"] = ideal.test_accuracy;
    folder.results()["remap"] = std::move(json);
    folder.save(false);
  }

  std::string out_path_ = "out/quickstart";
  bool short_ = false;
  std::uint64_t seed_ = 1;
  SurrogateSettings surrogate_{.model = surrogate::ModelKind::ideal,
                               .certificate = {.tolerance = SurrogateFlags::default_tolerance}};
  double headroom_ = 8;
  // The lone array has the cells and wires of the surrogates' usual test case; the network's arrays
  // are harder, so that wires cost it something.
  mapping::Technology array_technology_{
      .wires = {.source_ohm = 100, .sink_ohm = 100, .wordline_ohm = 1, .bitline_ohm = 1}};
  mapping::Technology technology_{.on_ohm = 10e3};
};

}  // namespace

std::unique_ptr<Command> make_quickstart_command() { return std::make_unique<QuickstartCommand>(); }

}  // namespace xbar::cli
