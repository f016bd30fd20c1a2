#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/isa.hpp>
#include <xbar/core/parallel.hpp>
#include <xbar/core/stopwatch.hpp>
#include <xbar/solver/newton.hpp>
#include <xbar/solver/transient.hpp>

#include "conductance_sum.hpp"
#include "newton_iteration.hpp"
#include "stage_solver.hpp"
#include "stage_tangent_solver.hpp"
#include "terminal_currents.hpp"
#include "transient_drive.hpp"
#include "transient_kernels.hpp"

#define KERNEL(function) XBAR_DISPATCH(::xbar::solver, function)

namespace xbar::solver {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

// TR-BDF2: a trapezoidal step of gamma h, then BDF2 over the whole step. With this gamma both
// stages have the matrix K + stage_rate / h C [Bank1985; Hosea1996].
const double gamma = 2.0 - std::sqrt(2.0);
const double stage_rate = 2.0 + std::sqrt(2.0);
// The error of a step is error_constant h^3 x'''.
const double error_constant = (3 * gamma * gamma - 4 * gamma + 2) / (12 * (2 - gamma));

// Systems are solved to this share of the tolerance.
constexpr double solve_share = 1e-2;
// What a parabola through the last step leaves of the cells' residual, relative to the peak, at
// most usually: better than this, Newton's first tangents are worth an accurate solution.
constexpr double close_guess = 1e-6;
// Where Newton's method takes more, a shorter step is cheaper.
constexpr int most_newton_iterations = 40;
// A step shorter than this share of the interval between two corners is given up. Nodes behind a
// few ohms relax in 1e-17 s, a thousandth of which a corner takes, and inputs may last for 1 us.
constexpr double shortest_step = 1e-16;

// Step lengths change by this factor at least, so that a factored matrix serves for several steps.
constexpr double worth_factoring = 1.2;
constexpr double fastest_growth = 8;
constexpr double safety = 0.85;

// Final currents below this share of the peak settle to a share of this one.
constexpr double settling_floor = 1e-3;

// Fields of more values than this are worth more than one thread.
constexpr Index parallel_values = Index{256} * 256;

// body(begin, end) over the values of a field.
template <typename Body>
void for_chunks(Index count, const Body& body) {
  if (count <= parallel_values) {
    body(0, count);
    return;
  }
  const Index chunks = (count + parallel_values - 1) / parallel_values;
  parallel_for(chunks, [&](Index chunk) {
    body(chunk * parallel_values, std::min((chunk + 1) * parallel_values, count));
  });
}

// What is known at one moment.
struct Moment {
  Terminals terminals;
  NodeVoltages nodes;
  Matrix cell_current;   // I(u - w), m x n, of cells that are not linear
  Vector current;        // through the sinks, n
  double delivered = 0;  // power, watt; without what flows into capacitors of held nodes
  double dissipated = 0;
};

class Integrator {
 public:
  // cells: null for linear ones
  Integrator(const Circuit& circuit, const device::CellModel* cells, const Capacitance& capacitance,
             const TransientInput& input, const TransientOptions& options)
      : circuit_(circuit),
        cells_(cells),
        options_(options),
        m_(circuit.wordlines()),
        n_(circuit.bitlines()),
        drive_(input, m_, n_, options.stop_second),
        capacitance_(capacitance, m_, n_),
        ends_(circuit),
        peak_(drive_.peak()),
        stages_(circuit, capacitance_, scale(), solve_share * options.tolerance) {
    linear_siemens_ = cells_ == nullptr ? circuit.conductance : Matrix(Matrix::Zero(m_, n_));
    if (cells_ != nullptr) {
      auto tangents = std::make_unique<StageTangentSolver>(stages_);
      tangents_ = tangents.get();
      newton_.emplace(circuit, *cells_, std::move(tangents),
                      NewtonIteration::Settings{.tolerance = solve_share * options.tolerance,
                                                .current_scale = cells_ampere_,
                                                .max_iterations = most_newton_iterations,
                                                .confirm = false});
    }
    wordline_siemens_ = Matrix::Zero(m_, n_);
    bitline_siemens_ = Matrix::Zero(m_, n_);
    const auto siemens = [](double ohm) { return ohm > 0 ? 1.0 / ohm : 0.0; };
    for (Index i = 0; i < m_; ++i) {
      for (Index j = 0; j < n_; ++j) {
        if (j + 1 < n_) wordline_siemens_(i, j) = siemens(circuit.wordline_segment_ohm(i, j));
        if (i + 1 < m_) bitline_siemens_(i, j) = siemens(circuit.bitline_segment_ohm(i, j));
      }
    }
  }

