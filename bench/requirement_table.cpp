#include "requirement_table.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace xbar_bench {
namespace {

using nlohmann::json;

constexpr long largest_side = 1024;
constexpr double nowhere = std::numeric_limits<double>::quiet_NaN();

struct Phases {
  const char* name;
  std::vector<std::string> counters;
  const char* error;
};
const Phases& cold() {
  static const Phases phases{"analyse + factor + solve", {"analyze", "factor", "solve"}, "error"};
  return phases;
}
const Phases& refactor() {
  static const Phases phases{"refactor + solve", {"refactor", "solve"}, "error"};
  return phases;
}
const Phases& solve_only() {
  static const Phases phases{"solve", {"solve"}, "error"};
  return phases;
}
const Phases& unit_vectors() {
  static const Phases phases{"factor + n solves", {"factor", "many"}, "many_error"};
  return phases;
}

std::string row_name(const char* subject, long size) {
  return fmt::format("solver/{}/{}", subject, size);
}

Timing whole_row(const RowReporter& rows, const std::string& name, const char* label) {
  const Row& row = rows.row(name);
  return {label, row.seconds, row.counter("error")};
}

// CHOLMOD at the setting that does these phases in the least time; without values if none ran.
Timing best_cholmod(const RowReporter& rows, const std::vector<std::string>& settings, long size,
                    const Phases& phases) {
  Timing best;
  for (const std::string& setting : settings) {
    const Row& row = rows.row(cholmod_row(setting, size));
    Series seconds(row.seconds.size(), 0.0);
    for (const std::string& counter : phases.counters) {
      const auto found = row.counters.find(counter);
      if (found == row.counters.end()) {
        seconds.clear();
        break;
      }
      for (std::size_t k = 0; k < seconds.size(); ++k) seconds[k] += found->second[k];
    }
    if (seconds.empty()) continue;
    if (best.seconds.empty() || median(seconds) < median(best.seconds)) {
      best = {setting, seconds, row.counter(phases.error)};
    }
  }
  return best;
}

// Exponent of time over side length.
double slope_by_ends(const std::vector<double>& seconds) {
  const auto& sizes = growth_sizes();
  return std::log(seconds.back() / seconds.front()) /
         std::log(static_cast<double>(sizes.back()) / static_cast<double>(sizes.front()));
}

double slope_by_least_squares(const std::vector<double>& seconds) {
  const auto& sizes = growth_sizes();
  const auto count = static_cast<double>(sizes.size());
  double x = 0;
  double y = 0;
  double xx = 0;
  double xy = 0;
  for (std::size_t k = 0; k < sizes.size(); ++k) {
    const double log_size = std::log(static_cast<double>(sizes[k]));
    const double log_time = std::log(seconds[k]);
    x += log_size;
    y += log_time;
    xx += log_size * log_size;
    xy += log_size * log_time;
  }
  return (count * xy - x * y) / (count * xx - x * x);
}

using Statistic = double (*)(const Series&);
double median_of(const Series& values) { return median(values); }

std::vector<double> growth_times(const RowReporter& rows, const char* subject,
                                 Statistic statistic) {
  std::vector<double> seconds;
  for (const long size : growth_sizes()) {
    seconds.push_back(statistic(rows.row(row_name(subject, size)).seconds));
  }
  return seconds;
}

std::string number(double value) { return std::isnan(value) ? "-" : fmt::format("{:.4g}", value); }

std::string error_text(double value) {
  return std::isnan(value) ? "-" : fmt::format("{:.0e}", value);
}

/// Columns as wide as their widest entry, with bars between them.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> head) { add(std::move(head)); }
  void add(std::vector<std::string> line) { lines_.push_back(std::move(line)); }
  void print(const char* title) const {
    if (lines_.size() < 2) return;
    std::vector<std::size_t> widths(lines_.front().size(), 0);
    for (const auto& line : lines_) {
      for (std::size_t c = 0; c < line.size(); ++c) widths[c] = std::max(widths[c], line[c].size());
    }
    fmt::print("\n{}\n\n", title);
    for (std::size_t l = 0; l < lines_.size(); ++l) {
      for (std::size_t c = 0; c < widths.size(); ++c) {
        fmt::print("| {:<{}} ", lines_[l][c], widths[c]);
      }
      fmt::print("|\n");
      if (l > 0) continue;
      for (const std::size_t width : widths) fmt::print("|{:-<{}}", "", width + 2);
      fmt::print("|\n");
    }
  }

 private:
  std::vector<std::vector<std::string>> lines_;
};

