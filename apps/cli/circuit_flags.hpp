#pragma once

/// The array with its faults, and how its lines are held: the flags of solve, effective and spice.

#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <xbar/core/matrix.hpp>
#include <xbar/core/read.hpp>
#include <xbar/core/wires.hpp>
#include <xbar/solver/circuit.hpp>

namespace xbar::cli {

/// Conductances from a file, m x n. Infinite ones are refused: a shorted cell is a flag.
/// @throws IoError; InvalidArgument naming the file and the entry
[[nodiscard]] Matrix read_conductance(const std::string& path);

/// --voltage of the commands that take one input vector. @return for Command::require
CLI::Option* add_input_vector_flag(CLI::App& app, std::string& path);

/// What it names, m x 1, volt.
/// @throws IoError; InvalidArgument naming the file if there are several
[[nodiscard]] Matrix read_input_vector(const std::string& path);

/// Resistances as numbers or files, driven and sensed ends, selected lines, faults.
class CircuitFlags {
 public:
  /// What --unselected-wordlines and --unselected-bitlines may say.
  enum class Unselected {
    any,         ///< grounded, floating or a voltage
    no_voltage,  ///< grounded or floating, for commands that do not ask for inputs
  };
  void add(CLI::App& app, Unselected unselected);

  /// The circuit around `conductance`. In a read with Terminals::swap, drivers and sense amplifiers
  /// have changed places, and their resistances with them; that takes plain numbers.
  /// @throws InvalidArgument naming the flag: index out of range, wrong shape or value in a file
  [[nodiscard]] solver::Circuit circuit(Matrix conductance,
                                        Terminals terminals = Terminals::keep) const;

  /// Voltages of all terminals from those of the selected wordlines: `voltage` is m x p, its other
  /// rows are replaced by what --unselected-wordlines says.
  /// @throws InvalidArgument as solver::check_voltage
  [[nodiscard]] solver::TerminalVoltage terminal_voltage(const Matrix& voltage,
                                                         const solver::Circuit& circuit) const;

  /// The four resistances, for a model that knows nothing else.
  /// @throws InvalidArgument naming the flag that says more than that
  [[nodiscard]] WireResistance plain_wires(const std::string& model) const;

  /// Driven at the left and sensed at the bottom, as docs/conventions.md draws it.
  [[nodiscard]] bool usual_ends() const { return drive_ == "left" && sense_ == "bottom"; }

 private:
  /// The selected lines of one kind, and what the others are held at.
  struct Selection {
    std::vector<std::string> selected;  ///< "0", "8-15"; empty: all lines
    std::string unselected = "grounded";
  };

  void add_faults(CLI::App& app);

  std::string source_ = "0";
  std::string sink_ = "0";
  std::string wordline_ = "0";
  std::string bitline_ = "0";
  std::string drive_ = "left";
  std::string sense_ = "bottom";
  Selection wordlines_;
  Selection bitlines_;
  std::vector<std::string> open_cells_;
  std::vector<std::string> shorted_cells_;
  std::vector<std::string> broken_wordlines_;
  std::vector<std::string> broken_bitlines_;
  /// What only a circuit can express.
  std::vector<CLI::Option*> circuit_only_;
};

}  // namespace xbar::cli
