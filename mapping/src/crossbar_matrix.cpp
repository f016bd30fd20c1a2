#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/parallel.hpp>
#include <xbar/device/read_noise.hpp>
#include <xbar/mapping/crossbar_matrix.hpp>
#include <xbar/surrogate/model.hpp>

#include "cell_effects.hpp"
#include "swapped_wires.hpp"

namespace xbar::mapping {
namespace {

Index ceil_divide(Index a, Index b) { return (a + b - 1) / b; }

// Cells of one weight: 16 bits of 1 bit each, plus and minus.
constexpr std::size_t most_cells = 32;

CrossbarOptions checked(CrossbarOptions options) {
  check_technology(options.technology);
  if (options.refresh < 1) {
    throw InvalidArgument(fmt::format("refresh: expected at least 1, got {}", options.refresh));
  }
  check_certificate_options(options.certificate);
  if (options.certificate.tolerance > 0 && !options.exact.effective) {
    throw InvalidArgument("tolerance: expected an exact solver to measure with, got none");
  }
  return options;
}

float checked_range(float weight_range) {
  if (!(weight_range > 0) || !std::isfinite(weight_range)) {
    throw InvalidArgument(
        fmt::format("weight range: expected a finite number > 0, got {}", weight_range));
  }
  return weight_range;
}

}  // namespace

void CrossbarMatrix::for_each_output(const std::function<void(Index)>& body) const {
  // Waking the other cores costs as much as some ten thousand cells.
  if (outputs_ * inputs_ < 16384) {
    for (Index o = 0; o < outputs_; ++o) body(o);
  } else {
    parallel_for(outputs_, body);
  }
}

CrossbarMatrix::CrossbarMatrix(Index outputs, Index inputs, float weight_range,
                               CrossbarOptions options)
    : options_(checked(std::move(options))),
      encoder_(technology().layout, technology().bits),
      outputs_(outputs),
      inputs_(inputs),
      weight_range_(checked_range(weight_range)) {
  if (outputs < 1 || inputs < 1) {
    throw InvalidArgument(fmt::format(
        "crossbar matrix: expected at least 1 x 1 weights, got {} x {}", outputs, inputs));
  }
  choice_ = {options_.model, options_.refresh};
  const Technology& t = technology();
  const device::ConductanceRange range = t.range();
  g_min_ = static_cast<float>(range.g_min);
  g_width_ = static_cast<float>(range.width());
  tile_row_count_ = ceil_divide(inputs, t.tile_rows);
  tile_column_count_ = ceil_divide(outputs, outputs_per_tile());
  order_ = as_trained(outputs, inputs);
  const bool shared = t.layout == Layout::interleaved;
  planes_.resize(static_cast<std::size_t>(shared ? encoder_.slices() : encoder_.cells()));
  for (std::size_t p = 0; p < planes_.size(); ++p) {
    Plane& plane = planes_[p];
    plane.state = MatrixF::Zero(tile_column_count_ * t.tile_columns, tile_row_count_ * t.tile_rows);
    plane.ratio = MatrixF::Ones(plane.state.rows(), plane.state.cols());
    if (t.terminals == Terminals::swap) plane.backward = plane.ratio;
    if (has_cell_effects(t)) {
      plane.slope = MatrixF::Ones(plane.state.rows(), plane.state.cols());
      plane.base = MatrixF::Constant(plane.state.rows(), plane.state.cols(), g_min_ / g_width_);
      apply_cell_effects(t, options_.cells.substream(p), plane.slope, plane.base);
    }
  }
  if (t.device) {
    const bool trains_all = t.layout != Layout::reference;
    for (std::size_t p = 0; p < (trains_all ? planes_.size() : 1); ++p) {
      planes_[p].pulsed.emplace(t.device, planes_[p].state.rows(), planes_[p].state.cols(),
                                options_.cells.substream(planes_.size() + p));
      if (t.write_scheme) {
        planes_[p].selected = MatrixF::Ones(planes_[p].state.rows(), planes_[p].state.cols());
        planes_[p].half_selected = planes_[p].selected;
      }
    }
  }
  set_references();
  make_models();
  weight_ = MatrixF::Zero(outputs, inputs);
  forward_ = weight_;
  if (t.terminals == Terminals::swap) backward_ = weight_;
  gain_ = MatrixF::Ones(outputs, tile_row_count_);
}

void CrossbarMatrix::make_models() {
  const Technology& t = technology();
  for (Plane& plane : planes_) {
    plane.is_measured = false;
    plane.forward_model = surrogate::make_model<float>(choice_.model, t.wires, options_.exact);
    if (t.terminals == Terminals::swap) {
      // The transposed read with swapped terminals is, by reciprocity, the transpose of the forward
      // read of the array whose source and sink resistances are exchanged.
      plane.backward_model =
          surrogate::make_model<float>(choice_.model, swapped_wires(t.wires), options_.exact);
    }
  }
}

Index CrossbarMatrix::plane_of(Index cell) const {
  return technology().layout == Layout::interleaved ? encoder_.slice_of(cell) : cell;
}

Index CrossbarMatrix::bitline_of(Index cell, Index slot) const {
  const Index first = slot / outputs_per_tile() * technology().tile_columns;
  const Index place = slot % outputs_per_tile();
  if (technology().layout != Layout::interleaved) return first + place;
  return first + 2 * place + (encoder_.is_minus(cell) ? 1 : 0);
}

Index CrossbarMatrix::reference_bitline(Index slot) const {
  const Index columns = technology().tile_columns;
  return slot / outputs_per_tile() * columns + columns - 1;
}

float* CrossbarMatrix::cell_line(Index cell, Index slot) {
  MatrixF& state = planes_[static_cast<std::size_t>(plane_of(cell))].state;
  return state.data() + bitline_of(cell, slot) * state.cols();
}

const float* CrossbarMatrix::cell_line(Index cell, Index slot) const {
  const MatrixF& state = planes_[static_cast<std::size_t>(plane_of(cell))].state;
  return state.data() + bitline_of(cell, slot) * state.cols();
}

void CrossbarMatrix::set_references() {
  if (technology().layout == Layout::reference) {
    Plane& trained = planes_.front();
    MatrixF& reference = planes_.back().state;
    planes_.back().is_measured = false;
    // Cells without a partner stay at g_min, as they do there.
    reference.setZero();
    for_each_output([&](Index o) {
      const Index bitline = bitline_of(1, slot_of(o));
      thread_local std::vector<float> line;
      line.assign(static_cast<std::size_t>(reference.cols()), encoder_.reference(0));
      if (technology().zero_shift) trained.pulsed->symmetry_point(bitline, 0, line);
      for (Index k = 0; k < inputs_; ++k) {
        const Index wordline = wordline_of(k);
        reference(bitline, wordline) = line[static_cast<std::size_t>(wordline)];
      }
    });
    return;
  }
  if (technology().layout != Layout::offset) return;
  for (Index s = 0; s < encoder_.slices(); ++s) {
    MatrixF& state = planes_[static_cast<std::size_t>(s)].state;
    for (Index c = 0; c < tile_column_count_; ++c) {
      const Index bitline = reference_bitline(c * outputs_per_tile());
      for (Index k = 0; k < inputs_; ++k) state(bitline, wordline_of(k)) = encoder_.reference(s);
    }
  }
}

void CrossbarMatrix::set_weight_range(float weight_range) {
  weight_range_ = checked_range(weight_range);
  decode_all();
  compose_all();
}

template <typename Targets>
void CrossbarMatrix::write(const Targets& targets, const device::UpdateModel* model, bool compose) {
  const Index cells = encoder_.cells();
  std::vector<RandomStream> noise;
  for (Index c = 0; c < cells; ++c) {
    noise.push_back(options_.noise.substream(static_cast<std::uint64_t>(cells) * update_count_ +
                                             static_cast<std::uint64_t>(c)));
  }
  ++update_count_;
  const auto count = static_cast<std::size_t>(inputs_);
  for_each_output([&](Index o) {
    const Index slot = slot_of(o);
    thread_local std::vector<float> buffer;
    buffer.resize((2 * static_cast<std::size_t>(cells) + 1) * count);
    float* v = buffer.data();
    std::array<float*, most_cells> lines{};  // x by input
    std::array<float*, most_cells> wanted{};
    for (Index c = 0; c < cells; ++c) {
      const auto at = static_cast<std::size_t>(c);
      wanted[at] = v + (at + 1) * count;
      lines[at] = cell_line(c, slot);
      if (rows_in_order_) continue;
      float* copy = v + (static_cast<std::size_t>(cells) + at + 1) * count;
      to_inputs(lines[at], copy);
      lines[at] = copy;
    }
    if (encoder_.layout() == Layout::reference) std::copy_n(lines[1], count, wanted[1]);
    encoder_.decode(lines.data(), inputs_, v);
    targets(o, v);
    encoder_.encode(v, inputs_, wanted.data());
    for (std::size_t c = 0; c < static_cast<std::size_t>(cells); ++c) {
      float* line = lines[c];
      float* target = wanted[c];
      if (model == nullptr) {
        std::copy(target, target + count, line);
        continue;
      }
#pragma omp simd
      for (std::size_t k = 0; k < count; ++k) target[k] -= line[k];
      device::apply_update(*model, {line, count}, {target, count}, noise[c],
                           static_cast<std::uint64_t>(o) * count);
    }
    for (Index c = 0; c < cells && !rows_in_order_; ++c) {
      to_line(lines[static_cast<std::size_t>(c)], cell_line(c, slot));
    }
    set_pulsed_cells(slot);
    decode_output(o);
    if (compose) compose_output(o);
  });
  weight_is_current_ = true;
  if (compose) ++version_;
}

void CrossbarMatrix::write_weight(const MatrixF& weight, const device::UpdateModel* model,
                                  bool compose) {
  const float inverse = 1.0F / weight_range_;
  write(
      [&](Index o, float* v) {
        const float* w = weight.data() + o * inputs_;
        for (Index k = 0; k < inputs_; ++k) v[k] = w[k] * inverse;
      },
      model, compose);
}

void CrossbarMatrix::program(const MatrixF& weight) {
  check_weight_shape("weight", weight);
  for (Plane& plane : planes_) plane.state.setZero();
  set_references();
  write_weight(weight, technology().verify ? nullptr : &technology().update, false);
  measure_all();
  if (options_.certificate.tolerance > 0) choose_at_start();
}

void CrossbarMatrix::reprogram(const MatrixF& weight) {
  check_weight_shape("weight", weight);
  const bool measure_now = begin_update();
  write_weight(weight, nullptr, !measure_now);
  if (measure_now) refresh();
}

void CrossbarMatrix::update(const MatrixF& delta) {
  check_weight_shape("weight update", delta);
  const float inverse = 1.0F / weight_range_;
  const bool measure_now = begin_update();
  write(
      [&](Index o, float* v) {
        const float* step = delta.data() + o * inputs_;
#pragma omp simd
        for (Index k = 0; k < inputs_; ++k) v[k] += step[k] * inverse;
      },
      &technology().update, !measure_now);
  if (measure_now) refresh();
}

void CrossbarMatrix::check_weight_shape(const char* name, const MatrixF& weight) const {
  if (weight.rows() != outputs_ || weight.cols() != inputs_) {
    throw InvalidArgument(fmt::format("{}: expected {} x {} (outputs x inputs), got {} x {}", name,
                                      outputs_, inputs_, weight.rows(), weight.cols()));
  }
}

bool CrossbarMatrix::begin_update() {
  noisy_ = false;
  return ++updates_since_refresh_ >= choice_.refresh;
}

void CrossbarMatrix::next_read() {
  if (technology().read_noise == 0) return;
  ++read_count_;
  noisy_ = true;
  compose_all();
}

const MatrixF& CrossbarMatrix::weight() const {
  if (!weight_is_current_) decode_all();
  return weight_;
}

void CrossbarMatrix::decode_all() const {
  for_each_output([&](Index o) { decode_output(o); });
  weight_is_current_ = true;
}

bool CrossbarMatrix::is_ideal() const {
  const WireResistance& wires = technology().wires;
  return wires.source_ohm == 0 && wires.sink_ohm == 0 && wires.wordline_ohm == 0 &&
         wires.bitline_ohm == 0;
}

void CrossbarMatrix::decode_output(Index output) const {
  std::array<const float*, most_cells> lines{};
  thread_local std::vector<float> buffer;
  gather_cells(slot_of(output), lines.data(), buffer);
  float* out = weight_.data() + output * inputs_;
  encoder_.decode(lines.data(), inputs_, out);
#pragma omp simd
  for (Index k = 0; k < inputs_; ++k) out[k] *= weight_range_;
}

void CrossbarMatrix::add_effective(Index plane_index, Direction direction, Index bitline,
                                   Index first, Index count, float scale, const float* from,
                                   float* out) const {
  const Plane& plane = planes_[static_cast<std::size_t>(plane_index)];
  const Index offset = bitline * plane.state.cols() + first;
  const float* x = plane.state.data() + offset;
  const float* ratio = ratio_of(plane, direction).data() + offset;
  if (plane.slope.size() == 0 && !noisy_) {
    const float g0 = g_min_ / g_width_;
    if (is_ideal()) {
#pragma omp simd
      for (Index k = 0; k < count; ++k) out[k] = from[k] + scale * (x[k] + g0);
    } else {
#pragma omp simd
      for (Index k = 0; k < count; ++k) out[k] = from[k] + scale * ((x[k] + g0) * ratio[k]);
    }
    return;
  }
  thread_local std::vector<float> factor;
  factor.assign(static_cast<std::size_t>(count), 1.0F);
  if (noisy_) {
    const auto index = static_cast<std::uint64_t>(plane_index * plane.state.size() + offset);
    device::fill_read_noise(technology().read_noise, options_.reads.substream(read_count_), index,
                            factor);
  }
  const float g0 = g_min_ / g_width_;
  const float* slope = plane.slope.data() + offset;
  const float* base = plane.base.data() + offset;
  for (Index k = 0; k < count; ++k) {
    const float g = plane.slope.size() == 0 ? x[k] + g0 : x[k] * slope[k] + base[k];
    out[k] = from[k] + scale * factor[static_cast<std::size_t>(k)] * (g * ratio[k]);
  }
}

void CrossbarMatrix::add_cells(Index cell, Index output, Direction direction, const float* from,
                               float* out) const {
  const Index slot = slot_of(output);
  const Index rows = technology().tile_rows;
  const Index plane = plane_of(cell);
  const Index bitline = bitline_of(cell, slot);
  const bool offset = technology().layout == Layout::offset;
  for (Index tile_row = 0, next = 0; tile_row < tile_row_count_; tile_row = next) {
    // Tiles of one gain in one go.
    const float gain = gain_(output, tile_row);
    for (next = tile_row + 1; next < tile_row_count_ && gain_(output, next) == gain;) ++next;
    const float share = weight_range_ * gain * encoder_.coefficient(cell);
    const Index first = tile_row * rows;
    const Index count = std::min(next * rows, line_size()) - first;
    float* to = out + first;
    add_effective(plane, direction, bitline, first, count, share, from + first, to);
    if (offset) {
      add_effective(plane, direction, reference_bitline(slot), first, count, -share, to, to);
    }
  }
}

void CrossbarMatrix::compose_line(Index output, Direction direction, float* out) const {
  if (technology().layout == Layout::reference && !noisy_) {
    const MatrixF& reference =
        direction == Direction::forward ? forward_reference_ : backward_reference_;
    add_cells(0, output, direction, reference.data() + output * reference.cols(), out);
    return;
  }
  std::fill_n(out, line_size(), 0.0F);
  for (Index c = 0; c < encoder_.cells(); ++c) add_cells(c, output, direction, out, out);
}

void CrossbarMatrix::compose_output(Index output, Direction direction, MatrixF& effective) const {
  float* out = effective.data() + output * inputs_;
  if (rows_in_order_) {
    compose_line(output, direction, out);
    return;
  }
  thread_local std::vector<float> line;
  line.resize(static_cast<std::size_t>(line_size()));
  compose_line(output, direction, line.data());
  to_inputs(line.data(), out);
}

void CrossbarMatrix::compose_output(Index output) {
  compose_output(output, Direction::forward, forward_);
  if (technology().terminals == Terminals::swap) {
    compose_output(output, Direction::backward, backward_);
  }
}

void CrossbarMatrix::compose_all() {
  const bool swap = technology().terminals == Terminals::swap;
  if (technology().layout == Layout::reference && !noisy_) {
    forward_reference_.setZero(outputs_, line_size());
    if (swap) backward_reference_.setZero(outputs_, line_size());
    for_each_output([&](Index o) {
      float* forward = forward_reference_.row(o).data();
      add_cells(1, o, Direction::forward, forward, forward);
      if (!swap) return;
      float* backward = backward_reference_.row(o).data();
      add_cells(1, o, Direction::backward, backward, backward);
    });
  }
  for_each_output([&](Index o) { compose_output(o); });
  ++version_;
}

std::vector<ReadArray> CrossbarMatrix::read_arrays(Direction direction) const {
  const bool apart = technology().converters.subtract == Subtract::digital;
  const bool offset = technology().layout == Layout::offset;
  const Index parts = apart ? 2 : 1;  // of a slice: the cells, and what is subtracted
  std::vector<ReadArray> arrays(static_cast<std::size_t>(encoder_.slices() * parts));
  const Index rows = technology().tile_rows;
  for (Index s = 0; s < encoder_.slices(); ++s) {
    const Index first_cell = s * encoder_.signs();
    const float share = weight_range_ * encoder_.coefficient(first_cell);
    for (Index part = 0; part < parts; ++part) {
      ReadArray& array = arrays[static_cast<std::size_t>(s * parts + part)];
      array.coefficient = part == 0 ? share : -share;
      array.effective =
          MatrixF::Zero(direction == Direction::forward ? outputs_ : slot_count(), line_size());
    }
    for_each_output([&](Index o) {
      const Index slot = slot_of(o);
      for (Index part = 0; part < 2; ++part) {
        MatrixF& to = arrays[static_cast<std::size_t>(s * parts + (apart ? part : 0))].effective;
        const Index cell = first_cell + (offset ? 0 : part);
        const Index bitline =
            offset && part == 1 ? reference_bitline(slot) : bitline_of(cell, slot);
        const float sign = part == 1 && !apart ? -1.0F : 1.0F;
        float* line = to.row(direction == Direction::forward ? o : slot).data();
        for (Index r = 0; r < tile_row_count_; ++r) {
          const Index first = r * rows;
          add_effective(plane_of(cell), direction, bitline, first,
                        std::min(rows, line_size() - first),
                        direction == Direction::forward ? sign : sign * gain_(o, r), line + first,
                        line + first);
        }
      }
    });
  }
  if (direction == Direction::backward && !rows_in_order_) {
    for (ReadArray& array : arrays) {
      MatrixF by_input(slot_count(), inputs_);
      for (Index s = 0; s < slot_count(); ++s) {
        to_inputs(array.effective.row(s).data(), by_input.row(s).data());
      }
      array.effective = std::move(by_input);
    }
  }
  return arrays;
}

void CrossbarMatrix::set_column_order(const std::vector<Index>& slot_of_output) {
  set_order({slot_of_output, order_.slot_of_input});
}

void CrossbarMatrix::set_order(const ArrayOrder& order) {
  check_order(order, outputs_, inputs_, slot_count(), row_slot_count());
  if (technology().device && order.slot_of_input != as_trained(outputs_, inputs_).slot_of_input) {
    throw InvalidArgument(
        "row order: expected rows as trained on arrays written by pulses, got another order");
  }
  if (order == order_) return;
  const std::vector<MatrixF> cells = state().cells;
  for (Plane& plane : planes_) plane.state.setZero();
  place_order(order);
  set_references();
  place_cells(cells);
  for (const Index slot : order_.slot_of_output) set_pulsed_cells(slot);
  measure_all();
}

void CrossbarMatrix::place_order(ArrayOrder order) {
  order_ = std::move(order);
  rows_in_order_ = order_.slot_of_input == as_trained(outputs_, inputs_).slot_of_input;
}

void CrossbarMatrix::to_inputs(const float* line, float* values) const {
  if (rows_in_order_) {
    std::copy_n(line, inputs_, values);
    return;
  }
  for (Index k = 0; k < inputs_; ++k) values[k] = line[wordline_of(k)];
}

void CrossbarMatrix::to_line(const float* values, float* line) const {
  if (rows_in_order_) {
    std::copy_n(values, inputs_, line);
    return;
  }
  for (Index k = 0; k < inputs_; ++k) line[wordline_of(k)] = values[k];
}

void CrossbarMatrix::gather_cells(Index slot, const float** lines,
                                  std::vector<float>& buffer) const {
  const Index cells = encoder_.cells();
  if (!rows_in_order_) buffer.resize(static_cast<std::size_t>(cells * inputs_));
  for (Index c = 0; c < cells; ++c) {
    lines[c] = cell_line(c, slot);
    if (rows_in_order_) continue;
    float* copy = buffer.data() + c * inputs_;
    to_inputs(lines[c], copy);
    lines[c] = copy;
  }
}

void CrossbarMatrix::place_cells(const std::vector<MatrixF>& cells) {
  for (Index c = 0; c < encoder_.cells(); ++c) {
    const MatrixF& from = cells[static_cast<std::size_t>(c)];
    for (Index o = 0; o < outputs_; ++o) {
      to_line(from.data() + o * inputs_, cell_line(c, slot_of(o)));
    }
  }
}

CrossbarMatrix::State CrossbarMatrix::state() const {
  State state;
  state.weight_range = weight_range_;
  for (Index c = 0; c < encoder_.cells(); ++c) {
    MatrixF x(outputs_, inputs_);
    for (Index o = 0; o < outputs_; ++o) {
      to_inputs(cell_line(c, slot_of(o)), x.data() + o * inputs_);
    }
    state.cells.push_back(std::move(x));
  }
  for (const Plane& plane : planes_) {
    state.ratios.push_back(plane.ratio);
    if (plane.backward.size() > 0) state.backward.push_back(plane.backward);
  }
  state.gain = gain_;
  state.updates_since_refresh = updates_since_refresh_;
  state.update_count = update_count_;
  state.read_count = read_count_;
  for (const Plane& plane : planes_) {
    if (!plane.pulsed) continue;
    state.pulsed.push_back(plane.pulsed->state());
    if (plane.selected.size() == 0) continue;
    state.write_paths.push_back(plane.selected);
    state.write_paths.push_back(plane.half_selected);
  }
  state.totals = totals_;
  state.input_rate = input_rate_;
  state.output_rate = output_rate_;
  state.order = order_;
  state.choice = choice_;
  state.certificate = certificate_;
  return state;
}

void CrossbarMatrix::check_shapes(const std::vector<MatrixF>& matrices, Index count, Index rows,
                                  Index columns) {
  if (static_cast<Index>(matrices.size()) != count) {
    throw InvalidArgument(
        fmt::format("crossbar state: expected {} matrices, got {}", count, matrices.size()));
  }
  for (const MatrixF& matrix : matrices) {
    if (matrix.rows() != rows || matrix.cols() != columns) {
      throw InvalidArgument(fmt::format("crossbar state: expected {} x {}, got {} x {}", rows,
                                        columns, matrix.rows(), matrix.cols()));
    }
  }
}

void CrossbarMatrix::restore(const State& state) {
  const Index bitlines = tile_column_count_ * technology().tile_columns;
  const Index wordlines = tile_row_count_ * technology().tile_rows;
  const bool swap = technology().terminals == Terminals::swap;
  check_shapes(state.cells, encoder_.cells(), outputs_, inputs_);
  check_shapes(state.ratios, plane_count(), bitlines, wordlines);
  check_shapes(state.backward, swap ? plane_count() : 0, bitlines, wordlines);
  check_shapes({state.gain}, 1, outputs_, tile_row_count_);
  check_order(state.order, outputs_, inputs_, slot_count(), row_slot_count());
  std::vector<device::PulsedCells*> pulsed;
  for (Plane& plane : planes_) {
    if (plane.pulsed) pulsed.push_back(&*plane.pulsed);
  }
  if (state.pulsed.size() != pulsed.size()) {
    throw InvalidArgument(fmt::format("crossbar state: expected {} planes of pulsed cells, got {}",
                                      pulsed.size(), state.pulsed.size()));
  }
  for (std::size_t p = 0; p < pulsed.size(); ++p) pulsed[p]->restore(state.pulsed[p]);
  check_shapes(state.write_paths,
               technology().write_scheme ? 2 * static_cast<Index>(pulsed.size()) : 0, bitlines,
               wordlines);
  for (std::size_t p = 0; 2 * p < state.write_paths.size(); ++p) {
    planes_[p].selected = state.write_paths[2 * p];
    planes_[p].half_selected = state.write_paths[2 * p + 1];
  }
  totals_ = state.totals;
  input_rate_ = state.input_rate;
  output_rate_ = state.output_rate;
  weight_range_ = checked_range(state.weight_range);
  place_order(state.order);
  updates_since_refresh_ = state.updates_since_refresh;
  update_count_ = state.update_count;
  read_count_ = state.read_count;
  choice_ = state.choice;
  certificate_ = state.certificate;
  gain_ = state.gain;
  make_models();
  for (std::size_t p = 0; p < planes_.size(); ++p) {
    planes_[p].state.setZero();
    planes_[p].ratio = state.ratios[p];
    if (swap) planes_[p].backward = state.backward[p];
  }
  set_references();
  place_cells(state.cells);
  decode_all();
  noisy_ = false;
  compose_all();
}

void CrossbarMatrix::copy_cells(const CrossbarMatrix& other) {
  const State from = other.state();
  check_shapes(from.cells, encoder_.cells(), outputs_, inputs_);
  check_order(from.order, outputs_, inputs_, slot_count(), row_slot_count());
  weight_range_ = from.weight_range;
  place_order(from.order);
  update_count_ = from.update_count;
  for (Plane& plane : planes_) plane.state.setZero();
  set_references();
  place_cells(from.cells);
  decode_all();
  measure_all();
}

CrossbarMatrix CrossbarMatrix::measured_by(surrogate::ModelKind model) const {
  CrossbarOptions options = options_;
  options.model = model;
  options.exact = {};
  options.certificate = {};
  CrossbarMatrix copy(outputs_, inputs_, weight_range_, std::move(options));
  copy.copy_cells(*this);
  return copy;
}

Matrix CrossbarMatrix::tile_of(const MatrixF& matrix, Index tile) const {
  const Index rows = technology().tile_rows;
  const Index columns = technology().tile_columns;
  return matrix
      .block(tile % tile_column_count_ * columns, tile / tile_column_count_ * rows, columns, rows)
      .cast<double>()
      .transpose();
}

Matrix CrossbarMatrix::tile_conductance(Index plane_index, Index tile) const {
  if (plane_index < 0 || plane_index >= plane_count()) {
    throw InvalidArgument(
        fmt::format("plane: expected 0 to {}, got {}", plane_count() - 1, plane_index));
  }
  if (tile < 0 || tile >= tile_count()) {
    throw InvalidArgument(fmt::format("tile: expected 0 to {}, got {}", tile_count() - 1, tile));
  }
  const Plane& plane = planes_[static_cast<std::size_t>(plane_index)];
  const Matrix x = tile_of(plane.state, tile);
  const auto width = static_cast<double>(g_width_);
  if (plane.slope.size() == 0) {
    return (static_cast<double>(g_min_) + width * x.array()).max(0.0).matrix();
  }
  return (width *
          (x.array() * tile_of(plane.slope, tile).array() + tile_of(plane.base, tile).array()))
      .max(0.0)
      .matrix();
}

}  // namespace xbar::mapping
