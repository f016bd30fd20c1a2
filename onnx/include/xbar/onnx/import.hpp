#pragma once

/// Networks from ONNX files [Onnx2019].

#include <string>
#include <string_view>

#include <xbar/nn/model_file.hpp>
#include <xbar/nn/network.hpp>

namespace xbar::onnx {

/// The network of an ONNX file, with its weights. It computes what the file says and can be
/// trained, put on arrays and re-mapped like any other.
///
/// Read are operator sets 7 to 23 with one input (N, ...) and one output (N, num_classes), float32
/// or float64 weights in the file itself, and these operators; docs/import.md has the attributes:
///
///   Conv, Gemm, MatMul (and the Add of a bias behind it), BatchNormalization, Relu, Clip, MaxPool,
///   AveragePool, GlobalMaxPool, GlobalAveragePool, ReduceMean over the image, Add, Concat,
///   Flatten, Reshape, Squeeze, Unsqueeze, Slice, Pad, Identity, Cast, Dropout, Constant; a Softmax
///   or LogSoftmax at the end is left out, since the loss function has one; on shapes: Shape,
///   Gather, ConstantOfShape, Transpose, Mul, Sub, Div.
///
/// Layers are named after their weights ("conv1.weight" makes conv1), else after their nodes, with
/// the folders of PyTorch's names turned into points ("/layer1/layer1.0/conv1/Conv" makes
/// layer1.0.conv1); tensors are then "conv1.weight", "bn1.running_mean", ... as in PyTorch.
///
/// @param bytes        of the file
/// @param file         what messages call it
/// @param input_shape  of one image: (channels, height, width)
/// @throws IoError for what is not ONNX or is truncated; InvalidArgument naming the node, its
///         operator, what was expected and what was found, for everything that cannot be read, and
///         for a file whose inputs or outputs do not fit the data.
[[nodiscard]] nn::Network import_network(std::string_view bytes, const std::string& file,
                                         const nn::Shape& input_shape, Index num_classes,
                                         const nn::ModelLimits& limits = {});

}  // namespace xbar::onnx
