#include <cmath>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/report/axis.hpp>
#include <xbar/report/text.hpp>

#include "axis_range.hpp"
#include "text_layout.hpp"
#include "units.hpp"

namespace xbar::report {
namespace {

// Beyond this, differences and powers overflow; nothing measured is that large.
constexpr double largest_drawable = 1e300;
constexpr double smallest_log = 1e-300;
// Tolerance for "on the boundary", relative to the step.
constexpr double edge = 1e-9;

/// k * mantissa * 10^exponent, the double nearest to that decimal number.
double decimal(double k, double mantissa, int exponent) {
  const double power = std::pow(10.0, std::abs(exponent));
  return exponent < 0 ? k * mantissa / power : k * mantissa * power;
}

struct Step {
  double mantissa = 1;
  int exponent = 0;
  [[nodiscard]] double size() const { return decimal(1, mantissa, exponent); }
};

Step nice_step(double span, int target) {
  const double raw = span / target;
  Step step;
  step.exponent = static_cast<int>(std::floor(std::log10(raw)));
  const double rest = raw / decimal(1, 1, step.exponent);
  // The geometric means of the neighbours 1-2-5-10 are the switching points.
  step.mantissa = rest < std::sqrt(2.0)    ? 1
                  : rest < std::sqrt(10.0) ? 2
                  : rest < std::sqrt(50.0) ? 5
                                           : 10;
  if (step.mantissa == 10) {
    step = {1, step.exponent + 1};
  }
  return step;
}

void require_range(const char* function, double lo, double hi, int target, bool positive) {
  if (!std::isfinite(lo) || !std::isfinite(hi) || !(lo <= hi) || (positive && !(lo > 0))) {
    throw InvalidArgument(fmt::format("{}: expected a finite range {}lo <= hi, got [{}, {}]",
                                      function, positive ? "0 < " : "", lo, hi));
  }
  if (target < 1) {
    throw InvalidArgument(fmt::format("{}: expected target >= 1, got {}", function, target));
  }
}

/// Whether [lo, hi] is too narrow for distinct ticks in double precision.
bool degenerate(double lo, double hi) {
  return !(hi - lo > 1e-12 * std::max(std::fabs(lo), std::fabs(hi))) || hi - lo < 1e-290;
}

bool is_power(double value, double base) {
  const double k = std::log(value) / std::log(base);
  return std::fabs(k - std::round(k)) < 1e-9;
}

/// The prefix exponent that writes all of [lo, hi] between 0.01 and 1000, or nothing.
std::optional<int> common_prefix(double lo, double hi) {
  for (const int exponent : {0, -3, 3, -6, 6, -9, 9, -12, 12, -15, -18}) {
    const double factor = std::pow(10.0, -exponent);
    if (lo * factor >= 0.0099 && hi * factor <= 1001) {
      return exponent;
    }
  }
  return {};
}

std::string caption_of(const Axis& axis, const std::string& unit) {
  if (unit.empty()) {
    return axis.label;
  }
  return axis.label.empty() ? unit : fmt::format("{} ({})", axis.label, unit);
}

void label_linear(AxisRange& range, const Axis& axis) {
  const double largest = std::max(std::fabs(range.lo), std::fabs(range.hi));
  int exponent = 0;
  std::string unit(unit_symbol(axis.unit));
  const int decimal_exponent = largest > 0 ? static_cast<int>(std::floor(std::log10(largest))) : 0;
  if (takes_prefix(axis.unit)) {
    exponent = prefix_exponent(decimal_exponent);
    unit.insert(0, prefix_symbol(exponent));
  } else if (decimal_exponent >= 6 || decimal_exponent < -3) {
    exponent = prefix_exponent(decimal_exponent);
    if (decimal_exponent >= 15 || decimal_exponent < -18) {
      exponent = decimal_exponent;
    }
    unit = power_of_ten(exponent) + (unit.empty() ? "" : "\u00A0" + unit);
  }
  // Enough digits to tell the ticks apart and to show each as it is.
  double step = range.hi - range.lo;
  for (std::size_t i = 1; i < range.ticks.size(); ++i) {
    step = std::min(step, std::fabs(range.ticks[i].value - range.ticks[i - 1].value));
  }
  const double shown_step = step * std::pow(10.0, -exponent);
  const auto decimals =
      shown_step > 0 && std::isfinite(shown_step)
          ? std::clamp(static_cast<int>(-std::floor(std::log10(shown_step) + edge)), 0, 12)
          : 0;
  for (Tick& tick : range.ticks) {
    const double shown = tick.value * std::pow(10.0, -exponent);
    tick.label =
        axis.ticks.empty() && shown != 0 ? format_fixed(shown, decimals) : format_number(shown, 6);
  }
  range.caption = caption_of(axis, unit);
  range.unit_size = std::pow(10.0, exponent);
  range.shown_unit = unit;
}

void label_log(AxisRange& range, const Axis& axis) {
  const double base = range.scale == Scale::log2 ? 2 : 10;
  double lo = range.lo;
  double hi = range.hi;
  if (!range.ticks.empty()) {
    lo = range.ticks.front().value;
    hi = range.ticks.back().value;
  }
  std::string unit(unit_symbol(axis.unit));
  if (takes_prefix(axis.unit)) {
    const std::optional<int> prefix = common_prefix(lo, hi);
    if (prefix) {
      unit.insert(0, prefix_symbol(*prefix));
    }
    for (Tick& tick : range.ticks) {
      if (prefix) {
        tick.label = format_number(tick.value * std::pow(10.0, -*prefix), 6);
      } else {
        // 10k, 100n: the prefix alone, the unit is in the caption.
        const int exponent =
            prefix_exponent(static_cast<int>(std::floor(std::log10(tick.value) + edge)));
        tick.label = format_number(tick.value * std::pow(10.0, -exponent), 4)
                         .append(prefix_symbol(exponent));
      }
    }
  } else {
    const bool plain =
        range.scale == Scale::log2 ? hi < 1e6 && lo > 1e-3 : hi <= 10001 && lo > 0.00099;
    for (Tick& tick : range.ticks) {
      const bool power = !plain && is_power(tick.value, 10);
      tick.label = power ? power_of_ten(static_cast<int>(std::lround(std::log10(tick.value))))
                         : format_number(tick.value, 6);
    }
  }
  for (Tick& tick : range.ticks) {
    tick.major = is_power(tick.value, base);
  }
  range.caption = caption_of(axis, unit);
}

/// The range from the data where the caller leaves it open.
void choose_range(AxisRange& range, const Axis& axis, Extent data, const AxisFit& fit) {
  const bool log = axis.scale != Scale::linear;
  if (data.empty()) {
    // Nothing to show: any range that fits what the caller did fix.
    const double anchor = axis.min.value_or(axis.max.value_or(log ? 1.0 : 0.0));
    data = log ? (axis.min ? Extent{anchor, anchor * 10} : Extent{anchor / 10, anchor})
               : (axis.min || !axis.max ? Extent{anchor, anchor + 1} : Extent{anchor - 1, anchor});
  }
  if (axis.min) {
    data.lo = *axis.min;
    data.hi = std::max(data.hi, data.lo);
  }
  if (axis.max) {
    data.hi = *axis.max;
    data.lo = std::min(data.lo, data.hi);
  }
  if (fit.contain_zero && !log) {
    data.lo = axis.min ? data.lo : std::min(data.lo, 0.0);
    data.hi = axis.max ? data.hi : std::max(data.hi, 0.0);
  }
  double lo = log ? std::log10(data.lo) : data.lo;
  double hi = log ? std::log10(data.hi) : data.hi;
  if (degenerate(lo, hi) || (log && hi - lo < 1e-6)) {
    const double half = log ? 0.5 : lo == 0 ? 1 : 0.1 * std::fabs(lo);
    lo -= axis.min ? 0 : half;
    hi += axis.max && !axis.min ? 0 : half;
  } else {
    const double pad = fit.padding * (hi - lo);
    const bool snap_zero = !log && data.lo >= 0 && (data.lo <= 0.3 * data.hi || lo - pad < 0);
    const bool snap_zero_top = !log && data.hi <= 0 && (data.hi >= 0.3 * data.lo || hi + pad > 0);
    lo = axis.min ? lo : snap_zero ? 0 : lo - pad;
    hi = axis.max ? hi : snap_zero_top ? 0 : hi + pad;
    if (axis.scale == Scale::log && hi - lo > 1) {
      // A decade just outside is a better end than none.
      const double down = std::floor(lo);
      const double up = std::ceil(hi);
      lo = !axis.min && lo - down < 0.2 ? down : lo;
      hi = !axis.max && up - hi < 0.2 ? up : hi;
    }
  }
  range.lo = axis.min ? *axis.min : log ? std::pow(10.0, lo) : lo;
  range.hi = axis.max ? std::max(*axis.max, range.lo) : log ? std::pow(10.0, hi) : hi;
}

void check_axis(const Axis& axis, const char* name) {
  const bool log = axis.scale != Scale::linear;
  for (const auto& [bound, value] : {std::pair{"min", axis.min}, std::pair{"max", axis.max}}) {
    if (value && !drawable(*value, axis.scale)) {
      throw InvalidArgument(fmt::format("{} {}: expected a finite number{}, got {}", name, bound,
                                        log ? " > 0 (logarithmic)" : "", *value));
    }
  }
  if (axis.min && axis.max && !(*axis.min < *axis.max)) {
    throw InvalidArgument(
        fmt::format("{}: expected min < max, got min {} and max {}", name, *axis.min, *axis.max));
  }
}

}  // namespace

bool drawable(double value, Scale scale) {
  return std::fabs(value) <= largest_drawable && (scale == Scale::linear || value >= smallest_log);
}

std::vector<double> linear_ticks(double lo, double hi, int target) {
  require_range("linear_ticks", lo, hi, target, false);
  if (degenerate(lo, hi) || !std::isfinite(hi - lo)) {
    return lo == hi ? std::vector<double>{lo} : std::vector<double>{lo, hi};
  }
  const Step step = nice_step(hi - lo, target);
  const double size = step.size();
  const double first = std::ceil(lo / size - edge);
  const double last = std::floor(hi / size + edge);
  std::vector<double> ticks;
  const int count = static_cast<int>(last - first) + 1;
  for (int i = 0; i < count; ++i) {
    const double k = first + i;
    ticks.push_back(k == 0 ? 0.0 : decimal(k, step.mantissa, step.exponent));
  }
  return ticks;
}

std::vector<double> log_ticks(double lo, double hi, int target) {
  require_range("log_ticks", lo, hi, target, true);
  const int first = static_cast<int>(std::ceil(std::log10(lo) - edge));
  const int last = static_cast<int>(std::floor(std::log10(hi) + edge));
  std::vector<double> ticks;
  const int decades = last - first + 1;
  if (decades >= 3) {
    const int stride = (decades + target - 1) / target;
    for (int k = first; k <= last; ++k) {
      if (((k % stride) + stride) % stride == 0) {
        ticks.push_back(decimal(1, 1, k));
      }
    }
    return ticks;
  }
  for (int k = first - 1; k <= last + 1; ++k) {
    for (const double mantissa : {1.0, 2.0, 5.0}) {
      const double value = decimal(1, mantissa, k);
      if (value >= lo * (1 - edge) && value <= hi * (1 + edge)) {
        ticks.push_back(value);
      }
    }
  }
  return ticks.size() >= 3 ? ticks : linear_ticks(lo, hi, target);
}

std::vector<double> log2_ticks(double lo, double hi, int target) {
  require_range("log2_ticks", lo, hi, target, true);
  const int first = static_cast<int>(std::ceil(std::log2(lo) - edge));
  const int last = static_cast<int>(std::floor(std::log2(hi) + edge));
  const int count = last - first + 1;
  if (count < 2) {
    return log_ticks(lo, hi, target);
  }
  const int stride = (count + target - 1) / target;
  std::vector<double> ticks;
  for (int k = first; k <= last; k += stride) {
    ticks.push_back(std::ldexp(1.0, k));
  }
  return ticks;
}

double AxisRange::fraction(double value) const {
  if (scale == Scale::linear) {
    return (value - lo) / (hi - lo);
  }
  return (std::log10(value) - std::log10(lo)) / (std::log10(hi) - std::log10(lo));
}

std::string AxisRange::with_unit(double value) const { return format_si(value, unit, 4); }

AxisRange settle_axis(const Axis& axis, Extent data, const AxisFit& fit, const char* name) {
  check_axis(axis, name);
  AxisRange range;
  range.scale = axis.scale;
  range.unit = axis.unit;
  choose_range(range, axis, data, fit);
  if (!(range.lo < range.hi)) {  // the data lies wholly beyond the one bound that is fixed
    range.hi = axis.scale == Scale::linear ? range.lo + 1 : range.lo * 10;
  }
  const int target = std::max(1, fit.target_ticks);
  std::vector<double> values;
  if (!axis.ticks.empty()) {
    for (const double value : axis.ticks) {
      if (drawable(value, axis.scale) && value >= range.lo && value <= range.hi) {
        values.push_back(value);
      }
    }
    std::sort(values.begin(), values.end());
  } else if (axis.scale == Scale::linear) {
    values = linear_ticks(range.lo, range.hi, target);
  } else if (axis.scale == Scale::log) {
    values = log_ticks(range.lo, range.hi, target);
    const bool decades =
        values.size() >= 2 &&
        std::all_of(values.begin(), values.end(), [](double v) { return is_power(v, 10); });
    if (decades && values[1] < 11 * values[0]) {
      std::vector<double> starts = values;
      starts.push_back(values.front() / 10);
      for (const double decade : starts) {
        for (int k = 2; k <= 9; ++k) {
          if (k * decade > range.lo && k * decade < range.hi) {
            range.minor.push_back(k * decade);
          }
        }
      }
    }
  } else {
    values = log2_ticks(range.lo, range.hi, target);
  }
  for (const double value : values) {
    range.ticks.push_back({value, {}, true});
  }
  if (axis.scale == Scale::linear) {
    label_linear(range, axis);
  } else {
    label_log(range, axis);
  }
  return range;
}

void thin_labels(AxisRange& range, double length_px, double font_px) {
  const double gap = 0.6 * font_px;
  const auto overlap = [&](const Tick& a, const Tick& b) {
    const double distance =
        std::fabs(range.fraction(a.value) - range.fraction(b.value)) * length_px;
    return distance < (text_width(a.label, font_px) + text_width(b.label, font_px)) / 2 + gap;
  };
  std::vector<Tick*> majors;
  for (Tick& tick : range.ticks) {
    if (tick.major) {
      majors.push_back(&tick);
    }
  }
  // Evenly spaced labels stay evenly spaced: every k-th of the major ticks.
  std::size_t stride = 1;
  const auto collides = [&] {
    for (std::size_t i = stride; i < majors.size(); i += stride) {
      if (overlap(*majors[i - stride], *majors[i])) {
        return true;
      }
    }
    return false;
  };
  while (stride < majors.size() && collides()) {
    ++stride;
  }
  std::vector<const Tick*> kept;
  for (std::size_t i = 0; i < majors.size(); ++i) {
    if (i % stride == 0) {
      kept.push_back(majors[i]);
    } else {
      majors[i]->label.clear();
    }
  }
  for (Tick& tick : range.ticks) {
    if (tick.major) {
      continue;
    }
    if (std::any_of(kept.begin(), kept.end(), [&](const Tick* k) { return overlap(*k, tick); })) {
      tick.label.clear();
    } else {
      kept.push_back(&tick);
    }
  }
}

}  // namespace xbar::report
