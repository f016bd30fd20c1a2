#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <nanobind/nanobind.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/variant.h>
#include <nanobind/stl/vector.h>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/nn/deployment.hpp>
#include <xbar/nn/models.hpp>
#include <xbar/nn/remap.hpp>
#include <xbar/nn/trainer.hpp>
#include <xbar/onnx/import.hpp>

#include "arrays.hpp"
#include "bindings.hpp"
#include "calls.hpp"
#include "deployment.hpp"

namespace xbar::python {

using namespace nb::literals;

namespace {

using Metadata = std::map<std::string, std::string>;

// Weights of a network as a caller has them.
struct Weights {
  TensorFile file;
};
using WeightsArgument = std::variant<std::string, Weights, nb::dict>;
using DataArgument = std::variant<std::string, nn::DataSet>;

TensorFile file_of(const WeightsArgument& weights) {
  if (const auto* path = std::get_if<std::string>(&weights)) return read_safetensors(*path);
  if (const auto* known = std::get_if<Weights>(&weights)) return known->file;
  return to_tensor_file(std::get<nb::dict>(weights), {});
}

nn::DataSet data_of(const DataArgument& data, std::uint64_t seed) {
  if (const auto* known = std::get_if<nn::DataSet>(&data)) return *known;
  return without_lock([&] { return nn::load_data(std::get<std::string>(data), seed); });
}

nn::Network network_of(const std::string& model, const nn::DataSet& data, std::uint64_t seed) {
  const nn::Shape shape{data.train.channels, data.train.height, data.train.width};
  if (model.ends_with(".onnx")) {
    return onnx::import_network(read_file(model), model, shape, data.num_classes);
  }
  return nn::make_model(model, shape, data.num_classes, seed);
}

nb::dict to_dict(const nn::Evaluation& evaluation) {
  nb::dict result;
  result["accuracy"] = evaluation.accuracy;
  result["loss"] = evaluation.loss;
  ArrayF correct = make_array<float>({evaluation.correct.size()});
  std::copy(evaluation.correct.begin(), evaluation.correct.end(), correct.data());
  result["correct"] = correct;
  return result;
}

nn::ImageSet images_of(const ArrayLike& images, const ArrayLike& labels, const char* name,
                       int num_classes) {
  const Input<float> pixels(images, name, 4, 4);
  const Input<double> classes(labels, name, 1, 1);
  if (classes.length(0) != pixels.length(0)) {
    throw InvalidArgument(std::string(name) + ": expected a label for each of " +
                          std::to_string(pixels.length(0)) + " images, got " +
                          std::to_string(classes.length(0)));
  }
  nn::ImageSet set{.count = pixels.length(0),
                   .channels = pixels.length(1),
                   .height = pixels.length(2),
                   .width = pixels.length(3),
                   .pixels = {pixels.values().begin(), pixels.values().end()},
                   .labels = {}};
  for (const double label : classes.values()) {
    if (!(label >= 0) || !(label < num_classes) || label != static_cast<int>(label)) {
      throw InvalidArgument(std::string(name) + ": expected labels from 0 to " +
                            std::to_string(num_classes - 1) + ", got " + std::to_string(label));
    }
    set.labels.push_back(static_cast<std::uint8_t>(label));
  }
  return set;
}

nn::TrainOptions take_train_options(Keywords& keywords) {
  nn::TrainOptions options{.epochs = 5};
  std::string schedule = "cosine";
  std::string optimizer = "sgd";
  std::string augment = "none";
  keywords.take("epochs", options.epochs);
  keywords.take("batch", options.batch);
  keywords.take("learning_rate", options.learning_rate);
  keywords.take("optimizer", optimizer);
  keywords.take("momentum", options.momentum);
  keywords.take("beta1", options.beta1);
  keywords.take("beta2", options.beta2);
  keywords.take("epsilon", options.epsilon);
  keywords.take("weight_decay", options.weight_decay);
  keywords.take("schedule", schedule);
  keywords.take("warmup_epochs", options.schedule.warmup_epochs);
  keywords.take("augment", augment);
  options.schedule.kind = nn::schedule_kind(schedule);
  options.optimizer = nn::optimizer_kind(optimizer);
  options.augment = nn::augmentation_of(augment);
  return options;
}

nb::dict train(const std::string& model, const DataArgument& data, const std::string& mode,
               const std::optional<mapping::Technology>& technology,
               const std::optional<WeightsArgument>& weights, const ProgressArgument& progress,
               const nb::kwargs& stated) {
  if (mode != "ideal" && mode != "in-situ" && mode != "hardware-aware") {
    throw InvalidArgument("mode: expected ideal, in-situ or hardware-aware, got '" + mode + "'");
  }
  const bool wired = mode != "ideal";
  if (technology && !wired) {
    throw InvalidArgument(
        "technology: expected with mode in-situ or hardware-aware, got it with "
        "ideal");
  }
  Keywords keywords("train", stated);
  nn::TrainOptions options = take_train_options(keywords);
  nn::CrossbarMapping mapping =
      take_mapping(keywords, technology.value_or(mapping::Technology{}), "auto");
  if (!keywords.given("weight_scale") && !weights) mapping.scale = nn::WeightScale::headroom;
  std::string gradients = "adjoint";
  keywords.take("gradients", gradients);
  keywords.finish();
  options.seed = mapping.seed;
  if (mode == "hardware-aware") mapping.hardware_aware = nn::parse_gradient_rule(gradients);
  if (wired && mapping.technology.device && nn::takes_signals(mapping.update.rule) &&
      !keywords.given("momentum")) {
    options.momentum = 0;
  }
  nn::check_train_options(options);
  const nn::DataSet set = data_of(data, mapping.seed);
  const TensorFile begin = weights ? file_of(*weights) : TensorFile{};
  const ProgressCallback callback = progress_callback(progress);
  nn::TrainReport report;
  TensorFile trained;
  nn::Evaluation exact;
  nb::dict certificate;
  nn::Network network = network_of(model, set, mapping.seed);
  without_lock([&] {
    if (weights) network.load_state(begin);
    if (wired) nn::deploy(network, begin, mapping);
    nn::TrainCallbacks callbacks;
    callbacks.progress = callback;
    report = nn::train(network, set, options, callbacks);
    trained = nn::weights_file(network);
    if (!wired) {
      exact = nn::evaluate(network, set.test, 250, callback);
      return;
    }
    // The same cells by the exact circuit.
    nn::Network checked = network_of(model, set, mapping.seed);
    checked.load_state(trained);
    nn::CrossbarMapping with_exact = mapping;
    with_exact.model = surrogate::ModelKind::exact;
    with_exact.certificate.tolerance = 0;
    with_exact.hardware_aware.reset();
    nn::deploy(checked, trained, with_exact);
    nn::copy_cells(network, checked);
    exact = nn::evaluate(checked, set.test, 250, callback);
  });
  nb::list history;
  for (const nn::EpochRecord& epoch : report.epochs) {
    nb::dict one;
    one["epoch"] = epoch.epoch;
    one["learning_rate"] = epoch.learning_rate;
    one["train_loss"] = epoch.train_loss;
    one["train_accuracy"] = epoch.train_accuracy;
    one["test_loss"] = epoch.test_loss;
    one["test_accuracy"] = epoch.test_accuracy;
    one["images_per_second"] = epoch.images_per_second;
    history.append(one);
  }
  nb::dict result;
  result["weights"] = Weights{std::move(trained)};
  result["history"] = history;
  result["accuracy"] = exact.accuracy;
  result["loss"] = exact.loss;
  result["images_per_second"] = report.images_per_second;
  if (wired) result["certificate"] = certificate_dict(network);
  return result;
}

nb::dict evaluate(const std::string& model, const WeightsArgument& weights,
                  const DataArgument& data, const std::optional<mapping::Technology>& technology,
                  const ProgressArgument& progress, const nb::kwargs& stated) {
  Keywords keywords("evaluate", stated);
  const nn::CrossbarMapping mapping =
      take_mapping(keywords, technology.value_or(mapping::Technology{}), "exact");
  keywords.finish();
  const nn::DataSet set = data_of(data, mapping.seed);
  const TensorFile file = file_of(weights);
  const ProgressCallback callback = progress_callback(progress);
  nn::Network network = network_of(model, set, mapping.seed);
  const nn::Evaluation evaluation = without_lock([&] {
    network.load_state(file);
    if (technology) {
      nn::deploy(network, file, mapping);
      nn::calibrate_converters(network, *technology, set.train);
    }
    return nn::evaluate(network, set.test, 250, callback);
  });
  nb::dict result = to_dict(evaluation);
  if (technology) result["certificate"] = certificate_dict(network);
  return result;
}

nb::dict remap(const std::string& model, const WeightsArgument& weights, const DataArgument& data,
               const std::optional<mapping::Technology>& technology, const std::string& strategy,
               const ProgressArgument& progress, const nb::kwargs& stated) {
  Keywords keywords("remap", stated);
  const nn::CrossbarMapping mapping =
      take_mapping(keywords, technology.value_or(mapping::Technology{}), "exact");
  nn::RemapOptions options;
  options.strategy = mapping::parse_remap_strategy(strategy);
  std::string sensitivity = "taylor";
  std::string move = "auto";
  keywords.take("sensitivity", sensitivity);
  keywords.take("calibration_images", options.calibration_images);
  keywords.take("move", move);
  keywords.finish();
  options.sensitivity = nn::parse_sensitivity_kind(sensitivity);
  if (move == "auto") {
    options.freedoms.rows = options.strategy == mapping::RemapStrategy::optimal;
  } else if (move == "columns" || move == "rows" || move == "both") {
    options.freedoms = {.columns = move != "rows", .rows = move != "columns"};
  } else {
    throw InvalidArgument("move: expected auto, columns, rows or both, got '" + move + "'");
  }
  options.seed = mapping.seed;
  const nn::DataSet set = data_of(data, mapping.seed);
  const TensorFile file = file_of(weights);
  const ProgressCallback callback = progress_callback(progress);
  nn::Network ideal = network_of(model, set, mapping.seed);
  nn::Network network = network_of(model, set, mapping.seed);
  nn::Evaluation before;
  nn::Evaluation after;
  nn::RemapReport report;
  without_lock([&] {
    ideal.load_state(file);
    network.load_state(file);
    nn::deploy(network, file, mapping);
    nn::calibrate_converters(network, mapping.technology, set.train);
    before = nn::evaluate(network, set.test, 250, callback);
    report = nn::remap(ideal, network, set.train, options, callback);
    after = nn::evaluate(network, set.test, 250, callback);
  });
  nb::dict orders;
  for (const nn::LayerRemap& layer : report.layers) {
    nb::dict order;
    order["slot_of_output"] = layer.order.slot_of_output;
    order["slot_of_input"] = layer.order.slot_of_input;
    orders[layer.layer.c_str()] = order;
  }
  nb::dict result;
  result["as_is"] = to_dict(before);
  result["remapped"] = to_dict(after);
  result["orders"] = orders;
  result["steps"] = report.steps;
  result["seconds"] = report.seconds;
  return result;
}

}  // namespace

void bind_networks(nb::module_& m) {
  nb::class_<Weights>(m, "Weights", "Weights of a network, under PyTorch's names.")
      .def_static(
          "read", [](const std::string& file) { return Weights{read_safetensors(file)}; }, "file"_a,
          "From a .safetensors file. Raises IoError.")
      .def(
          "write",
          [](const Weights& self, const std::string& file) { write_safetensors(file, self.file); },
          "file"_a, "To a .safetensors file, atomically. Raises IoError.")
      .def(
          "tensors", [](const Weights& self) { return to_dict(self.file); },
          nb::sig("def tensors(self) -> dict[str, numpy.typing.NDArray[numpy.float32]]"),
          "A new array for each tensor.")
      .def_prop_ro(
          "metadata", [](const Weights& self) { return self.file.metadata; },
          "weight ranges of layers on arrays, and the model's name");

  nb::class_<nn::DataSet>(m, "DataSet", "Labelled images for training and test.")
      .def(
          "__init__",
          [](nn::DataSet* self, const std::string& data, std::uint64_t seed) {
            new (self) nn::DataSet(without_lock([&] { return nn::load_data(data, seed); }));
          },
          "data"_a, "seed"_a = 1,
          "data: NAME or NAME=DIR, as --data. Raises InvalidArgument, IoError.")
      .def_static(
          "of_arrays",
          [](const ArrayLike& train_images, const ArrayLike& train_labels,
             const ArrayLike& test_images, const ArrayLike& test_labels, int num_classes,
             std::string name) {
            nn::DataSet set;
            set.name = std::move(name);
            set.num_classes = num_classes;
            set.train = images_of(train_images, train_labels, "train", num_classes);
            set.test = images_of(test_images, test_labels, "test", num_classes);
            return set;
          },
          "train_images"_a, "train_labels"_a, "test_images"_a, "test_labels"_a, "num_classes"_a,
          "name"_a = "arrays",
          "Images N x channels x height x width, and a label for each; they are copied.")
      .def_ro("name", &nn::DataSet::name, "as the user calls it")
      .def_ro("num_classes", &nn::DataSet::num_classes, "labels are below it")
#define XBAR_SPLIT(split)                                                                         \
  .def_prop_ro(                                                                                   \
      #split "_images",                                                                           \
      [](nb::object self) {                                                                       \
        const nn::ImageSet& set = nb::cast<nn::DataSet&>(self).split;                             \
        const std::size_t shape[] = {                                                             \
            static_cast<std::size_t>(set.count), static_cast<std::size_t>(set.channels),          \
            static_cast<std::size_t>(set.height), static_cast<std::size_t>(set.width)};           \
        return ViewF(set.pixels.data(), 4, shape, self);                                          \
      },                                                                                          \
      "N x channels x height x width, a view")                                                    \
      .def_prop_ro(                                                                               \
          #split "_labels",                                                                       \
          [](nb::object self) {                                                                   \
            const nn::ImageSet& set = nb::cast<nn::DataSet&>(self).split;                         \
            const std::size_t shape[] = {set.labels.size()};                                      \
            return nb::ndarray<nb::numpy, const std::uint8_t>(set.labels.data(), 1, shape, self); \
          },                                                                                      \
          "N, a view")
          XBAR_SPLIT(train) XBAR_SPLIT(test);
#undef XBAR_SPLIT

  m.def("model_names", &nn::model_names, "Networks that train() and evaluate() know by name.");

  m.def("train", &train, "model"_a, "data"_a, nb::kw_only(), "mode"_a = "ideal",
        "technology"_a = nb::none(), "weights"_a = nb::none(), "progress"_a = nb::none(),
        "options"_a,
        nb::sig("def train(model: str, data: str | DataSet, *, mode: str = 'ideal', technology: "
                "Technology | None = None, weights: str | Weights | dict[str, "
                "numpy.typing.NDArray[numpy.float32]] | None = None, progress: "
                "collections.abc.Callable[[dict[str, typing.Any]], None] | None = None, **options: "
                "typing.Any) -> dict[str, typing.Any]"),
        R"(Trains a network and tests it.

model       a name of model_names(), a .toml or a .onnx file
data        NAME, NAME=DIR or a DataSet
mode        ideal; in-situ: forward, backward and update through the arrays; hardware-aware: digital
            weights, forward through the arrays
technology  of the arrays; default: Technology()
weights     to begin with; default: drawn by `seed`
progress    called with {phase, done, total, note}; what it raises ends the work, as Ctrl-C does
options     epochs=5, batch=64, learning_rate=0.05, optimizer="sgd" (adam, adamw), momentum=0.9,
            beta1, beta2, epsilon, weight_decay=0, schedule="cosine" (constant, step),
            warmup_epochs=0, augment="none" (crop-flip), gradients="adjoint" (straight-through),
            and those of CrossbarMatrix with surrogate="auto", tolerance=1e-3

Returns weights (Weights), history (a dictionary an epoch), accuracy and loss on the test images
(on arrays: by the exact circuit), images_per_second, certificate (on arrays, by layer).
Raises InvalidArgument, IoError, NumericalError.)");

  m.def("evaluate", &evaluate, "model"_a, "weights"_a, "data"_a, nb::kw_only(),
        "technology"_a = nb::none(), "progress"_a = nb::none(), "options"_a,
        nb::sig("def evaluate(model: str, weights: str | Weights | dict[str, "
                "numpy.typing.NDArray[numpy.float32]], data: str | DataSet, *, technology: "
                "Technology | None = None, progress: collections.abc.Callable[[dict[str, "
                "typing.Any]], None] | None = None, **options: typing.Any) -> dict[str, "
                "typing.Any]"),
        R"(Test accuracy of trained weights: ideal, or on the arrays of a technology.

Arguments as train(); surrogate="exact". Returns accuracy, loss, correct (1 or 0 an image) and, on
arrays, certificate.)");

  m.def("remap", &remap, "model"_a, "weights"_a, "data"_a, nb::kw_only(),
        "technology"_a = nb::none(), "strategy"_a = "optimal", "progress"_a = nb::none(),
        "options"_a,
        nb::sig("def remap(model: str, weights: str | Weights | dict[str, "
                "numpy.typing.NDArray[numpy.float32]], data: str | DataSet, *, technology: "
                "Technology | None = None, strategy: str = 'optimal', progress: "
                "collections.abc.Callable[[dict[str, typing.Any]], None] | None = None, **options: "
                "typing.Any) -> dict[str, typing.Any]"),
        R"(Puts columns and rows of a trained network where the wires hurt least.

strategy    none, srs, drs or optimal
options     sensitivity="taylor", calibration_images=250, move="auto" (columns, rows, both), and
            those of evaluate()

Returns as_is and remapped (as evaluate()), orders (slot_of_output and slot_of_input of each layer,
for CrossbarMatrix.set_order), steps and seconds.)");
}

}  // namespace xbar::python
