#pragma once

/// Yakopcic's generalised memristor model [Yakopcic2011, Yakopcic2020].

#include <memory>
#include <vector>

#include <xbar/device/dynamics/dynamic_cell.hpp>
#include <xbar/device/dynamics/registry.hpp>

namespace xbar::device {

/// Defaults: a fit of the newer form of the current [Yakopcic2020]. With gmin_p =
/// gmin_n = 0 it is the first form, I = a x sinh(bV), a = gmax, b = bmax.
struct YakopcicParameters {
  double gmax_p_ampere = 9e-5;
  double bmax_p_per_volt = 4.96;
  double gmax_n_ampere = 1.7e-4;
  double bmax_n_per_volt = 3.23;
  double gmin_p_ampere = 1.5e-5;
  double bmin_p_per_volt = 6.91;
  double gmin_n_ampere = 4.4e-7;
  double bmin_n_per_volt = 2.6;
  double a_p_per_second = 90;
  double a_n_per_second = 10;
  double v_p_volt = 0.5;
  double v_n_volt = 0.5;
  double alpha_p = 1;
  double alpha_n = 1;
  double x_p = 0.1;
  double x_n = 0.242;
  double eta = 1;  ///< 1: positive voltages raise x; -1: they lower it
};

/// State x from 0 (off) to 1 (on):
///     I = h_max(V) x + h_min(V) (1 - x)        h(V) = g sinh(b V), g and b by the sign of V
///     dx/dt = eta g(V) f(x, eta V)
///     g =  A_p (e^V - e^V_p)    V > V_p        g = -A_n (e^-V - e^V_n)    V < -V_n        else 0
///     f = exp(-alpha_p (x - x_p)) (1 - x)/(1 - x_p)    x >= x_p, else 1      as x rises
///     f = exp(alpha_n (x - 1 + x_n)) x/(1 - x_n)       x <= 1 - x_n, else 1  as x falls
/// The windows f take x to its ends smoothly. No temperature.
class Yakopcic final : public DynamicCell {
 public:
  /// @throws InvalidArgument naming the parameter
  explicit Yakopcic(const YakopcicParameters& parameters = {});

  [[nodiscard]] double current(double volt, std::span<const double> state) const override;
  [[nodiscard]] double current_slope(double volt, std::span<const double> state) const override;
  void derivative(double volt, std::span<const double> state,
                  std::span<double> rate) const override;
  [[nodiscard]] int set_sign() const override { return p_.eta > 0 ? 1 : -1; }

 private:
  YakopcicParameters p_;
};

[[nodiscard]] std::unique_ptr<DynamicCell> make_yakopcic(const ParameterValues& parameters);
[[nodiscard]] std::vector<ParameterInfo> yakopcic_parameters();

}  // namespace xbar::device
