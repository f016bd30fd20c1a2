#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/parallel.hpp>
#include <xbar/core/suggest.hpp>
#include <xbar/device/integrate.hpp>
#include <xbar/solver/branch_currents.hpp>
#include <xbar/solver/write_pulse.hpp>

namespace xbar::solver {
namespace {

constexpr std::array<std::pair<Bias, std::string_view>, 4> biases{{
    {Bias::half, "v/2"},
    {Bias::third, "v/3"},
    {Bias::grounded, "grounded"},
    {Bias::floating, "floating"},
}};

// Macro steps: the first one as a share of the stretch, or so long that no state moves by more than
// `first_move` at its first rate; and how much the next may differ.
constexpr double first_share = 1.0 / 16;
constexpr double first_move = 0.02;
constexpr double least_factor = 0.1;
constexpr double largest_factor = 4;
constexpr double safety = 0.8;
constexpr double least_step = 1e-12;  // of the stretch
// Below, waking threads costs more than they save.
constexpr Index least_parallel_moves = 16;
constexpr Index least_parallel_cells = 512;
// What no other cell notices of a cell's move in a macro step.
constexpr double negligible_move = 1e-9;
// Up to here Heun's rule may do instead of the cell's integrator.
constexpr double small_move = 1e-3;
// Up to this change of its voltage the energy of such a cell is that of a trapezoid.
constexpr double straight_change = 1e-3;
// A correction below this share of the tolerance leaves the predicted fields as they are.
constexpr double small_correction = 0.02;

std::vector<bool> chosen(const std::vector<Index>& indices, Index count, const char* lines) {
  std::vector<bool> result(static_cast<std::size_t>(count), false);
  if (indices.empty())
    throw InvalidArgument(fmt::format("selection: expected {}, got none", lines));
  for (const Index k : indices) {
    if (k < 0 || k >= count) {
      throw InvalidArgument(
          fmt::format("selection: expected {} from 0 to {}, got {}", lines, count - 1, k));
    }
    result[static_cast<std::size_t>(k)] = true;
  }
  return result;
}

Matrix levels(const std::vector<bool>& selected, double at_selected, double at_others) {
  Matrix result(static_cast<Index>(selected.size()), 1);
  for (std::size_t k = 0; k < selected.size(); ++k) {
    result(static_cast<Index>(k), 0) = selected[k] ? at_selected : at_others;
  }
  return result;
}

void disconnect(const std::vector<bool>& selected, Vector& first, Vector& second) {
  for (std::size_t k = 0; k < selected.size(); ++k) {
    if (selected[k]) continue;
    const auto line = static_cast<Index>(k);
    first(line) = second(line) = std::numeric_limits<double>::infinity();
  }
}

// What errors and movements of a state are measured by.
double scale_of(const device::StateVariable& variable, double value) {
  const double least =
      variable.lower() > 0 ? variable.lower() : variable.upper() - variable.lower();
  return std::max(std::abs(value), least);
}

// One pulse on one array.
class Pulse {
 public:
  Pulse(const Circuit& circuit, const device::DynamicCell& cell, const CellSelection& selection,
        Bias bias, const device::Waveform& waveform, const ArrayState& state,
        const WriteOptions& options);

  WriteReport run();
  [[nodiscard]] const ArrayState& state() const { return state_; }

 private:
  // The fields at one moment; they obey Kirchhoff's laws with the cells as they were when solved.
  struct Fields {
    double drive = 0;  // v(t)
    NodeVoltages nodes;
    Matrix voltage;  // u - w
    Matrix current;  // of the cells
    Power power;     // only by weigh()
  };
  // Cells over a macro step.
  struct Move {
    ArrayState state;
    Matrix joule;      // of the cells that an integrator moved
    Matrix next_step;  // theirs, 0 elsewhere: the step that would come next
    Index integrated = 0;
    bool noticed = false;  // some cell has moved by more than negligible_move
  };
  enum class Motion : char { open, creeping, noticed, integrated };
  struct Step {
    Fields end;
    Move move;
    double joule = 0;  // of all cells by `move`
    double error = 0;  // 1: as large as the tolerance
  };

