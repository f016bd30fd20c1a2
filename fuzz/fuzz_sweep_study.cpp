#include <cstddef>
#include <cstdint>
#include <string_view>

#include <xbar/core/error.hpp>
#include <xbar/sweep/study.hpp>

/// Any bytes are a study of at least one point, each with a configuration of its own, or an error.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    const auto study = xbar::sweep::parse_study(bytes, "input");
    if (study.design.samples > 1000 || study.seeds.size() > 10) return 0;  // only slow
    for (const auto& point : xbar::sweep::points_of(study)) {
      if (point.identity.size() != 16) __builtin_trap();
    }
  } catch (const xbar::Error&) {
  }
  return 0;
}