std::string milliseconds(const Series& seconds) {
  return fmt::format("{:.4g} ({:.4g})", 1e3 * median(seconds), 1e3 * minimum(seconds));
}

std::string wanted_text(const Requirement& line) {
  if (line.wanted == Requirement::Wanted::nothing) return "";
  return fmt::format("{} {:.4g}",
                     line.wanted == Requirement::Wanted::at_least ? ">=" : "<=", line.target);
}

void print_cholmod(const RowReporter& rows, const std::vector<std::string>& settings) {
  TextTable table({"size", "CHOLMOD setting", "analyse", "factor", "refactor", "solve one",
                   "solve n", "peak MB", "fastest for"});
  for (const long size : growth_sizes()) {
    for (const std::string& setting : settings) {
      const Row& row = rows.row(cholmod_row(setting, size));
      if (row.seconds.empty()) continue;
      std::string wins;
      for (const Phases* phases : {&cold(), &refactor(), &solve_only(), &unit_vectors()}) {
        if (best_cholmod(rows, settings, size, *phases).name != setting) continue;
        wins += (wins.empty() ? "" : ", ") + std::string(phases->name);
      }
      const auto phase = [&](const char* name) { return number(1e3 * row.counter(name)); };
      table.add({std::to_string(size), setting, phase("analyze"), phase("factor"),
                 phase("refactor"), phase("solve"), phase("many"),
                 number(1e-6 * row.counter("bytes")), wins});
    }
  }
  table.print("CHOLMOD on the nodal matrix, one thread, ms (medians)");
}

void print_growth(const RowReporter& rows) {
  TextTable table({"size", "one thread, ms", "all threads, ms", "iterations", "MB", "error"});
  for (const long size : growth_sizes()) {
    const Row& one = rows.row(row_name("solve", size));
    const Row& all = rows.row(row_name("solve_all_threads", size));
    if (one.seconds.empty()) continue;
    table.add({std::to_string(size), milliseconds(one.seconds), milliseconds(all.seconds),
               number(one.counter("iterations")), number(1e-6 * one.counter("bytes")),
               error_text(one.counter("error"))});
  }
  table.print("solve(), one input vector, everything included: median (minimum)");
}

void print_hard(const RowReporter& rows) {
  TextTable table(
      {"R_on, ohm", "segment, ohm", "current lost", "iterations", "ms", "error", "method"});
  for (const HardCase& hard : hard_cases()) {
    const Row& row = rows.row(hard_row(hard));
    if (row.seconds.empty()) continue;
    table.add({number(hard.r_on_ohm), number(hard.segment_ohm),
               fmt::format("{:.1f} %", 100 * row.counter("current_lost")),
               number(row.counter("iterations")), milliseconds(row.seconds),
               error_text(row.counter("error")),
               row.counter("fell_back") > 0 ? "fell back to direct" : "line"});
  }
  table.print("solve() of 128 x 128 against the share of the ideal current that wires cost");
}

json timing_as_json(const Timing& timing) {
  return {{"name", timing.name},
          {"median_seconds", median(timing.seconds)},
          {"minimum_seconds", minimum(timing.seconds)},
          {"repetitions", timing.seconds.size()},
          {"error", timing.error}};
}

json row_as_json(const Row& row) {
  json result{{"median_seconds", median(row.seconds)},
              {"minimum_seconds", minimum(row.seconds)},
              {"repetitions", row.seconds.size()}};
  for (const auto& [name, values] : row.counters) result[name] = median(values);
  return result;
}

}  // namespace

const std::vector<HardCase>& hard_cases() {
  static const std::vector<HardCase> cases = [] {
    std::vector<HardCase> all;
    for (const double r_on : {100e3, 20e3, 1e3}) {
      for (const double segment : {1.0, 5.0, 20.0, 64.0, 1280.0}) all.push_back({r_on, segment});
    }
    return all;
  }();
  return cases;
}

std::string hard_row(const HardCase& hard) {
  return fmt::format("solver/hard_{:g}_ohm/{:g}", hard.r_on_ohm, hard.segment_ohm);
}

const std::vector<long>& growth_sizes() {
  static const std::vector<long> sizes{64, 128, 256, 512, largest_side};
  return sizes;
}

std::string cholmod_row(const std::string& setting, long size) {
  return row_name(("cholmod_" + setting).c_str(), size);
}

bool Requirement::holds() const {
  switch (wanted) {
    case Wanted::at_least:
      return value >= target;
    case Wanted::at_most:
      return value <= target;
    case Wanted::nothing:
      break;
  }
  return true;
}

