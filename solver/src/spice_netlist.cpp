#include <iterator>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/version.hpp>
#include <xbar/solver/solve.hpp>
#include <xbar/solver/spice_netlist.hpp>

namespace xbar::solver {

std::string spice_netlist(const Matrix& conductance, const Vector& voltage,
                          const WireResistance& wires, const Vector& current) {
  check_conductance(conductance);
  check_wires(wires);
  check_voltage(voltage, conductance.rows());
  const Index m = conductance.rows();
  const Index n = conductance.cols();
  if (current.size() != n) {
    throw InvalidArgument(
        fmt::format("current: expected {} entries, one a bitline, got {}", n, current.size()));
  }
  // Names of nodes, merged where a resistance is zero.
  const auto u = [&](Index i, Index j) {
    if (wires.wordline_ohm == 0) j = 0;
    return j == 0 && wires.source_ohm == 0 ? fmt::format("s_{}", i) : fmt::format("u_{}_{}", i, j);
  };
  const auto w = [&](Index i, Index j) {
    if (wires.bitline_ohm == 0) i = m - 1;
    return i == m - 1 && wires.sink_ohm == 0 ? fmt::format("k_{}", j)
                                             : fmt::format("w_{}_{}", i, j);
  };
  std::string text = fmt::format(
      "* {} x {} crossbar, written by xbar {}; run with: ngspice -b FILE\n"
      "* source {} ohm, sink {} ohm, wordline {} ohm, bitline {} ohm\n"
      "* expected currents, ampere:\n",
      m, n, version, wires.source_ohm, wires.sink_ohm, wires.wordline_ohm, wires.bitline_ohm);
  auto out = std::back_inserter(text);
  for (Index j = 0; j < n; ++j) fmt::format_to(out, "*   i(vk_{}) = {:.17g}\n", j, current(j));
  fmt::format_to(out, ".options reltol=1e-12 abstol=1e-18 vntol=1e-15 gmin=1e-18\n");
  for (Index i = 0; i < m; ++i) {
    fmt::format_to(out, "v_{0} s_{0} 0 dc {1:.17g}\n", i, voltage(i));
    if (wires.source_ohm > 0) {
      fmt::format_to(out, "rs_{0} s_{0} {1} {2:.17g}\n", i, u(i, 0), wires.source_ohm);
    }
    for (Index j = 0; wires.wordline_ohm > 0 && j + 1 < n; ++j) {
      fmt::format_to(out, "rw_{}_{} {} {} {:.17g}\n", i, j, u(i, j), u(i, j + 1),
                     wires.wordline_ohm);
    }
  }
  for (Index i = 0; i < m; ++i) {
    for (Index j = 0; j < n; ++j) {
      if (conductance(i, j) == 0) continue;
      fmt::format_to(out, "rc_{}_{} {} {} {:.17g}\n", i, j, u(i, j), w(i, j),
                     1.0 / conductance(i, j));
    }
  }
  for (Index j = 0; j < n; ++j) {
    for (Index i = 0; wires.bitline_ohm > 0 && i + 1 < m; ++i) {
      fmt::format_to(out, "rb_{}_{} {} {} {:.17g}\n", i, j, w(i, j), w(i + 1, j),
                     wires.bitline_ohm);
    }
    if (wires.sink_ohm > 0) {
      fmt::format_to(out, "rk_{0} {1} k_{0} {2:.17g}\n", j, w(m - 1, j), wires.sink_ohm);
    }
    fmt::format_to(out, "vk_{0} k_{0} 0 dc 0\n", j);
  }
  fmt::format_to(out, ".control\nset numdgt=16\nop\n");
  for (Index j = 0; j < n; ++j) fmt::format_to(out, "print i(vk_{})\n", j);
  fmt::format_to(out, "quit\n.endc\n.end\n");
  return text;
}

}  // namespace xbar::solver