  void stretch(double begin, double end);
  [[nodiscard]] Step try_step(double length, double middle_drive, double end_drive);
  void accept(Step step, double length);
  [[nodiscard]] Fields solve(double drive, const ArrayState& state, const NodeVoltages* guess);
  void weigh(Fields& fields) const;
  template <typename Body>
  void for_rows(const Body& body) const;
  void watch(const Fields& fields);
  // The rates of all cells at at_, and the largest as a share of the state a second.
  void rate();
  [[nodiscard]] Move advance(const Matrix& to, double length);
  // Moves a cell that rests or moves little. @return creeping or noticed; integrated: it is neither
  [[nodiscard]] Motion creep(Index i, Index j, double to, double length, ArrayState& result,
                             std::span<double> x, std::span<double> slope) const;
  [[nodiscard]] double energy(const Move& move, const Fields& end, double length) const;
  [[nodiscard]] double state_error(const ArrayState& a, const ArrayState& b) const;
  void finish(const ArrayState& initial);

  const device::DynamicCell& cell_;
  const device::Waveform& waveform_;
  const WriteOptions& options_;
  Circuit circuit_;
  TerminalVoltage unit_;  // at v = 1 V
  std::vector<bool> wordlines_;
  std::vector<bool> bitlines_;
  ArrayState state_;
  Fields at_;
  ArrayState rate_;     // dx/dt at at_, per second
  double fastest_ = 0;  // largest |rate| as a share of what it moves, 1/s
  Matrix next_step_;    // that each cell's integrator would take, second; 0: not known
  std::vector<device::CellIntegrator> integrators_;  // one a part of the work
  double largest_drive_ = 0;
  WriteReport report_;
};

Pulse::Pulse(const Circuit& circuit, const device::DynamicCell& cell,
             const CellSelection& selection, Bias bias, const device::Waveform& waveform,
             const ArrayState& state, const WriteOptions& options)
    : cell_(cell),
      waveform_(waveform),
      options_(options),
      circuit_(circuit),
      unit_(bias_voltage(bias, selection, circuit.wordlines(), circuit.bitlines())),
      wordlines_(chosen(selection.wordlines, circuit.wordlines(), "wordlines")),
      bitlines_(chosen(selection.bitlines, circuit.bitlines(), "bitlines")),
      state_(state) {
  if (bias == Bias::floating) {
    disconnect(wordlines_, circuit_.left_ohm, circuit_.right_ohm);
    disconnect(bitlines_, circuit_.top_ohm, circuit_.bottom_ohm);
  }
  // Newton wants the size of the closed cells' conductances.
  circuit_.conductance =
      (circuit.conductance.array() == 0).select(0.0, array_conductance(cell, state));
  report_.peak_volt = Matrix::Zero(circuit.wordlines(), circuit.bitlines());
  next_step_ = report_.peak_volt;
  rate_ = state;
  for (int part = 0; part < thread_count(); ++part) {
    integrators_.emplace_back(cell, options.cell_tolerance);
  }
}

WriteReport Pulse::run() {
  const ArrayState initial = state_;
  std::vector<double> ends = waveform_.breakpoints();
  ends.push_back(waveform_.duration());
  double begin = 0;
  for (const double end : ends) {
    stretch(begin, end);
    begin = end;
  }
  finish(initial);
  return std::move(report_);
}

// From one breakpoint of the waveform to the next; time counts from the first.
void Pulse::stretch(double begin, double end) {
  const double whole = end - begin;
  // At its ends the stretch has its own values, also where the waveform jumps.
  const auto drive = [&](double since) {
    if (since <= 0) return waveform_.value(begin);
    if (since >= whole) return waveform_.value_before(end);
    return waveform_.value(begin + since);
  };
  const bool continues = report_.steps > 0 && drive(0) == at_.drive;
  if (!continues) at_ = solve(drive(0), state_, nullptr);
  weigh(at_);
  watch(at_);
  rate();
  double time = 0;
  const bool constant = drive(0) == drive(0.5 * whole) && drive(0) == drive(whole);
  double length = whole * (constant ? std::clamp(first_move / (fastest_ * whole), first_share, 1.0)
                                    : first_share);
  if (options_.fixed_steps > 0) length = whole / static_cast<double>(options_.fixed_steps);
  while (time < whole) {
    if (options_.progress) options_.progress({"pulse", begin + time, waveform_.duration(), ""});
    // No sliver is left for the last step.
    const bool last = length >= (whole - time) * (1 - 1e-9);
    if (last) length = whole - time;
    const double next = last ? whole : time + length;
    Step step;
    try {
      step = try_step(length, drive(0.5 * (time + next)), drive(next));
    } catch (const NumericalError& error) {
      throw NumericalError(
          fmt::format("write pulse: at t = {:.9g} s: {}", begin + time, error.what()));
    }
    const bool good = options_.fixed_steps > 0 || step.error <= 1;
    const double factor =
        std::clamp(safety / std::sqrt(std::max(step.error, 1e-8)), least_factor, largest_factor);
    if (good) {
      accept(std::move(step), length);
      time = next;
      if (options_.fixed_steps == 0) length *= factor;
      continue;
    }
    ++report_.rejected;
    length *= factor;
    if (!(length > least_step * whole)) {
      throw NumericalError(fmt::format(
          "write pulse: the macro step has fallen to {:.3g} s at t = {:.9g} s, its error is {:.3g} "
          "times the tolerance",
          length, begin + time, step.error));
    }
  }
}

Pulse::Step Pulse::try_step(double length, double middle_drive, double end_drive) {
  Fields predicted = end_drive == at_.drive ? at_ : solve(end_drive, state_, &at_.nodes);
  Move guess = advance(predicted.voltage, length);
  Step step;
  if (guess.noticed) {
    step.end = solve(end_drive, guess.state, &predicted.nodes);
    step.move = advance(step.end.voltage, length);
  } else {
    step.end = std::move(predicted);
    step.move = std::move(guess);
  }
  // What a straight line between the ends makes of the waveform.
  largest_drive_ = std::max({largest_drive_, std::abs(at_.drive), std::abs(end_drive)});
  const double bend = std::abs(middle_drive - 0.5 * (at_.drive + end_drive));
  step.error = bend > 0 ? bend / (options_.step_tolerance * largest_drive_) : 0;
  if (guess.noticed) {
    const double correction = state_error(step.move.state, guess.state);
    step.error = std::max(step.error, correction / options_.step_tolerance);
    if (options_.fixed_steps == 0 && step.error > 1) return step;
    const double small = options_.fixed_steps > 0 ? 0 : small_correction * options_.step_tolerance;
    if (correction > small) {
      step.end = solve(end_drive, step.move.state, &step.end.nodes);
    }
  }
  step.joule = energy(step.move, step.end, length);
  const double trapezoid = 0.5 * length *
                           (at_.voltage.cwiseProduct(at_.current).sum() +
                            step.end.voltage.cwiseProduct(step.end.current).sum());
  const double so_far = report_.energy.cells_joule + std::max(trapezoid, step.joule);
  if (guess.noticed && so_far > 0) {
    step.error =
        std::max(step.error, std::abs(trapezoid - step.joule) / so_far / options_.step_tolerance);
  }
  return step;
}

void Pulse::accept(Step step, double length) {
  const Power before = at_.power;
  at_ = std::move(step.end);
  state_ = std::move(step.move.state);
  next_step_ = std::move(step.move.next_step);
  weigh(at_);
  watch(at_);
  rate();
  ++report_.steps;
  const auto add = [&](double Power::*watt, double& joule) {
    joule += 0.5 * length * (before.*watt + at_.power.*watt);
  };
  WriteEnergy& energy = report_.energy;
  add(&Power::delivered_watt, energy.delivered_joule);
  add(&Power::cells_watt, energy.cells_joule);
  add(&Power::wordlines_watt, energy.wordlines_joule);
  add(&Power::bitlines_watt, energy.bitlines_joule);
  add(&Power::terminals_watt, energy.terminals_joule);
  energy.integrated_joule += step.joule;
}

Pulse::Fields Pulse::solve(double drive, const ArrayState& state, const NodeVoltages* guess) {
  Fields fields;
  fields.drive = drive;
  if (drive == 0) {
    // Without memory of charge nothing flows.
    const Matrix zero = Matrix::Zero(circuit_.wordlines(), circuit_.bitlines());
    fields.nodes = {zero, zero};
    fields.voltage = fields.current = zero;
    return fields;
  }
  NewtonOptions options;
  options.method = options_.method;
  options.node_voltages = true;
  if (guess != nullptr) options.guess = {*guess};
  NewtonResult result = solve_newton(circuit_, FrozenCells(cell_, state),
                                     {unit_.wordline * drive, unit_.bitline * drive}, options);
  ++report_.solves;
  report_.newton_iterations += result.report.iterations();
  fields.nodes = std::move(result.nodes.front());
  fields.current = std::move(result.cell_current.front());
  fields.voltage = fields.nodes.wordline - fields.nodes.bitline;
  return fields;
}

void Pulse::weigh(Fields& fields) const {
  if (fields.drive == 0) return;
  const Circuit chords = chord_circuit(circuit_, fields.nodes, fields.current);
  const Vector wordline = unit_.wordline * fields.drive;
  const Vector bitline = unit_.bitline * fields.drive;
  const BranchCurrents currents = branch_currents(chords, wordline, bitline, fields.nodes);
  fields.power = power(chords, wordline, bitline, fields.nodes, currents);
}

void Pulse::watch(const Fields& fields) {
  report_.peak_volt = report_.peak_volt.cwiseMax(fields.voltage.cwiseAbs());
}

template <typename Body>
void Pulse::for_rows(const Body& body) const {
  if (circuit_.conductance.size() >= least_parallel_cells) {
    parallel_for(circuit_.wordlines(), body);
    return;
  }
  for (Index i = 0; i < circuit_.wordlines(); ++i) body(i);
}

void Pulse::rate() {
  const std::vector<device::StateVariable>& variables = cell_.states();
  Vector fastest = Vector::Zero(circuit_.wordlines());
  for_rows([&](Index i) {
    std::vector<double> x(variables.size());
    std::vector<double> f(variables.size());
    for (Index j = 0; j < circuit_.bitlines(); ++j) {
      if (circuit_.conductance(i, j) == 0) continue;
      state_.get(i, j, x);
      cell_.derivative(at_.voltage(i, j), x, f);
      rate_.set(i, j, f);
      for (std::size_t k = 0; k < x.size(); ++k) {
        fastest(i) = std::max(fastest(i), std::abs(f[k]) / scale_of(variables[k], x[k]));
      }
    }
  });
  fastest_ = fastest.maxCoeff();
}

// Heun's rule; the difference to Euler's is its error and more.
Pulse::Motion Pulse::creep(Index i, Index j, double to, double length, ArrayState& result,
                           std::span<double> x, std::span<double> slope) const {
  const std::vector<device::StateVariable>& variables = cell_.states();
  const auto rests = [&](std::size_t k, double at, double rate) {
    return (at <= variables[k].lower() && rate <= 0) || (at >= variables[k].upper() && rate >= 0);
  };
  for (std::size_t k = 0; k < x.size(); ++k) {
    const double at = state_.states[k](i, j);
    const double first = rate_.states[k](i, j);
    x[k] = rests(k, at, first) ? at : at + length * first;
    if (!(std::abs(x[k] - at) <= small_move * scale_of(variables[k], at))) {
      return Motion::integrated;
    }
    if (x[k] < variables[k].lower() || x[k] > variables[k].upper()) return Motion::integrated;
  }
  cell_.derivative(to, x, slope);
  Motion motion = Motion::creeping;
  for (std::size_t k = 0; k < x.size(); ++k) {
    const double at = state_.states[k](i, j);
    const double first = rests(k, at, rate_.states[k](i, j)) ? 0 : rate_.states[k](i, j);
    const double second = rests(k, x[k], slope[k]) ? 0 : slope[k];
    const double scale = scale_of(variables[k], at);
    const double heun = std::clamp(at + 0.5 * length * (first + second), variables[k].lower(),
                                   variables[k].upper());
    if (!(std::abs(heun - x[k]) <= options_.cell_tolerance * scale)) return Motion::integrated;
    if (std::abs(heun - at) > negligible_move * scale) motion = Motion::noticed;
    x[k] = heun;
  }
  result.set(i, j, x);
  return motion;
}

// From at_ on, under voltages linear up to `to`.
Pulse::Move Pulse::advance(const Matrix& to, double length) {
  const Index m = circuit_.wordlines();
  const Index n = circuit_.bitlines();
  Move move;
  move.state = state_;
  move.joule = move.next_step = Matrix::Zero(m, n);
  std::vector<Motion> motions(static_cast<std::size_t>(m * n), Motion::open);
  for_rows([&](Index i) {
    std::vector<double> x(cell_.states().size());
    std::vector<double> slope(x.size());
    for (Index j = 0; j < n; ++j) {
      if (circuit_.conductance(i, j) == 0) continue;
      motions[static_cast<std::size_t>(i * n + j)] =
          creep(i, j, to(i, j), length, move.state, x, slope);
    }
  });
  std::vector<Index> moving;
  for (Index e = 0; e < m * n; ++e) {
    const Motion motion = motions[static_cast<std::size_t>(e)];
    if (motion == Motion::integrated) moving.push_back(e);
    move.noticed = move.noticed || motion == Motion::integrated || motion == Motion::noticed;
  }
  const auto count = static_cast<Index>(moving.size());
  const Index parts = count < least_parallel_moves ? 1 : static_cast<Index>(integrators_.size());
  const auto integrate = [&](Index part) {
    device::CellIntegrator& integrator = integrators_[static_cast<std::size_t>(part)];
    std::vector<double> x(cell_.states().size());
    for (Index e = part; e < count; e += parts) {
      const Index i = moving[static_cast<std::size_t>(e)] / n;
      const Index j = moving[static_cast<std::size_t>(e)] % n;
      state_.get(i, j, x);
      try {
        const device::CellMove one =
            integrator.move(at_.voltage(i, j), to(i, j), length, next_step_(i, j), x);
        move.joule(i, j) = one.joule;
        move.next_step(i, j) = one.next_step_second;
      } catch (const NumericalError& error) {
        throw NumericalError(fmt::format("cell ({},{}): {}", i, j, error.what()));
      }
      move.state.set(i, j, x);
    }
  };
  if (parts == 1) {
    integrate(0);
  } else {
    parallel_for(parts, integrate);
  }
  move.integrated = count;
  report_.integrations += count;
  return move;
}

// v i over a straight line of v: what the integrators say, and for the other cells the trapezoidal
// rule or, where v changes much, Simpson's.
double Pulse::energy(const Move& move, const Fields& end, double length) const {
  const Matrix& from = at_.voltage;
  const Matrix& to = end.voltage;
  Vector joule = Vector::Zero(circuit_.wordlines());
  for_rows([&](Index i) {
    std::vector<double> x(cell_.states().size());
    std::vector<double> after(x.size());
    for (Index j = 0; j < circuit_.bitlines(); ++j) {
      if (circuit_.conductance(i, j) == 0) continue;
      if (move.next_step(i, j) > 0) {
        joule(i) += move.joule(i, j);
        continue;
      }
      const double ends = from(i, j) * at_.current(i, j) + to(i, j) * end.current(i, j);
      const double change = std::abs(to(i, j) - from(i, j));
      if (change <= straight_change * std::max(std::abs(from(i, j)), std::abs(to(i, j)))) {
        joule(i) += length / 2 * ends;
        continue;
      }
      state_.get(i, j, x);
      move.state.get(i, j, after);
      for (std::size_t k = 0; k < x.size(); ++k) x[k] = 0.5 * (x[k] + after[k]);
      const double middle = 0.5 * (from(i, j) + to(i, j));
      joule(i) += length / 6 * (ends + 4 * middle * cell_.current(middle, x));
    }
  });
  return joule.sum();
}

double Pulse::state_error(const ArrayState& a, const ArrayState& b) const {
  double worst = 0;
  for (std::size_t k = 0; k < a.states.size(); ++k) {
    const device::StateVariable& variable = cell_.states()[k];
    for (Index e = 0; e < a.states[k].size(); ++e) {
      const double x = b.states[k].data()[e];
      worst = std::max(worst, std::abs(a.states[k].data()[e] - x) / scale_of(variable, x));
    }
  }
  return worst;
}

void Pulse::finish(const ArrayState& initial) {
  const Matrix change = array_fraction(cell_, state_) - array_fraction(cell_, initial);
  for (Index i = 0; i < change.rows(); ++i) {
    for (Index j = 0; j < change.cols(); ++j) {
      if (wordlines_[static_cast<std::size_t>(i)] && bitlines_[static_cast<std::size_t>(j)])
        continue;
      if (report_.peak_volt(i, j) > report_.unselected_volt.value) {
        report_.unselected_volt = {report_.peak_volt(i, j), i, j};
      }
      if (std::abs(change(i, j)) > std::abs(report_.disturb.value)) {
        report_.disturb = {change(i, j), i, j};
      }
    }
  }
}

}  // namespace

Bias parse_bias(std::string_view name) {
  std::string small(name);
  if (small.starts_with('V')) small.front() = 'v';
  std::vector<std::string> names;
  for (const auto& [bias, known] : biases) {
    if (known == small) return bias;
    names.emplace_back(known);
  }
  throw InvalidArgument(fmt::format("bias: expected one of {}, got '{}'{}", fmt::join(names, ", "),
                                    name, did_you_mean(name, names)));
}

std::string_view bias_name(Bias bias) {
  for (const auto& [known, name] : biases) {
    if (known == bias) return name;
  }
  return "";
}

TerminalVoltage bias_voltage(Bias bias, const CellSelection& selection, Index wordlines,
                             Index bitlines) {
  double wordline = 0;
  double bitline = 0;
  if (bias == Bias::half) wordline = bitline = 1.0 / 2;
  if (bias == Bias::third) {
    wordline = 1.0 / 3;
    bitline = 2.0 / 3;
  }
  return {levels(chosen(selection.wordlines, wordlines, "wordlines"), 1, wordline),
          levels(chosen(selection.bitlines, bitlines, "bitlines"), 0, bitline)};
}

void check_written_circuit(const Circuit& circuit) {
  check_circuit(circuit);
  for (Index i = 0; i < circuit.wordlines(); ++i) {
    for (Index j = 0; j < circuit.bitlines(); ++j) {
      if (std::isfinite(circuit.conductance(i, j))) continue;
      throw InvalidArgument(fmt::format(
          "conductance: expected cells that can be written, got a shorted cell at ({},{})", i, j));
    }
  }
}

void check_write_options(const WriteOptions& options) {
  const auto check = [](const char* name, double tolerance) {
    constexpr double coarsest = 0.1;
    if (tolerance > 0 && tolerance <= coarsest) return;
    throw InvalidArgument(
        fmt::format("{}: expected more than 0 and up to 0.1, got {}", name, tolerance));
  };
  check("step_tolerance", options.step_tolerance);
  check("cell_tolerance", options.cell_tolerance);
}

double WriteEnergy::imbalance() const {
  if (delivered_joule == 0) return 0;
  const double spent = cells_joule + wordlines_joule + bitlines_joule + terminals_joule;
  return std::abs(delivered_joule - spent) / std::abs(delivered_joule);
}

WriteEnergy& WriteEnergy::operator+=(const WriteEnergy& other) {
  delivered_joule += other.delivered_joule;
  cells_joule += other.cells_joule;
  wordlines_joule += other.wordlines_joule;
  bitlines_joule += other.bitlines_joule;
  terminals_joule += other.terminals_joule;
  integrated_joule += other.integrated_joule;
  return *this;
}

WriteReport apply_pulse(const Circuit& circuit, const device::DynamicCell& cell,
                        const CellSelection& selection, Bias bias, const device::Waveform& waveform,
                        ArrayState& state, const WriteOptions& options) {
  check_written_circuit(circuit);
  check_array_state(cell, state, circuit.wordlines(), circuit.bitlines());
  check_write_options(options);
  Pulse pulse(circuit, cell, selection, bias, waveform, state, options);
  WriteReport report = pulse.run();
  state = pulse.state();
  return report;
}

}  // namespace xbar::solver
