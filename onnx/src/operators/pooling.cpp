#include <limits>

#include <fmt/format.h>

#include <xbar/nn/layers/avg_pool2d.hpp>
#include <xbar/nn/layers/flatten.hpp>
#include <xbar/nn/layers/global_avg_pool.hpp>
#include <xbar/nn/layers/global_max_pool.hpp>
#include <xbar/nn/layers/max_pool2d.hpp>

#include "windows.hpp"

namespace xbar::onnx {
namespace {

Windows square_windows(const Operation& operation, const nn::Shape& images) {
  const Windows windows = windows_of(operation, images);
  if (windows.height != windows.width) {
    operation.node().refuse(
        fmt::format("attribute kernel_shape: expected as high as wide, found ({}, {})",
                    windows.height, windows.width));
  }
  return windows;
}

template <typename LayerType>
void read_global_pool(Operation& operation) {
  operation.node().check_inputs(1, 1);
  operation.node().check_attributes({});
  operation.set(operation.layer<LayerType>(operation.data(0), operation.plain_name()));
}

}  // namespace

void read_max_pool(Operation& operation) {
  const Node& node = operation.node();
  node.check_inputs(1, 1);
  node.check_attributes(
      {"auto_pad", "ceil_mode", "dilations", "kernel_shape", "pads", "storage_order", "strides"});
  Data images = operation.data(0);
  const Windows windows = square_windows(operation, images.shape);
  const std::string name = operation.plain_name();
  if (windows.has_margins()) {
    images = operation.layer<nn::Pad>(images, name + ".pad", windows.margins,
                                      -std::numeric_limits<float>::infinity());
  }
  operation.set(operation.layer<nn::MaxPool2d>(images, name, windows.height, windows.stride));
}

void read_average_pool(Operation& operation) {
  const Node& node = operation.node();
  node.check_inputs(1, 1);
  node.check_attributes({"auto_pad", "ceil_mode", "count_include_pad", "dilations", "kernel_shape",
                         "pads", "strides"});
  Data images = operation.data(0);
  const Windows windows = square_windows(operation, images.shape);
  const std::string name = operation.plain_name();
  if (windows.has_margins()) {
    // Zeros that count are a margin of the image; windows of different sizes are not read.
    node.require("count_include_pad", 0, 1);
    node.require("ceil_mode", 0, 0);
    images = operation.layer<nn::Pad>(images, name + ".pad", windows.margins, 0.0F);
  }
  operation.set(operation.layer<nn::AvgPool2d>(images, name, windows.height, windows.stride));
}

void read_global_max_pool(Operation& operation) { read_global_pool<nn::GlobalMaxPool>(operation); }

void read_global_average_pool(Operation& operation) {
  read_global_pool<nn::GlobalAvgPool>(operation);
}

// The mean over the image, with or without its two axes.
void read_reduce_mean(Operation& operation) {
  const Node& node = operation.node();
  node.check_inputs(1, 2);
  node.check_attributes({"axes", "keepdims"});
  const Data images = operation.data(0);
  std::vector<Index> axes = node.has_input(1) ? operation.wholes(1).values
                                              : node.wholes("axes").value_or(std::vector<Index>{});
  for (Index& axis : axes) axis += axis < 0 ? images.shape.rank() : 0;
  if (axes != std::vector<Index>{2, 3}) {
    node.refuse(fmt::format("attribute axes: expected (2, 3), found {}", to_text(axes)));
  }
  const std::string name = operation.plain_name();
  Data mean = operation.layer<nn::GlobalAvgPool>(images, name);
  if (node.whole("keepdims", 1) == 0) mean = operation.layer<nn::Flatten>(mean, name + ".flatten");
  operation.set(mean);
}

}  // namespace xbar::onnx
