#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include <fmt/format.h>

#include <xbar/core/array_file.hpp>
#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/device/waveform.hpp>

namespace xbar::device {
namespace {

constexpr std::size_t most_periods = 1'000'000;

void refuse(const std::string& kind, const char* key, const std::string& expected, double found) {
  throw InvalidArgument(
      fmt::format("waveform {}: {}: expected {}, got {}", kind, key, expected, found));
}

/// Far beyond every measurement, and small and large enough that no sum of periods and no slope
/// leaves the range of double.
double in_reach(const std::string& kind, const char* key, double value) {
  constexpr double smallest = 1e-100;
  constexpr double largest = 1e100;
  const double size = std::abs(value);
  if (size != 0 && !(size >= smallest && size <= largest)) {
    refuse(kind, key, fmt::format("0 or a size from {} to {}", smallest, largest), value);
  }
  return value;
}

double finite(const std::string& kind, const char* key, double volt) {
  if (!std::isfinite(volt)) refuse(kind, key, "a finite voltage", volt);
  return in_reach(kind, key, volt);
}

double time_from_zero(const std::string& kind, const char* key, double second) {
  if (!(second >= 0) || !std::isfinite(second)) refuse(kind, key, "a time >= 0 s", second);
  return in_reach(kind, key, second);
}

double positive_time(const std::string& kind, const char* key, double second) {
  if (!(second > 0) || !std::isfinite(second)) refuse(kind, key, "a time > 0 s", second);
  return in_reach(kind, key, second);
}

void check_count(const std::string& kind, std::size_t count) {
  if (count >= 1 && count <= most_periods) return;
  refuse(kind, "count", fmt::format("1 to {}", most_periods), static_cast<double>(count));
}

/// What rounding may move a sum of times of this size by.
double rounding(double time) { return 8 * std::numeric_limits<double>::epsilon() * time; }

/// The text with a first line of column names, if there is one, made a comment.
std::string without_names(std::string_view text) {
  std::size_t begin = text.starts_with("\xef\xbb\xbf") ? 3 : 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::size_t first = text.find_first_not_of(" \t\r\"", begin);
    if (first < end && text[first] != '#') {
      // "nan" and "inf" are numbers, to be refused as such.
      const std::string_view word = text.substr(first, 3);
      const bool is_name = std::isalpha(static_cast<unsigned char>(word.front())) != 0 &&
                           word != "nan" && word != "NaN" && word != "inf" && word != "Inf";
      std::string result(text);
      if (is_name) result.insert(begin, "#");
      return result;
    }
    begin = end + 1;
  }
  return std::string(text);
}

}  // namespace

Waveform Waveform::dc(double volt, double duration) {
  Waveform w;
  w.knots_ = {{0, finite("dc", "value", volt)}};
  w.period_ = w.duration_ = positive_time("dc", "duration", duration);
  return w;
}

Waveform Waveform::step(double low, double high, double delay, double rise, double duration) {
  const std::string kind = "step";
  Waveform w;
  w.knots_ = {{0, finite(kind, "low", low)},
              {time_from_zero(kind, "rise", rise), finite(kind, "high", high)}};
  w.delay_ = time_from_zero(kind, "delay", delay);
  w.duration_ = positive_time(kind, "duration", duration);
  if (!(duration > delay && duration >= delay + rise)) {
    refuse(kind, "duration", fmt::format("at least delay + rise = {} s", delay + rise), duration);
  }
  w.period_ = duration - delay;
  return w;
}

Waveform Waveform::ramp(double from, double to, double delay, double rise) {
  const std::string kind = "ramp";
  Waveform w;
  w.knots_ = {{0, finite(kind, "from", from)},
              {positive_time(kind, "rise", rise), finite(kind, "to", to)}};
  w.delay_ = time_from_zero(kind, "delay", delay);
  w.period_ = rise;
  w.duration_ = delay + rise;
  return w;
}

Waveform Waveform::triangle(const Triangle& triangle) {
  const std::string kind = "triangle";
  const double high = finite(kind, "high", triangle.high);
  const double low = finite(kind, "low", triangle.low);
  if (!(high >= 0)) refuse(kind, "high", "a voltage >= 0 V", high);
  if (!(low <= 0)) refuse(kind, "low", "a voltage <= 0 V", low);
  if (!(low < high)) refuse(kind, "high", "a voltage above low", high);
  check_count(kind, triangle.count);
  Waveform w;
  w.period_ = positive_time(kind, "period", triangle.period);
  w.delay_ = time_from_zero(kind, "delay", triangle.delay);
  w.count_ = triangle.count;
  const double slope_time = w.period_ / (2 * (high - low));  // second a volt
  if (high > 0) w.knots_.push_back({0, 0});
  w.knots_.push_back({high * slope_time, high});
  w.knots_.push_back({(2 * high - low) * slope_time, low});
  if (low < 0) w.knots_.push_back({w.period_, 0});
  w.duration_ = w.delay_ + static_cast<double>(w.count_) * w.period_;
  return w;
}

Waveform Waveform::sine(const Sine& sine) {
  const std::string kind = "sine";
  check_count(kind, sine.count);
  Waveform w;
  w.amplitude_ = finite(kind, "amplitude", sine.amplitude);
  w.offset_ = finite(kind, "offset", sine.offset);
  w.delay_ = time_from_zero(kind, "delay", sine.delay);
  if (!(sine.frequency > 0) || !std::isfinite(1 / sine.frequency) ||
      !std::isfinite(sine.frequency)) {
    refuse(kind, "frequency", "a finite frequency > 0 Hz", sine.frequency);
  }
  w.period_ = 1 / in_reach(kind, "frequency", sine.frequency);
  w.count_ = sine.count;
  w.duration_ = w.delay_ + static_cast<double>(w.count_) * w.period_;
  return w;
}

