#pragma once

/// Flags that say how gradients become programming pulses.

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <xbar/nn/update_rule.hpp>

#include "run_folder.hpp"

namespace xbar::cli {

/// --update-rule and what its rules take.
struct UpdateFlags {
  void add(CLI::App& app);
  /// @param pulsed  whether cells are written by pulses: --device with --mode in-situ or both
  /// @throws InvalidArgument for values out of range, and for flags that would have no effect
  [[nodiscard]] nn::UpdateOptions options(bool pulsed) const;
  /// All of them, for Command::acts_when_given.
  [[nodiscard]] const std::vector<CLI::Option*>& flags() const { return flags_; }

 private:
  nn::UpdateOptions options_;
  std::string rule_ = "outer-product";
  bool plain_trains_ = false;
  std::vector<CLI::Option*> flags_;
  std::vector<CLI::Option*> train_flags_;
  std::vector<CLI::Option*> transfer_flags_;
  CLI::Option* verify_rounds_ = nullptr;
  CLI::Option* sign_threshold_ = nullptr;
};

[[nodiscard]] Json to_json(const nn::UpdateOptions& options);

}  // namespace xbar::cli
