/// Arrays of non-linear cells: by hand, by both inner methods, against files and ngspice.

#include <charconv>
#include <cmath>
#include <limits>
#include <sstream>
#include <string>
#include <string_view>

#include <xbar/core/error.hpp>
#include <xbar/device/cell_models.hpp>
#include <xbar/solver/branch_currents.hpp>
#include <xbar/solver/newton.hpp>

#include "support/arrays.hpp"
#include "support/catch.hpp"
#include "support/message.hpp"
#include "support/ngspice.hpp"
#include "support/random_circuit.hpp"
#include "support/reference_arrays.hpp"

using xbar::Index;
using xbar::Matrix;
using xbar::Vector;
using xbar::device::make_cell_model;
using xbar::solver::Circuit;
using xbar::solver::make_circuit;
using xbar::solver::NewtonMethod;
using xbar::solver::NewtonOptions;
using xbar::solver::NewtonResult;
using xbar::solver::solve_newton;
using xbar_test::Contains;
using xbar_test::message_of;
using xbar_test::relative_error;

namespace {

constexpr double open = std::numeric_limits<double>::infinity();
constexpr NewtonMethod methods[] = {NewtonMethod::line, NewtonMethod::klu};

NewtonOptions by(NewtonMethod method) {
  NewtonOptions options;
  options.method = method;
  options.node_voltages = true;
  return options;
}

std::unique_ptr<xbar::device::CellModel> sinh_cell(double alpha) {
  return make_cell_model("sinh", {{{"sinh_alpha", alpha}}, {}, {}});
}

// A rising table that is not odd and has a flat piece.
std::unique_ptr<xbar::device::CellModel> table_cell() {
  xbar::device::CellSettings settings;
  settings.table = Matrix{{-1, -3}, {-0.3, -0.1}, {0, 0}, {0.2, 0}, {0.5, 0.4}, {1, 3}};
  return make_cell_model("table", settings);
}

struct Model {
  const char* name;
  std::unique_ptr<xbar::device::CellModel> cells;
};

std::vector<Model> all_models() {
  std::vector<Model> models;
  models.push_back({"linear", make_cell_model("linear")});
  models.push_back({"sinh 2", sinh_cell(2)});
  models.push_back({"sinh 15", sinh_cell(15)});
  models.push_back(
      {"series-resistance", make_cell_model("series-resistance", {{{"sinh_alpha", 4}}, {}, {}})});
  models.push_back({"transistor", make_cell_model("transistor")});
  models.push_back(
      {"transistor, nearly off", make_cell_model("transistor", {{{"gate_volt", 0.5}}, {}, {}})});
  models.push_back({"selector", make_cell_model("selector")});
  models.push_back({"table", table_cell()});
  return models;
}

// The root of a rising function by bisection.
template <typename Function>
long double root(const Function& f, long double low, long double high) {
  for (int k = 0; k < 200; ++k) {
    const long double middle = (low + high) / 2;
    (f(middle) > 0 ? high : low) = middle;
  }
  return low;
}

Circuit usual_array(Index m, Index n, std::uint64_t seed) {
  return make_circuit(xbar_test::random_matrix(m, n, 2e-6, 5e-5, seed), {100, 100, 5, 5});
}

}  // namespace

TEST_CASE("solver/newton: reference cases at 1e-9 by both inner methods", "[solver]") {
  for (const auto& [name, conductance, voltage, wires, reference, data] :
       xbar_test::reference_arrays("nonlinear_dc", 3)) {
    const Circuit circuit = make_circuit(conductance, wires);
    const auto cells = sinh_cell(data.at("sinh_alpha"));
    for (const NewtonMethod method : methods) {
      const NewtonResult result = solve_newton(circuit, *cells, {voltage, {}}, by(method));
      CAPTURE(name, result.report.brief());
      REQUIRE_FALSE(result.report.fell_back);
      // Required are 1e-9; both are at 1e-14, the reference is good to 1e-13.
      REQUIRE(relative_error(result.current, reference) <= 1e-12);
      REQUIRE(result.report.residual() <= 1e-12);
      // 0.5 V rounded across 1 to 5 ohm, of some 20 uA.
      REQUIRE(result.report.kcl_residual <= 1e-9);
    }
  }
}

