#pragma once

#include <utility>

#include <xbar/nn/weight_store.hpp>

namespace xbar_test {

/// A store whose stored, forward and backward matrices have nothing in common.
class SplitWeight final : public xbar::nn::WeightStore {
 public:
  SplitWeight(xbar::MatrixF stored, xbar::MatrixF forward, xbar::MatrixF backward)
      : stored_(std::move(stored)), forward_(std::move(forward)), backward_(std::move(backward)) {}
  [[nodiscard]] const xbar::MatrixF& weight() const override { return stored_; }
  [[nodiscard]] const xbar::MatrixF& forward_weight() const override { return forward_; }
  [[nodiscard]] const xbar::MatrixF& backward_weight() const override { return backward_; }
  void update(const xbar::MatrixF& delta) override { stored_ += delta; }
  void set_weight(const xbar::MatrixF& weight) override { stored_ = weight; }

 private:
  xbar::MatrixF stored_;
  xbar::MatrixF forward_;
  xbar::MatrixF backward_;
};

}  // namespace xbar_test
