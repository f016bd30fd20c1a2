#pragma once

/// The weight matrix of a layer on the cells of wired tiles.

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <xbar/core/matrix.hpp>
#include <xbar/core/random.hpp>
#include <xbar/device/pulsed_cells.hpp>
#include <xbar/mapping/array_order.hpp>
#include <xbar/mapping/certificate.hpp>
#include <xbar/mapping/technology.hpp>
#include <xbar/mapping/weight_encoder.hpp>
#include <xbar/surrogate/model.hpp>

namespace xbar::mapping {

struct CrossbarOptions {
  Technology technology;
  surrogate::ModelKind model = surrogate::ModelKind::sneak_ladder;
  /// For members that need it, and for the certificate (surrogate::exact_solver()); empty: neither.
  surrogate::ExactSolver exact;
  /// Updates between two full measurements of the effective conductance. In between each cell keeps
  /// the ratio G_eff/G of the last measurement (TxSim's interpolation [Roy2021]).
  int refresh = 20;
  /// With a tolerance, `model` and `refresh` are what it begins with.
  CertificateOptions certificate;
  RandomStream noise{0, "write-noise"};  ///< this matrix's own stream; the checks draw from it too
  RandomStream cells{0, "cells"};        ///< of what is fixed in each cell: spread, faults, drift
  RandomStream reads{0, "read-noise"};   ///< of the noise of each pass
};

/// Which way the arrays are read.
enum class Direction { forward, backward };

/// What a converter digitises one by one: an array, or two subtracted before.
struct ReadArray {
  MatrixF effective;      ///< G_eff / (g_max - g_min)
  float coefficient = 1;  ///< what 1 of it adds to W_eff
};

/// Seconds spent so far.
struct MatrixTimes {
  double surrogate = 0;    ///< measuring the arrays
  double certificate = 0;  ///< checking them against the circuit
};

/// What pulsed updates have taken so far.
struct PulseTotals {
  double up = 0;  ///< pulses to cells
  double down = 0;
  double joule = 0;   ///< sum of V^2 G t, the pulses at full voltage, wires and drivers aside
  double second = 0;  ///< width of all pulses that had to wait for one another

  PulseTotals& operator+=(const PulseTotals& other);
};

/// Pulses to the weights of one output, of either sign: up makes a weight larger.
using PulseCounts = std::function<void(Index output, std::span<float> up, std::span<float> down)>;

/// Pulse trains of an update, where it was formed by any.
struct TrainSlots {
  double slots = 0;                      ///< one after the other
  std::span<const float> input_fires{};  ///< slots in which each input's line fired; outputs alike:
  std::span<const float> output_fires{};
};

/// Weights W, outputs x inputs, on arrays. WeightEncoder says which cells hold a weight. Input k
/// drives wordline r mod m of tile row r / m, r = row_order[k]; output o sits in column slot
/// s = column_order[o], the (s mod n')-th of tile column s / n', n' = outputs_per_tile(). Cells
/// that carry no weight stay at g_min. Cells of one kind (plus or minus, slice) form a plane of
/// arrays of their own; interleaved signs share one. With the conductances as they are
/// (ConductanceRange, faults, spread, drift) what the wired arrays compute, as a weight, is
///   W_eff = weight_range / (g_max - g_min) * sum over the cells c of a weight, and less the
///           reference bitline's, of coefficient_c G_eff,c^T.
class CrossbarMatrix {
 public:
  /// @param weight_range  largest weight that the cells can hold, > 0
  /// @throws InvalidArgument for sizes < 1, a range that is not positive and finite, bad options
  CrossbarMatrix(Index outputs, Index inputs, float weight_range, CrossbarOptions options);

  [[nodiscard]] Index outputs() const { return outputs_; }
  [[nodiscard]] Index inputs() const { return inputs_; }
  [[nodiscard]] float weight_range() const { return weight_range_; }
  /// The cells keep their states and stand for other weights.
  void set_weight_range(float weight_range);

  /// Programs every cell and measures the tiles. Weights beyond +-weight_range are clipped. With
  /// Technology::verify each cell reaches its target exactly, else by one write from g_min with the
  /// device model's noise.
  void program(const MatrixF& weight);

  /// As program() with verify, but measures the tiles only every `refresh` calls, like update().
  void reprogram(const MatrixF& weight);

  /// Asks for weight += delta. All cells of each weight are written to the targets of the new
  /// weight by the device model, so that write noise stays in the state.
  /// @pre no Technology::device
  void update(const MatrixF& delta);

