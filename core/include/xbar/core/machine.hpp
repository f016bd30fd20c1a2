#pragma once

/// What a program runs on, for reports.

#include <string>

namespace xbar {

/// The processor as the system names it ("Intel(R) Xeon(R) ..."); "unknown" where it does not.
[[nodiscard]] std::string cpu_name();

}  // namespace xbar
