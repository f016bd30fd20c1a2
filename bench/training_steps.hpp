#pragma once

/// Times of training steps by phase.

#include "row_results.hpp"

namespace xbar_bench {

/// Seconds of every step. The parts do not overlap.
struct StepTimes {
  Series forward, backward, update, converters, step;

  void add(double forward_seconds, double backward_seconds, double update_seconds,
           double converter_seconds = 0) {
    forward.push_back(forward_seconds);
    backward.push_back(backward_seconds);
    update.push_back(update_seconds);
    converters.push_back(converter_seconds);
    step.push_back(forward_seconds + backward_seconds + update_seconds + converter_seconds);
  }
};

}  // namespace xbar_bench
