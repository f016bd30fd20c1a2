#include <cmath>

#include <xbar/device/dynamics/vteam.hpp>

#include "parameter_table.hpp"

namespace xbar::device {
namespace {

using P = VteamParameters;
constexpr std::string_view model = "vteam";

constexpr ParameterRow<P> rows[] = {
    {"on_ohm", "ohm", &P::on_ohm, Allowed::positive, "resistance at x = 0"},
    {"off_ohm", "ohm", &P::off_ohm, Allowed::positive, "resistance at x = d"},
    {"length_metre", "m", &P::length_metre, Allowed::positive, "d, range of x"},
    {"k_on_metre_per_second", "m/s", &P::k_on_metre_per_second, Allowed::negative,
     "speed at 2 v_on"},
    {"k_off_metre_per_second", "m/s", &P::k_off_metre_per_second, Allowed::positive,
     "speed at 2 v_off"},
    {"alpha_on", "", &P::alpha_on, Allowed::positive, "exponent below v_on"},
    {"alpha_off", "", &P::alpha_off, Allowed::positive, "exponent above v_off"},
    {"v_on_volt", "V", &P::v_on_volt, Allowed::negative, "threshold of switching on"},
    {"v_off_volt", "V", &P::v_off_volt, Allowed::positive, "threshold of switching off"},
    {"exponential", "", &P::exponential, Allowed::zero_or_one,
     "1: resistance exponential in x, 0: linear"},
};

}  // namespace

Vteam::Vteam(const VteamParameters& parameters)
    : DynamicCell({{"position_metre", parameters.length_metre, 0}}), p_(parameters) {
  check_parameters(model, rows, parameters);
  if (!(p_.off_ohm > p_.on_ohm)) {
    throw InvalidArgument(fmt::format("model {}: off_ohm: expected more than on_ohm = {}, got {}",
                                      model, p_.on_ohm, p_.off_ohm));
  }
}

double Vteam::current(double volt, std::span<const double> state) const {
  return volt * current_slope(volt, state);
}

double Vteam::current_slope(double /*volt*/, std::span<const double> state) const {
  const double share = state[0] / p_.length_metre;
  if (p_.exponential != 0) return std::pow(p_.on_ohm / p_.off_ohm, share) / p_.on_ohm;
  return 1 / (p_.on_ohm + (p_.off_ohm - p_.on_ohm) * share);
}

void Vteam::derivative(double volt, std::span<const double> /*state*/,
                       std::span<double> rate) const {
  rate[0] = 0;
  if (volt > p_.v_off_volt) {
    rate[0] = p_.k_off_metre_per_second * std::pow(volt / p_.v_off_volt - 1, p_.alpha_off);
  } else if (volt < p_.v_on_volt) {
    rate[0] = p_.k_on_metre_per_second * std::pow(volt / p_.v_on_volt - 1, p_.alpha_on);
  }
}

std::unique_ptr<DynamicCell> make_vteam(const ParameterValues& parameters) {
  return std::make_unique<Vteam>(read_parameters(model, rows, parameters));
}

std::vector<ParameterInfo> vteam_parameters() { return describe_parameters(rows); }

}  // namespace xbar::device
