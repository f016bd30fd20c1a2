#pragma once

/// What a device's file says of a technology.

#include <xbar/device/pulse_device.hpp>
#include <xbar/mapping/technology.hpp>

namespace xbar::mapping {

/// Fields of a technology that someone has stated, and that go before what a device's file says.
struct StatedFields {
  bool on_ohm = false;
  bool on_off_ratio = false;
  bool faults = false;
  bool drift = false;  ///< exponents; the times are always the technology's
  bool read_noise = false;
};

/// Cells that are written by pulses: range, faults, drift and read noise are the device's where
/// they are not stated, and the device's range becomes that of the technology.
/// @throws InvalidArgument as device::check_pulse_device
[[nodiscard]] Technology with_device(Technology technology, device::PulseDevice device,
                                     const StatedFields& stated);

/// Layout::reference for a device of pulses both ways, else Layout::differential.
[[nodiscard]] Layout usual_layout(const Technology& technology);

}  // namespace xbar::mapping
