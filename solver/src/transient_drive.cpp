#include "transient_drive.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <xbar/core/error.hpp>

namespace xbar::solver {
namespace {

// A jump of a waveform is a rise within this share of the whole time.
constexpr double jump_share = 1e-10;

double shape(const std::vector<device::Waveform>& shapes, Index line, double time, bool before) {
  const device::Waveform& waveform =
      shapes[shapes.size() == 1 ? 0 : static_cast<std::size_t>(line)];
  // All terminals are at 0 V until t = 0.
  if (before && time <= 0) return 0;
  return before ? waveform.value_before(time) : waveform.value(time);
}

}  // namespace

Drive::Drive(const TransientInput& input, Index num_wordlines, Index num_bitlines, double stop)
    : input_(input), n_(num_bitlines), stop_(stop) {
  const auto check_size = [](const char* name, Index found, Index expected) {
    if (found == expected) return;
    throw InvalidArgument(fmt::format("{}: expected {} values, got {}", name, expected, found));
  };
  const auto check_shapes = [](const char* name, std::size_t found, Index lines, bool none) {
    if ((found == 0 && none) || found == 1 || found == static_cast<std::size_t>(lines)) return;
    throw InvalidArgument(
        fmt::format("{}: expected one waveform or {}, got {}", name, lines, found));
  };
  check_size("wordline voltage", input.wordline_voltage.size(), num_wordlines);
  if (input.bitline_voltage.size() > 0) {
    check_size("bitline voltage", input.bitline_voltage.size(), num_bitlines);
    check_shapes("bitline waveforms", input.bitline.size(), num_bitlines,
                 input.wordline.size() == 1);
  }
  check_shapes("wordline waveforms", input.wordline.size(), num_wordlines, false);
  check_voltage({input.wordline_voltage, input.bitline_voltage}, num_wordlines, num_bitlines);
  find_intervals();
}

Terminals Drive::at(const Interval& interval, double share) const {
  if (interval.jump) {
    const Terminals before = values(interval.begin, true);
    const Terminals after = values(interval.begin, false);
    return {before.wordline + share * (after.wordline - before.wordline),
            before.bitline + share * (after.bitline - before.bitline)};
  }
  const double time = interval.begin + share * (interval.end - interval.begin);
  return values(time, share == 1);
}

Terminals Drive::peak() const {
  constexpr int samples = 8;  // within an interval, for what is not straight
  Terminals largest = final();
  const auto size = [](const Terminals& t) {
    return t.wordline.lpNorm<1>() + t.bitline.lpNorm<1>();
  };
  double most = size(largest);
  for (const Interval& interval : intervals_) {
    for (int k = 0; k <= samples; ++k) {
      Terminals candidate = at(interval, static_cast<double>(k) / samples);
      if (!(size(candidate) > most)) continue;
      most = size(candidate);
      largest = std::move(candidate);
    }
  }
  return largest;
}

Terminals Drive::values(double time, bool before) const {
  Terminals result{input_.wordline_voltage, Vector::Zero(n_)};
  if (input_.wordline.size() == 1) {
    result.wordline *= shape(input_.wordline, 0, time, before);
  } else {
    for (Index i = 0; i < result.wordline.size(); ++i) {
      result.wordline(i) *= shape(input_.wordline, i, time, before);
    }
  }
  for (Index j = 0; j < input_.bitline_voltage.size(); ++j) {
    result.bitline(j) = input_.bitline_voltage(j) * shape(bitline_shapes(), j, time, before);
  }
  return result;
}

void Drive::find_intervals() {
  std::vector<double> corners = {0.0};
  const auto add = [&](const std::vector<device::Waveform>& shapes) {
    for (const device::Waveform& waveform : shapes) {
      for (const double time : waveform.breakpoints()) corners.push_back(time);
      corners.push_back(waveform.duration());
    }
  };
  add(input_.wordline);
  if (input_.bitline_voltage.size() > 0) add(input_.bitline);
  corners.push_back(stop_);
  std::sort(corners.begin(), corners.end());
  const double shortest = 2 * jump_share * stop_;
  double last = 0;
  for (std::size_t k = 0; k < corners.size() && last < stop_; ++k) {
    const double corner = std::min(corners[k], stop_);
    if (corner > 0 && corner - last <= shortest && corner < stop_) continue;
    if (corner > last) intervals_.push_back({last, corner, false});
    last = corner;
    if (last == stop_) break;
    const Terminals before = values(corner, true);
    const Terminals after = values(corner, false);
    if (before.wordline == after.wordline && before.bitline == after.bitline) continue;
    last = corner + jump_share * stop_;
    intervals_.push_back({corner, last, true});
  }
}

}  // namespace xbar::solver
