#pragma once

/// The requirements on the solver's speed and memory, from the rows of bench_solver.

#include <cstdint>
#include <string>
#include <vector>

#include "row_results.hpp"

namespace xbar_bench {

/// An array whose wires take most of the voltage.
struct HardCase {
  double r_on_ohm;
  double segment_ohm;
};
/// The array of a hard case is hard_size x hard_size.
inline constexpr long hard_size = 128;
[[nodiscard]] const std::vector<HardCase>& hard_cases();
[[nodiscard]] std::string hard_row(const HardCase& hard);

/// Side lengths of the arrays between which growth is measured.
[[nodiscard]] const std::vector<long>& growth_sizes();

/// The row of one CHOLMOD setting; its counters are the phases, in seconds.
[[nodiscard]] std::string cholmod_row(const std::string& setting, long size);

/// A measured time and the error of the currents, relative to the largest.
struct Timing {
  std::string name;
  Series seconds;
  double error = 0;
};

/// One line of the table: a ratio of times, a memory or a slope, beside what is wanted of it.
struct Requirement {
  std::string what;
  std::string unit;  ///< "x" for a ratio of times theirs / ours, "times" for ours / theirs
  double value;      ///< of the medians
  double by_minima;  ///< the same from the minima
  enum class Wanted { nothing, at_least, at_most } wanted;
  double target;
  std::vector<Timing> timings;  ///< ours and theirs, where the line compares the two

  [[nodiscard]] bool holds() const;
};

/// All lines that the rows allow.
/// @param settings   names of the CHOLMOD settings
/// @param peak_bytes resident memory of a process that solves one 1024 x 1024 array; NaN: unknown
[[nodiscard]] std::vector<Requirement> requirements(const RowReporter& rows,
                                                    const std::vector<std::string>& settings,
                                                    double peak_bytes);

/// Share of their wall time that the one-thread rows of solve() and CHOLMOD spent on a processor: 1
/// if nothing interrupted them.
[[nodiscard]] double undisturbed_share(const RowReporter& rows,
                                       const std::vector<std::string>& settings);

/// Prints CHOLMOD's phases, growth, the hard cases and the requirements.
void print_tables(const RowReporter& rows, const std::vector<std::string>& settings,
                  const std::vector<Requirement>& lines);

/// The same as JSON. @param machine JSON object that says where
[[nodiscard]] std::string tables_as_json(const RowReporter& rows,
                                         const std::vector<std::string>& settings,
                                         const std::vector<Requirement>& lines,
                                         const std::string& machine);

}  // namespace xbar_bench
