#include <array>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/suggest.hpp>
#include <xbar/nn/update_rule.hpp>

namespace xbar::nn {
namespace {

constexpr std::array<std::pair<std::string_view, UpdateRule>, 7> rules{{
    {"outer-product", UpdateRule::outer_product},
    {"program-verify", UpdateRule::program_verify},
    {"stochastic", UpdateRule::stochastic},
    {"sign", UpdateRule::sign},
    {"mixed-precision", UpdateRule::mixed_precision},
    {"tiki-taka", UpdateRule::tiki_taka},
    {"tiki-taka-v2", UpdateRule::tiki_taka_v2},
}};

}  // namespace

std::string_view update_rule_name(UpdateRule rule) {
  for (const auto& [name, known] : rules) {
    if (known == rule) return name;
  }
  throw InvalidArgument("update-rule: expected one of the enumerators, found another value");
}

UpdateRule parse_update_rule(std::string_view name) {
  std::vector<std::string> names;
  for (const auto& [known, rule] : rules) {
    if (known == name) return rule;
    names.emplace_back(known);
  }
  throw InvalidArgument(fmt::format("update-rule: expected one of {}, got '{}'{}",
                                    fmt::join(names, ", "), name, did_you_mean(name, names)));
}

void check_update_options(const UpdateOptions& options) {
  device::check_pulse_train_options(options.trains);
  const auto fail = [](const char* name, const char* expected, auto found) {
    throw InvalidArgument(fmt::format("{}: expected {}, got {}", name, expected, found));
  };
  if (options.verify_rounds < 1 || options.verify_rounds > 1000) {
    fail("verify-rounds", "1 to 1000", options.verify_rounds);
  }
  if (!(options.sign_threshold >= 0) || !std::isfinite(options.sign_threshold)) {
    fail("sign-threshold", "a finite number >= 0", options.sign_threshold);
  }
  if (!(options.fast_rate > 0) || !std::isfinite(options.fast_rate)) {
    fail("fast-rate", "a finite number > 0", options.fast_rate);
  }
  if (options.transfer_columns < 1)
    fail("transfer-columns", "at least 1", options.transfer_columns);
  if (!(options.transfer_rate > 0) || !std::isfinite(options.transfer_rate)) {
    fail("transfer-rate", "a finite number > 0", options.transfer_rate);
  }
}

}  // namespace xbar::nn
