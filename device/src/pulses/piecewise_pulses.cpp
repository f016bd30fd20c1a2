// Steps linear between the values of a curve at places x: equally spaced over [0, 1], or given.

#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/isa.hpp>

#include "../pulse_kind.hpp"
#include "../step_kernels.hpp"

namespace xbar::device {
namespace {

// One direction.
class PiecewiseStep {
 public:
  PiecewiseStep(std::span<const double> knots, std::span<const double> values, bool even)
      : knots_(knots.begin(), knots.end()),
        values_(values.begin(), values.end()),
        even_(even),
        fast_knots_(knots.begin(), knots.end()),
        fast_values_(values.begin(), values.end()) {
    for (std::size_t i = 0; i + 1 < knots.size(); ++i) {
      fast_slopes_.push_back(
          static_cast<float>((values[i + 1] - values[i]) / (knots[i + 1] - knots[i])));
    }
  }

  [[nodiscard]] double at(double x) const {
    const auto above = std::upper_bound(knots_.begin() + 1, knots_.end() - 1, x);
    const auto i = static_cast<std::size_t>(above - knots_.begin()) - 1;
    const double along = (x - knots_[i]) / (knots_[i + 1] - knots_[i]);
    return values_[i] * (1 - along) + values_[i + 1] * along;
  }

  void fill(std::span<const float> x, std::span<float> step) const {
    const auto count = static_cast<long>(x.size());
    const auto n = static_cast<long>(knots_.size());
    if (even_) {
      XBAR_DISPATCH(xbar::device, even_piecewise_steps)
      (count, n, fast_values_.data(), x.data(), step.data());
    } else {
      XBAR_DISPATCH(xbar::device, piecewise_steps)
      (count, n, fast_knots_.data(), fast_values_.data(), fast_slopes_.data(), x.data(),
       step.data());
    }
  }

 private:
  std::vector<double> knots_;
  std::vector<double> values_;
  bool even_;
  std::vector<float> fast_knots_;
  std::vector<float> fast_values_;
  std::vector<float> fast_slopes_;
};

class PiecewisePulses final : public PulseModel {
 public:
  PiecewisePulses(PiecewiseStep up, PiecewiseStep down)
      : up_(std::move(up)), down_(std::move(down)) {}

  [[nodiscard]] std::string_view name() const override { return "piecewise"; }
  [[nodiscard]] double up_step(double x) const override { return up_.at(x); }
  [[nodiscard]] double down_step(double x) const override { return down_.at(x); }
  void up_steps(std::span<const float> x, std::span<float> step) const override {
    up_.fill(x, step);
  }
  void down_steps(std::span<const float> x, std::span<float> step) const override {
    down_.fill(x, step);
  }

 private:
  PiecewiseStep up_;
  PiecewiseStep down_;
};

std::span<const double> list(const PulseCurves& curves, const std::string& name) {
  const Matrix& values = curves.at(name);
  if (values.rows() != 1 && values.cols() != 1) {
    throw InvalidArgument(fmt::format("{}: expected a list, found {} x {} values", name,
                                      values.rows(), values.cols()));
  }
  constexpr Index most = 1000;
  if (values.size() < 2 || values.size() > most) {
    throw InvalidArgument(
        fmt::format("{}: expected 2 to {} values, found {}", name, most, values.size()));
  }
  return {values.data(), static_cast<std::size_t>(values.size())};
}

PiecewiseStep direction(const PulseCurves& curves, const std::string& name,
                        std::span<const double> x) {
  const std::span<const double> values = list(curves, name);
  for (const double value : values) {
    if (!(value >= 0 && value <= largest_step)) {
      throw InvalidArgument(fmt::format("{}: expected steps of 0 to {} of the range, found {}",
                                        name, largest_step, value));
    }
  }
  if (!x.empty() && values.size() != x.size()) {
    throw InvalidArgument(fmt::format("{}: expected {} values, as many as x, found {}", name,
                                      x.size(), values.size()));
  }
  if (!x.empty()) return {x, values, false};
  std::vector<double> even(values.size());
  for (std::size_t i = 0; i < even.size(); ++i) {
    even[i] = static_cast<double>(i) / static_cast<double>(even.size() - 1);
  }
  return {even, values, true};
}

void check_places(std::span<const double> x) {
  if (x.front() != 0 || x.back() != 1) {
    throw InvalidArgument(
        fmt::format("x: expected places from 0 to 1, found {} to {}", x.front(), x.back()));
  }
  for (std::size_t i = 1; i < x.size(); ++i) {
    // As single-precision numbers, which the fast way works with.
    if (!(static_cast<float>(x[i]) > static_cast<float>(x[i - 1]))) {
      throw InvalidArgument(
          fmt::format("x: expected rising places, found {} after {}", x[i], x[i - 1]));
    }
  }
}

}  // namespace

PulseKind piecewise_pulses() {
  return {
      {"piecewise",
       "steps linear between the values of a curve",
       {},
       {{"x", "of the range", false, "places that rise from 0 to 1; equally spaced if left out"},
        {"up", "of the range", true, "the list of up steps there"},
        {"down", "of the range", true, "the list of down steps there"}}},
      [](std::span<const double>, const PulseCurves& curves,
         const ConductanceRange&) -> std::shared_ptr<const PulseModel> {
        std::span<const double> x;
        if (curves.contains("x")) {
          x = list(curves, "x");
          check_places(x);
        }
        return std::make_shared<PiecewisePulses>(direction(curves, "up", x),
                                                 direction(curves, "down", x));
      }};
}

}  // namespace xbar::device
