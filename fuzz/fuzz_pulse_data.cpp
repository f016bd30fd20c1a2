#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <xbar/core/error.hpp>
#include <xbar/fit/amplitude_data.hpp>
#include <xbar/fit/cycling_fit.hpp>
#include <xbar/fit/iv_fit.hpp>
#include <xbar/fit/pulse_data.hpp>
#include <xbar/fit/retention_fit.hpp>

using xbar::fit::AmplitudeLayout;
using xbar::fit::PulseData;
using xbar::fit::PulseLayout;
using xbar::fit::PulseLayoutOptions;

namespace {

void check(const PulseData& data) {
  if (data.readings() < 2) __builtin_trap();
  for (const auto& curve : data.curves) {
    if (curve.up.size() != curve.siemens.size()) __builtin_trap();
    for (const double g : curve.siemens) {
      if (!std::isnan(g) && !(std::isfinite(g) && g >= 0)) __builtin_trap();
    }
  }
}

template <typename Read>
void try_to_read(const Read& read) {
  try {
    read();
  } catch (const xbar::Error&) {
  }
}

}  // namespace

/// Any bytes are readings that are numbers, or an error; in every layout.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const PulseLayout layout :
       {PulseLayout::table, PulseLayout::columns, PulseLayout::ramps, PulseLayout::aihwkit}) {
    const PulseLayoutOptions options{layout, true, 0.1, 1e-6, 1e-5};
    try_to_read([&] { check(xbar::fit::parse_pulse_data(bytes, "input", options)); });
  }
  try_to_read([&] { (void)xbar::fit::parse_iv_data(bytes, "input"); });
  try_to_read([&] { (void)xbar::fit::parse_retention_data(bytes, "input"); });
  try_to_read([&] { (void)xbar::fit::parse_amplitude_data(bytes, "input", {}); });
  const AmplitudeLayout bare{{"device", "-", "pulse_volt", "after_ohm"}, true};
  try_to_read([&] { (void)xbar::fit::parse_amplitude_data(bytes, "input", bare); });
  try_to_read([&] { (void)xbar::fit::parse_cycling_data(bytes, "input"); });
  return 0;
}
