#include <algorithm>
#include <cstdlib>

#include <xbar/core/isa.hpp>

namespace xbar {
namespace {

Isa detect() {
  Isa best = Isa::baseline;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
      __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2")) {
    best = Isa::avx2;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw")) {
      best = Isa::avx512;
    }
  }
#endif
  if (const char* wanted = std::getenv("XBAR_ISA")) {
    for (const Isa level : {Isa::baseline, Isa::avx2, Isa::avx512}) {
      if (isa_name(level) == wanted) best = std::min(best, level);
    }
  }
  return best;
}

}  // namespace

Isa isa() {
  static const Isa level = detect();
  return level;
}

std::string_view isa_name(Isa level) {
  switch (level) {
    case Isa::avx2:
      return "avx2";
    case Isa::avx512:
      return "avx512";
    case Isa::baseline:
      break;
  }
  return "baseline";
}

}  // namespace xbar
