#pragma once

/// Cells that are written by pulses, each with parameters of its own.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include <xbar/core/matrix.hpp>
#include <xbar/core/random.hpp>
#include <xbar/device/pulse_device.hpp>

namespace xbar::device {

struct PulseSurvey;

/// The cells of a plane of arrays, `lines` lines of `length` cells, and what pulses do to them.
///
/// With z = (x - lower_k) / (upper_k - lower_k) the position in the cell's own range, n_up and
/// n_down pulses that arrive in any order move it by
///   dz = n_up a_k up(z_up) - n_down b_k down(z_down) + sqrt(variance) N(0,1),
///   variance = n_up (s^2 (a_k up)^2 + r^2) + n_down (s^2 (b_k down)^2 + r^2),
/// s = PulseNoise::step, r = PulseNoise::range, a_k and b_k the spread of the steps. z_up and
/// z_down are where the mean pulse of its kind finds the cell, z plus (n_up - 1)/2 or n_up/2 own
/// steps less n_down/2 or (n_down - 1)/2 of the others: exact for one pulse, right to second order
/// in the step for the mean over the orders of several; many pulses go in several such events.
/// Models with PulseModel::is_random draw every pulse's step, or, of very many, their sum's mean
/// and deviation. Counts need not be whole: a pulse of less voltage counts less.
class PulsedCells {
 public:
  /// @param cells  what is fixed in each cell is drawn from it; equal streams give equal cells
  /// @throws InvalidArgument as check_pulse_device
  PulsedCells(std::shared_ptr<const PulseDevice> device, Index lines, Index length,
              const RandomStream& cells);

  [[nodiscard]] const PulseDevice& device() const { return *device_; }

  /// Pulses to `state.size()` cells of a line from cell `first` on. Different cells may be pulsed
  /// on several threads at once. Cells are taken 256 at a time, counted through all lines, and
  /// those of them that get pulses take the draws in order: pulsed whole or cut at such places, a
  /// line comes to the same.
  /// @param state  x, normalised conductances as seen, changed in place where pulses arrive
  /// @param up, down  pulses, >= 0, same length
  /// @param noise  the stream of this event
  void pulse(Index line, Index first, std::span<float> state, std::span<const float> up,
             std::span<const float> down, const RandomStream& noise);

  /// The states at which a pulse up and one down are of one size, where they are: the symmetry
  /// point, to which pulses up and down in turn lead; found by bisection, with each cell's spread.
  void symmetry_point(Index line, Index first, std::span<float> state) const;

  /// Puts cells at a state exactly, as program-verify does in the limit, within their own bounds.
  void set(Index line, Index first, std::span<float> state);

  /// What a later object of the same device, size and stream needs to go on bit for bit; empty
  /// matrices where the device needs none.
  struct State {
    MatrixF hidden;  ///< the states that pulses act on (PulseNoise::write)
    MatrixF used;    ///< pulses so far (Endurance), which count no further than 2^24
  };
  [[nodiscard]] State state() const { return {hidden_, used_}; }
  /// @throws InvalidArgument if the sizes differ
  void restore(const State& state);

 private:
  struct Chunk;
  struct Marks;

  [[nodiscard]] Chunk chunk_of(Index line, Index first) const;
  void pulse_chunk(const Chunk& chunk, std::span<float> state, std::span<const float> up,
                   std::span<const float> down, const RandomStream& noise);
  // The `size` marked cells.
  void pulse_some(const Chunk& chunk, const Marks& marks, std::size_t size, std::span<float> state,
                  std::span<const float> up, std::span<const float> down,
                  const RandomStream& noise);
  // `hidden`: what pulses act on; empty: the state itself.
  void pulse_cells(const Chunk& chunk, std::span<float> hidden, std::span<float> state,
                   std::span<const float> up, std::span<const float> down,
                   const RandomStream& noise);
  void move_by_events(const Chunk& chunk, std::span<float> x, std::span<const float> up,
                      std::span<const float> down, const PulseSurvey& found,
                      const RandomStream& noise) const;
  void move_by_draws(const Chunk& chunk, std::span<float> x, std::span<const float> up,
                     std::span<const float> down, const RandomStream& noise) const;
  void own_steps(const Chunk& chunk, std::span<const float> z, std::span<float> up,
                 std::span<float> down) const;

  std::shared_ptr<const PulseDevice> device_;
  Index lines_ = 0;
  Index length_ = 0;
  std::optional<AffineSteps> affine_;
  MatrixF alike_;         // rows of numbers that all cells share, a chunk long
  float event_rate_ = 0;  // events a pulse that a cell's pulses are cut into
  // lines x length; empty where all cells are alike.
  MatrixF up_factor_;
  MatrixF down_factor_;
  MatrixF lower_;
  MatrixF upper_;
  MatrixF up_at_0_;
  MatrixF up_slope_;
  MatrixF down_at_0_;
  MatrixF down_slope_;
  MatrixF life_;  // pulses that a cell stands
  MatrixF hidden_;
  MatrixF used_;
};

/// Whole pulses whose mean is what is asked for: n = floor(|asked|/step + uniform), 2^20 at most,
/// up where asked > 0, down where asked < 0.
/// @param uniform  draws in (0, 1)
void round_to_pulses(std::span<const float> asked, float step, std::span<const float> uniform,
                     std::span<float> up, std::span<float> down);

/// Sums over the cells of a line of their pulses n, and, where states are given, of n x.
struct PulseSums {
  double pulses = 0;
  double states = 0;
};

[[nodiscard]] PulseSums sum_pulses(std::span<const float> pulses, std::span<const float> state);

}  // namespace xbar::device
