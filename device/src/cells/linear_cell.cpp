// I = G v.

#include "../cell_kind.hpp"
#include "spice_line.hpp"

namespace xbar::device {
namespace {

class LinearCell final : public CellModel {
 public:
  [[nodiscard]] std::string spice_elements(const NetlistCell& cell) const override {
    return spice_resistor(cell, cell.from, cell.to, 1 / cell.conductance);
  }

 private:
  void compute(const Matrix& conductance, const Matrix& voltage, Matrix& current,
               Matrix& derivative) const override {
    current = conductance.cwiseProduct(voltage);
    derivative = conductance;
  }
};

}  // namespace

CellKind linear_cell() {
  return {{"linear", "ohmic", {}}, [](auto, const auto&) -> std::unique_ptr<CellModel> {
            return std::make_unique<LinearCell>();
          }};
}

}  // namespace xbar::device
