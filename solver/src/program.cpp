#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/suggest.hpp>
#include <xbar/device/waveform.hpp>
#include <xbar/solver/newton.hpp>
#include <xbar/solver/program.hpp>

namespace xbar::solver {
namespace {

// A pulse that changes the reading by less than this share of the tolerance does not move a cell.
constexpr double unmoved_share = 1e-3;
// Largest move of ln G by a pulse, as a share of the one aimed at, up to which an adaptive ladder
// rises fast, rises by a step, stays; beyond the last it falls.
constexpr double idle_move = 0.05;
constexpr double little_move = 0.4;
constexpr double good_move = 1.2;
// Cells on an adaptive ladder go on to this share of the tolerance, so that others' pulses may move
// them a little.
constexpr double inner_share = 0.5;

template <typename Value, std::size_t count>
Value parse_name(const std::array<std::pair<Value, std::string_view>, count>& table,
                 const char* what, std::string_view name) {
  std::vector<std::string> names;
  for (const auto& [value, known] : table) {
    if (known == name) return value;
    names.emplace_back(known);
  }
  throw InvalidArgument(fmt::format("{}: expected one of {}, got '{}'{}", what,
                                    fmt::join(names, ", "), name, did_you_mean(name, names)));
}

void check_positive(const char* name, double value) {
  if (value > 0 && std::isfinite(value)) return;
  throw InvalidArgument(fmt::format("{}: expected a finite number > 0, got {}", name, value));
}

void check_ladder(const std::string& direction, const PulseLadder& ladder) {
  check_positive((direction + " pulse_second").c_str(), ladder.pulse_second);
  check_positive((direction + " start_volt").c_str(), ladder.start_volt);
  check_positive((direction + " step_volt").c_str(), ladder.step_volt);
  check_positive((direction + " max_volt").c_str(), ladder.max_volt);
  if (!(ladder.aim >= 0) || !std::isfinite(ladder.aim)) {
    throw InvalidArgument(
        fmt::format("{} aim: expected a finite number >= 0, got {}", direction, ladder.aim));
  }
  if (ladder.max_volt < ladder.start_volt) {
    throw InvalidArgument(fmt::format("{} max_volt: expected at least start_volt = {} V, got {} V",
                                      direction, ladder.start_volt, ladder.max_volt));
  }
}

void check_options(const ProgramOptions& options) {
  check_positive("tolerance", options.tolerance);
  check_ladder("set", options.set);
  check_ladder("reset", options.reset);
  if (options.max_pulses < 1) {
    throw InvalidArgument(
        fmt::format("max_pulses: expected at least 1, got {}", options.max_pulses));
  }
  if (options.passes < 1) {
    throw InvalidArgument(fmt::format("passes: expected at least 1, got {}", options.passes));
  }
}

void check_targets(const Circuit& circuit, const device::DynamicCell& cell, const Matrix& targets) {
  if (targets.rows() != circuit.wordlines() || targets.cols() != circuit.bitlines()) {
    throw InvalidArgument(fmt::format("targets: expected {} x {}, got {} x {}", circuit.wordlines(),
                                      circuit.bitlines(), targets.rows(), targets.cols()));
  }
  for (Index i = 0; i < targets.rows(); ++i) {
    for (Index j = 0; j < targets.cols(); ++j) {
      if (circuit.conductance(i, j) == 0) continue;
      try {
        (void)cell.state_of_conductance(targets(i, j));
      } catch (const InvalidArgument& error) {
        throw InvalidArgument(fmt::format("targets: cell ({},{}): {}", i, j, error.what()));
      }
    }
  }
}

void keep_larger(CellExtreme& kept, const CellExtreme& other) {
  if (std::abs(other.value) > std::abs(kept.value)) kept = other;
}

// One unit of one pass.
class Unit {
 public:
  Unit(const Circuit& circuit, const device::DynamicCell& cell, const Matrix& targets,
       const ProgramOptions& options, const ProgramState& state);

