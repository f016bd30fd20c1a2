// I = G sinh(a v) / a: transport by hopping or tunnelling; G is the conductance at small voltage.
// a = 0 is the ohmic limit. Beyond |a v| = 700 the current stays what it is there, 1e304 G / a.

#include <xbar/core/isa.hpp>

#include "../cell_kernels.hpp"
#include "../cell_kind.hpp"
#include "spice_line.hpp"

namespace xbar::device {
namespace {

class SinhCell final : public CellModel {
 public:
  explicit SinhCell(double alpha) : alpha_(alpha) {}

  [[nodiscard]] std::string spice_elements(const NetlistCell& cell) const override {
    return spice_sinh(cell, cell.from, cell.to, cell.conductance / alpha_, alpha_);
  }

 private:
  void compute(const Matrix& conductance, const Matrix& voltage, Matrix& current,
               Matrix& derivative) const override {
    XBAR_DISPATCH(::xbar::device, sinh_cells)
    (voltage.size(), alpha_, conductance.data(), voltage.data(), current.data(), derivative.data());
  }

  double alpha_;
};

}  // namespace

CellKind sinh_cell() {
  return {{"sinh",
           "I = G sinh(a v) / a",
           {{"sinh_alpha", "1/V", 2, 0, 1000, "a; fits of oxide memristors lie between 1 and 7"}}},
          [](std::span<const double> values, const auto&) -> std::unique_ptr<CellModel> {
            // An a this small is 0: a v / a = v must not meet underflow.
            constexpr double smallest = 1e-150;
            if (values[0] < smallest) return linear_cell().make({}, {});
            return std::make_unique<SinhCell>(values[0]);
          }};
}

}  // namespace xbar::device
