#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <utility>

#include <boost/math/quadrature/gauss.hpp>
#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/suggest.hpp>
#include <xbar/device/integrate.hpp>

#include "steppers.hpp"

namespace xbar::device {
namespace {

constexpr std::array<std::pair<Integrator, std::string_view>, 3> integrators{{
    {Integrator::automatic, "automatic"},
    {Integrator::dormand_prince, "dormand-prince"},
    {Integrator::rosenbrock, "rosenbrock"},
}};

// A step of integrate() never covers more of a stretch between breakpoints than this, so that a
// rate that wakes up within it (a threshold passed, a sign changed) is not stepped over.
constexpr double largest_share = 1.0 / 50;
constexpr double first_share = 1.0 / 1000;
// Gauss's rule with three points on [-1, 1], for the short stretches of CellIntegrator.
const double gauss_node = std::sqrt(0.6);
constexpr double gauss_middle = 8.0 / 9;
constexpr double gauss_side = 5.0 / 9;
constexpr std::size_t steps_a_report = 512;

void check_tolerance(double tolerance) {
  constexpr double coarsest = 0.1;
  if (tolerance > 0 && tolerance <= coarsest) return;
  throw InvalidArgument(
      fmt::format("tolerance: expected more than 0 and up to 0.1, got {}", tolerance));
}

void check(const DynamicCell& cell, const Waveform& waveform, std::span<const double> initial,
           const IntegrateOptions& options) {
  const std::vector<StateVariable>& states = cell.states();
  if (initial.size() != states.size()) {
    throw InvalidArgument(
        fmt::format("initial: expected {} states, got {}", states.size(), initial.size()));
  }
  for (std::size_t k = 0; k < states.size(); ++k) {
    if (!(initial[k] >= states[k].lower()) || !(initial[k] <= states[k].upper())) {
      throw InvalidArgument(fmt::format("initial: {}: expected {} to {}, got {}", states[k].name,
                                        states[k].lower(), states[k].upper(), initial[k]));
    }
  }
  check_tolerance(options.tolerance);
  double former = 0;
  for (const double time : options.times) {
    if (!(time >= former) || !(time <= waveform.duration())) {
      throw InvalidArgument(fmt::format("times: expected ascending from {} to {} s, got {}", former,
                                        waveform.duration(), time));
    }
    former = time;
  }
}

/// A share of a step where something happens, and which state it happens to.
struct Event {
  double share = 2;  // of the step; above 1: nothing happens
  std::size_t state = 0;
  double value = 0;  // scaled, what the state comes to
  bool stop = false;
};

/// One stretch between corners of the voltage after the other: steps with error control, events,
/// energy.
class Stretches {
 public:
  Stretches(const DynamicCell& cell, const IntegrateOptions& options)
      : cell_(cell),
        options_(options),
        problem_(cell),
        stepper_(make_stepper(used(), problem_, options.tolerance)),
        y_(problem_.size()),
        next_(y_),
        step_end_(y_),
        between_(y_) {
    problem_.drive([this](double since) { return volt(since); });
    report_.integrator = used();
  }
  virtual ~Stretches() = default;
  Stretches(const Stretches&) = delete;
  Stretches& operator=(const Stretches&) = delete;

 protected:
  /// Voltage `since` after the beginning of the stretch.
  [[nodiscard]] virtual double volt(double since) const = 0;
  /// Before a step is tried.
  virtual void trying(double time, double step) = 0;
  /// A step from `from`, whose polynomial goes on to `to`, is taken over up to `reached`, next_.
  virtual void taken(double from, double to, double reached) = 0;
  /// The integral of `power`(time).
  [[nodiscard]] virtual double quadrature(const std::function<double(double)>& power, double from,
                                          double to) const = 0;

  // Time counts from the beginning of the stretch: short steps late in a long run stay exact.
  // @return the step that would come next
  double stretch(double length, double first, double largest) {
    length_ = length;
    problem_.set_length(length);
    double time = 0;
    double wanted = std::min(largest, first);
    restart(time);
    while (time < length_ && !report_.stopped) {
      const double left = length_ - time;
      // No sliver is left for the last step.
      double step = std::min(wanted, largest);
      const bool last = step >= left * (1 - 1e-9);
      if (last) step = left;
      trying(time, step);
      double suggested = step;
      if (!stepper_->try_step(y_, time, suggested, next_)) {
        ++report_.rejected;
        wanted = suggested;
        continue;
      }
      const double to = last ? length_ : time + step;
      const Event event = first_event(time, to);
      if (event.share == 0 && !event.stop && problem_.holds(event.state, event.value)) {
        // A resting state does not pass its bound: the step was too long to be right.
        ++report_.rejected;
        wanted = step / 4;
        restart(time);
        continue;
      }
      ++report_.steps;
      wanted = std::max(suggested, last ? wanted : 0.0);
      time = accept(time, to, event);
    }
    return wanted;
  }

  void interpolate(double from, double to, double time, std::vector<double>& y) {
    stepper_->interpolate(y_, from, step_end_, to, time, y);
  }

