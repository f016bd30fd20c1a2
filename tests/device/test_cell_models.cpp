#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include <xbar/core/error.hpp>
#include <xbar/device/cell_models.hpp>

#include "support/arrays.hpp"
#include "support/catch.hpp"
#include "support/message.hpp"

using xbar::Index;
using xbar::InvalidArgument;
using xbar::Matrix;
using xbar::device::CellModel;
using xbar::device::CellModelInfo;
using xbar::device::CellSettings;
using xbar::device::make_cell_model;
using xbar_test::Contains;
using xbar_test::message_of;

namespace {

struct Evaluation {
  Matrix current;
  Matrix derivative;
};

Evaluation evaluate(const CellModel& model, const Matrix& conductance, const Matrix& voltage) {
  Evaluation result;
  model.evaluate(conductance, voltage, result.current, result.derivative);
  return result;
}

double current(const CellModel& model, double conductance, double voltage) {
  return evaluate(model, Matrix::Constant(1, 1, conductance), Matrix::Constant(1, 1, voltage))
      .current(0, 0);
}

// f(v) = 2 v^3 + v at eleven voltages: odd and rising.
Matrix odd_table() {
  Matrix table(11, 2);
  for (Index k = 0; k < 11; ++k) {
    const double v = 0.2 * static_cast<double>(k - 5);
    table.row(k) << v, 2 * v * v * v + v;
  }
  return table;
}

CellSettings settings_of(const CellModelInfo& info) {
  CellSettings settings;
  if (info.takes_table) settings.table = odd_table();
  return settings;
}

// Voltages over the range of arrays, 0 and tiny ones among them.
Matrix test_voltages() {
  Matrix voltage(1, 401);
  for (Index k = 0; k < 401; ++k) voltage(0, k) = 0.0103 * static_cast<double>(k - 200);
  voltage(0, 7) = 1e-9;
  voltage(0, 8) = -1e-300;
  return voltage;
}

// The root of a rising function by bisection.
long double root(const std::function<long double(long double)>& f, long double low,
                 long double high) {
  for (int k = 0; k < 200; ++k) {
    const long double middle = (low + high) / 2;
    (f(middle) > 0 ? high : low) = middle;
  }
  return low;
}

}  // namespace

TEST_CASE("device/cell_models: every model is passive, rising, and its derivative is one",
          "[device]") {
  const Matrix voltage = test_voltages();
  for (const CellModelInfo& info : xbar::device::cell_model_infos()) {
    const auto model = make_cell_model(info.name, settings_of(info));
    for (const double siemens : {0.0, 1e-9, 5e-5, 1e-2}) {
      const Matrix conductance = Matrix::Constant(1, voltage.cols(), siemens);
      const Evaluation at = evaluate(*model, conductance, voltage);
      // 2e-5 V is a good step for central differences: rounding 1e-16 / 2e-5, curvature (2e-5)^2
      // against the shortest voltage of a model, 0.05 V.
      const double h = 2e-5;
      const Matrix step = Matrix::Constant(1, voltage.cols(), h);
      const Matrix above = evaluate(*model, conductance, voltage + step).current;
      const Matrix below = evaluate(*model, conductance, voltage - step).current;
      CAPTURE(info.name, siemens);
      REQUIRE(at.current.allFinite());
      const double scale = at.current.cwiseAbs().maxCoeff();
      for (Index k = 0; k < voltage.cols(); ++k) {
        CAPTURE(voltage(0, k), at.current(0, k), at.derivative(0, k));
        REQUIRE(at.current(0, k) * voltage(0, k) >= 0);
        REQUIRE(at.derivative(0, k) >= 0);
        REQUIRE(above(0, k) >= below(0, k));
        const double difference = (above(0, k) - below(0, k)) / (2 * h);
        REQUIRE(std::abs(difference - at.derivative(0, k)) <=
                2e-5 * at.derivative(0, k) + 1e-9 * scale);
      }
      if (siemens == 0) REQUIRE(at.current.cwiseAbs().maxCoeff() == 0);
      // All but the transistor are odd.
      if (info.name == "transistor") continue;
      const Evaluation mirrored = evaluate(*model, conductance, -voltage);
      REQUIRE((mirrored.current + at.current).cwiseAbs().maxCoeff() <= 1e-15 * scale);
      REQUIRE((mirrored.derivative - at.derivative).cwiseAbs().maxCoeff() <=
              1e-14 * at.derivative.maxCoeff());
    }
  }
}

