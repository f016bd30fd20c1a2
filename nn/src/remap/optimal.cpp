#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include <xbar/core/parallel.hpp>
#include <xbar/mapping/remap/exchange.hpp>
#include <xbar/nn/signal_moments.hpp>

#include "output_error.hpp"
#include "strategies.hpp"

namespace xbar::nn {
namespace {

using Orders = std::vector<mapping::ArrayOrder>;

// Moments change little from step to step.
constexpr int steps_of_moments = 4;
constexpr Index images_of_moments = 250;
// Signals of one image add up over the positions of a layer and over layers, which the moments,
// taken as independent, do not know: networks need a curvature of hundreds.
constexpr double first_curvature = 256;
constexpr double least_promise = 1e-6;  // of E

// By assignment, from the signals of the ideal network.
Orders assigned(const RemapJob& job) {
  const std::vector<mapping::SignalMoments> moments =
      signal_moments(job.ideal, job.images, std::min(job.images.count, images_of_moments),
                     job.options.seed, job.progress);
  Orders orders(job.layers.size());
  parallel_for(static_cast<Index>(orders.size()), [&](Index k) {
    const auto at = static_cast<std::size_t>(k);
    orders[at] = mapping::optimal_order(*job.layers[at].matrix, moments[at], job.options.freedoms);
  });
  return orders;
}

class Descent {
 public:
  explicit Descent(const RemapJob& job)
      : job_(job),
        error_(job.ideal, job.images),
        value_(error_.of(job.on_arrays)),
        scale_(error_.scale()) {}

  // The orders given, if they are better.
  void try_orders(const Orders& orders) {
    const Orders before = orders_of(job_.layers);
    set_orders(job_.layers, orders);
    take_or_return(before);
  }

  int run() {
    int helped = 0;
    double curvature = first_curvature;
    double raise = 2;
    std::vector<mapping::SignalMoments> moments;
    int moments_left = 0;
    for (int tried = 0; tried < job_.options.most_tries; ++tried) {
      if (moments_left == 0) {
        moments = signal_moments(job_.on_arrays, job_.images,
                                 std::min(job_.images.count, images_of_moments), job_.options.seed);
        moments_left = steps_of_moments;
      }
      if (gradients_.empty()) gradients_ = error_.gradients(job_.on_arrays, scale_);
      const Orders before = orders_of(job_.layers);
      const double value_before = value_;
      const double promised = -exchange(moments, static_cast<float>(curvature));
      const bool better = take_or_return(before);
      report(tried + 1);
      if (!better) {
        if (promised < least_promise * value_) {
          // At the beginning it may be far above what this network needs.
          if (helped > 0 || curvature < 1) break;
          curvature /= 8;
          continue;
        }
        curvature *= raise;
        raise *= 2;
        continue;
      }
      ++helped;
      --moments_left;
      // Nielsen's rule for the damping of a Gauss-Newton step.
      const double kept = std::min((value_before - value_) / promised, 1.0);
      curvature *= std::max(1.0 / 3, 1 - std::pow(2 * kept - 1, 3));
      raise = 2;
    }
    return helped;
  }

 private:
  // What the models of all layers say of the change.
  double exchange(const std::vector<mapping::SignalMoments>& moments, float curvature) {
    std::vector<double> change(job_.layers.size());
    curvature *= static_cast<float>(scale_ * scale_);  // the moments are of the outputs unscaled
    parallel_for(static_cast<Index>(change.size()), [&](Index k) {
      const auto at = static_cast<std::size_t>(k);
      change[at] =
          mapping::exchange_lines(*job_.layers[at].matrix,
                                  {gradients_[at], &moments[at], curvature}, job_.options.freedoms);
    });
    return std::accumulate(change.begin(), change.end(), 0.0);
  }

  bool take_or_return(const Orders& before) {
    const double value = error_.of(job_.on_arrays);
    if (!(value < value_)) {
      set_orders(job_.layers, before);
      return false;
    }
    value_ = value;
    scale_ = error_.scale();
    gradients_.clear();
    return true;
  }

  void report(int tried) const {
    if (!job_.progress) return;
    job_.progress({"descent", static_cast<double>(tried),
                   static_cast<double>(job_.options.most_tries),
                   fmt::format("error {:.3g}", value_)});
  }

  const RemapJob& job_;
  OutputError error_;
  double value_ = 0;
  double scale_ = 1;
  std::vector<MatrixF> gradients_;  // of the orders taken last; empty: not yet known
};

}  // namespace

int remap_optimal(const RemapJob& job) {
  Descent descent(job);
  descent.try_orders(assigned(job));
  return descent.run();
}

}  // namespace xbar::nn
