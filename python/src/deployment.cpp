#include "deployment.hpp"

#include <optional>
#include <utility>

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <xbar/core/error.hpp>
#include <xbar/surrogate_calibrate/calibrate.hpp>

namespace xbar::python {

nn::CrossbarMapping take_mapping(Keywords& keywords, const mapping::Technology& technology,
                                 const std::string& surrogate) {
  nn::CrossbarMapping mapping;
  mapping.technology = technology;
  mapping.exact = surrogate::exact_solver();
  std::string member = surrogate;
  std::string rule = "outer-product";
  std::optional<double> tolerance;
  std::optional<int> refresh;
  std::optional<std::string> scale_name;
  bool plain_trains = false;
  keywords.take("surrogate", member);
  keywords.take("tolerance", tolerance);
  keywords.take("refresh", refresh);
  keywords.take("weight_scale", scale_name);
  keywords.take("weight_percentile", mapping.percentile);
  keywords.take("headroom", mapping.headroom);
  keywords.take("seed", mapping.seed);
  keywords.take("update_rule", rule);
  keywords.take("pulse_slots", mapping.update.trains.length);
  keywords.take("plain_trains", plain_trains);
  keywords.take("verify_rounds", mapping.update.verify_rounds);
  keywords.take("sign_threshold", mapping.update.sign_threshold);
  keywords.take("fast_rate", mapping.update.fast_rate);
  keywords.take("transfer_columns", mapping.update.transfer_columns);
  keywords.take("transfer_rate", mapping.update.transfer_rate);
  const bool automatic = member == "auto";
  mapping.model = automatic ? surrogate::ModelKind::ideal : surrogate::parse_model(member);
  constexpr double usual_tolerance = 1e-3;
  mapping.certificate.tolerance = tolerance.value_or(automatic ? usual_tolerance : 0);
  if (refresh) mapping.refresh = mapping.certificate.longest_refresh = *refresh;
  if (scale_name) mapping.scale = nn::parse_weight_scale(*scale_name);
  mapping.update.rule = nn::parse_update_rule(rule);
  mapping.update.trains.update_management = !plain_trains;
  mapping.update.trains.length_management = !plain_trains;
  nn::check_update_options(mapping.update);
  return mapping;
}

nb::dict to_dict(TensorFile file) {
  nb::dict tensors;
  for (auto& [name, tensor] : file.tensors) {
    std::vector<std::size_t> shape(tensor.shape.begin(), tensor.shape.end());
    auto* kept = new std::vector<float>(std::move(tensor.values));
    const nb::capsule owner(
        kept, [](void* memory) noexcept { delete static_cast<std::vector<float>*>(memory); });
    tensors[name.c_str()] = ArrayF(kept->data(), shape.size(), shape.data(), owner);
  }
  return tensors;
}

TensorFile to_tensor_file(const nb::dict& tensors,
                          const std::map<std::string, std::string>& metadata) {
  TensorFile file;
  file.metadata = metadata;
  constexpr std::size_t most_axes = 8;
  for (const auto& [key, value] : tensors) {
    const auto name = nb::cast<std::string>(key);
    const Input<float> input({nb::borrow(value)}, name.c_str(), 0, most_axes);
    NamedTensor& tensor = file.tensors[name];
    for (std::size_t k = 0; k < input.axes(); ++k) tensor.shape.push_back(input.length(k));
    tensor.values.assign(input.values().begin(), input.values().end());
  }
  return file;
}

nb::dict certificate_dict(nn::Network& network) {
  nb::dict layers;
  for (const nn::CrossbarLayer& layer : nn::crossbar_layers(network)) {
    const mapping::Certificate& one = layer.matrix->certificate();
    nb::dict said;
    said["surrogate"] = std::string(surrogate::model_name(layer.matrix->choice().model));
    said["refresh"] = layer.matrix->choice().refresh;
    said["checks"] = one.checks;
    said["worst_error"] = one.worst_error;
    said["mean_error"] = one.mean_error();
    layers[layer.name.c_str()] = said;
  }
  return layers;
}

}  // namespace xbar::python
