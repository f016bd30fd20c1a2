#include "program.hpp"
#include "support/catch.hpp"

using xbar_test::Contains;
using xbar_test::run_xbar;
using xbar_test::Scratch;

namespace {

// A 1 x 1 array: 1 V over 1 kohm and whatever the terminals add.
void write_inputs(const Scratch& scratch) {
  xbar::write_array(scratch("G.npy"), xbar::Matrix::Constant(1, 1, 1e-3));
  xbar::write_array(scratch("V.npy"), xbar::Matrix::Ones(1, 1), true);
}

double current(const Scratch& scratch) { return xbar::read_array(scratch("I.npy")).values(0, 0); }

}  // namespace

TEST_CASE("cli/config_file: keys are the flags; the command line wins", "[cli]") {
  const Scratch scratch;
  write_inputs(scratch);
  xbar::write_file_atomically(scratch("run.toml"),
                              "conductance = 'G.npy'\nvoltage = 'V.npy'\nsource-ohm = 1000\n"
                              "sink_ohm = 500.0\ncurrent-out = 'I.npy'\n");
  REQUIRE(run_xbar(scratch, "solve --config run.toml").code == 0);
  REQUIRE_THAT(current(scratch), xbar_test::WithinRel(1 / 2500.0, 1e-12));
  REQUIRE(run_xbar(scratch, "solve --config run.toml --source-ohm 0").code == 0);
  REQUIRE_THAT(current(scratch), xbar_test::WithinRel(1 / 1500.0, 1e-12));
}

TEST_CASE("cli/config_file: an unknown key suggests the nearest", "[cli]") {
  const Scratch scratch;
  write_inputs(scratch);
  xbar::write_file_atomically(scratch("run.toml"), "sorce-ohm = 3\n");
  const auto outcome = run_xbar(scratch, "solve --config run.toml");
  REQUIRE(outcome.code == 2);
  REQUIRE_THAT(outcome.err, Contains("run.toml") && Contains("'sorce-ohm'") &&
                                Contains("; did you mean source-ohm?"));
}

TEST_CASE("cli/config_file: what is not TOML is named by line and column", "[cli]") {
  const Scratch scratch;
  xbar::write_file_atomically(scratch("run.toml"), "source-ohm = 3\nsink-ohm = = 4\n");
  const auto outcome = run_xbar(scratch, "solve --config run.toml");
  REQUIRE(outcome.code == 2);
  REQUIRE_THAT(outcome.err, Contains("run.toml:2:"));
  REQUIRE(run_xbar(scratch, "solve --config none.toml").code == 2);
  // Two that toml++ 3.3 itself stops at: an assertion, a letter that it holds for impossible.
  for (const char* text : {"source-ohm = 3\n[[=", "source-ohm = 3\n\xC3\x99 = 4\n"}) {
    xbar::write_file_atomically(scratch("run.toml"), text);
    const auto refused = run_xbar(scratch, "solve --config run.toml");
    REQUIRE(refused.code == 2);
    REQUIRE_THAT(refused.err, Contains("run.toml:2:") && Contains("not TOML"));
  }
  xbar::write_file_atomically(scratch("run.toml"), "source-ohm = 'three'\n");
  REQUIRE_THAT(run_xbar(scratch, "solve --config run.toml").err, Contains("source-ohm"));
  xbar::write_file_atomically(scratch("run.toml"), "[source-ohm]\na = 3\n");
  REQUIRE(run_xbar(scratch, "solve --config run.toml").code == 2);
}
