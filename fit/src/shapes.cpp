#include "shapes.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/suggest.hpp>

namespace xbar::fit {
namespace {

// From a million pulses that cross the range to one.
constexpr double smallest_step = 1e-6;
constexpr double largest_step = 1;

FreeParameter step(const std::string& name) {
  return {name, "of the range", smallest_step, largest_step};
}

/// The free parameters are parameters of the model, by name; `given` are its others.
Shape plain(const std::string& name, std::vector<FreeParameter> free, bool fits_range,
            std::map<std::string, double> given, std::vector<std::vector<double>> starts) {
  Shape shape;
  shape.name = name;
  shape.free = std::move(free);
  shape.fits_range = fits_range;
  shape.starts = std::move(starts);
  std::vector<std::string> names;
  for (const FreeParameter& p : shape.free) names.push_back(p.name);
  shape.setting = [names, given = std::move(given)](std::span<const double> values) {
    ShapeValues result{given, {}};
    for (std::size_t k = 0; k < names.size(); ++k) result.parameters[names[k]] = values[k];
    return result;
  };
  return shape;
}

Shape linear(const Facts& facts) {
  return plain("linear", {step("up_step"), step("down_step")}, false, {},
               {{facts.up_step, facts.down_step}});
}

FreeParameter pulses(const std::string& name) { return {name, "pulses", 2, 1e6}; }

/// asymmetric or symmetric: both directions have one exponent and one number of pulses. A longer
/// way in more pulses is nearly the same curve, so that the range is that of the readings.
Shape mirrored(const std::string& name, const Facts& facts) {
  const double count = 2 / (facts.up_step + facts.down_step);
  return plain(name, {{"nonlinearity", "", 0, 20}, pulses("pulses")}, false, {},
               {{0.5, count}, {3, count}});
}

/// With slopes of 1 the steps end at the bounds of the range, which are fitted: a slope of less and
/// a bound farther away are the same line.
Shape soft_bounds(const Facts& facts) {
  std::vector<std::vector<double>> starts;
  for (const double factor : {1.5, 4.0}) {
    starts.push_back({factor * facts.up_step, factor * facts.down_step});
  }
  return plain("soft-bounds", {step("up_step"), step("down_step")}, true,
               {{"up_slope", 1}, {"down_slope", 1}}, std::move(starts));
}

/// The pulses that cross the range are those of the longest run, as NeuroSim defines its labels,
/// unless the range is given.
Shape neurosim(const Facts& facts) {
  const double largest = 8.5;
  std::vector<FreeParameter> free = {{"up_nonlinearity", "", -largest, largest},
                                     {"down_nonlinearity", "", -largest, largest}};
  std::vector<std::vector<double>> starts = {{0.5, -0.5}, {2.5, -2.5}, {5, -5}};
  if (!facts.range_given) {
    return plain("neurosim", std::move(free), true,
                 {{"up_pulses", facts.up_pulses}, {"down_pulses", facts.down_pulses}},
                 std::move(starts));
  }
  free.push_back(pulses("up_pulses"));
  free.push_back(pulses("down_pulses"));
  for (std::vector<double>& start : starts) {
    start.insert(start.end(), {1 / facts.up_step, 1 / facts.down_step});
  }
  return plain("neurosim", std::move(free), false, {}, std::move(starts));
}

Shape power(const Facts& facts) {
  std::vector<std::vector<double>> starts;
  for (const double exponent : {0.7, 2.0}) {
    const double factor = 1 + exponent;
    starts.push_back({factor * facts.up_step, exponent, factor * facts.down_step, exponent});
  }
  return plain("power",
               {step("up_step"),
                {"up_exponent", "", 0, 10},
                step("down_step"),
                {"down_exponent", "", 0, 10}},
               true, {}, std::move(starts));
}

Shape exponential(const Facts& facts) {
  const auto side = [](const std::string& name) {
    return std::vector<FreeParameter>{
        step(name + "_step"), {name + "_amplitude", "", -1, 50}, {name + "_rate", "", 0, 20}};
  };
  std::vector<FreeParameter> free = side("up");
  for (const FreeParameter& p : side("down")) free.push_back(p);
  const double up = facts.up_step;
  const double down = facts.down_step;
  return plain("exponential", std::move(free), false, {},
               {{0.5 * up, 4, 4, 0.5 * down, 4, 4}, {up, -0.5, 4, down, -0.5, 4}});
}

/// Steps at equally spaced places: the shape that assumes least.
Shape piecewise(const Facts& facts) {
  constexpr std::size_t knots = 7;
  Shape shape;
  shape.name = "piecewise";
  shape.starts.emplace_back();
  for (const bool up : {true, false}) {
    for (std::size_t k = 0; k < knots; ++k) {
      shape.free.push_back(
          {fmt::format("{}_{}", up ? "up" : "down", k), "of the range", 0, largest_step});
      shape.starts.front().push_back(up ? facts.up_step : facts.down_step);
    }
  }
  shape.setting = [](std::span<const double> values) {
    const auto list = [&](std::size_t first) {
      return Matrix(Eigen::Map<const Vector>(values.data() + first, knots));
    };
    return ShapeValues{{}, {{"up", list(0)}, {"down", list(knots)}}};
  };
  return shape;
}

}  // namespace

std::shared_ptr<const device::PulseModel> Shape::make(std::span<const double> values) const {
  if (is_cell) return fixed;
  const ShapeValues all = setting(values);
  return device::make_pulse_model(name, all.parameters, all.curves);
}

std::vector<Shape> make_shapes(const std::vector<std::string>& names, const Facts& facts) {
  std::vector<Shape> all = {linear(facts),
                            mirrored("asymmetric", facts),
                            mirrored("symmetric", facts),
                            soft_bounds(facts),
                            neurosim(facts),
                            power(facts),
                            exponential(facts),
                            piecewise(facts)};
  if (names.empty()) return all;
  std::vector<std::string> known;
  for (const Shape& shape : all) known.push_back(shape.name);
  for (const std::string& name : names) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    throw InvalidArgument(fmt::format("model: expected {}, found {}{}", fmt::join(known, ", "),
                                      name, did_you_mean(name, known)));
  }
  std::erase_if(all, [&](const Shape& shape) {
    return std::find(names.begin(), names.end(), shape.name) == names.end();
  });
  return all;
}

}  // namespace xbar::fit