Waveform Waveform::pulses(const PulseTrain& train) {
  const std::string kind = "pulse";
  check_count(kind, train.count);
  const double low = finite(kind, "low", train.low);
  const double high = finite(kind, "high", train.high);
  const double rise = time_from_zero(kind, "rise", train.rise);
  const double fallen =
      rise + positive_time(kind, "width", train.width) + time_from_zero(kind, "fall", train.fall);
  const double period = time_from_zero(kind, "period", train.period);
  if (period != 0 && !(period >= fallen - rounding(fallen))) {
    refuse(kind, "period", fmt::format("at least rise + width + fall = {} s", fallen), period);
  }
  Waveform w;
  w.knots_ = {{0, low}, {rise, high}, {rise + train.width, high}, {fallen, low}};
  w.delay_ = time_from_zero(kind, "delay", train.delay);
  w.period_ = std::max(period, fallen);
  w.count_ = train.count;
  w.duration_ = w.delay_ + static_cast<double>(w.count_) * w.period_;
  return w;
}

Waveform Waveform::of_points(const std::string& kind, std::vector<Knot> points) {
  if (points.empty()) {
    throw InvalidArgument(fmt::format("waveform {}: expected at least one point, got none", kind));
  }
  for (std::size_t k = 0; k < points.size(); ++k) {
    const Knot& point = points[k];
    time_from_zero(kind, fmt::format("time of point {}", k).c_str(), point.time);
    finite(kind, fmt::format("voltage of point {}", k).c_str(), point.volt);
    if (k > 0 && !(point.time > points[k - 1].time)) {
      refuse(kind, fmt::format("time of point {}", k).c_str(),
             fmt::format("a time after {} s", points[k - 1].time), point.time);
    }
  }
  Waveform w;
  w.period_ = w.duration_ = positive_time(kind, "time of the last point", points.back().time);
  w.knots_ = std::move(points);
  return w;
}

Waveform Waveform::piecewise_linear(const std::vector<std::pair<double, double>>& points) {
  std::vector<Knot> knots;
  knots.reserve(points.size());
  for (const auto& [second, volt] : points) knots.push_back({second, volt});
  return of_points("pwl", std::move(knots));
}

Waveform Waveform::file(const std::filesystem::path& path) {
  return csv(read_file(path), path.string());
}

Waveform Waveform::csv(std::string_view bytes, const std::string& name) {
  const Matrix table = parse_csv(without_names(bytes), name).values;
  if (table.cols() != 2) {
    throw InvalidArgument(fmt::format(
        "waveform file {}: expected 2 columns, time and voltage, got {}", name, table.cols()));
  }
  std::vector<Knot> knots;
  for (Index k = 0; k < table.rows(); ++k) knots.push_back({table(k, 0), table(k, 1)});
  return of_points("file " + name, std::move(knots));
}

double Waveform::value(double time) const { return at(time, Side::right); }

double Waveform::value_before(double time) const { return at(time, Side::left); }

// A breakpoint is a rounded sum of delay, periods and the time of a knot. So that a jump is seen
// exactly there, times that differ by no more than rounding count as equal.
double Waveform::at(double time, Side side) const {
  const double slack = rounding(std::abs(time));
  const double since = std::clamp(time, 0.0, duration_) - delay_;
  if (knots_.empty()) {
    if (since <= 0) return offset_;
    return offset_ + amplitude_ * std::sin(2 * std::numbers::pi * since / period_);
  }
  const auto last = static_cast<double>(count_ - 1);
  const double k = side == Side::right ? std::floor((since + slack) / period_)
                                       : std::ceil((since - slack) / period_) - 1;
  return in_period(since - std::clamp(k, 0.0, last) * period_, slack, side);
}

double Waveform::in_period(double local, double slack, Side side) const {
  const double reach = side == Side::right ? local + slack : local - slack;
  const auto next = std::partition_point(knots_.begin(), knots_.end(), [&](const Knot& knot) {
    return side == Side::right ? knot.time <= reach : knot.time < reach;
  });
  if (next == knots_.begin()) return knots_.front().volt;
  const Knot& from = *(next - 1);
  if (next == knots_.end()) return from.volt;
  const double share = std::clamp((local - from.time) / (next->time - from.time), 0.0, 1.0);
  return from.volt + share * (next->volt - from.volt);
}

std::vector<double> Waveform::breakpoints() const {
  std::vector<double> times;
  const auto add = [&](double time) {
    const double slack = rounding(duration_);
    if (!(time > slack) || !(time < duration_ - slack)) return;
    if (times.empty() || time > times.back() + slack) times.push_back(time);
  };
  if (knots_.empty()) {
    constexpr double quarters = 4;
    for (double k = 0; k < quarters * static_cast<double>(count_); ++k) {
      add(delay_ + k / quarters * period_);
    }
    return times;
  }
  times.reserve(std::min(count_ * knots_.size(), most_periods));
  for (std::size_t k = 0; k < count_; ++k) {
    for (const Knot& knot : knots_) add(delay_ + static_cast<double>(k) * period_ + knot.time);
  }
  return times;
}

}  // namespace xbar::device
