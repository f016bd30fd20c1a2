#include "calls.hpp"

namespace xbar::python {

ProgressCallback progress_callback(const ProgressArgument& progress) {
  // Borrowed: the caller's argument outlives the call.
  const nb::handle callable = progress ? nb::handle(*progress) : nb::handle();
  return [callable](const Progress& now) {
    const nb::gil_scoped_acquire lock;
    if (PyErr_CheckSignals() != 0) throw nb::python_error();
    if (!callable.is_valid()) return;
    nb::dict moment;
    moment["phase"] = now.phase;
    moment["done"] = now.done;
    moment["total"] = now.total;
    moment["note"] = now.note;
    callable(moment);
  };
}

}  // namespace xbar::python
