// What pulses make of one chunk of cells (device/pulsed_cells.hpp).

#include <algorithm>
#include <array>
#include <cmath>

#include <xbar/core/isa.hpp>

#include "pulsed_cells_chunk.hpp"

#define XBAR_CALL(kernel) XBAR_DISPATCH(xbar::device, kernel)

namespace xbar::device {
namespace {

// Up to so many pulses to a cell are drawn one by one.
constexpr float most_draws = 16;

// Streams of an event's draws. Its first normal draws are those of the event's own stream, later
// ones those of the substreams 1, 2, ...
constexpr std::uint64_t order_stream = std::uint64_t{1} << 32U;
constexpr std::uint64_t shown_stream = order_stream + 1;
constexpr std::uint64_t draws_stream = order_stream + 2;  // and those behind it

PulseSurvey survey(std::span<const float> up, std::span<const float> down) {
  PulseSurvey result;
  XBAR_CALL(survey_pulses)
  (static_cast<long>(up.size()), up.data(), down.data(), &result);
  return result;
}

}  // namespace

void PulsedCells::pulse_chunk(const Chunk& chunk, std::span<float> state, std::span<const float> up,
                              std::span<const float> down, const RandomStream& noise) {
  const std::size_t size = state.size();
  Marks marks;
  const long pulsed =
      XBAR_CALL(mark_pulsed)(static_cast<long>(size), up.data(), down.data(), marks.data());
  if (pulsed == 0) return;
  if (static_cast<std::size_t>(pulsed) < size && chunk.life == nullptr) {
    pulse_some(chunk, marks, static_cast<std::size_t>(pulsed), state, up, down, noise);
    return;
  }
  const std::span<float> hidden(hidden_.data() + chunk.offset, hidden_.size() > 0 ? size : 0);
  pulse_cells(chunk, hidden, state, up, down, noise);
}

// Few cells of a line get pulses as a rule: those are put side by side.
void PulsedCells::pulse_some(const Chunk& chunk, const Marks& marks, std::size_t size,
                             std::span<float> state, std::span<const float> up,
                             std::span<const float> down, const RandomStream& noise) {
  const auto count = static_cast<long>(state.size());
  constexpr std::size_t most_parts = 12;
  std::array<ChunkFloats, most_parts> room;
  std::size_t used = 0;
  const auto pack = [&](const float* from) {
    float* to = room[used++].data();
    XBAR_CALL(pack_cells)(count, marks.data(), from, to);
    return to;
  };
  // What all cells share needs no packing.
  const auto own = [&](const MatrixF& matrix, const float* from) {
    return matrix.size() > 0 ? pack(from) : from;
  };
  const auto unpack = [&](const float* from, float* to) {
    XBAR_CALL(unpack_cells)(count, marks.data(), from, to);
  };
  const CellArrays cells{own(up_factor_, chunk.cells.up_factor),
                         own(down_factor_, chunk.cells.down_factor), own(lower_, chunk.cells.lower),
                         own(upper_, chunk.cells.upper)};
  const AffineArrays steps{own(up_at_0_, chunk.steps.up_at_0), own(up_slope_, chunk.steps.up_slope),
                           own(down_at_0_, chunk.steps.down_at_0),
                           own(down_slope_, chunk.steps.down_slope)};
  const Chunk some{chunk.index, cells, steps, nullptr, chunk.offset};
  float* const seen = pack(state.data());
  const float* const ups = pack(up.data());
  const float* const downs = pack(down.data());
  float* const whole = hidden_.size() > 0 ? hidden_.data() + chunk.offset : nullptr;
  float* const hidden = whole != nullptr ? pack(whole) : nullptr;
  pulse_cells(some, {hidden, whole != nullptr ? size : 0}, {seen, size}, {ups, size}, {downs, size},
              noise);
  unpack(seen, state.data());
  if (whole != nullptr) unpack(hidden, whole);
}

void PulsedCells::pulse_cells(const Chunk& chunk, std::span<float> hidden, std::span<float> state,
                              std::span<const float> up, std::span<const float> down,
                              const RandomStream& noise) {
  const auto count = static_cast<long>(state.size());
  PulseSurvey found = survey(up, down);
  const bool is_hidden = !hidden.empty();
  const std::span x = is_hidden ? hidden : state;
  ChunkFloats up_left;
  ChunkFloats down_left;
  std::span<const float> ups = up;
  std::span<const float> downs = down;
  if (device_->one_way || chunk.life != nullptr) {
    std::copy(up.begin(), up.end(), up_left.begin());
    std::copy(down.begin(), down.end(), down_left.begin());
    ups = std::span<const float>(up_left).first(state.size());
    downs = std::span<const float>(down_left).first(state.size());
    if (chunk.life != nullptr) {
      XBAR_CALL(wear)
      (count, chunk.life, used_.data() + chunk.offset, up_left.data(), down_left.data());
    }
    if (device_->one_way) {
      XBAR_CALL(reset_cells)(count, chunk.cells, down_left.data(), x.data());
    }
    found = survey(ups, downs);
  }
  if (device_->model->is_random()) {
    move_by_draws(chunk, x, ups, downs, noise);
  } else {
    move_by_events(chunk, x, ups, downs, found, noise);
  }
  if (is_hidden) {
    ChunkFloats normal;
    fill_normal(noise.substream(shown_stream), chunk.index, std::span(normal).first(state.size()));
    const PulseArrays pulses{up.data(), down.data(), nullptr};
    XBAR_CALL(show_cells)
    (count, chunk.cells, pulses, static_cast<float>(device_->noise.write),
     static_cast<float>(-device_->g_min_siemens / device_->range().width()), normal.data(),
     x.data(), state.data());
  }
}

void round_to_pulses(std::span<const float> asked, float step, std::span<const float> uniform,
                     std::span<float> up, std::span<float> down) {
  XBAR_CALL(round_pulses)
  (static_cast<long>(asked.size()), asked.data(), 1 / step, uniform.data(), up.data(), down.data());
}

PulseSums sum_pulses(std::span<const float> pulses, std::span<const float> state) {
  PulseSums sums;
  XBAR_CALL(sum_pulses)
  (static_cast<long>(pulses.size()), pulses.data(), state.empty() ? nullptr : state.data(),
   &sums.pulses, &sums.states);
  return sums;
}

void PulsedCells::move_by_events(const Chunk& chunk, std::span<float> x, std::span<const float> up,
                                 std::span<const float> down, const PulseSurvey& found,
                                 const RandomStream& noise) const {
  const auto count = static_cast<long>(x.size());
  const std::size_t size = x.size();
  ChunkFloats events;
  ChunkFloats share;
  float rounds = 1;
  if (event_rate_ * (found.most_up + found.most_down) > 1) {
    rounds = XBAR_CALL(count_events)(count, event_rate_, up.data(), down.data(), events.data());
  }
  if (rounds == 1 && !affine_) std::fill_n(share.begin(), size, 1.0F);

  const PulseArrays pulses{up.data(), down.data(), share.data()};
  const PulseNoise& sigma = device_->noise;
  const NoiseLaw law{static_cast<float>(sigma.step * sigma.step),
                     static_cast<float>(sigma.range * sigma.range)};
  const PulseTraits traits{up_factor_.size() > 0 || lower_.size() > 0, found.several, rounds > 1};
  const bool is_noisy = sigma.step > 0 || sigma.range > 0;
  const PulseModel& model = *device_->model;
  ChunkFloats normals;
  ChunkFloats z_up;
  ChunkFloats z_down;
  ChunkFloats up_steps;
  ChunkFloats down_steps;
  for (float round = 0; round < rounds; ++round) {
    if (rounds > 1) XBAR_CALL(event_shares)(count, round, events.data(), share.data());
    if (is_noisy) {
      fill_normal(round == 0 ? noise : noise.substream(static_cast<std::uint64_t>(round)),
                  chunk.index, std::span(normals).first(size));
    }
    const float* normal = is_noisy ? normals.data() : nullptr;
    if (affine_) {
      XBAR_CALL(move_affinely)
      (count, chunk.cells, pulses, traits, law, normal, chunk.steps, x.data());
      continue;
    }
    const auto find_steps = [&](const ChunkFloats& for_up, const ChunkFloats& for_down) {
      // Of a kind that does not come no step is wanted.
      if (found.most_up > 0) {
        model.up_steps(std::span(for_up).first(size), std::span(up_steps).first(size));
      } else {
        std::fill_n(up_steps.begin(), size, 0.0F);
      }
      if (found.most_down > 0) {
        model.down_steps(std::span(for_down).first(size), std::span(down_steps).first(size));
      } else {
        std::fill_n(down_steps.begin(), size, 0.0F);
      }
    };
    ChunkFloats z;
    XBAR_CALL(own_positions)(count, chunk.cells, x.data(), z.data());
    find_steps(z, z);
    if (found.several) {  // else the only pulse finds the cell where it is
      XBAR_CALL(mean_positions)
      (count, chunk.cells, pulses, up_steps.data(), down_steps.data(), z.data(), z_up.data(),
       z_down.data());
      find_steps(z_up, z_down);
    }
    XBAR_CALL(move_by_pulses)
    (count, chunk.cells, pulses, law, normal, up_steps.data(), down_steps.data(), x.data());
  }
}

void PulsedCells::move_by_draws(const Chunk& chunk, std::span<float> x, std::span<const float> up,
                                std::span<const float> down, const RandomStream& noise) const {
  const auto count = static_cast<long>(x.size());
  const std::size_t size = x.size();
  const PulseModel& model = *device_->model;
  ChunkFloats few_up;
  ChunkFloats few_down;
  ChunkFloats many_up;
  ChunkFloats many_down;
  XBAR_CALL(part_pulses)
  (count, most_draws, up.data(), down.data(), few_up.data(), few_down.data(), many_up.data(),
   many_down.data());
  ChunkFloats z;
  ChunkFloats uniform;
  ChunkFloats up_steps;
  ChunkFloats down_steps;
  const auto first = [size](ChunkFloats& floats) { return std::span(floats).first(size); };

  const PulseSurvey few = survey(first(few_up), first(few_down));
  const float draws = std::ceil(few.most_up) + std::ceil(few.most_down);
  ChunkFloats phase;
  ChunkFloats kind;
  ChunkFloats part;
  fill_uniform(noise.substream(order_stream), chunk.index, first(phase));
  for (float round = 0; round < draws; ++round) {
    fill_uniform(noise.substream(draws_stream + static_cast<std::uint64_t>(round)), chunk.index,
                 first(uniform));
    XBAR_CALL(nth_pulses)
    (count, round, few_up.data(), few_down.data(), phase.data(), kind.data(), part.data());
    XBAR_CALL(own_positions)(count, chunk.cells, x.data(), z.data());
    model.draw_up(first(z), first(uniform), first(up_steps));
    model.draw_down(first(z), first(uniform), first(down_steps));
    XBAR_CALL(move_by_one)
    (count, chunk.cells, kind.data(), part.data(), up_steps.data(), down_steps.data(), x.data());
  }

  if (!survey(first(many_up), first(many_down)).any) return;
  ChunkFloats events;
  ChunkFloats share;
  ChunkFloats z_up;
  ChunkFloats z_down;
  ChunkFloats up_deviations;
  ChunkFloats down_deviations;
  const PulseArrays pulses{many_up.data(), many_down.data(), share.data()};
  const float rounds =
      XBAR_CALL(count_events)(count, event_rate_, many_up.data(), many_down.data(), events.data());
  for (float round = 0; round < rounds; ++round) {
    XBAR_CALL(event_shares)(count, round, events.data(), share.data());
    fill_normal(noise.substream(static_cast<std::uint64_t>(round) + 1), chunk.index,
                first(uniform));
    XBAR_CALL(own_positions)(count, chunk.cells, x.data(), z.data());
    model.up_steps(first(z), first(up_steps));
    model.down_steps(first(z), first(down_steps));
    XBAR_CALL(mean_positions)
    (count, chunk.cells, pulses, up_steps.data(), down_steps.data(), z.data(), z_up.data(),
     z_down.data());
    model.up_steps(first(z_up), first(up_steps));
    model.down_steps(first(z_down), first(down_steps));
    model.up_deviations(first(z_up), first(up_deviations));
    model.down_deviations(first(z_down), first(down_deviations));
    XBAR_CALL(move_by_sums)
    (count, chunk.cells, pulses, uniform.data(), up_steps.data(), down_steps.data(),
     up_deviations.data(), down_deviations.data(), x.data());
  }
}

}  // namespace xbar::device
