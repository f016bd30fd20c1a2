#include "rosenbrock4.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include <boost/numeric/odeint/stepper/rosenbrock4.hpp>
#include <boost/numeric/odeint/stepper/rosenbrock4_controller.hpp>

namespace xbar::device {

namespace odeint = boost::numeric::odeint;
namespace ublas = boost::numeric::ublas;

// Time is one more state, with rate 1. Boost's own way with time has a wrong sign in one
// coefficient (d4 of default_rosenbrock_coefficients, at least up to 1.74), which costs two orders.
struct Rosenbrock4::Parts {
  odeint::rosenbrock4_controller<odeint::rosenbrock4<double>> controlled;
  Rate rate;
  Jacobian jacobian;
  std::size_t size;
  ublas::vector<double> from;
  ublas::vector<double> to;
  ublas::vector<double> at;
  ublas::vector<double> by_state;
  ublas::vector<double> by_time;
};

Rosenbrock4::Rosenbrock4(std::size_t size, double absolute_tolerance, double relative_tolerance,
                         Rate rate, Jacobian jacobian)
    : parts_(new Parts{{absolute_tolerance, relative_tolerance},
                       std::move(rate),
                       std::move(jacobian),
                       size,
                       ublas::vector<double>(size + 1),
                       ublas::vector<double>(size + 1),
                       ublas::vector<double>(size + 1),
                       ublas::vector<double>(size * size),
                       ublas::vector<double>(size)}) {}

Rosenbrock4::~Rosenbrock4() = default;

bool Rosenbrock4::try_step(const double* y, double time, double& step, double* next) {
  Parts& p = *parts_;
  std::copy(y, y + p.size, p.from.begin());
  p.from[p.size] = time;
  const auto rate = [&p](const ublas::vector<double>& at, ublas::vector<double>& result,
                         double /*time*/) {
    p.rate(&at[0], at[p.size], &result[0]);
    result[p.size] = 1;
  };
  const auto jacobian = [&p](const ublas::vector<double>& at, ublas::matrix<double>& result,
                             double /*time*/, ublas::vector<double>& by_time) {
    p.jacobian(&at[0], at[p.size], &p.by_state[0], &p.by_time[0]);
    std::fill(by_time.begin(), by_time.end(), 0.0);
    for (std::size_t i = 0; i < p.size; ++i) {
      for (std::size_t k = 0; k < p.size; ++k) result(i, k) = p.by_state[i * p.size + k];
      result(i, p.size) = p.by_time[i];
      result(p.size, i) = 0;
    }
    result(p.size, p.size) = 0;
  };
  const bool success = p.controlled.try_step(std::make_pair(rate, jacobian), p.from, time, p.to,
                                             step) == odeint::success;
  if (success) p.controlled.stepper().prepare_dense_output();
  std::copy(p.to.begin(), p.to.begin() + static_cast<std::ptrdiff_t>(p.size), next);
  return success;
}

void Rosenbrock4::interpolate(double time, double next_time, double at, double* result) {
  Parts& p = *parts_;
  p.controlled.stepper().calc_state(at, p.at, p.from, time, p.to, next_time);
  std::copy(p.at.begin(), p.at.begin() + static_cast<std::ptrdiff_t>(p.size), result);
}

}  // namespace xbar::device
