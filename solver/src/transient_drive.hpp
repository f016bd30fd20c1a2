#pragma once

/// What drives a transient: the terminals' voltages over time, in intervals between the corners of
/// their waveforms.

#include <vector>

#include <xbar/solver/transient.hpp>

namespace xbar::solver {

struct Terminals {
  Vector wordline;  ///< V, m
  Vector bitline;   ///< B, n
};

/// Inputs between two corners of the waveforms, [begin, end]. In a jump they go straight from what
/// they were to what they will be.
struct Interval {
  double begin;
  double end;
  bool jump;
};

class Drive {
 public:
  /// Keeps the reference. @throws InvalidArgument naming what does not fit
  Drive(const TransientInput& input, Index num_wordlines, Index num_bitlines, double stop);

  [[nodiscard]] const std::vector<Interval>& intervals() const { return intervals_; }
  /// Voltages at a share of an interval, 0 to 1.
  [[nodiscard]] Terminals at(const Interval& interval, double share) const;
  [[nodiscard]] Terminals final() const { return values(stop_, false); }
  /// The voltages of the time at which they are largest.
  [[nodiscard]] Terminals peak() const;

 private:
  [[nodiscard]] const std::vector<device::Waveform>& bitline_shapes() const {
    return input_.bitline.empty() ? input_.wordline : input_.bitline;
  }
  [[nodiscard]] Terminals values(double time, bool before) const;
  void find_intervals();

  const TransientInput& input_;
  Index n_;
  double stop_;
  std::vector<Interval> intervals_;
};

}  // namespace xbar::solver
