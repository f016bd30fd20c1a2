#include "blocks.hpp"

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/layers/batch_norm.hpp>
#include <xbar/nn/layers/flatten.hpp>
#include <xbar/nn/layers/global_avg_pool.hpp>
#include <xbar/nn/layers/linear.hpp>
#include <xbar/nn/layers/max_pool2d.hpp>
#include <xbar/nn/layers/padded_shortcut.hpp>
#include <xbar/nn/layers/relu.hpp>
#include <xbar/nn/layers/residual.hpp>

namespace xbar::nn {
namespace {

void add_basic_block(Network& network, const std::string& name, Index in, Index out, Index stride,
                     ShortcutKind kind) {
  Chain main;
  main.emplace<Conv2d>(name + ".conv1", conv3x3(in, out, stride, false));
  main.emplace<BatchNorm>(name + ".bn1", out);
  main.emplace<Relu>(name + ".relu1");
  main.emplace<Conv2d>(name + ".conv2", conv3x3(out, out, 1, false));
  main.emplace<BatchNorm>(name + ".bn2", out);
  Chain shortcut;
  if (in != out || stride != 1) {
    if (kind == ShortcutKind::padded) {
      shortcut.emplace<PaddedShortcut>(name + ".shortcut", in, out, stride);
    } else {
      shortcut.emplace<Conv2d>(
          name + ".downsample.0",
          Conv2dOptions{
              .in_channels = in, .out_channels = out, .stride = stride, .with_bias = false});
      shortcut.emplace<BatchNorm>(name + ".downsample.1", out);
    }
  }
  network.emplace<Residual>(name, std::move(main), std::move(shortcut));
}

}  // namespace

void check_model_input(std::string_view model, const Shape& input_shape, Index num_classes) {
  if (num_classes < 1) {
    throw InvalidArgument(
        fmt::format("model {}: expected num_classes >= 1, found {}", model, num_classes));
  }
  if (input_shape.rank() < 1 || input_shape.rank() >= Shape::max_rank || input_shape.volume() < 1) {
    throw InvalidArgument(
        fmt::format("model {}: expected images of shape (channels, height, width), found {}", model,
                    to_string(input_shape)));
  }
}

void check_square_images(std::string_view model, const Shape& input_shape, Index side) {
  if (input_shape.rank() == 3 && input_shape[1] == side && input_shape[2] == side) return;
  throw InvalidArgument(
      fmt::format("model {}: expected images of shape (channels, {}, {}), found {}", model, side,
                  side, to_string(input_shape)));
}

void check_any_images(std::string_view model, const Shape& input_shape) {
  if (input_shape.rank() == 3) return;
  throw InvalidArgument(
      fmt::format("model {}: expected images of shape (channels, height, width), found {}", model,
                  to_string(input_shape)));
}

Conv2dOptions conv3x3(Index in_channels, Index out_channels, Index stride, bool with_bias) {
  return {.in_channels = in_channels,
          .out_channels = out_channels,
          .kernel_height = 3,
          .kernel_width = 3,
          .stride = stride,
          .padding = 1,
          .with_bias = with_bias};
}

void add_vgg_stages(Network& network, const std::vector<std::vector<Index>>& stages, Norm norm) {
  Index channels = network.output_shape()[0];
  Index number = 0;
  Index pool = 0;
  for (const std::vector<Index>& widths : stages) {
    for (const Index width : widths) {
      ++number;
      network.emplace<Conv2d>(fmt::format("conv{}", number),
                              conv3x3(channels, width, 1, norm == Norm::none));
      if (norm == Norm::batch) network.emplace<BatchNorm>(fmt::format("bn{}", number), width);
      network.emplace<Relu>(fmt::format("relu{}", number));
      channels = width;
    }
    network.emplace<MaxPool2d>(fmt::format("pool{}", ++pool), 2);
  }
  network.emplace<Flatten>("flatten");
}

void add_resnet(Network& network, const std::vector<Index>& widths, Index blocks, ShortcutKind kind,
                const std::string& linear_name, Index num_classes) {
  Index channels = widths.front();
  network.emplace<Conv2d>("conv1", conv3x3(network.output_shape()[0], channels, 1, false));
  network.emplace<BatchNorm>("bn1", channels);
  network.emplace<Relu>("relu1");
  Index stage = 0;
  for (const Index width : widths) {
    ++stage;
    for (Index block = 0; block < blocks; ++block) {
      add_basic_block(network, fmt::format("layer{}.{}", stage, block), channels, width,
                      stage > 1 && block == 0 ? 2 : 1, kind);
      channels = width;
    }
  }
  network.emplace<GlobalAvgPool>("pool");
  network.emplace<Flatten>("flatten");
  network.emplace<Linear>(linear_name, channels, num_classes);
}

}  // namespace xbar::nn
