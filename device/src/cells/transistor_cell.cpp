// 1T1R: the ohmic memory cell in series with an n-channel MOSFET on its bitline side. With Vo =
// gate voltage - threshold, the gate against the bitline, and d the voltage of the inner node
// against it, the level-1 equations of Shichman and Hodges (1968), written so that drain and source
// change places with the sign of d by themselves:
//   I = k/2 (max(Vo, 0)^2 - max(Vo - d, 0)^2) (1 + lambda |d|) = G (v - d)
// For 0 < d < Vo that is the linear region, k (Vo d - d^2/2), beyond it saturation; for d < 0 the
// inner node is the source, and the channel opens the more, the lower it lies. dI/dd is continuous.

#include <algorithm>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/isa.hpp>

#include "../cell_kernels.hpp"
#include "../cell_kind.hpp"
#include "spice_line.hpp"

namespace xbar::device {
namespace {

class TransistorCell final : public CellModel {
 public:
  TransistorCell(Matrix overdrive, double transconductance, double lambda)
      : overdrive_(std::move(overdrive)), transconductance_(transconductance), lambda_(lambda) {}

  // With A = max(Vo, 0) and B = max(Vo - d, 0), A - B is min(d, Vo) + max(-Vo, 0), which keeps the
  // digits of a small d.
  [[nodiscard]] std::string spice_elements(const NetlistCell& cell) const override {
    check_shape(cell.wordlines, cell.bitlines);
    const double Vo =
        overdrive_(overdrive_.rows() == 1 ? 0 : cell.i, overdrive_.cols() == 1 ? 0 : cell.j);
    const std::string inner = spice_node(cell);
    const std::string d = fmt::format("v({},{})", inner, cell.to);
    return spice_resistor(cell, cell.from, inner, 1 / cell.conductance) +
           spice_source(
               cell, inner, cell.to,
               fmt::format("{0:.17g}*(min({1},{2:.17g})+{3:.17g})*({4:.17g}+uramp({2:.17g}-{1}))"
                           "*(1+{5:.17g}*abs({1}))",
                           transconductance_ / 2, d, Vo, std::max(-Vo, 0.0), std::max(Vo, 0.0),
                           lambda_));
  }

 private:
  void compute(const Matrix& conductance, const Matrix& voltage, Matrix& current,
               Matrix& derivative) const override {
    const Index m = voltage.rows();
    const Index n = voltage.cols();
    check_shape(m, n);
    Matrix row(1, n);
    for (Index i = 0; i < m; ++i) {
      if (overdrive_.cols() == 1) {
        row.setConstant(overdrive_(overdrive_.rows() == 1 ? 0 : i, 0));
      } else {
        row = overdrive_;
      }
      XBAR_DISPATCH(::xbar::device, transistor_cells)
      (n, transconductance_, lambda_, row.data(), conductance.data() + i * n,
       voltage.data() + i * n, current.data() + i * n, derivative.data() + i * n);
    }
  }

  void check_shape(Index m, Index n) const {
    const bool each_wordline = overdrive_.rows() == m && overdrive_.cols() == 1;
    const bool each_bitline = overdrive_.rows() == 1 && overdrive_.cols() == n;
    if (overdrive_.size() != 1 && !each_wordline && !each_bitline) {
      throw InvalidArgument(
          fmt::format("gate_volt: expected one value, {} x 1 (one a wordline) or 1 x {} (one a "
                      "bitline), got {} x {}",
                      m, n, overdrive_.rows(), overdrive_.cols()));
    }
  }

  Matrix overdrive_;
  double transconductance_;
  double lambda_;
};

}  // namespace

CellKind transistor_cell() {
  return {
      {"transistor",
       "1T1R: level-1 MOSFET in series with G",
       {{"gate_volt", "V", 1.8, -100, 100, "one for all cells; supply of a 180 nm process"},
        {"threshold_volt", "V", 0.45, -100, 100, "typical of 180 nm"},
        {"transconductance", "A/V^2", 1e-3, 1e-12, 1e3, "k = mu C W/L; 180 nm with W/L about 3"},
        {"lambda", "1/V", 0.05, 0, 10, "channel length modulation; 0.02 to 0.1 in textbooks"}},
       true},
      [](std::span<const double> values,
         const CellSettings& settings) -> std::unique_ptr<CellModel> {
        Matrix gate = settings.gate_volt;
        if (gate.size() == 0) gate = Matrix::Constant(1, 1, values[0]);
        if (!gate.allFinite()) {
          throw InvalidArgument("gate_volt: expected finite values, got one that is not");
        }
        return std::make_unique<TransistorCell>((gate.array() - values[1]).matrix(), values[2],
                                                values[3]);
      }};
}

}  // namespace xbar::device
