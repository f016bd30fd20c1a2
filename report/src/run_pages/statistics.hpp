#pragma once

/// What chance can do to an accuracy on a finite test set.

namespace xbar::report::pages {

/// Half of the range in which 95 % of test sets of this size would put an accuracy (Agresti and
/// Coull: two right and two wrong answers are added, so that it is not 0 at 100 %). Shares; NaN if
/// there is nothing to judge by.
[[nodiscard]] double accuracy_noise(double accuracy, long long images);

/// The same for the difference of two accuracies, as if on independent test sets. On the same test
/// set the true range is narrower, so this claims a difference rather too seldom.
[[nodiscard]] double difference_noise(double first, double second, long long images);

/// Sign test (exact McNemar test): how often a fair coin splits put_right + spoilt at least as
/// unevenly. 1 if nothing changed.
[[nodiscard]] double sign_test(long long put_right, long long spoilt);

}  // namespace xbar::report::pages