TEST_CASE("solver/newton: one cell behind its wires, by bisection in long double", "[solver]") {
  // 300 ohm and 200 ohm in series with the cell: G sinh(a v)/a = (V - v) / 500.
  const Circuit circuit = make_circuit(Matrix::Constant(1, 1, 1e-4), {300, 200, 7, 9});
  for (const double alpha : {0.5, 5.0, 50.0}) {
    for (const double volt : {1e-3, 0.3, -3.0}) {
      const long double v = root(
          [&](long double x) { return 1e-4L * std::sinh(alpha * x) / alpha - (volt - x) / 500; },
          -4, 4);
      for (const NewtonMethod method : methods) {
        const NewtonResult result = solve_newton(circuit, *sinh_cell(alpha),
                                                 {Matrix::Constant(1, 1, volt), {}}, by(method));
        CAPTURE(alpha, volt, result.report.brief());
        REQUIRE_FALSE(result.report.fell_back);
        const auto expected = static_cast<double>((volt - v) / 500);
        // V - v loses digits where the cell has nearly all of the voltage: 500 ohm against 10 kohm.
        REQUIRE(std::abs(result.current(0, 0) - expected) <= 1e-13 * std::abs(expected));
      }
    }
  }
}

TEST_CASE("solver/newton: two different cells share a wordline resistance, by bisection",
          "[solver]") {
  // u = 1 V - 1000 (I0 + I1), ideal sinks, sinh cells of 1e-4 and 3e-4 S with a = 4.
  const Circuit circuit = make_circuit(Matrix{{1e-4, 3e-4}}, {1000, 0, 0, 0});
  const auto cell = [](long double g, long double v) { return g * std::sinh(4 * v) / 4; };
  const long double u =
      root([&](long double x) { return cell(1e-4L, x) + cell(3e-4L, x) - (1 - x) / 1000; }, 0, 1);
  for (const NewtonMethod method : methods) {
    const NewtonResult result =
        solve_newton(circuit, *sinh_cell(4), {Matrix::Ones(1, 1), {}}, by(method));
    const Matrix expected{{static_cast<double>(cell(1e-4L, u))},
                          {static_cast<double>(cell(3e-4L, u))}};
    REQUIRE(relative_error(result.current, expected) <= 1e-14);
  }
}

TEST_CASE("solver/newton: linear cells give the currents of solve()", "[solver]") {
  const Circuit circuit = usual_array(17, 23, 1);
  const Matrix voltage = xbar_test::random_matrix(17, 3, -1, 1, 2);
  const auto linear = make_cell_model("linear");
  for (const NewtonMethod method : methods) {
    const NewtonResult result = solve_newton(circuit, *linear, {voltage, {}}, by(method));
    REQUIRE(relative_error(result.current, xbar::solver::solve(circuit, {voltage, {}}).current) <=
            1e-12);
    REQUIRE(result.report.iterations() <= 3);
  }
}

TEST_CASE("solver/newton: random circuits of everything, line against klu", "[solver]") {
  constexpr std::uint64_t first_seed = 20260301;
  const std::vector<Model> models = all_models();
  int solved = 0;
  int fell_back = 0;
  int refused = 0;
  for (std::uint64_t seed = first_seed; seed < first_seed + 300; ++seed) {
    const auto drawn = xbar_test::random_circuit(seed, 6);
    if (drawn.floats || drawn.joined || drawn.shorted) continue;
    const xbar::solver::TerminalVoltage voltage{drawn.wordline_voltage, drawn.bitline_voltage};
    for (const Model& model : models) {
      CAPTURE(seed, model.name);
      NewtonResult klu;
      try {
        klu = solve_newton(drawn.circuit, *model.cells, voltage, by(NewtonMethod::klu));
      } catch (const xbar::NumericalError&) {
        // Lines of milliohms that float behind cells that are off: singular in double precision.
        ++refused;
        continue;
      }
      const NewtonResult line =
          solve_newton(drawn.circuit, *model.cells, voltage, by(NewtonMethod::line));
      CAPTURE(line.report.brief(), klu.report.brief());
      fell_back += line.report.fell_back ? 1 : 0;
      // Of the largest cell current; where none flows, what 1 V rounded across 1 mS makes.
      const double largest = klu.cell_current[0].cwiseAbs().maxCoeff();
      REQUIRE((line.current - klu.current).cwiseAbs().maxCoeff() <= 1e-10 * largest + 1e-18);
      REQUIRE((line.cell_current[0] - klu.cell_current[0]).cwiseAbs().maxCoeff() <=
              1e-10 * largest + 1e-18);
      ++solved;
    }
  }
  REQUIRE(solved >= 1000);
  CAPTURE(solved, fell_back, refused);
  REQUIRE(fell_back <= solved / 100);
  REQUIRE(refused <= solved / 20);
}

