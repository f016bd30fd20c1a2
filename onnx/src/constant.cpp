#include "constant.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <iterator>

#include <fmt/format.h>

namespace xbar::onnx {
namespace {

enum ElementType { float32 = 1, int32 = 6, int64 = 7, float64 = 11 };

std::string type_name(int type) {
  constexpr const char* names[] = {"undefined",  "float32", "uint8",  "int8",   "uint16",
                                   "int16",      "int32",   "int64",  "string", "bool",
                                   "float16",    "float64", "uint32", "uint64", "complex64",
                                   "complex128", "bfloat16"};
  if (type >= 0 && type < static_cast<int>(std::size(names))) return names[type];
  return fmt::format("type {}", type);
}

// The values, from the bytes or from the list that the format has for their type.
template <typename Stored, typename Result, typename List>
std::vector<Result> values_of(const Node& node, const std::string& what, const wire::Tensor& tensor,
                              const List& list, Index count) {
  std::vector<Result> values;
  const std::string& bytes = tensor.raw_data();
  const auto wanted = static_cast<std::size_t>(count);
  const std::size_t found =
      bytes.empty() ? static_cast<std::size_t>(list.size()) : bytes.size() / sizeof(Stored);
  if (found != wanted || bytes.size() % sizeof(Stored) != 0) {
    const std::vector<Index> dims(tensor.dims().begin(), tensor.dims().end());
    node.refuse(fmt::format("{}: expected {} values for the shape {}, found {}", what, count,
                            to_text(dims), found));
  }
  values.reserve(wanted);
  for (std::size_t k = 0; k < wanted; ++k) {
    Stored value{};
    if (bytes.empty()) {
      value = static_cast<Stored>(list[static_cast<int>(k)]);
    } else {
      std::memcpy(&value, bytes.data() + k * sizeof(Stored), sizeof(Stored));
    }
    values.push_back(static_cast<Result>(value));
  }
  return values;
}

Index checked_volume(const Node& node, const std::string& what, const wire::Tensor& tensor,
                     const std::vector<Index>& dims, Index largest) {
  if (tensor.data_location() != 0) {
    node.refuse(
        fmt::format("{}: expected values in the file itself, found them in another file", what));
  }
  const Index count = volume(dims, largest);
  if (count < 0) {
    node.refuse(fmt::format("{}: expected a shape of at most {} values, found {}", what, largest,
                            to_text(dims)));
  }
  return count;
}

}  // namespace

Index volume(const std::vector<Index>& dims, Index largest) {
  Index result = 1;
  for (const Index length : dims) {
    if (length == 0) result = 0;
  }
  for (const Index length : dims) {
    if (length < 0 || (result > 0 && length > largest / result)) return -1;
    result *= length;
  }
  return result;
}

std::string to_text(const std::vector<Index>& dims) {
  std::string text;
  for (const Index length : dims) {
    text += text.empty() ? "" : ", ";
    text += length == batch_length ? "N" : fmt::format("{}", length);
  }
  return fmt::format("({}{})", text, dims.size() == 1 ? "," : "");
}

Reals reals_of(const Node& node, const std::string& what, const wire::Tensor& tensor) {
  constexpr Index largest = 1'000'000'000;
  Reals result{{tensor.dims().begin(), tensor.dims().end()}, {}};
  const Index count = checked_volume(node, what, tensor, result.dims, largest);
  switch (tensor.data_type()) {
    case float32:
      result.values = values_of<float, float>(node, what, tensor, tensor.float_data(), count);
      break;
    case float64:
      result.values = values_of<double, float>(node, what, tensor, tensor.double_data(), count);
      break;
    default:
      node.refuse(fmt::format("{}: expected values of type float32 or float64, found {}", what,
                              type_name(tensor.data_type())));
  }
  for (std::size_t k = 0; k < result.values.size(); ++k) {
    if (std::isfinite(result.values[k])) continue;
    node.refuse(
        fmt::format("{}: expected finite values, found {} at place {}", what, result.values[k], k));
  }
  return result;
}

bool has_wholes(const wire::Tensor& tensor) {
  return tensor.data_type() == int64 || tensor.data_type() == int32;
}

Wholes wholes_of(const Node& node, const std::string& what, const wire::Tensor& tensor) {
  Wholes result{{tensor.dims().begin(), tensor.dims().end()}, {}};
  const Index count = checked_volume(node, what, tensor, result.dims, largest_list);
  switch (tensor.data_type()) {
    case int64:
      result.values =
          values_of<std::int64_t, Index>(node, what, tensor, tensor.int64_data(), count);
      break;
    case int32:
      result.values =
          values_of<std::int32_t, Index>(node, what, tensor, tensor.int32_data(), count);
      break;
    default:
      node.refuse(fmt::format("{}: expected values of type int64 or int32, found {}", what,
                              type_name(tensor.data_type())));
  }
  // The end of a slice that goes back to the first value: any number as small will do.
  std::replace(result.values.begin(), result.values.end(), batch_length, batch_length + 1);
  return result;
}

Reals transposed(const Reals& matrix) {
  const Index rows = matrix.dims[0];
  const Index columns = matrix.dims[1];
  Reals result{{columns, rows}, std::vector<float>(matrix.values.size())};
  for (Index i = 0; i < rows; ++i) {
    for (Index j = 0; j < columns; ++j) {
      result.values[static_cast<std::size_t>(j * rows + i)] =
          matrix.values[static_cast<std::size_t>(i * columns + j)];
    }
  }
  return result;
}

}  // namespace xbar::onnx
