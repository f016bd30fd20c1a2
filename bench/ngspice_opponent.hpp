#pragma once

/// The opponent of bench_solver that everyone has: ngspice, as a whole process.

#include <filesystem>
#include <string>

#include <xbar/core/matrix.hpp>

namespace xbar_bench {

[[nodiscard]] bool have_ngspice();

/// A netlist of xbar::solver::spice_netlist() in a folder of its own, which goes with the object.
class NgspiceOpponent {
 public:
  explicit NgspiceOpponent(const std::string& netlist);
  ~NgspiceOpponent();
  NgspiceOpponent(const NgspiceOpponent&) = delete;
  NgspiceOpponent& operator=(const NgspiceOpponent&) = delete;

  /// Starts ngspice, which reads, solves and prints, and waits for its end.
  void run() const;
  /// What the last run() printed, ampere; NaN where it printed nothing.
  [[nodiscard]] xbar::Vector currents(xbar::Index num_bitlines) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace xbar_bench
