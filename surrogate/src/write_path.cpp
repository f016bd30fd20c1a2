#include <cmath>
#include <vector>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/isa.hpp>
#include <xbar/surrogate/write_path.hpp>

#include "models/models.hpp"

namespace xbar::surrogate {
namespace {

void check(const Matrix& conductance, const WireResistance& wires) {
  if (conductance.size() == 0) {
    throw InvalidArgument(fmt::format("conductance: expected at least one cell, got {} x {}",
                                      conductance.rows(), conductance.cols()));
  }
  for (Index i = 0; i < conductance.rows(); ++i) {
    for (Index j = 0; j < conductance.cols(); ++j) {
      const double g = conductance(i, j);
      if (!(g >= 0) || !std::isfinite(g)) {
        throw InvalidArgument(fmt::format(
            "conductance({}, {}): expected a finite number of siemens >= 0, got {}", i, j, g));
      }
    }
  }
  check_wires(wires);
}

void check_rates(const char* name, const Vector& rate, Index lines) {
  if (rate.size() != lines) {
    throw InvalidArgument(fmt::format("{}: expected {} rates, got {}", name, lines, rate.size()));
  }
  for (Index k = 0; k < lines; ++k) {
    if (!(rate(k) >= 0) || !(rate(k) <= 1)) {
      throw InvalidArgument(
          fmt::format("{}({}): expected a rate from 0 to 1, got {}", name, k, rate(k)));
    }
  }
}

/// u - w with the wordlines at `drive` and the bitlines at 0.
Matrix cell_voltage(const Matrix& conductance, const WireResistance& wires, const Vector& drive) {
  const Index m = conductance.rows();
  const Index n = conductance.cols();
  if (drive.isZero(0)) return Matrix::Zero(m, n);
  Matrix u(m, n);
  Matrix w(m, n);
  std::vector<double> scratch(static_cast<std::size_t>(field_scratch(m, n)));
  XBAR_DISPATCH(::xbar::surrogate, field_tile<double>)
  (m, n, conductance.data(), drive.data(), line_ohm<double>(wires), field_limit<double>(),
   scratch.data(), u.data(), w.data());
  return u - w;
}

/// The array seen from the bitlines' terminals, and back.
Matrix turned(const Matrix& matrix) { return matrix.transpose().reverse(); }
WireResistance turned(const WireResistance& wires) {
  return {wires.sink_ohm, wires.source_ohm, wires.bitline_ohm, wires.wordline_ohm};
}

/// What a current into each bitline node meets, ohm: the way to the sink and the other cells of the
/// bitline, whose wordlines are held; the node's own cell left out. Two admittances, along the line
/// from either end.
Matrix bitline_ohm(const Matrix& conductance, const WireResistance& wires) {
  const Index m = conductance.rows();
  const Index n = conductance.cols();
  Matrix result(m, n);
  for (Index j = 0; j < n; ++j) {
    double above = 0;  // siemens towards the open end
    for (Index i = 0; i < m; ++i) {
      result(i, j) = above;
      const double here = above + conductance(i, j);
      above = here / (1 + wires.bitline_ohm * here);
    }
    double below = wires.sink_ohm;  // ohm towards the sink
    for (Index i = m - 1; i >= 0; --i) {
      result(i, j) = below / (1 + below * result(i, j));
      below = below / (1 + below * conductance(i, j)) + wires.bitline_ohm;
    }
  }
  return result;
}

/// u - w with one wordline alone at 1 on which every cell is in series with `beyond`, ohm: the
/// ladder of each wordline.
Matrix own_wordline(const Matrix& conductance, const WireResistance& wires, const Matrix& beyond) {
  const Index m = conductance.rows();
  const Index n = conductance.cols();
  Matrix result(m, n);
  std::vector<double> input(static_cast<std::size_t>(n));  // siemens from a node on to the far end
  for (Index i = 0; i < m; ++i) {
    double further = 0;
    for (Index j = n - 1; j >= 0; --j) {
      const double cell = conductance(i, j) / (1 + conductance(i, j) * beyond(i, j));
      further = cell + further / (1 + wires.wordline_ohm * further);
      input[static_cast<std::size_t>(j)] = further;
    }
    double u = 1 / (1 + wires.source_ohm * input.front());
    for (Index j = 0; j < n; ++j) {
      if (j > 0) u /= 1 + wires.wordline_ohm * input[static_cast<std::size_t>(j)];
      result(i, j) = u / (1 + conductance(i, j) * beyond(i, j));
    }
  }
  return result;
}

WritePath transistor_path(const Matrix& conductance, const WireResistance& wires) {
  const Index m = conductance.rows();
  Matrix beyond(m, conductance.cols());
  for (Index i = 0; i < m; ++i) {
    beyond.row(i).setConstant(wires.sink_ohm + wires.bitline_ohm * static_cast<double>(m - 1 - i));
  }
  return {own_wordline(conductance, wires, beyond), Matrix::Zero(m, conductance.cols())};
}

}  // namespace

WriteScheme parse_write_scheme(std::string_view name) {
  for (const WriteScheme scheme :
       {WriteScheme::half, WriteScheme::third, WriteScheme::one_transistor}) {
    if (write_scheme_name(scheme) == name) return scheme;
  }
  throw InvalidArgument(fmt::format("write-scheme: expected v2, v3 or 1t1r, got '{}'", name));
}

std::string_view write_scheme_name(WriteScheme scheme) {
  switch (scheme) {
    case WriteScheme::third:
      return "v3";
    case WriteScheme::one_transistor:
      return "1t1r";
    case WriteScheme::half:
      break;
  }
  return "v2";
}

WritePath write_path(const Matrix& conductance, const WireResistance& wires, WriteScheme scheme) {
  check(conductance, wires);
  if (scheme == WriteScheme::one_transistor) return transistor_path(conductance, wires);
  const Index m = conductance.rows();
  const double share = scheme == WriteScheme::half ? 1.0 / 2 : 1.0 / 3;
  const Matrix all = cell_voltage(conductance, wires, Vector::Ones(m));
  const Matrix own = own_wordline(conductance, wires, bitline_ohm(conductance, wires));
  WritePath path{share * all + (1 - share) * own, Matrix::Zero(m, conductance.cols())};
  if (m > 1) {
    path.half_selected = share * all + (1 - share) / static_cast<double>(m - 1) * (all - own);
  }
  return path;
}

WritePath stochastic_write_path(const Matrix& conductance, const WireResistance& wires,
                                const Vector& row_rate, const Vector& column_rate) {
  check(conductance, wires);
  check_rates("row_rate", row_rate, conductance.rows());
  check_rates("column_rate", column_rate, conductance.cols());
  // Bitlines at -1 put the same voltage across the cells as wordlines at 1 of the turned array do.
  const Matrix other = turned(conductance);
  const WireResistance other_wires = turned(wires);
  const Matrix mean = cell_voltage(conductance, wires, row_rate) +
                      turned(cell_voltage(other, other_wires, column_rate.reverse()));
  const Matrix row = own_wordline(conductance, wires, bitline_ohm(conductance, wires));
  const Matrix column = turned(own_wordline(other, other_wires, bitline_ohm(other, other_wires)));
  WritePath path{Matrix(mean.rows(), mean.cols()), Matrix(mean.rows(), mean.cols())};
  for (Index i = 0; i < mean.rows(); ++i) {
    const double p = row_rate(i);
    for (Index j = 0; j < mean.cols(); ++j) {
      const double q = column_rate(j);
      // With neither line firing, and what either adds.
      const double none = (mean(i, j) - p * row(i, j) - q * column(i, j)) / 2;
      const double by_row = row(i, j) / 2;
      const double by_column = column(i, j) / 2;
      path.selected(i, j) = none + by_row + by_column;
      const double row_only = p * (1 - q);
      const double column_only = q * (1 - p);
      const double either = row_only + column_only;
      path.half_selected(i, j) =
          either > 0 ? none + (row_only * by_row + column_only * by_column) / either : none;
    }
  }
  return path;
}

}  // namespace xbar::surrogate