  const DynamicCell& cell_;
  const IntegrateOptions& options_;
  Problem problem_;
  std::unique_ptr<Stepper> stepper_;
  std::vector<double> y_;
  std::vector<double> next_;
  std::vector<double> step_end_;  // the whole step's, where an event cuts it short
  std::vector<double> between_;
  std::optional<double> target_;
  double length_ = 0;
  IntegrateReport report_;

 private:
  [[nodiscard]] Integrator used() const {
    if (options_.integrator != Integrator::automatic) return options_.integrator;
    return cell_.stiff() ? Integrator::rosenbrock : Integrator::dormand_prince;
  }

  /// Takes over the step from `from` to `to`, or as much of it as there is before the first event.
  /// @return where it ended
  double accept(double from, double to, const Event& event) {
    double reached = to;
    if (event.share <= 1) {
      reached = from + event.share * (to - from);
      interpolate(from, to, reached, next_);
      next_[event.state] = event.value;
      report_.stopped = event.stop;
    }
    problem_.clamp(next_);
    add_energy(from, to, reached);
    taken(from, to, reached);
    const bool freed = problem_.free_moved(y_, next_);
    std::swap(y_, next_);
    if (event.share <= 1 && !event.stop) {
      problem_.hold(event.state, event.value);
      ++report_.bounds_hit;
    }
    if (event.share <= 1 || freed) {
      restart(reached);
    } else {
      stepper_->accept();
    }
    return reached;
  }

  void restart(double time) { stepper_->restart(y_, time); }

  [[nodiscard]] Event first_event(double from, double to) {
    step_end_ = next_;
    Event first;
    for (std::size_t k = 0; k < y_.size(); ++k) {
      for (const double bound : {problem_.lower(k), problem_.upper(k)}) {
        const bool outside = bound == problem_.lower(k) ? next_[k] < bound : next_[k] > bound;
        if (!outside) continue;
        const double share = y_[k] == bound ? 0 : crossing(from, to, k, bound);
        if (share < first.share) first = {share, k, bound, false};
      }
    }
    if (target_ && (y_[0] - *target_) * (next_[0] - *target_) <= 0) {
      const double share = crossing(from, to, 0, *target_);
      if (share <= first.share) first = {share, 0, *target_, true};
    }
    return first;
  }

  /// By bisection on the step's polynomial: monotone or not, it ends on a crossing.
  [[nodiscard]] double crossing(double from, double to, std::size_t k, double value) {
    double low = 0;
    double high = 1;
    const bool rising = step_end_[k] > y_[k];
    for (int halving = 0; halving < 60; ++halving) {
      const double middle = std::midpoint(low, high);
      interpolate(from, to, from + middle * (to - from), between_);
      ((between_[k] < value) == rising ? low : high) = middle;
    }
    return high;
  }

  void add_energy(double from, double to, double reached) {
    if (!(reached > from)) return;
    report_.energy_joule += quadrature(
        [&](double since) {
          interpolate(from, to, since, between_);
          problem_.clamp(between_);
          const double v = volt(since);
          return v * cell_.current(v, problem_.physical(between_));
        },
        from, reached);
  }
};

class Run final : public Stretches {
 public:
  Run(const DynamicCell& cell, const Waveform& waveform, std::span<const double> initial,
      const IntegrateOptions& options)
      : Stretches(cell, options), waveform_(waveform) {
    problem_.scale(initial, y_);
  }

  Trace operator()() {
    if (options_.stop_at_fraction) {
      target_ = problem_.scaled_of_fraction(*options_.stop_at_fraction);
      report_.stopped = y_[0] == *target_;
    }
    std::vector<double> ends = waveform_.breakpoints();
    ends.push_back(waveform_.duration());
    for (const double end : ends) {
      if (report_.stopped) break;
      end_ = end;
      length_ = end_ - begin_;
      if (options_.times.empty()) record(begin_, volt(0), y_);
      (void)stretch(length_, first_share * length_, largest_share * length_);
      begin_ = end;
    }
    return finish();
  }

 private:
  // From its own side at both ends of the stretch.
  [[nodiscard]] double volt(double since) const override {
    if (since <= 0) return waveform_.value(begin_);
    if (since >= length_) return waveform_.value_before(end_);
    return waveform_.value(begin_ + since);
  }

  [[nodiscard]] double quadrature(const std::function<double(double)>& power, double from,
                                  double to) const override {
    return boost::math::quadrature::gauss<double, 7>::integrate(power, from, to);
  }

  void trying(double time, double step) override {
    const std::size_t tries = report_.steps + report_.rejected;
    if (!(time + step > time)) {
      throw NumericalError(
          fmt::format("integrate: the step has fallen below rounding at t = {} s with v = {} V",
                      begin_ + time, volt(time)));
    }
    if (tries >= options_.most_steps) {
      throw NumericalError(fmt::format("integrate: {} steps have come to t = {} s of {} s",
                                       options_.most_steps, begin_ + time, waveform_.duration()));
    }
    if (options_.progress && tries % steps_a_report == 0) {
      options_.progress({"integrating", begin_ + time, waveform_.duration(), ""});
    }
  }

