#include "named_tensors.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/suggest.hpp>

namespace xbar::nn {
namespace {

std::vector<std::int64_t> axes(const Shape& shape) {
  std::vector<std::int64_t> result;
  for (int axis = 0; axis < shape.rank(); ++axis) result.push_back(shape[axis]);
  return result;
}

// Files may hold tensors of any rank, Shape cannot.
std::string axes_text(const std::vector<std::int64_t>& lengths) {
  return fmt::format("({}{})", fmt::join(lengths, ", "), lengths.size() == 1 ? "," : "");
}

}  // namespace

NamedTensor to_named_tensor(const MatrixF& matrix, const Shape& shape) {
  return {axes(shape), {matrix.data(), matrix.data() + matrix.size()}};
}

MatrixF to_matrix(const NamedTensor& tensor, const Shape& shape) {
  const Index rows = shape.rank() == 0 ? 1 : shape[0];
  return Eigen::Map<const MatrixF>(tensor.values.data(), rows, shape.volume_from(1));
}

void check_named_tensors(const std::string& what, const std::map<std::string, Shape>& expected,
                         const std::map<std::string, NamedTensor>& found) {
  for (const auto& [name, shape] : expected) {
    const auto place = found.find(name);
    if (place == found.end()) {
      throw InvalidArgument(
          fmt::format("{}: expected tensor {} of shape {}, found none of that "
                      "name",
                      what, name, to_string(shape)));
    }
    const NamedTensor& tensor = place->second;
    if (tensor.shape != axes(shape) || static_cast<Index>(tensor.values.size()) != shape.volume()) {
      throw InvalidArgument(fmt::format("{}: expected tensor {} of shape {}, found shape {}", what,
                                        name, to_string(shape), axes_text(tensor.shape)));
    }
  }
  for (const auto& [name, tensor] : found) {
    if (expected.contains(name)) continue;
    std::vector<std::string> names;
    for (const auto& [known, shape] : expected) names.push_back(known);
    throw InvalidArgument(
        fmt::format("{}: found tensor {} of shape {}, expected none of that name{}", what, name,
                    axes_text(tensor.shape), did_you_mean(name, names)));
  }
}

}  // namespace xbar::nn
