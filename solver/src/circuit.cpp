#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/isa.hpp>
#include <xbar/solver/circuit.hpp>

#include "conductance_sum.hpp"
#include "line_kernels.hpp"

namespace xbar::solver {
namespace {

constexpr double open = std::numeric_limits<double>::infinity();

void check_shape(std::string_view name, const Matrix& values, Index lines, Index segments,
                 bool lines_are_rows) {
  const Index rows = values.rows();
  const Index columns = values.cols();
  const bool all = rows == 1 && columns == 1;
  const bool one_a_line =
      lines_are_rows ? rows == lines && columns == 1 : rows == 1 && columns == lines;
  const bool each =
      lines_are_rows ? rows == lines && columns == segments : rows == segments && columns == lines;
  if (all || one_a_line || each) return;
  const std::string per_line =
      lines_are_rows ? fmt::format("{} x 1", lines) : fmt::format("1 x {}", lines);
  const std::string per_segment = lines_are_rows ? fmt::format("{} x {}", lines, segments)
                                                 : fmt::format("{} x {}", segments, lines);
  throw InvalidArgument(
      fmt::format("{}: expected one value, {} (one a line) or {} (one a segment), got {} x {}",
                  name, per_line, per_segment, rows, columns));
}

void check_values(std::string_view name, const double* values, Index count, Index columns) {
  for (Index e = 0; e < count; ++e) {
    if (!(values[e] >= 0)) {
      throw InvalidArgument(
          columns > 1 ? fmt::format("{}: expected values >= 0, got {} at ({}, {})", name, values[e],
                                    e / columns, e % columns)
                      : fmt::format("{}: expected values >= 0, got {} at {}", name, values[e], e));
    }
  }
}

void check_terminal(std::string_view name, const Vector& values, Index lines) {
  if (values.size() != lines) {
    throw InvalidArgument(
        fmt::format("{}: expected {} values, one a line, got {}", name, lines, values.size()));
  }
  check_values(name, values.data(), values.size(), 1);
}

bool any_infinite(const Matrix& values) { return !(values.array() < open).all(); }

// The first node without a path to a terminal, as "wordline node (i,j)".
std::optional<std::string> floating_node(const Circuit& circuit) {
  const Index m = circuit.wordlines();
  const Index n = circuit.bitlines();
  const Index cells = m * n;  // u(i,j) is i * n + j, w(i,j) is cells + i * n + j
  std::vector<bool> reached(static_cast<std::size_t>(2 * cells), false);
  std::vector<Index> open_ends;
  const auto reach = [&](Index node) {
    if (reached[static_cast<std::size_t>(node)]) return;
    reached[static_cast<std::size_t>(node)] = true;
    open_ends.push_back(node);
  };
  for (Index i = 0; i < m; ++i) {
    if (circuit.left_ohm(i) < open) reach(i * n);
    if (circuit.right_ohm(i) < open) reach(i * n + n - 1);
  }
  for (Index j = 0; j < n; ++j) {
    if (circuit.top_ohm(j) < open) reach(cells + j);
    if (circuit.bottom_ohm(j) < open) reach(cells + (m - 1) * n + j);
  }
  while (!open_ends.empty()) {
    const Index node = open_ends.back();
    open_ends.pop_back();
    const bool on_wordline = node < cells;
    const Index e = on_wordline ? node : node - cells;
    const Index i = e / n;
    const Index j = e % n;
    if (circuit.conductance(i, j) > 0) reach(on_wordline ? e + cells : e);
    if (on_wordline) {
      if (j > 0 && circuit.wordline_segment_ohm(i, j - 1) < open) reach(node - 1);
      if (j + 1 < n && circuit.wordline_segment_ohm(i, j) < open) reach(node + 1);
    } else {
      if (i > 0 && circuit.bitline_segment_ohm(i - 1, j) < open) reach(node - n);
      if (i + 1 < m && circuit.bitline_segment_ohm(i, j) < open) reach(node + n);
    }
  }
  for (Index node = 0; node < 2 * cells; ++node) {
    if (reached[static_cast<std::size_t>(node)]) continue;
    const Index e = node % cells;
    return fmt::format("{} node ({},{})", node < cells ? "wordline" : "bitline", e / n, e % n);
  }
  return std::nullopt;
}

}  // namespace

DriveEnds parse_drive_ends(std::string_view name) {
  if (name == "left") return DriveEnds::left;
  if (name == "right") return DriveEnds::right;
  if (name == "both") return DriveEnds::both;
  throw InvalidArgument(fmt::format("drive: expected left, right or both, got '{}'", name));
}

SenseEnds parse_sense_ends(std::string_view name) {
  if (name == "bottom") return SenseEnds::bottom;
  if (name == "top") return SenseEnds::top;
  if (name == "both") return SenseEnds::both;
  throw InvalidArgument(fmt::format("sense: expected bottom, top or both, got '{}'", name));
}

Circuit make_circuit(Matrix conductance, const WireResistance& wires, DriveEnds drive,
                     SenseEnds sense) {
  check_wires(wires);
  Circuit circuit;
  circuit.conductance = std::move(conductance);
  const Index m = circuit.wordlines();
  const Index n = circuit.bitlines();
  circuit.wordline_ohm = Matrix::Constant(1, 1, wires.wordline_ohm);
  circuit.bitline_ohm = Matrix::Constant(1, 1, wires.bitline_ohm);
  const auto terminal = [](Index count, double ohm, bool used) {
    return Vector::Constant(count, used ? ohm : open);
  };
  circuit.left_ohm = terminal(m, wires.source_ohm, drive != DriveEnds::right);
  circuit.right_ohm = terminal(m, wires.source_ohm, drive != DriveEnds::left);
  circuit.top_ohm = terminal(n, wires.sink_ohm, sense != SenseEnds::bottom);
  circuit.bottom_ohm = terminal(n, wires.sink_ohm, sense != SenseEnds::top);
  return circuit;
}

Circuit transposed_circuit(const Circuit& circuit) {
  Circuit result;
  result.conductance = circuit.conductance.transpose().reverse();
  result.wordline_ohm = circuit.bitline_ohm.transpose().reverse();
  result.bitline_ohm = circuit.wordline_ohm.transpose().reverse();
  result.left_ohm = circuit.bottom_ohm.reverse();
  result.right_ohm = circuit.top_ohm.reverse();
  result.bottom_ohm = circuit.left_ohm.reverse();
  result.top_ohm = circuit.right_ohm.reverse();
  return result;
}

bool cannot_float(const Circuit& circuit) {
  const auto has_terminals = [](const Vector& one, const Vector& other) {
    return (one.cwiseMin(other).array() < open).all();
  };
  return !any_infinite(circuit.wordline_ohm) && !any_infinite(circuit.bitline_ohm) &&
         has_terminals(circuit.left_ohm, circuit.right_ohm) &&
         has_terminals(circuit.top_ohm, circuit.bottom_ohm);
}

double conductance_sum(const Matrix& conductance) {
  return XBAR_DISPATCH(::xbar::solver, sum_nonnegative)(conductance.size(), conductance.data());
}

void check_circuit(const Circuit& circuit) {
  const Index m = circuit.wordlines();
  const Index n = circuit.bitlines();
  if (circuit.conductance.size() == 0) {
    throw InvalidArgument(fmt::format("conductance: expected at least 1 x 1, got {} x {}", m, n));
  }
  // One pass that vectorises for the usual case, the culprit is looked for afterwards.
  if (!(conductance_sum(circuit.conductance) >= 0)) {
    for (Index e = 0; e < m * n; ++e) {
      const double g = circuit.conductance.data()[e];
      if (g >= 0) continue;
      throw InvalidArgument(fmt::format(
          "conductance: expected values >= 0 siemens, got {} at wordline {}, bitline {}", g, e / n,
          e % n));
    }
  }
  check_shape("wordline_ohm", circuit.wordline_ohm, m, n - 1, true);
  check_shape("bitline_ohm", circuit.bitline_ohm, n, m - 1, false);
  check_values("wordline_ohm", circuit.wordline_ohm.data(), circuit.wordline_ohm.size(),
               circuit.wordline_ohm.cols());
  check_values("bitline_ohm", circuit.bitline_ohm.data(), circuit.bitline_ohm.size(),
               circuit.bitline_ohm.cols());
  check_terminal("left_ohm", circuit.left_ohm, m);
  check_terminal("right_ohm", circuit.right_ohm, m);
  check_terminal("top_ohm", circuit.top_ohm, n);
  check_terminal("bottom_ohm", circuit.bottom_ohm, n);
  if (cannot_float(circuit)) return;
  if (const auto node = floating_node(circuit)) {
    throw InvalidArgument(fmt::format(
        "circuit: {} is in a floating part, no conducting path joins it to a terminal; expected "
        "every node to have one",
        *node));
  }
}

void check_voltage(const TerminalVoltage& voltage, Index num_wordlines, Index num_bitlines) {
  const auto check = [](std::string_view name, std::string_view line, const Matrix& values,
                        Index lines) {
    if (values.rows() != lines) {
      throw InvalidArgument(
          fmt::format("{}: expected {} rows, one a {} of the conductance, got {} x {}", name, lines,
                      line, values.rows(), values.cols()));
    }
    if (values.cols() == 0) {
      throw InvalidArgument(fmt::format("{}: expected at least one input vector, got p = 0", name));
    }
    for (Index i = 0; i < values.rows(); ++i) {
      for (Index k = 0; k < values.cols(); ++k) {
        if (std::isfinite(values(i, k))) continue;
        throw InvalidArgument(fmt::format("{}: expected finite values, got {} at {} {}, input {}",
                                          name, values(i, k), line, i, k));
      }
    }
  };
  check("voltage", "wordline", voltage.wordline, num_wordlines);
  if (voltage.bitline.size() == 0) return;
  check("bitline_voltage", "bitline", voltage.bitline, num_bitlines);
  if (voltage.bitline.cols() != voltage.wordline.cols()) {
    throw InvalidArgument(
        fmt::format("bitline_voltage: expected {} input vectors like voltage, got {}",
                    voltage.wordline.cols(), voltage.bitline.cols()));
  }
}

}  // namespace xbar::solver
