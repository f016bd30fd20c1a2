#pragma once

/// One node of the file: its attributes and what is wrong with them.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <xbar/core/matrix.hpp>

#include "onnx_messages.pb.h"

namespace xbar::onnx {

/// A node and how messages call it: "net.onnx: node '/conv1/Conv' (Conv)".
class Node {
 public:
  /// @param number  of the node in the file, from 0, for nodes without a name
  /// Both references must outlive the object.
  Node(const std::string& file, const wire::Node& node, Index number)
      : file_(file), node_(node), number_(number) {}

  [[nodiscard]] const std::string& op() const { return node_.op_type(); }
  [[nodiscard]] const std::string& name() const { return node_.name(); }
  [[nodiscard]] Index number() const { return number_; }
  [[nodiscard]] const wire::Node& wire() const { return node_; }

  /// Inputs may be left out: an empty name, or a shorter list.
  [[nodiscard]] bool has_input(int k) const {
    return k < node_.input_size() && !node_.input(k).empty();
  }
  /// @throws InvalidArgument unless there are that many, the first `lowest` all given
  void check_inputs(int lowest, int highest) const;

  /// Attributes. All throw InvalidArgument for one of another type.
  [[nodiscard]] bool has(std::string_view name) const { return find(name) != nullptr; }
  [[nodiscard]] Index whole(std::string_view name, Index otherwise) const;
  [[nodiscard]] float real(std::string_view name, float otherwise) const;
  [[nodiscard]] std::string text(std::string_view name, const std::string& otherwise) const;
  [[nodiscard]] std::optional<std::vector<Index>> wholes(std::string_view name) const;
  [[nodiscard]] std::optional<std::vector<float>> reals(std::string_view name) const;
  [[nodiscard]] const wire::Tensor* tensor(std::string_view name) const;

  /// Refuses every attribute that is not one of these.
  void check_attributes(const std::vector<std::string_view>& known) const;
  /// Refuses any other value of the attribute.
  void require(std::string_view name, Index otherwise, Index expected) const;

  /// "FILE: node 'NAME' (OP): MESSAGE" as InvalidArgument.
  [[noreturn]] void refuse(const std::string& message) const;

 private:
  [[nodiscard]] const wire::Attribute* find(std::string_view name) const;
  [[nodiscard]] const wire::Attribute* find(std::string_view name, int type,
                                            const char* expected) const;

  const std::string& file_;
  const wire::Node& node_;
  Index number_;
};

}  // namespace xbar::onnx
