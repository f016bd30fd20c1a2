#include <limits>

#include <xbar/core/error.hpp>
#include <xbar/solver/circuit.hpp>

#include "support/catch.hpp"
#include "support/message.hpp"
#include "support/random_circuit.hpp"

using xbar::Index;
using xbar::InvalidArgument;
using xbar::Matrix;
using xbar::Vector;
using xbar::solver::check_circuit;
using xbar::solver::check_voltage;
using xbar::solver::Circuit;
using xbar::solver::DriveEnds;
using xbar::solver::make_circuit;
using xbar::solver::SenseEnds;
using xbar_test::Contains;
using xbar_test::message_of;

namespace {

constexpr double open = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

// 2 wordlines, 3 bitlines.
Circuit good() { return make_circuit(Matrix::Constant(2, 3, 1e-4), {500, 100, 2, 3}); }

std::string refusal(const Circuit& circuit) {
  return message_of<InvalidArgument>([&] { check_circuit(circuit); });
}

}  // namespace

TEST_CASE("solver/circuit: make_circuit connects the ends that are named", "[solver]") {
  const Circuit plain = good();
  REQUIRE(plain.wordline_segment_ohm(1, 1) == 2);
  REQUIRE(plain.bitline_segment_ohm(0, 2) == 3);
  REQUIRE(plain.left_ohm == Vector::Constant(2, 500));
  REQUIRE(plain.right_ohm == Vector::Constant(2, open));
  REQUIRE(plain.top_ohm == Vector::Constant(3, open));
  REQUIRE(plain.bottom_ohm == Vector::Constant(3, 100));
  const Matrix conductance = Matrix::Constant(2, 3, 1e-4);
  const Circuit other =
      make_circuit(conductance, {500, 100, 2, 3}, DriveEnds::right, SenseEnds::top);
  REQUIRE(other.left_ohm == Vector::Constant(2, open));
  REQUIRE(other.right_ohm == Vector::Constant(2, 500));
  REQUIRE(other.top_ohm == Vector::Constant(3, 100));
  REQUIRE(other.bottom_ohm == Vector::Constant(3, open));
  const Circuit both =
      make_circuit(conductance, {500, 100, 2, 3}, DriveEnds::both, SenseEnds::both);
  REQUIRE(both.left_ohm == both.right_ohm);
  REQUIRE(both.top_ohm == both.bottom_ohm);
  REQUIRE(both.top_ohm(2) == 100);
  for (const Circuit& circuit : {plain, other, both}) REQUIRE_NOTHROW(check_circuit(circuit));
  REQUIRE_THROWS_AS(make_circuit(conductance, {-1, 0, 0, 0}), InvalidArgument);
}

TEST_CASE("solver/circuit: names of the ends", "[solver]") {
  REQUIRE(xbar::solver::parse_drive_ends("left") == DriveEnds::left);
  REQUIRE(xbar::solver::parse_drive_ends("right") == DriveEnds::right);
  REQUIRE(xbar::solver::parse_drive_ends("both") == DriveEnds::both);
  REQUIRE(xbar::solver::parse_sense_ends("bottom") == SenseEnds::bottom);
  REQUIRE(xbar::solver::parse_sense_ends("top") == SenseEnds::top);
  REQUIRE(xbar::solver::parse_sense_ends("both") == SenseEnds::both);
  REQUIRE_THAT(message_of<InvalidArgument>([] { (void)xbar::solver::parse_drive_ends("top"); }),
               Contains("left") && Contains("'top'"));
  REQUIRE_THAT(message_of<InvalidArgument>([] { (void)xbar::solver::parse_sense_ends("left"); }),
               Contains("bottom") && Contains("'left'"));
}

TEST_CASE("solver/circuit: resistances of all lines, of each line, of each segment", "[solver]") {
  Circuit circuit = good();
  circuit.wordline_ohm.resize(2, 1);
  circuit.wordline_ohm << 5, 6;
  circuit.bitline_ohm.resize(1, 3);
  circuit.bitline_ohm << 7, 8, 9;
  REQUIRE_NOTHROW(check_circuit(circuit));
  REQUIRE(circuit.wordline_segment_ohm(1, 1) == 6);
  REQUIRE(circuit.bitline_segment_ohm(0, 1) == 8);
  circuit.wordline_ohm.resize(2, 2);
  circuit.wordline_ohm << 1, 2, 3, 4;
  REQUIRE_NOTHROW(check_circuit(circuit));
  REQUIRE(circuit.wordline_segment_ohm(0, 1) == 2);
  REQUIRE(circuit.wordline_segment_ohm(1, 0) == 3);

  circuit.wordline_ohm = Matrix::Ones(1, 2);  // of one wordline only
  REQUIRE_THAT(refusal(circuit), Contains("wordline_ohm: expected one value, 2 x 1 (one a line) or "
                                          "2 x 2 (one a segment), got 1 x 2"));
  circuit = good();
  circuit.bitline_ohm = Matrix::Ones(3, 1);
  REQUIRE_THAT(refusal(circuit), Contains("bitline_ohm: expected one value, 1 x 3 (one a line) or "
                                          "1 x 3 (one a segment), got 3 x 1"));
}

