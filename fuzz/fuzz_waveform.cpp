#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <xbar/core/error.hpp>
#include <xbar/device/waveform.hpp>

using xbar::device::Waveform;

namespace {

void check(const Waveform& waveform) {
  const double duration = waveform.duration();
  if (!(duration > 0) || !std::isfinite(duration)) __builtin_trap();
  for (const double share : {0.0, 0.25, 0.5, 0.75, 1.0}) {
    if (!std::isfinite(waveform.value(share * duration))) __builtin_trap();
    if (!std::isfinite(waveform.value_before(share * duration))) __builtin_trap();
  }
}

template <typename Read>
void try_to_read(const Read& read) {
  try {
    check(read());
  } catch (const xbar::Error&) {
  }
}

}  // namespace

/// Any bytes are a waveform of finite voltages and duration, or an error; as text and as a file.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  // "file:" would read what lies on the disk.
  if (bytes.find("file") == std::string_view::npos) {
    try_to_read([&] { return xbar::device::parse_waveform(bytes); });
  }
  try_to_read([&] { return Waveform::csv(bytes, "input"); });
  return 0;
}
