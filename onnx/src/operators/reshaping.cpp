#include <algorithm>

#include <fmt/format.h>

#include <xbar/nn/layers/flatten.hpp>
#include <xbar/nn/layers/reshape.hpp>

#include "../constant_folding.hpp"
#include "../operators.hpp"

namespace xbar::onnx {
namespace {

// The lengths of a value, N in front.
std::vector<Index> lengths_of(const Data& data) {
  std::vector<Index> result{batch_length};
  for (int axis = 1; axis < data.shape.rank(); ++axis) result.push_back(data.shape[axis]);
  return result;
}

// `lengths`, with N in front, as the shape of `data`.
void set_shape(Operation& operation, const Data& data, const std::vector<Index>& lengths) {
  if (lengths.size() < 2 || lengths.size() > nn::Shape::max_rank) {
    operation.node().refuse(fmt::format("expected 2 to {} axes with that of the batch, found {}",
                                        nn::Shape::max_rank, to_text(lengths)));
  }
  nn::Shape item;
  for (std::size_t axis = 1; axis < lengths.size(); ++axis) item.push_back(lengths[axis]);
  if (item == data.shape.item()) {
    operation.set(data);
  } else if (item.rank() == 1) {
    operation.set(operation.layer<nn::Flatten>(data, operation.plain_name()));
  } else {
    operation.set(operation.layer<nn::Reshape>(data, operation.plain_name(), item));
  }
}

// Axes of Squeeze and Unsqueeze: an input from operator set 13 on.
std::vector<Index> axes_of(const Operation& operation, std::size_t rank) {
  const Node& node = operation.node();
  node.check_inputs(1, 2);
  node.check_attributes({"axes"});
  std::vector<Index> axes = node.has_input(1) ? operation.wholes(1).values
                                              : node.wholes("axes").value_or(std::vector<Index>{});
  const auto count = static_cast<Index>(rank);
  for (Index& axis : axes) {
    if (axis < 0) axis += count;
    if (axis < 0 || axis >= count) {
      node.refuse(fmt::format("expected axes of {}, found {}", count, to_text(axes)));
    }
  }
  std::sort(axes.begin(), axes.end());
  if (axes.empty() || std::adjacent_find(axes.begin(), axes.end()) != axes.end()) {
    node.refuse(fmt::format("expected different axes, found {}", to_text(axes)));
  }
  return axes;
}

std::vector<Index> without_axes(const Node& node, std::vector<Index> lengths,
                                const std::vector<Index>& axes) {
  for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis) {
    if (lengths[static_cast<std::size_t>(*axis)] != 1) {
      node.refuse(
          fmt::format("expected axes of length 1, found axis {} of {}", *axis, to_text(lengths)));
    }
    lengths.erase(lengths.begin() + *axis);
  }
  return lengths;
}

}  // namespace

void read_flatten(Operation& operation) {
  const Node& node = operation.node();
  node.check_inputs(1, 1);
  node.check_attributes({"axis"});
  const Data data = operation.data(0);
  const Index axis = node.whole("axis", 1);
  if (axis != 1 && axis != 1 - data.shape.rank()) {
    node.refuse(fmt::format("attribute axis: expected 1, found {}", axis));
  }
  if (data.shape.rank() == 2) {
    operation.set(data);
  } else {
    operation.set(operation.layer<nn::Flatten>(data, operation.plain_name()));
  }
}

void read_reshape(Operation& operation) {
  const Node& node = operation.node();
  node.check_inputs(2, 2);
  node.check_attributes({"allowzero"});
  node.require("allowzero", 0, 0);
  std::vector<Index> wanted = operation.wholes(1).values;
  if (!operation.is_data(0)) {
    Wholes from = operation.wholes(0);
    const auto count = static_cast<Index>(from.values.size());
    operation.set(Wholes{reshaped(node, from.dims, wanted, count), std::move(from.values)});
    return;
  }
  const Data data = operation.data(0);
  // The batch stays what it is: 0, its own length, that of the file's example, or what is left
  // over.
  const bool keeps = !wanted.empty() && (wanted[0] == batch_length || wanted[0] == 0 ||
                                         wanted[0] == operation.import().batch || wanted[0] == -1);
  const bool is_rest = keeps && wanted[0] == -1;
  const std::vector<Index> lengths = lengths_of(data);
  if (!keeps || (is_rest && std::count(wanted.begin(), wanted.end(), -1) > 1)) {
    node.refuse(fmt::format("expected a shape whose first axis is that of the batch, found {}",
                            to_text(wanted)));
  }
  wanted[0] = 1;
  std::vector<Index> from = lengths;
  from[0] = 1;
  std::vector<Index> result = reshaped(node, from, wanted, data.shape.volume());
  result[0] = batch_length;
  set_shape(operation, data, result);
}

void read_squeeze(Operation& operation) {
  if (operation.is_data(0)) {
    const Data data = operation.data(0);
    const std::vector<Index> lengths = lengths_of(data);
    set_shape(operation, data,
              without_axes(operation.node(), lengths, axes_of(operation, lengths.size())));
    return;
  }
  Wholes from = operation.wholes(0);
  from.dims = without_axes(operation.node(), from.dims, axes_of(operation, from.dims.size()));
  operation.set(from);
}

void read_unsqueeze(Operation& operation) {
  const Node& node = operation.node();
  const bool is_data = operation.is_data(0);
  Wholes from = is_data ? Wholes{lengths_of(operation.data(0)), {}} : operation.wholes(0);
  node.check_inputs(1, 2);
  const std::size_t added = node.has_input(1)
                                ? operation.wholes(1).values.size()
                                : node.wholes("axes").value_or(std::vector<Index>{}).size();
  for (const Index axis : axes_of(operation, from.dims.size() + added)) {
    if (is_data && axis == 0) node.refuse("expected axes behind that of the batch, found 0");
    from.dims.insert(from.dims.begin() + axis, 1);
  }
  if (is_data) {
    set_shape(operation, operation.data(0), from.dims);
  } else {
    operation.set(from);
  }
}

}  // namespace xbar::onnx
