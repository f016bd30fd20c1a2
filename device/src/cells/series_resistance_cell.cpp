// A cell G sinh(a x) / a (ohmic for a = 0) behind the resistance of its contact or access device:
//   I = G sinh(a x) / a = (v - x) / access_ohm

#include <xbar/core/isa.hpp>

#include "../cell_kernels.hpp"
#include "../cell_kind.hpp"
#include "spice_line.hpp"

namespace xbar::device {
namespace {

class OhmicSeriesCell final : public CellModel {
 public:
  explicit OhmicSeriesCell(double access_ohm) : access_ohm_(access_ohm) {}

  [[nodiscard]] std::string spice_elements(const NetlistCell& cell) const override {
    return spice_resistor(cell, cell.from, cell.to, access_ohm_ + 1 / cell.conductance);
  }

 private:
  void compute(const Matrix& conductance, const Matrix& voltage, Matrix& current,
               Matrix& derivative) const override {
    derivative.array() = conductance.array() / (1 + access_ohm_ * conductance.array());
    current = derivative.cwiseProduct(voltage);
  }

  double access_ohm_;
};

class SinhSeriesCell final : public CellModel {
 public:
  SinhSeriesCell(double access_ohm, double alpha) : access_ohm_(access_ohm), alpha_(alpha) {}

  [[nodiscard]] std::string spice_elements(const NetlistCell& cell) const override {
    const std::string inner = spice_node(cell);
    return spice_sinh(cell, cell.from, inner, cell.conductance / alpha_, alpha_) +
           spice_resistor(cell, inner, cell.to, access_ohm_);
  }

 private:
  void compute(const Matrix& conductance, const Matrix& voltage, Matrix& current,
               Matrix& derivative) const override {
    XBAR_DISPATCH(::xbar::device, sinh_series_cells)
    (voltage.size(), access_ohm_, alpha_, conductance.data(), voltage.data(), current.data(),
     derivative.data());
  }

  double access_ohm_;
  double alpha_;
};

}  // namespace

CellKind series_resistance_cell() {
  return {
      {"series-resistance",
       "ohmic or sinh cell behind an access resistance",
       {{"access_ohm", "ohm", 1000, 0, 1e12, "in series with the cell; of the order of a contact"},
        {"sinh_alpha", "1/V", 0, 0, 1000, "a of the cell, 0: ohmic"}}},
      [](std::span<const double> values, const auto&) -> std::unique_ptr<CellModel> {
        // As small as this they make no difference: the limits are taken.
        constexpr double smallest = 1e-150;
        if (values[1] < smallest) return std::make_unique<OhmicSeriesCell>(values[0]);
        if (values[0] < smallest) return sinh_cell().make(values.subspan(1), {});
        return std::make_unique<SinhSeriesCell>(values[0], values[1]);
      }};
}

}  // namespace xbar::device