TEST_CASE("solver/newton: hard circuits under up to 5 V", "[solver]") {
  // In turn: as drawn, half of the cells at 1e-12 S, wires of 1e-9 ohm, terminals of 1e-9 ohm.
  const std::vector<Model> models = all_models();
  int solved = 0;
  int refused = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    auto drawn = xbar_test::random_circuit(seed, 6);
    if (drawn.floats || drawn.joined || drawn.shorted) continue;
    Circuit& circuit = drawn.circuit;
    const auto replace = [](auto& ohm, double least) {
      for (double& r : ohm.reshaped()) {
        if (r > 0 && r < open) r = least;
      }
    };
    if (seed % 4 == 1) {
      for (Index e = 0; e < circuit.conductance.size(); e += 2) {
        double& siemens = circuit.conductance.data()[e];
        if (siemens > 0) siemens = 1e-12;
      }
    } else if (seed % 4 == 2) {
      replace(circuit.wordline_ohm, 1e-9);
      replace(circuit.bitline_ohm, 1e-9);
    } else if (seed % 4 == 3) {
      for (Vector* ohm :
           {&circuit.left_ohm, &circuit.right_ohm, &circuit.top_ohm, &circuit.bottom_ohm}) {
        replace(*ohm, 1e-9);
      }
    }
    const xbar::solver::TerminalVoltage voltage{5 * drawn.wordline_voltage,
                                                5 * drawn.bitline_voltage};
    for (const Model& model : models) {
      CAPTURE(seed, model.name);
      const NewtonResult line =
          solve_newton(circuit, *model.cells, voltage, by(NewtonMethod::line));
      CAPTURE(line.report.brief());
      REQUIRE_FALSE(line.report.fell_back);
      ++solved;
      NewtonResult klu;
      try {
        klu = solve_newton(circuit, *model.cells, voltage, by(NewtonMethod::klu));
      } catch (const xbar::NumericalError&) {
        ++refused;  // lines that float behind cells that are off, as above
        continue;
      }
      const double largest = klu.cell_current[0].cwiseAbs().maxCoeff();
      REQUIRE((line.current - klu.current).cwiseAbs().maxCoeff() <= 1e-9 * largest + 1e-18);
      REQUIRE((line.cell_current[0] - klu.cell_current[0]).cwiseAbs().maxCoeff() <=
              1e-9 * largest + 1e-18);
    }
  }
  CAPTURE(solved, refused);
  REQUIRE(solved >= 300);
  REQUIRE(refused <= solved / 20);
}

TEST_CASE("solver/newton: odd cells mirror, larger inputs bring larger currents", "[solver]") {
  const Circuit circuit = usual_array(12, 9, 3);
  const Matrix voltage = xbar_test::random_matrix(12, 1, 0.1, 1, 4);
  for (const Model& model : all_models()) {
    CAPTURE(model.name);
    const auto current = [&](const Matrix& inputs) {
      return Matrix(solve_newton(circuit, *model.cells, {inputs, {}}).current);
    };
    const Matrix at = current(voltage);
    REQUIRE(((current(1.1 * voltage) - at).array() > 0).all());
    const bool odd = std::string_view(model.name).substr(0, 5) != "trans" &&
                     std::string_view(model.name) != "table";
    if (odd) REQUIRE(relative_error(-current(-voltage), at) <= 1e-12);
  }
}

