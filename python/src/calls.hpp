#pragma once

/// Long calls: other Python threads run meanwhile, progress is reported, Ctrl-C is heard.

#include <utility>

#include <nanobind/nanobind.h>
#include <nanobind/stl/function.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <xbar/core/interruption.hpp>
#include <xbar/core/progress.hpp>

namespace xbar::python {

namespace nb = nanobind;

/// `progress` of a call: takes a dictionary of phase, done, total and note.
using ProgressArgument =
    std::optional<nb::typed<nb::callable, void(nb::typed<nb::dict, nb::str, nb::any>)>>;

/// What the library calls while it works without the interpreter's lock: notices signals, then
/// calls `progress`, if there is one. What these raise ends the work.
[[nodiscard]] ProgressCallback progress_callback(const ProgressArgument& progress);

/// Throws what a signal handler raises. Takes the interpreter's lock.
void raise_signals();

/// What signal handlers and `progress` raise, for work that saves what it has before it ends.
class SignalWatch {
 public:
  explicit SignalWatch(const ProgressArgument& progress) : progress_(progress) {}

  /// Calls `progress`; what it raises is kept.
  void show(const Progress& now);
  /// Whether something is kept, or a signal handler raises now.
  [[nodiscard]] bool raised();
  /// Raises what was kept, if anything.
  void rethrow();

 private:
  const ProgressArgument& progress_;
  std::optional<nb::python_error> raised_;
};

/// work(), while other Python threads run.
template <typename Work>
auto without_lock(Work&& work) {
  const nb::gil_scoped_release released;
  return std::forward<Work>(work)();
}

/// The same for work that makes something new, reports no progress and may take long: what a signal
/// handler raises ends it.
template <typename Work>
auto interruptible(Work&& work) {
  return without_lock([&] {
    const Interruptible watched(raise_signals);
    return std::forward<Work>(work)();
  });
}

}  // namespace xbar::python
