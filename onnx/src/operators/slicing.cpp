#include <algorithm>
#include <array>

#include <fmt/format.h>

#include <xbar/nn/layers/join.hpp>
#include <xbar/nn/layers/pad.hpp>
#include <xbar/nn/layers/slice.hpp>

#include "../constant_folding.hpp"
#include "../operators.hpp"

namespace xbar::onnx {
namespace {

struct Slices {
  std::vector<Index> axes;
  std::vector<SliceRange> ranges;
};

// Attributes up to operator set 9, inputs from 10 on.
Slices slices_of(const Operation& operation) {
  const Node& node = operation.node();
  node.check_inputs(1, 5);
  node.check_attributes({"starts", "ends", "axes"});
  const auto list = [&](int k, std::string_view name) {
    return node.has_input(k) ? operation.wholes(k).values
                             : node.wholes(name).value_or(std::vector<Index>{});
  };
  const std::vector<Index> starts = list(1, "starts");
  const std::vector<Index> ends = list(2, "ends");
  std::vector<Index> axes = list(3, "axes");
  const std::vector<Index> steps =
      node.has_input(4) ? operation.wholes(4).values : std::vector<Index>(starts.size(), 1);
  if (!node.has_input(3) && !node.has("axes")) {
    for (std::size_t k = 0; k < starts.size(); ++k) axes.push_back(static_cast<Index>(k));
  }
  if (starts.empty() || ends.size() != starts.size() || axes.size() != starts.size() ||
      steps.size() != starts.size()) {
    node.refuse(
        fmt::format("expected as many starts, ends, axes and steps, found {}, {}, {} and {}",
                    starts.size(), ends.size(), axes.size(), steps.size()));
  }
  Slices result{std::move(axes), {}};
  for (std::size_t k = 0; k < starts.size(); ++k) {
    if (starts[k] == batch_length || ends[k] == batch_length) {
      node.refuse("expected numbers that are the same for all batches, found the length of one");
    }
    result.ranges.push_back({starts[k], ends[k], steps[k]});
  }
  return result;
}

// Axis 1, 2 or 3 of images as 0, 1 or 2.
std::size_t image_axis(const Node& node, Index axis, const Data& images) {
  if (axis < 0) axis += images.shape.rank();
  if (images.shape.rank() == 4 && axis >= 1 && axis <= 3) return static_cast<std::size_t>(axis - 1);
  node.refuse(fmt::format("expected images and axes 1 to 3, found {} and axis {}",
                          to_string(images.shape.item()), axis));
}

}  // namespace

void read_slice(Operation& operation) {
  const Node& node = operation.node();
  const Slices slices = slices_of(operation);
  if (!operation.is_data(0)) {
    Wholes numbers = operation.wholes(0);
    for (std::size_t k = 0; k < slices.axes.size(); ++k) {
      numbers = sliced(node, numbers, slices.axes[k], slices.ranges[k]);
    }
    operation.set(numbers);
    return;
  }
  const Data images = operation.data(0);
  std::array<nn::AxisRange, 3> ranges;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    ranges[axis].count = images.shape.rank() == 4 ? images.shape[static_cast<int>(axis) + 1] : 1;
  }
  for (std::size_t k = 0; k < slices.axes.size(); ++k) {
    const std::size_t axis = image_axis(node, slices.axes[k], images);
    const SliceRange& range = slices.ranges[k];
    const std::vector<Index> taken =
        indices_of(node, range, images.shape[static_cast<int>(axis) + 1]);
    if (taken.empty() || range.step < 0) {
      node.refuse(fmt::format("expected a part of the image in its order, found {} to {} by {}",
                              range.start, range.end, range.step));
    }
    ranges[axis] = {taken.front(), taken.size() > 1 ? range.step : 1,
                    static_cast<Index>(taken.size())};
  }
  operation.set(operation.layer<nn::Slice>(images, operation.plain_name(), ranges));
}

// A margin of one value: lengths before all axes, then lengths behind them.
void read_pad(Operation& operation) {
  const Node& node = operation.node();
  node.check_inputs(1, 3);
  node.check_attributes({"mode", "pads", "value"});
  if (const std::string mode = node.text("mode", "constant"); mode != "constant") {
    node.refuse(fmt::format("attribute mode: expected constant, found {}", shown(mode)));
  }
  const Data images = operation.data(0);
  const std::vector<Index> pads = node.has_input(1)
                                      ? operation.wholes(1).values
                                      : node.wholes("pads").value_or(std::vector<Index>{});
  constexpr Index largest = 1'000'000;
  const bool fits = pads.size() == 8 && pads[0] == 0 && pads[4] == 0 &&
                    std::all_of(pads.begin(), pads.end(),
                                [](Index length) { return length >= 0 && length <= largest; });
  if (!fits) {
    node.refuse(fmt::format("expected eight lengths of 0 to {}, none for the batch, found {}",
                            largest, to_text(pads)));
  }
  const nn::Margins margins{{pads[1], pads[2], pads[3]}, {pads[5], pads[6], pads[7]}};
  const float value = node.has_input(2) ? operation.real(2) : node.real("value", 0);
  operation.set(operation.layer<nn::Pad>(images, operation.plain_name(), margins, value));
}

void read_concat(Operation& operation) {
  const Node& node = operation.node();
  const int count = node.wire().input_size();
  node.check_inputs(1, std::max(1, count));
  node.check_attributes({"axis"});
  bool any_data = false;
  for (int k = 0; k < count; ++k) any_data = any_data || operation.is_data(k);
  if (!any_data) {
    node.require("axis", 0, 0);
    std::vector<Wholes> parts;
    for (int k = 0; k < count; ++k) parts.push_back(operation.wholes(k));
    operation.set(concatenated(node, parts));
    return;
  }
  std::vector<Data> parts;
  for (int k = 0; k < count; ++k) parts.push_back(operation.data(k));
  const Index axis = node.whole("axis", 1);
  if (axis != 1 && axis != 1 - parts.front().shape.rank()) {
    node.refuse(fmt::format("attribute axis: expected 1, the channels, found {}", axis));
  }
  operation.set(operation.join<nn::Concatenation>(parts));
}

}  // namespace xbar::onnx
