#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <utility>

#include <xbar/core/error.hpp>
#include <xbar/nn/signal_weight.hpp>

#include "signal_trains.hpp"

namespace xbar::nn {

StochasticWeight::StochasticWeight(mapping::CrossbarMatrix matrix, const UpdateOptions& options,
                                   const RandomStream& draws)
    : CrossbarWeight(std::move(matrix)) {
  check_update_options(options);
  trains_ = std::make_unique<SignalTrains>(this->matrix().outputs(), this->matrix().inputs(),
                                           options.trains, draws);
}

StochasticWeight::~StochasticWeight() = default;

void StochasticWeight::take_signals(const Patches& patches, const Tensor& x, const Tensor& dy) {
  trains_->take(patches, x, dy);
}

void StochasticWeight::update_from_signals(double learning_rate) {
  trains_->pulse(matrix(), learning_rate);
}

TikiTakaWeight::TikiTakaWeight(mapping::CrossbarMatrix matrix, mapping::CrossbarMatrix fast,
                               const UpdateOptions& options, const RandomStream& draws)
    : CrossbarWeight(std::move(matrix)),
      options_(options),
      fast_(std::move(fast)),
      rounding_(draws.substream(1)) {
  check_update_options(options);
  const Index outputs = this->matrix().outputs();
  const Index inputs = this->matrix().inputs();
  if (fast_.outputs() != outputs || fast_.inputs() != inputs) {
    throw InvalidArgument("tiki-taka: expected a fast array of the size of the weights");
  }
  trains_ = std::make_unique<SignalTrains>(outputs, inputs, options.trains, draws.substream(0));
  if (options.rule == UpdateRule::tiki_taka_v2) accumulator_ = MatrixF::Zero(outputs, inputs);
}

TikiTakaWeight::~TikiTakaWeight() = default;

void TikiTakaWeight::take_signals(const Patches& patches, const Tensor& x, const Tensor& dy) {
  trains_->take(patches, x, dy);
}

void TikiTakaWeight::update_from_signals(double learning_rate) {
  trains_->pulse(fast_, learning_rate * options_.fast_rate);
  transfer();
}

void TikiTakaWeight::transfer() {
  const Index inputs = matrix().inputs();
  const Index columns = std::min<Index>(options_.transfer_columns, inputs);
  const auto updates =
      static_cast<Index>(matrix().update_count() % static_cast<std::uint64_t>(inputs));
  const Index first = updates * columns % inputs;
  const RandomStream draws = rounding_.substream(matrix().update_count());
  const float scale = static_cast<float>(options_.transfer_rate) / matrix().weight_step();
  fast_.next_read();
  const MatrixF& read = fast_.forward_weight();
  matrix().pulse([&](Index o, std::span<float> up, std::span<float> down) {
    std::fill(up.begin(), up.end(), 0.0F);
    std::fill(down.begin(), down.end(), 0.0F);
    for (Index n = 0; n < columns; ++n) {
      const Index k = (first + n) % inputs;
      const float asked = scale * read(o, k);
      float pulses = 0;
      if (accumulator_.size() > 0) {
        float& sum = accumulator_(o, k);
        sum += asked;
        pulses = std::trunc(sum);
        sum -= pulses;
      } else {
        const auto index = static_cast<std::uint64_t>(o * columns + n);
        pulses = std::floor(asked + static_cast<float>(draws.uniform(index)));
      }
      up[static_cast<std::size_t>(k)] = std::max(pulses, 0.0F);
      down[static_cast<std::size_t>(k)] = std::max(-pulses, 0.0F);
    }
  });
}

void TikiTakaWeight::refresh() {
  CrossbarWeight::refresh();
  fast_.refresh();
}

std::vector<CrossbarWeight::FurtherArrays> TikiTakaWeight::further_arrays() {
  return {{".fast", &fast_}};
}

std::vector<CrossbarWeight::DigitalState> TikiTakaWeight::digital_state() {
  if (accumulator_.size() == 0) return {};
  return {{".accumulator", &accumulator_}};
}

}  // namespace xbar::nn
