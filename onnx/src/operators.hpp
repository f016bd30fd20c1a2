#pragma once

/// What an operator becomes: layers, or numbers that are known before any image is seen.

#include <map>
#include <memory>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include <xbar/core/error.hpp>
#include <xbar/core/safetensors.hpp>
#include <xbar/nn/tensor.hpp>

#include "constant.hpp"
#include "layer_graph.hpp"
#include "node.hpp"
#include "node_names.hpp"

namespace xbar::onnx {

/// What a name of the file stands for.
using Value = std::variant<Data, Wholes, Reals, const wire::Tensor*>;

/// What all operators work on.
struct Import {
  const std::string& file;
  nn::ModelLimits limits;
  std::map<std::string, Value> values{};
  std::map<std::string, std::vector<const Node*>> users{};  ///< of a name
  std::set<const wire::Node*> done{};                       ///< with a node before them
  std::string output{};                                     ///< name of the network's output
  Index batch = 0;                                          ///< of the file's example; 0: any
  LayerGraph graph{limits};
  TensorFile weights{};
  Index weight_count = 0;
  NamePool names{};
};

/// One node while it is read.
class Operation {
 public:
  Operation(Import& import, const Node& node)
      : import_(import), node_(node), outputs_{node.wire().output(0)} {}

  [[nodiscard]] const Node& node() const { return node_; }
  [[nodiscard]] Import& import() { return import_; }

  /// @throws InvalidArgument if there is none, or none yet
  [[nodiscard]] const Value& input(int k) const;
  [[nodiscard]] bool is_data(int k) const;
  /// Whether it is a constant of whole numbers.
  [[nodiscard]] bool is_whole(int k) const;
  /// Input k as what it has to be. @throws InvalidArgument if it is something else
  [[nodiscard]] Data data(int k) const;
  [[nodiscard]] Reals reals(int k) const;
  [[nodiscard]] Wholes wholes(int k) const;
  /// One real number.
  [[nodiscard]] float real(int k) const;

  /// A layer's name: of input `weight` without ".weight", else of the node.
  [[nodiscard]] std::string weighted_name(int weight) const;
  [[nodiscard]] std::string plain_name() const;

  /// A layer behind `from`; what it has to say about its numbers gets the node's name.
  template <typename LayerType, typename... Arguments>
  Data layer(const Data& from, Arguments&&... arguments) {
    return guarded([&] {
      return import_.graph.add(std::make_unique<LayerType>(std::forward<Arguments>(arguments)...),
                               from);
    });
  }
  template <typename JoinType>
  Data join(const std::vector<Data>& from) {
    return guarded(
        [&] { return import_.graph.add(std::make_unique<JoinType>(plain_name()), from); });
  }

  /// A tensor of the network's weights.
  void keep(const std::string& name, const std::vector<Index>& dims, std::vector<float> values);
  /// The bias in an Add right behind this node, which is then done: `dims` are those that it may
  /// have, leading ones aside. Empty without one.
  [[nodiscard]] std::vector<float> bias_behind(const std::vector<Index>& dims);

  /// What the node's first output is, and that of an Add that is done with it.
  void set(const Value& value);

 private:
  template <typename Action>
  Data guarded(const Action& action) const {
    try {
      return action();
    } catch (const InvalidArgument& error) {
      node_.refuse(error.what());
    }
  }
  [[nodiscard]] std::string input_text(int k) const;

  Import& import_;
  const Node& node_;
  std::vector<std::string> outputs_;
};

/// Reads one node. @throws InvalidArgument for an operator that is not known
void read_node(Import& import, const Node& node);

void read_convolution(Operation& operation);
void read_gemm(Operation& operation);
void read_matmul(Operation& operation);
void read_batch_normalisation(Operation& operation);
void read_max_pool(Operation& operation);
void read_average_pool(Operation& operation);
void read_global_max_pool(Operation& operation);
void read_global_average_pool(Operation& operation);
void read_reduce_mean(Operation& operation);
void read_relu(Operation& operation);
void read_clip(Operation& operation);
void read_add(Operation& operation);
void read_identity(Operation& operation);
void read_cast(Operation& operation);
void read_dropout(Operation& operation);
void read_softmax(Operation& operation);
void read_constant(Operation& operation);
void read_concat(Operation& operation);
void read_flatten(Operation& operation);
void read_reshape(Operation& operation);
void read_squeeze(Operation& operation);
void read_unsqueeze(Operation& operation);
void read_slice(Operation& operation);
void read_pad(Operation& operation);
void read_transpose(Operation& operation);
/// Of whole numbers: Shape, Gather, ConstantOfShape, Add, Mul, Sub, Div.
void read_shape_arithmetic(Operation& operation);

}  // namespace xbar::onnx
