#include "networks.hpp"

#include <algorithm>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/variant.h>
#include <nanobind/stl/vector.h>

#include <xbar/core/atomic_file.hpp>
#include <xbar/nn/deployment.hpp>
#include <xbar/nn/models.hpp>
#include <xbar/onnx/import.hpp>

#include "arrays.hpp"
#include "bindings.hpp"
#include "calls.hpp"

namespace xbar::python {

using namespace nb::literals;

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

namespace {

nn::CrossbarMapping take_evaluation(Keywords& keywords, const mapping::Technology& technology) {
  nn::CrossbarMapping mapping = take_mapping(keywords, technology, "exact");
  keywords.finish();
  return mapping;
}

nb::dict evaluate(const std::string& model, const WeightsArgument& weights,
                  const DataArgument& data, const std::optional<mapping::Technology>& technology,
                  const ProgressArgument& progress, const nb::kwargs& stated) {
  Keywords keywords("evaluate", stated);
  const nn::CrossbarMapping mapping =
      take_evaluation(keywords, technology.value_or(mapping::Technology{}));
  const nn::DataSet set = data_of(data, mapping.seed);
  const TensorFile file = file_of(weights);
  const ProgressCallback callback = progress_callback(progress);
  nn::Network network = network_of(model, set, mapping.seed);
  const nn::Evaluation evaluation = interruptible([&] {
    network.load_state(file);
    if (technology) {
      nn::deploy(network, file, mapping);
      nn::calibrate_converters(network, *technology, set.train);
    }
    return nn::evaluate(network, set.test, evaluation_batch, callback);
  });
  nb::dict result = to_dict(evaluation);
  if (technology) result["certificate"] = certificate_dict(network);
  return result;
}

}  // namespace

void bind_networks(nb::module_& m) {
  m.def("model_names", &nn::model_names, "Networks that train() and evaluate() know by name.");

  const std::string signature = fmt::format(
      "def evaluate(model: str, weights: {}, data: str | DataSet, *, technology: Technology | None "
      "= None, progress: {} = None{}) -> dict[str, typing.Any]",
      weights_type, progress_type, parameters_of([](Keywords& k) { take_evaluation(k, {}); }));
  m.def("evaluate", &evaluate, "model"_a, "weights"_a, "data"_a, nb::kw_only(),
        "technology"_a = nb::none(), "progress"_a = nb::none(), "options"_a,
        nb::sig(signature.c_str()),
        R"(Test accuracy of trained weights: ideal, or on the arrays of a technology.

Arguments as train(); surrogate="exact". Returns accuracy, loss, correct (1 or 0 an image) and, on
arrays, certificate.)");
}

}  // namespace xbar::python
