#pragma once

/// ngspice as the outside answer, where it is installed.

#include <cstdlib>
#include <string>

#include <xbar/core/atomic_file.hpp>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

namespace xbar_test {

/// Warns that the test is skipped if not.
inline bool have_ngspice() {
  if (std::system("command -v ngspice >/dev/null 2>&1") == 0) return true;
  WARN("skipped: ngspice is not installed (scripts/install-deps --spice)");
  return false;
}

/// What ngspice prints for the netlist; fails the test if it does not run it.
inline std::string run_ngspice(const std::string& netlist) {
  const TemporaryFolder folder;
  xbar::write_file_atomically(folder / "array.cir", netlist);
  const std::string command =
      "cd '" + folder.path().string() + "' && ngspice -b array.cir >out.txt 2>&1";
  const int status = std::system(command.c_str());
  const std::string text = xbar::read_file(folder / "out.txt");
  CAPTURE(netlist, text);
  REQUIRE(status == 0);
  return text;
}

}  // namespace xbar_test
