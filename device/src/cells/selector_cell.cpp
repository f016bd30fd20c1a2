// 1S1R: an exponential selector in series with the ohmic memory cell,
//   I = selector_ampere sinh(x / selector_volt) = G (v - x)

#include <xbar/core/isa.hpp>

#include "../cell_kernels.hpp"
#include "../cell_kind.hpp"
#include "spice_line.hpp"

namespace xbar::device {
namespace {

class SelectorCell final : public CellModel {
 public:
  SelectorCell(double ampere, double volt) : ampere_(ampere), volt_(volt) {}

  [[nodiscard]] std::string spice_elements(const NetlistCell& cell) const override {
    const std::string inner = spice_node(cell);
    return spice_sinh(cell, cell.from, inner, ampere_, 1 / volt_) +
           spice_resistor(cell, inner, cell.to, 1 / cell.conductance);
  }

 private:
  void compute(const Matrix& conductance, const Matrix& voltage, Matrix& current,
               Matrix& derivative) const override {
    XBAR_DISPATCH(::xbar::device, selector_cells)
    (voltage.size(), ampere_, volt_, conductance.data(), voltage.data(), current.data(),
     derivative.data());
  }

  double ampere_;
  double volt_;
};

}  // namespace

CellKind selector_cell() {
  return {{"selector",
           "1S1R: exponential selector in series with G",
           {{"selector_ampere", "A", 1e-10, 1e-30, 1, "I0; 10 uA at 0.58 V with the default slope"},
            {"selector_volt", "V", 0.05, 1e-3, 100, "V0; 115 mV a decade"}}},
          [](std::span<const double> values, const auto&) -> std::unique_ptr<CellModel> {
            return std::make_unique<SelectorCell>(values[0], values[1]);
          }};
}

}  // namespace xbar::device
