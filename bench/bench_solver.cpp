// The solver against CHOLMOD on the same nodal matrix and against ngspice, its growth, its memory
// and its hard cases; after the rows come tables, the last of them the requirements as ratios
// within this run:
//   nice -n -15 bench_solver [--large] [--table-out FILE] [Google Benchmark's flags]
// --large adds 512 x 512 and 1024 x 1024 for CHOLMOD and 128 x 128 for ngspice (ten minutes, 4 GB).
// All rows take turns in random order, at least nine times, so that a busy machine is as bad for
// one side of a ratio as for the other. Every result of a row is compared with the currents by
// iterative refinement in extended precision (CholmodOpponent::reference).
//
// Where Linux groups processes by session (/proc/sys/kernel/sched_autogroup_enabled), nice counts
// only within the session. Priority over the others then takes
//   setsid -w sh -c 'echo -15 >/proc/self/autogroup; exec bench_solver'

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <omp.h>
#include <unistd.h>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/isa.hpp>
#include <xbar/core/parallel.hpp>
#include <xbar/core/random.hpp>
#include <xbar/core/stopwatch.hpp>
#include <xbar/core/version.hpp>
#include <xbar/device/cell_models.hpp>
#include <xbar/solver/effective_conductance.hpp>
#include <xbar/solver/newton.hpp>
#include <xbar/solver/solve.hpp>
#include <xbar/solver/spice_netlist.hpp>
#include <xbar/solver/transient.hpp>

#include "cholmod_opponent.hpp"
#include "ngspice_opponent.hpp"
#include "requirement_table.hpp"
#include "row_results.hpp"

