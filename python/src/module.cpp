#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include <xbar/core/parallel.hpp>
#include <xbar/core/version.hpp>

#include "bindings.hpp"

NB_MODULE(_xbar, m) {
  m.doc() = "Circuit-accurate simulation of resistive crossbars for neural networks.";
  m.attr("__version__") = xbar::version;
  m.def("thread_count", &xbar::thread_count, "Threads that the library's loops use.");
  xbar::python::bind_errors(m);
  xbar::python::bind_solver(m);
  xbar::python::bind_transient(m);
  xbar::python::bind_program(m);
  xbar::python::bind_surrogate(m);
  xbar::python::bind_device(m);
  xbar::python::bind_fit(m);
  xbar::python::bind_technology(m);
  xbar::python::bind_crossbar(m);
  xbar::python::bind_data_set(m);
  xbar::python::bind_training(m);
  xbar::python::bind_networks(m);
  xbar::python::bind_remap(m);
}
