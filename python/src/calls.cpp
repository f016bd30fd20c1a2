#include "calls.hpp"

namespace xbar::python {
namespace {

// With the interpreter's lock.
void call(nb::handle callable, const Progress& now) {
  nb::dict moment;
  moment["phase"] = now.phase;
  moment["done"] = now.done;
  moment["total"] = now.total;
  moment["note"] = now.note;
  callable(moment);
}

}  // namespace

ProgressCallback progress_callback(const ProgressArgument& progress) {
  // Borrowed: the caller's argument outlives the call.
  const nb::handle callable = progress ? nb::handle(*progress) : nb::handle();
  return [callable](const Progress& now) {
    raise_signals();
    if (!callable.is_valid()) return;
    const nb::gil_scoped_acquire lock;
    call(callable, now);
  };
}

void raise_signals() {
  const nb::gil_scoped_acquire lock;
  if (PyErr_CheckSignals() != 0) throw nb::python_error();
}

void SignalWatch::show(const Progress& now) {
  if (!progress_ || raised_) return;
  const nb::gil_scoped_acquire lock;
  try {
    call(*progress_, now);
  } catch (nb::python_error& error) {
    raised_.emplace(std::move(error));
  }
}

bool SignalWatch::raised() {
  if (raised_) return true;
  const nb::gil_scoped_acquire lock;
  if (PyErr_CheckSignals() == 0) return false;
  raised_.emplace();
  return true;
}

void SignalWatch::rethrow() {
  if (raised_) throw nb::python_error(std::move(*raised_));
}

}  // namespace xbar::python
