#pragma once

/// The parts of the module, a file each.

#include <nanobind/nanobind.h>

namespace xbar::python {

void bind_errors(nanobind::module_& m);
void bind_solver(nanobind::module_& m);
void bind_transient(nanobind::module_& m);
void bind_program(nanobind::module_& m);
void bind_surrogate(nanobind::module_& m);
void bind_device(nanobind::module_& m);
void bind_fit(nanobind::module_& m);
void bind_technology(nanobind::module_& m);
void bind_crossbar(nanobind::module_& m);
void bind_data_set(nanobind::module_& m);
void bind_training(nanobind::module_& m);
void bind_networks(nanobind::module_& m);
void bind_remap(nanobind::module_& m);

}  // namespace xbar::python
