// I = G f(v), f the monotone piecewise cubic through the rows of a table, with the slopes of
// Fritsch and Butland (1984): the weighted harmonic mean of the two neighbouring secants, 0 at an
// extremum; at the ends the secant. Beyond the ends f goes on straight. Written out here rather
// than taken from Boost.Math, whose pchip searches the table once for the value and once for the
// derivative.

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <xbar/core/error.hpp>

#include "../cell_kind.hpp"
#include "spice_line.hpp"

namespace xbar::device {
namespace {

constexpr Index fewest_rows = 3;

// Values and slopes: far beyond every measurement, and what is made of them stays finite.
constexpr double largest = 1e100;

void check_table(const Matrix& table, const std::string& name) {
  if (table.cols() != 2 || table.rows() < fewest_rows) {
    throw InvalidArgument(fmt::format(
        "{}: expected two columns (volt, ampere per siemens) and at least {} rows, got {} x {}",
        name, fewest_rows, table.rows(), table.cols()));
  }
  bool origin = false;
  for (Index k = 0; k < table.rows(); ++k) {
    if (!(std::abs(table(k, 0)) <= largest) || !(std::abs(table(k, 1)) <= largest)) {
      throw InvalidArgument(fmt::format("{}: expected finite values up to {}, got {}, {} in row {}",
                                        name, largest, table(k, 0), table(k, 1), k));
    }
    origin = origin || (table(k, 0) == 0 && table(k, 1) == 0);
    if (k == 0) continue;
    if (!(table(k, 0) > table(k - 1, 0))) {
      throw InvalidArgument(fmt::format("{}: expected rising voltages, got {} after {} in row {}",
                                        name, table(k, 0), table(k - 1, 0), k));
    }
    if (!(table(k, 1) >= table(k - 1, 1))) {
      throw InvalidArgument(
          fmt::format("{}: expected currents that do not fall, got {} after {} in row {}", name,
                      table(k, 1), table(k - 1, 1), k));
    }
    const double slope = (table(k, 1) - table(k - 1, 1)) / (table(k, 0) - table(k - 1, 0));
    if (!(slope <= largest)) {
      throw InvalidArgument(fmt::format("{}: expected slopes up to {}, got {} before row {}", name,
                                        largest, slope, k));
    }
  }
  if (!origin) {
    throw InvalidArgument(fmt::format("{}: expected the row 0, 0, found none", name));
  }
}

class TableCell final : public CellModel {
 public:
  explicit TableCell(const Matrix& table)
      : volt_(table.col(0)), value_(table.col(1)), slope_(table.rows()) {
    const Index last = table.rows() - 1;
    const auto step = [&](Index k) { return volt_(k + 1) - volt_(k); };
    const auto secant = [&](Index k) { return (value_(k + 1) - value_(k)) / step(k); };
    slope_(0) = secant(0);
    slope_(last) = secant(last - 1);
    for (Index k = 1; k < last; ++k) {
      const double before = secant(k - 1);
      const double behind = secant(k);
      const double near_before = 2 * step(k) + step(k - 1);
      const double near_behind = step(k) + 2 * step(k - 1);
      slope_(k) = before > 0 && behind > 0
                      ? (near_before + near_behind) / (near_before / before + near_behind / behind)
                      : 0.0;
    }
  }

  [[nodiscard]] std::string spice_functions() const override {
    return fmt::format(".func cell_table(x) {{{}}}\n", spice_pieces(0, volt_.size()));
  }

  [[nodiscard]] std::string spice_elements(const NetlistCell& cell) const override {
    return spice_source(
        cell, cell.from, cell.to,
        fmt::format("{:.17g}*cell_table(v({},{}))", cell.conductance, cell.from, cell.to));
  }

 private:
  // Piece k of f lies below row k: the lines beyond the ends and, between them, the cubics. Pieces
  // first to last, found by halves: a chain of conditions would be too deep for ngspice.
  [[nodiscard]] std::string spice_pieces(Index first, Index last) const {
    if (first == last) return spice_piece(first);
    const Index middle = (first + last) / 2;
    return fmt::format("(x<{:.17g}?{}:{})", volt_(middle), spice_pieces(first, middle),
                       spice_pieces(middle + 1, last));
  }

  [[nodiscard]] std::string spice_piece(Index k) const {
    if (k == 0 || k == volt_.size()) {
      const Index end = k == 0 ? 0 : k - 1;
      return fmt::format("({:.17g}+{:.17g}*(x-({:.17g})))", value_(end), slope_(end), volt_(end));
    }
    const Piece p = piece(k - 1);
    const std::string t = fmt::format("(x-({:.17g}))", volt_(k - 1));
    return fmt::format("({0:.17g}+{1}*({2:.17g}+{1}*({3:.17g}+{1}*({4:.17g}))))", value_(k - 1), t,
                       slope_(k - 1), p.c2 / p.h, p.c3 / (p.h * p.h));
  }

  // With t = (v - volt(k)) / h: f = value(k) + h t (slope(k) + t (c2 + t c3)).
  struct Piece {
    double h;
    double c2;
    double c3;
  };

  [[nodiscard]] Piece piece(Index k) const {
    const double h = volt_(k + 1) - volt_(k);
    const double secant = (value_(k + 1) - value_(k)) / h;
    return {h, 3 * secant - 2 * slope_(k) - slope_(k + 1), slope_(k) + slope_(k + 1) - 2 * secant};
  }

  void compute(const Matrix& conductance, const Matrix& voltage, Matrix& current,
               Matrix& derivative) const override {
    const Index last = volt_.size() - 1;
    for (Index e = 0; e < voltage.size(); ++e) {
      const double g = conductance.data()[e];
      const double v = voltage.data()[e];
      double& value = current.data()[e];
      double& slope = derivative.data()[e];
      if (!(v > volt_(0) && v < volt_(last))) {
        const Index end = v > volt_(0) ? last : 0;
        value = g * (value_(end) + slope_(end) * (v - volt_(end)));
        slope = g * slope_(end);
        continue;
      }
      const Index k = std::upper_bound(volt_.begin(), volt_.end(), v) - volt_.begin() - 1;
      const auto [h, c2, c3] = piece(k);
      const double t = (v - volt_(k)) / h;
      value = g * (value_(k) + h * t * (slope_(k) + t * (c2 + t * c3)));
      // Rounding must not make a flat piece fall.
      slope = g * std::max(slope_(k) + t * (2 * c2 + t * 3 * c3), 0.0);
    }
  }

  Vector volt_;
  Vector value_;  // ampere per siemens
  Vector slope_;  // at the rows
};

}  // namespace

CellKind table_cell() {
  return {{"table", "I = G f(v), f from a table by monotone cubics", {}, false, true},
          [](auto, const CellSettings& settings) -> std::unique_ptr<CellModel> {
            check_table(settings.table, settings.table_name);
            return std::make_unique<TableCell>(settings.table);
          }};
}

}  // namespace xbar::device