TEST_CASE("solver/newton: the residual falls quadratically", "[solver]") {
  const Circuit circuit = usual_array(32, 32, 5);
  const Matrix voltage = xbar_test::random_matrix(32, 1, 0.2, 1, 6);
  for (const NewtonMethod method : methods) {
    const NewtonResult result = solve_newton(circuit, *sinh_cell(5), {voltage, {}}, by(method));
    const std::vector<double>& r = result.report.inputs[0].residual;
    CAPTURE(r);
    // Each residual below 0.1 is at most 10 times the square of the one before, down to where
    // rounding or the solves' tolerance, 1e-12, says how far it can fall.
    int pairs = 0;
    for (std::size_t k = 1; k < r.size(); ++k) {
      if (!(r[k - 1] < 0.1)) continue;
      REQUIRE(r[k] <= 10 * r[k - 1] * r[k - 1] + 1e-12);
      ++pairs;
    }
    REQUIRE(pairs >= 2);
    REQUIRE(r.size() <= 8);
  }
}

TEST_CASE("solver/newton: strongly exponential cells converge", "[solver]") {
  // At 2 V the cells would carry e^40 and e^200 times G V on ideal wires, and the selector e^100
  // times its I0; the wires and the memory cell say no.
  const Circuit circuit = usual_array(24, 24, 7);
  const Matrix voltage = xbar_test::random_matrix(24, 1, -2, 2, 8);
  const auto check = [&](const xbar::device::CellModel& cells) {
    const NewtonResult line = solve_newton(circuit, cells, {voltage, {}}, by(NewtonMethod::line));
    const NewtonResult klu = solve_newton(circuit, cells, {voltage, {}}, by(NewtonMethod::klu));
    CAPTURE(line.report.brief(), klu.report.brief());
    REQUIRE_FALSE(line.report.fell_back);
    REQUIRE(line.report.iterations() <= 25);
    REQUIRE(relative_error(line.current, klu.current) <= 1e-10);
  };
  check(*sinh_cell(20));
  check(*sinh_cell(100));
  check(*make_cell_model("selector",
                         {{{"selector_volt", 0.02}, {"selector_ampere", 1e-15}}, {}, {}}));
  // A guess that no tangent forgives: 5 V across every cell.
  NewtonOptions options = by(NewtonMethod::line);
  options.guess = {{Matrix::Constant(24, 24, 5.0), Matrix::Zero(24, 24)}};
  const NewtonResult far = solve_newton(circuit, *sinh_cell(20), {voltage, {}}, options);
  REQUIRE_FALSE(far.report.fell_back);
  REQUIRE(relative_error(far.current,
                         solve_newton(circuit, *sinh_cell(20), {voltage, {}}).current) <= 1e-11);
}

TEST_CASE("solver/newton: half-selected selectors carry next to nothing", "[solver]") {
  // V/2 scheme on ideal wires with 10 S cells, so that each has the voltage of its selector: the
  // selected one at 0.4 V, the others of its lines at 0.2 V, the rest at 0.
  Circuit circuit = make_circuit(Matrix::Constant(3, 3, 10), {});
  const Matrix wordline{{0.2}, {0.4}, {0.2}};
  const Matrix bitline{{0.2}, {0.2}, {0}};
  const NewtonResult result = solve_newton(circuit, *make_cell_model("selector"),
                                           {wordline, bitline}, by(NewtonMethod::line));
  const double half = 1e-10 * std::sinh(4.0);
  const double full = 1e-10 * std::sinh(8.0);
  const Matrix expected{{half}, {half}, {full + 2 * half}};
  REQUIRE(relative_error(result.current, expected) <= 1e-6);  // 10 nS of selector behind 10 S
}