  TransientResult run() {
    const Stopwatch watch;
    begin();
    for (const Interval& interval : drive_.intervals()) integrate(interval);
    finish();
    result_.report.seconds = watch.seconds();
    return std::move(result_);
  }

 private:
  // Voltages and currents of the peak input at rest, against which errors are measured.
  StageSolver::Scale scale() {
    StageSolver::Scale scale;
    Moment rest;
    if (cells_ == nullptr) {
      scale.bitline_energy = linear_rest(rest);
    } else {
      nonlinear_rest(rest);
      // What the cells bring into the bitlines is a lower bound of that energy.
      scale.bitline_energy = rest.cell_current.cwiseProduct(rest.nodes.bitline).cwiseAbs().sum();
    }
    const Vector current = ends_.bitline(peak_.bitline, rest.nodes, brought(rest));
    scale.energy =
        std::abs(peak_.wordline.dot(ends_.wordline(peak_.wordline, rest.nodes, brought(rest))) -
                 peak_.bitline.dot(current));
    scale.peak = std::move(rest.nodes);
    wordline_volt_ =
        std::max(peak_.wordline.lpNorm<Eigen::Infinity>(), peak_.bitline.lpNorm<Eigen::Infinity>());
    // Where nothing reaches the bitlines at rest, they still are not better than this.
    bitline_volt_ = std::max(scale.peak.bitline.cwiseAbs().maxCoeff(), 1e-6 * wordline_volt_);
    ampere_ = current.lpNorm<Eigen::Infinity>();
    return scale;
  }

  // @return the energy of the bitline voltages
  double linear_rest(Moment& rest) const {
    LineSolver solver;
    solver.factor(circuit_);
    const LineSolver::FieldProblem problem{peak_.wordline, peak_.bitline};
    const LineSolver::FieldReport report = solver.solve_fields(problem, rest.nodes);
    if (!report.converged) {
      throw NumericalError(fmt::format(
          "transient: the array at rest is not solved after {} iterations of the line method",
          report.iterations));
    }
    return report.energy;
  }

  void nonlinear_rest(Moment& rest) {
    NewtonOptions options;
    options.node_voltages = true;
    NewtonResult result = solve_newton(circuit_, *cells_, {peak_.wordline, peak_.bitline}, options);
    rest.nodes = std::move(result.nodes.front());
    rest.cell_current = std::move(result.cell_current.front());
    // Cells that are off at rest need not be better than what charges the nodes.
    const NodeVoltages& C = capacitance_.diagonal();
    const double charge = std::hypot(C.wordline.cwiseProduct(rest.nodes.wordline).norm(),
                                     C.bitline.cwiseProduct(rest.nodes.bitline).norm());
    cells_ampere_ = std::max(rest.cell_current.norm(), charge / options_.stop_second);
  }

  // For TerminalCurrents.
  [[nodiscard]] const Matrix* brought(const Moment& moment) const {
    return cells_ == nullptr ? nullptr : &moment.cell_current;
  }

  void begin() {
    const Index K = options_.steps;
    result_.time.setLinSpaced(K + 1, 0.0, options_.stop_second);
    result_.current.setZero(K + 1, n_);
    next_output_ = 1;
    if (options_.settle_tolerance > 0) {
      const Terminals final = drive_.final();
      const TerminalVoltage terminals{final.wordline, final.bitline};
      result_.final_current = cells_ == nullptr
                                  ? solver::solve(circuit_, terminals).current.col(0)
                                  : solve_newton(circuit_, *cells_, terminals).current.col(0);
      result_.settling_second.setZero(n_);
      settling_band_ = options_.settle_tolerance *
                       result_.final_current.cwiseAbs().cwiseMax(settling_floor * ampere_);
    }
    const Matrix zero = Matrix::Zero(m_, n_);
    now_.terminals = {Vector::Zero(m_), Vector::Zero(n_)};
    for (Moment* moment : {&now_, &middle_, &next_, &before_, &before_middle_})
      moment->nodes = {zero, zero};
    if (cells_ != nullptr) now_.cell_current = zero;
    now_.current = Vector::Zero(n_);
    injected_ = {zero, zero};
    guess_ = {zero, zero};
  }

