#pragma once

/// NumPy's .npz: a zip archive of .npy members.

#include <map>
#include <string>

#include <xbar/core/matrix.hpp>

namespace xbar::detail {

/// Stored uncompressed, as numpy.savez does, all dated 1980-01-01.
/// @throws IoError naming `name` if the zip library fails.
[[nodiscard]] std::string format_npz(const std::map<std::string, Matrix>& arrays,
                                     const std::string& name);

}  // namespace xbar::detail
