#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include <boost/math/tools/toms748_solve.hpp>

#include <xbar/device/dynamics/jart_vcm_v1b.hpp>

#include "parameter_table.hpp"
#include "physical_constants.hpp"

namespace xbar::device {
namespace {

using P = JartVcmV1bParameters;
using constants::boltzmann;
using constants::charge;
using std::numbers::pi;

constexpr std::string_view model = "jart-vcm-v1b";
constexpr double concentration = 1e26;  // per cubic metre: the unit of N
constexpr double window_exponent = 10;

constexpr ParameterRow<P> rows[] = {
    {"n_min_1e26_per_cubic_metre", "1e26/m^3", &P::n_min_1e26_per_cubic_metre, Allowed::positive,
     "vacancies in the disc when off"},
    {"n_max_1e26_per_cubic_metre", "1e26/m^3", &P::n_max_1e26_per_cubic_metre, Allowed::positive,
     "vacancies in the disc when on"},
    {"n_plug_1e26_per_cubic_metre", "1e26/m^3", &P::n_plug_1e26_per_cubic_metre, Allowed::positive,
     "vacancies in the plug"},
    {"radius_metre", "m", &P::radius_metre, Allowed::positive, "radius of the filament"},
    {"cell_metre", "m", &P::cell_metre, Allowed::positive, "length of disc and plug"},
    {"disc_metre", "m", &P::disc_metre, Allowed::positive, "length of the disc"},
    {"charge_number", "", &P::charge_number, Allowed::positive, "of a vacancy"},
    {"mobility_square_metre_per_volt_second", "m^2/(V s)",
     &P::mobility_square_metre_per_volt_second, Allowed::positive, "of electrons"},
    {"permittivity", "", &P::permittivity, Allowed::positive, "of the oxide, relative, static"},
    {"permittivity_barrier", "", &P::permittivity_barrier, Allowed::positive,
     "relative, for the image force"},
    {"barrier_volt", "V", &P::barrier_volt, Allowed::positive, "Schottky barrier without lowering"},
    {"fermi_volt", "V", &P::fermi_volt, Allowed::not_negative,
     "Fermi level below the conduction band"},
    {"richardson", "A/(m^2 K^2)", &P::richardson, Allowed::positive, "Richardson's constant"},
    {"hop_metre", "m", &P::hop_metre, Allowed::positive, "hopping distance of ions"},
    {"attempt_hertz", "Hz", &P::attempt_hertz, Allowed::positive, "attempt frequency of ions"},
    {"activation_electronvolt", "eV", &P::activation_electronvolt, Allowed::positive,
     "barrier of an ion's hop"},
    {"thermal_kelvin_per_watt", "K/W", &P::thermal_kelvin_per_watt, Allowed::not_negative,
     "thermal resistance of SET"},
    {"reset_thermal_factor", "", &P::reset_thermal_factor, Allowed::not_negative,
     "thermal resistance of RESET over that of SET"},
    {"tiox_ohm", "ohm", &P::tiox_ohm, Allowed::not_negative, "series resistance of the TiOx layer"},
    {"line_ohm", "ohm", &P::line_ohm, Allowed::positive, "line resistance when cold"},
    {"line_kelvin_per_watt", "K/W", &P::line_kelvin_per_watt, Allowed::not_negative,
     "thermal resistance of the line"},
    {"line_per_kelvin", "1/K", &P::line_per_kelvin, Allowed::not_negative,
     "temperature coefficient of the line"},
    {"ambient_kelvin", "K", &P::ambient_kelvin, Allowed::positive, "temperature around"},
};

/// ln(e^x - 1) = ln(factor) + rest for x > 0, and its derivative.
struct LogExpm1 {
  double factor;
  double rest;
  double slope;
};

LogExpm1 log_expm1(double x) {
  constexpr double large = 40;  // e^-x is below rounding
  if (x > large) return {1, x, 1};
  const double risen = std::expm1(x);
  return {risen, 0, (risen + 1) / risen};
}

void check_order(const char* name, double value, const char* other, double least) {
  if (value > least) return;
  throw InvalidArgument(fmt::format("model {}: {}: expected more than {} = {}, got {}", model, name,
                                    other, least, value));
}

}  // namespace

JartVcmV1b::JartVcmV1b(const JartVcmV1bParameters& parameters)
    : DynamicCell({{"concentration_1e26_per_cubic_metre", parameters.n_min_1e26_per_cubic_metre,
                    parameters.n_max_1e26_per_cubic_metre}}),
      p_(parameters) {
  check_parameters(model, rows, parameters);
  check_order("n_max_1e26_per_cubic_metre", p_.n_max_1e26_per_cubic_metre,
              "n_min_1e26_per_cubic_metre", p_.n_min_1e26_per_cubic_metre);
  check_order("cell_metre", p_.cell_metre, "disc_metre", p_.disc_metre);
  check_order("barrier_volt", p_.barrier_volt, "fermi_volt", p_.fermi_volt);
  area_ = pi * p_.radius_metre * p_.radius_metre;
  const double conductivity =
      concentration * p_.charge_number * charge * p_.mobility_square_metre_per_volt_second;
  disc_ohm_times_n_ = p_.disc_metre / (conductivity * area_);
  plug_ohm_ =
      (p_.cell_metre - p_.disc_metre) / (p_.n_plug_1e26_per_cubic_metre * conductivity * area_);
  const double barrier_permittivity = p_.permittivity_barrier * constants::vacuum_permittivity;
  lowering_ = std::pow(charge, 3) * p_.charge_number * concentration /
              (8 * pi * pi * std::pow(barrier_permittivity, 3));
  w00_ = constants::planck / (4 * pi) *
         std::sqrt(p_.charge_number * concentration /
                   (constants::electron_mass * p_.permittivity * constants::vacuum_permittivity));
}

// a I^3 + b I = volt has one real root, since a >= 0 and b > 0; Newton comes down to it from V/b.
JartVcmV1b::Series JartVcmV1b::series(double volt, double n) const {
  const double a = p_.line_ohm * p_.line_ohm * p_.line_per_kelvin * p_.line_kelvin_per_watt;
  const double b = disc_ohm(n) + plug_ohm_ + p_.tiox_ohm + p_.line_ohm;
  constexpr double close = 1e-9;  // its square is below rounding
  double ampere = volt / b;
  for (int k = 0; k < 100; ++k) {
    const double square = a * ampere * ampere;
    const double next = (volt + 2 * square * ampere) / (b + 3 * square);
    const bool done = ampere - next <= close * ampere;
    ampere = next;
    if (done) break;
  }
  return {ampere, 1 / (b + 3 * a * ampere * ampere)};
}

double JartVcmV1b::thermal(bool reset) const {
  return p_.thermal_kelvin_per_watt * (reset ? p_.reset_thermal_factor : 1);
}

JartVcmV1b::Point JartVcmV1b::at_schottky(double schottky_volt, double volt, bool reset,
                                          double n) const {
  const auto [ampere, siemens] = series(volt - schottky_volt, n);
  const double inside_volt = schottky_volt + ampere * (disc_ohm(n) + plug_ohm_);
  return {schottky_volt, ampere, siemens,
          p_.ambient_kelvin + ampere * inside_volt * thermal(reset)};
}

JartVcmV1b::Barrier JartVcmV1b::barrier(const Point& point, bool reset, double n) const {
  const double schottky_volt = point.schottky_volt;
  const double kelvin = point.kelvin;
  const double direction = reset ? 1 : -1;
  const double bending = p_.barrier_volt - p_.fermi_volt - direction * schottky_volt;
  double phi = p_.barrier_volt;
  double phi_by_volt = 0;
  if (bending > 0) {
    const double lowering = std::sqrt(std::sqrt(lowering_ * n * bending));
    phi = std::max(p_.barrier_volt - lowering, 0.0);
    if (phi > 0) phi_by_volt = direction * lowering / (4 * bending);
  }
  const double thermal_volt = boltzmann * kelvin / charge;
  if (reset) {
    const auto [factor, rest, rise] = log_expm1(schottky_volt / thermal_volt);
    return {std::log(area_ * p_.richardson * kelvin * kelvin * factor / point.ampere) -
                phi / thermal_volt + rest,
            (rise - phi_by_volt) / thermal_volt,
            (2 + (phi - rise * schottky_volt) / thermal_volt) / kelvin};
  }
  // W00, W0 and eps' as voltages.
  const double w00 = w00_ * std::sqrt(n);
  const double u = w00 / thermal_volt;
  const double tanh_u = std::tanh(u);
  const double sech2 = 1 - tanh_u * tanh_u;
  const double effective = schottky_volt + phi * sech2;
  const auto [factor, rest, rise] = log_expm1(schottky_volt * (u - tanh_u) / w00);
  const double u_by_kelvin = -u / kelvin;
  return {std::log(area_ * p_.richardson * kelvin / thermal_volt * kelvin *
                   std::sqrt(pi * w00 * effective) * factor / point.ampere) -
              phi * tanh_u / w00 + rest,
          (1 + phi_by_volt * sech2) / (2 * effective) - phi_by_volt * tanh_u / w00 +
              rise * (u - tanh_u) / w00,
          1 / kelvin - phi * tanh_u * sech2 * u_by_kelvin / effective -
              phi * sech2 * u_by_kelvin / w00 +
              rise * schottky_volt * tanh_u * tanh_u * u_by_kelvin / w00};
}

// ln I_barrier - ln I_series, and its derivative, at an assumed V_s.
std::pair<double, double> JartVcmV1b::surplus(double schottky_volt, double volt, bool reset,
                                              double n) const {
  constexpr double largest = 1e3;  // stands for the infinite logarithms at both ends
  const Point point = at_schottky(schottky_volt, volt, reset, n);
  const Barrier b = barrier(point, reset, n);
  return {std::clamp(b.log_ratio, -largest, largest), by_schottky(point, b, reset, n)};
}

// T depends on V_s directly and through I_series(V - V_s).
double JartVcmV1b::by_schottky(const Point& point, const Barrier& b, bool reset, double n) const {
  return b.by_volt + b.by_kelvin * thermal(reset) * point.ampere - by_applied(point, b, reset, n);
}

double JartVcmV1b::by_applied(const Point& point, const Barrier& b, bool reset, double n) const {
  const double kelvin_by_ampere =
      thermal(reset) * (point.schottky_volt + 2 * point.ampere * (disc_ohm(n) + plug_ohm_));
  return point.siemens * (b.by_kelvin * kelvin_by_ampere - 1 / point.ampere);
}

// Where the surplus is largest below flat bands, volt; the lowering of the barrier falls off there.
double JartVcmV1b::peak(double flat, double volt, double n) const {
  // Here phi rises from 0; if the surplus falls from there on, this is it.
  const double edge = flat - std::pow(p_.barrier_volt, 4) / (lowering_ * n);
  double low = 0;
  if (edge > 0) {
    constexpr double beyond = 1e-9;
    if (surplus(edge + beyond * (flat - edge), volt, true, n).second <= 0) return edge;
    low = edge;
  }
  constexpr double largest = 1e6;
  const auto slope = [&](double schottky_volt) {
    return std::clamp(surplus(schottky_volt, volt, true, n).second, -largest, largest);
  };
  std::uintmax_t iterations = 100;
  const auto bracket =
      boost::math::tools::toms748_solve(slope, low, flat, largest, -largest,
                                        boost::math::tools::eps_tolerance<double>(30), iterations);
  return std::midpoint(bracket.first, bracket.second);
}

JartVcmV1b::Point JartVcmV1b::solve(double volt, double n) const {
  const bool reset = volt > 0;
  const double size = std::abs(volt);
  const double flat = p_.barrier_volt - p_.fermi_volt;
  const bool folded = reset && size > flat;
  // Newton on the surplus, which below flat bands rises and is hollow downwards: steps from below
  // stay below. Where it is not like this, brackets are slower and sure.
  double low = 0;
  double high = folded ? flat : size;
  double schottky_volt = std::min(boltzmann * p_.ambient_kelvin / charge, 0.5 * high);
  constexpr int most = 60;
  for (int k = 0; k < most; ++k) {
    const auto [value, slope] = surplus(schottky_volt, size, reset, n);
    if (!(slope > 0)) break;
    (value < 0 ? low : high) = schottky_volt;
    const double next = schottky_volt - value / slope;
    constexpr double close = 1e-9;  // its square is below rounding
    const double moved = std::abs(next - schottky_volt);
    if (moved <= close * std::min(next, size - next)) return at_schottky(next, size, reset, n);
    if (next > low && next < high) {
      schottky_volt = next;
    } else {
      if (folded && high == flat) break;  // perhaps over the fold
      schottky_volt = std::midpoint(low, high);
    }
  }
  return bracket(size, reset, n);
}

// The smallest V_s whose surplus is 0.
JartVcmV1b::Point JartVcmV1b::bracket(double size, bool reset, double n) const {
  double low = 0;
  double high = size;
  const double flat = p_.barrier_volt - p_.fermi_volt;
  if (reset && size > flat) {
    // The branch that comes from V = 0, as far as it goes.
    const double top = peak(flat, size, n);
    (surplus(top, size, true, n).first >= 0 ? high : low) = top;
  }
  constexpr double end = 1e3;
  std::uintmax_t iterations = 200;
  const auto ends = boost::math::tools::toms748_solve(
      [&](double schottky_volt) { return surplus(schottky_volt, size, reset, n).first; }, low, high,
      -end, end, boost::math::tools::eps_tolerance<double>(51), iterations);
  return at_schottky(std::midpoint(ends.first, ends.second), size, reset, n);
}

double JartVcmV1b::current(double volt, std::span<const double> state) const {
  if (volt == 0) return 0;
  return std::copysign(solve(volt, state[0]).ampere, volt);
}

double JartVcmV1b::current_slope(double volt, std::span<const double> state) const {
  return branch(volt, state).siemens;
}

// With ln I_barrier(V_s, T) = ln I_series(V - V_s) and T = T(V_s, I_series), differentiated.
Branch JartVcmV1b::branch(double volt, std::span<const double> state) const {
  const double n = state[0];
  constexpr double least_volt = 1e-9;  // the slope does not change below, but the logarithms end
  const bool least = std::abs(volt) < least_volt;
  const double applied = least ? least_volt : volt;
  const bool reset = applied > 0;
  const Point point = solve(applied, n);
  const Barrier b = barrier(point, reset, n);
  const double slope =
      point.siemens * (1 + by_applied(point, b, reset, n) / by_schottky(point, b, reset, n));
  return {least ? current(volt, state) : std::copysign(point.ampere, volt), slope};
}

void JartVcmV1b::derivative(double volt, std::span<const double> state,
                            std::span<double> rate) const {
  rate[0] = 0;
  if (volt == 0) return;
  const double n = state[0];
  const bool reset = volt > 0;
  const Point point = solve(volt, n);
  double field = 0;
  double window = 1;
  if (reset) {
    field = (point.schottky_volt + point.ampere * (disc_ohm(n) + plug_ohm_)) / p_.cell_metre;
    window -= std::pow(p_.n_min_1e26_per_cubic_metre / n, window_exponent);
  } else {
    field = point.ampere * disc_ohm(n) / p_.disc_metre;
    window -= std::pow(n / p_.n_max_1e26_per_cubic_metre, window_exponent);
  }
  // From g = 1 on the field alone lifts an ion over its barrier.
  const double g =
      std::min(p_.charge_number * field * p_.hop_metre / (pi * p_.activation_electronvolt), 1.0);
  const double mean = std::sqrt(1 - g * g) + g * std::asin(g);
  const double scale = p_.activation_electronvolt * charge / (boltzmann * point.kelvin);
  const double hops =
      std::exp(-scale * (mean - g * pi / 2)) - std::exp(-scale * (mean + g * pi / 2));
  const double speed = (p_.n_plug_1e26_per_cubic_metre + n) / 2 * p_.hop_metre * p_.attempt_hertz *
                       hops * window / p_.disc_metre;
  rate[0] = reset ? -speed : speed;
}

double JartVcmV1b::temperature(double volt, std::span<const double> state) const {
  return volt == 0 ? p_.ambient_kelvin : solve(volt, state[0]).kelvin;
}

std::unique_ptr<DynamicCell> make_jart_vcm_v1b(const ParameterValues& parameters) {
  return std::make_unique<JartVcmV1b>(read_parameters(model, rows, parameters));
}

std::vector<ParameterInfo> jart_vcm_v1b_parameters() { return describe_parameters(rows); }

}  // namespace xbar::device
