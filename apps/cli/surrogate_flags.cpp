#include "surrogate_flags.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/suggest.hpp>
#include <xbar/surrogate_calibrate/policy.hpp>

#include "verbosity.hpp"

namespace xbar::cli {
namespace {

// Layers' weights crowd around zero; where the table knows uniform ones alone, these are the harder
// case.
surrogate::CalibrationPoint calibration_point(const mapping::Technology& technology,
                                              const surrogate::CalibrationTable& table) {
  surrogate::CalibrationPoint point;
  point.rows = technology.tile_rows;
  point.columns = technology.tile_columns;
  point.on_ohm = technology.on_ohm;
  point.on_off_ratio = technology.on_off_ratio;
  point.wires = technology.wires;
  const auto clustered = [](const surrogate::CalibrationRow& row) {
    return row.point.distribution == surrogate::WeightDistribution::clustered;
  };
  point.distribution = std::any_of(table.rows.begin(), table.rows.end(), clustered)
                           ? surrogate::WeightDistribution::clustered
                           : surrogate::WeightDistribution::uniform;
  return point;
}

std::string surrogate_names() {
  std::vector<std::string_view> names;
  for (const surrogate::ModelInfo& info : surrogate::model_infos()) names.push_back(info.name);
  return fmt::to_string(fmt::join(names, "|"));
}

surrogate::ModelKind member(const std::string& name) {
  std::vector<std::string> names{"auto"};
  for (const surrogate::ModelInfo& info : surrogate::model_infos()) {
    if (info.name == name) return info.kind;
    names.emplace_back(info.name);
  }
  throw InvalidArgument(fmt::format("--surrogate: expected one of {}, got '{}'{}",
                                    fmt::join(names, ", "), name, did_you_mean(name, names)));
}

}  // namespace

void SurrogateFlags::add(CLI::App& app) {
  app.add_option("--surrogate", surrogate,
                 "what stands in for the circuit: auto (the cheapest within --tolerance), or a "
                 "member of the family by name")
      ->type_name("auto|" + surrogate_names());
  tolerance_option_ = app.add_option(
      "--tolerance", tolerance,
      "share of the output currents that may be error (root mean square), measured on sampled "
      "arrays against the exact circuit");
  app.add_option("--calibration", calibration,
                 "table of xbar calibrate to choose the surrogate from; default: by measuring")
      ->type_name("FILE");
}

void SurrogateFlags::add_refresh(CLI::App& app) {
  refresh_option_ =
      app.add_option("--refresh", refresh_,
                     "updates between two measurements of the arrays; default: as --tolerance "
                     "allows");
}

std::vector<SurrogateSettings> SurrogateFlags::settings(
    const std::vector<mapping::Technology>& technologies) const {
  if (!(tolerance > 0) || !(tolerance < 1)) {
    throw InvalidArgument(
        fmt::format("--tolerance: expected more than 0 and less than 1, got {}", tolerance));
  }
  if (refresh_ < 1) {
    throw InvalidArgument(fmt::format("--refresh: expected at least 1, got {}", refresh_));
  }
  const bool automatic = surrogate == "auto";
  const bool given = tolerance_option_ != nullptr && tolerance_option_->count() > 0;
  SurrogateSettings settings;
  settings.refresh = refresh_;
  settings.model = automatic ? surrogate::ModelKind::ideal : member(surrogate);
  if (automatic || given) settings.certificate.tolerance = tolerance;
  if (refresh_option_ != nullptr && refresh_option_->count() > 0) {
    settings.certificate.longest_refresh = refresh_;
  }
  std::vector<SurrogateSettings> all(technologies.size(), settings);
  if (!calibration.empty()) {
    if (!automatic) {
      throw InvalidArgument(fmt::format(
          "--calibration: expected together with --surrogate auto, got --surrogate {}", surrogate));
    }
    const surrogate::CalibrationTable table = surrogate::read_calibration_table(calibration);
    try {
      for (std::size_t k = 0; k < all.size(); ++k) {
        const surrogate::CalibrationPoint point = calibration_point(technologies[k], table);
        all[k].model = surrogate::choose_from_table(table, point, tolerance).model;
        detail(fmt::format("surrogate auto: {} at {:g} ohm, of the table {}",
                           surrogate::model_name(all[k].model), technologies[k].on_ohm,
                           calibration));
      }
    } catch (const InvalidArgument& error) {
      throw InvalidArgument(fmt::format("--calibration {}: {}", calibration, error.what()));
    }
  }
  return all;
}

}  // namespace xbar::cli
