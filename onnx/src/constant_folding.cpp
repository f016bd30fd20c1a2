#include "constant_folding.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace xbar::onnx {
namespace {

constexpr Index largest = 1'000'000'000'000;  // of what arithmetic takes and gives

struct Extent {
  Index rows = 1;
  Index columns = 1;
};

// One axis is a column.
Extent extent(const Node& node, const Wholes& numbers) {
  const std::vector<Index>& dims = numbers.dims;
  if (dims.size() > 2) {
    node.refuse(fmt::format("expected whole numbers of at most two axes, found {}", to_text(dims)));
  }
  return {dims.empty() ? 1 : dims[0], dims.size() < 2 ? 1 : dims[1]};
}

Index arithmetic(const Node& node, Index a, Index b) {
  for (const Index value : {a, b}) {
    if (value == batch_length) {
      node.refuse("expected numbers that are the same for all batches, found the length of one");
    }
    if (value < -largest || value > largest) {
      node.refuse(fmt::format("expected whole numbers of at most {}, found {}", largest, value));
    }
  }
  if (node.op() == "Add") return a + b;
  if (node.op() == "Sub") return a - b;
  if (node.op() == "Mul") {
    if (b != 0 && std::abs(a) > largest / std::abs(b)) {
      node.refuse(
          fmt::format("expected a product of at most {}, found {} times {}", largest, a, b));
    }
    return a * b;
  }
  if (b == 0) node.refuse("expected a divisor other than 0, found 0");
  return a / b;
}

}  // namespace

std::vector<Index> indices_of(const Node& node, const SliceRange& range, Index length) {
  if (range.step == 0) node.refuse("expected a step other than 0, found 0");
  const bool up = range.step > 0;
  const auto place = [&](Index index, Index lowest, Index highest) {
    return std::clamp(index < 0 ? index + length : index, lowest, highest);
  };
  const Index start = up ? place(range.start, 0, length) : place(range.start, 0, length - 1);
  const Index end = up ? place(range.end, 0, length) : place(range.end, -1, length - 1);
  const Index step = std::clamp(range.step, -length - 1, length + 1);
  std::vector<Index> result;
  for (Index k = start; up ? k < end : k > end; k += step) result.push_back(k);
  return result;
}

std::vector<Index> reshaped(const Node& node, const std::vector<Index>& from,
                            const std::vector<Index>& wanted, Index volume) {
  std::vector<Index> result = wanted;
  Index known = 1;
  Index* rest = nullptr;
  bool fits = true;
  for (std::size_t axis = 0; fits && axis < result.size(); ++axis) {
    Index& length = result[axis];
    if (length == 0) length = axis < from.size() ? from[axis] : -1;
    if (length == -1 && rest == nullptr) {
      rest = &length;
    } else {
      fits = length > 0 && known <= volume / length;
      known *= fits ? length : 1;
    }
  }
  if (fits && rest != nullptr) {
    fits = volume % known == 0;
    *rest = volume / known;
    known = volume;
  }
  if (!fits || known != volume) {
    node.refuse(fmt::format("expected a shape for {} values, found {}", volume, to_text(wanted)));
  }
  return result;
}

Wholes concatenated(const Node& node, const std::vector<Wholes>& parts) {
  Wholes result{{0}, {}};
  for (const Wholes& part : parts) {
    if (part.dims.size() != 1) {
      node.refuse(
          fmt::format("expected lists of whole numbers, found a shape of {}", to_text(part.dims)));
    }
    result.values.insert(result.values.end(), part.values.begin(), part.values.end());
  }
  result.dims = {static_cast<Index>(result.values.size())};
  if (result.dims[0] > largest_list) {
    node.refuse(
        fmt::format("expected at most {} whole numbers, found {}", largest_list, result.dims[0]));
  }
  return result;
}

Wholes sliced(const Node& node, const Wholes& from, Index axis, const SliceRange& range) {
  const Extent whole = extent(node, from);
  const auto axes = static_cast<Index>(from.dims.size());
  if (axis < 0) axis += axes;
  if (axis < 0 || axis >= axes) {
    node.refuse(fmt::format("expected an axis of {}, found {}", to_text(from.dims), axis));
  }
  const bool of_rows = axis == 0;
  const std::vector<Index> taken = indices_of(node, range, of_rows ? whole.rows : whole.columns);
  Wholes result{from.dims, {}};
  result.dims[static_cast<std::size_t>(axis)] = static_cast<Index>(taken.size());
  const auto take = [&](Index row, Index column) {
    result.values.push_back(from.values[static_cast<std::size_t>(row * whole.columns + column)]);
  };
  if (of_rows) {
    for (const Index row : taken) {
      for (Index column = 0; column < whole.columns; ++column) take(row, column);
    }
  } else {
    for (Index row = 0; row < whole.rows; ++row) {
      for (const Index column : taken) take(row, column);
    }
  }
  return result;
}

Wholes transposed(const Node& node, const Wholes& from) {
  const Extent whole = extent(node, from);
  if (from.dims.size() < 2) return from;
  Wholes result{{whole.columns, whole.rows}, {}};
  for (Index column = 0; column < whole.columns; ++column) {
    for (Index row = 0; row < whole.rows; ++row) {
      result.values.push_back(from.values[static_cast<std::size_t>(row * whole.columns + column)]);
    }
  }
  return result;
}

Wholes gathered(const Node& node, const Wholes& from, const Wholes& indices) {
  if (from.dims.size() != 1) {
    node.refuse(
        fmt::format("expected a list of whole numbers, found a shape of {}", to_text(from.dims)));
  }
  Wholes result{indices.dims, {}};
  for (Index index : indices.values) {
    if (index < 0 && index >= -from.dims[0]) index += from.dims[0];
    if (index < 0 || index >= from.dims[0]) {
      node.refuse(fmt::format("expected indices below {}, found {}", from.dims[0], index));
    }
    result.values.push_back(from.values[static_cast<std::size_t>(index)]);
  }
  return result;
}

Wholes filled(const Node& node, const Wholes& shape, Index value) {
  const Index count = volume(shape.values, largest_list);
  if (shape.dims.size() != 1 || count < 0) {
    node.refuse(fmt::format("expected a shape of at most {} values, found {}", largest_list,
                            to_text(shape.values)));
  }
  return {shape.values, std::vector<Index>(static_cast<std::size_t>(count), value)};
}

Wholes combined(const Node& node, const Wholes& left, const Wholes& right) {
  const bool one_left = left.values.size() == 1;
  const bool one_right = right.values.size() == 1;
  if (left.dims != right.dims && !one_left && !one_right) {
    node.refuse(fmt::format("expected whole numbers of one shape, found {} and {}",
                            to_text(left.dims), to_text(right.dims)));
  }
  const Wholes& larger = one_left ? right : left;
  Wholes result{larger.dims, {}};
  for (std::size_t k = 0; k < larger.values.size(); ++k) {
    result.values.push_back(
        arithmetic(node, left.values[one_left ? 0 : k], right.values[one_right ? 0 : k]));
  }
  return result;
}

}  // namespace xbar::onnx
