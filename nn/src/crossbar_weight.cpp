#include <utility>
#include <vector>

#include <xbar/core/stopwatch.hpp>
#include <xbar/nn/crossbar_weight.hpp>

namespace xbar::nn {

CrossbarWeight::CrossbarWeight(mapping::CrossbarMatrix matrix) : matrix_(std::move(matrix)) {
  const mapping::Technology& technology = matrix_.technology();
  const mapping::Converters& converters = technology.converters;
  if (!converters.present()) return;
  const device::ConductanceRange range = technology.range();
  // The difference of two cells is at most the width of the range.
  const float full_cell = converters.subtract == mapping::Subtract::analog
                              ? 1.0F
                              : static_cast<float>(range.g_max / range.width());
  forward_.emplace(Reads{mapping::ConvertedRead({.outputs = matrix_.outputs(),
                                                 .inputs = matrix_.inputs(),
                                                 .tile_lines = technology.tile_rows,
                                                 .full_cell = full_cell},
                                                converters)});
  backward_.emplace(Reads{mapping::ConvertedRead({.outputs = matrix_.inputs(),
                                                  .inputs = matrix_.outputs(),
                                                  .tile_lines = matrix_.outputs_per_tile(),
                                                  .full_cell = full_cell},
                                                 mapping::backward_converters(converters))});
}

mapping::ConvertedRead* CrossbarWeight::read(mapping::Direction direction) {
  std::optional<Reads>& wanted = reads(direction);
  return wanted ? &wanted->read : nullptr;
}

mapping::ConvertedRead* CrossbarWeight::current(mapping::Direction direction) {
  std::optional<Reads>& wanted = reads(direction);
  if (!wanted) return nullptr;
  if (wanted->version == matrix_.version()) return &wanted->read;
  const Stopwatch watch;
  const bool forward = direction == mapping::Direction::forward;
  const std::vector<mapping::ReadArray> arrays = matrix_.read_arrays(direction);
  std::vector<mapping::ArrayView> views;
  for (const mapping::ReadArray& array : arrays) {
    views.push_back({.values = array.effective.data(),
                     .output_stride = forward ? array.effective.cols() : 1,
                     .line_stride = forward ? 1 : array.effective.cols(),
                     .coefficient = array.coefficient,
                     .gain = forward ? matrix_.gain().data() : nullptr});
  }
  wanted->read.set_arrays(views, forward ? matrix_.row_order() : matrix_.column_order());
  wanted->version = matrix_.version();
  converter_seconds_ += watch.seconds();
  return &wanted->read;
}

StoreTimes CrossbarWeight::times() const {
  double converters = converter_seconds_;
  for (const std::optional<Reads>* wanted : {&forward_, &backward_}) {
    if (*wanted) converters += (*wanted)->read.seconds();
  }
  return {.surrogate = matrix_.times().surrogate,
          .converters = converters,
          .certificate = matrix_.times().certificate};
}

mapping::ConvertedRead* CrossbarWeight::converted_forward() {
  return current(mapping::Direction::forward);
}

mapping::ConvertedRead* CrossbarWeight::converted_backward() {
  return current(mapping::Direction::backward);
}

}  // namespace xbar::nn
