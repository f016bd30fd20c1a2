#pragma once

/// Batch normalisation.

#include <vector>

#include <xbar/core/communicator.hpp>
#include <xbar/nn/layers/layer.hpp>

namespace xbar::nn {

struct BatchNormOptions {
  double epsilon = 1e-5;  ///< added to the variance, > 0
  double momentum = 0.1;  ///< share of the newest batch in the running statistics, in [0, 1]
};

/// y = gamma (x - mu) / sqrt(var + epsilon) + beta, channel by channel [Ioffe2015]; PyTorch's
/// BatchNorm1d and BatchNorm2d. x has shape (N, C) or (N, C, H, W).
///
/// In training, mu and var are the mean and the variance (with 1/M, M = N H W) of the batch, and
///
///     running_mean <- (1 - momentum) running_mean + momentum mu
///     running_var  <- (1 - momentum) running_var  + momentum var M / (M - 1)
///
/// in evaluation they are the running ones. Backward, with xhat = (x - mu) / sqrt(var + epsilon):
/// dgamma = sum dy xhat, dbeta = sum dy, and
///
///     dx = gamma / sqrt(var + epsilon) (dy - (dbeta + xhat dgamma) / M)      in training,
///     dx = gamma / sqrt(var + epsilon) dy                                    in evaluation.
///
/// gamma ("NAME.weight", 1 at first) and beta ("NAME.bias", 0) are trained but stay digital.
/// Buffers: "NAME.running_mean", "NAME.running_var", "NAME.num_batches_tracked". Sums are the same
/// for any number of threads.
class BatchNorm final : public Layer {
 public:
  /// @throws InvalidArgument naming the option that is out of range.
  BatchNorm(std::string name, Index channels, const BatchNormOptions& options = {});

  [[nodiscard]] Shape output_shape(const Shape& input) const override;
  [[nodiscard]] std::vector<Parameter*> parameters() override { return {&gamma_, &beta_}; }
  [[nodiscard]] bool is_trainable() const override { return true; }
  [[nodiscard]] std::vector<Buffer*> buffers() override {
    return {&running_mean_, &running_var_, &batches_};
  }
  void initialise(std::uint64_t seed) override;

  /// From here to end_cumulative() the running statistics are the plain mean of those of the
  /// batches since (PyTorch's momentum = None).
  [[nodiscard]] double epsilon() const { return options_.epsilon; }
  [[nodiscard]] MatrixF& running_mean() { return running_mean_.values; }
  [[nodiscard]] MatrixF& running_variance() { return running_var_.values; }

  /// From here on the statistics in training are those of the parts of a batch of all processes;
  /// nullptr: those of this process. The gradients stay those of this one's part.
  void set_processes(Communicator* processes) { processes_ = processes; }

  void begin_cumulative() { cumulative_batches_ = 0; }
  void end_cumulative() { cumulative_batches_ = -1; }

 protected:
  /// @throws InvalidArgument in training if there is only one value a channel.
  void compute_forward(const Tensor& x, Tensor& y) override;
  void compute_backward(const Tensor& x, const Tensor& y, const Tensor& dy, Tensor* dx) override;

 private:
  // mean_ and variance_ of the whole batch, with the others.
  void measure_together(const Tensor& x);

  Index channels_;
  BatchNormOptions options_;
  Parameter gamma_;
  Parameter beta_;
  Buffer running_mean_;
  Buffer running_var_;
  Buffer batches_;  // a float: exact up to 2^24
  // Of the latest forward: what was subtracted and multiplied by, and whether it was the batch's.
  std::vector<float> mean_;
  std::vector<float> inverse_deviation_;
  std::vector<double> variance_;  // measured together, as is how many values a channel has
  double count_ = 0;
  Communicator* processes_ = nullptr;
  bool of_batch_ = false;
  Index cumulative_batches_ = -1;  // since begin_cumulative(); -1: the momentum counts
};

}  // namespace xbar::nn
