#include "stage_solver.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <xbar/core/error.hpp>

namespace xbar::solver {
namespace {

constexpr int most_iterations = 1000;
// A system inside the preconditioner is solved to this share of itself.
constexpr double inner_tolerance = 1e-8;
// Voltages are not better than this share of themselves.
constexpr double rounding = 1e-15;

Matrix full(const Matrix& farad, Index rows, Index columns) {
  if (farad.size() == 0) return Matrix::Zero(rows, columns);
  if (farad.size() == 1) return Matrix::Constant(rows, columns, farad(0, 0));
  return farad;
}

double inner(const NodeVoltages& a, const NodeVoltages& b) {
  return a.wordline.cwiseProduct(b.wordline).sum() + a.bitline.cwiseProduct(b.bitline).sum();
}

}  // namespace

CapacitanceMatrix::CapacitanceMatrix(const Capacitance& capacitance, Index num_wordlines,
                                     Index num_bitlines) {
  const Index m = num_wordlines;
  const Index n = num_bitlines;
  diagonal_ = {full(capacitance.wordline_farad, m, n), full(capacitance.bitline_farad, m, n)};
  wordline_coupling_ = full(capacitance.wordline_coupling_farad, m - 1, n);
  bitline_coupling_ = full(capacitance.bitline_coupling_farad, m, n - 1);
  coupled_ = (wordline_coupling_.array() != 0).any() || (bitline_coupling_.array() != 0).any();
  const double first = diagonal_.wordline(0, 0);
  const bool equal =
      (diagonal_.wordline.array() == first).all() && (diagonal_.bitline.array() == first).all();
  if (!coupled_ && equal) uniform_ = first;
  diagonal_.wordline.topRows(m - 1) += wordline_coupling_;
  diagonal_.wordline.bottomRows(m - 1) += wordline_coupling_;
  diagonal_.bitline.leftCols(n - 1) += bitline_coupling_;
  diagonal_.bitline.rightCols(n - 1) += bitline_coupling_;
}

void CapacitanceMatrix::apply_coupling(const NodeVoltages& x, NodeVoltages& out) const {
  const Index m = x.wordline.rows();
  const Index n = x.wordline.cols();
  out.wordline.setZero(m, n);
  out.bitline.setZero(m, n);
  out.wordline.topRows(m - 1) += wordline_coupling_.cwiseProduct(x.wordline.bottomRows(m - 1));
  out.wordline.bottomRows(m - 1) += wordline_coupling_.cwiseProduct(x.wordline.topRows(m - 1));
  out.bitline.leftCols(n - 1) += bitline_coupling_.cwiseProduct(x.bitline.rightCols(n - 1));
  out.bitline.rightCols(n - 1) += bitline_coupling_.cwiseProduct(x.bitline.leftCols(n - 1));
}

void CapacitanceMatrix::apply(const NodeVoltages& x, NodeVoltages& out) const {
  apply_coupling(x, out);
  out.wordline = diagonal_.wordline.cwiseProduct(x.wordline) - out.wordline;
  out.bitline = diagonal_.bitline.cwiseProduct(x.bitline) - out.bitline;
}

double CapacitanceMatrix::row(bool on_wordline, Index i, Index j, const NodeVoltages& x) const {
  if (on_wordline) {
    double charge = diagonal_.wordline(i, j) * x.wordline(i, j);
    if (i > 0) charge -= wordline_coupling_(i - 1, j) * x.wordline(i - 1, j);
    if (i < wordline_coupling_.rows()) charge -= wordline_coupling_(i, j) * x.wordline(i + 1, j);
    return charge;
  }
  double charge = diagonal_.bitline(i, j) * x.bitline(i, j);
  if (j > 0) charge -= bitline_coupling_(i, j - 1) * x.bitline(i, j - 1);
  if (j < bitline_coupling_.cols()) charge -= bitline_coupling_(i, j) * x.bitline(i, j + 1);
  return charge;
}

double CapacitanceMatrix::energy(const NodeVoltages& x) const {
  NodeVoltages charge;
  apply(x, charge);
  return inner(x, charge);
}

StageSolver::StageSolver(Circuit circuit, const CapacitanceMatrix& capacitance, Scale scale,
                         double tolerance)
    : circuit_(std::move(circuit)),
      capacitance_(capacitance),
      scale_(std::move(scale)),
      tolerance_(tolerance) {
  const Matrix& C = capacitance.diagonal().bitline;
  bitline_peak_ = (C.array() * scale_.peak.bitline.array().square()).sum();
  all_peak_ =
      bitline_peak_ +
      (capacitance.diagonal().wordline.array() * scale_.peak.wordline.array().square()).sum();
}

void StageSolver::factor(double a) {
  a_ = a;
  if (factored_) circuit_ = line_.take_circuit();
  factor_lines();
}

void StageSolver::factor(double a, const Matrix& siemens) {
  a_ = a;
  if (factored_) circuit_ = line_.take_circuit();
  circuit_.conductance = siemens;
  factor_lines();
}

void StageSolver::factor_lines() {
  factored_ = true;
  line_.factor(std::move(circuit_),
               {a_ * capacitance_.diagonal().wordline, a_ * capacitance_.diagonal().bitline});
}

int StageSolver::solve_lines(const Problem& problem, double tolerance, bool correction,
                             NodeVoltages& x) {
  LineSolver::FieldProblem field{problem.wordline_voltage, problem.bitline_voltage};
  field.injected = &problem.injected;
  field.tolerance = tolerance;
  field.max_iterations = most_iterations;
  if (!correction) {
    field.guess = &problem.guess;
    const double finest = rounding / tolerance;
    field.energy_scale = std::max(scale_.bitline_energy,
                                  finest * finest * (scale_.bitline_energy + a_ * bitline_peak_));
  }
  const LineSolver::FieldReport report = line_.solve_fields(field, x);
  if (!report.converged) {
    throw NumericalError(
        fmt::format("not solved after {} iterations of the line method", report.iterations));
  }
  return report.iterations;
}

int StageSolver::solve(const Problem& problem, NodeVoltages& x) {
  const double tolerance = std::max(tolerance_, problem.tolerance);
  if (!capacitance_.coupled()) return solve_lines(problem, tolerance, false, x);
  // x = M^-1 (b + f + N guess) leaves b + f - (M - N) x = N (x - guess) to balance. M itself is
  // never applied (its entries may be infinite): with z = M^-1 r, the direction p = z + beta p has
  // M p = r + beta M p. Where nodes are merged, the parts of r are not defined but their sum is,
  // and z is the same in all of them; where they are held, z is 0.
  LineSolver::NodeCurrents f = problem.injected;
  NodeVoltages r;
  capacitance_.apply_coupling(problem.guess, r);
  f.wordline += a_ * r.wordline;
  f.bitline += a_ * r.bitline;
  int iterations = solve_lines(
      {problem.wordline_voltage, problem.bitline_voltage, f, problem.guess}, tolerance, false, x);
  NodeVoltages change{x.wordline - problem.guess.wordline, x.bitline - problem.guess.bitline};
  capacitance_.apply_coupling(change, r);
  r.wordline *= a_;
  r.bitline *= a_;

  const Vector grounded_wordlines = Vector::Zero(problem.wordline_voltage.size());
  const Vector grounded_bitlines = Vector::Zero(problem.bitline_voltage.size());
  // Of the power at rest: in short steps a C is so much that a share of it says nothing about the
  // currents. Rounding bounds what can be asked for.
  const double enough = std::max(tolerance * tolerance * scale_.energy,
                                 rounding * rounding * (scale_.energy + a_ * all_peak_));
  NodeVoltages z;
  NodeVoltages p;
  NodeVoltages Mp;
  NodeVoltages Np;
  double last_rz = 0;
  for (int step = 0; step < most_iterations; ++step) {
    const LineSolver::NodeCurrents residual{r.wordline, r.bitline};
    iterations +=
        solve_lines({grounded_wordlines, grounded_bitlines, residual, x}, inner_tolerance, true, z);
    const double rz = inner(r, z);
    if (rz <= enough) {
      // One step of the fixed point x = M^-1 (b + f + N x), as in the line method.
      x.wordline += z.wordline;
      x.bitline += z.bitline;
      return iterations;
    }
    if (step == 0) {
      p = z;
      Mp = r;
    } else {
      const double beta = rz / last_rz;
      p.wordline = z.wordline + beta * p.wordline;
      p.bitline = z.bitline + beta * p.bitline;
      Mp.wordline = r.wordline + beta * Mp.wordline;
      Mp.bitline = r.bitline + beta * Mp.bitline;
    }
    capacitance_.apply_coupling(p, Np);
    const double curvature = inner(p, Mp) - a_ * inner(p, Np);
    if (!(curvature > 0)) break;
    const double alpha = rz / curvature;
    x.wordline += alpha * p.wordline;
    x.bitline += alpha * p.bitline;
    r.wordline -= alpha * (Mp.wordline - a_ * Np.wordline);
    r.bitline -= alpha * (Mp.bitline - a_ * Np.bitline);
    last_rz = rz;
  }
  throw NumericalError(fmt::format(
      "not solved after {} iterations over the capacitances between lines", most_iterations));
}

void StageSolver::estimate(const LineSolver::NodeCurrents& f, NodeVoltages& x) {
  const Vector V = Vector::Zero(f.wordline.rows());
  const Vector B = Vector::Zero(f.wordline.cols());
  LineSolver::FieldProblem field{V, B};
  field.injected = &f;
  field.max_iterations = 0;
  line_.solve_fields(field, x);
}

}  // namespace xbar::solver
