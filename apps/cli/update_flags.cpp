#include "update_flags.hpp"

#include <fmt/format.h>

#include <xbar/core/error.hpp>

namespace xbar::cli {

void UpdateFlags::add(CLI::App& app) {
  CLI::Option* rule =
      app.add_option(
             "--update-rule", rule_,
             "with --device: outer-product, program-verify, stochastic (pulse trains), sign, "
             "mixed-precision, tiki-taka or tiki-taka-v2")
          ->type_name(
              "outer-product|program-verify|stochastic|sign|mixed-precision|tiki-taka|tiki-taka-"
              "v2");
  train_flags_ = {
      app.add_option("--pulse-slots", options_.trains.length, "longest pulse train (BL)"),
      app.add_flag("--plain-trains", plain_trains_,
                   "pulse trains without update management and length management")};
  verify_rounds_ = app.add_option("--verify-rounds", options_.verify_rounds,
                                  "program-verify: reads and corrections at most");
  sign_threshold_ = app.add_option("--sign-threshold", options_.sign_threshold,
                                   "sign: least change asked for that is written, in pulses");
  transfer_flags_ = {
      app.add_option("--fast-rate", options_.fast_rate,
                     "tiki-taka: learning rate of the fast array, in --learning-rate"),
      app.add_option("--transfer-columns", options_.transfer_columns,
                     "tiki-taka: columns of the fast array read after each update"),
      app.add_option("--transfer-rate", options_.transfer_rate,
                     "tiki-taka: weight written for each unit of weight read")};
  flags_ = {rule, verify_rounds_, sign_threshold_};
  flags_.insert(flags_.end(), train_flags_.begin(), train_flags_.end());
  flags_.insert(flags_.end(), transfer_flags_.begin(), transfer_flags_.end());
}

nn::UpdateOptions UpdateFlags::options(bool pulsed) const {
  nn::UpdateOptions result = options_;
  result.rule = nn::parse_update_rule(rule_);
  result.trains.update_management = result.trains.length_management = !plain_trains_;
  const auto expect = [](const CLI::Option* flag, bool used, const std::string& with) {
    if (flag->count() == 0 || used) return;
    throw InvalidArgument(fmt::format("{}: expected only with {}", flag->get_name(), with));
  };
  for (const CLI::Option* flag : flags_) {
    expect(flag, pulsed, "--device and --mode in-situ or both");
  }
  const bool trains = nn::takes_signals(result.rule);
  for (const CLI::Option* flag : train_flags_) {
    expect(flag, trains, "--update-rule stochastic, tiki-taka or tiki-taka-v2");
  }
  for (const CLI::Option* flag : transfer_flags_) {
    expect(flag, trains && result.rule != nn::UpdateRule::stochastic,
           "--update-rule tiki-taka or tiki-taka-v2");
  }
  expect(verify_rounds_, result.rule == nn::UpdateRule::program_verify,
         "--update-rule program-verify");
  expect(sign_threshold_, result.rule == nn::UpdateRule::sign, "--update-rule sign");
  nn::check_update_options(result);
  return result;
}

Json to_json(const nn::UpdateOptions& options) {
  Json json = {{"rule", nn::update_rule_name(options.rule)}};
  if (nn::takes_signals(options.rule)) {
    json["pulse_slots"] = options.trains.length;
    json["plain_trains"] = !options.trains.update_management;
    if (options.rule != nn::UpdateRule::stochastic) {
      json["fast_rate"] = options.fast_rate;
      json["transfer_columns"] = options.transfer_columns;
      json["transfer_rate"] = options.transfer_rate;
    }
  }
  if (options.rule == nn::UpdateRule::program_verify) {
    json["verify_rounds"] = options.verify_rounds;
  }
  if (options.rule == nn::UpdateRule::sign) json["sign_threshold"] = options.sign_threshold;
  return json;
}

}  // namespace xbar::cli
