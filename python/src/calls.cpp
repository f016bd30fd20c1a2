#include "calls.hpp"

namespace xbar::python {

ProgressCallback shown(const ProgressArgument& progress) {
  if (!progress) return {};
  // Borrowed: the caller's argument outlives the call.
  return [callable = nb::handle(*progress)](const Progress& now) {
    const nb::gil_scoped_acquire lock;
    nb::dict moment;
    moment["phase"] = now.phase;
    moment["done"] = now.done;
    moment["total"] = now.total;
    moment["note"] = now.note;
    callable(moment);
  };
}

ProgressCallback progress_callback(const ProgressArgument& progress) {
  return [show = shown(progress)](const Progress& now) {
    {
      const nb::gil_scoped_acquire lock;
      if (PyErr_CheckSignals() != 0) throw nb::python_error();
    }
    if (show) show(now);
  };
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
