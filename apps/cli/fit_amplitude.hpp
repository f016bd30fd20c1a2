#pragma once

/// Voltage laws as text: JSON for run.json, a table for the page, lines for a person, device files.

#include <string>

#include <xbar/fit/amplitude_fit.hpp>

#include "run_folder.hpp"

namespace xbar::cli {

[[nodiscard]] Json amplitude_results(const fit::AmplitudeFit& found);
[[nodiscard]] std::string amplitude_text(const fit::AmplitudeFit& found);
/// A row a voltage of either direction: mean change, the law's, RMS residual.
[[nodiscard]] std::string amplitude_csv(const fit::AmplitudeFit& found);

/// Puts the law and the nominal voltages, and lengths where there are none yet, into a device.
void set_voltage_law(const fit::AmplitudeFit& found, const fit::AmplitudeData& data,
                     device::PulseDevice& device);
/// The same as the lines of a device file.
[[nodiscard]] std::string voltage_toml(const fit::AmplitudeFit& found);
/// The cell that the law was fitted with. @pre found.cell
[[nodiscard]] device::PulseDevice amplitude_device(const fit::AmplitudeFit& found,
                                                   const fit::AmplitudeData& data);

}  // namespace xbar::cli
