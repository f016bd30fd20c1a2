#pragma once

/// VTEAM: a threshold-adaptive model with voltage thresholds [Kvatinsky2015].

#include <memory>
#include <vector>

#include <xbar/device/dynamics/dynamic_cell.hpp>
#include <xbar/device/dynamics/registry.hpp>

namespace xbar::device {

/// Defaults: the parameter set of MemTorch's VTEAM [Lammie2022].
struct VteamParameters {
  double on_ohm = 50;
  double off_ohm = 1000;
  double length_metre = 3e-9;  ///< d
  double k_on_metre_per_second = -10;
  double k_off_metre_per_second = 5e-4;
  double alpha_on = 3;
  double alpha_off = 1;
  double v_on_volt = -0.2;
  double v_off_volt = 0.02;
  double exponential = 0;  ///< 0: resistance linear in x; 1: exponential
};

/// State x, metre, from 0 (on) to d (off); rectangular windows, so that x stops at the ends:
///     dx/dt = k_off (v/v_off - 1)^alpha_off   v >= v_off > 0
///           = k_on  (v/v_on  - 1)^alpha_on    v <= v_on  < 0
///           = 0                               between
///     i = v / (R_on + (R_off - R_on) x/d)     or     i = (v/R_on) exp(-ln(R_off/R_on) x/d)
/// Negative voltages switch on. No temperature.
class Vteam final : public DynamicCell {
 public:
  /// @throws InvalidArgument naming the parameter
  explicit Vteam(const VteamParameters& parameters = {});

  [[nodiscard]] double current(double volt, std::span<const double> state) const override;
  [[nodiscard]] double current_slope(double volt, std::span<const double> state) const override;
  void derivative(double volt, std::span<const double> state,
                  std::span<double> rate) const override;
  [[nodiscard]] int set_sign() const override { return -1; }

 private:
  VteamParameters p_;
};

[[nodiscard]] std::unique_ptr<DynamicCell> make_vteam(const ParameterValues& parameters);
[[nodiscard]] std::vector<ParameterInfo> vteam_parameters();

}  // namespace xbar::device
