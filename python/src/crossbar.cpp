#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nanobind/nanobind.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/crossbar_state.hpp>
#include <xbar/nn/crossbar_weight.hpp>
#include <xbar/nn/layers/linear.hpp>
#include <xbar/nn/store_products.hpp>

#include "arrays.hpp"
#include "bindings.hpp"
#include "calls.hpp"
#include "deployment.hpp"

namespace xbar::python {

using namespace nb::literals;

namespace {

using mapping::Technology;

// The weights of one layer on arrays: a network of that layer alone.
class Crossbar {
 public:
  Crossbar(const ArrayLike& weight, const std::optional<Technology>& technology, std::string name,
           const nb::kwargs& options)
      : name_(std::move(name)) {
    const Input<float> values(weight, "weight", 2, 2);
    Keywords keywords("CrossbarMatrix", options);
    const Options chosen = take_options(keywords, technology.value_or(Technology{}));
    const nn::CrossbarMapping& mapping = chosen.mapping;
    const mapping::Converters& converters = mapping.technology.converters;
    if (converters.dac_range == mapping::DacRange::learned ||
        converters.adc_range == mapping::AdcRange::learned ||
        mapping.scale == nn::WeightScale::learned) {
      throw InvalidArgument(
          "CrossbarMatrix: expected ranges that are not learned; train() learns "
          "them");
    }
    network_.emplace(name_, nn::Shape{values.length(1)});
    layer_ = &network_->emplace<nn::Linear>(name_, values.length(1), values.length(0), false);
    layer_->weight_store().set_weight(values.matrix());
    without_lock([&] {
      if (chosen.range) {
        nn::map_to_crossbars(*network_, mapping, {*chosen.range});
      } else {
        nn::map_to_crossbars(*network_, mapping);
      }
    });
  }

  struct Options {
    nn::CrossbarMapping mapping;
    std::optional<float> range;
  };
  static Options take_options(Keywords& keywords, const Technology& technology) {
    Options options{take_mapping(keywords, technology, "sneak-ladder"), {}};
    std::optional<std::string> gradients;
    keywords.take("weight_range", options.range);
    keywords.take("gradients", gradients);
    keywords.finish();
    if (gradients) options.mapping.hardware_aware = nn::parse_gradient_rule(*gradients);
    return options;
  }

  Crossbar(const Crossbar&) = delete;
  Crossbar& operator=(const Crossbar&) = delete;

  [[nodiscard]] nn::WeightStore& store() const { return layer_->weight_store(); }
  [[nodiscard]] mapping::CrossbarMatrix& matrix() const {
    return static_cast<nn::CrossbarWeight&>(store()).matrix();
  }

  ArrayF forward(const ArrayLike& x, bool following) {
    const Input<float> input = signals(x, "x", layer_->in_features());
    ArrayF y = make_array<float>(result_shape(input, layer_->out_features()));
    without_lock(
        [&] { nn::read_forward(store(), input.data(), count(input), following, y.data()); });
    return y;
  }

  ArrayF backward(const ArrayLike& dy, bool following) {
    const Input<float> input = signals(dy, "dy", layer_->out_features());
    ArrayF dx = make_array<float>(result_shape(input, layer_->in_features()));
    without_lock(
        [&] { nn::read_backward(store(), input.data(), count(input), following, dx.data()); });
    return dx;
  }

  [[nodiscard]] ArrayF backpropagate(const ArrayLike& gradient) {
    MatrixF values = of_weight_shape(gradient, "gradient");
    without_lock([&] { store().backpropagate(values); });
    return give(std::move(values));
  }

  void update(const ArrayLike& delta) {
    if (store().takes_signals()) {
      throw InvalidArgument(
          "update: expected update_from_signals with an update_rule that forms "
          "the gradient in the arrays");
    }
    const MatrixF values = of_weight_shape(delta, "delta");
    without_lock([&] { store().update(values); });
  }

  void update_from_signals(const ArrayLike& x, const ArrayLike& dy, double learning_rate) {
    if (!store().takes_signals()) {
      throw InvalidArgument(
          "update_from_signals: expected update_rule stochastic, tiki-taka or "
          "tiki-taka-v2");
    }
    const Input<float> inputs = signals(x, "x", layer_->in_features());
    const Input<float> gradients = signals(dy, "dy", layer_->out_features());
    if (count(inputs) != count(gradients)) {
      throw InvalidArgument("dy: expected " + std::to_string(count(inputs)) +
                            " samples as x, got " + std::to_string(count(gradients)));
    }
    without_lock([&] {
      nn::update_from_signals(store(), inputs.data(), gradients.data(), count(inputs),
                              learning_rate);
    });
  }

  void program(const ArrayLike& weight) {
    const MatrixF values = of_weight_shape(weight, "weight");
    without_lock([&] { store().set_weight(values); });
  }

