#include "fit_states.hpp"

#include <iterator>

#include <fmt/format.h>

#include "fit_results.hpp"

namespace xbar::cli {
namespace {

constexpr double percent = 100;

Json state_json(const fit::CyclingState& state) {
  return {{"mean", estimate_json(state.mean)},
          {"cell_sigma", state.cell_sigma},
          {"cycle_sigma", state.cycle_sigma},
          {"low_siemens", state.low_siemens},
          {"high_siemens", state.high_siemens}};
}

std::string state_text(const fit::CyclingState& state) {
  return fmt::format(
      "{} S; 10 to 90 %: {:.3g} to {:.3g} S\n"
      "  cell to cell {:.3g} S, cycle to cycle {:.3g} S\n",
      estimate_text(state.mean), state.low_siemens, state.high_siemens, state.cell_sigma,
      state.cycle_sigma);
}

}  // namespace

Json distribution_results(const fit::DistributionFit& found) {
  Json models = Json::array();
  for (const fit::NearestModel& m : found.nearest) {
    models.push_back(
        {{"name", m.name}, {"parameters", estimates_json(m.parameters)}, {"rms", m.rms}});
  }
  return {{"kind", "distribution"},   {"best", found.nearest[found.best].name},
          {"models", models},         {"rows", found.rows},
          {"columns", found.columns}, {"thinning_error", found.thinning_error},
          {"bands", "bands.csv"},     {"device", "device.toml"}};
}

std::string distribution_text(const fit::DistributionFit& found) {
  std::string text = fmt::format(
      "table of {} conductances and {} steps; no probability is off by more than {:.2g}\n",
      found.rows, found.columns, found.thinning_error);
  text += fmt::format("{:<12} {:>10}   % of the mean steps\n", "model", "mean steps");
  for (std::size_t k = 0; k < found.nearest.size(); ++k) {
    text += fmt::format("{:<12} {:>10.3g}{}\n", found.nearest[k].name,
                        percent * found.nearest[k].rms, k == found.best ? "   nearest" : "");
  }
  return text;
}

std::string distribution_csv(const fit::DistributionFit& found) {
  std::string text =
      "direction,conductance_siemens,mean_siemens,low_siemens,high_siemens,model_siemens\n";
  for (const fit::StepBand& band : found.bands) {
    fmt::format_to(std::back_inserter(text), "{},{:.9g},{:.9g},{:.9g},{:.9g},{:.9g}\n",
                   band.up ? 1 : -1, band.conductance_siemens, band.mean_siemens, band.low_siemens,
                   band.high_siemens, band.model_siemens);
  }
  return text;
}

Json cycling_results(const fit::CyclingFit& found) {
  return {{"kind", "cycling"},
          {"cells", found.on.cells.size()},
          {"cycles", found.cycles},
          {"off", state_json(found.off)},
          {"on", state_json(found.on)},
          {"failures", found.failures},
          {"write_noise", found.device.noise.write},
          {"lower_spread", found.device.spread.lower},
          {"upper_spread", found.device.spread.upper},
          {"means", "cells.csv"},
          {"device", "device.toml"}};
}

std::string cycling_text(const fit::CyclingFit& found) {
  return fmt::format("{} cells, {} cycles; {:.3g} % of the readings beyond the middle\n",
                     found.on.cells.size(), found.cycles, percent * found.failures) +
         state_text(found.off) + state_text(found.on);
}

std::string cycling_csv(const fit::CyclingFit& found) {
  std::string text = "cell,off_siemens,on_siemens\n";
  for (std::size_t c = 0; c < found.on.cells.size(); ++c) {
    fmt::format_to(std::back_inserter(text), "{},{:.9g},{:.9g}\n", c + 1, found.off.cells[c],
                   found.on.cells[c]);
  }
  return text;
}

}  // namespace xbar::cli
