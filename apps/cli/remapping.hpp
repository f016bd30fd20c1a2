#pragma once

/// A trained network on arrays, as trained and re-mapped by several strategies.

#include <optional>
#include <vector>

#include <xbar/nn/remap.hpp>

#include "experiment.hpp"

namespace xbar::cli {

struct RemapSettings {
  DeployOptions deploy{};
  bool gain = false;            ///< also with a digital gain of every column (Gain::column)
  Index batch_norm_images = 0;  ///< training images to which batch normalisation is also refitted
};

/// What one order of the arrays gives on the test images, by itself and with what one would
/// otherwise do about wires.
struct OrderAccuracy {
  nn::Evaluation plain;
  std::optional<nn::Evaluation> gain{};
  std::optional<nn::Evaluation> batch_norm{};
  std::vector<double> layer_error;  ///< |W_eff - W| / |W| of every layer, Frobenius norms
};

struct RemapComparison {
  OrderAccuracy as_is;
  OrderAccuracy remapped;
  Index put_right = 0;  ///< images wrong as is and right re-mapped
  Index spoilt = 0;     ///< images right as is and wrong re-mapped
  nn::RemapReport report;
  Json certificate;  ///< certificate_json()
};

/// One technology: the network is put on arrays once and re-mapped from its order as trained.
class RemapStudy {
 public:
  /// @param weights, data  outlive this
  RemapStudy(const NetworkSpec& spec, const TensorFile& weights, const nn::DataSet& data,
             const mapping::Technology& technology, const RemapSettings& settings,
             const ProgressCallback& progress = {});

  [[nodiscard]] const OrderAccuracy& as_is() const { return as_is_; }
  [[nodiscard]] RemapComparison compare(const nn::RemapOptions& options,
                                        const ProgressCallback& progress = {});

  /// The order that the latest comparison has left (array_order_file.hpp).
  [[nodiscard]] Json order_json();

  /// Re-mapping on line: the arrays that the latest comparison has left have changed since.
  struct Change {
    nn::Evaluation changed;   ///< in the order from before
    nn::Evaluation remapped;  ///< re-mapped again, from that order
    double rewritten = 0;     ///< share of the weights that this moves to other cells
    nn::RemapReport report;
  };
  /// @param later  the technology with the arrays' later faults and drift
  [[nodiscard]] Change after(const mapping::Technology& later, const nn::RemapOptions& options,
                             const ProgressCallback& progress = {});

 private:
  [[nodiscard]] OrderAccuracy measure(const ProgressCallback& progress);

  const NetworkSpec& spec_;
  const TensorFile& weights_;
  const nn::DataSet& data_;
  RemapSettings settings_;
  nn::Network ideal_;
  nn::Network network_;
  std::optional<nn::Network> with_gain_;
  OrderAccuracy as_is_;
};

/// Without the strategy's and the technology's name.
[[nodiscard]] Json to_json(const RemapComparison& comparison);
[[nodiscard]] Json to_json(const RemapStudy::Change& change);

}  // namespace xbar::cli
