#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/variant.h>
#include <nanobind/stl/vector.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/deployment.hpp>
#include <xbar/nn/remap_study.hpp>

#include "bindings.hpp"
#include "calls.hpp"
#include "networks.hpp"

namespace xbar::python {

using namespace nb::literals;

namespace {

/// What remap() takes beside model, weights and data.
struct Remapping {
  nn::CrossbarMapping mapping;
  nn::RemapOptions options;
  nn::Compensations compensations;
  std::optional<mapping::Technology> later;
};

mapping::RemapFreedoms parse_move(const std::string& move, mapping::RemapStrategy strategy) {
  mapping::RemapFreedoms freedoms;
  if (move == "auto") {
    freedoms.rows = strategy == mapping::RemapStrategy::optimal;
  } else if (move == "columns" || move == "rows" || move == "both") {
    freedoms = {.columns = move != "rows", .rows = move != "columns"};
  } else {
    throw InvalidArgument("move: expected auto, columns, rows or both, got '" + move + "'");
  }
  return freedoms;
}

nn::Compensations parse_compensations(const std::vector<std::string>& names, Index images) {
  if (images < 2) {
    throw InvalidArgument(fmt::format("batch_norm_images: expected at least 2, got {}", images));
  }
  nn::Compensations compensations;
  for (const std::string& name : names) {
    if (name == "gain") {
      compensations.gain = true;
    } else if (name == "batch-norm") {
      compensations.batch_norm_images = images;
    } else {
      throw InvalidArgument("compensation: expected gain or batch-norm, got '" + name + "'");
    }
  }
  return compensations;
}

Remapping take_remapping(Keywords& keywords, const mapping::Technology& technology,
                         const std::string& strategy) {
  Remapping remapping;
  nn::RemapOptions& options = remapping.options;
  std::string sensitivity = "taylor";
  std::string move = "auto";
  std::vector<std::string> compensation;
  Index batch_norm_images = 1000;
  std::optional<double> later_second;
  std::optional<double> later_stuck_on;
  std::optional<double> later_stuck_off;
  keywords.take("sensitivity", sensitivity);
  keywords.take("calibration_images", options.calibration_images);
  keywords.take("move", move);
  keywords.take("tries", options.most_tries);
  keywords.take("compensation", compensation);
  keywords.take("batch_norm_images", batch_norm_images);
  keywords.take("later_second", later_second);
  keywords.take("later_stuck_on", later_stuck_on);
  keywords.take("later_stuck_off", later_stuck_off);
  remapping.mapping = take_mapping(keywords, technology, "exact");
  keywords.finish();
  options.strategy = mapping::parse_remap_strategy(strategy);
  options.sensitivity = nn::parse_sensitivity_kind(sensitivity);
  options.freedoms = parse_move(move, options.strategy);
  options.seed = remapping.mapping.seed;
  remapping.compensations = parse_compensations(compensation, batch_norm_images);
  if (later_second || later_stuck_on || later_stuck_off) {
    mapping::Technology later = technology;
    later.drift.time_s = later_second.value_or(later.drift.time_s);
    later.faults.stuck_on = later_stuck_on.value_or(later.faults.stuck_on);
    later.faults.stuck_off = later_stuck_off.value_or(later.faults.stuck_off);
    mapping::check_technology(later);
    remapping.later = later;
  }
  return remapping;
}

nb::dict order_dict(const nn::OrderAccuracy& order) {
  nb::dict result = to_dict(order.plain);
  if (order.gain) result["gain"] = to_dict(*order.gain);
  if (order.batch_norm) result["batch_norm"] = to_dict(*order.batch_norm);
  result["layer_error"] = order.layer_error;
  return result;
}

nb::dict later_dict(const nn::RemapStudy::Change& change) {
  nb::dict result;
  result["changed"] = to_dict(change.changed);
  result["remapped"] = to_dict(change.remapped);
  result["rewritten"] = change.rewritten;
  result["seconds"] = change.report.seconds;
  return result;
}

nb::dict remap(const std::string& model, const WeightsArgument& weights, const DataArgument& data,
               const std::optional<mapping::Technology>& technology, const std::string& strategy,
               const ProgressArgument& progress, const nb::kwargs& stated) {
  Keywords keywords("remap", stated);
  const Remapping remapping =
      take_remapping(keywords, technology.value_or(mapping::Technology{}), strategy);
  const nn::CrossbarMapping& mapping = remapping.mapping;
  const nn::DataSet set = data_of(data, mapping.seed);
  const TensorFile file = file_of(weights);
  const ProgressCallback callback = progress_callback(progress);
  const auto ideal = [&] {
    nn::Network network = network_of(model, set, mapping.seed);
    network.load_state(file);
    return network;
  };
  const auto on_arrays = [&](const mapping::Technology& of) {
    nn::Network network = ideal();
    nn::CrossbarMapping with = mapping;
    with.technology = of;
    nn::deploy(network, file, with);
    return network;
  };
  nn::RemapComparison comparison;
  std::optional<nn::RemapStudy::Change> later;
  std::optional<nn::RemapStudy> study;
  interruptible([&] {
    study.emplace(nn::RemapNetworks{ideal, on_arrays}, set, mapping.technology,
                  remapping.compensations, callback);
    comparison = study->compare(remapping.options, callback);
    if (remapping.later) later = study->after(*remapping.later, remapping.options, callback);
  });
  nb::dict orders;
  for (const nn::LayerRemap& layer : comparison.report.layers) {
    nb::dict order;
    order["slot_of_output"] = layer.order.slot_of_output;
    order["slot_of_input"] = layer.order.slot_of_input;
    orders[layer.layer.c_str()] = order;
  }
  nb::dict result;
  result["as_is"] = order_dict(comparison.as_is);
  result["remapped"] = order_dict(comparison.remapped);
  result["put_right"] = comparison.put_right;
  result["spoilt"] = comparison.spoilt;
  result["orders"] = orders;
  result["certificate"] = certificate_dict(study->network());
  result["steps"] = comparison.report.steps;
  result["seconds"] = comparison.report.seconds;
  if (later) result["later"] = later_dict(*later);
  return result;
}

}  // namespace

void bind_remap(nb::module_& m) {
  const std::string signature = fmt::format(
      "def remap(model: str, weights: {}, data: str | DataSet, *, technology: Technology | None = "
      "None, strategy: str = 'optimal', progress: {} = None{}) -> dict[str, typing.Any]",
      weights_type, progress_type,
      parameters_of([](Keywords& k) { take_remapping(k, {}, "optimal"); }));
  m.def("remap", &remap, "model"_a, "weights"_a, "data"_a, nb::kw_only(),
        "technology"_a = nb::none(), "strategy"_a = "optimal", "progress"_a = nb::none(),
        "options"_a, nb::sig(signature.c_str()),
        R"(Puts columns and rows of a trained network where the wires hurt least.

strategy      none, srs, drs or optimal
sensitivity   of srs and drs; calibration_images: the first of the training images
move          auto (rows too with optimal), columns, rows or both; tries: steps of optimal
compensation  gain, batch-norm: each order also with a digital gain of every column, or with batch
              normalisation refitted to batch_norm_images of the training images
later_second, later_stuck_on, later_stuck_off   re-mapping on line: the arrays after this drift time
              and with these shares of faulty cells, in the order found and re-mapped from there
surrogate ... transfer_rate   as CrossbarMatrix, with surrogate="exact"

Returns as_is and remapped (as evaluate(), with layer_error = |W_eff - W| / |W| of every layer, and
gain and batch_norm, likewise, if asked for), put_right and spoilt (images), orders (slot_of_output
and slot_of_input of each layer, for CrossbarMatrix.set_order), certificate, steps and seconds, and
later: changed, remapped, rewritten (share of the weights moved to other cells), seconds.
Raises InvalidArgument, IoError.)");
}

}  // namespace xbar::python
