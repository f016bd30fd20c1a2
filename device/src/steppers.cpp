#include "steppers.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <boost/numeric/odeint/stepper/controlled_runge_kutta.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta_dopri5.hpp>
#include <fmt/format.h>

#include <xbar/core/error.hpp>

#include "rosenbrock4.hpp"

namespace xbar::device {
namespace {

namespace odeint = boost::numeric::odeint;

using State = std::vector<double>;

double absolute_tolerance(const Problem& problem, double tolerance) {
  double smallest = std::numeric_limits<double>::infinity();
  for (std::size_t k = 0; k < problem.size(); ++k) {
    smallest = std::min(smallest, problem.smallest(k));
  }
  return tolerance * smallest;
}

class DormandPrince final : public Stepper {
 public:
  DormandPrince(Problem& problem, double tolerance)
      : problem_(problem),
        checker_(absolute_tolerance(problem, tolerance), tolerance, 1, 0),
        controlled_(checker_),
        rate_(problem.size()),
        next_rate_(problem.size()) {}

  void restart(const State& y, double time) override {
    problem_.rate(y, time, rate_);  // all that is kept from step to step
  }

  bool try_step(const State& y, double time, double& step, State& next) override {
    const auto system = [this](const State& at, State& rate, double t) {
      problem_.rate(at, t, rate);
    };
    return controlled_.try_step(system, y, rate_, time, next, next_rate_, step) == odeint::success;
  }

  void interpolate(const State& y, double time, const State& next, double next_time, double at,
                   State& result) override {
    controlled_.stepper().calc_state(at, result, y, rate_, time, next, next_rate_, next_time);
  }

  void accept() override { std::swap(rate_, next_rate_); }

 private:
  using Checker =
      odeint::default_error_checker<double, odeint::range_algebra, odeint::default_operations>;
  using Controlled = odeint::controlled_runge_kutta<odeint::runge_kutta_dopri5<State>, Checker>;

  Problem& problem_;
  Checker checker_;
  Controlled controlled_;
  State rate_;
  State next_rate_;
};

class Rosenbrock final : public Stepper {
 public:
  Rosenbrock(Problem& problem, double tolerance)
      : problem_(problem),
        tolerance_(tolerance),
        up_(problem.size()),
        down_(problem.size()),
        moved_(problem.size()) {}

  void restart(const State& /*y*/, double /*time*/) override {
    controlled_ = std::make_unique<Rosenbrock4>(
        problem_.size(), absolute_tolerance(problem_, tolerance_), tolerance_,
        [this](const double* y, double time, double* rate) {
          problem_.rate({y, problem_.size()}, time, {rate, problem_.size()});
        },
        [this](const double* y, double time, double* by_state, double* by_time) {
          differentiate({y, problem_.size()}, time, by_state, by_time);
        });
  }

  bool try_step(const State& y, double time, double& step, State& next) override {
    step_ = step;
    const bool small_error = controlled_->try_step(y.data(), time, step, next.data());
    // Across a runaway the linear system turns round (1/(gamma step) - J changes sign), and a step
    // the wrong way may look good: none is longer than the time constant of growth.
    if (!(step_ * growth_ > 1)) return small_error;
    step = 0.5 / growth_;
    return false;
  }

  void interpolate(const State& /*y*/, double time, const State& /*next*/, double next_time,
                   double at, State& result) override {
    controlled_->interpolate(time, next_time, at, result.data());
  }

 private:
  // Central differences. The models' derivatives are exact to about 1e-13 at worst, so that these
  // are to some 1e-7; the estimate of the error sees what is left.
  void differentiate(std::span<const double> y, double time, double* by_state, double* by_time) {
    constexpr double share = 1e-6;
    const std::size_t n = y.size();
    growth_ = 0;
    std::copy(y.begin(), y.end(), moved_.begin());
    for (std::size_t k = 0; k < n; ++k) {
      const double change = share * std::max(std::abs(y[k]), problem_.smallest(k));
      // One-sided at a bound: beyond it the rate is that on the bound.
      const double high = std::min(y[k] + change, std::max(y[k], problem_.upper(k)));
      const double low = std::max(y[k] - change, std::min(y[k], problem_.lower(k)));
      moved_[k] = high;
      problem_.rate(moved_, time, up_);
      moved_[k] = low;
      problem_.rate(moved_, time, down_);
      moved_[k] = y[k];
      for (std::size_t i = 0; i < n; ++i) by_state[i * n + k] = (up_[i] - down_[i]) / (high - low);
      growth_ = std::max(growth_, by_state[k * n + k]);
    }
    // A share of the step tried: if the voltage is not smooth over that, the step is too long.
    constexpr double share_of_step = 1e-2;
    const double after = std::min(time + share_of_step * step_, problem_.length());
    const double before = std::max(time - share_of_step * step_, 0.0);
    if (problem_.volt(after) == problem_.volt(before)) {
      std::fill(by_time, by_time + n, 0.0);
      return;
    }
    problem_.rate(y, after, up_);
    problem_.rate(y, before, down_);
    for (std::size_t i = 0; i < n; ++i) by_time[i] = (up_[i] - down_[i]) / (after - before);
  }