  /// One update by pulses to the trained cell of every weight, or, for one-way devices, to the
  /// plus cell for up and the minus cell for down. Without trains wordlines are written one after
  /// the other, each for as long as its cell with most pulses takes; with Technology::write_scheme
  /// pulses count as VoltageLaw says at the voltage that reaches them, and cells that share a line
  /// with one that is written get theirs at what they see of it.
  /// @pre Technology::device
  void pulse(const PulseCounts& counts, const TrainSlots& trains = {});
  /// What one typical pulse changes a weight by.
  [[nodiscard]] float weight_step() const;
  [[nodiscard]] const PulseTotals& pulse_totals() const { return totals_; }
  /// Writes so far: the position in the noise stream.
  [[nodiscard]] std::uint64_t update_count() const { return update_count_; }

  /// Measures G_eff of all tiles now, and every CertificateOptions::every times how far off the
  /// matrix in use was; with a tolerance, acts on it.
  void refresh();

  /// Draws the noise of the next pass, if there is any.
  void next_read();
  /// Passes so far that drew noise: the position in its stream; and going on from another.
  [[nodiscard]] std::uint64_t read_count() const { return read_count_; }
  void resume_reads(std::uint64_t count) { read_count_ = count; }

  /// d(loss)/dW from d(loss)/dW_eff of the forward read, in place: the adjoint of the surrogate
  /// with what it measured held, straight through the rounding to levels. A weight of 0 counts as
  /// positive; the slices of a weight move together, each by the same part of its range.
  void backpropagate(MatrixF& gradient);

  /// What was measured so far.
  [[nodiscard]] const Certificate& certificate() const { return certificate_; }
  /// The surrogate and the refresh interval in use.
  [[nodiscard]] const SurrogateChoice& choice() const { return choice_; }
  [[nodiscard]] const MatrixTimes& times() const { return times_; }

  /// The programmed weight: what a perfect read of perfect cells would give, outputs x inputs.
  /// Worked out when asked for after pulses: not from two threads at once.
  [[nodiscard]] const MatrixF& weight() const;
  /// W_eff of the forward read, outputs x inputs.
  [[nodiscard]] const MatrixF& forward_weight() const { return forward_; }
  /// W_eff of the transposed read, outputs x inputs (dx = W_backward^T dy).
  [[nodiscard]] const MatrixF& backward_weight() const {
    return technology().terminals == Terminals::keep ? forward_ : backward_;
  }

  /// The arrays as Technology::converters reads them: forward outputs x inputs, with gain() still
  /// to be applied, lines being wordlines up to the last with an input; backward slot_count() x
  /// inputs (lines are column slots), driven by signals that have been multiplied by it.
  [[nodiscard]] std::vector<ReadArray> read_arrays(Direction direction) const;
  /// The factors of Technology::gain, outputs x tile rows.
  [[nodiscard]] const MatrixF& gain() const { return gain_; }
  /// Changes whenever W_eff does.
  [[nodiscard]] std::uint64_t version() const { return version_; }

  /// Moves every weight's cells to the column slot of its output and the wordline of its input, and
  /// measures the effective weights anew. Whatever the order, weights keep their place in the
  /// matrices above: what a network computes with ideal wires does not change.
  /// @throws InvalidArgument if two share a slot or a slot does not exist; for another order of the
  ///         rows with Technology::device, whose cells keep track of their pulses by wordline
  void set_order(const ArrayOrder& order);
  /// As set_order, with the rows as they are.
  void set_column_order(const std::vector<Index>& slot_of_output);
  [[nodiscard]] const std::vector<Index>& column_order() const { return order_.slot_of_output; }
  [[nodiscard]] const std::vector<Index>& row_order() const { return order_.slot_of_input; }
  [[nodiscard]] const ArrayOrder& order() const { return order_; }

  /// Everything that a later object of the same size and options needs to go on from here bit for
  /// bit.
  struct State {
    float weight_range = 1;
    std::vector<MatrixF> cells;     ///< x of each of a weight's cells, outputs x inputs
    std::vector<MatrixF> ratios;    ///< G_eff/G of each plane, bitlines x wordlines, forward
    std::vector<MatrixF> backward;  ///< the same of the transposed read if the terminals swap
    MatrixF gain;                   ///< outputs x tile rows
    int updates_since_refresh = 0;
    std::uint64_t update_count = 0;                  ///< position in the noise stream
    std::uint64_t read_count = 0;                    ///< position in the stream of read noise
    std::vector<device::PulsedCells::State> pulsed;  ///< of each plane with a device
    PulseTotals totals;
    std::vector<MatrixF> write_paths;  ///< of each such plane: selected, half-selected
    float input_rate = 0;  ///< shares of slots in which lines fired, by the latest trains
    float output_rate = 0;
    ArrayOrder order;
    SurrogateChoice choice;
    Certificate certificate;
  };
  [[nodiscard]] State state() const;
  /// @throws InvalidArgument if the sizes differ
  void restore(const State& state);

