#pragma once

/// A cell whose state moves: what every dynamic model answers.

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace xbar::device {

/// One component of a cell's state and the two ends of its range.
struct StateVariable {
  std::string name;  ///< with its unit: "gap_metre"
  double off = 0;    ///< value in the high-resistive state
  double on = 0;     ///< value in the low-resistive state

  [[nodiscard]] double lower() const { return off < on ? off : on; }
  [[nodiscard]] double upper() const { return off < on ? on : off; }
};

/// Current and slope of a cell.
struct Branch {
  double ampere = 0;
  double siemens = 0;  ///< dI/dv
};

/// A two-terminal cell with states x:
///     i = I(v, x)        dx/dt = f(v, x)        lower <= x <= upper
/// A state at a bound stays there until f points inwards. I(0, x) = 0: the loop is pinched.
/// Objects do not change; all functions may be called from many threads. The spans have one entry
/// for each of states(), within the bounds; v is finite.
class DynamicCell {
 public:
  virtual ~DynamicCell() = default;
  DynamicCell(const DynamicCell&) = delete;
  DynamicCell& operator=(const DynamicCell&) = delete;

  [[nodiscard]] const std::vector<StateVariable>& states() const { return states_; }

  /// Ampere. @throws NumericalError where an implicit model finds no current
  [[nodiscard]] virtual double current(double volt, std::span<const double> state) const = 0;
  /// dI/dv at constant state, siemens.
  [[nodiscard]] virtual double current_slope(double volt, std::span<const double> state) const = 0;
  /// current() and current_slope(), for models that find them together.
  [[nodiscard]] virtual Branch branch(double volt, std::span<const double> state) const {
    return {current(volt, state), current_slope(volt, state)};
  }
  /// f(v, x), units of the states per second, written to `rate`.
  virtual void derivative(double volt, std::span<const double> state,
                          std::span<double> rate) const = 0;
  /// Inside the cell, kelvin; NaN if the model knows no temperature.
  [[nodiscard]] virtual double temperature(double volt, std::span<const double> state) const;
  /// Whether an explicit integrator is the wrong tool.
  [[nodiscard]] virtual bool stiff() const { return false; }
  /// +1 if positive voltages switch the cell on, -1 if negative ones do.
  [[nodiscard]] virtual int set_sign() const = 0;
  /// The voltage at which this model's resistances are quoted, volt.
  [[nodiscard]] virtual double read_volt() const { return 0.1; }

  /// off + fraction (on - off) in every component. @throws InvalidArgument unless 0 <= fraction <=
  /// 1
  [[nodiscard]] std::vector<double> state_of_fraction(double fraction) const;
  /// The fraction that the first component has covered of its way from off to on.
  [[nodiscard]] double fraction(std::span<const double> state) const;
  /// I(read_volt(), x) / read_volt(), siemens.
  [[nodiscard]] double conductance(std::span<const double> state) const;
  /// The state_of_fraction() with this conductance.
  /// @throws InvalidArgument if the cell cannot have it; the message gives the range
  [[nodiscard]] std::vector<double> state_of_conductance(double siemens) const;

 protected:
  explicit DynamicCell(std::vector<StateVariable> states) : states_(std::move(states)) {}

 private:
  std::vector<StateVariable> states_;
};

}  // namespace xbar::device
