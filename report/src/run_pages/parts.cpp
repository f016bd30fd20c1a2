#include "parts.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include <fmt/format.h>

#include <xbar/report/text.hpp>

namespace xbar::report::pages {
namespace {

constexpr double hundred = 100;

/// "[20000,100000]" as it was written by a default -> "20000,100000" as a flag takes it.
std::string flag_value(const std::string& value) {
  if (value.size() > 2 && value.front() == '[' && value.back() == ']') {
    return value.substr(1, value.size() - 2);
  }
  return value;
}

/// Quoted for a shell where it needs to be.
std::string shell_word(const std::string& word) {
  const bool plain = word.find_first_not_of(
                         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                         "_-+=.,/:@%") == std::string::npos;
  if (plain && !word.empty()) return word;
  std::string quoted = "'";
  for (const char c : word) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

std::string command_line(const Run& run) {
  std::string text = "xbar " + shell_word(run.command);
  for (const auto& [key, value] : run.settings) {
    text += run.settings.size() > 3 ? " \\\n  --" : " --";
    text += shell_word(key);
    if (value != "true") text += ' ' + shell_word(flag_value(value));
  }
  return text + '\n';
}

}  // namespace

std::string percent(double share, int decimals) {
  return format_fixed(hundred * share, decimals) + "\u00A0%";
}

std::string error_percent(double share) { return format_number(hundred * share) + "\u00A0%"; }

std::string points(double difference) {
  const double value = hundred * difference;
  const std::string text = format_fixed(value, 2);
  return (value > 0 && text != "0.00" ? "+" : "") + text + "\u00A0points";
}

std::string grouped(long long value) {
  std::string text = std::to_string(value);
  const std::size_t first = value < 0 ? 1 : 0;
  for (std::size_t at = text.size(); at > first + 3;) {
    at -= 3;
    text.insert(at, ",");
  }
  return text;
}

std::string duration(double seconds) {
  constexpr double minute = 60;
  constexpr double hour = 3600;
  if (!(seconds >= 2 * minute) || !(seconds < 1000 * hour)) return format_si(seconds, "s");
  if (seconds < 2 * hour) {
    return fmt::format("{:.0f}\u00A0min {:.0f}\u00A0s", std::floor(seconds / minute),
                       std::floor(std::fmod(seconds, minute)));
  }
  return fmt::format("{:.0f}\u00A0h {:.0f}\u00A0min", std::floor(seconds / hour),
                     std::floor(std::fmod(seconds, hour) / minute));
}

std::string ohms(double ohm) {
  // Line resistances are called 0.1 Ω, not 100 mΩ.
  constexpr double least = 1e-3;
  if (ohm >= least && ohm < 1) return format_number(ohm, 4) + "\u00A0Ω";
  return format_si(ohm, "ohm", 4);
}

Cell times(double ratio) {
  constexpr double exact_below = 100;
  constexpr double largest = 1e12;
  if (!(ratio >= exact_below) || !(ratio < largest)) return Cell::number(ratio, 2);
  const double step = std::pow(10.0, std::floor(std::log10(ratio)) - 1);
  const double rounded = step * std::round(ratio / step);
  Cell cell(grouped(std::llround(rounded)));
  cell.key = ratio;
  return cell;
}

std::string plural(long long count, std::string_view one) {
  return fmt::format("{} {}{}", grouped(count), one, count == 1 ? "" : "s");
}

Technology technology(const Value& value) {
  // Folders of earlier builds do not name it.
  const std::optional<Value> layout = value.find("layout");
  return {value.number("on_ohm"),       value.number("on_off_ratio"),
          value.number("source_ohm"),   value.number("sink_ohm"),
          value.number("wordline_ohm"), value.number("bitline_ohm"),
          value.number("tile_rows"),    value.number("tile_columns"),
          value.text("terminals"),      value.text("gain"),
          value.number("write_noise"),  layout ? layout->text() : "differential"};
}

std::string line_words(double wordline_ohm, double bitline_ohm) {
  if (wordline_ohm == bitline_ohm) return ohms(wordline_ohm) + " a line segment";
  return fmt::format("{} a wordline and {} a bitline segment", ohms(wordline_ohm),
                     ohms(bitline_ohm));
}

Entries describe(const Technology& t) {
  Entries entries = {
      {"Tiles",
       fmt::format("{} × {} cells", format_number(t.tile_rows), format_number(t.tile_columns))},
      {"Cells", fmt::format("{} to {} (on/off ratio {})", ohms(t.on_ohm),
                            ohms(t.on_ohm * t.on_off_ratio), format_number(t.on_off_ratio))},
      {"Lines", line_words(t.wordline_ohm, t.bitline_ohm)},
      {"Terminals",
       fmt::format("source {}, sink {}; {}", ohms(t.source_ohm), ohms(t.sink_ohm),
                   t.terminals == "swap" ? "the resistors change sides for the backward read"
                                         : "the resistors stay in place for the backward read")},
      {"Gain calibration", t.gain}};
  if (t.write_noise != 0) entries.emplace_back("Write noise", percent(t.write_noise));
  return entries;
}

std::string in_words(const Technology& t) {
  std::string text =
      fmt::format("cells of R_on {} (on/off ratio {}), {}", ohms(t.on_ohm),
                  format_number(t.on_off_ratio), line_words(t.wordline_ohm, t.bitline_ohm));
  if (t.source_ohm == 0 && t.sink_ohm == 0) return text + ", no source or sink resistance";
  return text + fmt::format(", source {}, sink {}", ohms(t.source_ohm), ohms(t.sink_ohm));
}

std::vector<std::string> labels(const std::vector<Technology>& technologies) {
  std::set<double> on;
  std::set<double> line;
  for (const Technology& t : technologies) {
    on.insert(t.on_ohm);
    line.insert(t.wordline_ohm);
  }
  std::vector<std::string> result;
  for (const Technology& t : technologies) {
    result.push_back("R_on\u00A0" + ohms(t.on_ohm));
    if (line.size() > 1) result.back() += ", line\u00A0" + ohms(t.wordline_ohm);
  }
  return result;
}

std::string model_label(const std::string& name) {
  if (name == "ideal") return "Ideal arithmetic";
  if (name == "ladder") return "Ladder";
  if (name == "operating-point") return "Operating-point ladder";
  if (name == "sneak-ladder") return "Sneak ladder";
  if (name == "closed-form") return "Closed form";
  if (name == "cell-ratio") return "Cell ratio";
  if (name == "ladder-ratio") return "Ladder ratio";
  if (name == "sneak-ratio") return "Sneak-ladder ratio";
  if (name == "series-path") return "Series path";
  if (name == "jeong") return "Jeong";
  if (name == "dmr") return "DMR";
  if (name == "alpha-beta") return "Alpha-beta";
  if (name == "exact") return "Exact solver";
  return name;
}

Colour model_colour(const std::string& name) {
  if (name == "ideal") return Colour::grey;
  if (name == "ladder") return Colour::orange;
  if (name == "operating-point") return Colour::blue;
  if (name == "sneak-ladder") return Colour::green;
  if (name == "closed-form") return Colour::ochre;
  if (name == "exact") return Colour::purple;
  return Colour::automatic;
}

Status error_status(double share) {
  constexpr double good = 0.01;
  constexpr double fair = 0.05;
  if (share <= good) return Status::good;
  return share <= fair || std::isnan(share) ? Status::warn : Status::bad;
}

Axis accuracy_axis(const std::vector<double>& percents, const std::vector<double>& noise) {
  double lo = hundred;
  double hi = 0;
  for (std::size_t k = 0; k < percents.size(); ++k) {
    if (!std::isfinite(percents[k])) continue;
    const double reach = k < noise.size() && std::isfinite(noise[k]) ? noise[k] : 0;
    lo = std::min(lo, percents[k] - reach);
    hi = std::max(hi, percents[k] + reach);
  }
  Axis axis{"Test accuracy", "%"};
  if (hi > hundred) axis.max = hundred;
  constexpr double half = 50;
  if (lo > half && lo < hundred && lo < hi) {
    const double step = hi - lo > 20 ? 10 : hi - lo > 6 ? 5 : 1;
    axis.min = step * std::floor(lo / step);
    axis.max = std::min(hundred, step * std::ceil(hi / step));
  }
  return axis;
}

Axis count_axis(const std::string& label, double last) {
  Axis axis{label};
  if (!(last >= 1) || !(last <= 1e6)) return axis;
  if (last > 1) {
    axis.min = 1;
    axis.max = last;
  }
  double step = 1;
  constexpr double most_ticks = 8;
  for (const double factor : {1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 1e3, 1e4, 1e5, 1e6}) {
    step = factor;
    if (last / step <= most_ticks) break;
  }
  for (double tick = step; tick <= last; tick += step) axis.ticks.push_back(tick);
  if (step > 1) axis.ticks.insert(axis.ticks.begin(), 1);
  return axis;
}

void unfinished_verdict(Page& page) {
  page.verdict(Status::warn, "This run is not finished",
               "The page shows what the run has written so far. It may still be going on, or have "
               "been stopped.");
}

void add_end(Page& page, const Run& run, const Entries& machine) {
  Blocks& section = page.section("Settings");
  if (!machine.empty()) section.key_values(machine);
  section.details("Every setting, as a command").preformatted(command_line(run));
  page.footer(fmt::format("xbar {} · made from a run of “xbar {}”", run.version, run.command));
}

}  // namespace xbar::report::pages