  [[nodiscard]] std::pair<nb::dict, std::map<std::string, std::string>> state() {
    TensorFile file = nn::crossbar_state(*network_);
    for (auto& [name, tensor] : network_->state().tensors) file.tensors[name] = tensor;
    auto metadata = file.metadata;
    return {to_dict(std::move(file)), std::move(metadata)};
  }

  void load_state(const nb::typed<nb::dict, nb::str, ArrayLike>& tensors,
                  const std::map<std::string, std::string>& metadata) {
    TensorFile arrays = to_tensor_file(tensors, metadata);
    TensorFile weights;
    const auto found = arrays.tensors.find(name_ + ".weight");
    if (found == arrays.tensors.end()) {
      throw InvalidArgument("state: expected tensor '" + name_ + ".weight', found none");
    }
    weights.tensors.insert(arrays.tensors.extract(found));
    without_lock([&] {
      network_->load_state(weights);
      nn::load_crossbar_state(*network_, arrays);
    });
  }

  void set_order(std::vector<Index> slot_of_output, std::vector<Index> slot_of_input) {
    const mapping::ArrayOrder order{std::move(slot_of_output), std::move(slot_of_input)};
    without_lock([&] { matrix().set_order(order); });
  }

  [[nodiscard]] Array tile_conductance(Index plane, Index tile) const {
    if (plane < 0 || plane >= matrix().plane_count() || tile < 0 || tile >= matrix().tile_count()) {
      throw InvalidArgument("tile_conductance: expected plane below " +
                            std::to_string(matrix().plane_count()) + " and tile below " +
                            std::to_string(matrix().tile_count()) + ", got " +
                            std::to_string(plane) + " and " + std::to_string(tile));
    }
    return give(matrix().tile_conductance(plane, tile));
  }

  [[nodiscard]] nb::object certificate() { return certificate_dict(*network_)[name_.c_str()]; }

 private:
  static Input<float> signals(const ArrayLike& from, const char* name, Index length) {
    Input<float> input(from, name, 1, 2);
    if (input.length(input.axes() - 1) != length) {
      throw InvalidArgument(std::string(name) + ": expected " + std::to_string(length) +
                            " values a sample, got " +
                            std::to_string(input.length(input.axes() - 1)));
    }
    return input;
  }
  static Index count(const Input<float>& input) { return input.axes() == 1 ? 1 : input.length(0); }
  static std::vector<std::size_t> result_shape(const Input<float>& input, Index length) {
    std::vector<std::size_t> shape{static_cast<std::size_t>(length)};
    if (input.axes() == 2) shape.insert(shape.begin(), static_cast<std::size_t>(input.length(0)));
    return shape;
  }
  [[nodiscard]] MatrixF of_weight_shape(const ArrayLike& from, const char* name) const {
    const Input<float> input(from, name, 2, 2);
    if (input.length(0) != layer_->out_features() || input.length(1) != layer_->in_features()) {
      throw InvalidArgument(
          std::string(name) + ": expected " + std::to_string(layer_->out_features()) + " x " +
          std::to_string(layer_->in_features()) + ", got " + std::to_string(input.length(0)) +
          " x " + std::to_string(input.length(1)));
    }
    return input.matrix();
  }

