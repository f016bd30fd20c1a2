#pragma once

/// A cell under a waveform: its state over time, with error control.

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <xbar/core/matrix.hpp>
#include <xbar/core/progress.hpp>
#include <xbar/device/dynamics/dynamic_cell.hpp>
#include <xbar/device/waveform.hpp>

namespace xbar::device {

/// How the states are stepped; both choose their steps by an estimate of the local error.
enum class Integrator {
  automatic,       ///< rosenbrock where the cell is stiff(), else dormand_prince
  dormand_prince,  ///< explicit, order 5(4)
  rosenbrock,      ///< linearly implicit, order 4(3), L-stable
};

/// "automatic", "dormand-prince", "rosenbrock". @throws InvalidArgument for another name
[[nodiscard]] Integrator parse_integrator(std::string_view name);
[[nodiscard]] std::string_view integrator_name(Integrator integrator);

struct IntegrateOptions {
  /// Local error of a step, relative to the state, > 0 and <= 0.1; where a state is small, relative
  /// to its lower bound or, if that is 0, to its range.
  double tolerance = 1e-6;
  Integrator integrator = Integrator::automatic;
  /// When to report, second, ascending, 0 to the waveform's duration; empty: at every step.
  std::vector<double> times = {};
  /// Ends where DynamicCell::fraction() crosses this value, if it does.
  std::optional<double> stop_at_fraction = {};
  std::size_t most_steps = 50'000'000;
  ProgressCallback progress = {};
};

struct IntegrateReport {
  Integrator integrator = Integrator::automatic;  ///< the one used
  std::size_t steps = 0;
  std::size_t rejected = 0;     ///< tries with too large an error
  std::size_t evaluations = 0;  ///< of the state's derivative
  std::size_t bounds_hit = 0;   ///< times a state has come to a bound
  double energy_joule = 0;      ///< integral of v i dt, quadrature over every step
  bool stopped = false;         ///< by stop_at_fraction
  double end_second = 0;        ///< the duration, or where it stopped
  std::vector<double> end_state;
};

/// Row k of every column belongs to time k. Where the waveform jumps, a trace of every step has the
/// time twice, with the voltage before and after.
struct Trace {
  std::vector<double> time_second;
  std::vector<double> voltage_volt;
  std::vector<double> current_ampere;
  std::vector<double> kelvin;  ///< NaN for a model without temperature
  Matrix state;                ///< times x states
  IntegrateReport report;
};

/// Integrates dx/dt = f(v(t), x) from x(0) = `initial`.
///
/// Steps end at the waveform's breakpoints. Where a state passes a bound, the step ends there: the
/// crossing is found on the step's interpolation polynomial, and the state rests on the bound until
/// f points inwards. Requested times are read off the same polynomials (order 4 and 3), so that
/// they do not shorten steps. The steppers are Boost.Odeint's.
/// @throws InvalidArgument for options or an initial state out of range; NumericalError with the
///         time reached if a derivative is not finite, the step falls below rounding or
///         `most_steps` do not do
[[nodiscard]] Trace integrate(const DynamicCell& cell, const Waveform& waveform,
                              std::span<const double> initial,
                              const IntegrateOptions& options = {});

/// What a cell has done on a short stretch.
struct CellMove {
  double joule = 0;             ///< integral of v i dt
  double next_step_second = 0;  ///< the step that would come next
  std::size_t steps = 0;        ///< tried
  std::size_t evaluations = 0;  ///< of the state's derivative
};

/// Cells of one model over many short stretches of linear voltage, such as an array's macro steps,
/// without the cost of a waveform and a trace for each.
///
/// The steps, their error control and the bounds are those of integrate(). But the whole stretch
/// may be one step: who cuts time into such stretches sees to it that rates do not wake up unseen
/// within one. The energy is integrated by Gauss's rule with 3 nodes a step, not 7.
class CellIntegrator {
 public:
  /// @param tolerance  IntegrateOptions::tolerance
  /// @throws InvalidArgument for a tolerance out of range. `cell` is referred to
  CellIntegrator(const DynamicCell& cell, double tolerance);
  CellIntegrator(CellIntegrator&&) noexcept;
  ~CellIntegrator();

  /// Moves `state` over `second` > 0 under a voltage from `from_volt` to `to_volt`, linear in time.
  /// The result depends on nothing but the arguments.
  /// @param first_step_second  tried first: CellMove::next_step_second of the former stretch; 0:
  ///                           the whole
  /// @param state  in and out, within the bounds
  /// @throws NumericalError as integrate()
  CellMove move(double from_volt, double to_volt, double second, double first_step_second,
                std::span<double> state);

 private:
  class Line;
  std::unique_ptr<IntegrateOptions> options_;
  std::unique_ptr<Line> line_;
};

}  // namespace xbar::device
