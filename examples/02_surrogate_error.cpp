/// How far are ideal arithmetic and the surrogates from the circuit, for your technology?
///
///   build/release/examples/example_02_surrogate_error
///   -> operating-point: 0.5... %

#include <fmt/format.h>

#include <xbar/core/random.hpp>
#include <xbar/surrogate/current_error.hpp>
#include <xbar/surrogate_calibrate/calibrate.hpp>

int main() {
  using xbar::surrogate::CurrentError;
  using xbar::surrogate::ModelKind;
  const xbar::WireResistance wires{
      .source_ohm = 100, .sink_ohm = 100, .wordline_ohm = 1, .bitline_ohm = 1};
  xbar::Matrix conductance(64, 64);  // cells between 20 kohm and 200 kohm
  const xbar::RandomStream draw(1, "cells");
  for (xbar::Index e = 0; e < conductance.size(); ++e) {
    conductance.data()[e] = draw.uniform(static_cast<std::uint64_t>(e), 5e-6, 50e-6);
  }
  const xbar::Matrix inputs = xbar::surrogate::random_sparse_inputs(64, 100, 1);
  const xbar::Vector typical = xbar::Vector::Ones(64);
  const xbar::Matrix exact =
      xbar::surrogate::effective_conductance(ModelKind::exact, conductance, wires, typical);
  for (const ModelKind kind : {ModelKind::ideal, ModelKind::ladder, ModelKind::operating_point}) {
    const CurrentError error = xbar::surrogate::current_error(
        xbar::surrogate::effective_conductance(kind, conductance, wires, typical), exact, inputs);
    fmt::print("{}: {:.3f} % of the largest current (worst input {:.3f} %)\n", model_name(kind),
               100 * error.mean, 100 * error.worst);
  }
}