std::vector<Requirement> requirements(const RowReporter& rows,
                                      const std::vector<std::string>& settings, double peak_bytes) {
  using Wanted = Requirement::Wanted;
  std::vector<Requirement> lines;
  const auto add_ratio = [&](const std::string& what, Wanted wanted, double target,
                             const Timing& ours, const Timing& theirs) {
    if (ours.seconds.empty() || theirs.seconds.empty()) return;
    lines.push_back({what,
                     "x",
                     median(theirs.seconds) / median(ours.seconds),
                     minimum(theirs.seconds) / minimum(ours.seconds),
                     wanted,
                     target,
                     {ours, theirs}});
  };
  // Ours in units of theirs.
  const auto add_cost = [&](const std::string& what, Wanted wanted, double target,
                            const Timing& ours, const Timing& theirs) {
    if (ours.seconds.empty() || theirs.seconds.empty()) return;
    lines.push_back({what,
                     "times",
                     median(ours.seconds) / median(theirs.seconds),
                     minimum(ours.seconds) / minimum(theirs.seconds),
                     wanted,
                     target,
                     {ours, theirs}});
  };
  const auto against_cholmod = [&](long size, const char* subject, const char* label,
                                   const Phases& phases, Wanted wanted, double target) {
    Timing theirs = best_cholmod(rows, settings, size, phases);
    theirs.name = fmt::format("CHOLMOD {}: {}", theirs.name, phases.name);
    add_ratio(fmt::format("{} {}", label, size), wanted, target,
              whole_row(rows, row_name(subject, size), label), theirs);
  };
  const auto add_value = [&](const std::string& what, const char* unit, double value,
                             double by_minima, double at_most) {
    if (std::isnan(value)) return;
    lines.push_back({what, unit, value, by_minima, Wanted::at_most, at_most, {}});
  };

  const char* const whole = "solve(), one vector";
  for (const long size : {64, 256}) {
    against_cholmod(size, "solve", whole, cold(), Wanted::at_least, 80);
    against_cholmod(size, "solve", whole, refactor(), Wanted::at_least, 50);
    against_cholmod(size, "refactor", "factor() and solve() of a kept ArraySolver", refactor(),
                    Wanted::nothing, 0);
    against_cholmod(size, "warm", "ArraySolver::solve(), one vector", solve_only(), Wanted::nothing,
                    0);
  }
  for (const long size : {512L, largest_side}) {
    against_cholmod(size, "solve", whole, cold(), Wanted::at_least, 50);
    against_cholmod(size, "solve", whole, refactor(), Wanted::nothing, 0);
  }
  const char* const effective = "effective_conductance()";
  against_cholmod(64, "effective", effective, unit_vectors(), Wanted::at_least, 10);
  against_cholmod(128, "effective", effective, unit_vectors(), Wanted::at_least, 8);
  const char* const newton = "solve_newton(), sinh cells";
  const char* const step = "transient(), a step";
  const Timing one_solve = whole_row(rows, row_name("solve", 64), "solve(): factor + solve");
  add_cost(fmt::format("{} 64", newton), Wanted::at_most, 10,
           whole_row(rows, row_name("newton", 64), newton), one_solve);
  add_cost(fmt::format("{} 64", step), Wanted::at_most, 1.5,
           whole_row(rows, row_name("transient_step", 64), step), one_solve);
  add_cost(fmt::format("{} 64", step), Wanted::nothing, 0,
           whole_row(rows, row_name("transient_step", 64), step),
           whole_row(rows, row_name("warm", 64), "ArraySolver::solve(), factored before"));
  add_ratio("3600 tiles of 64: two threads against one", Wanted::at_least, 1.8,
            whole_row(rows, row_name("batch_threads", 2), "two threads"),
            whole_row(rows, row_name("batch_threads", 1), "one thread"));
  for (const long size : {64, 128}) {
    add_ratio(fmt::format("{} {}", whole, size), Wanted::nothing, 0,
              whole_row(rows, row_name("solve", size), whole),
              whole_row(rows, row_name("ngspice", size), "ngspice, the whole process"));
  }

  const auto add_growth = [&](const char* subject, const char* threads) {
    const auto medians = growth_times(rows, subject, &median_of);
    const auto minima = growth_times(rows, subject, &minimum);
    add_value(fmt::format("growth of solve() from 64 to 1024, {}, by the ends", threads),
              "exponent", slope_by_ends(medians), slope_by_ends(minima), 2.3);
    add_value(fmt::format("growth of solve() from 64 to 1024, {}, by least squares", threads),
              "exponent", slope_by_least_squares(medians), slope_by_least_squares(minima), 2.3);
  };
  add_growth("solve", "one thread");
  add_growth("solve_all_threads", "all threads");

  add_value("SolveReport.bytes of 1024 x 1024", "MB",
            1e-6 * rows.row(row_name("solve", largest_side)).counter("bytes"), nowhere, 300);
  add_value("resident memory of a process that solves 1024 x 1024", "MB", 1e-6 * peak_bytes,
            nowhere, 300);
  return lines;
}

