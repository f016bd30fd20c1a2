#include <array>
#include <string>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/device/cell_models.hpp>

#include "cell_kind.hpp"
#include "parameter_values.hpp"

namespace xbar::device {
namespace {

constexpr std::array kinds{linear_cell,     sinh_cell,     series_resistance_cell,
                           transistor_cell, selector_cell, table_cell};

}  // namespace

void CellModel::evaluate(const Matrix& conductance, const Matrix& voltage, Matrix& current,
                         Matrix& derivative) const {
  if (conductance.rows() != voltage.rows() || conductance.cols() != voltage.cols()) {
    throw InvalidArgument(
        fmt::format("cell voltage: expected {} x {} like the conductance, got {} x {}",
                    conductance.rows(), conductance.cols(), voltage.rows(), voltage.cols()));
  }
  current.resize(voltage.rows(), voltage.cols());
  derivative.resize(voltage.rows(), voltage.cols());
  compute(conductance, voltage, current, derivative);
}

std::string CellModel::spice_elements(const NetlistCell& /*cell*/) const {
  throw InvalidArgument("cell: expected a model that has a netlist, got one that has none");
}

std::vector<CellModelInfo> cell_model_infos() {
  std::vector<CellModelInfo> infos;
  for (const auto& kind : kinds) infos.push_back(kind().info);
  return infos;
}

std::unique_ptr<CellModel> make_cell_model(std::string_view name, const CellSettings& settings) {
  std::vector<std::string> names;
  for (const auto& make_kind : kinds) {
    const CellKind kind = make_kind();
    names.emplace_back(kind.info.name);
    if (kind.info.name != name) continue;
    if (!kind.info.takes_gate && settings.gate_volt.size() > 0) {
      throw InvalidArgument(fmt::format("gate_volt: cell {} has no gate", name));
    }
    if (kind.info.takes_table != (settings.table.size() > 0)) {
      throw InvalidArgument(
          kind.info.takes_table
              ? fmt::format("{}: expected a table for cell {}, got none", settings.table_name, name)
              : fmt::format("{}: expected no table for cell {}, got one", settings.table_name,
                            name));
    }
    return kind.make(
        parameter_values(fmt::format("cell {}", name), kind.info.parameters, settings.parameters),
        settings);
  }
  refuse_model_name("cell", name, names);
}

}  // namespace xbar::device
