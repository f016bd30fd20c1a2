#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/mapping/certificate.hpp>

namespace xbar::mapping {

using surrogate::ModelKind;

void check_certificate_options(const CertificateOptions& options) {
  const auto at_least = [](const char* name, auto value, auto least) {
    if (value < least) {
      throw InvalidArgument(fmt::format("{}: expected at least {}, got {}", name, least, value));
    }
  };
  at_least("certificate every", options.every, Index{0});
  at_least("certificate tiles", options.tiles, Index{1});
  at_least("certificate inputs", options.inputs, Index{1});
  at_least("longest refresh", options.longest_refresh, 1);
  if (!(options.tolerance >= 0) || !std::isfinite(options.tolerance)) {
    throw InvalidArgument(
        fmt::format("tolerance: expected a finite number >= 0, got {}", options.tolerance));
  }
}

ModelKind more_accurate(ModelKind model) {
  switch (model) {
    case ModelKind::ideal:
      return ModelKind::closed_form;
    case ModelKind::sneak_ladder:
    case ModelKind::sneak_ratio:
    case ModelKind::exact:
      return ModelKind::exact;
    default:
      return ModelKind::sneak_ladder;
  }
}

SurrogateChoice next_choice(const SurrogateChoice& now, double error_in_use, double error_fresh,
                            bool full_interval, const CertificateOptions& options) {
  SurrogateChoice next = now;
  if (!(error_in_use <= options.tolerance)) {
    if (!(error_fresh <= 0.5 * options.tolerance) && now.model != ModelKind::exact) {
      next.model = more_accurate(now.model);
    } else {
      next.refresh = std::max(1, now.refresh / 2);
    }
  } else if (full_interval && error_in_use < 0.25 * options.tolerance) {
    next.refresh = std::min(2 * now.refresh, std::max(now.refresh, options.longest_refresh));
  }
  return next;
}

}  // namespace xbar::mapping