TEST_CASE("solver/newton: cells that are off and lines that float", "[solver]") {
  // Gates far below: nothing flows, and the floating lines have no voltage that matters.
  Circuit circuit = usual_array(8, 8, 9);
  for (Index k = 1; k < 8; ++k) circuit.left_ohm(k) = open;
  circuit.bottom_ohm(3) = open;
  const Matrix voltage = xbar_test::random_matrix(8, 1, 0.1, 1, 10);
  const auto off = make_cell_model("transistor", {{{"gate_volt", -5}}, {}, {}});
  for (const NewtonMethod method : methods) {
    const NewtonResult result = solve_newton(circuit, *off, {voltage, {}}, by(method));
    REQUIRE(result.current.cwiseAbs().maxCoeff() <= 1e-18);
  }
  // No input at all.
  for (const Model& model : all_models()) {
    const NewtonResult result =
        solve_newton(circuit, *model.cells, {Matrix::Zero(8, 1), {}}, by(NewtonMethod::line));
    REQUIRE(result.current == Matrix::Zero(8, 1));
  }
}

TEST_CASE("solver/newton: many inputs are solved as one at a time", "[solver]") {
  const Circuit circuit = usual_array(9, 7, 11);
  const Matrix voltage = xbar_test::random_matrix(9, 5, -1, 1, 12);
  const auto cells = sinh_cell(3);
  const NewtonResult all = solve_newton(circuit, *cells, {voltage, {}}, by(NewtonMethod::line));
  REQUIRE(all.report.inputs.size() == 5);
  for (Index k = 0; k < 5; ++k) {
    const NewtonResult one = solve_newton(circuit, *cells, {voltage.col(k), {}});
    REQUIRE(one.current == all.current.col(k));
    REQUIRE(one.report.inputs[0].residual ==
            all.report.inputs[static_cast<std::size_t>(k)].residual);
  }
  // From the solution, one or two steps confirm it.
  NewtonOptions options;
  options.guess = all.nodes;
  const NewtonResult again = solve_newton(circuit, *cells, {voltage, {}}, options);
  REQUIRE(again.report.iterations() <= 2);
  REQUIRE(relative_error(again.current, all.current) <= 1e-13);
}

TEST_CASE("solver/newton: the chords carry the currents and powers of the cells", "[solver]") {
  Circuit circuit = usual_array(6, 5, 13);
  circuit.conductance(2, 3) = 0;
  const Matrix voltage = xbar_test::random_matrix(6, 1, -1, 1, 14);
  const NewtonResult result =
      solve_newton(circuit, *sinh_cell(6), {voltage, {}}, by(NewtonMethod::line));
  const Circuit chords =
      xbar::solver::chord_circuit(circuit, result.nodes[0], result.cell_current[0]);
  const auto branches =
      xbar::solver::branch_currents(chords, voltage.col(0), Vector(), result.nodes[0]);
  REQUIRE(relative_error(branches.cell, result.cell_current[0]) <= 1e-12);
  REQUIRE(relative_error(branches.bitline.row(6).transpose(), result.current) <= 1e-12);
  // Tellegen: what the sources deliver is lost in cells, wires and terminals.
  const auto power =
      xbar::solver::power(chords, voltage.col(0), Vector(), result.nodes[0], branches);
  const double lost =
      power.cells_watt + power.wordlines_watt + power.bitlines_watt + power.terminals_watt;
  REQUIRE(std::abs(power.delivered_watt - lost) <= 1e-12 * lost);
}

TEST_CASE("solver/newton: failures say where and how far", "[solver]") {
  const Circuit circuit = usual_array(8, 8, 15);
  const Matrix voltage = xbar_test::random_matrix(8, 1, 1, 2, 16);
  NewtonOptions options = by(NewtonMethod::klu);
  options.max_iterations = 2;
  const std::string message = message_of<xbar::NumericalError>([&] {
    (void)solve_newton(circuit, *sinh_cell(20), {voltage, {}}, options);
  });
  REQUIRE_THAT(message,
               Contains("input 0: Newton: no convergence after 2 of 2 iterations; residual "));
  REQUIRE_THAT(message, Contains("largest at cell ("));

  Circuit shorted = circuit;
  shorted.conductance(3, 4) = open;
  REQUIRE_THAT(message_of<xbar::InvalidArgument>([&] {
                 (void)solve_newton(shorted, *sinh_cell(2), {voltage, {}});
               }),
               Contains("shorted cell at (3,4)"));
  REQUIRE_THROWS_AS(solve_newton(circuit, *sinh_cell(2), {Matrix::Ones(7, 1), {}}),
                    xbar::InvalidArgument);
  options.guess.resize(3);
  REQUIRE_THAT(message_of<xbar::InvalidArgument>([&] {
                 (void)solve_newton(circuit, *sinh_cell(2), {voltage, {}}, options);
               }),
               Contains("guess: expected 1, one an input vector, got 3"));
  const auto gated = make_cell_model("transistor", {{}, Matrix::Ones(3, 1), {}});
  REQUIRE_THROWS_AS(solve_newton(circuit, *gated, {voltage, {}}), xbar::InvalidArgument);
}

