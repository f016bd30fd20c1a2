#include <cmath>
#include <utility>

#include <xbar/core/parallel.hpp>
#include <xbar/solver/effective_conductance.hpp>
#include <xbar/solver/solve.hpp>

#include "star_mesh.hpp"

namespace xbar::solver {

TransposedArray transposed_array(const Matrix& conductance, const WireResistance& wires,
                                 Terminals terminals) {
  TransposedArray result;
  result.conductance = conductance.transpose().reverse();
  result.wires.wordline_ohm = wires.bitline_ohm;
  result.wires.bitline_ohm = wires.wordline_ohm;
  // The driven end of the transposed array is the bitlines' sense end, where sink_ohm sits.
  result.wires.source_ohm = wires.sink_ohm;
  result.wires.sink_ohm = wires.source_ohm;
  if (terminals == Terminals::swap) std::swap(result.wires.source_ohm, result.wires.sink_ohm);
  return result;
}

Matrix from_transposed_order(const Matrix& matrix) { return matrix.reverse(); }

Matrix effective_conductance(const Circuit& circuit) {
  check_circuit(circuit);
  if (star_mesh_applies(circuit)) return star_mesh_effective(circuit);
  const Index m = circuit.wordlines();
  return solve(circuit, {Matrix::Identity(m, m), {}}).current.transpose();
}

Matrix effective_conductance(const Matrix& conductance, const WireResistance& wires,
                             Direction direction, Terminals terminals) {
  check_conductance(conductance);
  if (direction == Direction::forward)
    return effective_conductance(make_circuit(conductance, wires));
  // Reciprocity: with the terminals kept, the backward read is the transpose.
  if (terminals == Terminals::keep) {
    return effective_conductance(make_circuit(conductance, wires)).transpose();
  }
  const TransposedArray back = transposed_array(conductance, wires, terminals);
  return from_transposed_order(effective_conductance(make_circuit(back.conductance, back.wires)));
}

std::vector<Matrix> effective_conductance(std::span<const Matrix> tiles,
                                          const WireResistance& wires, Direction direction,
                                          Terminals terminals) {
  std::vector<Matrix> effective(tiles.size());
  parallel_for(static_cast<Index>(tiles.size()), [&](Index t) {
    const auto e = static_cast<std::size_t>(t);
    effective[e] = effective_conductance(tiles[e], wires, direction, terminals);
  });
  return effective;
}

}  // namespace xbar::solver
