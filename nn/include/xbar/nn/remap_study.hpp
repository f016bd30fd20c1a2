#pragma once

/// A trained network on arrays, as trained and re-mapped by several strategies, beside what one
/// would otherwise do about wires.

#include <functional>
#include <optional>
#include <vector>

#include <xbar/core/progress.hpp>
#include <xbar/mapping/technology.hpp>
#include <xbar/nn/crossbar_mapping.hpp>
#include <xbar/nn/data/data_set.hpp>
#include <xbar/nn/network.hpp>
#include <xbar/nn/remap.hpp>
#include <xbar/nn/trainer.hpp>

namespace xbar::nn {

/// Makes the network of a study, anew at each call.
struct RemapNetworks {
  std::function<Network()> ideal;                                  ///< trained, not on arrays
  std::function<Network(const mapping::Technology&)> on_arrays{};  ///< deploy()ed to these
};

/// Compensations that are tried with every order, each by itself.
struct Compensations {
  bool gain = false;            ///< a digital gain of every column (Gain::column)
  Index batch_norm_images = 0;  ///< training images to which batch normalisation is refitted; 0: no
};

/// What one order of the arrays gives on the test images.
struct OrderAccuracy {
  Evaluation plain;
  std::optional<Evaluation> gain{};
  std::optional<Evaluation> batch_norm{};
  std::vector<double> layer_error;  ///< |W_eff - W| / |W| of every layer, Frobenius norms
};

struct RemapComparison {
  OrderAccuracy as_is;
  OrderAccuracy remapped;
  Index put_right = 0;  ///< images wrong as is and right re-mapped
  Index spoilt = 0;     ///< images right as is and wrong re-mapped
  RemapReport report;
  std::vector<LayerCertificate> certificates;  ///< in the order as trained
};

/// One technology: the network is put on arrays once and re-mapped from its order as trained.
class RemapStudy {
 public:
  /// @param data  outlives this
  /// @throws what the networks' makers do, calibrate_converters, evaluate
  RemapStudy(RemapNetworks networks, const DataSet& data, const mapping::Technology& technology,
             const Compensations& compensations, const ProgressCallback& progress = {});

  [[nodiscard]] const OrderAccuracy& as_is() const { return as_is_; }
  /// @throws as remap
  [[nodiscard]] RemapComparison compare(const RemapOptions& options,
                                        const ProgressCallback& progress = {});

  /// On arrays, in the order that the latest comparison has left.
  [[nodiscard]] Network& network() { return network_; }

  /// Re-mapping on line: the arrays that the latest comparison has left have changed since.
  struct Change {
    Evaluation changed;    ///< in the order from before
    Evaluation remapped;   ///< re-mapped again, from that order
    double rewritten = 0;  ///< share of the weights that this moves to other cells
    RemapReport report;
  };
  /// @param later  the technology with the arrays' later faults and drift
  [[nodiscard]] Change after(const mapping::Technology& later, const RemapOptions& options,
                             const ProgressCallback& progress = {});

 private:
  [[nodiscard]] OrderAccuracy measure(const ProgressCallback& progress);

  RemapNetworks networks_;
  const DataSet& data_;
  Compensations compensations_;
  Network ideal_;
  Network network_;
  std::optional<Network> with_gain_;
  OrderAccuracy as_is_;
};

}  // namespace xbar::nn
