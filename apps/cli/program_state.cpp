#include "program_state.hpp"

#include <cmath>
#include <concepts>
#include <map>
#include <type_traits>
#include <vector>

#include <fmt/format.h>

#include <xbar/core/array_file.hpp>
#include <xbar/core/error.hpp>

namespace xbar::cli {
namespace {

std::string state_array(const device::StateVariable& variable) { return "state_" + variable.name; }

// The numbers of a ProgramState that belong to no cell, with the length of the log.
template <typename State, typename Size, typename Visit>
void for_numbers(State& state, Size& log_bytes, const Visit& visit) {
  visit(log_bytes);
  visit(state.pass);
  visit(state.unit);
  visit(state.pulse_count);
  visit(state.pulse_second);
  visit(state.worst_imbalance);
  for (auto* extreme : {&state.unselected_volt, &state.disturb}) {
    visit(extreme->value);
    visit(extreme->i);
    visit(extreme->j);
  }
  visit(state.energy.delivered_joule);
  visit(state.energy.cells_joule);
  visit(state.energy.wordlines_joule);
  visit(state.energy.bitlines_joule);
  visit(state.energy.terminals_joule);
  visit(state.energy.integrated_joule);
}

constexpr double largest_whole = 0x1p53;

// The arrays of a state.npz, each as it must be.
class StateFile {
 public:
  StateFile(std::string_view bytes, const std::string& name, const Matrix& targets)
      : name_(name), arrays_(parse_npz(bytes, name)), m_(targets.rows()), n_(targets.cols()) {}

  [[nodiscard]] const Matrix& array(const std::string& key) const {
    const auto found = arrays_.find(key);
    if (found == arrays_.end()) {
      throw IoError(fmt::format("{}: expected an array {}, found none", name_, key));
    }
    return found->second.values;
  }

  // m x n
  [[nodiscard]] const Matrix& of_cells(const std::string& key) const {
    const Matrix& values = array(key);
    if (values.rows() != m_ || values.cols() != n_) {
      throw InvalidArgument(fmt::format("{}: {}: expected {} x {}, got {} x {}", name_, key, m_, n_,
                                        values.rows(), values.cols()));
    }
    return values;
  }

  [[nodiscard]] Matrix whole(const std::string& key, double largest) const {
    const Matrix& values = of_cells(key);
    for (const double value : values.reshaped()) check_whole(key, value, largest);
    return values;
  }

  [[nodiscard]] Matrix not_negative(const std::string& key) const {
    const Matrix& values = of_cells(key);
    for (const double value : values.reshaped()) {
      if (!(value >= 0) || !std::isfinite(value)) refuse(key, "finite values >= 0", value);
    }
    return values;
  }

  void check_whole(const std::string& key, double value, double largest) const {
    if (!(value >= 0 && value <= largest) || value != std::floor(value)) {
      refuse(key, fmt::format("whole numbers from 0 to {}", largest), value);
    }
  }

  [[noreturn]] void refuse(const std::string& key, const std::string& expected,
                           double found) const {
    throw IoError(fmt::format("{}: {}: expected {}, found {}", name_, key, expected, found));
  }

 private:
  const std::string& name_;
  std::map<std::string, ArrayFile> arrays_;
  Index m_;
  Index n_;
};

}  // namespace

void save_program_state(const std::filesystem::path& path, const device::DynamicCell& cell,
                        const Matrix& targets, const solver::ProgramState& state,
                        std::uintmax_t log_size) {
  std::map<std::string, Matrix> arrays;
  for (std::size_t k = 0; k < cell.states().size(); ++k) {
    arrays[state_array(cell.states()[k])] = state.cells.states[k];
  }
  arrays["targets"] = targets;
  arrays["pulses"] = state.pulses;
  arrays["outcome"] = state.outcome;
  arrays["second"] = state.second;
  arrays["energy_joule"] = state.energy_joule;
  std::vector<double> numbers;
  for_numbers(state, log_size,
              [&](const auto& value) { numbers.push_back(static_cast<double>(value)); });
  arrays["progress"] =
      Eigen::Map<const Matrix>(numbers.data(), 1, static_cast<Index>(numbers.size()));
  write_npz(path, arrays);
}

std::uintmax_t parse_program_state(std::string_view bytes, const std::string& name,
                                   const device::DynamicCell& cell, const Matrix& targets,
                                   Index units, solver::ProgramState& state) {
  const StateFile file(bytes, name, targets);
  if (file.of_cells("targets") != targets) {
    throw InvalidArgument(
        fmt::format("--targets: expected those of the run, which {} holds, got others", name));
  }
  for (std::size_t k = 0; k < cell.states().size(); ++k) {
    state.cells.states[k] = file.of_cells(state_array(cell.states()[k]));
  }
  state.pulses = file.whole("pulses", largest_whole);
  state.outcome = file.whole("outcome", static_cast<double>(solver::ProgramOutcome::open));
  state.second = file.not_negative("second");
  state.energy_joule = file.not_negative("energy_joule");

  const Matrix& numbers = file.array("progress");
  std::uintmax_t log_bytes = 0;
  Index next = 0;
  for_numbers(state, log_bytes, [&](auto& value) {
    if (next >= numbers.size()) {
      throw IoError(
          fmt::format("{}: progress: expected more than {} numbers", name, numbers.size()));
    }
    const double number = numbers.data()[next++];
    using Number = std::remove_reference_t<decltype(value)>;
    if constexpr (std::integral<Number>) {
      file.check_whole("progress", number, largest_whole);
    } else if (!std::isfinite(number)) {
      file.refuse("progress", "finite numbers", number);
    }
    value = static_cast<Number>(number);
  });
  const auto below = [&](Index value, Index count) {
    if (value >= count) {
      file.refuse("progress", fmt::format("a place below {}", count), static_cast<double>(value));
    }
  };
  below(state.unit, units);
  for (const solver::CellExtreme& extreme : {state.unselected_volt, state.disturb}) {
    below(extreme.i, targets.rows());
    below(extreme.j, targets.cols());
  }
  return log_bytes;
}

}  // namespace xbar::cli