TEST_CASE("device/cell_models: small voltages keep all their digits", "[device]") {
  // I is G v to first order; at 1e-9 V the cubic terms of sinh are 1e-17 of it.
  const auto sinh = make_cell_model("sinh", {{{"sinh_alpha", 5}}, {}, {}});
  REQUIRE(std::abs(current(*sinh, 1e-4, 1e-9) - 1e-13) <= 1e-13 * 1e-15);
  // Selector: I0 / V0 = 2e-9 S in series with 1e-4 S.
  const auto selector = make_cell_model("selector");
  const double series = 1 / (1 / 2e-9 + 1 / 1e-4);
  REQUIRE(std::abs(current(*selector, 1e-4, 1e-9) - series * 1e-9) <= series * 1e-9 * 1e-14);
}

TEST_CASE("device/cell_models: limits lead to the simpler model", "[device]") {
  const Matrix voltage = test_voltages();
  const Matrix conductance = xbar_test::random_matrix(1, voltage.cols(), 1e-6, 1e-3, 1);
  const Matrix ohmic = conductance.cwiseProduct(voltage);
  const auto compare = [&](const char* name, std::map<std::string, double> parameters,
                           const Matrix& expected, double tolerance) {
    CAPTURE(name, parameters);
    const auto model = make_cell_model(name, {std::move(parameters), {}, {}});
    REQUIRE(xbar_test::relative_error(evaluate(*model, conductance, voltage).current, expected) <=
            tolerance);
  };
  compare("linear", {}, ohmic, 0);
  compare("sinh", {{"sinh_alpha", 0}}, ohmic, 0);
  // (a v)^2 / 6 at 2 V.
  compare("sinh", {{"sinh_alpha", 1e-9}}, ohmic, 1e-15);
  compare("series-resistance", {{"access_ohm", 0}}, ohmic, 1e-15);
  compare("series-resistance", {{"access_ohm", 0}, {"sinh_alpha", 1e-9}}, ohmic, 1e-15);
  compare("series-resistance", {{"access_ohm", 1e-12}, {"sinh_alpha", 1e-9}}, ohmic, 1e-13);
  const Matrix behind =
      (voltage.array() / (500 + 1 / conductance.array())).matrix();  // two resistors in series
  compare("series-resistance", {{"access_ohm", 500}}, behind, 1e-15);
  compare("series-resistance", {{"access_ohm", 500}, {"sinh_alpha", 1e-6}}, behind, 1e-11);
  const auto sinh = make_cell_model("sinh", {{{"sinh_alpha", 3}}, {}, {}});
  const Matrix bare = evaluate(*sinh, conductance, voltage).current;
  compare("series-resistance", {{"access_ohm", 0}, {"sinh_alpha", 3}}, bare, 0);
  compare("series-resistance", {{"access_ohm", 1e-9}, {"sinh_alpha", 3}}, bare, 1e-9);
  // A selector or a transistor far more open than the cell.
  compare("selector", {{"selector_ampere", 1}, {"selector_volt", 1e-3}}, ohmic, 1e-3);
  compare("transistor", {{"transconductance", 1e3}, {"lambda", 0}}, ohmic, 1e-6);
}

