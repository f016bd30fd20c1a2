#include <xbar/core/error.hpp>

#include "bindings.hpp"

namespace xbar::python {

namespace nb = nanobind;

void bind_errors(nb::module_& m) {
  // Translators are asked last one first: the base comes first here.
  const nb::exception<Error> error(m, "Error");
  error.doc() = "Base of every error that xbar raises on purpose.";
  const nb::exception<InvalidArgument> argument(
      m, "InvalidArgument", nb::make_tuple(error, nb::handle(PyExc_ValueError)));
  argument.doc() =
      "An argument is unusable; the message names it, and what was expected and found.";
  const nb::exception<NumericalError> numerical(
      m, "NumericalError", nb::make_tuple(error, nb::handle(PyExc_ArithmeticError)));
  numerical.doc() = "A numerical method failed; the message says where and how far it got.";
  const nb::exception<IoError> io(m, "IoError", nb::make_tuple(error, nb::handle(PyExc_OSError)));
  io.doc() = "A file is missing, malformed or cannot be written.";
  nb::register_exception_translator([](const std::exception_ptr& thrown, void*) {
    try {
      std::rethrow_exception(thrown);
    } catch (const Interrupted& interrupted) {
      PyErr_SetString(PyExc_KeyboardInterrupt, interrupted.what());
    }
  });
}

}  // namespace xbar::python
