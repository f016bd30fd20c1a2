#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/suggest.hpp>
#include <xbar/device/waveform.hpp>

namespace xbar::device {
namespace {

std::string_view trim(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

/// @throws InvalidArgument unless all of `text` is one number
double to_number(std::string_view kind, std::string_view key, std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    throw InvalidArgument(
        fmt::format("waveform {}: {}: expected a number, got '{}'", kind, key, text));
  }
  return value;
}

/// KEY=VALUE pairs in their order.
std::vector<std::pair<std::string_view, std::string_view>> split(std::string_view kind,
                                                                 std::string_view text) {
  std::vector<std::pair<std::string_view, std::string_view>> pairs;
  if (trim(text).empty()) return pairs;
  for (bool more = true; more;) {
    const std::size_t comma = text.find(',');
    const std::string_view part = trim(text.substr(0, comma));
    more = comma != std::string_view::npos;
    if (more) text.remove_prefix(comma + 1);
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      throw InvalidArgument(fmt::format("waveform {}: expected KEY=VALUE, got '{}'", kind, part));
    }
    pairs.emplace_back(trim(part.substr(0, equals)), trim(part.substr(equals + 1)));
  }
  return pairs;
}

/// The values of one waveform by key.
class Fields {
 public:
  Fields(std::string_view kind, std::string_view text, std::vector<std::string> keys)
      : kind_(kind), keys_(std::move(keys)), values_(keys_.size()) {
    for (const auto& [key, value] : split(kind, text)) {
      const auto found = std::find(keys_.begin(), keys_.end(), key);
      if (found == keys_.end()) {
        throw InvalidArgument(fmt::format("waveform {}: unknown key '{}', expected one of {}{}",
                                          kind, key, fmt::join(keys_, ", "),
                                          did_you_mean(key, keys_)));
      }
      std::optional<double>& place = values_[static_cast<std::size_t>(found - keys_.begin())];
      if (place) throw InvalidArgument(fmt::format("waveform {}: {} is given twice", kind, key));
      place = to_number(kind, key, value);
    }
  }

  [[nodiscard]] double get(std::string_view key) const {
    const std::optional<double> value = find(key);
    if (!value) {
      throw InvalidArgument(fmt::format("waveform {}: {}: expected a value, got none", kind_, key));
    }
    return *value;
  }

  [[nodiscard]] double get(std::string_view key, double otherwise) const {
    return find(key).value_or(otherwise);
  }

  [[nodiscard]] std::size_t count() const {
    const double value = get("count", 1);
    constexpr double largest = 1e6;
    if (!(value >= 1) || !(value <= largest) || value != std::floor(value)) {
      throw InvalidArgument(fmt::format(
          "waveform {}: count: expected a whole number from 1 to 1000000, got {}", kind_, value));
    }
    return static_cast<std::size_t>(value);
  }

 private:
  [[nodiscard]] std::optional<double> find(std::string_view key) const {
    const auto found = std::find(keys_.begin(), keys_.end(), key);
    return values_[static_cast<std::size_t>(found - keys_.begin())];
  }

  std::string_view kind_;
  std::vector<std::string> keys_;
  std::vector<std::optional<double>> values_;
};

Waveform read_dc(std::string_view text) {
  const Fields f("dc", text, {"value", "duration"});
  return Waveform::dc(f.get("value"), f.get("duration"));
}

Waveform read_step(std::string_view text) {
  const Fields f("step", text, {"low", "high", "delay", "rise", "duration"});
  return Waveform::step(f.get("low", 0), f.get("high"), f.get("delay", 0), f.get("rise", 0),
                        f.get("duration"));
}

Waveform read_ramp(std::string_view text) {
  const Fields f("ramp", text, {"from", "to", "delay", "rise"});
  return Waveform::ramp(f.get("from", 0), f.get("to"), f.get("delay", 0), f.get("rise"));
}

Waveform read_triangle(std::string_view text) {
  const Fields f("triangle", text, {"high", "low", "period", "delay", "count"});
  return Waveform::triangle(
      {f.get("high"), f.get("low"), f.get("period"), f.get("delay", 0), f.count()});
}

Waveform read_sine(std::string_view text) {
  const Fields f("sine", text, {"amplitude", "frequency", "offset", "delay", "count"});
  return Waveform::sine(
      {f.get("amplitude"), f.get("frequency"), f.get("offset", 0), f.get("delay", 0), f.count()});
}

Waveform read_pulse(std::string_view text) {
  const Fields f("pulse", text,
                 {"low", "high", "delay", "rise", "width", "fall", "period", "count"});
  const double rise = f.get("rise", 0);
  return Waveform::pulses({f.get("low", 0), f.get("high"), f.get("delay", 0), rise, f.get("width"),
                           f.get("fall", rise), f.get("period", 0), f.count()});
}

Waveform read_pwl(std::string_view text) {
  std::vector<std::pair<double, double>> points;
  for (const auto& [time, volt] : split("pwl", text)) {
    const std::string place = fmt::format("point {}", points.size());
    points.emplace_back(to_number("pwl", "time of " + place, time),
                        to_number("pwl", "voltage of " + place, volt));
  }
  return Waveform::piecewise_linear(std::move(points));
}

Waveform read_file_waveform(std::string_view text) {
  if (trim(text).empty()) {
    throw InvalidArgument("waveform file: expected the name of a .csv file, got none");
  }
  return Waveform::file(std::string(trim(text)));
}

struct Kind {
  std::string_view name;
  std::string_view form;
  Waveform (*read)(std::string_view text);
};

constexpr std::array kinds{
    Kind{"dc", "value,duration", read_dc},
    Kind{"step", "high,duration[,low,delay,rise]", read_step},
    Kind{"ramp", "to,rise[,from,delay]", read_ramp},
    Kind{"triangle", "high,low,period[,delay,count]", read_triangle},
    Kind{"sine", "amplitude,frequency[,offset,delay,count]", read_sine},
    Kind{"pulse", "high,width[,low,delay,rise,fall,period,count]", read_pulse},
    Kind{"pwl", "TIME=VOLTAGE,...", read_pwl},
    Kind{"file", "FILE.csv", read_file_waveform},
};

}  // namespace

Waveform parse_waveform(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view name = trim(text.substr(0, colon));
  const std::string_view rest = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  std::vector<std::string> names;
  for (const Kind& kind : kinds) {
    if (kind.name == name) return kind.read(rest);
    names.emplace_back(kind.name);
  }
  throw InvalidArgument(
      fmt::format("waveform: expected KIND:KEY=VALUE,... with KIND one of {}, got '{}'{}",
                  fmt::join(names, ", "), name, did_you_mean(name, names)));
}

std::string waveform_help() {
  std::string text;
  for (const Kind& kind : kinds) {
    text += fmt::format("{}{}:{}", text.empty() ? "" : "; ", kind.name, kind.form);
  }
  return text;
}

}  // namespace xbar::device