namespace {

// Sink currents that ngspice finds for an array of 2 x 2 cells with the given elements, 100 ohm
// drivers and sinks, 5 ohm a segment.
Matrix run_ngspice(const Matrix& voltage, const std::string& cells) {
  std::ostringstream netlist;
  netlist.precision(17);
  netlist << "array\n.options reltol=1e-11 abstol=1e-19 vntol=1e-14 gmin=1e-20\n";
  for (int i = 0; i < 2; ++i) {
    netlist << "v" << i << " s" << i << " 0 dc " << voltage(i, 0) << "\n"
            << "rs" << i << " s" << i << " u" << i << "0 100\n"
            << "rw" << i << " u" << i << "0 u" << i << "1 5\n"
            << "rb" << i << " w0" << i << " w1" << i << " 5\n"
            << "rk" << i << " w1" << i << " k" << i << " 100\n"
            << "vk" << i << " k" << i << " 0 dc 0\n";
  }
  netlist << cells
          << ".control\nop\nset numdgt=16\nprint i(vk0)\nprint i(vk1)\nquit\n.endc\n.end\n";
  const std::string text = xbar_test::run_ngspice(netlist.str());
  CAPTURE(netlist.str(), text);
  Matrix current(2, 1);
  for (int j = 0; j < 2; ++j) {
    const std::string before = "i(vk" + std::to_string(j) + ") = ";
    const std::size_t start = text.find(before);
    REQUIRE(start != std::string::npos);
    const char* const first = text.data() + start + before.size();
    REQUIRE(std::from_chars(first, text.data() + text.size(), current(j, 0)).ec == std::errc());
  }
  return current;
}

}  // namespace

TEST_CASE("solver/newton: ngspice with behavioural sources agrees", "[solver]") {
  if (!xbar_test::have_ngspice()) return;
  const Matrix conductance{{3e-5, 1e-5}, {2e-5, 5e-5}};
  const Matrix voltage{{0.9}, {-0.4}};
  const Circuit circuit = make_circuit(conductance, {100, 100, 5, 5});
  std::ostringstream sinh_cells;
  std::ostringstream selector_cells;
  sinh_cells.precision(17);
  selector_cells.precision(17);
  for (int i = 0; i < 2; ++i) {
    for (int j = 0; j < 2; ++j) {
      const std::string at = std::to_string(i) + std::to_string(j);
      sinh_cells << "b" << at << " u" << at << " w" << at << " i=" << conductance(i, j)
                 << "*sinh(4*v(u" << at << ",w" << at << "))/4\n";
      selector_cells << "b" << at << " u" << at << " x" << at << " i=1e-10*sinh(v(u" << at << ",x"
                     << at << ")/0.05)\nrc" << at << " x" << at << " w" << at << " "
                     << 1 / conductance(i, j) << "\n";
    }
  }
  // The reference cases' own agreement with ngspice is 1e-11; its steps end at reltol.
  REQUIRE(relative_error(run_ngspice(voltage, sinh_cells.str()),
                         solve_newton(circuit, *sinh_cell(4), {voltage, {}}).current) <= 1e-9);
  REQUIRE(relative_error(
              run_ngspice(voltage, selector_cells.str()),
              solve_newton(circuit, *make_cell_model("selector"), {voltage, {}}).current) <= 1e-8);
}