  void integrate(const Interval& interval) {
    const double length = interval.end - interval.begin;
    Index left = 1;  // steps to the end of the interval
    if (options_.fixed_step_second > 0) {
      left = count_steps(length, options_.fixed_step_second);
    } else if (!interval.jump) {
      left = count_steps(length, step_ > 0 ? std::min(step_, length / 4) : length / 16);
    }
    double done = 0;
    double h = length / static_cast<double>(left);
    has_past_ = false;
    while (left > 0) {
      const double begin = interval.begin + done;
      report_progress(begin);
      const double share = done / length;
      const double end_share = left == 1 ? 1.0 : (done + h) / length;
      double error = infinity;
      std::string why;
      try {
        error = attempt(interval, share, end_share, h);
        why = fmt::format(
            "the error is still {:.3g} times the tolerance; a smaller tolerance than double "
            "precision allows?",
            error);
      } catch (const NumericalError& failure) {
        // The shorter the step, the closer are the cells to where they were.
        why = failure.what();
        if (cells_ == nullptr || options_.fixed_step_second > 0) fail(begin, h, why);
      }
      const bool accepted = options_.fixed_step_second > 0 || error <= 1;
      const double wish =
          h * std::clamp(safety / std::cbrt(error), 0.1, has_past_ ? 2.0 : fastest_growth);
      if (accepted) {
        accept(begin, left == 1 ? interval.end : begin + h, h, error);
        done = length * end_share;
        --left;
        if (!interval.jump) step_ = h;
        if (left == 0) break;
      } else {
        ++result_.report.rejected;
      }
      if (options_.fixed_step_second > 0) continue;
      if (accepted && wish < worth_factoring * h && wish > safety * h) continue;
      const Index count = count_steps(length - done, wish);
      const double changed = (length - done) / static_cast<double>(count);
      if (accepted && changed > h && changed < worth_factoring * h) continue;
      left = count;
      h = changed;
      if (!(h > shortest_step * length)) fail(begin, h, why);
    }
  }

  [[noreturn]] static void fail(double time, double h, const std::string& why) {
    throw NumericalError(fmt::format("transient: at {:.6g} s, step {:.3g} s: {}", time, h, why));
  }

  static Index count_steps(double length, double step) {
    constexpr double most = 1e18;
    const double count = std::ceil(length / step * (1 - 1e-9));
    // Also where an error that is no number leaves no step: so many are given up.
    return count < most ? std::max<Index>(1, static_cast<Index>(count)) : static_cast<Index>(most);
  }

  void report_progress(double time) const {
    if (!options_.progress) return;
    options_.progress(
        {"transient", time, options_.stop_second, fmt::format("{} steps", result_.report.steps)});
  }

  // Computes middle_ and next_ from now_. @return estimated error / tolerance
  double attempt(const Interval& interval, double share, double end_share, double h) {
    const double a = stage_rate / h;
    if (!(std::abs(a - a_) <= 1e-12 * a)) {
      a_ = a;
      if (cells_ == nullptr) {
        stages_.factor(a);
        ++result_.report.factors;
      }
    }
    // C (x_middle - x) a = i(x_middle) + i(x), where i(x) = C dx/dt is what flows into the nodes:
    // at the end of the last step a parabola's slope.
    middle_.terminals = drive_.at(interval, share + gamma * (end_share - share));
    times_capacitance({a_ + rate_[0], rate_[1], rate_[2]}, now_.nodes, before_middle_.nodes,
                      before_.nodes);
    guess(h);
    solve_stage(middle_);
    // C dx/dt at the end is that of the parabola through the three points.
    next_.terminals = drive_.at(interval, end_share);
    const double from_middle = a_ / (stage_rate * gamma * (1 - gamma));
    const double from_now = a_ * (1 - gamma) / (stage_rate * gamma);
    times_capacitance({from_middle, -from_now, 0}, middle_.nodes, now_.nodes, now_.nodes);
    guess_end(h);
    solve_stage(next_);
    // Also if the step is repeated: what charges the nodes behind a corner may be much more than
    // what flows at rest, and then the step that finds it is too long.
    ampere_ = std::max(ampere_, next_.current.lpNorm<Eigen::Infinity>());
    next_rate_ = {a_, -from_middle, from_now};
    return (has_past_ ? difference_error(h) : filtered_error(h)) / options_.tolerance;
  }

