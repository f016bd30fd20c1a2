#pragma once

/// NumPy arrays in and out. On the way in an array of the right element type in C order is looked
/// at where it lies; anything else numpy.asarray takes is converted by NumPy. On the way out the
/// memory of a result is handed over.

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <xbar/core/matrix.hpp>

namespace xbar::python {

namespace nb = nanobind;

/// An argument that numpy.asarray takes.
struct ArrayLike {
  nb::object value;
};

using Array = nb::ndarray<nb::numpy, double>;
using ArrayF = nb::ndarray<nb::numpy, float>;
/// A look at memory that belongs to another object, and follows it.
using ViewF = nb::ndarray<nb::numpy, const float>;

/// An argument as it lies in memory, C order; it lives as long as this.
template <typename Real>
class Input {
 public:
  /// @throws InvalidArgument naming the argument, unless it is an array of numbers with
  ///         `least_axes` to `most_axes` axes
  Input(const ArrayLike& from, const char* name, std::size_t least_axes, std::size_t most_axes);

  [[nodiscard]] std::size_t axes() const { return array_.ndim(); }
  [[nodiscard]] Index length(std::size_t axis) const {
    return static_cast<Index>(array_.shape(axis));
  }
  [[nodiscard]] const Real* data() const { return array_.data(); }
  [[nodiscard]] std::span<const Real> values() const { return {array_.data(), array_.size()}; }
  /// Of at most two axes; one axis is a column.
  [[nodiscard]] auto matrix() const {
    using Dense = Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    return Eigen::Map<const Dense>(data(), axes() > 0 ? length(0) : 1, axes() > 1 ? length(1) : 1);
  }

 private:
  nb::ndarray<const Real, nb::c_contig, nb::device::cpu> array_;
};

extern template class Input<double>;
extern template class Input<float>;

/// An m x n argument, copied into the library's type where the library keeps it.
[[nodiscard]] Matrix to_matrix(const ArrayLike& from, const char* name);
/// Also of one axis, as a column.
[[nodiscard]] Matrix to_columns(const ArrayLike& from, const char* name);
/// Of one axis.
[[nodiscard]] Vector to_vector(const ArrayLike& from, const char* name);

/// Hands a matrix over: rows x columns, or, `as_vector`, its only column.
[[nodiscard]] Array give(Matrix&& matrix, bool as_vector = false);
[[nodiscard]] ArrayF give(MatrixF&& matrix);
[[nodiscard]] Array give(Vector&& vector);
/// One matrix as it is (`single`), several as one array, count x rows x columns, copied together.
[[nodiscard]] Array give(std::vector<Matrix>&& matrices, bool single);

/// Memory of its own for a result of this shape, not set.
template <typename Real>
[[nodiscard]] nb::ndarray<nb::numpy, Real> make_array(const std::vector<std::size_t>& shape) {
  std::size_t size = 1;
  for (const std::size_t length : shape) size *= length;
  auto* memory = new Real[size];
  const nb::capsule owner(memory, [](void* kept) noexcept { delete[] static_cast<Real*>(kept); });
  return {memory, shape.size(), shape.data(), owner};
}

/// A look at a matrix inside `owner`.
[[nodiscard]] ViewF look(const MatrixF& matrix, nb::handle owner);

}  // namespace xbar::python

namespace nanobind::detail {

template <>
struct type_caster<xbar::python::ArrayLike> {
  NB_TYPE_CASTER(xbar::python::ArrayLike, const_name("numpy.typing.ArrayLike"))

  bool from_python(handle source, uint32_t /*flags*/, cleanup_list* /*cleanup*/) noexcept {
    value.value = borrow(source);
    return !source.is_none();
  }
};

}  // namespace nanobind::detail