  std::string name_;
  std::optional<nn::Network> network_;
  nn::Linear* layer_ = nullptr;
};

}  // namespace

void bind_crossbar(nb::module_& m) {
  const std::string signature = fmt::format(
      "def __init__(self, weight: numpy.typing.ArrayLike, technology: Technology | "
      "None = None, name: str = 'weight', *{}) -> None",
      parameters_of([](Keywords& k) { Crossbar::take_options(k, {}); }));
  nb::class_<Crossbar>(m, "CrossbarMatrix",
                       R"(A weight matrix on the cells of wired tiles: a matrix-vector engine.

Weights are out x in, float32. forward_weight and backward_weight are what the arrays multiply by,
W_eff = weight_range / (g_max - g_min) (G_eff+ - G_eff-)^T; they, and weight, are read-only views
that follow the arrays.)")
      .def(nb::init<const ArrayLike&, const std::optional<Technology>&, std::string,
                    const nb::kwargs&>(),
           "weight"_a, "technology"_a = nb::none(), "name"_a = "weight", "options"_a,
           nb::sig(signature.c_str()),
           R"(weight      W, out x in, programmed to the cells
technology  Technology(); default: its defaults
name        of the random streams: equal names and seeds give equal cells
options     surrogate="sneak-ladder" (auto, or surrogate_models()), tolerance=0 (above: the
            certificate keeps to it), refresh=20 updates between measurements; weight_range, or
            weight_scale="maximum" (percentile, headroom), weight_percentile, headroom; seed=1;
            gradients: "adjoint" or "straight-through" for digital weights read through arrays;
            with Technology(device=...): update_rule="outer-product" (program-verify, stochastic,
            sign, mixed-precision, tiki-taka, tiki-taka-v2), pulse_slots, plain_trains,
            verify_rounds, sign_threshold, fast_rate, transfer_columns, transfer_rate
Raises InvalidArgument naming the option.)")
      .def_prop_ro(
          "weight",
          [](nb::object self) { return look(nb::cast<Crossbar&>(self).store().weight(), self); },
          "W, out x in: what a perfect read would give; a view")
      .def_prop_ro(
          "forward_weight",
          [](nb::object self) {
            return look(nb::cast<Crossbar&>(self).store().forward_weight(), self);
          },
          "out x in: y = W_forward x; a view")
      .def_prop_ro(
          "backward_weight",
          [](nb::object self) {
            return look(nb::cast<Crossbar&>(self).store().backward_weight(), self);
          },
          "out x in: dx = W_backward^T dy, the transposed read; a view")
      .def(
          "forward", &Crossbar::forward, "x"_a, nb::kw_only(), "following"_a = false,
          R"(y = W_forward x of one input (in) or N (N x in): a read with a noise of its own, through
DACs and ADCs where there are any. following: calibrated ranges follow the signals, as in training.
float32 in C order is not copied (with converters once); y is handed over.)")
      .def("backward", &Crossbar::backward, "dy"_a, nb::kw_only(), "following"_a = false,
           "dx = W_backward^T dy of one (out) or N (N x out): the transposed read, likewise.")
      .def("backpropagate", &Crossbar::backpropagate, "gradient"_a,
           "d(loss)/dW from d(loss)/dW_forward, out x in, a new array: through the surrogate with "
           "gradients=\"adjoint\", else as it is.")
      .def(
          "next_read", [](Crossbar& c) { without_lock([&] { c.store().begin_read(); }); },
          "Draws the read noise of the next pass; forward and backward do so by themselves.")
      .def("update", &Crossbar::update, "delta"_a,
           "Asks for W += delta, out x in: what happens is what the device model makes of it.")
      .def(
          "update_from_signals", &Crossbar::update_from_signals, "x"_a, "dy"_a, "learning_rate"_a,
          "W += -learning_rate dy^T x, formed in the arrays by pulse trains; x N x in, dy N x out.")
      .def("program", &Crossbar::program, "weight"_a, "Programs every cell to W, out x in.")
      .def(
          "refresh", [](Crossbar& c) { without_lock([&] { c.store().refresh(); }); },
          "Measures all tiles now.")
      .def("set_order", &Crossbar::set_order, "slot_of_output"_a, "slot_of_input"_a,
           "Moves columns and rows to other slots (re-mapping); the matrices keep their order.")
      .def("tile_conductance", &Crossbar::tile_conductance, "plane"_a, "tile"_a,
           "G of one array as it is, tile_rows x tile_columns, siemens; planes are the kinds of "
           "arrays (plus, minus, slices), tiles are row-major.")
      .def(
          "state", &Crossbar::state,
          nb::sig("def state(self) -> tuple[dict[str, numpy.typing.NDArray[numpy.float32]], "
                  "dict[str, str]]"),
          "Cells, ratios, converters and noise positions: all that load_state() needs to go on bit "
          "for bit.")
      .def("load_state", &Crossbar::load_state, "tensors"_a, "metadata"_a,
           "Puts back a state() of equal shape and options. Raises InvalidArgument.")
      .def_prop_ro(
          "takes_signals", [](const Crossbar& c) { return c.store().takes_signals(); },
          "whether updates are update_from_signals()")
      .def_prop_ro(
          "has_converters",
          [](const Crossbar& c) { return c.matrix().technology().converters.present(); },
          "whether reads go through DACs or ADCs")
      .def_prop_ro(
          "has_read_noise",
          [](const Crossbar& c) { return c.matrix().technology().read_noise > 0; },
          "whether every read differs")
      .def_prop_ro(
          "version", [](const Crossbar& c) { return c.matrix().version(); },
          "changes whenever the effective weights do")
      .def_prop_ro(
          "weight_range", [](const Crossbar& c) { return c.matrix().weight_range(); },
          "largest weight that the cells hold")
      .def_prop_ro(
          "plane_count", [](const Crossbar& c) { return c.matrix().plane_count(); },
          "kinds of arrays")
      .def_prop_ro(
          "tile_count", [](const Crossbar& c) { return c.matrix().tile_count(); },
          "tiles of one kind")
      .def_prop_ro(
          "pulses",
          [](const Crossbar& c) {
            const mapping::PulseTotals& totals = c.matrix().pulse_totals();
            return std::map<std::string, double>{{"up", totals.up},
                                                 {"down", totals.down},
                                                 {"joule", totals.joule},
                                                 {"second", totals.second}};
          },
          "that updates have taken so far: up, down, joule, second")
      .def_prop_ro("certificate", &Crossbar::certificate,
                   nb::sig("def certificate(self) -> dict[str, typing.Any]"),
                   "measured error of the surrogate: checks, worst_error, mean_error");
}

}  // namespace xbar::python
