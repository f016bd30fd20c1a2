#include "response.hpp"

#include <algorithm>
#include <cmath>

namespace xbar::fit {

std::vector<Innovation> innovations(const device::PulseModel& model, const CellScale& cell,
                                    double gain, double start, const Response& response) {
  const double width = cell.upper - cell.lower;
  std::vector<Innovation> result(response.y.size());
  double y = start;
  for (std::size_t k = 0; k < response.y.size(); ++k) {
    Innovation& now = result[k];
    if (k > 0) {
      const double z = std::clamp((y - cell.lower) / width, 0.0, 1.0);
      now.step = response.up[k] ? cell.up * model.up_step(z) : cell.down * model.down_step(z);
      const double moved = std::clamp(response.up[k] ? z + now.step : z - now.step, 0.0, 1.0);
      y = cell.lower + moved * width;
    }
    now.predicted = y;
    now.residual = response.y[k] - y;
    if (!std::isnan(now.residual) && !response.masked[k]) y += gain * now.residual;
  }
  return result;
}

}  // namespace xbar::fit