  // The moment whose terminals are set and into which the past brings injected_, from guess_.
  void solve_stage(Moment& moment) {
    const Vector& V = moment.terminals.wordline;
    const Vector& B = moment.terminals.bitline;
    TransientReport& report = result_.report;
    if (cells_ == nullptr) {
      report.iterations += stages_.solve({V, B, injected_, guess_}, moment.nodes);
      ++report.solves;
    } else {
      tangents_->set(a_, injected_, guess_);
      newton_->solve(V, B, &guess_, has_past_ ? close_guess : 1.0);
      report.factors += newton_->path().iterations;
      report.solves += newton_->path().iterations;
      report.iterations += newton_->path().inner_iterations;
      moment.nodes = newton_->nodes();
      moment.cell_current = newton_->cell_current();
    }
    moment.current = ends_.bitline(B, moment.nodes, brought(moment));
  }

  // injected_ = C (k0 x0 + k1 x1 + k2 x2)
  void times_capacitance(const std::array<double, 3>& k, const NodeVoltages& x0,
                         const NodeVoltages& x1, const NodeVoltages& x2) {
    if (const auto farad = capacitance_.uniform()) {
      const std::array<double, 3> scaled = {*farad * k[0], *farad * k[1], *farad * k[2]};
      combine(nullptr, scaled, x0.wordline, x1.wordline, x2.wordline, injected_.wordline);
      combine(nullptr, scaled, x0.bitline, x1.bitline, x2.bitline, injected_.bitline);
      return;
    }
    if (!capacitance_.coupled()) {
      const NodeVoltages& C = capacitance_.diagonal();
      combine(&C.wordline, k, x0.wordline, x1.wordline, x2.wordline, injected_.wordline);
      combine(&C.bitline, k, x0.bitline, x1.bitline, x2.bitline, injected_.bitline);
      return;
    }
    NodeVoltages sum{Matrix(m_, n_), Matrix(m_, n_)};
    combine(nullptr, k, x0.wordline, x1.wordline, x2.wordline, sum.wordline);
    combine(nullptr, k, x0.bitline, x1.bitline, x2.bitline, sum.bitline);
    NodeVoltages charge;
    capacitance_.apply(sum, charge);
    injected_.wordline = std::move(charge.wordline);
    injected_.bitline = std::move(charge.bitline);
  }

  static void combine(const Matrix* C, const std::array<double, 3>& k, const Matrix& x0,
                      const Matrix& x1, const Matrix& x2, Matrix& out) {
    for_chunks(out.size(), [&](Index begin, Index end) {
      KERNEL(combine)
      (end - begin, C != nullptr ? C->data() + begin : nullptr, k.data(), x0.data() + begin,
       x1.data() + begin, x2.data() + begin, out.data() + begin);
    });
  }

  static double largest_combination(const std::array<double, 4>& k, const Matrix& x0,
                                    const Matrix& x1, const Matrix& x2, const Matrix& x3) {
    const Index chunks = x0.size() / parallel_values + 1;
    Vector parts = Vector::Zero(chunks);
    for_chunks(x0.size(), [&](Index begin, Index end) {
      parts(begin / parallel_values) =
          KERNEL(largest_combination)(end - begin, k.data(), x0.data() + begin, x1.data() + begin,
                                      x2.data() + begin, x3.data() + begin);
    });
    return parts.maxCoeff<Eigen::PropagateNaN>();
  }

  // Where the middle will be: on the parabola through the last step, as far as there is one. The
  // line method starts from the bitline voltages alone, Newton's from those of the cells.
  void guess(double h) {
    if (!has_past_) {
      guess_ = now_.nodes;
      return;
    }
    extrapolate({-past_h_, -(1 - gamma) * past_h_, 0}, gamma * h, before_.nodes,
                before_middle_.nodes, now_.nodes);
  }

  void guess_end(double h) {
    if (!has_past_) {
      extrapolate({0, gamma * h, 0}, h, now_.nodes, middle_.nodes, now_.nodes);
      return;
    }
    extrapolate({-past_h_, 0, gamma * h}, h, before_.nodes, now_.nodes, middle_.nodes);
  }

