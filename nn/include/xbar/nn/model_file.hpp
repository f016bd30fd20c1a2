#pragma once

/// Networks as TOML files: a list of layers.
///
///     name = "small"                  # letters, digits and . _ -, a letter first
///     comment = "what it is for"      # optional
///
///     [[layer]]
///     type = "conv2d"
///     out_channels = 16
///     kernel = 3
///     padding = 1
///
///     [[layer]]
///     type = "relu"
///     ...
///
/// | type            | keys; those without a value are required                              |
/// |-----------------|-----------------------------------------------------------------------|
/// | conv2d          | out_channels, kernel (one number or [height, width]), stride = 1,     |
/// |                 | padding = 0, bias = true                                              |
/// | linear          | out_features, bias = true                                             |
/// | batch-norm      | epsilon = 1e-5, momentum = 0.1                                        |
/// | relu, flatten   |                                                                       |
/// | max-pool2d      | kernel, stride = kernel                                               |
/// | avg-pool2d      | kernel, stride = kernel                                               |
/// | global-avg-pool |                                                                       |
/// | global-max-pool |                                                                       |
/// | dropout         | probability = 0.5                                                     |
/// | residual        | body (a list of layers), shortcut = "identity", after = "relu" (or    |
/// |                 | "nothing"), repeat = 1                                                |
///
/// Channels and features that come in are those of the layer before. "classes" in place of a number
/// of channels or features that go out is the data set's number of classes. Shortcuts: "identity";
/// "padded", PaddedShortcut, where the shape changes; "projection", a convolution of 1 x 1
/// ("downsample.0") with batch norm ("downsample.1"). Both find their stride from the shapes.
///
/// Every layer takes `name`. The names not given are those of PyTorch's models: conv, bn, fc, relu,
/// pool, dropout and flatten with the number of the layer among its like (conv1, conv2, ...; pool
/// counts all four kinds), counted anew inside a residual layer, whose name comes in front:
/// "layer1.0.conv1". Residual layers are "layerS.B": one with a shortcut other than "identity"
/// begins stage S + 1 with block 0.

#include <string>
#include <string_view>

#include <xbar/nn/network.hpp>

namespace xbar::nn {

/// What a model file may ask for at most, so that a mistyped number is refused instead of taking
/// all memory.
struct ModelLimits {
  Index layers = 10'000;          ///< those inside residual layers too
  Index weights = 1'000'000'000;  ///< of all layers together
  Index values = 1'000'000'000;   ///< of one image between two layers
};

/// The network that a model file describes, its weights zero (initialise, models.hpp).
/// @param file         what messages call it
/// @param input_shape  of one image: (channels, height, width)
/// @throws IoError for what is not TOML; InvalidArgument for an unknown, a missing or an unusable
///         key, for layers that do not fit each other or the images, and unless the last one gives
///         one value a class. Messages begin with file:line:column.
[[nodiscard]] Network parse_model(std::string_view toml, const std::string& file,
                                  const Shape& input_shape, Index num_classes,
                                  const ModelLimits& limits = {});

}  // namespace xbar::nn
