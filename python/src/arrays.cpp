#include "arrays.hpp"

#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include <xbar/core/error.hpp>

namespace xbar::python {
namespace {

std::string axes_words(std::size_t least, std::size_t most) {
  if (least == most) return fmt::format("{}", most);
  return fmt::format("{} to {}", least, most);
}

// `held` lives as long as the array.
template <typename Held, typename Real>
nb::ndarray<nb::numpy, Real> hand_over(Held&& held, const std::vector<std::size_t>& shape) {
  auto kept = std::make_unique<Held>(std::move(held));
  Real* data = kept->data();
  const nb::capsule owner(kept.release(),
                          [](void* memory) noexcept { delete static_cast<Held*>(memory); });
  return {data, shape.size(), shape.data(), owner};
}

std::vector<std::size_t> shape_of(const auto& matrix) {
  return {static_cast<std::size_t>(matrix.rows()), static_cast<std::size_t>(matrix.cols())};
}

}  // namespace

template <typename Real>
Input<Real>::Input(const ArrayLike& from, const char* name, std::size_t least_axes,
                   std::size_t most_axes) {
  if (!nb::try_cast(from.value, array_, false)) {
    try {
      const nb::object numpy = nb::module_::import_("numpy");
      const nb::object converted = numpy.attr("asarray")(
          from.value, nb::arg("dtype") = sizeof(Real) == sizeof(double) ? "float64" : "float32",
          nb::arg("order") = "C");
      array_ = nb::cast<decltype(array_)>(converted);
    } catch (nb::python_error& error) {
      if (!error.matches(PyExc_TypeError) && !error.matches(PyExc_ValueError)) throw;
      throw InvalidArgument(fmt::format("{}: expected an array of numbers, got {}", name,
                                        nb::str(nb::repr(from.value.type())).c_str()));
    }
  }
  if (axes() < least_axes || axes() > most_axes) {
    throw InvalidArgument(fmt::format("{}: expected an array of {} axes, got {}", name,
                                      axes_words(least_axes, most_axes), axes()));
  }
}

template class Input<double>;
template class Input<float>;

Matrix to_matrix(const ArrayLike& from, const char* name) {
  return Input<double>(from, name, 2, 2).matrix();
}

Matrix to_columns(const ArrayLike& from, const char* name) {
  return Input<double>(from, name, 1, 2).matrix();
}

Vector to_vector(const ArrayLike& from, const char* name) {
  return Input<double>(from, name, 1, 1).matrix().col(0);
}

Array give(Matrix&& matrix, bool as_vector) {
  std::vector<std::size_t> shape = shape_of(matrix);
  if (as_vector) shape.pop_back();
  return hand_over<Matrix, double>(std::move(matrix), shape);
}

ArrayF give(MatrixF&& matrix) {
  const std::vector<std::size_t> shape = shape_of(matrix);
  return hand_over<MatrixF, float>(std::move(matrix), shape);
}

Array give(Vector&& vector) {
  const std::vector<std::size_t> shape = {static_cast<std::size_t>(vector.size())};
  return hand_over<Vector, double>(std::move(vector), shape);
}

Array give(std::vector<Matrix>&& matrices, bool single) {
  if (single) return give(std::move(matrices.front()));
  std::vector<std::size_t> shape = shape_of(matrices.front());
  shape.insert(shape.begin(), matrices.size());
  Array all = make_array<double>(shape);
  double* to = all.data();
  for (const Matrix& matrix : matrices) {
    to = std::copy(matrix.data(), matrix.data() + matrix.size(), to);
  }
  return all;
}

ViewF look(const MatrixF& matrix, nb::handle owner) {
  const std::vector<std::size_t> shape = shape_of(matrix);
  return {matrix.data(), shape.size(), shape.data(), owner};
}

}  // namespace xbar::python