TEST_CASE("device/cell_models: series elements share the voltage as bisection says", "[device]") {
  // 700 pairs of conductance and voltage over every regime, in long double by 200 halvings.
  const Matrix conductance = Matrix{{1e-9, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2}};
  Matrix voltage(1, 100);
  for (Index k = 0; k < 100; ++k) voltage(0, k) = std::pow(10.0, -3 + 0.045 * double(k));
  const auto check = [&](const CellModel& model, const auto& element, const auto& series) {
    for (Index a = 0; a < conductance.cols(); ++a) {
      const long double g = conductance(0, a);
      const Matrix found =
          evaluate(model, Matrix::Constant(1, 100, conductance(0, a)), voltage).current;
      for (Index k = 0; k < 100; ++k) {
        const long double v = voltage(0, k);
        const long double x =
            root([&](long double at) { return element(g, at) - series(g) * (v - at); }, 0, v);
        const long double exact = v - x > x ? series(g) * (v - x) : element(g, x);
        CAPTURE(static_cast<double>(g), voltage(0, k), found(0, k), static_cast<double>(exact));
        // The current of an element behind a far larger resistance changes by x/V0 (up to 600) in
        // relative terms for a rounding of x.
        REQUIRE(std::abs(static_cast<double>(found(0, k) - exact)) <=
                1e-12 * static_cast<double>(exact));
      }
    }
  };
  check(
      *make_cell_model("selector"),
      [](long double, long double x) { return 1e-10L * std::sinh(x / 0.05L); },
      [](long double g) { return g; });
  check(
      *make_cell_model("series-resistance", {{{"access_ohm", 300}, {"sinh_alpha", 7}}, {}, {}}),
      [](long double g, long double x) { return g * std::sinh(7 * x) / 7; },
      [](long double) { return 1 / 300.0L; });
  check(
      *make_cell_model("transistor",
                       {{{"gate_volt", 1.5}, {"threshold_volt", 0.5}, {"lambda", 0.1}}, {}, {}}),
      [](long double, long double x) {
        const long double channel = x < 1 ? x - x * x / 2 : 0.5L;
        return 1e-3L * channel * (1 + 0.1L * x);
      },
      [](long double g) { return g; });
}

TEST_CASE("device/cell_models: transistor regions by hand", "[device]") {
  // k = 1 mA/V^2, Vo = 1 V, lambda = 0. G = 10 S leaves all of the voltage to the channel.
  const std::map<std::string, double> parameters = {
      {"gate_volt", 1.5}, {"threshold_volt", 0.5}, {"transconductance", 1e-3}, {"lambda", 0}};
  const auto model = make_cell_model("transistor", {parameters, {}, {}});
  // Linear: k (0.5 - 0.125); saturated: k/2; other way round: -k (0.5 + 0.125).
  REQUIRE(std::abs(current(*model, 10, 0.5) - 0.375e-3) <= 0.375e-3 * 1e-4);
  REQUIRE(std::abs(current(*model, 10, 3) - 0.5e-3) <= 1e-15);
  REQUIRE(std::abs(current(*model, 10, -0.5) + 0.625e-3) <= 0.625e-3 * 2e-4);
  // G = 0.5 mS, v = 2: saturated at d = 1, where both laws meet: 0.5 mA.
  REQUIRE(std::abs(current(*model, 0.5e-3, 2) - 0.5e-3) <= 1e-16);
  // Closed at -1 V overdrive: nothing forward, nothing down to -1 V, and beyond the inner node is a
  // source below the gate: at -2 V k/2 (2 - 1)^2.
  const auto closed = make_cell_model("transistor", {parameters, Matrix{{-0.5}}, {}});
  REQUIRE(current(*closed, 10, 3) == 0);
  REQUIRE(current(*closed, 10, -0.99) == 0);
  REQUIRE(std::abs(current(*closed, 10, -2) + 0.5e-3) <= 0.5e-3 * 1e-3);
}

TEST_CASE("device/cell_models: gates of single wordlines and bitlines", "[device]") {
  const Matrix conductance = Matrix::Constant(2, 3, 1e-4);
  const Matrix voltage = Matrix::Constant(2, 3, 1.0);
  const auto with_gate = [&](const Matrix& gate) {
    return evaluate(*make_cell_model("transistor", {{}, gate, {}}), conductance, voltage).current;
  };
  const double high = with_gate(Matrix{{1.8}})(0, 0);
  REQUIRE(high > 0);
  REQUIRE(with_gate(Matrix{{0.0}, {1.8}}) == Matrix({{0, 0, 0}, {high, high, high}}));
  REQUIRE(with_gate(Matrix{{0.0, 1.8, 0.0}}) == Matrix({{0, high, 0}, {0, high, 0}}));
  REQUIRE_THAT(message_of<InvalidArgument>([&] { with_gate(Matrix::Ones(1, 2)); }),
               Contains("gate_volt: expected one value, 2 x 1 (one a wordline) or 1 x 3"));
}

