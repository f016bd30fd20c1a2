#pragma once

/// Boost.Odeint's controlled steppers behind one interface, on states scaled to about 1.

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include <xbar/device/dynamics/dynamic_cell.hpp>
#include <xbar/device/integrate.hpp>

namespace xbar::device {

/// The initial value problem dy/dt = f(v(t), x)/scale, y = x/scale, on one stretch of the waveform.
/// f is evaluated at states clamped to the bounds; a state that is held at a bound stays there as
/// long as f points outwards.
class Problem {
 public:
  explicit Problem(const DynamicCell& cell);

  /// The voltage against the time since the beginning of the stretch.
  void drive(std::function<double(double)> volt) { volt_ = std::move(volt); }
  void set_length(double length) { length_ = length; }
  [[nodiscard]] double volt(double time) const { return volt_(time); }

  [[nodiscard]] std::size_t size() const { return scale_.size(); }
  [[nodiscard]] double lower(std::size_t k) const { return lower_[k]; }
  [[nodiscard]] double upper(std::size_t k) const { return upper_[k]; }
  [[nodiscard]] double length() const { return length_; }
  /// What the absolute error of a state is measured by.
  [[nodiscard]] double smallest(std::size_t k) const { return smallest_[k]; }
  [[nodiscard]] std::size_t evaluations() const { return evaluations_; }

  /// The states as y.
  void scale(std::span<const double> state, std::vector<double>& y) const;
  [[nodiscard]] double scaled_of_fraction(double fraction) const;
  /// Valid until the next call.
  [[nodiscard]] std::span<const double> physical(const std::vector<double>& y);
  void clamp(std::vector<double>& y) const;

  /// Keeps state k at the bound that it has come to.
  void hold(std::size_t k, double bound);
  [[nodiscard]] bool holds(std::size_t k, double bound) const;
  /// Frees all held states.
  void release();
  /// Frees the held states that have moved. @return whether there were any
  bool free_moved(const std::vector<double>& before, const std::vector<double>& after);

  /// dy/dt. @throws NumericalError if it is not finite
  void rate(std::span<const double> y, double time, std::span<double> rate);

 private:
  const DynamicCell& cell_;
  std::function<double(double)> volt_;
  double length_ = 0;
  std::vector<double> scale_;
  std::vector<double> lower_;
  std::vector<double> upper_;
  std::vector<double> smallest_;
  std::vector<int> held_;  // -1 at the lower bound, +1 at the upper one, 0 free
  std::vector<double> state_;
  std::size_t evaluations_ = 0;
};

/// One step at a time, with error control.
class Stepper {
 public:
  virtual ~Stepper() = default;
  Stepper() = default;
  Stepper(const Stepper&) = delete;
  Stepper& operator=(const Stepper&) = delete;

  /// Forgets what is known of former steps: the problem is another from here on.
  virtual void restart(const std::vector<double>& y, double time) = 0;
  /// Tries y(time) -> `next` with `step`; `step` becomes a suggestion for the next try.
  /// @return whether the error is small enough
  virtual bool try_step(const std::vector<double>& y, double time, double& step,
                        std::vector<double>& next) = 0;
  /// y at a time within the step just tried.
  virtual void interpolate(const std::vector<double>& y, double time,
                           const std::vector<double>& next, double next_time, double at,
                           std::vector<double>& result) = 0;
  /// The step just tried is taken as a whole.
  virtual void accept() {}
};

/// @param integrator  not automatic
[[nodiscard]] std::unique_ptr<Stepper> make_stepper(Integrator integrator, Problem& problem,
                                                    double tolerance);

}  // namespace xbar::device
