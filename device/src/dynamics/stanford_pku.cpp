#include <cmath>

#include <xbar/device/dynamics/stanford_pku.hpp>

#include "parameter_table.hpp"
#include "physical_constants.hpp"

namespace xbar::device {
namespace {

using P = StanfordPkuParameters;
constexpr std::string_view model = "stanford-pku";
constexpr double nanometre = 1e-9;

constexpr ParameterRow<P> rows[] = {
    {"i0_ampere", "A", &P::i0_ampere, Allowed::positive, "current scale"},
    {"g0_metre", "m", &P::g0_metre, Allowed::positive, "decay length of the current"},
    {"v0_volt", "V", &P::v0_volt, Allowed::positive, "non-linearity of the current"},
    {"velocity_metre_per_second", "m/s", &P::velocity_metre_per_second, Allowed::positive,
     "attempt velocity"},
    {"activation_electronvolt", "eV", &P::activation_electronvolt, Allowed::not_negative,
     "activation energy of an oxygen vacancy"},
    {"a0_metre", "m", &P::a0_metre, Allowed::positive, "hopping distance"},
    {"oxide_metre", "m", &P::oxide_metre, Allowed::positive, "thickness of the oxide"},
    {"gamma0", "", &P::gamma0, Allowed::positive, "field enhancement without a gap"},
    {"beta", "", &P::beta, Allowed::not_negative, "loss of enhancement, times (g/1 nm)^3"},
    {"field_min_volt_per_metre", "V/m", &P::field_min_volt_per_metre, Allowed::not_negative,
     "enhanced field below which nothing moves"},
    {"thermal_kelvin_per_watt", "K/W", &P::thermal_kelvin_per_watt, Allowed::not_negative,
     "thermal resistance"},
    {"ambient_kelvin", "K", &P::ambient_kelvin, Allowed::positive, "temperature around"},
    {"gap_min_metre", "m", &P::gap_min_metre, Allowed::not_negative, "gap when on"},
    {"gap_max_metre", "m", &P::gap_max_metre, Allowed::positive, "gap when off"},
};

// While a cell is reset by a rising voltage, the gap follows the edge at F_min: a jump of the rate
// there would have no solution but in the sense of a limit. So the rate rises over a thousandth.
double smooth_onset(double field, double least) {
  constexpr double width = 1e-3;
  if (field < least) return 0;
  if (field >= least * (1 + width)) return 1;
  const double s = (field / least - 1) / width;
  return s * s * (3 - 2 * s);
}

}  // namespace

StanfordPku::StanfordPku(const StanfordPkuParameters& parameters)
    : DynamicCell({{"gap_metre", parameters.gap_max_metre, parameters.gap_min_metre}}),
      p_(parameters) {
  check_parameters(model, rows, parameters);
  if (!(p_.gap_max_metre > p_.gap_min_metre)) {
    throw InvalidArgument(
        fmt::format("model {}: gap_max_metre: expected more than gap_min_metre = {}, got {}", model,
                    p_.gap_min_metre, p_.gap_max_metre));
  }
}

double StanfordPku::current(double volt, std::span<const double> state) const {
  return p_.i0_ampere * std::exp(-state[0] / p_.g0_metre) * std::sinh(volt / p_.v0_volt);
}

double StanfordPku::current_slope(double volt, std::span<const double> state) const {
  return p_.i0_ampere * std::exp(-state[0] / p_.g0_metre) * std::cosh(volt / p_.v0_volt) /
         p_.v0_volt;
}

void StanfordPku::derivative(double volt, std::span<const double> state,
                             std::span<double> rate) const {
  const double gamma = p_.gamma0 - p_.beta * std::pow(state[0] / nanometre, 3);
  const double onset =
      smooth_onset(gamma * std::abs(volt) / p_.oxide_metre, p_.field_min_volt_per_metre);
  if (onset == 0) {
    rate[0] = 0;
    return;
  }
  const double thermal_volt = constants::boltzmann * temperature(volt, state) / constants::charge;
  const double field = gamma * p_.a0_metre * volt / (p_.oxide_metre * thermal_volt);
  // exp and sinh in one, since sinh alone leaves the range of numbers.
  const double barrier = p_.activation_electronvolt / thermal_volt;
  rate[0] = -onset * p_.velocity_metre_per_second / 2 *
            (std::exp(field - barrier) - std::exp(-field - barrier));
}

double StanfordPku::temperature(double volt, std::span<const double> state) const {
  return p_.ambient_kelvin + std::abs(volt * current(volt, state)) * p_.thermal_kelvin_per_watt;
}

std::unique_ptr<DynamicCell> make_stanford_pku(const ParameterValues& parameters) {
  return std::make_unique<StanfordPku>(read_parameters(model, rows, parameters));
}

std::vector<ParameterInfo> stanford_pku_parameters() { return describe_parameters(rows); }

}  // namespace xbar::device
