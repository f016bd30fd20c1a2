#include <cstddef>
#include <cstdint>
#include <string>

#include <xbar/core/error.hpp>
#include <xbar/device/pulse_device.hpp>

/// Any bytes are a device that is written and read back to the same text, or an error.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  try {
    const auto device = xbar::device::parse_pulse_device(bytes, "input");
    const std::string text = xbar::device::to_toml(device);
    if (xbar::device::to_toml(xbar::device::parse_pulse_device(text, "written")) != text) {
      __builtin_trap();
    }
  } catch (const xbar::Error&) {
  }
  return 0;
}