namespace {

using xbar::Index;
using xbar::Matrix;
using xbar::Stopwatch;
using xbar::WireResistance;
using xbar_bench::CholmodOpponent;
using xbar_bench::CholmodSetting;
using xbar_bench::HardCase;

constexpr Index batch_tiles = 3600;
constexpr Index batch_size = 64;
// Right-hand sides that CHOLMOD solves together: of 4, 8, 32 and all at once the fastest, or within
// a few per cent of it, for both kinds of factor.
constexpr Index solved_together = 8;
// Up to this size CHOLMOD takes less than a second.
constexpr Index quick_size = 256;

constexpr WireResistance usual_wires{100, 100, 1, 1};  // source, sink, wordline, bitline
constexpr double usual_r_on = 20e3;

/// Sets the number of OpenMP's threads while it lives.
class Threads {
 public:
  explicit Threads(int count) : before_(omp_get_max_threads()) { omp_set_num_threads(count); }
  ~Threads() { omp_set_num_threads(before_); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

 private:
  int before_;
};

struct Array {
  Matrix conductance;
  Matrix voltage;  // one input vector
};

// Conductances from a tenth of 1 / R_on to 1 / R_on.
Matrix random_conductance(Index size, double r_on, std::uint64_t number) {
  const xbar::RandomStream draws = xbar::RandomStream(1, "bench/conductance").substream(number);
  Matrix conductance(size, size);
  for (Index e = 0; e < conductance.size(); ++e) {
    conductance.data()[e] = draws.uniform(static_cast<std::uint64_t>(e), 0.1 / r_on, 1 / r_on);
  }
  return conductance;
}

Matrix random_voltage(Index size) {
  const xbar::RandomStream draws(1, "bench/voltage");
  Matrix voltage(size, 1);
  for (Index i = 0; i < size; ++i) voltage(i, 0) = draws.uniform(static_cast<std::uint64_t>(i));
  return voltage;
}

const Array& usual_array(Index size) {
  static std::map<Index, Array> arrays;
  const auto [at, added] = arrays.try_emplace(size);
  if (added) at->second = {random_conductance(size, usual_r_on, 0), random_voltage(size)};
  return at->second;
}

// The number after `key`, in kilobytes, in one of /proc's files; NaN if it is not there.
double bytes_in(const char* file, std::string_view key) {
  std::ifstream words(file);
  double kilobytes = 0;
  for (std::string word; words >> word;) {
    if (word == key && words >> kilobytes) return 1024 * kilobytes;
  }
  return std::nan("");
}

// @throws std::runtime_error where a factorisation would not leave a third of the memory free
void analyze_if_it_fits(CholmodOpponent& opponent) {
  opponent.analyze();
  const double available = bytes_in("/proc/meminfo", "MemAvailable:");
  if (opponent.factor_bytes() < available * 2 / 3) return;
  throw std::runtime_error(fmt::format("CHOLMOD's factor of {:.0f} MB is too much here",
                                       1e-6 * opponent.factor_bytes()));
}

Matrix reference_currents(const Matrix& conductance, const Matrix& voltage,
                          const WireResistance& wires) {
  const auto settings = xbar_bench::cholmod_settings();
  const bool supernodal =
      std::find(settings.begin(), settings.end(), CholmodSetting::supernodal_amd) != settings.end();
  CholmodOpponent opponent(
      conductance, wires,
      supernodal ? CholmodSetting::supernodal_amd : CholmodSetting::simplicial_amd);
  analyze_if_it_fits(opponent);
  opponent.factor();
  return opponent.reference(voltage);
}

const Matrix& usual_reference(Index size) {
  static std::map<Index, Matrix> references;
  const auto found = references.find(size);
  if (found != references.end()) return found->second;
  const Array& array = usual_array(size);
  return references[size] = reference_currents(array.conductance, array.voltage, usual_wires);
}

// Currents for unit inputs.
const Matrix& effective_reference(Index size) {
  static std::map<Index, Matrix> references;
  const auto found = references.find(size);
  if (found != references.end()) return found->second;
  return references[size] = reference_currents(usual_array(size).conductance,
                                               Matrix::Identity(size, size), usual_wires);
}

double relative_error(const Matrix& current, const Matrix& reference) {
  return (current - reference).cwiseAbs().maxCoeff() / reference.cwiseAbs().maxCoeff();
}

void put_report(benchmark::State& state, const xbar::solver::SolveReport& report) {
  state.counters["iterations"] = report.iterations;
  state.counters["kcl"] = report.kcl_residual;
  state.counters["bytes"] = static_cast<double>(report.bytes);
  state.counters["fell_back"] = report.fell_back ? 1 : 0;
}

void measure_solve(benchmark::State& state, Index size, int threads, bool with_error) {
  const Threads limit(threads);
  const Array& array = usual_array(size);
  xbar::solver::SolveResult result;
  for (auto _ : state) {
    result = xbar::solver::solve(array.conductance, array.voltage, usual_wires);
  }
  put_report(state, result.report);
  if (with_error) state.counters["error"] = relative_error(result.current, usual_reference(size));
}

void measure_kept_solver(benchmark::State& state, Index size, bool factor_again) {
  const Threads one(1);
  const Array& array = usual_array(size);
  const auto circuit = [&] { return xbar::solver::make_circuit(array.conductance, usual_wires); };
  const auto solver = xbar::solver::make_array_solver(xbar::solver::SolveMethod::line);
  solver->factor(circuit());
  const xbar::solver::TerminalVoltage voltage{array.voltage, {}};
  xbar::solver::SolveResult result;
  for (auto _ : state) {
    if (factor_again) solver->factor(circuit());
    result = solver->solve(voltage, {});
  }
  put_report(state, result.report);
  state.counters["error"] = relative_error(result.current, usual_reference(size));
}

void measure_effective(benchmark::State& state, Index size) {
  const Threads one(1);
  const Array& array = usual_array(size);
  Matrix effective;
  for (auto _ : state) {
    effective = xbar::solver::effective_conductance(array.conductance, usual_wires);
  }
  state.counters["error"] = relative_error(effective.transpose(), effective_reference(size));
}

// Sinh cells with the model's own bend and inputs up to 1 V; the error is against KLU.
void measure_newton(benchmark::State& state, Index size) {
  const Threads one(1);
  const Array& array = usual_array(size);
  const xbar::solver::Circuit circuit = xbar::solver::make_circuit(array.conductance, usual_wires);
  const auto cells = xbar::device::make_cell_model("sinh");
  const xbar::solver::TerminalVoltage voltage{array.voltage, {}};
  xbar::solver::NewtonOptions options;
  options.method = xbar::solver::NewtonMethod::klu;
  const Matrix reference = solve_newton(circuit, *cells, voltage, options).current;
  xbar::solver::NewtonResult result;
  for (auto _ : state) result = solve_newton(circuit, *cells, voltage);
  state.counters["iterations"] = result.report.iterations();
  state.counters["error"] = relative_error(result.current, reference);
}

// One accepted step of a transient of 1 ns, everything included: repeated steps, factors, energies,
// output. 1 fF a node, inputs that rise in 1 ps. The error is that of all currents over time,
// against steps of a hundredth of the tolerance.
void measure_transient_step(benchmark::State& state, Index size) {
  const Threads one(1);
  const Array& array = usual_array(size);
  const xbar::solver::Circuit circuit = xbar::solver::make_circuit(array.conductance, usual_wires);
  const xbar::solver::Capacitance capacitance = xbar::solver::make_capacitance(1e-15);
  const xbar::solver::TransientInput input{
      array.voltage.col(0), {}, {xbar::device::Waveform::step(0, 1, 0, 1e-12, 1e-9)}, {}};
  xbar::solver::TransientOptions options;
  options.stop_second = 1e-9;
  options.steps = 100;
  xbar::solver::TransientOptions finer = options;
  finer.tolerance /= 100;
  static const Matrix reference = transient(circuit, capacitance, input, finer).current;
  xbar::solver::TransientResult result = transient(circuit, capacitance, input, options);
  while (state.KeepRunningBatch(result.report.steps)) {
    result = transient(circuit, capacitance, input, options);
  }
  state.counters["steps"] = static_cast<double>(result.report.steps);
  state.counters["error"] = relative_error(result.current, reference);
}

void measure_batch(benchmark::State& state, int threads) {
  static const std::vector<Matrix> tiles = [] {
    std::vector<Matrix> all;
    for (Index t = 0; t < batch_tiles; ++t) {
      all.push_back(random_conductance(batch_size, usual_r_on, static_cast<std::uint64_t>(t)));
    }
    return all;
  }();
  const Threads limit(threads);
  std::vector<Matrix> effective;
  for (auto _ : state) {
    effective = xbar::solver::effective_conductance(tiles, usual_wires);
  }
  state.counters["tiles_per_second"] = benchmark::Counter(
      static_cast<double>(batch_tiles), benchmark::Counter::kIsIterationInvariantRate);
  // Tile 0 is the usual array.
  state.counters["error"] =
      relative_error(effective.front().transpose(), effective_reference(batch_size));
}

void measure_hard(benchmark::State& state, const HardCase& hard) {
  const Threads one(1);
  const Index size = xbar_bench::hard_size;
  const Matrix conductance = random_conductance(size, hard.r_on_ohm, 0);
  const Matrix voltage = random_voltage(size);
  const WireResistance wires{usual_wires.source_ohm, usual_wires.sink_ohm, hard.segment_ohm,
                             hard.segment_ohm};
  static std::map<std::pair<double, double>, Matrix> references;
  Matrix& reference = references[{hard.r_on_ohm, hard.segment_ohm}];
  if (reference.size() == 0) reference = reference_currents(conductance, voltage, wires);
  xbar::solver::SolveResult result;
  for (auto _ : state) result = xbar::solver::solve(conductance, voltage, wires);
  put_report(state, result.report);
  state.counters["error"] = relative_error(result.current, reference);
  state.counters["current_lost"] = 1 - reference.sum() / (conductance.transpose() * voltage).sum();
}

// All phases in turn. The first factorisation after an analysis gets its memory, the second does
// not. The matrix is assembled outside: CHOLMOD is not charged for that.
void measure_cholmod(benchmark::State& state, Index size, CholmodSetting setting,
                     bool unit_inputs) {
  const Threads one(1);
  const Array& array = usual_array(size);
  const Matrix identity = Matrix::Identity(size, size);
  CholmodOpponent opponent(array.conductance, usual_wires, setting);
  analyze_if_it_fits(opponent);
  Matrix current;
  Matrix currents;
  const auto timed = [&](const char* phase, const auto& body) {
    const Stopwatch watch;
    body();
    state.counters[phase].value += watch.seconds();
  };
  for (auto _ : state) {
    timed("analyze", [&] { opponent.analyze(); });
    timed("factor", [&] { opponent.factor(); });
    timed("solve", [&] { current = opponent.solve(array.voltage, 1); });
    timed("refactor", [&] { opponent.factor(); });
    if (unit_inputs) timed("many", [&] { currents = opponent.solve(identity, solved_together); });
  }
  for (auto& [phase, counter] : state.counters) counter.flags = benchmark::Counter::kAvgIterations;
  state.counters["bytes"] = opponent.peak_bytes();
  state.counters["error"] = relative_error(current, usual_reference(size));
  if (unit_inputs) {
    state.counters["many_error"] = relative_error(currents, effective_reference(size));
  }
}

void measure_ngspice(benchmark::State& state, Index size) {
  const Array& array = usual_array(size);
  const xbar::solver::Circuit circuit = xbar::solver::make_circuit(array.conductance, usual_wires);
  const Matrix& reference = usual_reference(size);
  const xbar_bench::NgspiceOpponent opponent(
      xbar::solver::spice_netlist(circuit, *xbar::device::make_cell_model("linear"),
                                  array.voltage.col(0), {}, reference.col(0)));
  for (auto _ : state) opponent.run();
  state.counters["error"] = relative_error(opponent.currents(size), reference);
}

template <typename Measure>
benchmark::internal::Benchmark* add(const std::string& name, const Measure& measure) {
  return benchmark::RegisterBenchmark(name.c_str(),
                                      [name, measure](benchmark::State& state) {
                                        try {
                                          measure(state);
                                        } catch (const std::exception& error) {
                                          fmt::print(stderr, "{} left out: {}\n", name,
                                                     error.what());
                                          state.SkipWithError(error.what());
                                        }
                                      })
      ->UseRealTime();
}

// For rows of some milliseconds and less: many short repetitions, most of which lie between two
// interruptions by other processes.
void brief(benchmark::internal::Benchmark* row) { row->MinTime(0.003)->Repetitions(45); }

void add_rows(bool large) {
  constexpr int slow_repetitions = 3;
  const int all_threads = xbar::thread_count();
  const auto name = [](const std::string& subject, Index size) {
    return fmt::format("solver/{}/{}", subject, size);
  };
  for (const Index size : xbar_bench::growth_sizes()) {
    const bool with_error = large || size <= quick_size;
    auto* one =
        add(name("solve", size), [=](auto& state) { measure_solve(state, size, 1, with_error); });
    auto* all = add(name("solve_all_threads", size),
                    [=](auto& state) { measure_solve(state, size, all_threads, with_error); });
    if (size > quick_size) continue;
    brief(one);
    brief(all);
  }
  for (const Index size : {64, 256}) {
    brief(
        add(name("refactor", size), [=](auto& state) { measure_kept_solver(state, size, true); }));
    brief(add(name("warm", size), [=](auto& state) { measure_kept_solver(state, size, false); }));
  }
  for (const Index size : {64, 128}) {
    brief(add(name("effective", size), [=](auto& state) { measure_effective(state, size); }));
  }
  constexpr Index usual_size = 64;
  brief(add(name("newton", usual_size), [](auto& state) { measure_newton(state, usual_size); }));
  brief(add(name("transient_step", usual_size),
            [](auto& state) { measure_transient_step(state, usual_size); }));
  for (const int threads : {1, 2}) {
    if (threads > all_threads) continue;
    add(name("batch_threads", threads), [=](auto& state) { measure_batch(state, threads); });
  }
  for (const HardCase& hard : xbar_bench::hard_cases()) {
    brief(add(xbar_bench::hard_row(hard), [=](auto& state) { measure_hard(state, hard); }));
  }
  for (const CholmodSetting setting : xbar_bench::cholmod_settings()) {
    for (const Index size : xbar_bench::growth_sizes()) {
      if (size > quick_size && !large) continue;
      // Simplicial factors of 1024 x 1024 take minutes where supernodal ones take seconds.
      const bool simplicial =
          setting == CholmodSetting::simplicial_amd || setting == CholmodSetting::simplicial_nesdis;
      if (size > 512 && simplicial) continue;
      const bool unit_inputs = size <= 128;
      auto* row = add(xbar_bench::cholmod_row(xbar_bench::setting_name(setting), size),
                      [=](auto& state) { measure_cholmod(state, size, setting, unit_inputs); });
      if (size > quick_size) row->Iterations(1)->Repetitions(slow_repetitions);
    }
  }
  if (xbar_bench::have_ngspice()) {
    const auto add_ngspice = [&](Index size, int repetitions) {
      add(name("ngspice", size), [=](auto& state) { measure_ngspice(state, size); })
          ->Iterations(1)
          ->Repetitions(repetitions);
    };
    add_ngspice(64, slow_repetitions);
    // Its time grows with the fifth to sixth power of the side: at 256 it would take hours.
    if (large) add_ngspice(128, 1);
  }
}

// ---- Peak memory, of a process of its own.

constexpr std::string_view peak_flag = "--peak-of-solve";
constexpr Index peak_size = 1024;

void print_peak_of_solve() {
  const Array& array = usual_array(peak_size);
  const auto result = xbar::solver::solve(array.conductance, array.voltage, usual_wires);
  benchmark::DoNotOptimize(result.current.data());
  // Not getrusage(): what it says of a child counts the parent's pages too, from before exec.
  fmt::print("{}\n", bytes_in("/proc/self/status", "VmHWM:"));
}

double peak_of_solve(const std::string& program) {
  const std::string command = fmt::format("'{}' {}", program, peak_flag);
  FILE* const output = popen(command.c_str(), "r");
  if (output == nullptr) return std::nan("");
  char line[64] = "";
  const bool read = std::fgets(line, sizeof line, output) != nullptr;
  return pclose(output) == 0 && read ? std::strtod(line, nullptr) : std::nan("");
}

// ---- The program.

struct Options {
  bool large = false;
  bool print_peak = false;
  std::string table_out;
  std::vector<char*> rest;  // for Google Benchmark
};

Options parse(int argc, char** argv) {
  Options options;
  // Before the user's flags, which may contradict them.
  static std::string defaults[] = {"--benchmark_repetitions=9",
                                   "--benchmark_enable_random_interleaving=true",
                                   "--benchmark_min_time=0.02"};
  options.rest.push_back(argv[0]);
  for (std::string& flag : defaults) options.rest.push_back(flag.data());
  constexpr std::string_view table_flag = "--table-out";
  for (int k = 1; k < argc; ++k) {
    const std::string_view argument = argv[k];
    if (argument == "--large") {
      options.large = true;
    } else if (argument == peak_flag) {
      options.print_peak = true;
    } else if (argument == table_flag && k + 1 < argc) {
      options.table_out = argv[++k];
    } else if (argument.starts_with(fmt::format("{}=", table_flag))) {
      options.table_out = argument.substr(table_flag.size() + 1);
    } else {
      options.rest.push_back(argv[k]);
    }
  }
  return options;
}

// libgomp reads OMP_WAIT_POLICY before main (docs/adr/0005-waiting-threads.md).
void let_threads_sleep(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr) return;
  setenv("OMP_WAIT_POLICY", "passive", 0);
  execv("/proc/self/exe", argv);  // returns only if that is not possible; then go on as we are
}

std::map<std::string, std::string> describe_machine(const char* blas) {
  double load[1] = {std::nan("")};
  getloadavg(load, 1);
  return {{"xbar", xbar::version},
          {"instruction set", std::string(xbar::isa_name(xbar::isa()))},
          {"threads", std::to_string(xbar::thread_count())},
          {"waiting threads", std::getenv("OMP_WAIT_POLICY") ? std::getenv("OMP_WAIT_POLICY") : ""},
          {"CHOLMOD's BLAS", blas},
          {"load average at start", fmt::format("{:.2f}", load[0])}};
}

int run(int argc, char** argv) {
  Options options = parse(argc, argv);
  if (options.print_peak) {
    print_peak_of_solve();
    return 0;
  }
  int count = static_cast<int>(options.rest.size());
  benchmark::Initialize(&count, options.rest.data());
  if (benchmark::ReportUnrecognizedArguments(count, options.rest.data())) return 2;
  const auto machine = describe_machine(xbar_bench::use_one_blas_thread());
  for (const auto& [key, value] : machine) benchmark::AddCustomContext(key, value);
  add_rows(options.large);

  xbar_bench::RowReporter rows;
  if (benchmark::RunSpecifiedBenchmarks(&rows) == 0) return 2;
  const std::string solved = fmt::format("solver/solve/{}", peak_size);
  const double peak_bytes =
      rows.row(solved).seconds.empty()
          ? std::nan("")
          : peak_of_solve(std::filesystem::read_symlink("/proc/self/exe").string());
  std::vector<std::string> settings;
  for (const CholmodSetting setting : xbar_bench::cholmod_settings()) {
    settings.emplace_back(xbar_bench::setting_name(setting));
  }
  const auto lines = xbar_bench::requirements(rows, settings, peak_bytes);
  xbar_bench::print_tables(rows, settings, lines);
  if (!options.table_out.empty()) {
    xbar::write_file_atomically(
        options.table_out,
        xbar_bench::tables_as_json(rows, settings, lines, nlohmann::json(machine).dump()));
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  let_threads_sleep(argv);
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_solver: {}\n", error.what());
    return 2;
  }
}
