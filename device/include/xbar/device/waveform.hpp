#pragma once

/// A voltage against time: what drives a cell or a line.

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace xbar::device {

/// A pulse train: `count` times low -> high -> low, one each `period`.
///
///     volt     rise  width  fall
///     high        ___________
///                /           \ .
///     low  _____/             \____________/ ...
///          delay|<------- period --------->|
struct PulseTrain {
  double low = 0;         ///< volt
  double high = 1;        ///< volt
  double delay = 0;       ///< second, >= 0
  double rise = 0;        ///< second, >= 0; 0 is a jump
  double width = 1e-6;    ///< second, > 0; time at `high`
  double fall = 0;        ///< second, >= 0
  double period = 0;      ///< second, >= rise + width + fall; 0 means exactly that
  std::size_t count = 1;  ///< pulses, 1 to 1,000,000
};

/// A sweep at constant rate 0 -> high -> low -> 0, `count` times: the I-V loop of a cell.
struct Triangle {
  double high = 1;        ///< volt, >= 0
  double low = -1;        ///< volt, <= 0, < high
  double period = 1;      ///< second, > 0; of one sweep
  double delay = 0;       ///< second, >= 0
  std::size_t count = 1;  ///< sweeps, 1 to 1,000,000
};

/// offset + amplitude sin(2 pi frequency (t - delay)), offset before `delay`.
struct Sine {
  double amplitude = 1;   ///< volt
  double frequency = 1;   ///< hertz, > 0
  double offset = 0;      ///< volt
  double delay = 0;       ///< second, >= 0
  std::size_t count = 1;  ///< periods, 1 to 1,000,000
};

/// A voltage v(t), volt, from t = 0 to duration(), second. A value: copied freely, never changed.
///
/// v is smooth but at breakpoints(), where its slope or, with a rise time of 0, v itself jumps; an
/// integrator that steps from one breakpoint to the next never steps over such a place. Before 0 it
/// is v(0), after the duration v(duration).
///
/// Every maker throws InvalidArgument "waveform KIND: KEY: expected ..., got ..." for values that
/// are not finite and for times that are negative, not ascending, or do not fit one another.
class Waveform {
 public:
  /// Constant. @param duration  second, > 0
  [[nodiscard]] static Waveform dc(double volt, double duration);
  /// `low` until `delay`, then in `rise` (0: a jump) to `high`, which stays until `duration`.
  [[nodiscard]] static Waveform step(double low, double high, double delay, double rise,
                                     double duration);
  /// `from` until `delay`, then straight to `to` within `rise` > 0; ends there.
  [[nodiscard]] static Waveform ramp(double from, double to, double delay, double rise);
  [[nodiscard]] static Waveform triangle(const Triangle& triangle);
  [[nodiscard]] static Waveform sine(const Sine& sine);
  [[nodiscard]] static Waveform pulses(const PulseTrain& train);
  /// Straight lines between (second, volt) points: the times ascending and >= 0, the last > 0.
  [[nodiscard]] static Waveform piecewise_linear(
      const std::vector<std::pair<double, double>>& points);
  /// piecewise_linear from the two columns, time (second) and voltage (volt), of a .csv file. One
  /// line of column names is allowed.
  /// @throws IoError for a missing or malformed file; InvalidArgument naming the file if its
  ///         numbers are no waveform
  [[nodiscard]] static Waveform file(const std::filesystem::path& path);
  /// The same on bytes in memory; `name` stands for the file in messages.
  [[nodiscard]] static Waveform csv(std::string_view bytes, const std::string& name);

  /// v(t), volt; the later one of two values where v jumps.
  [[nodiscard]] double value(double time) const;
  /// The limit of v from the left, volt: differs from value(time) only where v jumps.
  [[nodiscard]] double value_before(double time) const;
  /// Times strictly between 0 and duration() where the slope or the value jumps, and the zeros and
  /// extrema of a sine, so that who stops at all of them passes over no swing; ascending.
  [[nodiscard]] std::vector<double> breakpoints() const;
  /// Second, > 0.
  [[nodiscard]] double duration() const { return duration_; }

 private:
  /// A corner of the first period, `time` after the delay.
  struct Knot {
    double time = 0;
    double volt = 0;
  };
  enum class Side { left, right };

  Waveform() = default;
  [[nodiscard]] static Waveform of_points(const std::string& kind, std::vector<Knot> points);
  [[nodiscard]] double at(double time, Side side) const;
  [[nodiscard]] double in_period(double local, double slack, Side side) const;

  std::vector<Knot> knots_;  // of one period; empty for a sine
  double amplitude_ = 0;     // of a sine
  double offset_ = 0;        // of a sine
  double delay_ = 0;         // before the first period
  double period_ = 0;
  double duration_ = 0;
  std::size_t count_ = 1;
};

/// Reads the text form KIND:KEY=VALUE,KEY=VALUE,... of the command line; SI units.
///
///     dc:value=1,duration=1e-6
///     step:high=1,duration=1e-6            low=0, delay=0, rise=0
///     ramp:to=1,rise=1e-3                  from=0, delay=0
///     triangle:high=1,low=-1,period=1e-3   delay=0, count=1
///     sine:amplitude=1,frequency=1e3       offset=0, delay=0, count=1
///     pulse:high=1.5,width=1e-6            low=0, delay=0, rise=0, fall=rise, period, count=1
///     pwl:0=0,1e-6=1.5,2e-6=0              TIME=VOLTAGE
///     file:sweep.csv                       time,voltage
///
/// @throws InvalidArgument naming the key, what was expected and what was found, with a suggestion
///         for a misspelt kind or key; IoError as Waveform::file
[[nodiscard]] Waveform parse_waveform(std::string_view text);

/// The kinds and their keys as above, for --help.
[[nodiscard]] std::string waveform_help();

}  // namespace xbar::device
