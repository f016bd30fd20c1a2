#pragma once

/// Moving a network onto crossbar arrays and back.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <xbar/mapping/crossbar_matrix.hpp>
#include <xbar/nn/hardware_aware_weight.hpp>
#include <xbar/nn/network.hpp>
#include <xbar/nn/update_rule.hpp>

namespace xbar::nn {

/// What sets the largest weight that a layer's cells hold. Weights beyond it are clipped.
enum class WeightScale {
  maximum,     ///< the layer's largest |weight|
  percentile,  ///< a percentile of its |weights|
  headroom,    ///< headroom times the bound of its initialisation, sqrt(6 / in_features): training
               ///< has room, and most cells stay near g_min, where arrays lose least
  learned,     ///< trained along with digital weights, beginning at the percentile
};

/// @throws InvalidArgument for a name that is not maximum, percentile, headroom or learned.
[[nodiscard]] WeightScale parse_weight_scale(std::string_view name);
[[nodiscard]] std::string_view weight_scale_name(WeightScale scale);

/// How a network is put on arrays.
struct CrossbarMapping {
  mapping::Technology technology;
  surrogate::ModelKind model = surrogate::ModelKind::sneak_ladder;
  surrogate::ExactSolver exact;  ///< CrossbarOptions::exact
  int refresh = 20;              ///< updates between full measurements, CrossbarOptions::refresh
  mapping::CertificateOptions certificate;
  WeightScale scale = WeightScale::maximum;
  double percentile = 99.9;  ///< of WeightScale::percentile and learned, in (0, 100]
  double headroom = 8;       ///< of WeightScale::headroom, > 0
  /// Empty: what is trained are the cells. Else digital weights (HardwareAwareWeight).
  std::optional<GradientRule> hardware_aware;
  UpdateOptions update{};  ///< of cells written by pulses: with technology.device
  /// The same arrays, but those of one layer at a time, made anew for every pass (StreamedWeight):
  /// memory for those of the largest layer, time for measuring all of them at every batch. Not for
  /// training.
  bool streamed = false;
  std::uint64_t seed = 1;  ///< of write noise, cell effects, read noise and pulse trains
};

/// The largest weight that each layer's cells hold by mapping.scale, in the order of
/// weighted_layers().
/// @throws InvalidArgument for a headroom or percentile out of range
[[nodiscard]] std::vector<float> weight_ranges(const Network& network,
                                               const CrossbarMapping& mapping);

/// Replaces every weight store of the network by crossbar arrays that hold the same weights.
void map_to_crossbars(Network& network, const CrossbarMapping& mapping);

/// As above with the largest weight of each layer given, in the order of weighted_layers().
/// @throws InvalidArgument if their number differs
void map_to_crossbars(Network& network, const CrossbarMapping& mapping,
                      const std::vector<float>& weight_ranges);

/// Replaces every crossbar store by digital memory with the programmed weights.
void map_to_digital(Network& network);

/// A weighted layer that sits on arrays.
struct CrossbarLayer {
  std::string name;
  mapping::CrossbarMatrix* matrix = nullptr;
};

/// The layers on arrays, in order; empty for a digital network.
[[nodiscard]] std::vector<CrossbarLayer> crossbar_layers(Network& network);

/// What a layer's surrogate is, and how far off it was.
struct LayerCertificate {
  std::string name;
  mapping::SurrogateChoice choice;
  mapping::Certificate certificate;
};

/// Of the layers on arrays, streamed ones included, in order.
[[nodiscard]] std::vector<LayerCertificate> certificates(Network& network);

/// The order of the columns and rows of every layer, setting it, and that of the network as
/// trained.
[[nodiscard]] std::vector<mapping::ArrayOrder> orders_of(const std::vector<CrossbarLayer>& layers);
void set_orders(const std::vector<CrossbarLayer>& layers,
                const std::vector<mapping::ArrayOrder>& orders);
[[nodiscard]] std::vector<mapping::ArrayOrder> orders_as_trained(
    const std::vector<CrossbarLayer>& layers);

/// The pulses that all arrays have taken. Layers work at the same time, so that `second` adds up
/// what a machine with one set of drivers would take.
[[nodiscard]] mapping::PulseTotals pulse_totals(Network& network);

}  // namespace xbar::nn
