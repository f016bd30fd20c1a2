#pragma once

/// What stands in for the circuit, and how well it has to.

#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <xbar/mapping/certificate.hpp>
#include <xbar/mapping/technology.hpp>
#include <xbar/surrogate/model_kind.hpp>

namespace xbar::cli {

/// How the arrays of a network are computed.
struct SurrogateSettings {
  surrogate::ModelKind model = surrogate::ModelKind::exact;  ///< at the beginning
  int refresh = 20;
  mapping::CertificateOptions certificate{};
};

/// --surrogate, --tolerance, --calibration and, for training, --refresh.
struct SurrogateFlags {
  explicit SurrogateFlags(std::string standard) : surrogate(std::move(standard)) {}

  std::string surrogate;  ///< a member's name, or "auto": the cheapest that will do
  double tolerance = default_tolerance;
  std::string calibration;  ///< table to choose from; empty: by measuring

  static constexpr double default_tolerance = 1e-3;

  void add(CLI::App& app);
  void add_refresh(CLI::App& app);
  /// For arrays of each technology.
  /// @throws InvalidArgument naming the flag; for a table that does not cover a technology
  [[nodiscard]] std::vector<SurrogateSettings> settings(
      const std::vector<mapping::Technology>& technologies) const;

 private:
  int refresh_ = 20;
  CLI::Option* tolerance_option_ = nullptr;
  CLI::Option* refresh_option_ = nullptr;
};

}  // namespace xbar::cli
