#pragma once

/// Where several values of a graph become one.

#include <memory>
#include <string>
#include <vector>

#include <xbar/nn/tensor.hpp>

namespace xbar::nn {

/// y from x_1, ..., x_k, k >= 1, without parameters.
class Join {
 public:
  explicit Join(std::string name) : name_(std::move(name)) {}
  virtual ~Join() = default;
  Join(const Join&) = delete;
  Join& operator=(const Join&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  /// @throws InvalidArgument naming the join and the shapes that do not fit.
  [[nodiscard]] virtual Shape output_shape(const std::vector<Shape>& inputs) const = 0;
  /// Writes y, which has its shape already.
  virtual void forward(const std::vector<const Tensor*>& x, Tensor& y) = 0;
  /// dx_1, ..., dx_k for x of these shapes, valid until the next call; they may be dy itself.
  [[nodiscard]] virtual std::vector<const Tensor*> backward(const std::vector<Shape>& inputs,
                                                            const Tensor& dy) = 0;

 private:
  std::string name_;
};

/// y = x_1 + ... + x_k, all of one shape.
class Sum final : public Join {
 public:
  using Join::Join;
  [[nodiscard]] Shape output_shape(const std::vector<Shape>& inputs) const override;
  void forward(const std::vector<const Tensor*>& x, Tensor& y) override;
  [[nodiscard]] std::vector<const Tensor*> backward(const std::vector<Shape>& inputs,
                                                    const Tensor& dy) override;
};

/// The channels (axis 1) of x_1, ..., x_k one after the other; the other axes agree.
class Concatenation final : public Join {
 public:
  using Join::Join;
  [[nodiscard]] Shape output_shape(const std::vector<Shape>& inputs) const override;
  void forward(const std::vector<const Tensor*>& x, Tensor& y) override;
  [[nodiscard]] std::vector<const Tensor*> backward(const std::vector<Shape>& inputs,
                                                    const Tensor& dy) override;

 private:
  std::vector<Tensor> parts_;  // of the latest backward
};

}  // namespace xbar::nn
