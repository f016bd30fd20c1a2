#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/parallel.hpp>
#include <xbar/solver/array_state.hpp>

namespace xbar::solver {
namespace {

// Below, starting threads costs more than they save.
constexpr Index least_parallel_cells = 512;

template <typename Body>
void for_rows(const Matrix& values, const Body& body) {
  if (values.size() >= least_parallel_cells) {
    parallel_for(values.rows(), body);
    return;
  }
  for (Index i = 0; i < values.rows(); ++i) body(i);
}

template <typename Value>
Matrix of_each_cell(const ArrayState& state, const Value& value) {
  Matrix result(state.wordlines(), state.bitlines());
  for_rows(result, [&](Index i) {
    std::vector<double> x(state.states.size());
    for (Index j = 0; j < result.cols(); ++j) {
      state.get(i, j, x);
      result(i, j) = value(x);
    }
  });
  return result;
}

ArrayState empty_state(const device::DynamicCell& cell, Index wordlines, Index bitlines) {
  return {std::vector<Matrix>(cell.states().size(), Matrix(wordlines, bitlines))};
}

}  // namespace

std::vector<double> ArrayState::at(Index i, Index j) const {
  std::vector<double> state(states.size());
  get(i, j, state);
  return state;
}

ArrayState array_state_of_fraction(const device::DynamicCell& cell, Index wordlines, Index bitlines,
                                   double fraction) {
  const std::vector<double> each = cell.state_of_fraction(fraction);
  ArrayState state;
  for (const double value : each) {
    state.states.emplace_back(Matrix::Constant(wordlines, bitlines, value));
  }
  return state;
}

ArrayState array_state_of_conductance(const device::DynamicCell& cell, const Matrix& conductance) {
  ArrayState state = empty_state(cell, conductance.rows(), conductance.cols());
  for (Index i = 0; i < conductance.rows(); ++i) {
    for (Index j = 0; j < conductance.cols(); ++j) {
      try {
        state.set(i, j, cell.state_of_conductance(conductance(i, j)));
      } catch (const InvalidArgument& error) {
        throw InvalidArgument(fmt::format("cell ({},{}): {}", i, j, error.what()));
      }
    }
  }
  return state;
}

Matrix array_conductance(const device::DynamicCell& cell, const ArrayState& state) {
  return of_each_cell(state, [&](const std::vector<double>& x) { return cell.conductance(x); });
}

Matrix array_fraction(const device::DynamicCell& cell, const ArrayState& state) {
  return of_each_cell(state, [&](const std::vector<double>& x) { return cell.fraction(x); });
}

void check_array_state(const device::DynamicCell& cell, const ArrayState& state, Index wordlines,
                       Index bitlines) {
  const std::vector<device::StateVariable>& variables = cell.states();
  if (state.states.size() != variables.size()) {
    throw InvalidArgument(fmt::format("state: expected {} matrices, one a state variable, got {}",
                                      variables.size(), state.states.size()));
  }
  for (std::size_t k = 0; k < variables.size(); ++k) {
    const device::StateVariable& variable = variables[k];
    const Matrix& values = state.states[k];
    if (values.rows() != wordlines || values.cols() != bitlines) {
      throw InvalidArgument(fmt::format("state {}: expected {} x {}, got {} x {}", variable.name,
                                        wordlines, bitlines, values.rows(), values.cols()));
    }
    for (Index i = 0; i < wordlines; ++i) {
      for (Index j = 0; j < bitlines; ++j) {
        if (values(i, j) >= variable.lower() && values(i, j) <= variable.upper()) continue;
        throw InvalidArgument(fmt::format("state {}: expected {} to {}, got {} at cell ({},{})",
                                          variable.name, variable.lower(), variable.upper(),
                                          values(i, j), i, j));
      }
    }
  }
}

void FrozenCells::compute(const Matrix& conductance, const Matrix& voltage, Matrix& current,
                          Matrix& derivative) const {
  for_rows(voltage, [&](Index i) {
    std::vector<double> x(state_.states.size());
    for (Index j = 0; j < voltage.cols(); ++j) {
      current(i, j) = 0;
      derivative(i, j) = 0;
      if (conductance(i, j) == 0) continue;
      state_.get(i, j, x);
      const auto [ampere, siemens] = cell_.branch(voltage(i, j), x);
      current(i, j) = ampere;
      derivative(i, j) = siemens;
    }
  });
}

}  // namespace xbar::solver
