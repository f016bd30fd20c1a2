#pragma once

#include <utility>

#include <xbar/nn/weight_store.hpp>

namespace xbar_test {

/// Digital weights that are read through converters, in tiles of 16 lines.
class ConvertedWeight final : public xbar::nn::WeightStore {
 public:
  ConvertedWeight(xbar::MatrixF weight, const xbar::mapping::Converters& converters)
      : weight_(std::move(weight)),
        forward_({.outputs = weight_.rows(), .inputs = weight_.cols(), .tile_lines = 16},
                 converters),
        backward_({.outputs = weight_.cols(), .inputs = weight_.rows(), .tile_lines = 16},
                  xbar::mapping::backward_converters(converters)) {
    load();
  }
  [[nodiscard]] const xbar::MatrixF& weight() const override { return weight_; }
  [[nodiscard]] const xbar::MatrixF& forward_weight() const override { return weight_; }
  [[nodiscard]] const xbar::MatrixF& backward_weight() const override { return weight_; }
  [[nodiscard]] xbar::mapping::ConvertedRead* converted_forward() override { return &forward_; }
  [[nodiscard]] xbar::mapping::ConvertedRead* converted_backward() override { return &backward_; }
  void begin_read() override { ++reads; }
  void backpropagate(xbar::MatrixF& gradient) override { gradient *= 2.0F; }
  void update(const xbar::MatrixF& delta) override {
    weight_ += delta;
    load();
  }
  void set_weight(const xbar::MatrixF& weight) override {
    weight_ = weight;
    load();
  }

  int reads = 0;

 private:
  void load() {
    forward_.set_arrays({{.values = weight_.data(), .output_stride = weight_.cols()}}, {});
    backward_.set_arrays(
        {{.values = weight_.data(), .output_stride = 1, .line_stride = weight_.cols()}}, {});
  }

  xbar::MatrixF weight_;
  xbar::mapping::ConvertedRead forward_;
  xbar::mapping::ConvertedRead backward_;
};

}  // namespace xbar_test
