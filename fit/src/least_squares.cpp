#include "least_squares.hpp"

#include <exception>

#include <xbar/core/interruption.hpp>

namespace xbar::fit {
namespace {

// Ceres is not made for exceptions: this one passes around it.
class Poll final : public ceres::IterationCallback {
 public:
  ceres::CallbackReturnType operator()(const ceres::IterationSummary& /*summary*/) override {
    try {
      poll_interruption();
    } catch (...) {
      raised_ = std::current_exception();
      return ceres::SOLVER_ABORT;
    }
    return ceres::SOLVER_CONTINUE;
  }
  void rethrow() const {
    if (raised_) std::rethrow_exception(raised_);
  }

 private:
  std::exception_ptr raised_;
};

}  // namespace

ceres::Solver::Summary solve(ceres::Solver::Options options, ceres::Problem& problem) {
  Poll poll;
  options.logging_type = ceres::SILENT;
  options.callbacks.push_back(&poll);
  ceres::Solver::Summary summary;
  ceres::Solve(options, &problem, &summary);
  poll.rethrow();
  return summary;
}

}  // namespace xbar::fit