  Problem& problem_;
  double tolerance_;
  double step_ = 0;                          // the one being tried
  double growth_ = 0;                        // largest d(rate)/dy of a state by itself, 1/s
  std::unique_ptr<Rosenbrock4> controlled_;  // restart() makes it
  State up_;
  State down_;
  State moved_;
};

}  // namespace

Problem::Problem(const DynamicCell& cell) : cell_(cell) {
  for (const StateVariable& s : cell.states()) {
    const double scale = std::max(std::abs(s.lower()), std::abs(s.upper()));
    scale_.push_back(scale);
    lower_.push_back(s.lower() / scale);
    upper_.push_back(s.upper() / scale);
    smallest_.push_back(s.lower() > 0 ? lower_.back() : upper_.back() - lower_.back());
  }
  held_.resize(scale_.size());
  state_.resize(scale_.size());
}

void Problem::scale(std::span<const double> state, std::vector<double>& y) const {
  for (std::size_t k = 0; k < y.size(); ++k) y[k] = state[k] / scale_[k];
  clamp(y);
}

double Problem::scaled_of_fraction(double fraction) const {
  return cell_.state_of_fraction(fraction).front() / scale_.front();
}

std::span<const double> Problem::physical(const std::vector<double>& y) {
  for (std::size_t k = 0; k < y.size(); ++k) {
    const StateVariable& s = cell_.states()[k];
    state_[k] = std::clamp(y[k] * scale_[k], s.lower(), s.upper());
  }
  return state_;
}

void Problem::clamp(std::vector<double>& y) const {
  for (std::size_t k = 0; k < y.size(); ++k) y[k] = std::clamp(y[k], lower_[k], upper_[k]);
}

void Problem::hold(std::size_t k, double bound) { held_[k] = bound == lower_[k] ? -1 : 1; }

void Problem::release() { std::fill(held_.begin(), held_.end(), 0); }

bool Problem::holds(std::size_t k, double bound) const {
  return held_[k] == (bound == lower_[k] ? -1 : 1);
}

bool Problem::free_moved(const std::vector<double>& before, const std::vector<double>& after) {
  bool any = false;
  for (std::size_t k = 0; k < held_.size(); ++k) {
    if (held_[k] == 0 || before[k] == after[k]) continue;
    held_[k] = 0;
    any = true;
  }
  return any;
}

void Problem::rate(std::span<const double> y, double time, std::span<double> rate) {
  ++evaluations_;
  for (std::size_t k = 0; k < y.size(); ++k) {
    const StateVariable& s = cell_.states()[k];
    state_[k] = std::clamp(y[k] * scale_[k], s.lower(), s.upper());
  }
  const double volt = volt_(time);
  cell_.derivative(volt, state_, rate);
  for (std::size_t k = 0; k < y.size(); ++k) {
    if (!std::isfinite(rate[k])) {
      throw NumericalError(fmt::format("integrate: d({})/dt is {} at v = {} V, {} = {}",
                                       cell_.states()[k].name, rate[k], volt,
                                       cell_.states()[k].name, state_[k]));
    }
    rate[k] = held_[k] * rate[k] > 0 ? 0 : rate[k] / scale_[k];
  }
}

std::unique_ptr<Stepper> make_stepper(Integrator integrator, Problem& problem, double tolerance) {
  if (integrator == Integrator::rosenbrock) return std::make_unique<Rosenbrock>(problem, tolerance);
  return std::make_unique<DormandPrince>(problem, tolerance);
}

}  // namespace xbar::device