  // guess_ = the parabola through x(t[k]) at time t, or the line if t[2] = t[0].
  void extrapolate(const std::array<double, 3>& at, double t, const NodeVoltages& x0,
                   const NodeVoltages& x1, const NodeVoltages& x2) {
    std::array<double, 3> k = {0, 0, 0};
    if (at[2] == at[0]) {
      k = {(at[1] - t) / (at[1] - at[0]), (t - at[0]) / (at[1] - at[0]), 0};
    } else {
      for (std::size_t e = 0; e < 3; ++e) {
        const std::size_t f = (e + 1) % 3;
        const std::size_t g = (e + 2) % 3;
        k[e] = (t - at[f]) * (t - at[g]) / ((at[e] - at[f]) * (at[e] - at[g]));
      }
    }
    if (capacitance_.coupled() || cells_ != nullptr) {
      combine(nullptr, k, x0.wordline, x1.wordline, x2.wordline, guess_.wordline);
    }
    combine(nullptr, k, x0.bitline, x1.bitline, x2.bitline, guess_.bitline);
  }

  [[nodiscard]] double relative(double wordline, double bitline, double ampere) const {
    const auto share = [](double error, double scale) { return error == 0 ? 0.0 : error / scale; };
    const double volts = std::max(share(wordline, wordline_volt_), share(bitline, bitline_volt_));
    // std::max drops a NaN on its right.
    return ampere_ > 0 ? std::max(share(ampere, ampere_), volts) + 0 * (volts + ampere) : volts;
  }

  // x''' from the third divided difference over the last step and this one.
  double difference_error(double h) {
    const std::array<double, 4> t = {-past_h_, 0, gamma * h, h};
    std::array<double, 4> k = {};
    for (std::size_t e = 0; e < 4; ++e) {
      double product = 1;
      for (std::size_t f = 0; f < 4; ++f) {
        if (f != e) product *= (t[e] - t[f]) / h;
      }
      k[e] = 6 * error_constant / product;
    }
    const Vector ampere = k[0] * before_.current + k[1] * now_.current + k[2] * middle_.current +
                          k[3] * next_.current;
    return relative(largest_combination(k, before_.nodes.wordline, now_.nodes.wordline,
                                        middle_.nodes.wordline, next_.nodes.wordline),
                    largest_combination(k, before_.nodes.bitline, now_.nodes.bitline,
                                        middle_.nodes.bitline, next_.nodes.bitline),
                    ampere.lpNorm<Eigen::Infinity>());
  }

  // The embedded estimate, error_constant h^3 x''' = 2 error_constant h (x' difference), behind a
  // corner, where there is no past. The stiff part of x', which the step itself damps, is filtered
  // out by a solution with the matrix of the stages [Hosea1996].
  double filtered_error(double h) {
    // i(x_middle) by the equation of the first stage, i(x_next) by that of the second:
    //   i_middle = a C (x_middle - x) - i,  i_next = C (parabola'), here with the weights of the
    // estimate, i / gamma - i_middle / (gamma (1 - gamma)) + i_next / (1 - gamma).
    const double w0 = 1 / gamma;
    const double w1 = -1 / (gamma * (1 - gamma));
    const double w2 = 1 / (1 - gamma);
    const auto& q = next_rate_;  // of next, middle, now
    times_capacitance({w2 * q[0], w1 * a_ + w2 * q[1], -w1 * a_ + w2 * q[2]}, next_.nodes,
                      middle_.nodes, now_.nodes);
    const LineSolver::NodeCurrents rest = injected_;
    times_capacitance(rate_, now_.nodes, before_middle_.nodes, before_.nodes);
    injected_.wordline = rest.wordline + (w0 - w1) * injected_.wordline;
    injected_.bitline = rest.bitline + (w0 - w1) * injected_.bitline;
    // C e = 2 error_constant h (...), and the filter multiplies by (K + a C)^-1 a C.
    const double factor = 2 * error_constant * h * a_;
    injected_.wordline *= factor;
    injected_.bitline *= factor;
    NodeVoltages error;
    stages_.estimate(injected_, error);
    ++result_.report.solves;
    Matrix cells;
    if (cells_ != nullptr) {
      cells = newton_->tangent_siemens().cwiseProduct(error.wordline - error.bitline);
    }
    return relative(error.wordline.cwiseAbs().maxCoeff(), error.bitline.cwiseAbs().maxCoeff(),
                    ends_.bitline(Vector::Zero(n_), error, cells_ == nullptr ? nullptr : &cells)
                        .lpNorm<Eigen::Infinity>());
  }

