#pragma once

/// Random zeros while training.

#include <cstdint>
#include <vector>

#include <xbar/nn/layers/layer.hpp>

namespace xbar::nn {

/// In training y_i = m_i x_i, dx_i = m_i dy_i, with m_i = 0 with the given probability and
/// 1 / (1 - probability) otherwise [Srivastava2014]; in evaluation y = x. Any shape.
///
/// The masks of the k-th training pass come from RandomStream(seed, "dropout/" + name), substream
/// k, so that they do not depend on the number of threads. The seed is that of initialise, 0
/// before; k is a buffer, "NAME.passes", so that a resumed run goes on with the masks that would
/// have followed.
class Dropout final : public Layer {
 public:
  /// @throws InvalidArgument unless probability is in [0, 1).
  explicit Dropout(std::string name, double probability = 0.5);

  [[nodiscard]] Shape output_shape(const Shape& input) const override { return input; }
  [[nodiscard]] std::vector<Buffer*> buffers() override { return {&passes_}; }
  void initialise(std::uint64_t seed) override;

  /// That from here on the first image of a batch is this one of a larger one: what is dropped of
  /// an image does not depend on who has it.
  void set_first_image(Index image) { first_image_ = image; }

 protected:
  void compute_forward(const Tensor& x, Tensor& y) override;
  void compute_backward(const Tensor& x, const Tensor& y, const Tensor& dy, Tensor* dx) override;

 private:
  double probability_;
  std::uint64_t seed_ = 0;
  Index first_image_ = 0;
  Buffer passes_;            // a float: exact up to 2^24
  std::vector<float> mask_;  // m of the latest forward; empty in evaluation
};

}  // namespace xbar::nn
