#pragma once

/// JART VCM v1b: a filamentary valence-change cell, deterministic form [Cueppers2019].

#include <memory>
#include <utility>
#include <vector>

#include <xbar/device/dynamics/dynamic_cell.hpp>
#include <xbar/device/dynamics/registry.hpp>

namespace xbar::device {

/// Defaults: the published parameter file of the deterministic model.
struct JartVcmV1bParameters {
  double n_min_1e26_per_cubic_metre = 0.008;
  double n_max_1e26_per_cubic_metre = 20;
  double n_plug_1e26_per_cubic_metre = 20;
  double radius_metre = 45e-9;
  double cell_metre = 3e-9;    ///< l_c, disc and plug
  double disc_metre = 0.4e-9;  ///< l_d
  double charge_number = 2;    ///< z
  double mobility_square_metre_per_volt_second = 4e-6;
  double permittivity = 17;           ///< relative, static
  double permittivity_barrier = 5.5;  ///< relative, of the barrier lowering
  double barrier_volt = 0.18;         ///< phi_0
  double fermi_volt = 0.1;            ///< phi_n
  double richardson = 6.01e5;         ///< A*, A/(m^2 K^2)
  double hop_metre = 0.25e-9;         ///< a
  double attempt_hertz = 2e13;        ///< nu
  double activation_electronvolt = 1.35;
  double thermal_kelvin_per_watt = 15.72e6;
  double reset_thermal_factor = 0.27;  ///< thermal resistance of RESET over that of SET
  double tiox_ohm = 650;
  double line_ohm = 719.2437;  ///< R0
  double line_kelvin_per_watt = 90471.47;
  double line_per_kelvin = 3.92e-3;  ///< alpha
  double ambient_kelvin = 293;
};

/// State N, the concentration of oxygen vacancies in the disc, 1e26 m^-3, from N_min (off) to N_max
/// (on). Schottky barrier V_s, disc, plug and line in series, area A = pi r^2:
///     V = V_s + I (R_d + R_p + R_s)
///     R_d = l_d/(N z q u A)      R_p = (l_c - l_d)/(N_p z q u A)
///     R_s = R_TiOx + R0 (1 + R0 alpha I^2 Rth_line)
///     phi = phi_0 - [q^3 z N (phi_0 - phi_n - V_s)/(8 pi^2 eps_b^3)]^(1/4), not below 0;
///           phi_0 where V_s >= phi_0 - phi_n
///     V_s > 0:  I = A A* T^2 exp(-q phi/kT) (exp(q V_s/kT) - 1)
///     V_s < 0:  I = -A (A* T/k) sqrt(pi W00 q (|V_s| + phi/cosh^2(W00/kT))) exp(-q phi/W0)
///                   (exp(q |V_s|/eps') - 1)
///               W00 = (q h/4 pi) sqrt(z N/(m eps))    W0 = W00/tanh(W00/kT)
///               eps' = W00/(W00/kT - tanh(W00/kT))
///     T = T_ambient + I (V_s + I (R_d + R_p)) R_th
///     dN/dt = -(c a nu/l_d) [exp(-dW_min/kT) - exp(-dW_max/kT)] F,   c = (N_p + N)/2
///                     dW = dW_A (sqrt(1 - G^2) -/+ G pi/2 + G asin G)   G = z E a/(pi dW_A)
///     V > 0 (RESET):  E = (V_s + I (R_d + R_p))/l_c    F = 1 - (N_min/N)^10
///     V < 0 (SET):    E = I R_d/l_d                    F = 1 - (N/N_max)^10
/// V_s and T are found together, by Newton's method within brackets, to rounding. As published, phi
/// comes back to phi_0 just below V_s = phi_0 - phi_n = 0.08 V, so that for V > 0 up to three V_s
/// fit one V. The smallest is taken: the branch that starts at V = 0, which a circuit simulator
/// stays on, where a bisection from V would leave it. With the default parameters it goes beyond 6
/// V in every state; where other parameters end it, I jumps down to the next branch. Negative
/// voltages switch on; stiff.
class JartVcmV1b final : public DynamicCell {
 public:
  /// @throws InvalidArgument naming the parameter
  explicit JartVcmV1b(const JartVcmV1bParameters& parameters = {});

  [[nodiscard]] double current(double volt, std::span<const double> state) const override;
  [[nodiscard]] double current_slope(double volt, std::span<const double> state) const override;
  [[nodiscard]] Branch branch(double volt, std::span<const double> state) const override;
  void derivative(double volt, std::span<const double> state,
                  std::span<double> rate) const override;
  [[nodiscard]] double temperature(double volt, std::span<const double> state) const override;
  [[nodiscard]] bool stiff() const override { return true; }
  [[nodiscard]] int set_sign() const override { return -1; }
  [[nodiscard]] double read_volt() const override { return 0.2; }

 private:
  /// Everything inside at one voltage; all magnitudes.
  struct Point {
    double schottky_volt = 0;
    double ampere = 0;
    double siemens = 0;  ///< dI/dvolt of the series resistors
    double kelvin = 0;
  };
  /// ln I_barrier - ln I_series, and the partial derivatives of ln I_barrier.
  struct Barrier {
    double log_ratio = 0;
    double by_volt = 0;
    double by_kelvin = 0;
  };
  /// I of the series resistors, and dI/dvolt.
  struct Series {
    double ampere = 0;
    double siemens = 0;
  };
  [[nodiscard]] Point solve(double volt, double n) const;
  [[nodiscard]] Point bracket(double size, bool reset, double n) const;
  [[nodiscard]] Point at_schottky(double schottky_volt, double volt, bool reset, double n) const;
  [[nodiscard]] std::pair<double, double> surplus(double schottky_volt, double volt, bool reset,
                                                  double n) const;
  [[nodiscard]] double by_schottky(const Point& point, const Barrier& b, bool reset,
                                   double n) const;
  [[nodiscard]] double by_applied(const Point& point, const Barrier& b, bool reset, double n) const;
  [[nodiscard]] double peak(double flat, double volt, double n) const;
  [[nodiscard]] Barrier barrier(const Point& point, bool reset, double n) const;
  [[nodiscard]] double disc_ohm(double n) const { return disc_ohm_times_n_ / n; }
  [[nodiscard]] Series series(double volt, double n) const;
  [[nodiscard]] double thermal(bool reset) const;

  JartVcmV1bParameters p_;
  double area_ = 0;
  double disc_ohm_times_n_ = 0;
  double plug_ohm_ = 0;
  double lowering_ = 0;  ///< volt^3 for N = 1e26 m^-3
  double w00_ = 0;       ///< volt for N = 1e26 m^-3
};

[[nodiscard]] std::unique_ptr<DynamicCell> make_jart_vcm_v1b(const ParameterValues& parameters);
[[nodiscard]] std::vector<ParameterInfo> jart_vcm_v1b_parameters();

}  // namespace xbar::device
