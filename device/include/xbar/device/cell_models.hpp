#pragma once

/// The cell models by name.

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <xbar/core/matrix.hpp>
#include <xbar/device/cell_model.hpp>
#include <xbar/device/model_parameter.hpp>

namespace xbar::device {

using CellParameter = ModelParameter;

/// A model and its parameters, for help texts and reports.
struct CellModelInfo {
  std::string_view name;
  std::string_view what;
  std::vector<CellParameter> parameters;
  bool takes_gate = false;   ///< CellSettings::gate_volt
  bool takes_table = false;  ///< CellSettings::table
};

/// What a model is made from.
struct CellSettings {
  /// By name, '-' and '_' alike; the others have their defaults.
  std::map<std::string, double> parameters;
  /// Gate voltages, volt: 1 x 1 (all), m x 1 (one a wordline) or 1 x n (one a bitline). Empty: the
  /// parameter gate_volt.
  Matrix gate_volt;
  /// I-V table: column 0 volt, column 1 ampere per siemens of G.
  Matrix table;
  /// The table's file, for messages.
  std::string table_name = "table";
};

/// All models. With x the voltage across the element that is not ohmic:
///
///     linear             I = G v
///     sinh               I = G sinh(a v) / a                                   a = sinh_alpha
///     series-resistance  I = G sinh(a x) / a = (v - x) / access_ohm            a = 0: ohmic
///     transistor         I = G (v - x) = channel current of a MOSFET at x      1T1R
///     selector           I = G (v - x) = selector_ampere sinh(x / selector_volt)        1S1R
///     table              I = G f(v), f monotone cubic between the rows of a table
[[nodiscard]] std::vector<CellModelInfo> cell_model_infos();

/// @throws InvalidArgument for an unknown model or parameter, suggesting the nearest; for a value
/// outside its range; for a gate or table that the model does not take, does not have or cannot use
[[nodiscard]] std::unique_ptr<CellModel> make_cell_model(std::string_view name,
                                                         const CellSettings& settings = {});

}  // namespace xbar::device