TEST_CASE("device/cell_models: a table passes through its rows and goes on straight", "[device]") {
  const Matrix table = Matrix{{-1, -4}, {0, 0}, {0.5, 0}, {1, 1}, {1.5, 1.5}, {2, 6}};
  CellSettings settings;
  settings.table = table;
  const auto model = make_cell_model("table", settings);
  for (Index k = 0; k < table.rows(); ++k) {
    REQUIRE(std::abs(current(*model, 2e-3, table(k, 0)) - 2e-3 * table(k, 1)) <= 1e-17);
  }
  // Flat where two rows are equal; beyond the ends with the slope of the last two, 9 and 4.
  REQUIRE(current(*model, 1, 0.25) == 0);
  REQUIRE(std::abs(current(*model, 1, 3) - 15) <= 1e-13);
  REQUIRE(std::abs(current(*model, 1, -3) + 12) <= 1e-13);
  // At (1, 1) the secants are 2 and 1 over equal steps, the slope their harmonic mean, 4/3.
  const Evaluation at = evaluate(*model, Matrix::Ones(1, 1), Matrix::Ones(1, 1));
  REQUIRE(std::abs(at.derivative(0, 0) - 4.0 / 3) <= 1e-14);
}

TEST_CASE("device/cell_models: bad tables are refused by file and row", "[device]") {
  const auto refusal = [](const Matrix& table) {
    return message_of<InvalidArgument>([&] {
      (void)make_cell_model("table", {{}, {}, table, "iv.csv"});
    });
  };
  REQUIRE_THAT(refusal(Matrix{{0, 0}, {1, 1}}), Contains("iv.csv: expected two columns"));
  REQUIRE_THAT(refusal(Matrix::Zero(3, 3)), Contains("got 3 x 3"));
  REQUIRE_THAT(refusal(Matrix{{-1, -1}, {0, 0}, {2, 3}, {3, 2}}),
               Contains("iv.csv: expected currents that do not fall, got 2 after 3 in row 3"));
  REQUIRE_THAT(refusal(Matrix{{-1, -1}, {0, 0}, {0, 0}}),
               Contains("iv.csv: expected rising voltages, got 0 after 0 in row 2"));
  REQUIRE_THAT(refusal(Matrix{{-1, -1}, {0, 0}, {1, std::nan("")}}), Contains("in row 2"));
  REQUIRE_THAT(refusal(Matrix{{-1, -1}, {0, 0}, {1, 1e200}}),
               Contains("iv.csv: expected finite values up to 1e+100"));
  REQUIRE_THAT(refusal(Matrix{{-1, -1}, {0, 0}, {1e-200, 1}}),
               Contains("iv.csv: expected slopes up to 1e+100, got 1e+200 before row 2"));
  REQUIRE_THAT(refusal(Matrix{{-1, -1}, {0, 0.1}, {1, 1}}),
               Contains("iv.csv: expected the row 0, 0"));
  REQUIRE_THAT(refusal(Matrix()), Contains("expected a table for cell table, got none"));
}

TEST_CASE("device/cell_models: unknown names and values out of range are refused", "[device]") {
  const auto refusal = [](const char* name, const CellSettings& settings) {
    return message_of<InvalidArgument>([&] { (void)make_cell_model(name, settings); });
  };
  REQUIRE_THAT(refusal("sihn", {}), Contains("did you mean sinh?"));
  REQUIRE_THAT(refusal("sinh", {{{"sinh_alfa", 1}}, {}, {}}), Contains("did you mean sinh_alpha?"));
  REQUIRE_THAT(refusal("linear", {{{"sinh_alpha", 1}}, {}, {}}), Contains("expected no parameter"));
  REQUIRE_THAT(refusal("sinh", {{{"sinh-alpha", -1}}, {}, {}}),
               Contains("sinh_alpha: expected 0 to 1000 1/V, got -1"));
  REQUIRE_THAT(refusal("sinh", {{{"sinh_alpha", std::nan("")}}, {}, {}}), Contains("got nan"));
  REQUIRE_THAT(refusal("sinh", {{}, Matrix::Ones(1, 1), {}}), Contains("cell sinh has no gate"));
  REQUIRE_THAT(refusal("sinh", {{}, {}, odd_table(), "iv.csv"}),
               Contains("iv.csv: expected no table for cell sinh, got one"));
  const auto linear = make_cell_model("linear");
  REQUIRE_THAT(message_of<InvalidArgument>(
                   [&] { evaluate(*linear, Matrix::Ones(2, 2), Matrix::Ones(2, 3)); }),
               Contains("expected 2 x 2 like the conductance, got 2 x 3"));
}
