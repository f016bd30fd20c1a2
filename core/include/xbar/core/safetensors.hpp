#pragma once

/// Weights and checkpoints: the safetensors format (8-byte little-endian header length, JSON
/// header, raw little-endian data), which PyTorch opens.

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace xbar {

/// One tensor, single precision, C order.
struct NamedTensor {
  std::vector<std::int64_t> shape;  ///< lengths of the axes; empty for a scalar
  std::vector<float> values;        ///< size: product of shape
};

/// A file's tensors by name and its `__metadata__` (strings).
struct TensorFile {
  std::map<std::string, NamedTensor> tensors;
  std::map<std::string, std::string> metadata;
};

/// Reads F32, F64, F16, BF16 and integer tensors, converting to float.
/// @throws IoError naming the file (and the tensor) if it is missing, truncated, overlapping, out
/// of
///         bounds, or of a type that is not read; if the data have holes, a name occurs twice, or a
///         finite F64 value does not fit single precision.
[[nodiscard]] TensorFile read_safetensors(const std::filesystem::path& path);

/// The same on bytes in memory; `name` stands for the file in messages.
[[nodiscard]] TensorFile parse_safetensors(std::string_view bytes, const std::string& name);

/// Writes all tensors as F32, atomically.
/// @throws InvalidArgument naming the tensor whose shape does not fit its values or whose name is
///         "__metadata__", and for text that is not UTF-8; IoError if the file cannot be written.
void write_safetensors(const std::filesystem::path& path, const TensorFile& file);

}  // namespace xbar
