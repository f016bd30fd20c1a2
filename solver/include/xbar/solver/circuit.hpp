#pragma once

/// The circuit of one array: cells, wires, terminals and faults.

#include <string>

#include <xbar/core/matrix.hpp>
#include <xbar/core/read.hpp>
#include <xbar/core/wires.hpp>

namespace xbar::solver {

/// One array as it is wired. m wordlines cross n bitlines; cell (i,j) joins the wordline node
/// u(i,j) to the bitline node w(i,j):
///
///     V(i) -- left_ohm(i) -- u(i,0) -- wordline_ohm -- ... -- u(i,n-1) -- right_ohm(i) -- V(i)
///     B(j) -- top_ohm(j) -- w(0,j) -- bitline_ohm -- ... -- w(m-1,j) -- bottom_ohm(j) -- B(j)
///
/// V(i) and B(j) are the terminal voltages (TerminalVoltage); a sensed bitline has B(j) = 0, the
/// virtual ground. A resistance of exactly 0 merges the nodes it joins. A resistance of infinity is
/// not there: a terminal that is not connected, a broken line segment. A conductance of 0 is an
/// open cell, a conductance of infinity a shorted one.
struct Circuit {
  Matrix conductance;  ///< G, m x n, siemens
  /// Segment u(i,j) -- u(i,j+1), ohm: 1 x 1 (all), m x 1 (one a wordline) or m x (n-1) (each).
  Matrix wordline_ohm;
  /// Segment w(i,j) -- w(i+1,j), ohm: 1 x 1 (all), 1 x n (one a bitline) or (m-1) x n (each).
  Matrix bitline_ohm;
  Vector left_ohm;    ///< m
  Vector right_ohm;   ///< m
  Vector top_ohm;     ///< n
  Vector bottom_ohm;  ///< n

  [[nodiscard]] Index wordlines() const { return conductance.rows(); }
  [[nodiscard]] Index bitlines() const { return conductance.cols(); }
  /// Resistance between u(i,j) and u(i,j+1).
  [[nodiscard]] double wordline_segment_ohm(Index i, Index j) const {
    return wordline_ohm(wordline_ohm.rows() == 1 ? 0 : i, wordline_ohm.cols() == 1 ? 0 : j);
  }
  /// Resistance between w(i,j) and w(i+1,j).
  [[nodiscard]] double bitline_segment_ohm(Index i, Index j) const {
    return bitline_ohm(bitline_ohm.rows() == 1 ? 0 : i, bitline_ohm.cols() == 1 ? 0 : j);
  }
};

/// The ends at which the wordlines are driven.
enum class DriveEnds { left, right, both };
/// The ends at which the bitlines are sensed.
enum class SenseEnds { bottom, top, both };

/// @throws InvalidArgument for any other name
[[nodiscard]] DriveEnds parse_drive_ends(std::string_view name);
[[nodiscard]] SenseEnds parse_sense_ends(std::string_view name);

/// The circuit with the same resistances on all lines; unused ends are open.
[[nodiscard]] Circuit make_circuit(Matrix conductance, const WireResistance& wires,
                                   DriveEnds drive = DriveEnds::left,
                                   SenseEnds sense = SenseEnds::bottom);

/// The circuit read from the bitlines: wordlines and bitlines change places and both index orders
/// are reversed, so that the former bottom ends are the new left ends:
///   G'(n-1-j, m-1-i) = G(i,j), left' = bottom, right' = top, bottom' = left, top' = right.
/// Each terminal keeps its resistor.
[[nodiscard]] Circuit transposed_circuit(const Circuit& circuit);

/// Whether all segments are finite and every line has a terminal: then no part can float.
[[nodiscard]] bool cannot_float(const Circuit& circuit);

/// @throws InvalidArgument if a shape does not fit, a value is negative or NaN, or if some node has
/// no path to any terminal, naming the entry or the node.
void check_circuit(const Circuit& circuit);

/// Voltages of the terminals for p input vectors.
struct TerminalVoltage {
  Matrix wordline;  ///< V, m x p, volt; rows of wordlines without a terminal have no effect
  Matrix bitline;   ///< B, n x p, volt; empty: all 0 (virtual ground)

  [[nodiscard]] Index inputs() const { return wordline.cols(); }
  [[nodiscard]] Vector bitline_input(Index k, Index num_bitlines) const {
    return bitline.size() == 0 ? Vector::Zero(num_bitlines) : Vector(bitline.col(k));
  }
};

/// @throws InvalidArgument if V is not m x p, B neither empty nor n x p, p is 0 or an entry is not
/// finite; names the entry.
void check_voltage(const TerminalVoltage& voltage, Index num_wordlines, Index num_bitlines);

}  // namespace xbar::solver
