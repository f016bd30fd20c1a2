#include <cstddef>
#include <cstdint>
#include <string_view>

#include <xbar/core/error.hpp>
#include <xbar/device/dynamics/registry.hpp>
#include <xbar/solver/program.hpp>

#include "program_state.hpp"

/// Any bytes are a state from which `xbar program` can go on, or an error; nothing else happens.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto cell = xbar::device::make_dynamic_cell("vteam");
  const xbar::Matrix targets{{5e-3, 1e-2}};
  auto state =
      xbar::solver::start_program(*cell, xbar::solver::array_state_of_fraction(*cell, 1, 2, 0));
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    (void)xbar::cli::parse_program_state(bytes, "input", *cell, targets, 2, state);
  } catch (const xbar::Error&) {
    return 0;
  }
  if (state.unit < 0 || state.unit >= 2 || state.pass < 0) __builtin_trap();
  if (state.disturb.i != 0 || state.disturb.j < 0 || state.disturb.j > 1) __builtin_trap();
  return 0;
}
