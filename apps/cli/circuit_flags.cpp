#include "circuit_flags.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include <xbar/core/array_file.hpp>
#include <xbar/core/error.hpp>

#include "flags.hpp"

namespace xbar::cli {
namespace {

constexpr double open = std::numeric_limits<double>::infinity();
constexpr const char* help_group = "Circuit";

std::optional<Index> as_index(std::string_view text) {
  const auto index = as_number<Index>(text);
  return index && *index >= 0 ? index : std::nullopt;
}

struct Range {
  Index first = 0;
  Index last = 0;
};

// "3" or "8-15".
std::optional<Range> as_range(std::string_view text) {
  const std::size_t dash = text.find('-');
  const auto first = as_index(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : as_index(text.substr(dash + 1));
  if (!first || !last || *first > *last) return std::nullopt;
  return Range{*first, *last};
}

struct Place {
  Index i = 0;
  Index j = 0;
};

// "3,17".
std::optional<Place> as_place(std::string_view text) {
  const std::size_t comma = text.find(',');
  if (comma == std::string_view::npos) return std::nullopt;
  const auto i = as_index(text.substr(0, comma));
  const auto j = as_index(text.substr(comma + 1));
  if (!i || !j) return std::nullopt;
  return Place{*i, *j};
}

// What the terminals of unselected lines are at.
struct Level {
  bool floating = false;
  double volt = 0;
  double share = 0;  // of the largest selected wordline voltage
};

std::optional<Level> as_level(std::string_view text) {
  if (text == "grounded") return Level{};
  if (text == "floating") return Level{.floating = true};
  if (text == "V/2" || text == "v/2") return Level{.share = 1.0 / 2};
  if (text == "V/3" || text == "v/3") return Level{.share = 1.0 / 3};
  if (text == "2V/3" || text == "2v/3") return Level{.share = 2.0 / 3};
  const auto volt = as_number<double>(text);
  if (!volt || !std::isfinite(*volt)) return std::nullopt;
  return Level{.volt = *volt};
}

bool is_array_file(std::string_view text) {
  return text.ends_with(".npy") || text.ends_with(".csv");
}

// The checks return what is wrong with the text of a flag, or nothing; CLI11 puts the flag before.

std::string check_resistance(const std::string& text) {
  if (const auto ohm = as_number<double>(text)) {
    if (*ohm >= 0 && std::isfinite(*ohm)) return "";
    return fmt::format("expected a finite resistance >= 0 ohm, got {}", text);
  }
  if (is_array_file(text)) return "";
  return fmt::format("expected a number or a file, .npy or .csv, got '{}'", text);
}

std::string check_range(const std::string& text) {
  if (as_range(text)) return "";
  return fmt::format("expected indices like 0,3,8-15, got '{}'", text);
}

std::string check_place(const std::string& text) {
  if (as_place(text)) return "";
  return fmt::format("expected two indices I,J, got '{}'", text);
}

std::string check_level(const std::string& text) {
  if (as_level(text)) return "";
  return fmt::format("expected grounded, floating, a voltage, V/2, V/3 or 2V/3, got '{}'", text);
}

std::string check_no_voltage(const std::string& text) {
  const auto level = as_level(text);
  if (level && level->volt == 0 && level->share == 0) return "";
  return fmt::format("expected grounded or floating, got '{}'", text);
}

Matrix read_resistance(std::string_view flag, const std::string& path) {
  Matrix ohm = read_array(path).values;
  for (Index i = 0; i < ohm.rows(); ++i) {
    for (Index j = 0; j < ohm.cols(); ++j) {
      if (ohm(i, j) >= 0) continue;
      throw InvalidArgument(fmt::format("{} {}: expected resistances >= 0 ohm, got {} at ({}, {})",
                                        flag, path, ohm(i, j), i, j));
    }
  }
  return ohm;
}

bool is_list(const Matrix& values, Index count) {
  return values.size() == count && (values.rows() == 1 || values.cols() == 1);
}

// One resistance for the terminal of each line, from a number or a file.
Vector terminal_ohm(std::string_view flag, const std::string& text, std::string_view line,
                    Index lines) {
  if (const auto ohm = as_number<double>(text)) return Vector::Constant(lines, *ohm);
  const Matrix ohm = read_resistance(flag, text);
  if (!is_list(ohm, lines)) {
    throw InvalidArgument(fmt::format("{} {}: expected {} values, one a {}, got {} x {}", flag,
                                      text, lines, line, ohm.rows(), ohm.cols()));
  }
  return ohm.reshaped();
}

Matrix wordline_segments_ohm(const std::string& text, Index m, Index n) {
  if (const auto ohm = as_number<double>(text)) return Matrix::Constant(1, 1, *ohm);
  Matrix ohm = read_resistance("--wordline-ohm", text);
  if (ohm.rows() == m && ohm.cols() == n - 1) return ohm;
  if (is_list(ohm, m)) return ohm.reshaped(m, 1);
  throw InvalidArgument(
      fmt::format("--wordline-ohm {}: expected {} values, one a wordline, or {} x {}, one a "
                  "segment, got {} x {}",
                  text, m, m, n - 1, ohm.rows(), ohm.cols()));
}

Matrix bitline_segments_ohm(const std::string& text, Index m, Index n) {
  if (const auto ohm = as_number<double>(text)) return Matrix::Constant(1, 1, *ohm);
  Matrix ohm = read_resistance("--bitline-ohm", text);
  if (ohm.rows() == m - 1 && ohm.cols() == n) return ohm;
  if (is_list(ohm, n)) return ohm.reshaped(1, n);
  throw InvalidArgument(
      fmt::format("--bitline-ohm {}: expected {} values, one a bitline, or {} x {}, one a "
                  "segment, got {} x {}",
                  text, n, m - 1, n, ohm.rows(), ohm.cols()));
}

std::vector<bool> selected_lines(std::string_view flag, const std::vector<std::string>& ranges,
                                 Index lines) {
  std::vector<bool> selected(static_cast<std::size_t>(lines), ranges.empty());
  for (const std::string& text : ranges) {
    const Range range = *as_range(text);
    if (range.last >= lines) {
      throw InvalidArgument(
          fmt::format("{}: expected indices below {}, got {}", flag, lines, text));
    }
    for (Index k = range.first; k <= range.last; ++k) selected[static_cast<std::size_t>(k)] = true;
  }
  return selected;
}

// Takes the terminals off the lines that are not selected.
void disconnect(const std::vector<bool>& selected, Vector& first, Vector& second) {
  for (std::size_t k = 0; k < selected.size(); ++k) {
    if (!selected[k]) first(static_cast<Index>(k)) = second(static_cast<Index>(k)) = open;
  }
}

std::vector<Place> places(std::string_view flag, const std::vector<std::string>& texts, Index rows,
                          Index columns) {
  std::vector<Place> result;
  for (const std::string& text : texts) {
    const Place place = *as_place(text);
    if (place.i >= rows || place.j >= columns) {
      throw InvalidArgument(fmt::format("{}: expected I,J with I < {} and J < {}, got {}", flag,
                                        rows, columns, text));
    }
    result.push_back(place);
  }
  return result;
}

void break_segments(Matrix& segments_ohm, const std::vector<Place>& broken, Index rows,
                    Index columns) {
  if (broken.empty()) return;
  segments_ohm =
      Matrix(segments_ohm.replicate(rows / segments_ohm.rows(), columns / segments_ohm.cols()));
  for (const Place& place : broken) segments_ohm(place.i, place.j) = open;
}

}  // namespace

Matrix read_conductance(const std::string& path) {
  Matrix conductance = read_array(path).values;
  for (Index i = 0; i < conductance.rows(); ++i) {
    for (Index j = 0; j < conductance.cols(); ++j) {
      if (conductance(i, j) >= 0 && conductance(i, j) < open) continue;
      throw InvalidArgument(fmt::format(
          "{}: expected finite conductances >= 0 siemens, got {} at wordline {}, bitline {}{}",
          path, conductance(i, j), i, j,
          conductance(i, j) == open ? fmt::format("; a shorted cell is --shorted-cell {},{}", i, j)
                                    : ""));
    }
  }
  return conductance;
}

CLI::Option* add_input_vector_flag(CLI::App& app, std::string& path) {
  return app.add_option("--voltage", path, "one input vector, m, volt")->type_name("FILE");
}

Matrix read_input_vector(const std::string& path) {
  Matrix voltage = read_array(path).values;
  if (voltage.cols() != 1) {
    throw InvalidArgument(
        fmt::format("{}: expected one input vector, got {}", path, voltage.cols()));
  }
  return voltage;
}

void CircuitFlags::add(CLI::App& app, Unselected unselected) {
  const auto resistance = [&](const std::string& flag, std::string& text, const std::string& help) {
    app.add_option(flag, text, help)
        ->type_name("OHM|FILE")
        ->check(check_resistance)
        ->group(help_group);
  };
  resistance("--source-ohm", source_,
             "driver resistance of a wordline, ohm; FILE: m values, inf is not connected");
  resistance("--sink-ohm", sink_,
             "sense resistance of a bitline, ohm; FILE: n values, inf is not connected");
  resistance("--wordline-ohm", wordline_,
             "wordline resistance from cell to cell, ohm; FILE: m values or m x (n-1), inf is "
             "broken");
  resistance("--bitline-ohm", bitline_,
             "bitline resistance from cell to cell, ohm; FILE: n values or (m-1) x n, inf is "
             "broken");
  const auto text = [&](const std::string& flag, std::string& value, const std::string& help) {
    circuit_only_.push_back(app.add_option(flag, value, help)->group(help_group));
    return circuit_only_.back();
  };
  text("--drive", drive_, "driven ends of the wordlines: left, right or both")
      ->type_name("left|right|both");
  text("--sense", sense_, "sensed ends of the bitlines: bottom, top or both")
      ->type_name("bottom|top|both");
  const auto selection = [&](const std::string& lines, Selection& value) {
    circuit_only_.push_back(app.add_option("--selected-" + lines, value.selected,
                                           "indices like 0,3,8-15; default: all " + lines)
                                ->type_name("LIST")
                                ->delimiter(',')
                                ->allow_extra_args(false)
                                ->default_str("")
                                ->check(check_range)
                                ->group(help_group));
    const bool any = unselected == Unselected::any;
    text("--unselected-" + lines, value.unselected,
         any ? "terminals of the other " + lines +
                   ": grounded, floating, a voltage, V/2, V/3 or 2V/3 (V: the largest "
                   "selected wordline voltage)"
             : "terminals of the other " + lines + ": grounded or floating")
        ->check(any ? check_level : check_no_voltage);
  };
  selection("wordlines", wordlines_);
  selection("bitlines", bitlines_);
  add_faults(app);
}

void CircuitFlags::add_faults(CLI::App& app) {
  const auto places = [&](const std::string& flag, std::vector<std::string>& value,
                          const std::string& help) {
    return app.add_option(flag, value, help)
        ->type_name("I,J")
        ->allow_extra_args(false)
        ->default_str("")
        ->check(check_place)
        ->group(help_group);
  };
  // A surrogate knows an open cell, too: its conductance is 0.
  places("--open-cell", open_cells_, "cell that does not conduct; as often as needed");
  circuit_only_.push_back(
      places("--shorted-cell", shorted_cells_, "cell without resistance; as often as needed"));
  circuit_only_.push_back(
      places("--broken-wordline", broken_wordlines_,
             "wordline I broken between bitlines J and J+1; as often as needed"));
  circuit_only_.push_back(
      places("--broken-bitline", broken_bitlines_,
             "bitline J broken between wordlines I and I+1; as often as needed"));
}

solver::Circuit CircuitFlags::circuit(Matrix conductance, Terminals terminals) const {
  const Index m = conductance.rows();
  const Index n = conductance.cols();
  // Ends in use are at 0 ohm, the others at infinity; adding the resistances leaves those as
  // they are.
  solver::Circuit circuit =
      solver::make_circuit(std::move(conductance), {}, solver::parse_drive_ends(drive_),
                           solver::parse_sense_ends(sense_));
  const bool swap = terminals == Terminals::swap;
  if (swap) {
    for (const auto& [flag, text] : {std::pair{"--source-ohm", source_}, {"--sink-ohm", sink_}}) {
      if (as_number<double>(text)) continue;
      throw InvalidArgument(
          fmt::format("--terminals swap: expected one number for {}, got {}", flag, text));
    }
  }
  const Vector source = terminal_ohm("--source-ohm", swap ? sink_ : source_, "wordline", m);
  const Vector sink = terminal_ohm("--sink-ohm", swap ? source_ : sink_, "bitline", n);
  circuit.left_ohm += source;
  circuit.right_ohm += source;
  circuit.top_ohm += sink;
  circuit.bottom_ohm += sink;
  circuit.wordline_ohm = wordline_segments_ohm(wordline_, m, n);
  circuit.bitline_ohm = bitline_segments_ohm(bitline_, m, n);

  const auto select = [](const char* selected_flag, const char* unselected_flag,
                         const Selection& lines, Index count, Vector& first, Vector& second) {
    if (lines.selected.empty() && lines.unselected != "grounded") {
      throw InvalidArgument(fmt::format("{} {}: expected together with {}", unselected_flag,
                                        lines.unselected, selected_flag));
    }
    const std::vector<bool> selected = selected_lines(selected_flag, lines.selected, count);
    if (as_level(lines.unselected)->floating) disconnect(selected, first, second);
  };
  select("--selected-wordlines", "--unselected-wordlines", wordlines_, m, circuit.left_ohm,
         circuit.right_ohm);
  select("--selected-bitlines", "--unselected-bitlines", bitlines_, n, circuit.top_ohm,
         circuit.bottom_ohm);

  for (const Place& cell : places("--shorted-cell", shorted_cells_, m, n)) {
    circuit.conductance(cell.i, cell.j) = open;
  }
  for (const Place& cell : places("--open-cell", open_cells_, m, n)) {
    double& g = circuit.conductance(cell.i, cell.j);
    if (g == open) {
      throw InvalidArgument(fmt::format(
          "--open-cell: expected a cell that is not a --shorted-cell as well, got {},{}", cell.i,
          cell.j));
    }
    g = 0;
  }
  break_segments(circuit.wordline_ohm, places("--broken-wordline", broken_wordlines_, m, n - 1), m,
                 n - 1);
  break_segments(circuit.bitline_ohm, places("--broken-bitline", broken_bitlines_, m - 1, n), m - 1,
                 n);
  return circuit;
}

solver::TerminalVoltage CircuitFlags::terminal_voltage(const Matrix& voltage,
                                                       const solver::Circuit& circuit) const {
  const Index m = circuit.wordlines();
  const Index n = circuit.bitlines();
  solver::TerminalVoltage result{voltage, {}};
  solver::check_voltage(result, m, n);
  const auto selected_wordlines = selected_lines("--selected-wordlines", wordlines_.selected, m);
  const auto selected_bitlines = selected_lines("--selected-bitlines", bitlines_.selected, n);
  const Level wordline_level = *as_level(wordlines_.unselected);
  const Level bitline_level = *as_level(bitlines_.unselected);
  const bool biased = bitline_level.volt != 0 || bitline_level.share != 0;
  if (biased) result.bitline = Matrix::Zero(n, voltage.cols());
  for (Index k = 0; k < voltage.cols(); ++k) {
    double largest = 0;
    for (Index i = 0; i < m; ++i) {
      if (selected_wordlines[static_cast<std::size_t>(i)] &&
          std::abs(voltage(i, k)) > std::abs(largest)) {
        largest = voltage(i, k);
      }
    }
    const auto hold = [&](const std::vector<bool>& selected, const Level& level, Matrix& lines) {
      for (std::size_t line = 0; line < selected.size(); ++line) {
        if (selected[line]) continue;
        lines(static_cast<Index>(line), k) = level.volt + level.share * largest;
      }
    };
    hold(selected_wordlines, wordline_level, result.wordline);
    if (biased) hold(selected_bitlines, bitline_level, result.bitline);
  }
  return result;
}

WireResistance CircuitFlags::plain_wires(const std::string& model) const {
  const auto number = [&](std::string_view flag, const std::string& text) {
    if (const auto ohm = as_number<double>(text)) return *ohm;
    throw InvalidArgument(
        fmt::format("--model {}: expected one number for {}, got {}", model, flag, text));
  };
  for (const CLI::Option* option : circuit_only_) {
    if (option->count() == 0 ||
        fmt::format("{}", fmt::join(option->results(), ",")) == option->get_default_str()) {
      continue;
    }
    throw InvalidArgument(fmt::format("--model {}: expected no {}, which only --model exact takes",
                                      model, option->get_name()));
  }
  return {number("--source-ohm", source_), number("--sink-ohm", sink_),
          number("--wordline-ohm", wordline_), number("--bitline-ohm", bitline_)};
}

}  // namespace xbar::cli