  void accept(double begin, double end, double h, double error) {
    TransientReport& report = result_.report;
    ++report.steps;
    report.largest_error = std::max(report.largest_error, error * options_.tolerance);
    add_energy(h);
    write_outputs(begin, end);
    if (options_.settle_tolerance > 0) follow_settling(begin, end);
    rate_ = next_rate_;
    const Matrix& w = next_.nodes.bitline;
    bitline_volt_ = std::max(bitline_volt_, largest_combination({1, 0, 0, 0}, w, w, w, w));
    std::swap(before_, now_);
    std::swap(now_, next_);
    std::swap(before_middle_, middle_);
    past_h_ = h;
    has_past_ = true;
  }

  void evaluate_power(Moment& moment) const {
    const Matrix& u = moment.nodes.wordline;
    const Matrix& w = moment.nodes.bitline;
    // In bands of rows; a band needs the row below it.
    const Index band = std::max<Index>(1, parallel_values / n_);
    Vector parts = Vector::Zero((m_ + band - 1) / band);
    const auto add = [&](Index part) {
      const Index first = part * band;
      const Index rows = std::min(band, m_ - first);
      const Index at = first * n_;
      parts(part) =
          KERNEL(dissipation)(rows, n_, linear_siemens_.data() + at, wordline_siemens_.data() + at,
                              bitline_siemens_.data() + at, u.data() + at, w.data() + at);
      if (first + rows == m_) return;
      const Index last = first + rows - 1;
      parts(part) +=
          (bitline_siemens_.row(last).array() * (w.row(last) - w.row(last + 1)).array().square())
              .sum();
    };
    if (parts.size() == 1) {
      add(0);
    } else {
      parallel_for(parts.size(), add);
    }
    moment.dissipated = parts.sum() + ends_.dissipation(moment.terminals.wordline,
                                                        moment.terminals.bitline, moment.nodes);
    if (cells_ != nullptr) moment.dissipated += moment.cell_current.cwiseProduct(u - w).sum();
    moment.delivered = moment.terminals.wordline.dot(ends_.wordline(
                           moment.terminals.wordline, moment.nodes, brought(moment))) -
                       moment.terminals.bitline.dot(moment.current);
  }

  // Integrates the powers over the step, exactly for parabolas: through the ends of the last step
  // and of this one, or behind a corner through the three moments of this step.
  void add_energy(double h) {
    evaluate_power(next_);
    const double middle = 1 / (6 * gamma * (1 - gamma));
    const double end = 0.5 - gamma * middle;
    const std::array<double, 3> weight = {1 - middle - end, middle, end};
    TransientReport& report = result_.report;
    if (has_past_) {
      const double ratio = h / past_h_;
      const double before = -ratio * ratio / (6 * (1 + ratio));
      const double now = (3 + ratio) / 6;
      const double next = (3 + 2 * ratio) / (6 * (1 + ratio));
      report.dissipated_joule +=
          h * (before * before_.dissipated + now * now_.dissipated + next * next_.dissipated);
      report.delivered_joule +=
          h * (before * before_.delivered + now * now_.delivered + next * next_.delivered);
    } else {
      evaluate_power(middle_);
      report.dissipated_joule += h * (weight[0] * now_.dissipated + weight[1] * middle_.dissipated +
                                      weight[2] * next_.dissipated);
      report.delivered_joule += h * (weight[0] * now_.delivered + weight[1] * middle_.delivered +
                                     weight[2] * next_.delivered);
    }
    // What flows into the capacitors of held nodes comes from their terminals. x' of the parabola:
    const std::array<std::array<double, 3>, 3> slope = {
        {{-(1 + gamma) / gamma, 1 / (gamma * (1 - gamma)), -gamma / (1 - gamma)},
         {-(1 - gamma) / gamma, (1 - 2 * gamma) / (gamma * (1 - gamma)), gamma / (1 - gamma)},
         {(1 - gamma) / gamma, -1 / (gamma * (1 - gamma)), (2 - gamma) / (1 - gamma)}}};
    for (const TerminalCurrents::HeldNode& node : ends_.held()) {
      const auto charge = [&](const Moment& moment) {
        return capacitance_.row(node.on_wordline, node.i, node.j, moment.nodes);
      };
      const auto volt = [&](const Moment& moment) {
        return node.on_wordline ? moment.nodes.wordline(node.i, node.j)
                                : moment.nodes.bitline(node.i, node.j);
      };
      const std::array<double, 3> q = {charge(now_), charge(middle_), charge(next_)};
      const std::array<double, 3> v = {volt(now_), volt(middle_), volt(next_)};
      for (std::size_t e = 0; e < 3; ++e) {
        report.delivered_joule +=
            weight[e] * v[e] * (slope[e][0] * q[0] + slope[e][1] * q[1] + slope[e][2] * q[2]);
      }
    }
  }

