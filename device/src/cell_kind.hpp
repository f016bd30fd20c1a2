#pragma once

/// The makers behind make_cell_model: one file of cells/ each.

#include <memory>
#include <span>

#include <xbar/device/cell_models.hpp>

namespace xbar::device {

struct CellKind {
  CellModelInfo info;
  /// @param values  of info.parameters, in that order, each within its range
  std::unique_ptr<CellModel> (*make)(std::span<const double> values,
                                     const CellSettings& settings) = nullptr;
};

CellKind linear_cell();
CellKind sinh_cell();
CellKind series_resistance_cell();
CellKind transistor_cell();
CellKind selector_cell();
CellKind table_cell();

}  // namespace xbar::device