  void taken(double from, double to, double reached) override {
    end_second_ = reached < length_ ? begin_ + reached : end_;
    if (options_.times.empty()) {
      record(begin_ + reached, volt(reached), next_);
      return;
    }
    const std::vector<double>& times = options_.times;
    const bool to_the_end = end_ == waveform_.duration();
    for (; recorded_ < times.size(); ++recorded_) {
      const double time = times[recorded_];
      // At a breakpoint the stretch after it reports, with the voltage after a jump.
      if (time > begin_ + reached || (time >= end_ && !to_the_end)) break;
      const double since = std::clamp(time - begin_, from, reached);
      interpolate(from, to, since, between_);
      problem_.clamp(between_);
      record(time, waveform_.value(time), since >= reached ? next_ : between_);
    }
  }

  void record(double time, double volt, const std::vector<double>& y) {
    const std::span<const double> state = problem_.physical(y);
    trace_.time_second.push_back(time);
    trace_.voltage_volt.push_back(volt);
    trace_.current_ampere.push_back(cell_.current(volt, state));
    trace_.kelvin.push_back(cell_.temperature(volt, state));
    states_.insert(states_.end(), state.begin(), state.end());
  }

  Trace finish() {
    const std::span<const double> state = problem_.physical(y_);
    report_.end_state.assign(state.begin(), state.end());
    report_.end_second = end_second_;
    report_.evaluations = problem_.evaluations();
    trace_.report = report_;
    const auto n = static_cast<Index>(y_.size());
    trace_.state =
        Eigen::Map<const Matrix>(states_.data(), static_cast<Index>(trace_.time_second.size()), n);
    return std::move(trace_);
  }

  const Waveform& waveform_;
  std::vector<double> states_;
  std::size_t recorded_ = 0;
  double end_second_ = 0;
  double begin_ = 0;
  double end_ = 0;
  Trace trace_;
};

}  // namespace

class CellIntegrator::Line final : public Stretches {
 public:
  Line(const DynamicCell& cell, const IntegrateOptions& options) : Stretches(cell, options) {}

  CellMove move(double from_volt, double to_volt, double second, double first_step_second,
                std::span<double> state) {
    from_volt_ = from_volt;
    rise_ = to_volt - from_volt;
    problem_.scale(state, y_);
    problem_.release();
    report_ = {};
    const std::size_t evaluations = problem_.evaluations();
    const double next = stretch(second, first_step_second > 0 ? first_step_second : second, second);
    const std::span<const double> end = problem_.physical(y_);
    std::copy(end.begin(), end.end(), state.begin());
    return {report_.energy_joule, next, report_.steps + report_.rejected,
            problem_.evaluations() - evaluations};
  }

 private:
  [[nodiscard]] double volt(double since) const override {
    return from_volt_ + rise_ * (since / length_);
  }

  [[nodiscard]] double quadrature(const std::function<double(double)>& power, double from,
                                  double to) const override {
    const double half = 0.5 * (to - from);
    const double middle = from + half;
    return half *
           (gauss_side * (power(middle - gauss_node * half) + power(middle + gauss_node * half)) +
            gauss_middle * power(middle));
  }

  void trying(double time, double step) override {
    if (time + step > time) return;
    throw NumericalError(
        fmt::format("integrate: the step has fallen below rounding at t = {} s with v = {} V", time,
                    volt(time)));
  }

  void taken(double /*from*/, double /*to*/, double /*reached*/) override {}

  double from_volt_ = 0;
  double rise_ = 0;
};

CellIntegrator::CellIntegrator(const DynamicCell& cell, double tolerance)
    : options_(std::make_unique<IntegrateOptions>()) {
  options_->tolerance = tolerance;
  check_tolerance(tolerance);
  line_ = std::make_unique<Line>(cell, *options_);
}

CellIntegrator::CellIntegrator(CellIntegrator&&) noexcept = default;
CellIntegrator::~CellIntegrator() = default;

CellMove CellIntegrator::move(double from_volt, double to_volt, double second,
                              double first_step_second, std::span<double> state) {
  return line_->move(from_volt, to_volt, second, first_step_second, state);
}

Integrator parse_integrator(std::string_view name) {
  std::vector<std::string> names;
  for (const auto& [integrator, known] : integrators) {
    if (known == name) return integrator;
    names.emplace_back(known);
  }
  throw InvalidArgument(fmt::format("integrator: expected one of {}, got '{}'{}",
                                    fmt::join(names, ", "), name, did_you_mean(name, names)));
}

std::string_view integrator_name(Integrator integrator) {
  for (const auto& [known, name] : integrators) {
    if (known == integrator) return name;
  }
  return "";
}

Trace integrate(const DynamicCell& cell, const Waveform& waveform, std::span<const double> initial,
                const IntegrateOptions& options) {
  check(cell, waveform, initial, options);
  return Run(cell, waveform, initial, options)();
}

}  // namespace xbar::device
