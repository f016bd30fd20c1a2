#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <xbar/core/error.hpp>
#include <xbar/surrogate_calibrate/calibrate.hpp>

#include "arrays.hpp"
#include "bindings.hpp"
#include "calls.hpp"

namespace xbar::python {

using namespace nb::literals;

namespace {

// Tiles of an argument: m x n is one, count x m x n several.
surrogate::TileBatch batch_of(const Input<double>& tiles) {
  const std::size_t first = tiles.axes() - 2;
  return {first == 1 ? tiles.length(0) : 1, tiles.length(first), tiles.length(first + 1)};
}

std::vector<std::size_t> shape_of(const Input<double>& tiles) {
  std::vector<std::size_t> shape;
  for (std::size_t k = 0; k < tiles.axes(); ++k) {
    shape.push_back(static_cast<std::size_t>(tiles.length(k)));
  }
  return shape;
}

using Output = nb::ndarray<nb::numpy, double, nb::c_contig, nb::device::cpu>;

class Model {
 public:
  Model(const std::string& model, double source_ohm, double sink_ohm, double wordline_ohm,
        double bitline_ohm)
      : model_(surrogate::make_model<double>(surrogate::parse_model(model),
                                             {.source_ohm = source_ohm,
                                              .sink_ohm = sink_ohm,
                                              .wordline_ohm = wordline_ohm,
                                              .bitline_ohm = bitline_ohm})) {}

  [[nodiscard]] std::string name() const {
    return std::string(surrogate::model_name(model_->kind()));
  }

  void refresh(const ArrayLike& conductance, const std::optional<ArrayLike>& inputs) {
    const Input<double> g = tiles(conductance);
    std::optional<Input<double>> v;
    if (inputs) v.emplace(*inputs, "inputs", 1, 2);
    without_lock([&] {
      model_->refresh(batch_of(g), g.values(), v ? v->values() : std::span<const double>{});
    });
  }

  nb::object effective(const ArrayLike& conductance, const std::optional<Output>& out) const {
    const Input<double> g = tiles(conductance);
    const Output to = target(g, out);
    without_lock([&] { model_->effective(batch_of(g), g.values(), {to.data(), to.size()}); });
    return nb::cast(to);
  }

  nb::object gradient(const ArrayLike& conductance, const ArrayLike& cotangent,
                      const std::optional<Output>& out) const {
    const Input<double> g = tiles(conductance);
    const Input<double> c(cotangent, "cotangent", 2, 3);
    if (shape_of(c) != shape_of(g)) {
      throw InvalidArgument(
          fmt::format("cotangent: expected the shape of conductance, ({}), got ({})",
                      fmt::join(shape_of(g), ", "), fmt::join(shape_of(c), ", ")));
    }
    const Output to = target(g, out);
    without_lock([&] {
      model_->gradient(batch_of(g), g.values(), c.values(), {to.data(), to.size()});
    });
    return nb::cast(to);
  }

 private:
  static Input<double> tiles(const ArrayLike& conductance) {
    Input<double> g(conductance, "conductance", 2, 3);
    for (std::size_t k = 0; k < g.values().size(); ++k) {
      if (!(g.values()[k] >= 0) || !std::isfinite(g.values()[k])) {
        throw InvalidArgument(fmt::format(
            "conductance: expected finite values >= 0, got {} at place {}", g.values()[k], k));
      }
    }
    return g;
  }

  static Output target(const Input<double>& g, const std::optional<Output>& out) {
    const std::vector<std::size_t> shape = shape_of(g);
    if (!out) {
      const nb::ndarray<nb::numpy, double> made = make_array<double>(shape);
      return Output(made);
    }
    bool fits = out->ndim() == shape.size();
    for (std::size_t k = 0; fits && k < shape.size(); ++k) fits = out->shape(k) == shape[k];
    if (!fits) {
      throw InvalidArgument(
          fmt::format("out: expected the shape of conductance, ({})", fmt::join(shape, ", ")));
    }
    return *out;
  }

  std::unique_ptr<surrogate::EffectiveModel<double>> model_;
};

nb::list surrogate_models() {
  nb::list models;
  for (const surrogate::ModelInfo& info : surrogate::model_infos()) {
    nb::dict one;
    one["name"] = std::string(info.name);
    one["what"] = std::string(info.what);
    one["measures"] = info.measures;
    one["takes_inputs"] = info.takes_inputs;
    models.append(one);
  }
  return models;
}

}  // namespace

void bind_surrogate(nb::module_& m) {
  m.def(
      "surrogate_models", &surrogate_models,
      nb::sig("def surrogate_models() -> list[dict[str, typing.Any]]"),
      "The members of the surrogate family: name, what, whether refresh() measures and whether it "
      "takes inputs.");

  nb::class_<Model>(m, "Surrogate",
                    R"(A cheap way to the effective conductance of tiles with equal wires.

Tiles are m x n, or count x m x n, siemens; those in float64 and C order are not copied, and results
are written into `out`, if given, else into a new array that is handed over.)")
      .def(nb::init<const std::string&, double, double, double, double>(), "model"_a, nb::kw_only(),
           "source_ohm"_a = 0.0, "sink_ohm"_a = 0.0, "wordline_ohm"_a = 0.0, "bitline_ohm"_a = 0.0,
           "model: a name of surrogate_models(). Raises InvalidArgument.")
      .def_prop_ro("model", &Model::name, "the member's name")
      .def("refresh", &Model::refresh, "conductance"_a, "inputs"_a = nb::none(),
           "Measures the tiles, where the member does (fields, exact matrices). inputs: a typical "
           "input vector of each tile, count x m, volt; default: all inputs equal.")
      .def(
          "effective", &Model::effective, "conductance"_a, "out"_a = nb::none(),
          nb::sig("def effective(self, conductance: numpy.typing.ArrayLike, out: "
                  "numpy.typing.NDArray[numpy.float64] | None = None) -> "
                  "numpy.typing.NDArray[numpy.float64]"),
          "G_eff, siemens, of conductance's shape. Raises InvalidArgument without the refresh() of "
          "this shape that members which measure need.")
      .def(
          "gradient", &Model::gradient, "conductance"_a, "cotangent"_a, "out"_a = nb::none(),
          nb::sig("def gradient(self, conductance: numpy.typing.ArrayLike, cotangent: "
                  "numpy.typing.ArrayLike, out: numpy.typing.NDArray[numpy.float64] | None = None) "
                  "-> numpy.typing.NDArray[numpy.float64]"),
          "d(loss)/dG for cotangent = d(loss)/dG_eff, all of conductance's shape; what refresh() "
          "measured is held.");
}

}  // namespace xbar::python
