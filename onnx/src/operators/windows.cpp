#include "windows.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace xbar::onnx {
namespace {

constexpr Index largest = 1'000'000;  // of any number here

std::vector<Index> numbers(const Node& node, std::string_view name, std::size_t count, Index lowest,
                           const std::vector<Index>& otherwise) {
  const std::vector<Index> found = node.wholes(name).value_or(otherwise);
  const bool fits = found.size() == count && std::all_of(found.begin(), found.end(), [&](Index k) {
                      return k >= lowest && k <= largest;
                    });
  if (!fits) {
    node.refuse(fmt::format("attribute {}: expected {} whole numbers of {} to {}, found {}", name,
                            count, lowest, largest, to_text(found)));
  }
  return found;
}

// Zeros before and behind an axis so that there is a window for every stride-th pixel.
void set_same(Index length, Index kernel, Index stride, bool more_behind, Index& before,
              Index& behind) {
  const Index windows = (length + stride - 1) / stride;
  const Index total = std::max<Index>(0, (windows - 1) * stride + kernel - length);
  before = more_behind ? total / 2 : total - total / 2;
  behind = total - before;
}

// What is missing behind an axis for the last window, which must begin before the margin behind.
Index missing_behind(Index length, Index kernel, Index stride, Index before, Index behind) {
  const Index room = length + before + behind - kernel;
  if (room < 0) return 0;
  Index last = (room + stride - 1) / stride;
  if (last * stride >= length + before) --last;
  return std::max<Index>(0, last * stride - room);
}

}  // namespace

bool Windows::has_margins() const { return !is_even() || margins.before[1] > 0; }

bool Windows::is_even() const {
  return margins.before == margins.behind && margins.before[1] == margins.before[2];
}

Windows windows_of(const Operation& operation, const nn::Shape& images,
                   const std::vector<Index>& kernel) {
  const Node& node = operation.node();
  if (images.rank() != 4) {
    node.refuse(fmt::format("expected images of shape (channels, height, width), found {}",
                            to_string(images.item())));
  }
  if (kernel.empty() && !node.has("kernel_shape")) {
    node.refuse("expected an attribute kernel_shape, found none");
  }
  const std::vector<Index> shape = numbers(node, "kernel_shape", 2, 1, kernel);
  if (!kernel.empty() && shape != kernel) {
    node.refuse(fmt::format("attribute kernel_shape: expected {} as the weights, found {}",
                            to_text(kernel), to_text(shape)));
  }
  for (const Index dilation : numbers(node, "dilations", 2, 1, {1, 1})) {
    if (dilation != 1)
      node.refuse(fmt::format("attribute dilations: expected 1, found {}", dilation));
  }
  const std::vector<Index> strides = numbers(node, "strides", 2, 1, {1, 1});
  if (strides[0] != strides[1]) {
    node.refuse(fmt::format("attribute strides: expected the same along both axes, found {}",
                            to_text(strides)));
  }
  Windows result{.height = shape[0], .width = shape[1], .stride = strides[0]};
  const std::string automatic = node.text("auto_pad", "NOTSET");
  auto& [before, behind] = result.margins;
  if (automatic == "NOTSET" || automatic.empty()) {
    const std::vector<Index> pads = numbers(node, "pads", 4, 0, {0, 0, 0, 0});
    before = {0, pads[0], pads[1]};
    behind = {0, pads[2], pads[3]};
  } else if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER") {
    const bool upper = automatic == "SAME_UPPER";
    set_same(images[2], shape[0], result.stride, upper, before[1], behind[1]);
    set_same(images[3], shape[1], result.stride, upper, before[2], behind[2]);
  } else if (automatic != "VALID") {
    node.refuse(fmt::format(
        "attribute auto_pad: expected NOTSET, SAME_UPPER, SAME_LOWER or VALID, found {}",
        shown(automatic)));
  }
  if (node.whole("ceil_mode", 0) != 0) {
    behind[1] += missing_behind(images[2], shape[0], result.stride, before[1], behind[1]);
    behind[2] += missing_behind(images[3], shape[1], result.stride, before[2], behind[2]);
  }
  return result;
}

}  // namespace xbar::onnx