TEST_CASE("solver/circuit: a value that cannot be is named", "[solver]") {
  Circuit circuit = good();
  circuit.conductance(1, 2) = -1e-6;
  REQUIRE_THAT(refusal(circuit),
               Contains("conductance") && Contains("-1e-06") && Contains("wordline 1, bitline 2"));
  circuit.conductance(1, 2) = not_a_number;
  REQUIRE_THAT(refusal(circuit), Contains("nan"));
  circuit.conductance(1, 2) = open;  // shorted
  REQUIRE_NOTHROW(check_circuit(circuit));
  circuit.conductance.resize(0, 3);
  REQUIRE_THAT(refusal(circuit), Contains("conductance: expected at least 1 x 1, got 0 x 3"));

  circuit = good();
  circuit.wordline_ohm = Matrix::Ones(2, 2);
  circuit.wordline_ohm(1, 0) = -4;
  REQUIRE_THAT(refusal(circuit), Contains("wordline_ohm: expected values >= 0, got -4 at (1, 0)"));
  circuit = good();
  circuit.bitline_ohm(0, 0) = not_a_number;
  REQUIRE_THAT(refusal(circuit), Contains("bitline_ohm: expected values >= 0, got nan"));

  for (const auto& [name, values] :
       {std::pair{"left_ohm", &Circuit::left_ohm}, std::pair{"right_ohm", &Circuit::right_ohm},
        std::pair{"top_ohm", &Circuit::top_ohm}, std::pair{"bottom_ohm", &Circuit::bottom_ohm}}) {
    circuit = good();
    (circuit.*values)(1) = -2;
    REQUIRE_THAT(refusal(circuit),
                 Contains(std::string(name) + ": expected values >= 0, got -2 at 1"));
    circuit = good();
    (circuit.*values).conservativeResize(1);
    REQUIRE_THAT(refusal(circuit), Contains(name) && Contains("one a line, got 1"));
  }
}

TEST_CASE("solver/circuit: a floating part is named by its first node", "[solver]") {
  // A bitline without terminals is held by its cells, without cells by nothing.
  Circuit circuit = good();
  circuit.bottom_ohm(1) = open;
  REQUIRE_FALSE(xbar::solver::cannot_float(circuit));
  REQUIRE_NOTHROW(check_circuit(circuit));
  circuit.conductance.col(1).setZero();
  REQUIRE_THAT(refusal(circuit), Contains("bitline node (0,1)") && Contains("floating"));

  // Behind a broken segment, the same; a broken segment with nothing behind it does not matter.
  circuit = good();
  circuit.wordline_ohm = Matrix::Constant(2, 2, 2.0);
  circuit.wordline_ohm(1, 0) = open;
  REQUIRE_NOTHROW(check_circuit(circuit));
  circuit.conductance.row(1).setZero();
  REQUIRE_THAT(refusal(circuit), Contains("wordline node (1,1)"));
  circuit.right_ohm(1) = 500;
  REQUIRE_NOTHROW(check_circuit(circuit));

  // An island of several nodes that hold on to each other only: bitline 0's upper node and the
  // wordline 0 that has lost its driver.
  circuit = make_circuit(Matrix::Constant(2, 2, 1e-4), {500, 100, 2, 3});
  circuit.left_ohm(0) = open;
  circuit.bitline_ohm = Matrix::Constant(1, 1, open);
  REQUIRE_THAT(refusal(circuit), Contains("wordline node (0,0)"));

  circuit = good();
  circuit.left_ohm.setConstant(open);
  circuit.bottom_ohm.setConstant(open);
  REQUIRE_THAT(refusal(circuit), Contains("wordline node (0,0)"));
}

TEST_CASE("solver/circuit: what floats is found in random circuits", "[solver]") {
  int floating = 0;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    CAPTURE(seed);
    const auto drawn = xbar_test::random_circuit(seed);
    if (drawn.floats) {
      ++floating;
      REQUIRE_THAT(refusal(drawn.circuit), Contains("floating"));
    } else {
      REQUIRE_NOTHROW(check_circuit(drawn.circuit));
    }
    if (xbar::solver::cannot_float(drawn.circuit)) REQUIRE_FALSE(drawn.floats);
  }
  REQUIRE(floating >= 20);
}

