#include <cmath>

#include <xbar/device/dynamics/yakopcic.hpp>

#include "parameter_table.hpp"

namespace xbar::device {
namespace {

using P = YakopcicParameters;
constexpr std::string_view model = "yakopcic";

constexpr ParameterRow<P> rows[] = {
    {"gmax_p_ampere", "A", &P::gmax_p_ampere, Allowed::positive, "current at x = 1, V >= 0"},
    {"bmax_p_per_volt", "1/V", &P::bmax_p_per_volt, Allowed::positive, "its non-linearity"},
    {"gmax_n_ampere", "A", &P::gmax_n_ampere, Allowed::positive, "current at x = 1, V < 0"},
    {"bmax_n_per_volt", "1/V", &P::bmax_n_per_volt, Allowed::positive, "its non-linearity"},
    {"gmin_p_ampere", "A", &P::gmin_p_ampere, Allowed::not_negative, "current at x = 0, V >= 0"},
    {"bmin_p_per_volt", "1/V", &P::bmin_p_per_volt, Allowed::positive, "its non-linearity"},
    {"gmin_n_ampere", "A", &P::gmin_n_ampere, Allowed::not_negative, "current at x = 0, V < 0"},
    {"bmin_n_per_volt", "1/V", &P::bmin_n_per_volt, Allowed::positive, "its non-linearity"},
    {"a_p_per_second", "1/s", &P::a_p_per_second, Allowed::not_negative, "speed above v_p"},
    {"a_n_per_second", "1/s", &P::a_n_per_second, Allowed::not_negative, "speed below -v_n"},
    {"v_p_volt", "V", &P::v_p_volt, Allowed::not_negative, "positive threshold"},
    {"v_n_volt", "V", &P::v_n_volt, Allowed::not_negative, "size of the negative threshold"},
    {"alpha_p", "", &P::alpha_p, Allowed::not_negative, "slowing above x_p"},
    {"alpha_n", "", &P::alpha_n, Allowed::not_negative, "slowing below 1 - x_n"},
    {"x_p", "", &P::x_p, Allowed::not_negative, "where rising slows, below 1"},
    {"x_n", "", &P::x_n, Allowed::not_negative, "1 less where falling slows, below 1"},
    {"eta", "", &P::eta, Allowed::plus_or_minus_one, "1: positive voltages raise x, -1: lower it"},
};

void check_below_one(const char* name, double value) {
  if (value < 1) return;
  throw InvalidArgument(
      fmt::format("model {}: {}: expected less than 1, got {}", model, name, value));
}

}  // namespace

Yakopcic::Yakopcic(const YakopcicParameters& parameters)
    : DynamicCell({{"state", 0, 1}}), p_(parameters) {
  check_parameters(model, rows, parameters);
  check_below_one("x_p", p_.x_p);
  check_below_one("x_n", p_.x_n);
}

double Yakopcic::current(double volt, std::span<const double> state) const {
  const double x = state[0];
  if (volt >= 0) {
    return p_.gmax_p_ampere * std::sinh(p_.bmax_p_per_volt * volt) * x +
           p_.gmin_p_ampere * std::sinh(p_.bmin_p_per_volt * volt) * (1 - x);
  }
  return p_.gmax_n_ampere * std::sinh(p_.bmax_n_per_volt * volt) * x +
         p_.gmin_n_ampere * std::sinh(p_.bmin_n_per_volt * volt) * (1 - x);
}

double Yakopcic::current_slope(double volt, std::span<const double> state) const {
  const double x = state[0];
  const auto slope = [volt](double g, double b) { return g * b * std::cosh(b * volt); };
  if (volt >= 0) {
    return slope(p_.gmax_p_ampere, p_.bmax_p_per_volt) * x +
           slope(p_.gmin_p_ampere, p_.bmin_p_per_volt) * (1 - x);
  }
  return slope(p_.gmax_n_ampere, p_.bmax_n_per_volt) * x +
         slope(p_.gmin_n_ampere, p_.bmin_n_per_volt) * (1 - x);
}

void Yakopcic::derivative(double volt, std::span<const double> state,
                          std::span<double> rate) const {
  double speed = 0;
  if (volt > p_.v_p_volt) {
    speed = p_.a_p_per_second * (std::exp(volt) - std::exp(p_.v_p_volt));
  } else if (volt < -p_.v_n_volt) {
    speed = -p_.a_n_per_second * (std::exp(-volt) - std::exp(p_.v_n_volt));
  }
  const double x = state[0];
  double window = 1;
  if (p_.eta * volt >= 0) {
    if (x >= p_.x_p) window = std::exp(-p_.alpha_p * (x - p_.x_p)) * (1 - x) / (1 - p_.x_p);
  } else {
    if (x <= 1 - p_.x_n) window = std::exp(p_.alpha_n * (x - 1 + p_.x_n)) * x / (1 - p_.x_n);
  }
  rate[0] = p_.eta * speed * window;
}

std::unique_ptr<DynamicCell> make_yakopcic(const ParameterValues& parameters) {
  return std::make_unique<Yakopcic>(read_parameters(model, rows, parameters));
}

std::vector<ParameterInfo> yakopcic_parameters() { return describe_parameters(rows); }

}  // namespace xbar::device
