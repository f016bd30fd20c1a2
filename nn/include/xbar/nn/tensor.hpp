#pragma once

/// Single-precision arrays that pass between layers.

#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>
#include <new>
#include <string>
#include <vector>

#include <xbar/core/matrix.hpp>

namespace xbar::nn {

/// Lengths of at most four axes. A value type that never allocates.
class Shape {
 public:
  static constexpr int max_rank = 4;

  Shape() = default;
  /// @throws InvalidArgument for more than four axes or a negative length.
  Shape(std::initializer_list<Index> lengths);

  [[nodiscard]] int rank() const { return rank_; }
  [[nodiscard]] Index operator[](int axis) const {
    return lengths_[static_cast<std::size_t>(axis)];
  }
  /// Appends an axis. @throws InvalidArgument as the constructor.
  void push_back(Index length);
  /// Product of all lengths; 1 for no axes.
  [[nodiscard]] Index volume() const { return volume_from(0); }
  /// Product of the lengths of axis `first` and later ones.
  [[nodiscard]] Index volume_from(int first) const;
  /// Axes 1, 2, ...: the shape of one item of a batch. Empty for rank 0.
  [[nodiscard]] Shape item() const;
  /// This shape with a batch axis of length `count` in front.
  [[nodiscard]] Shape batch(Index count) const;

  friend bool operator==(const Shape&, const Shape&) = default;

 private:
  std::array<Index, max_rank> lengths_{};
  int rank_ = 0;
};

/// "(64, 1, 28, 28)", as PyTorch and NumPy write it.
[[nodiscard]] std::string to_string(const Shape& shape);

/// Memory on cache-line boundaries.
template <typename T>
struct AlignedAllocator {
  using value_type = T;
  static constexpr std::align_val_t alignment{64};
  AlignedAllocator() = default;
  template <typename U>
  explicit AlignedAllocator(const AlignedAllocator<U>& /*other*/) {}
  [[nodiscard]] T* allocate(std::size_t count) {
    return static_cast<T*>(::operator new(count * sizeof(T), alignment));
  }
  void deallocate(T* memory, std::size_t /*count*/) { ::operator delete(memory, alignment); }
  friend bool operator==(const AlignedAllocator&, const AlignedAllocator&) { return true; }
};

/// A float array in C order. The first axis is the batch (N); images are N, channels, height,
/// width.
class Tensor {
 public:
  Tensor() = default;
  /// Zeros.
  explicit Tensor(const Shape& shape) { resize(shape); }

  [[nodiscard]] const Shape& shape() const { return shape_; }
  [[nodiscard]] Index size() const { return static_cast<Index>(values_.size()); }
  /// Length of the first axis, 0 when there is none.
  [[nodiscard]] Index count() const { return shape_.rank() == 0 ? 0 : shape_[0]; }
  /// Values of one item of the batch.
  [[nodiscard]] Index item_size() const { return shape_.volume_from(1); }

  [[nodiscard]] float* data() { return values_.data(); }
  [[nodiscard]] const float* data() const { return values_.data(); }
  [[nodiscard]] float& operator[](Index i) { return values_[static_cast<std::size_t>(i)]; }
  [[nodiscard]] float operator[](Index i) const { return values_[static_cast<std::size_t>(i)]; }

  /// Changes the shape; the values are unspecified afterwards. Memory only ever grows, so that
  /// batches of a size seen before cost no allocation.
  void resize(const Shape& shape) {
    shape_ = shape;
    values_.resize(static_cast<std::size_t>(shape.rank() == 0 ? 0 : shape.volume()));
  }
  void fill(float value) { std::fill(values_.begin(), values_.end(), value); }

 private:
  Shape shape_;
  std::vector<float, AlignedAllocator<float>> values_;
};

}  // namespace xbar::nn