  // Works through the unit on a copy of the state and its own log.
  void run();
  [[nodiscard]] ProgramState& state() { return state_; }
  [[nodiscard]] const std::vector<ProgramPulse>& log() const { return log_; }

 private:
  struct Member {
    Index i = 0;
    Index j = 0;
    double reading = 0;
    Index pulses = 0;  // in this pass
    std::optional<WriteDirection> last = {};
    ProgramOutcome outcome = ProgramOutcome::waiting;
  };
  struct Climb {
    double volt = 0;
    double step = 0;
    Index times = 0;  // that the direction was taken up
  };

  [[nodiscard]] double error(const Member& member) const {
    return member.reading / targets_(member.i, member.j) - 1;
  }
  // Members that want a pulse in this direction.
  [[nodiscard]] std::vector<std::size_t> wanting(WriteDirection direction);
  void take_up(WriteDirection direction);
  void pulse(WriteDirection direction, const std::vector<std::size_t>& members);
  // After a pulse that has moved ln G of a cell by at most `move` times what was aimed at.
  [[nodiscard]] static double next_volt(const PulseLadder& ladder, const Climb& climb, double move);
  void read();

  const Circuit& circuit_;
  const device::DynamicCell& cell_;
  const Matrix& targets_;
  const ProgramOptions& options_;
  ProgramState state_;
  std::vector<Member> members_;
  std::array<Climb, 2> climbs_;
  std::vector<ProgramPulse> log_;
};

// Readings of the whole array or, with `members`, of the wordlines that they are on.
Matrix wired_readings(const Circuit& circuit, const device::DynamicCell& cell,
                      const ArrayState& state, const std::vector<Index>& wordlines,
                      NewtonMethod method) {
  Circuit closed = circuit;
  closed.conductance =
      (circuit.conductance.array() == 0).select(0.0, array_conductance(cell, state));
  Matrix voltage = Matrix::Zero(circuit.wordlines(), static_cast<Index>(wordlines.size()));
  for (std::size_t k = 0; k < wordlines.size(); ++k) {
    voltage(wordlines[k], static_cast<Index>(k)) = cell.read_volt();
  }
  NewtonOptions options;
  options.method = method;
  return solve_newton(closed, FrozenCells(cell, state), {voltage, {}}, options)
             .current.transpose() /
         cell.read_volt();
}

Unit::Unit(const Circuit& circuit, const device::DynamicCell& cell, const Matrix& targets,
           const ProgramOptions& options, const ProgramState& state)
    : circuit_(circuit), cell_(cell), targets_(targets), options_(options), state_(state) {
  const Index m = targets.rows();
  const Index n = targets.cols();
  const auto add = [&](Index i, Index j) {
    if (circuit.conductance(i, j) == 0) {
      state_.outcome(i, j) = static_cast<double>(ProgramOutcome::open);
    } else {
      members_.push_back({.i = i, .j = j});
    }
  };
  switch (options.order) {
    case ProgramOrder::cell:
      add(state.unit / n, state.unit % n);
      break;
    case ProgramOrder::row:
      for (Index j = 0; j < n; ++j) add(state.unit, j);
      break;
    case ProgramOrder::column:
      for (Index i = 0; i < m; ++i) add(i, state.unit);
      break;
  }
}

void Unit::run() {
  if (members_.empty()) return;
  read();
  WriteDirection direction = WriteDirection::set;
  bool first = true;
  for (;;) {
    // The direction stays as long as somebody wants it, so that its ladder is climbed to the end.
    std::vector<std::size_t> members = wanting(direction);
    const bool turned = members.empty();
    if (turned) {
      direction = direction == WriteDirection::set ? WriteDirection::reset : WriteDirection::set;
      members = wanting(direction);
    }
    if (members.empty()) break;
    if (turned || first) take_up(direction);
    first = false;
    pulse(direction, members);
  }
  for (const Member& member : members_) {
    const bool good = std::abs(error(member)) <= options_.tolerance;
    const ProgramOutcome outcome = good ? ProgramOutcome::reached : member.outcome;
    state_.outcome(member.i, member.j) = static_cast<double>(outcome);
  }
}

std::vector<std::size_t> Unit::wanting(WriteDirection direction) {
  const bool set = direction == WriteDirection::set;
  const bool adaptive = (set ? options_.set : options_.reset).aim > 0;
  std::vector<std::size_t> result;
  for (std::size_t k = 0; k < members_.size(); ++k) {
    Member& member = members_[k];
    const double miss = error(member);
    const bool on_its_way = adaptive && member.last == direction;
    const double enough = (on_its_way ? inner_share : 1) * options_.tolerance;
    if (std::abs(miss) <= enough || member.outcome == ProgramOutcome::stuck) continue;
    // What is within the tolerance on the other side does not turn round.
    if (std::abs(miss) <= options_.tolerance && (miss < 0) != set) continue;
    if (member.pulses >= options_.max_pulses) {
      member.outcome = ProgramOutcome::out_of_pulses;
      continue;
    }
    if ((miss < 0) == set) result.push_back(k);
  }
  return result;
}

void Unit::take_up(WriteDirection direction) {
  const PulseLadder& ladder = direction == WriteDirection::set ? options_.set : options_.reset;
  Climb& climb = climbs_[static_cast<std::size_t>(direction)];
  climb.step = climb.times == 0 ? ladder.step_volt : 0.5 * climb.step;
  climb.volt = ladder.start_volt;
  ++climb.times;
}

void Unit::pulse(WriteDirection direction, const std::vector<std::size_t>& members) {
  const PulseLadder& ladder = direction == WriteDirection::set ? options_.set : options_.reset;
  Climb& climb = climbs_[static_cast<std::size_t>(direction)];
  if (options_.progress) {
    const Index units = program_units(options_.order, targets_.rows(), targets_.cols());
    options_.progress({fmt::format("pass {}", state_.pass + 1), static_cast<double>(state_.unit),
                       static_cast<double>(units),
                       fmt::format("{} pulses, {:.3g} V", state_.pulse_count, climb.volt)});
  }
  CellSelection selection;
  for (const std::size_t k : members) {
    selection.wordlines.push_back(members_[k].i);
    selection.bitlines.push_back(members_[k].j);
  }
  const int sign = direction == WriteDirection::set ? cell_.set_sign() : -cell_.set_sign();
  const double volt = sign * climb.volt;
  const WriteReport report =
      apply_pulse(circuit_, cell_, selection, options_.bias,
                  device::Waveform::dc(volt, ladder.pulse_second), state_.cells, options_.write);
  state_.energy += report.energy;
  state_.worst_imbalance = std::max(state_.worst_imbalance, report.energy.imbalance());
  state_.pulse_second += ladder.pulse_second;
  ++state_.pulse_count;
  keep_larger(state_.unselected_volt, report.unselected_volt);
  keep_larger(state_.disturb, report.disturb);

  std::vector<double> before;
  before.reserve(members.size());
  for (const std::size_t k : members) before.push_back(members_[k].reading);
  read();
  const bool largest = climb.volt >= ladder.max_volt;
  const double share = report.energy.delivered_joule / static_cast<double>(members.size());
  double largest_move = 0;
  for (std::size_t e = 0; e < members.size(); ++e) {
    Member& member = members_[members[e]];
    const Index i = member.i;
    const Index j = member.j;
    ++member.pulses;
    member.last = direction;
    state_.pulses(i, j) += 1;
    state_.second(i, j) += ladder.pulse_second;
    state_.energy_joule(i, j) += share;
    const double change = std::abs(member.reading - before[e]) / targets_(i, j);
    // Near the target the aim is to land on it.
    const double left = std::abs(std::log(targets_(i, j) / before[e])) + 0.5 * options_.tolerance;
    largest_move = std::max(
        largest_move, std::abs(std::log(member.reading / before[e])) / std::min(ladder.aim, left));
    if (largest && change <= unmoved_share * options_.tolerance) {
      member.outcome = ProgramOutcome::stuck;
    }
    log_.push_back({state_.pass, i, j, static_cast<Index>(state_.pulses(i, j)), volt,
                    ladder.pulse_second, member.reading, error(member)});
  }
  climb.volt = next_volt(ladder, climb, largest_move);
}

double Unit::next_volt(const PulseLadder& ladder, const Climb& climb, double move) {
  double added = climb.step;
  if (ladder.aim > 0) {
    const double fast = ladder_rise * climb.volt;
    if (move < idle_move) {
      added = std::max(climb.step, fast);
    } else if (move > good_move) {
      added = -fast;
    } else if (move > little_move) {
      added = 0;
    }
  }
  return std::clamp(climb.volt + added, std::min(climb.volt, ladder.start_volt), ladder.max_volt);
}

void Unit::read() {
  if (options_.read == ProgramRead::ideal) {
    for (Member& member : members_) {
      member.reading = cell_.conductance(state_.cells.at(member.i, member.j));
    }
    return;
  }
  std::vector<Index> wordlines;
  for (const Member& member : members_) {
    if (wordlines.empty() || wordlines.back() != member.i) wordlines.push_back(member.i);
  }
  const Matrix readings =
      wired_readings(circuit_, cell_, state_.cells, wordlines, options_.write.method);
  std::size_t row = 0;
  for (Member& member : members_) {
    if (wordlines[row] != member.i) ++row;
    member.reading = readings(static_cast<Index>(row), member.j);
  }
}

Matrix all_readings(const Circuit& circuit, const device::DynamicCell& cell,
                    const ProgramOptions& options, const ArrayState& state) {
  if (options.read == ProgramRead::ideal) return array_conductance(cell, state);
  std::vector<Index> wordlines;
  for (Index i = 0; i < circuit.wordlines(); ++i) wordlines.push_back(i);
  return wired_readings(circuit, cell, state, wordlines, options.write.method);
}

ProgramReport judge(const Circuit& circuit, const device::DynamicCell& cell, const Matrix& targets,
                    const ProgramOptions& options, const ProgramState& state) {
  ProgramReport report;
  report.conductance = array_conductance(cell, state.cells);
  report.reading = all_readings(circuit, cell, options, state.cells);
  report.error = Matrix::Constant(targets.rows(), targets.cols(), -1);
  report.disturbed = Matrix::Zero(targets.rows(), targets.cols());
  double sum = 0;
  for (Index i = 0; i < targets.rows(); ++i) {
    for (Index j = 0; j < targets.cols(); ++j) {
      const auto outcome = static_cast<ProgramOutcome>(state.outcome(i, j));
      if (outcome == ProgramOutcome::open) {
        ++report.open;
        continue;
      }
      report.error(i, j) = report.reading(i, j) / targets(i, j) - 1;
      const double size = std::abs(report.error(i, j));
      const bool good = size <= options.tolerance;
      report.disturbed(i, j) = outcome == ProgramOutcome::reached && !good ? 1 : 0;
      report.disturbed_count += report.disturbed(i, j) > 0 ? 1 : 0;
      report.reached += good ? 1 : 0;
      report.out_of_pulses += outcome == ProgramOutcome::out_of_pulses ? 1 : 0;
      report.stuck += outcome == ProgramOutcome::stuck ? 1 : 0;
      report.worst_error = std::max(report.worst_error, size);
      sum += size;
    }
  }
  const Index closed = targets.size() - report.open;
  report.mean_error = closed > 0 ? sum / static_cast<double>(closed) : 0;
  return report;
}

constexpr std::array<std::pair<ProgramOrder, std::string_view>, 3> orders{
    {{ProgramOrder::cell, "cell"}, {ProgramOrder::row, "row"}, {ProgramOrder::column, "column"}}};
constexpr std::array<std::pair<ProgramRead, std::string_view>, 2> reads{
    {{ProgramRead::ideal, "ideal"}, {ProgramRead::wires, "wires"}}};

}  // namespace

ProgramOrder parse_program_order(std::string_view name) { return parse_name(orders, "by", name); }

ProgramRead parse_program_read(std::string_view name) { return parse_name(reads, "read", name); }

std::string_view program_outcome_name(ProgramOutcome outcome) {
  constexpr std::array<std::string_view, 5> names{"waiting", "reached", "out of pulses", "stuck",
                                                  "open"};
  return names[static_cast<std::size_t>(outcome)];
}

Index program_units(ProgramOrder order, Index wordlines, Index bitlines) {
  if (order == ProgramOrder::row) return wordlines;
  if (order == ProgramOrder::column) return bitlines;
  return wordlines * bitlines;
}

void suggest_pulses(const Circuit& circuit, const device::DynamicCell& cell, const Matrix& targets,
                    ProgramOptions& options) {
  check_written_circuit(circuit);
  check_targets(circuit, cell, targets);
  const double off = cell.conductance(cell.state_of_fraction(0));
  const ArrayState state =
      array_state_of_conductance(cell, (circuit.conductance.array() == 0).select(off, targets));
  double share = 1;
  for (const Index i : {Index{0}, circuit.wordlines() - 1}) {
    for (const Index j : {Index{0}, circuit.bitlines() - 1}) {
      if (circuit.conductance(i, j) == 0) continue;
      const device::Waveform reading = device::Waveform::dc(cell.read_volt(), 1e-15);
      ArrayState moved = state;
      const WriteReport report =
          apply_pulse(circuit, cell, {{i}, {j}}, options.bias, reading, moved, options.write);
      share = std::min(share, report.peak_volt(i, j) / cell.read_volt());
    }
  }
  // Behind even more resistance the ladders would end nowhere.
  constexpr double least_share = 0.05;
  share = std::clamp(share, least_share, 1.0);
  options.set = suggest_pulse_ladder(cell, WriteDirection::set, share);
  options.reset = suggest_pulse_ladder(cell, WriteDirection::reset, share);
}

ProgramState start_program(const device::DynamicCell& cell, ArrayState initial) {
  check_array_state(cell, initial, initial.wordlines(), initial.bitlines());
  const Matrix zero = Matrix::Zero(initial.wordlines(), initial.bitlines());
  ProgramState state;
  state.cells = std::move(initial);
  state.pulses = state.outcome = state.second = state.energy_joule = zero;
  return state;
}

void check_program(const Circuit& circuit, const device::DynamicCell& cell, const Matrix& targets,
                   const ProgramOptions& options, const ProgramState& state) {
  check_written_circuit(circuit);
  check_options(options);
  check_write_options(options.write);
  check_targets(circuit, cell, targets);
  check_array_state(cell, state.cells, circuit.wordlines(), circuit.bitlines());
}

ProgramReport program(const Circuit& circuit, const device::DynamicCell& cell,
                      const Matrix& targets, const ProgramOptions& options, ProgramState& state,
                      const ProgramUnitDone& unit_done) {
  check_program(circuit, cell, targets, options, state);
  const Index units = program_units(options.order, targets.rows(), targets.cols());
  while (state.pass < options.passes) {
    if (state.unit == 0 && state.pass > 0) {
      const ProgramReport now = judge(circuit, cell, targets, options, state);
      if (now.reached + now.open == targets.size()) return now;
    }
    Unit unit(circuit, cell, targets, options, state);
    unit.run();
    state = std::move(unit.state());
    ++state.unit;
    if (state.unit == units) {
      state.unit = 0;
      ++state.pass;
    }
    if (unit_done) unit_done(state, unit.log());
  }
  return judge(circuit, cell, targets, options, state);
}

}  // namespace xbar::solver