  // Currents within the step: the parabola through its three moments, third order like the step.
  void write_outputs(double begin, double end) {
    const Index K = options_.steps;
    const bool last = end >= options_.stop_second;
    for (; next_output_ <= K; ++next_output_) {
      const double time = result_.time(next_output_);
      if (time > end && !last) return;
      const double s = std::clamp((time - begin) / (end - begin), 0.0, 1.0);
      result_.current.row(next_output_) = ((s - gamma) * (s - 1) / gamma * now_.current -
                                           s * (s - 1) / (gamma * (1 - gamma)) * middle_.current +
                                           s * (s - gamma) / (1 - gamma) * next_.current)
                                              .transpose();
    }
  }

  // The last moment in this step, if there is one, at which a bitline is not within its band.
  void follow_settling(double begin, double end) {
    for (Index j = 0; j < n_; ++j) {
      const double d0 = now_.current(j) - result_.final_current(j);
      const double d1 = middle_.current(j) - result_.final_current(j);
      const double d2 = next_.current(j) - result_.final_current(j);
      const double band = settling_band_(j);
      if (!(std::abs(d2) <= band)) {
        result_.settling_second(j) = end;
        continue;
      }
      // d(s) = d0 + s (p + s r)
      const double r = (d2 - d0) / (1 - gamma) - (d1 - d0) / (gamma * (1 - gamma));
      const double p = d2 - d0 - r;
      double latest = -1;
      for (const double edge : {band, -band}) {
        const double c = d0 - edge;
        const double discriminant = p * p - 4 * r * c;
        if (discriminant < 0) continue;
        const double t = -0.5 * (p + std::copysign(std::sqrt(discriminant), p));
        for (const double s : {t / r, c / t}) {
          if (s > 0 && s <= 1) latest = std::max(latest, s);
        }
      }
      if (latest > 0) result_.settling_second(j) = begin + latest * (end - begin);
    }
  }

  void finish() {
    TransientReport& report = result_.report;
    report.stored_joule = 0.5 * capacitance_.energy(now_.nodes);
    const double scale =
        std::max({std::abs(report.delivered_joule), report.dissipated_joule, report.stored_joule});
    const double missing = report.delivered_joule - report.dissipated_joule - report.stored_joule;
    report.energy_imbalance = missing == 0 ? 0.0 : std::abs(missing) / scale;
    for (Index j = 0; j < result_.settling_second.size(); ++j) {
      const double distance = std::abs(now_.current(j) - result_.final_current(j));
      if (!(distance <= settling_band_(j))) result_.settling_second(j) = infinity;
    }
    if (options_.node_voltages) result_.nodes = now_.nodes;
  }

  const Circuit& circuit_;
  const device::CellModel* cells_;
  const TransientOptions& options_;
  Index m_;
  Index n_;
  Drive drive_;
  CapacitanceMatrix capacitance_;
  TerminalCurrents ends_;
  Terminals peak_;
  // Peaks: errors are shares of these. scale() sets them, before stages_ is made.
  double wordline_volt_ = 0;
  double bitline_volt_ = 0;
  double ampere_ = 0;
  double cells_ampere_ = 0;  // 2-norm over all cells that are not linear
  StageSolver stages_;
  StageTangentSolver* tangents_ = nullptr;  // newton_'s
  std::optional<NewtonIteration> newton_;
  Matrix linear_siemens_;    // m x n: of linear cells
  Matrix wordline_siemens_;  // m x n: segment (i,j) -- (i,j+1); the last column is 0
  Matrix bitline_siemens_;   // m x n: segment (i,j) -- (i+1,j); the last row is 0