  /// The same cells, states and order and all, measured by this object's own surrogate.
  /// @throws InvalidArgument if the sizes differ
  void copy_cells(const CrossbarMatrix& other);

  /// The same cells in the same order, unchecked, measured by a member that needs no exact solver:
  /// for trying what a change does.
  [[nodiscard]] CrossbarMatrix measured_by(surrogate::ModelKind model) const;

  [[nodiscard]] const WeightEncoder& encoder() const { return encoder_; }
  [[nodiscard]] Index outputs_per_tile() const { return technology().outputs_per_tile(); }
  /// Kinds of arrays: 2 for analog differential pairs.
  [[nodiscard]] Index plane_count() const { return static_cast<Index>(planes_.size()); }
  /// Tiles of one plane, row-major in (tile row, tile column).
  [[nodiscard]] Index tile_count() const { return tile_row_count_ * tile_column_count_; }
  [[nodiscard]] Index tile_row_count() const { return tile_row_count_; }
  [[nodiscard]] Index tile_column_count() const { return tile_column_count_; }
  [[nodiscard]] Index slot_count() const { return tile_column_count_ * outputs_per_tile(); }
  /// Wordlines of all tile rows: the slots of the inputs.
  [[nodiscard]] Index row_slot_count() const { return tile_row_count_ * technology().tile_rows; }
  /// The plane that a cell of a weight lies in.
  [[nodiscard]] Index plane_of(Index cell) const;
  /// The bitline of a plane, tile columns side by side, that a cell in a column slot lies on, and
  /// the one that Layout::offset subtracts from it.
  [[nodiscard]] Index bitline_of(Index cell, Index slot) const;
  [[nodiscard]] Index reference_bitline(Index slot) const;
  /// G, siemens, that the cell in this place would have in state x, with its faults, its deviation
  /// and its drift. Wordlines are counted over the tile rows.
  [[nodiscard]] float conductance(Index plane, Index bitline, Index wordline, float x) const {
    const Plane& cells = planes_[static_cast<std::size_t>(plane)];
    return cells.slope.size() == 0
               ? g_min_ + g_width_ * x
               : g_width_ * (x * cells.slope(bitline, wordline) + cells.base(bitline, wordline));
  }
  /// G of one array as it is, siemens, tile_rows x tile_columns.
  [[nodiscard]] Matrix tile_conductance(Index plane, Index tile) const;
  [[nodiscard]] const Technology& technology() const { return options_.technology; }

 private:
  // Arrays of one kind side by side; matrices are bitlines x wordlines, tile columns x tile rows.
  struct Plane {
    MatrixF state;             // x in [0,1]
    MatrixF ratio;             // G_eff/G of the forward read
    MatrixF backward;          // the same of the transposed read when the terminals swap
    bool is_measured = false;  // with the models and, where no pulses arrive, the states now there
    // G/(g_max - g_min) = slope x + base; empty where all cells are as they should be.
    MatrixF slope;
    MatrixF base;
    std::optional<device::PulsedCells> pulsed;  // where pulses arrive
    // Technology::write_scheme: what a pulse counts at its cell, and at those half-selected.
    MatrixF selected;
    MatrixF half_selected;
    std::unique_ptr<surrogate::EffectiveModel<float>> forward_model;
    std::unique_ptr<surrogate::EffectiveModel<float>> backward_model;
  };

  struct Sample;  // an array of a check

  void make_models();
  void set_references();
  // Puts cells that pulses arrive at where they are to be, as verified writes do.
  void set_pulsed_cells(Index slot);
  struct Neighbours;
  [[nodiscard]] Neighbours collect(const PulseCounts& counts, const TrainSlots& trains);
  // Pulses as they count at an output's cells: its own, and those of lines that it shares.
  void through_wires(Index cell, Index output, const MatrixF& pulses, const MatrixF& rows,
                     const MatrixF& columns, float* out) const;
  // Sum over a tile's wordlines of the pulses each takes, of the tile where it is largest.
  [[nodiscard]] double longest(const MatrixF& most) const;
  // Pairs of one-way cells of which one is nearly full are reset to their difference.
  void renew_pairs();
  // Lets `targets(o, v)` change the normalised weights v of every output and writes the cells by
  // the device model or, without one, exactly; then composes W_eff, if asked to, while they are in
  // the cache.
  template <typename Targets>
  void write(const Targets& targets, const device::UpdateModel* model, bool compose);
  // write() with a weight as the target.
  void write_weight(const MatrixF& weight, const device::UpdateModel* model, bool compose);
  void check_weight_shape(const char* name, const MatrixF& weight) const;
  static void check_shapes(const std::vector<MatrixF>& matrices, Index count, Index rows,
                           Index columns);
  void place_cells(const std::vector<MatrixF>& cells);
  // Whether the tiles are to be measured with this update.
  [[nodiscard]] bool begin_update();
  void measure_all();
  void measure(Plane& plane, surrogate::EffectiveModel<float>& model, MatrixF& ratio);
  void gather_conductance(const Plane& plane);
  void measure_write_paths();
  void fit_gain();
  [[nodiscard]] std::vector<Sample> draw_samples(Index count) const;
  [[nodiscard]] std::vector<double> measured_errors(const std::vector<Sample>& samples) const;
  void choose_at_start();
  void count_certificate(double seconds);

