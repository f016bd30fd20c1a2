#pragma once

/// What says, while a matrix on arrays is used, how far its surrogate is from the circuit, and acts
/// when that is too far.

#include <cstdint>
#include <vector>

#include <xbar/core/matrix.hpp>
#include <xbar/surrogate/model_kind.hpp>

namespace xbar::mapping {

/// How often and against what a matrix is checked.
struct CertificateOptions {
  Index every = 3;    ///< refreshes from one check to the next; 0: no checks
  Index tiles = 2;    ///< arrays of a check, drawn at random, solved exactly
  Index inputs = 16;  ///< random sparse input vectors that the currents are compared at
  /// Of surrogate::CurrentError::relative. 0: measure only; else surrogate and refresh interval
  /// are chosen by it and changed when it is broken.
  double tolerance = 0;
  int longest_refresh = 1000;  ///< largest refresh interval that is chosen
};

/// @throws InvalidArgument naming the option that is out of range
void check_certificate_options(const CertificateOptions& options);

/// A change that a broken (or amply kept) tolerance brought about.
struct CertificateChange {
  std::uint64_t update = 0;                                  ///< of the matrix, when it happened
  double error = 0;                                          ///< relative, what was measured
  surrogate::ModelKind model = surrogate::ModelKind::ideal;  ///< from then on
  int refresh = 0;                                           ///< interval from then on
};

/// The measured error of one matrix so far. Errors are CurrentError::relative of single arrays.
struct Certificate {
  std::uint64_t refreshes = 0;
  std::uint64_t checks = 0;  ///< arrays measured in use: just before a refresh, at their oldest
  double worst_error = 0;    ///< in use
  double error_sum = 0;      ///< in use
  double worst_fresh = 0;    ///< just after a refresh
  std::uint64_t broken = 0;  ///< of the checks, those above the tolerance
  double seconds = 0;        ///< spent on checks
  std::vector<CertificateChange> changes;

  /// Mean error in use; 0 before the first check.
  [[nodiscard]] double mean_error() const {
    return checks > 0 ? error_sum / static_cast<double>(checks) : 0.0;
  }
};

/// What a matrix runs on.
struct SurrogateChoice {
  surrogate::ModelKind model = surrogate::ModelKind::ideal;
  int refresh = 1;
  friend bool operator==(const SurrogateChoice&, const SurrogateChoice&) = default;
};

/// The next more accurate member of those that cost least for what they are good for: ideal,
/// closed-form, sneak-ladder, exact in this order; from other members to sneak-ladder, from the
/// sneak-ladder's ratio to exact.
[[nodiscard]] surrogate::ModelKind more_accurate(surrogate::ModelKind model);

/// What to go on with after a check. Too large an error in use: half the interval if a fresh
/// measurement keeps half the tolerance, else the next more accurate member. Less than a quarter of
/// the tolerance at the end of a full interval: twice the interval.
[[nodiscard]] SurrogateChoice next_choice(const SurrogateChoice& now, double error_in_use,
                                          double error_fresh, bool full_interval,
                                          const CertificateOptions& options);

}  // namespace xbar::mapping
