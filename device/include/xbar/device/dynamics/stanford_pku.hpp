#pragma once

/// The Stanford-PKU RRAM model: a filament with a tunnelling gap [Jiang2016].

#include <memory>
#include <vector>

#include <xbar/device/dynamics/dynamic_cell.hpp>
#include <xbar/device/dynamics/registry.hpp>

namespace xbar::device {

/// Defaults: the model's published parameter file. At 0.1 V the ends of the gap are 542 ohm and
/// 218586 ohm.
struct StanfordPkuParameters {
  double i0_ampere = 1e-3;
  double g0_metre = 0.25e-9;
  double v0_volt = 0.25;
  double velocity_metre_per_second = 10;
  double activation_electronvolt = 0.6;
  double a0_metre = 0.25e-9;
  double oxide_metre = 12e-9;
  double gamma0 = 16;
  double beta = 0.8;
  double field_min_volt_per_metre = 1.4e9;
  double thermal_kelvin_per_watt = 2100;
  double ambient_kelvin = 298;
  double gap_min_metre = 0.2e-9;
  double gap_max_metre = 1.7e-9;
};

/// State g, metre, from gap_max (off) to gap_min (on):
///     I = I0 exp(-g/g0) sinh(V/V0)
///     dg/dt = -v exp(-Ea/kT) sinh(gamma a0 q V/(t_ox k T))
///     gamma = gamma0 - beta (g/1 nm)^3; dg/dt = 0 where gamma |V|/t_ox < F_min
///     T = T_ambient + |V I| R_th
/// Positive voltages switch on. The rate rises from 0 within 0.1 % of F_min (as published it jumps,
/// and in a RESET under rising voltage the gap slides along the jump); so it is stiff. The model's
/// random term is left out: it has no meaning for an integrator that chooses its own steps.
class StanfordPku final : public DynamicCell {
 public:
  /// @throws InvalidArgument naming the parameter
  explicit StanfordPku(const StanfordPkuParameters& parameters = {});

  [[nodiscard]] double current(double volt, std::span<const double> state) const override;
  [[nodiscard]] double current_slope(double volt, std::span<const double> state) const override;
  void derivative(double volt, std::span<const double> state,
                  std::span<double> rate) const override;
  [[nodiscard]] double temperature(double volt, std::span<const double> state) const override;
  [[nodiscard]] bool stiff() const override { return true; }
  [[nodiscard]] int set_sign() const override { return 1; }

 private:
  StanfordPkuParameters p_;
};

[[nodiscard]] std::unique_ptr<DynamicCell> make_stanford_pku(const ParameterValues& parameters);
[[nodiscard]] std::vector<ParameterInfo> stanford_pku_parameters();

}  // namespace xbar::device
