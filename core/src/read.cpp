#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/read.hpp>

namespace xbar {

Direction parse_direction(std::string_view name) {
  if (name == "forward") return Direction::forward;
  if (name == "backward") return Direction::backward;
  throw InvalidArgument(fmt::format("direction: expected forward or backward, got '{}'", name));
}

Terminals parse_terminals(std::string_view name) {
  if (name == "keep") return Terminals::keep;
  if (name == "swap") return Terminals::swap;
  throw InvalidArgument(fmt::format("terminals: expected keep or swap, got '{}'", name));
}

}  // namespace xbar
