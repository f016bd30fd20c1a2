#pragma once

/// Boost.Odeint's rosenbrock4 with step control, without its types: the one source behind this
/// header is compiled as C++17, because Boost's uBLAS before 1.77 is no C++20.

#include <cstddef>
#include <functional>
#include <memory>

namespace xbar::device {

/// All arrays have the size of the state; matrices are row-major.
class Rosenbrock4 {
 public:
  /// dy/dt at y, time.
  using Rate = std::function<void(const double* y, double time, double* rate)>;
  /// d(rate)/dy and d(rate)/dt.
  using Jacobian =
      std::function<void(const double* y, double time, double* by_state, double* by_time)>;

  Rosenbrock4(std::size_t size, double absolute_tolerance, double relative_tolerance, Rate rate,
              Jacobian jacobian);
  Rosenbrock4(const Rosenbrock4&) = delete;
  Rosenbrock4& operator=(const Rosenbrock4&) = delete;
  ~Rosenbrock4();

  /// As Stepper::try_step.
  bool try_step(const double* y, double time, double& step, double* next);
  /// Within the step just taken, which went from `time` to `next_time`.
  void interpolate(double time, double next_time, double at, double* result);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace xbar::device
