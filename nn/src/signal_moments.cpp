#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/gemm.hpp>
#include <xbar/core/parallel.hpp>
#include <xbar/core/random.hpp>
#include <xbar/nn/signal_moments.hpp>

#include "image_batch.hpp"
#include "layers/patch.hpp"

namespace xbar::nn {
namespace {

constexpr Index images_at_once = 25;
constexpr Index positions_of_an_image = 16;

// sums += x^T x.
void add_squared(const MatrixF& x, MatrixF& sums) {
  gemm(Op::transpose, Op::none, x.cols(), x.cols(), x.rows(), 1, x.data(), x.cols(), x.data(),
       x.cols(), 1, sums.data(), sums.cols());
}

// The products of another store, and the second moments of the signals that pass through.
class MomentWeight final : public WeightStore {
 public:
  MomentWeight(std::unique_ptr<WeightStore> store, const RandomStream& draws)
      : store_(std::move(store)),
        draws_(draws),
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
    const Index some = std::min(positions, positions_of_an_image);
    const Index inputs = moments_.inputs.rows();
    const Index outputs = moments_.outputs.rows();
    const bool plain = positions == 1 && x.item_size() == inputs;
    MatrixF in(x.count() * some, inputs);
    MatrixF out(x.count() * some, outputs);
    parallel_for(x.count() * some, [&](Index row) {
      const Index n = row / some;
      const std::uint64_t draw = drawn_ + static_cast<std::uint64_t>(row);
      const Index at =
          some == positions
              ? row % some
              : static_cast<Index>(draws_.below(draw, static_cast<std::uint64_t>(positions)));
      const float* image = x.data() + n * x.item_size();
      if (plain) {
        std::copy_n(image, inputs, in.row(row).data());
      } else {
        gather_patch(patches, image, at / patches.out_width, at % patches.out_width,
                     in.row(row).data());
      }
      const float* gradient = dy.data() + n * dy.item_size();
      for (Index o = 0; o < outputs; ++o) out(row, o) = gradient[o * positions + at];
    });
    drawn_ += static_cast<std::uint64_t>(in.rows());
    add_squared(in, moments_.inputs);
    add_squared(out, moments_.outputs);
    samples_ += in.rows();
    positions_ = positions;
  }

  // M sums over the positions of an image, which all add to the network's output.
  [[nodiscard]] mapping::SignalMoments moments() const {
    const auto count = static_cast<float>(samples_);
    return {moments_.inputs / count, moments_.outputs * (static_cast<float>(positions_) / count)};
  }
  [[nodiscard]] std::unique_ptr<WeightStore> release() { return std::move(store_); }

 private:
  std::unique_ptr<WeightStore> store_;
  RandomStream draws_;
  std::uint64_t drawn_ = 0;
  mapping::SignalMoments moments_;
  Index samples_ = 0;
  Index positions_ = 1;
};

// While it lives, every layer's weights are read through a MomentWeight.
class MomentScope {
 public:
  MomentScope(Network& network, std::uint64_t seed) : layers_(network.weighted_layers()) {
    for (WeightedLayer* layer : layers_) {
      // The layer needs a store at all times.
      auto store = layer->replace_weight_store(
          std::make_unique<DigitalWeight>(layer->weight_store().weight()));
      auto recording = std::make_unique<MomentWeight>(
          std::move(store), RandomStream(seed, "moments/" + layer->name()));
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
  const MomentScope scope(network, seed);
  const RandomStream signs(seed, "moments");
  Tensor x;
  Tensor dy;
  for (Index begin = 0; begin < count; begin += images_at_once) {
    const Index size = std::min(images_at_once, count - begin);
    fill_batch(network, images, begin, size, x);
    const Tensor& y = network.forward(x);
    dy.resize(y.shape());
    const Index classes = y.item_size();
    for (Index n = 0; n < size; ++n) {
      Eigen::Map<Eigen::VectorXf> z(dy.data() + n * classes, classes);
      for (Index k = 0; k < classes; ++k) {
        z(k) = signs.below(static_cast<std::uint64_t>((begin + n) * classes + k), 2) == 0 ? -1 : 1;
      }
      z.array() -= z.mean();
    }
    network.backward(dy);
    if (progress) {
      progress({"signals", static_cast<double>(begin + size), static_cast<double>(count), ""});
    }
  }
  return scope.moments();
}

}  // namespace xbar::nn
