#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <xbar/core/array_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/device/cell_models.hpp>

/// Any bytes are a table whose cells carry finite currents that do not fall, or an error; nothing
/// else happens.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    xbar::device::CellSettings settings;
    settings.table = xbar::parse_csv(bytes, "input").values;
    const auto cells = xbar::device::make_cell_model("table", settings);
    // The rows' voltages and those between them.
    const xbar::Index rows = settings.table.rows();
    xbar::Matrix voltage(1, 2 * rows - 1);
    for (xbar::Index k = 0; k < rows; ++k) {
      voltage(0, 2 * k) = settings.table(k, 0);
      if (k > 0) voltage(0, 2 * k - 1) = settings.table(k - 1, 0) / 2 + settings.table(k, 0) / 2;
    }
    const xbar::Matrix conductance = xbar::Matrix::Constant(1, voltage.cols(), 1);
    xbar::Matrix current;
    xbar::Matrix derivative;
    cells->evaluate(conductance, voltage, current, derivative);
    if (!current.allFinite() || !derivative.allFinite()) __builtin_trap();
    if (!(derivative.array() >= 0).all()) __builtin_trap();
    for (xbar::Index k = 0; k < rows; ++k) {
      const double value = settings.table(k, 1);
      if (!(std::abs(current(0, 2 * k) - value) <= 1e-12 * std::abs(value))) __builtin_trap();
    }
  } catch (const xbar::Error&) {
  }
  return 0;
}
