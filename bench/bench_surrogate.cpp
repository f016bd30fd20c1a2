// The surrogates: one 64 x 64 tile on one core, a batch of 256 on all, and the arrays of a VGG-16
// against a training step of that network, with the requirements as ratios within this run:
//   OMP_WAIT_POLICY=passive bench_surrogate [--table-out FILE] [Google Benchmark's flags]
// All rows take turns in random order, so that a busy machine is as bad for one side of a ratio as
// for the other. Single precision, R_on 20 kohm, on/off 10, 1 ohm a segment, 100 ohm a terminal,
// cells uniform in that range. Takes five minutes and 2 GB.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <omp.h>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/gemm.hpp>
#include <xbar/core/isa.hpp>
#include <xbar/core/parallel.hpp>
#include <xbar/core/random.hpp>
#include <xbar/core/version.hpp>
#include <xbar/surrogate_calibrate/calibrate.hpp>

#include "row_results.hpp"

namespace {

using xbar::Index;
using xbar::Op;
using xbar::surrogate::EffectiveModel;
using xbar::surrogate::ModelInfo;
using xbar::surrogate::ModelKind;
using xbar::surrogate::TileBatch;

constexpr Index tile_side = 64;
constexpr xbar::WireResistance usual_wires{100, 100, 1, 1};  // source, sink, wordline, bitline

using Values = std::vector<float>;

Values uniform(Index count, const char* name, double low, double high) {
  const xbar::RandomStream draws(1, name);
  Values values(static_cast<std::size_t>(count));
  xbar::parallel_for((count + tile_side - 1) / tile_side, [&](Index block) {
    const Index end = std::min(count, (block + 1) * tile_side);
    for (Index e = block * tile_side; e < end; ++e) {
      values[static_cast<std::size_t>(e)] =
          static_cast<float>(draws.uniform(static_cast<std::uint64_t>(e), low, high));
    }
  });
  return values;
}

/// Tiles and the members that have measured them.
class Tiles {
 public:
  explicit Tiles(Index count)
      : batch_{count, tile_side, tile_side},
        conductance_(uniform(batch_.size(), "bench/conductance", 5e-6, 5e-5)),
        out_(conductance_.size()) {}

  EffectiveModel<float>& model(ModelKind kind) {
    auto& model = models_[kind];
    if (!model) {
      model = xbar::surrogate::make_model<float>(kind, usual_wires);
      refresh(*model);
    }
    return *model;
  }
  void refresh(EffectiveModel<float>& model) const { model.refresh(batch_, conductance_); }
  void effective(const EffectiveModel<float>& model) {
    model.effective(batch_, conductance_, out_);
    benchmark::DoNotOptimize(out_.data());
  }

 private:
  TileBatch batch_;
  Values conductance_;
  Values out_;
  std::map<ModelKind, std::unique_ptr<EffectiveModel<float>>> models_;
};

// ---- A training step of VGG-16 on CIFAR-10 as its matrix products.

constexpr Index step_images = 128;
// Images whose patches are one matrix: 38 MB of them in the largest layer.
constexpr Index images_at_once = 16;

/// A convolution of 3 x 3 with padding (side: of its images), or the last, dense layer (side 1).
struct Layer {
  Index inputs, outputs, side;
};

// 64, 64, M, 128, 128, M, 3 x 256, M, 3 x 512, M, 3 x 512, M, dense 512 to 10: 14.7 million
// weights.
constexpr Layer vgg16[] = {{27, 64, 32},   {576, 64, 32},  {576, 128, 16}, {1152, 128, 16},
                           {1152, 256, 8}, {2304, 256, 8}, {2304, 256, 8}, {2304, 512, 4},
                           {4608, 512, 4}, {4608, 512, 4}, {4608, 512, 2}, {4608, 512, 2},
                           {4608, 512, 2}, {512, 10, 1}};

// Tiles for all weights, each on a differential pair in two arrays.
Index vgg16_arrays() {
  const auto tiles = [](Index lines) { return (lines + tile_side - 1) / tile_side; };
  Index count = 0;
  for (const Layer& layer : vgg16) count += 2 * tiles(layer.inputs) * tiles(layer.outputs);
  return count;
}

/// Forward product, gradient of the inputs (not of the first layer's) and gradient of the weights.
/// The rest of a step (patches, normalisation, activations, optimiser) is left out.
class TrainingStep {
 public:
  TrainingStep() {
    Index patches = 0;
    Index results = 0;
    Index weights = 0;
    for (const Layer& layer : vgg16) {
      const Index places = images_at_once * layer.side * layer.side;
      patches = std::max(patches, layer.inputs * places);
      results = std::max(results, layer.outputs * places);
      weights = std::max(weights, layer.inputs * layer.outputs);
    }
    patches_ = uniform(patches, "bench/patches", -1, 1);
    results_ = uniform(results, "bench/results", -1, 1);
    weights_ = uniform(weights, "bench/weights", -1, 1);
    patch_gradient_.resize(patches_.size());
    forward_.resize(results_.size());
    weight_gradient_.resize(weights_.size());
  }