  [[nodiscard]] Index slot_of(Index output) const {
    return order_.slot_of_output[static_cast<std::size_t>(output)];
  }
  [[nodiscard]] Index wordline_of(Index input) const {
    return order_.slot_of_input[static_cast<std::size_t>(input)];
  }
  [[nodiscard]] const MatrixF& ratio_of(const Plane& plane, Direction direction) const {
    return direction == Direction::backward && technology().terminals == Terminals::swap
               ? plane.backward
               : plane.ratio;
  }
  [[nodiscard]] float* cell_line(Index cell, Index slot);
  [[nodiscard]] const float* cell_line(Index cell, Index slot) const;
  // out = from + what cells of this kind add to an output's W_eff; `from` may be `out`.
  void add_cells(Index cell, Index output, Direction direction, const float* from,
                 float* out) const;
  // Whether G_eff = G: no wires.
  [[nodiscard]] bool is_ideal() const;
  // out = from + scale G_eff/(g_max - g_min) of `count` cells of a bitline, noise of the pass
  // included; `from` may be `out`.
  void add_effective(Index plane, Direction direction, Index bitline, Index first, Index count,
                     float scale, const float* from, float* out) const;
  void compose_output(Index output, Direction direction, MatrixF& effective) const;
  void compose_output(Index output);
  void compose_all();
  void decode_output(Index output) const;
  void decode_all() const;
  void for_each_output(const std::function<void(Index)>& body) const;
  // Entries of one tile from a matrix bitlines x wordlines, tile_rows x tile_columns.
  [[nodiscard]] Matrix tile_of(const MatrixF& matrix, Index tile) const;
  void place_order(ArrayOrder order);
  // Wordlines from the first on among which are those of all inputs.
  [[nodiscard]] Index line_size() const { return rows_in_order_ ? inputs_ : row_slot_count(); }
  // From the wordlines of a bitline to the inputs, and back, where no input is staying as it is.
  void to_inputs(const float* line, float* values) const;
  void to_line(const float* values, float* line) const;
  // x of an output's cells by input: where they are or, out of order, copied to `buffer`.
  void gather_cells(Index slot, const float** lines, std::vector<float>& buffer) const;
  // compose_output, by wordline.
  void compose_line(Index output, Direction direction, float* out) const;

  CrossbarOptions options_;
  WeightEncoder encoder_;
  Index outputs_ = 0;
  Index inputs_ = 0;
  float weight_range_ = 1;
  float g_min_ = 0;    // siemens
  float g_width_ = 1;  // g_max - g_min, siemens
  Index tile_row_count_ = 0;
  Index tile_column_count_ = 0;
  ArrayOrder order_;
  bool rows_in_order_ = true;  // input k on wordline k
  std::vector<Plane> planes_;
  mutable MatrixF weight_;
  mutable bool weight_is_current_ = true;
  MatrixF forward_;
  MatrixF backward_;
  // Layout::reference: what the cells that are subtracted add to W_eff. They change with
  // measurements only; noise apart.
  MatrixF forward_reference_;
  MatrixF backward_reference_;
  MatrixF gain_;                    // outputs x tile rows
  std::vector<float> conductance_;  // tiles of one plane, for the models
  std::vector<float> effective_;
  SurrogateChoice choice_;
  Certificate certificate_;
  MatrixTimes times_;
  int updates_since_refresh_ = 0;
  std::uint64_t update_count_ = 0;
  std::uint64_t read_count_ = 0;
  bool noisy_ = false;  // whether the pass now has noise
  std::uint64_t version_ = 0;
  PulseTotals totals_;
  float input_rate_ = 0;
  float output_rate_ = 0;
};

}  // namespace xbar::mapping