double undisturbed_share(const RowReporter& rows, const std::vector<std::string>& settings) {
  double wall = 0;
  double processor = 0;
  const auto count = [&](const Row& row) {
    for (const double seconds : row.seconds) wall += seconds;
    for (const double seconds : row.cpu_seconds) processor += seconds;
  };
  for (const long size : growth_sizes()) {
    count(rows.row(row_name("solve", size)));
    for (const std::string& setting : settings) count(rows.row(cholmod_row(setting, size)));
  }
  return processor / wall;
}

void print_tables(const RowReporter& rows, const std::vector<std::string>& settings,
                  const std::vector<Requirement>& lines) {
  print_cholmod(rows, settings);
  print_growth(rows);
  print_hard(rows);
  TextTable table({"requirement", "value", "by minima", "target", "", "ms: median (minimum)",
                   "error", "against", "ms: median (minimum)", "error"});
  for (const Requirement& line : lines) {
    std::vector<std::string> cells{line.what, number(line.value) + " " + line.unit,
                                   number(line.by_minima), wanted_text(line),
                                   line.wanted == Requirement::Wanted::nothing ? ""
                                   : line.holds()                              ? "holds"
                                                                               : "MISSED"};
    if (line.timings.empty()) {
      cells.insert(cells.end(), 5, "");
    } else {
      const Timing& ours = line.timings.front();
      const Timing& theirs = line.timings.back();
      cells.insert(cells.end(), {milliseconds(ours.seconds), error_text(ours.error), theirs.name,
                                 milliseconds(theirs.seconds), error_text(theirs.error)});
    }
    table.add(std::move(cells));
  }
  table.print(
      "Requirements. Ratios of medians within this run, on one thread unless the line says more; "
      "errors relative to the largest current");
  fmt::print("\nOn a processor for {:.0f} % of the wall time of one-thread rows.\n",
             100 * undisturbed_share(rows, settings));
}

std::string tables_as_json(const RowReporter& rows, const std::vector<std::string>& settings,
                           const std::vector<Requirement>& lines, const std::string& machine) {
  json result{{"machine", json::parse(machine)},
              {"undisturbed_share", undisturbed_share(rows, settings)}};
  json& listed = result["requirements"] = json::array();
  for (const Requirement& line : lines) {
    json entry{{"what", line.what},
               {"unit", line.unit},
               {"value", line.value},
               {"by_minima", line.by_minima}};
    if (line.wanted != Requirement::Wanted::nothing) {
      entry[line.wanted == Requirement::Wanted::at_least ? "at_least" : "at_most"] = line.target;
      entry["holds"] = line.holds();
    }
    if (!line.timings.empty()) {
      entry["xbar"] = timing_as_json(line.timings.front());
      entry["against"] = timing_as_json(line.timings.back());
    }
    listed.push_back(std::move(entry));
  }
  json& cholmod = result["cholmod"] = json::array();
  json& growth = result["growth"] = json::array();
  for (const long size : growth_sizes()) {
    for (const std::string& setting : settings) {
      const Row& row = rows.row(cholmod_row(setting, size));
      if (row.seconds.empty()) continue;
      json entry = row_as_json(row);
      entry["size"] = size;
      entry["setting"] = setting;
      cholmod.push_back(std::move(entry));
    }
    growth.push_back({{"size", size},
                      {"one_thread", row_as_json(rows.row(row_name("solve", size)))},
                      {"all_threads", row_as_json(rows.row(row_name("solve_all_threads", size)))}});
  }
  json& hard = result["hard"] = json::array();
  for (const HardCase& one : hard_cases()) {
    json entry = row_as_json(rows.row(hard_row(one)));
    entry["r_on_ohm"] = one.r_on_ohm;
    entry["segment_ohm"] = one.segment_ohm;
    hard.push_back(std::move(entry));
  }
  return result.dump(2) + "\n";
}

}  // namespace xbar_bench
