#include "member_cost.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <vector>

#include <xbar/core/one_thread.hpp>
#include <xbar/surrogate_calibrate/calibrate.hpp>

namespace xbar::surrogate {
namespace {

constexpr double batch_seconds = 1e-3;  // what one run is to take at most, where arrays allow
constexpr double total_seconds = 5e-3;
constexpr Index most_copies = 32;
constexpr std::size_t most_runs = 5;

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// Seconds that this thread has been at work since construction: what other programs take from it
/// on a busy machine does not count.
class WorkStopwatch {
 public:
  [[nodiscard]] double seconds() const { return now() - start_; }

 private:
  static double now() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  }
  double start_ = now();
};

/// Copies of one array, and a member at work on them.
class Bench {
 public:
  Bench(ModelKind kind, const Matrix& conductance, const WireResistance& wires, Index copies)
      : model_(make_model<float>(kind, wires)),
        batch_{copies, conductance.rows(), conductance.cols()},
        conductance_(static_cast<std::size_t>(batch_.size())),
        out_(conductance_.size()) {
    const MatrixF single = conductance.cast<float>();
    for (Index t = 0; t < copies; ++t) {
      std::copy_n(single.data(), single.size(), conductance_.begin() + t * single.size());
    }
  }

  /// Seconds of one array.
  MemberCost run() {
    const auto copies = static_cast<double>(batch_.count);
    MemberCost cost;
    const WorkStopwatch refresh;
    model_->refresh(batch_, conductance_);
    cost.refresh_seconds = refresh.seconds() / copies;
    const WorkStopwatch effective;
    model_->effective(batch_, conductance_, out_);
    cost.effective_seconds = effective.seconds() / copies;
    return cost;
  }

 private:
  std::unique_ptr<EffectiveModel<float>> model_;
  TileBatch batch_;
  std::vector<float> conductance_;
  std::vector<float> out_;
};

}  // namespace

MemberCost member_cost(ModelKind kind, const Matrix& conductance, const WireResistance& wires) {
  const OneThread one_thread;
  const WorkStopwatch watch;
  const MemberCost first = Bench(kind, conductance, wires, 1).run();
  const double seconds = watch.seconds();
  if (seconds > total_seconds) return first;  // too slow for its first call to matter
  const auto copies =
      std::clamp(static_cast<Index>(std::floor(batch_seconds / std::max(seconds, 1e-9))), Index{1},
                 most_copies);
  Bench bench(kind, conductance, wires, copies);
  (void)bench.run();  // memory and caches
  std::vector<double> refresh;
  std::vector<double> effective;
  while (refresh.size() < most_runs && (refresh.empty() || watch.seconds() < total_seconds)) {
    const MemberCost cost = bench.run();
    refresh.push_back(cost.refresh_seconds);
    effective.push_back(cost.effective_seconds);
  }
  return {median(refresh), median(effective)};
}

}  // namespace xbar::surrogate
