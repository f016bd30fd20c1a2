#include "flags.hpp"

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/models.hpp>

namespace xbar::cli {

CLI::Option* add_conductance_flag(CLI::App& app, std::string& path) {
  return app
      .add_option("--conductance", path,
                  "m x n conductances, siemens, .npy or .csv; a row is a wordline")
      ->type_name("FILE");
}

std::map<std::string, double> read_parameters(std::string_view flag,
                                              const std::vector<std::string>& texts) {
  std::map<std::string, double> values;
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    const auto value = equals == std::string::npos || equals == 0
                           ? std::nullopt
                           : as_number<double>(std::string_view(text).substr(equals + 1));
    if (!value) {
      throw InvalidArgument(
          fmt::format("{}: expected NAME=VALUE with a number, got '{}'", flag, text));
    }
    const std::string name = text.substr(0, equals);
    if (!values.emplace(name, *value).second) {
      throw InvalidArgument(fmt::format("{}: {} is given twice", flag, name));
    }
  }
  return values;
}

void add_wire_flags(CLI::App& app, WireResistance& wires) {
  app.add_option("--source-ohm", wires.source_ohm, "driver resistance of a wordline, ohm");
  app.add_option("--sink-ohm", wires.sink_ohm, "sense resistance of a bitline, ohm");
  app.add_option("--wordline-ohm", wires.wordline_ohm,
                 "wordline resistance from cell to cell, ohm");
  app.add_option("--bitline-ohm", wires.bitline_ohm, "bitline resistance from cell to cell, ohm");
}

void add_seed_flag(CLI::App& app, std::uint64_t& seed) {
  // CLI11 would take -1 for the largest number.
  app.add_option("--seed", seed, "seed of every random draw")->check(CLI::NonNegativeNumber);
}

void TechnologyFlags::add(CLI::App& app) {
  app.add_option("--on-ohm", on_ohm, "resistance of a fully switched-on cell, ohm; several: a,b")
      ->delimiter(',');
  app.add_option("--on-off-ratio", technology.on_off_ratio, "R_off / R_on");
  add_wire_flags(app, technology.wires);
  app.add_option("--tile-rows", technology.tile_rows, "wordlines of a tile");
  app.add_option("--tile-columns", technology.tile_columns, "bitlines of a tile");
  app.add_option("--terminals", terminals,
                 "resistors at the terminals in the backward read: keep or swap");
  app.add_option("--gain", gain, "digital gain calibration: none, tile or column");
  app.add_option("--write-noise", technology.update.write_noise,
                 "standard deviation of a full-range write, share of the range");
}

mapping::Technology TechnologyFlags::with(double on) const {
  mapping::Technology result = technology;
  result.on_ohm = on;
  result.terminals = parse_terminals(terminals);
  result.gain = mapping::parse_gain(gain);
  mapping::check_technology(result);
  return result;
}

std::vector<mapping::Technology> TechnologyFlags::all() const {
  if (on_ohm.empty()) throw InvalidArgument("on-ohm: expected at least one resistance, got none");
  std::vector<mapping::Technology> result;
  for (const double on : on_ohm) result.push_back(with(on));
  return result;
}

void NetworkFlags::add(CLI::App& app) {
  model_option = app.add_option("--model", model,
                                fmt::format("network: {}", fmt::join(nn::model_names(), ", ")));
  data_option = app.add_option(
      "--data", data, "data set: glyphs, mnist=DIR, fashion-mnist=DIR, cifar10=DIR, cifar100=DIR");
  app.add_option("--pixel-mean", normalisation.mean,
                 "subtracted from pixels in [0, 1], one value a channel; default: nothing");
  app.add_option("--pixel-deviation", normalisation.deviation,
                 "pixels are then divided by this, one value a channel");
  add_seed_flag(app, seed);
}

nn::DataSet NetworkFlags::load_data() const {
  nn::DataSet result = nn::load_data(data, seed);
  nn::normalise(result, normalisation);
  return result;
}

}  // namespace xbar::cli
