#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/parallel.hpp>
#include <xbar/core/random.hpp>
#include <xbar/nn/signal_moments.hpp>

#include "image_check.hpp"
#include "layers/patch.hpp"

namespace xbar::nn {
namespace {

constexpr Index images_at_once = 25;

// The products of another store, and the second moments of the signals that pass through.
class MomentWeight final : public WeightStore {
 public:
  explicit MomentWeight(std::unique_ptr<WeightStore> store)
      : store_(std::move(store)),
        moments_{MatrixF::Zero(store_->weight().cols(), store_->weight().cols()),
                 MatrixF::Zero(store_->weight().rows(), store_->weight().rows())} {}

  [[nodiscard]] const MatrixF& weight() const override { return store_->weight(); }
  [[nodiscard]] const MatrixF& forward_weight() const override { return store_->forward_weight(); }
  [[nodiscard]] const MatrixF& backward_weight() const override {
    return store_->backward_weight();
  }
  [[nodiscard]] mapping::ConvertedRead* converted_forward() override {
    return store_->converted_forward();
  }
  [[nodiscard]] mapping::ConvertedRead* converted_backward() override {
    return store_->converted_backward();
  }
  void begin_read() override { store_->begin_read(); }
  void update(const MatrixF& /*delta*/) override {}
  void set_weight(const MatrixF& weight) override { store_->set_weight(weight); }
  [[nodiscard]] bool takes_signals() const override { return true; }

  void take_signals(const Patches& patches, const Tensor& x, const Tensor& dy) override {
    const Index positions = patches.out_height * patches.out_width;
    const Index inputs = moments_.inputs.rows();
    const Index outputs = moments_.outputs.rows();
    const bool plain = positions == 1 && x.item_size() == inputs;
    MatrixF in = MatrixF::Zero(x.count(), inputs);
    MatrixF out(x.count(), outputs);
    parallel_for(x.count(), [&](Index n) {
      const float* image = x.data() + n * x.item_size();
      if (plain) {
        std::copy_n(image, inputs, in.row(n).data());
      } else {
        std::vector<float> patch(static_cast<std::size_t>(inputs));
        float* mean = in.row(n).data();
        for (Index at = 0; at < positions; ++at) {
          gather_patch(patches, image, at / patches.out_width, at % patches.out_width,
                       patch.data());
          for (Index k = 0; k < inputs; ++k) mean[k] += patch[static_cast<std::size_t>(k)];
        }
        in.row(n) /= static_cast<float>(positions);
      }
      const float* gradient = dy.data() + n * dy.item_size();
      for (Index o = 0; o < outputs; ++o) {
        float sum = 0;
        for (Index at = 0; at < positions; ++at) sum += gradient[o * positions + at];
        out(n, o) = sum;
      }
    });
    moments_.inputs.noalias() += in.transpose() * in;
    moments_.outputs.noalias() += out.transpose() * out;
    samples_ += x.count();
  }

  [[nodiscard]] mapping::SignalMoments moments() const {
    const auto count = static_cast<float>(samples_);
    return {moments_.inputs / count, moments_.outputs / count};
  }
  [[nodiscard]] std::unique_ptr<WeightStore> release() { return std::move(store_); }

 private:
  std::unique_ptr<WeightStore> store_;
  mapping::SignalMoments moments_;
  Index samples_ = 0;
};

// While it lives, every layer's weights are read through a MomentWeight.
class MomentScope {
 public:
  explicit MomentScope(Network& network) : layers_(network.weighted_layers()) {
    for (WeightedLayer* layer : layers_) {
      // The layer needs a store at all times.
      auto store = layer->replace_weight_store(
          std::make_unique<DigitalWeight>(layer->weight_store().weight()));
      auto recording = std::make_unique<MomentWeight>(std::move(store));
      stores_.push_back(recording.get());
      layer->replace_weight_store(std::move(recording));
    }
  }
  ~MomentScope() {
    for (std::size_t k = 0; k < layers_.size(); ++k) {
      layers_[k]->replace_weight_store(stores_[k]->release());
    }
  }
  MomentScope(const MomentScope&) = delete;
  MomentScope& operator=(const MomentScope&) = delete;

  [[nodiscard]] std::vector<mapping::SignalMoments> moments() const {
    std::vector<mapping::SignalMoments> result;
    for (const MomentWeight* store : stores_) result.push_back(store->moments());
    return result;
  }

 private:
  std::vector<WeightedLayer*> layers_;
  std::vector<MomentWeight*> stores_;
};

}  // namespace

std::vector<mapping::SignalMoments> signal_moments(Network& network, const ImageSet& images,
                                                   Index count, std::uint64_t seed,
                                                   const ProgressCallback& progress) {
  check_images(network, images, "calibration");
  count = std::min(count, images.count);
  if (count < 1) {
    throw InvalidArgument(fmt::format("calibration images: expected at least 1, got {}", count));
  }
  const ModeScope evaluation(network, false);
  const MomentScope scope(network);
  const RandomStream signs(seed, "moments");
  Tensor x;
  Tensor dy;
  for (Index begin = 0; begin < count; begin += images_at_once) {
    const Index size = std::min(images_at_once, count - begin);
    x.resize(network.input_shape().batch(size));
    std::copy_n(images.pixels.data() + begin * images.image_size(), size * images.image_size(),
                x.data());
    const Tensor& y = network.forward(x);
    dy.resize(y.shape());
    const Index classes = y.item_size();
    for (Index n = 0; n < size; ++n) {
      float* z = dy.data() + n * classes;
      float mean = 0;
      for (Index k = 0; k < classes; ++k) {
        const auto index = static_cast<std::uint64_t>((begin + n) * classes + k);
        z[k] = signs.below(index, 2) == 0 ? -1.0F : 1.0F;
        mean += z[k] / static_cast<float>(classes);
      }
      for (Index k = 0; k < classes; ++k) z[k] -= mean;
    }
    network.backward(dy);
    if (progress) {
      progress({"signals", static_cast<double>(begin + size), static_cast<double>(count), ""});
    }
  }
  return scope.moments();
}

}  // namespace xbar::nn