TEST_CASE("solver/circuit: read from the bitlines, the circuit is turned around its other diagonal",
          "[solver]") {
  Circuit circuit;
  circuit.conductance.resize(2, 3);
  circuit.conductance << 1, 2, 3, 4, 5, 6;
  circuit.wordline_ohm.resize(2, 2);
  circuit.wordline_ohm << 11, 12, 13, 14;
  circuit.bitline_ohm.resize(1, 3);
  circuit.bitline_ohm << 21, 22, 23;
  circuit.left_ohm = Vector::LinSpaced(2, 31, 32);
  circuit.right_ohm = Vector::LinSpaced(2, 41, 42);
  circuit.top_ohm = Vector::LinSpaced(3, 51, 53);
  circuit.bottom_ohm = Vector::LinSpaced(3, 61, 63);
  const Circuit turned = transposed_circuit(circuit);
  Matrix conductance(3, 2);
  conductance << 6, 3, 5, 2, 4, 1;
  REQUIRE(turned.conductance == conductance);
  // The former bitline 2 is wordline 0; it has one segment. The former wordlines' segments run
  // from the bottom up, the last ones first.
  REQUIRE(turned.wordline_ohm == (Matrix(3, 1) << 23, 22, 21).finished());
  REQUIRE(turned.bitline_ohm == (Matrix(2, 2) << 14, 12, 13, 11).finished());
  REQUIRE(turned.left_ohm == Vector::LinSpaced(3, 63, 61));
  REQUIRE(turned.right_ohm == Vector::LinSpaced(3, 53, 51));
  REQUIRE(turned.bottom_ohm == Vector::LinSpaced(2, 32, 31));
  REQUIRE(turned.top_ohm == Vector::LinSpaced(2, 42, 41));
  const Circuit back = transposed_circuit(turned);
  REQUIRE(back.conductance == circuit.conductance);
  REQUIRE(back.wordline_ohm == circuit.wordline_ohm);
  REQUIRE(back.bitline_ohm == circuit.bitline_ohm);
  REQUIRE(back.right_ohm == circuit.right_ohm);
  REQUIRE(back.bottom_ohm == circuit.bottom_ohm);
}

TEST_CASE("solver/circuit: voltages that do not fit are named", "[solver]") {
  const auto refused = [](const Matrix& wordline, const Matrix& bitline) {
    return message_of<InvalidArgument>([&] { check_voltage({wordline, bitline}, 2, 3); });
  };
  REQUIRE_NOTHROW(check_voltage({Matrix::Ones(2, 4), Matrix()}, 2, 3));
  REQUIRE_NOTHROW(check_voltage({Matrix::Ones(2, 4), Matrix::Ones(3, 4)}, 2, 3));
  REQUIRE_THAT(refused(Matrix::Ones(3, 4), Matrix()),
               Contains("voltage: expected 2 rows, one a wordline") && Contains("3 x 4"));
  REQUIRE_THAT(refused(Matrix(2, 0), Matrix()), Contains("p = 0"));
  REQUIRE_THAT(refused(Matrix::Ones(2, 4), Matrix::Ones(2, 4)),
               Contains("bitline_voltage: expected 3 rows, one a bitline"));
  REQUIRE_THAT(refused(Matrix::Ones(2, 4), Matrix::Ones(3, 2)),
               Contains("bitline_voltage: expected 4 input vectors like voltage, got 2"));
  Matrix bad = Matrix::Ones(2, 4);
  bad(1, 3) = not_a_number;
  REQUIRE_THAT(refused(bad, Matrix()), Contains("voltage") && Contains("wordline 1, input 3"));
  bad = Matrix::Ones(3, 4);
  bad(2, 0) = open;
  REQUIRE_THAT(refused(Matrix::Ones(2, 4), bad),
               Contains("bitline_voltage") && Contains("inf at bitline 2, input 0"));

  const xbar::solver::TerminalVoltage voltage{Matrix::Ones(2, 2),
                                              (Matrix(3, 2) << 1, 2, 3, 4, 5, 6).finished()};
  REQUIRE(voltage.bitline_input(1, 3) == (Vector(3) << 2, 4, 6).finished());
  const xbar::solver::TerminalVoltage sensed{Matrix::Ones(2, 2), {}};
  REQUIRE(sensed.bitline_input(1, 3) == Vector::Zero(3));
}
