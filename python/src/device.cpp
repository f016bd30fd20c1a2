#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nanobind/nanobind.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <xbar/core/error.hpp>
#include <xbar/device/pulse_presets.hpp>
#include <xbar/device/pulsed_cells.hpp>
#include <xbar/device/update.hpp>

#include "arrays.hpp"
#include "bindings.hpp"
#include "calls.hpp"

namespace xbar::python {

using namespace nb::literals;

namespace {

using device::PulseDevice;

// The cells of an array and their states.
class Cells {
 public:
  Cells(const PulseDevice& device, const ArrayLike& conductance, std::uint64_t seed)
      : range_(device.range()), noise_(seed, "write-noise") {
    const Matrix g = to_matrix(conductance, "conductance");
    state_ = ((g.array() - range_.g_min) / range_.width()).cast<float>();
    if (g.size() == 0 || !(state_.minCoeff() >= -1e-6F) || !(state_.maxCoeff() <= 1 + 1e-6F)) {
      throw InvalidArgument("conductance: expected values from " + std::to_string(range_.g_min) +
                            " to " + std::to_string(range_.g_max) + " S, found others");
    }
    state_ = state_.cwiseMax(0.0F).cwiseMin(1.0F);
    cells_ = std::make_unique<device::PulsedCells>(std::make_shared<const PulseDevice>(device),
                                                   g.rows(), g.cols(), RandomStream(seed, "cells"));
    for (Index i = 0; i < state_.rows(); ++i) cells_->set(i, 0, line(i));
  }

  void pulse(const ArrayLike& up, const ArrayLike& down) {
    const Input<float> rising(up, "up", 2, 2);
    const Input<float> falling(down, "down", 2, 2);
    for (const auto* counts : {&rising, &falling}) {
      if (counts->length(0) != state_.rows() || counts->length(1) != state_.cols() ||
          !(counts->matrix().minCoeff() >= 0)) {
        throw InvalidArgument(std::string(counts == &rising ? "up" : "down") + ": expected " +
                              std::to_string(state_.rows()) + " x " +
                              std::to_string(state_.cols()) + " numbers >= 0");
      }
    }
    without_lock([&] {
      const auto length = static_cast<std::size_t>(state_.cols());
      const RandomStream event = noise_.substream(events_++);
      for (Index i = 0; i < state_.rows(); ++i) {
        const auto first = static_cast<std::size_t>(i) * length;
        cells_->pulse(i, 0, line(i), rising.values().subspan(first, length),
                      falling.values().subspan(first, length), event);
      }
    });
  }

  [[nodiscard]] Array conductance() const {
    const Matrix g = (state_.cast<double>().array() * range_.width() + range_.g_min).matrix();
    return give(Matrix(g));
  }

 private:
  [[nodiscard]] std::span<float> line(Index i) {
    return {state_.row(i).data(), static_cast<std::size_t>(state_.cols())};
  }

  device::ConductanceRange range_;
  RandomStream noise_;
  std::uint64_t events_ = 0;
  MatrixF state_;
  std::unique_ptr<device::PulsedCells> cells_;
};

ArrayF apply_update(const ArrayLike& state, const ArrayLike& change, const std::string& update,
                    double nonlinearity, double write_noise, std::uint64_t seed) {
  const Input<float> x(state, "state", 1, 2);
  const Input<float> d(change, "change", 1, 2);
  if (x.values().size() != d.values().size()) {
    throw InvalidArgument("change: expected as many values as state, " +
                          std::to_string(x.values().size()) + ", got " +
                          std::to_string(d.values().size()));
  }
  const device::UpdateModel model{device::parse_update_kind(update), nonlinearity, write_noise};
  device::check_update_model(model);
  std::vector<std::size_t> shape;
  for (std::size_t k = 0; k < x.axes(); ++k) shape.push_back(static_cast<std::size_t>(x.length(k)));
  ArrayF result = make_array<float>(shape);
  std::copy(x.values().begin(), x.values().end(), result.data());
  without_lock([&] {
    device::apply_update(model, {result.data(), result.size()}, d.values(),
                         RandomStream(seed, "write-noise"), 0);
  });
  return result;
}

}  // namespace

void bind_device(nb::module_& m) {
  m.def("device_names", &device::preset_names,
        "Presets: devices of the literature, every number with its source.");

  nb::class_<PulseDevice>(m, "PulseDevice",
                          "A memristive device as its pulses see it (docs/devices.md).")
      .def(
          "__init__",
          [](PulseDevice* self, const std::string& file) {
            new (self) PulseDevice(device::read_pulse_device(file));
          },
          "file"_a,
          "file: a device file, or the name of a preset. Raises IoError, InvalidArgument.")
      .def_static(
          "parse",
          [](const std::string& text) { return device::parse_pulse_device(text, "device"); },
          "text"_a, "The same from a file's text.")
      .def("to_toml", &device::to_toml, "As a device file.")
      .def_ro("name", &PulseDevice::name, "of the file")
      .def_ro("description", &PulseDevice::description, "one line")
      .def_ro("source", &PulseDevice::source, "where its numbers come from")
      .def_ro("g_min_siemens", &PulseDevice::g_min_siemens, "siemens")
      .def_ro("g_max_siemens", &PulseDevice::g_max_siemens, "siemens")
      .def_ro("one_way", &PulseDevice::one_way, "pulses go up only, down is a reset")
      .def_ro("parameters", &PulseDevice::parameters, "the pulse model's")
      .def_prop_ro(
          "model", [](const PulseDevice& d) { return std::string(d.model->name()); },
          "name of the pulse model")
      .def(
          "up_step", [](const PulseDevice& d, double x) { return d.model->up_step(x); }, "x"_a,
          "Mean step of one up pulse at x = (G - g_min) / (g_max - g_min), share of the range.")
      .def(
          "down_step", [](const PulseDevice& d, double x) { return d.model->down_step(x); }, "x"_a,
          "Mean step of one down pulse at x, share of the range, >= 0.");

  nb::class_<Cells>(m, "PulsedCells",
                    "Cells written by pulses, each with its own spread of parameters.")
      .def(nb::init<const PulseDevice&, const ArrayLike&, std::uint64_t>(), "device"_a,
           "conductance"_a, nb::kw_only(), "seed"_a = 1,
           "conductance: m x n, siemens, where the cells begin; seed: of spread and noise. "
           "Raises InvalidArgument.")
      .def("pulse", &Cells::pulse, "up"_a, "down"_a,
           "Pulses to each cell, m x n each, >= 0; float32 in C order is not copied.")
      .def_prop_ro("conductance", &Cells::conductance, nb::rv_policy::move,
                   "m x n, siemens, a new array");

  m.def("apply_update", &apply_update, "state"_a, "change"_a, nb::kw_only(), "update"_a = "linear",
        "nonlinearity"_a = 0.0, "write_noise"_a = 0.0, "seed"_a = 1,
        R"(One programming step on normalised conductances x = (G - g_min) / (g_max - g_min):
x' = clamp(x + s + write_noise sqrt(|s|) N(0,1), 0, 1), s the step that the cell makes of `change`.

state, change   x and what is asked for, equal shapes
update          linear, asymmetric or symmetric, with nonlinearity [Agarwal2016]
Returns x', float32, a new array. Raises InvalidArgument.)");
}

}  // namespace xbar::python