  TransientResult result_;
  Moment before_, before_middle_;  // the last step
  Moment now_, middle_, next_;     // this step
  LineSolver::NodeCurrents injected_;
  NodeVoltages guess_;
  // dx/dt = k0 x_now + k1 x_before_middle + k2 x_before, the slope of the last step's parabola; and
  // that of this step at its end.
  std::array<double, 3> rate_ = {};
  std::array<double, 3> next_rate_ = {};
  Vector settling_band_;
  Index next_output_ = 1;
  double step_ = 0;    // the last one that was accepted, over all intervals
  double past_h_ = 0;  // length of the last step in this interval
  bool has_past_ = false;
  double a_ = 0;  // stage_rate / h of the step that is tried
};

void check_options(const TransientOptions& options) {
  const auto refuse = [](const char* name, const char* expected, double found) {
    throw InvalidArgument(fmt::format("{}: expected {}, got {}", name, expected, found));
  };
  if (!(options.stop_second > 0) || !std::isfinite(options.stop_second)) {
    refuse("stop_second", "a time > 0 s", options.stop_second);
  }
  if (options.steps < 1) {
    throw InvalidArgument(fmt::format("steps: expected at least 1, got {}", options.steps));
  }
  if (!(options.tolerance >= 1e-12) || !(options.tolerance <= 0.1)) {
    refuse("tolerance", "a value from 1e-12 to 0.1", options.tolerance);
  }
  if (!(options.fixed_step_second >= 0) || !std::isfinite(options.fixed_step_second)) {
    refuse("fixed_step_second", "a time >= 0 s", options.fixed_step_second);
  }
  if (!(options.settle_tolerance >= 0) || !(options.settle_tolerance < 1)) {
    refuse("settle_tolerance", "a value >= 0 and below 1", options.settle_tolerance);
  }
}

// cells: null for linear ones
TransientResult integrate(const Circuit& circuit, const device::CellModel* cells,
                          const Capacitance& capacitance, const TransientInput& input,
                          const TransientOptions& options) {
  check_circuit(circuit);
  check_options(options);
  check_capacitance(capacitance, circuit.wordlines(), circuit.bitlines());
  if (!(conductance_sum(circuit.conductance) < infinity)) {
    throw InvalidArgument(
        "transient: shorted cells join lines, which the time steps take as separate; give them a "
        "large conductance instead");
  }
  return Integrator(circuit, cells, capacitance, input, options).run();
}

}  // namespace

Capacitance make_capacitance(double node_farad, double coupling_farad) {
  const Matrix node = Matrix::Constant(1, 1, node_farad);
  const Matrix coupling = Matrix::Constant(1, 1, coupling_farad);
  return {node, node, coupling, coupling};
}

void check_capacitance(const Capacitance& capacitance, Index num_wordlines, Index num_bitlines) {
  const auto check = [](const char* name, const Matrix& farad, Index rows, Index columns) {
    const bool fits = farad.size() <= 1 || (farad.rows() == rows && farad.cols() == columns);
    if (!fits) {
      throw InvalidArgument(fmt::format("{}: expected 1 x 1 or {} x {}, got {} x {}", name, rows,
                                        columns, farad.rows(), farad.cols()));
    }
    for (Index e = 0; e < farad.size(); ++e) {
      const double value = farad.data()[e];
      if (value >= 0 && std::isfinite(value)) continue;
      throw InvalidArgument(fmt::format("{}: expected finite values >= 0 farad, got {} at ({}, {})",
                                        name, value, e / farad.cols(), e % farad.cols()));
    }
  };
  const Index m = num_wordlines;
  const Index n = num_bitlines;
  check("wordline_farad", capacitance.wordline_farad, m, n);
  check("bitline_farad", capacitance.bitline_farad, m, n);
  check("wordline_coupling_farad", capacitance.wordline_coupling_farad, m - 1, n);
  check("bitline_coupling_farad", capacitance.bitline_coupling_farad, m, n - 1);
}

std::string TransientReport::brief() const {
  return fmt::format(
      "{} steps, {} repeated, {} factored matrices, {} linear systems, {:.2g} iterations each; "
      "energy balance to {:.1e}; {:.3g} ms",
      steps, rejected, factors, solves,
      static_cast<double>(iterations) / static_cast<double>(std::max<Index>(solves, 1)),
      energy_imbalance, 1e3 * seconds);
}

TransientResult transient(const Circuit& circuit, const Capacitance& capacitance,
                          const TransientInput& input, const TransientOptions& options) {
  return integrate(circuit, nullptr, capacitance, input, options);
}

TransientResult transient(const Circuit& circuit, const device::CellModel& cells,
                          const Capacitance& capacitance, const TransientInput& input,
                          const TransientOptions& options) {
  return integrate(circuit, &cells, capacitance, input, options);
}

}  // namespace xbar::solver