  void run() {
    for (const Layer& layer : vgg16) {
      const Index at_once = layer.side > 1 ? images_at_once : step_images;
      const Index places = layer.side > 1 ? at_once * layer.side * layer.side : step_images;
      for (Index begin = 0; begin < step_images; begin += at_once) {
        xbar::gemm(Op::none, Op::none, layer.outputs, places, layer.inputs, 1.0F, weights_.data(),
                   layer.inputs, patches_.data(), places, 0.0F, forward_.data(), places);
        if (&layer != vgg16) {
          xbar::gemm(Op::transpose, Op::none, layer.inputs, places, layer.outputs, 1.0F,
                     weights_.data(), layer.inputs, results_.data(), places, 0.0F,
                     patch_gradient_.data(), places);
        }
        xbar::gemm(Op::none, Op::transpose, layer.outputs, layer.inputs, places, 1.0F,
                   results_.data(), places, patches_.data(), places, begin > 0 ? 1.0F : 0.0F,
                   weight_gradient_.data(), layer.inputs);
      }
    }
    benchmark::DoNotOptimize(weight_gradient_.data());
  }

 private:
  Values patches_, results_, weights_;
  Values patch_gradient_, forward_, weight_gradient_;
};

// ---- The rows.

const std::string step_row = "surrogate/vgg16/training-step";

std::string vgg16_row(ModelKind kind) {
  return fmt::format("surrogate/vgg16/{}", xbar::surrogate::model_name(kind));
}

/// What a member may cost, as a share of a training step.
struct Requirement {
  ModelKind kind;
  bool with_refresh;
  double most;
};
constexpr Requirement requirements[] = {{ModelKind::operating_point, true, 0.5},
                                        {ModelKind::sneak_ladder, true, 0.5},
                                        {ModelKind::cell_ratio, false, 0.1},
                                        {ModelKind::ladder_ratio, false, 0.1}};

void on_one_core(benchmark::State& state, Tiles& tiles, ModelKind kind, bool refresh) {
  EffectiveModel<float>& model = tiles.model(kind);
  const int all = omp_get_max_threads();
  omp_set_num_threads(1);
  for (auto _ : state) refresh ? tiles.refresh(model) : tiles.effective(model);
  omp_set_num_threads(all);
}

void add_rows() {
  const auto add = [](const std::string& name, auto body) {
    return benchmark::RegisterBenchmark(name.c_str(), body)->UseRealTime();
  };
  static Tiles one(1);
  static Tiles batch(256);
  for (const ModelInfo& info : xbar::surrogate::model_infos()) {
    const ModelKind kind = info.kind;
    if (info.measures) {
      add(fmt::format("surrogate/refresh/{}/64", info.name),
          [kind](auto& state) { on_one_core(state, one, kind, true); });
    }
    add(fmt::format("surrogate/effective/{}/64", info.name),
        [kind](auto& state) { on_one_core(state, one, kind, false); });
    add(fmt::format("surrogate/effective/{}/256x64", info.name), [kind](auto& state) {
      EffectiveModel<float>& model = batch.model(kind);
      for (auto _ : state) batch.effective(model);
    });
  }
  // The largest memory only where these rows run.
  static const auto network = []() -> Tiles& {
    static Tiles tiles(vgg16_arrays());
    return tiles;
  };
  for (const Requirement& wanted : requirements) {
    add(vgg16_row(wanted.kind), [wanted](auto& state) {
      EffectiveModel<float>& model = network().model(wanted.kind);
      for (auto _ : state) {
        if (wanted.with_refresh) network().refresh(model);
        network().effective(model);
      }
      state.counters["arrays"] = static_cast<double>(vgg16_arrays());
    });
  }
  add(step_row, [](auto& state) {
    static TrainingStep step;
    for (auto _ : state) step.run();
  });
}

// ---- The table of requirements.

nlohmann::json print_requirements(const xbar_bench::RowReporter& rows) {
  nlohmann::json lines = nlohmann::json::array();
  const xbar_bench::Row& step = rows.row(step_row);
  fmt::print("\n{:<60} {:>8} {:>10} {:>7}\n", "of a VGG-16 training step's matrix products",
             "medians", "minima", "most");
  for (const Requirement& wanted : requirements) {
    const xbar_bench::Row& row = rows.row(vgg16_row(wanted.kind));
    if (row.seconds.empty() || step.seconds.empty()) continue;
    const double ratio = xbar_bench::median(row.seconds) / xbar_bench::median(step.seconds);
    const double by_minima = xbar_bench::minimum(row.seconds) / xbar_bench::minimum(step.seconds);
    const std::string what =
        fmt::format("{}, {} of {} arrays", xbar::surrogate::model_name(wanted.kind),
                    wanted.with_refresh ? "refresh and effective" : "effective", vgg16_arrays());
    fmt::print("{:<60} {:>8.3f} {:>10.3f} {:>7.2f}  {}\n", what, ratio, by_minima, wanted.most,
               ratio <= wanted.most ? "holds" : "FAILS");
    lines.push_back({{"what", what},
                     {"share_of_step", ratio},
                     {"by_minima", by_minima},
                     {"most", wanted.most},
                     {"seconds", row.seconds},
                     {"step_seconds", step.seconds}});
  }
  return lines;
}

int run(int argc, char** argv) {
  // Before the user's flags, which may contradict them.
  std::string defaults[] = {"--benchmark_repetitions=9",
                            "--benchmark_enable_random_interleaving=true",
                            "--benchmark_min_time=0.02"};
  std::vector<char*> flags{argv[0]};
  for (std::string& flag : defaults) flags.push_back(flag.data());
  constexpr std::string_view table_flag = "--table-out";
  std::string table_out;
  for (int k = 1; k < argc; ++k) {
    if (argv[k] == table_flag && k + 1 < argc) {
      table_out = argv[++k];
    } else {
      flags.push_back(argv[k]);
    }
  }
  int count = static_cast<int>(flags.size());
  benchmark::Initialize(&count, flags.data());
  if (benchmark::ReportUnrecognizedArguments(count, flags.data())) return 2;
  const std::map<std::string, std::string> machine{
      {"xbar", xbar::version},
      {"instruction set", std::string(xbar::isa_name(xbar::isa()))},
      {"gemm engine", xbar::gemm_engine()},
      {"threads", std::to_string(xbar::thread_count())}};
  for (const auto& [key, value] : machine) benchmark::AddCustomContext(key, value);
  add_rows();
  xbar_bench::RowReporter rows;
  if (benchmark::RunSpecifiedBenchmarks(&rows) == 0) return 2;
  const nlohmann::json lines = print_requirements(rows);
  if (!table_out.empty()) {
    xbar::write_file_atomically(
        table_out, nlohmann::json{{"machine", machine}, {"requirements", lines}}.dump(2) + "\n");
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_surrogate: {}\n", error.what());
    return 2;
  }
}
