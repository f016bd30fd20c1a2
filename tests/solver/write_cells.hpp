#pragma once

/// Cells and arrays for the tests of write pulses and programming.

#include <memory>

#include <xbar/core/wires.hpp>
#include <xbar/device/dynamics/dynamic_cell.hpp>
#include <xbar/device/dynamics/registry.hpp>
#include <xbar/device/dynamics/vteam.hpp>
#include <xbar/solver/circuit.hpp>

namespace xbar_test {

/// 10 kohm to 100 kohm, thresholds at +-`threshold`, 3 nm in 1 us at twice the threshold.
inline xbar::device::VteamParameters vteam_parameters(double threshold = 1) {
  xbar::device::VteamParameters p;
  p.on_ohm = 10e3;
  p.off_ohm = 100e3;
  p.length_metre = 3e-9;
  p.k_on_metre_per_second = -3e-3;
  p.k_off_metre_per_second = 3e-3;
  p.alpha_on = 3;
  p.alpha_off = 3;
  p.v_on_volt = -threshold;
  p.v_off_volt = threshold;
  return p;
}

/// A cell built in the other way round: I'(v) = -I(-v), f'(v) = f(-v).
class MirroredCell final : public xbar::device::DynamicCell {
 public:
  explicit MirroredCell(const xbar::device::DynamicCell& cell)
      : DynamicCell(cell.states()), cell_(cell) {}
  [[nodiscard]] double current(double volt, std::span<const double> state) const override {
    return -cell_.current(-volt, state);
  }
  [[nodiscard]] double current_slope(double volt, std::span<const double> state) const override {
    return cell_.current_slope(-volt, state);
  }
  void derivative(double volt, std::span<const double> state,
                  std::span<double> rate) const override {
    cell_.derivative(-volt, state, rate);
  }
  [[nodiscard]] int set_sign() const override { return -cell_.set_sign(); }

 private:
  const xbar::device::DynamicCell& cell_;
};

/// Closed cells everywhere.
inline xbar::solver::Circuit array_circuit(xbar::Index wordlines, xbar::Index bitlines,
                                           const xbar::WireResistance& wires) {
  return xbar::solver::make_circuit(xbar::Matrix::Ones(wordlines, bitlines), wires);
}

}  // namespace xbar_test
