#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/suggest.hpp>
#include <xbar/nn/optimizer.hpp>

#include "optimizer_check.hpp"

namespace xbar::nn {
namespace {

constexpr std::array<std::pair<std::string_view, OptimizerKind>, 3> kinds{{
    {"sgd", OptimizerKind::sgd},
    {"adam", OptimizerKind::adam},
    {"adamw", OptimizerKind::adamw},
}};

}  // namespace

std::string_view optimizer_name(OptimizerKind kind) {
  for (const auto& [name, known] : kinds) {
    if (known == kind) return name;
  }
  throw InvalidArgument("optimizer: expected sgd, adam or adamw, found another value");
}

OptimizerKind optimizer_kind(std::string_view name) {
  std::vector<std::string> names;
  for (const auto& [known, kind] : kinds) {
    if (known == name) return kind;
    names.emplace_back(known);
  }
  throw InvalidArgument(fmt::format("optimizer: expected one of {}, found {}{}",
                                    fmt::join(names, ", "), name, did_you_mean(name, names)));
}

void check_decay_rate(const char* name, double value) {
  if (!(value >= 0 && value < 1)) {
    throw InvalidArgument(fmt::format("{}: expected a value in [0, 1), found {}", name, value));
  }
}

void check_weight_decay(double weight_decay) {
  if (!(weight_decay >= 0 && std::isfinite(weight_decay))) {
    throw InvalidArgument(
        fmt::format("weight_decay: expected a finite value >= 0, found {}", weight_decay));
  }
}

}  // namespace xbar::nn
