#include <algorithm>
#include <array>
#include <cmath>
#include <mutex>

#include <xbar/core/parallel.hpp>
#include <xbar/mapping/crossbar_matrix.hpp>

// What CrossbarMatrix does with cells that are written by pulses.

namespace xbar::mapping {

PulseTotals& PulseTotals::operator+=(const PulseTotals& other) {
  up += other.up;
  down += other.down;
  joule += other.joule;
  second += other.second;
  return *this;
}

float CrossbarMatrix::weight_step() const {
  return weight_range_ * encoder_.coefficient(0) *
         static_cast<float>(technology().device->typical_step());
}

namespace {

void take_larger(std::span<const float> values, float* most) {
#pragma omp simd
  for (std::size_t k = 0; k < values.size(); ++k) {
    most[k] = values[k] > most[k] ? values[k] : most[k];
  }
}

}  // namespace

// The pulses of an update at all cells, where what one cell gets depends on the others.
struct CrossbarMatrix::Neighbours {
  MatrixF up;  // outputs x inputs
  MatrixF down;
  MatrixF row_up;  // tile columns x inputs: how long a wordline is selected
  MatrixF row_down;
  MatrixF column_up;  // outputs x tile rows: how often a bitline is
  MatrixF column_down;
};

CrossbarMatrix::Neighbours CrossbarMatrix::collect(const PulseCounts& counts,
                                                   const TrainSlots& trains) {
  Neighbours all;
  all.up.resize(outputs_, inputs_);
  all.down.resize(outputs_, inputs_);
  all.row_up = MatrixF::Zero(tile_column_count_, inputs_);
  all.row_down = all.row_up;
  all.column_up = MatrixF::Zero(outputs_, tile_row_count_);
  all.column_down = all.column_up;
  const auto count = static_cast<std::size_t>(inputs_);
  for_each_output([&](Index o) {
    counts(o, {all.up.row(o).data(), count}, {all.down.row(o).data(), count});
  });
  if (trains.slots > 0) {
    // A line that fires does so in the up and the down phase alike, each of half its slots.
    const auto lines = static_cast<float>(trains.slots);
    input_rate_ = output_rate_ = 0;
    for (Index k = 0; k < inputs_; ++k) {
      const float fires = trains.input_fires[static_cast<std::size_t>(k)];
      all.row_up.col(k).setConstant(0.5F * fires);
      input_rate_ += fires / (lines * static_cast<float>(inputs_));
    }
    for (Index o = 0; o < outputs_; ++o) {
      const float fires = trains.output_fires[static_cast<std::size_t>(o)];
      all.column_up.row(o).setConstant(0.5F * fires);
      output_rate_ += fires / (lines * static_cast<float>(outputs_));
    }
    all.row_down = all.row_up;
    all.column_down = all.column_up;
    return all;
  }
  input_rate_ = output_rate_ = 0;
  for (Index o = 0; o < outputs_; ++o) {
    const Index column = slot_of(o) / outputs_per_tile();
    take_larger({all.up.row(o).data(), count}, all.row_up.row(column).data());
    take_larger({all.down.row(o).data(), count}, all.row_down.row(column).data());
    for (Index r = 0; r < tile_row_count_; ++r) {
      const Index first = r * technology().tile_rows;
      const Index some = std::min(technology().tile_rows, inputs_ - first);
      all.column_up(o, r) = all.up.row(o).segment(first, some).sum();
      all.column_down(o, r) = all.down.row(o).segment(first, some).sum();
    }
  }
  return all;
}

void CrossbarMatrix::through_wires(Index cell, Index output, const MatrixF& pulses,
                                   const MatrixF& rows, const MatrixF& columns, float* out) const {
  const Index slot = slot_of(output);
  const Plane& plane = planes_[static_cast<std::size_t>(plane_of(cell))];
  const Index offset = bitline_of(cell, slot) * plane.state.cols();
  const float* selected = plane.selected.data() + offset;
  const float* half = plane.half_selected.data() + offset;
  const float* n = pulses.row(output).data();
  const float* row = rows.row(slot / outputs_per_tile()).data();
  for (Index k = 0; k < inputs_; ++k) {
    const float others = std::max(row[k] - n[k], 0.0F) +
                         std::max(columns(output, k / technology().tile_rows) - n[k], 0.0F);
    out[k] = selected[k] * n[k] + half[k] * others;
  }
}

void CrossbarMatrix::pulse(const PulseCounts& counts, const TrainSlots& trains) {
  const device::PulseDevice& device = *technology().device;
  const bool measure_now = begin_update();
  const Index trained = device.one_way ? 2 : 1;  // cells of a weight
  std::array<RandomStream, 2> noise = {options_.noise, options_.noise};
  for (Index c = 0; c < trained; ++c) {
    noise[static_cast<std::size_t>(c)] = options_.noise.substream(
        static_cast<std::uint64_t>(trained) * update_count_ + static_cast<std::uint64_t>(c));
  }
  ++update_count_;
  const bool wired = technology().write_scheme.has_value();
  const Neighbours all = wired ? collect(counts, trains) : Neighbours{};
  const auto count = static_cast<std::size_t>(inputs_);
  const std::vector<float> none(device.one_way ? count : 0, 0.0F);
  std::vector<PulseTotals> totals(static_cast<std::size_t>(outputs_));
  const bool is_timed = device.up.second > 0 || device.down.second > 0;
  const bool by_wordline = is_timed && !(trains.slots > 0);
  MatrixF most_up = MatrixF::Zero(by_wordline ? tile_column_count_ : 0, inputs_);
  MatrixF most_down = most_up;
  std::mutex most_mutex;
  for_each_output([&](Index o) {
    thread_local std::vector<float> buffer;
    buffer.resize(2 * count);
    const std::span<float> up(buffer.data(), count);
    const std::span<float> down(buffer.data() + count, count);
    const Index slot = slot_of(o);
    PulseTotals& total = totals[static_cast<std::size_t>(o)];
    if (wired) {
      std::copy_n(all.up.row(o).data(), count, up.data());
      std::copy_n(all.down.row(o).data(), count, down.data());
    } else {
      counts(o, up, down);
    }
    if (by_wordline) {
      const Index column = slot / outputs_per_tile();
      const std::lock_guard lock(most_mutex);
      take_larger(up, most_up.row(column).data());
      take_larger(down, most_down.row(column).data());
    }
    const auto write = [&](Index cell, std::span<const float> ups, std::span<const float> downs) {
      float* x = cell_line(cell, slot);
      planes_[static_cast<std::size_t>(plane_of(cell))].pulsed->pulse(
          bitline_of(cell, slot), 0, {x, count}, ups, downs, noise[static_cast<std::size_t>(cell)]);
    };
    // Energy of the pulses sent: G as they leave it.
    const auto account = [&](Index cell, std::span<const float> pulses,
                             const device::PulseShape& shape) {
      const double weight = shape.volt * shape.volt * shape.second;
      const std::size_t states = weight > 0 ? count : 0;
      const device::PulseSums sums = device::sum_pulses(pulses, {cell_line(cell, slot), states});
      const double siemens =
          static_cast<double>(g_min_) * sums.pulses + static_cast<double>(g_width_) * sums.states;
      total.joule += weight * siemens;
      return sums.pulses;
    };
    thread_local std::vector<float> reached;
    if (wired) reached.resize(2 * count);
    const auto at_cells = [&](Index cell, bool is_up, std::span<float> sent) {
      if (!wired) return sent;
      const std::span<float> to(reached.data() + (is_up ? 0 : count), count);
      through_wires(cell, o, is_up ? all.up : all.down, is_up ? all.row_up : all.row_down,
                    is_up ? all.column_up : all.column_down, to.data());
      return to;
    };
    if (device.one_way) {
      write(0, at_cells(0, true, up), none);
      write(1, at_cells(1, false, down), none);
      total.up = account(0, up, device.up);
      total.down = account(1, down, device.up);
    } else {
      const std::span<const float> ups = at_cells(0, true, up);
      write(0, ups, at_cells(0, false, down));
      total.up = account(0, up, device.up);
      total.down = account(0, down, device.down);
    }
    if (!measure_now) compose_output(o);
  });
  weight_is_current_ = false;
  for (const PulseTotals& total : totals) totals_ += total;
  if (by_wordline) {
    // Tiles are written side by side.
    const double ups = most_up.size() > 0 ? longest(most_up) : 0.0;
    const double downs = most_down.size() > 0 ? longest(most_down) : 0.0;
    totals_.second +=
        ups * device.up.second + downs * (device.one_way ? device.up : device.down).second;
  } else {
    totals_.second += trains.slots * (device.up.second + device.down.second);
  }
  ++version_;
  if (measure_now) refresh();
}

double CrossbarMatrix::longest(const MatrixF& most) const {
  double longest = 0;
  for (Index column = 0; column < most.rows(); ++column) {
    for (Index r = 0; r < tile_row_count_; ++r) {
      const Index first = r * technology().tile_rows;
      const Index some = std::min(technology().tile_rows, inputs_ - first);
      longest =
          std::max(longest, most.row(column).segment(first, some).template cast<double>().sum());
    }
  }
  return longest;
}

void CrossbarMatrix::measure_write_paths() {
  if (!technology().write_scheme) return;
  const device::VoltageLaw& law = technology().device->voltage;
  const Index rows = technology().tile_rows;
  const Index columns = technology().tile_columns;
  const bool trains = input_rate_ > 0 && output_rate_ > 0;
  for (std::size_t p = 0; p < planes_.size(); ++p) {
    Plane& plane = planes_[p];
    if (!plane.pulsed) continue;
    parallel_for(tile_count(), [&](Index t) {
      const Matrix conductance = tile_conductance(static_cast<Index>(p), t);
      const surrogate::WritePath path =
          trains
              ? surrogate::stochastic_write_path(conductance, technology().wires,
                                                 Vector::Constant(rows, input_rate_),
                                                 Vector::Constant(columns, output_rate_))
              : surrogate::write_path(conductance, technology().wires, *technology().write_scheme);
      const Index first_bitline = t % tile_column_count_ * columns;
      const Index first_wordline = t / tile_column_count_ * rows;
      for (Index j = 0; j < columns; ++j) {
        for (Index i = 0; i < rows; ++i) {
          const Index b = first_bitline + j;
          const Index k = first_wordline + i;
          plane.selected(b, k) = static_cast<float>(law.factor(path.selected(i, j)));
          plane.half_selected(b, k) = static_cast<float>(law.factor(path.half_selected(i, j)));
        }
      }
    });
  }
}

void CrossbarMatrix::set_pulsed_cells(Index slot) {
  for (Index c = 0; c < encoder_.cells(); ++c) {
    std::optional<device::PulsedCells>& pulsed =
        planes_[static_cast<std::size_t>(plane_of(c))].pulsed;
    if (!pulsed) continue;
    pulsed->set(bitline_of(c, slot), 0, {cell_line(c, slot), static_cast<std::size_t>(inputs_)});
  }
}

void CrossbarMatrix::renew_pairs() {
  constexpr float nearly_full = 0.95F;
  for_each_output([&](Index o) {
    const Index slot = slot_of(o);
    float* plus = cell_line(0, slot);
    float* minus = cell_line(1, slot);
    bool any = false;
    for (Index k = 0; k < inputs_; ++k) {
      if (std::max(plus[k], minus[k]) < nearly_full) continue;
      const float v = plus[k] - minus[k];
      plus[k] = std::max(v, 0.0F);
      minus[k] = std::max(-v, 0.0F);
      any = true;
    }
    if (!any) return;
    set_pulsed_cells(slot);
  });
  weight_is_current_ = false;
}

}  // namespace xbar::mapping
