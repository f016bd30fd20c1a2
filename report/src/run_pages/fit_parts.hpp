#pragma once

/// What the pages of fits have in common, and the parts of those of other kinds than pulses.

#include <string>
#include <vector>

#include <xbar/report/page.hpp>
#include <xbar/report/plot.hpp>

#include "run_file.hpp"

namespace xbar::report::pages {

/// The one of `models` that `best` names.
[[nodiscard]] Value best_model(const Value& results);
/// Values with their intervals and units.
[[nodiscard]] Table estimate_table(const std::vector<Value>& estimates);
/// A line without markers.
[[nodiscard]] Series series(std::string name, std::vector<double> x, std::vector<double> y,
                            Colour colour);

void add_amplitudes(Page& page, const Run& run);
/// @param results  of a voltage law: of the run, or a part of those of a fit to pulses
void add_amplitude_figures(Page& page, const Run& run, const Value& results);
void add_amplitude_tables(Page& page, const Value& results);
void add_distribution(Page& page, const Run& run);
void add_cycling(Page& page, const Run& run);

}  // namespace xbar::report::pages
