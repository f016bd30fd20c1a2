#include "node.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <xbar/core/error.hpp>

#include "node_names.hpp"

namespace xbar::onnx {
namespace {

enum AttributeType { real_type = 1, whole_type = 2, text_type = 3, tensor_type = 4 };
enum AttributeListType { reals_type = 6, wholes_type = 7 };

}  // namespace

void Node::refuse(const std::string& message) const {
  const std::string who = node_.name().empty() ? fmt::format("node {}", number_)
                                               : fmt::format("node '{}'", shown(name()));
  throw InvalidArgument(fmt::format("{}: {} ({}): {}", file_, who, shown(op()), message));
}

void Node::check_inputs(int lowest, int highest) const {
  bool fits = node_.input_size() <= highest;
  for (int k = 0; k < lowest; ++k) fits = fits && has_input(k);
  if (fits) return;
  refuse(lowest == highest ? fmt::format("expected {} inputs, found {}", lowest, node_.input_size())
                           : fmt::format("expected {} to {} inputs, found {}", lowest, highest,
                                         node_.input_size()));
}

const wire::Attribute* Node::find(std::string_view name) const {
  const auto& all = node_.attribute();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.name() == name; });
  return found == all.end() ? nullptr : &*found;
}

const wire::Attribute* Node::find(std::string_view name, int type, const char* expected) const {
  const wire::Attribute* found = find(name);
  if (found != nullptr && found->type() != type) {
    refuse(fmt::format("attribute {}: expected {}, found one of type {}", name, expected,
                       found->type()));
  }
  return found;
}

Index Node::whole(std::string_view name, Index otherwise) const {
  const wire::Attribute* found = find(name, whole_type, "a whole number");
  return found == nullptr ? otherwise : found->i();
}

float Node::real(std::string_view name, float otherwise) const {
  const wire::Attribute* found = find(name, real_type, "a number");
  return found == nullptr ? otherwise : found->f();
}

std::string Node::text(std::string_view name, const std::string& otherwise) const {
  const wire::Attribute* found = find(name, text_type, "a text");
  return found == nullptr ? otherwise : found->s();
}

std::optional<std::vector<Index>> Node::wholes(std::string_view name) const {
  const wire::Attribute* found = find(name, wholes_type, "a list of whole numbers");
  if (found == nullptr) return std::nullopt;
  return std::vector<Index>(found->ints().begin(), found->ints().end());
}

std::optional<std::vector<float>> Node::reals(std::string_view name) const {
  const wire::Attribute* found = find(name, reals_type, "a list of numbers");
  if (found == nullptr) return std::nullopt;
  return std::vector<float>(found->floats().begin(), found->floats().end());
}

const wire::Tensor* Node::tensor(std::string_view name) const {
  const wire::Attribute* found = find(name, tensor_type, "a tensor");
  return found == nullptr ? nullptr : &found->t();
}

void Node::check_attributes(const std::vector<std::string_view>& known) const {
  for (const wire::Attribute& attribute : node_.attribute()) {
    if (std::find(known.begin(), known.end(), attribute.name()) != known.end()) continue;
    refuse(fmt::format("expected attributes {}, found {}",
                       known.empty() ? "of none" : fmt::format("{}", fmt::join(known, ", ")),
                       shown(attribute.name())));
  }
}

void Node::require(std::string_view name, Index otherwise, Index expected) const {
  const Index found = whole(name, otherwise);
  if (found == expected) return;
  refuse(fmt::format("attribute {}: expected {}, found {}", name, expected, found));
}

}  // namespace xbar::onnx
