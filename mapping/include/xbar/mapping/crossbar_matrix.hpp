#pragma once

/// The weight matrix of a layer on differential pairs of wired tiles.

#include <memory>
#include <vector>

#include <xbar/core/matrix.hpp>
#include <xbar/core/random.hpp>
#include <xbar/mapping/certificate.hpp>
#include <xbar/mapping/technology.hpp>
#include <xbar/surrogate/model.hpp>

namespace xbar::mapping {

/// Which array of the pair.
enum class Polarity { plus, minus };

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
};

/// Weights W, outputs x inputs, on arrays. Input k drives wordline k mod m of tile row k / m;
/// output o sits in column slot s = column_order[o], bitline s mod n of tile column s / n. Cells
/// that carry no weight stay at g_min. One of a pair's cells carries |w|, the other is at g_min:
///   x_plus = max(w,0)/weight_range, x_minus = max(-w,0)/weight_range, G = g_min + x (g_max -
///   g_min).
/// What the wired pair computes, as a weight:
///   W_eff = weight_range / (g_max - g_min) * (G_eff_plus - G_eff_minus)^T.
class CrossbarMatrix {
 public:
  /// @param weight_range  largest weight that the cells can hold, > 0
  /// @throws InvalidArgument for sizes < 1, a range that is not positive and finite, bad options
  CrossbarMatrix(Index outputs, Index inputs, float weight_range, CrossbarOptions options);

  [[nodiscard]] Index outputs() const { return outputs_; }
  [[nodiscard]] Index inputs() const { return inputs_; }
  [[nodiscard]] float weight_range() const { return weight_range_; }

  /// Programs every cell to its target exactly (write and verify) and measures the tiles.
  /// Weights beyond +-weight_range are clipped.
  void program(const MatrixF& weight);

  /// Asks for weight += delta. Both cells of each pair are written to the targets of the new weight
  /// by the device model, so that write noise stays in the state.
  void update(const MatrixF& delta);

  /// Measures G_eff of all tiles now, and every CertificateOptions::every times how far off the
  /// matrix in use was; with a tolerance, acts on it.
  void refresh();

  /// What was measured so far.
  [[nodiscard]] const Certificate& certificate() const { return certificate_; }
  /// The surrogate and the refresh interval in use.
  [[nodiscard]] const SurrogateChoice& choice() const { return choice_; }

  /// The programmed weight: what a perfect read would give, outputs x inputs.
  [[nodiscard]] const MatrixF& weight() const { return weight_; }
  /// W_eff of the forward read, outputs x inputs.
  [[nodiscard]] const MatrixF& forward_weight() const { return forward_; }
  /// W_eff of the transposed read, outputs x inputs (dx = W_backward^T dy).
  [[nodiscard]] const MatrixF& backward_weight() const {
    return technology().terminals == Terminals::keep ? forward_ : backward_;
  }

  /// Column slot of each output; a permutation of 0 .. outputs-1 into the slots of the tile
  /// columns. Cells are moved along with their outputs; the effective weights are measured anew.
  /// @throws InvalidArgument if two outputs share a slot or a slot does not exist
  void set_column_order(const std::vector<Index>& slot_of_output);
  [[nodiscard]] const std::vector<Index>& column_order() const { return slot_of_output_; }

  /// Everything that a later object of the same size and technology needs to go on from here bit
  /// for bit, provided that refresh() was the last call before.
  struct State {
    MatrixF plus;                       ///< x of the plus arrays, outputs x inputs
    MatrixF minus;                      ///< x of the minus arrays, outputs x inputs
    std::uint64_t update_count = 0;     ///< position in the noise stream
    std::vector<Index> slot_of_output;  ///< column order
    SurrogateChoice choice;
    Certificate certificate;
  };
  [[nodiscard]] State state() const;
  /// @throws InvalidArgument if the sizes differ
  void restore(const State& state);

  /// Tiles of one polarity, row-major in (tile row, tile column).
  [[nodiscard]] Index tile_count() const { return tile_row_count_ * tile_column_count_; }
  [[nodiscard]] Index tile_row_count() const { return tile_row_count_; }
  [[nodiscard]] Index tile_column_count() const { return tile_column_count_; }
  [[nodiscard]] Index slot_count() const { return tile_column_count_ * technology().tile_columns; }
  /// G of one array, siemens, tile_rows x tile_columns.
  [[nodiscard]] Matrix tile_conductance(Polarity polarity, Index tile) const;
  [[nodiscard]] const Technology& technology() const { return options_.technology; }

 private:
  struct Side {
    MatrixF state;     // x in [0,1], slots x padded inputs
    MatrixF ratio;     // G_eff/G of the forward read, same shape
    MatrixF backward;  // the same of the transposed read when the terminals swap
    std::unique_ptr<surrogate::EffectiveModel<float>> forward_model;
    std::unique_ptr<surrogate::EffectiveModel<float>> backward_model;
  };

  struct Sample;  // an array of a check
  void make_models();
  void measure_all();
  [[nodiscard]] std::vector<Sample> draw_samples(Index count) const;
  [[nodiscard]] std::vector<double> measured_errors(const std::vector<Sample>& samples) const;
  void choose_at_start();
  void measure(Side& side, surrogate::EffectiveModel<float>& model, MatrixF& ratio);
  void fit_gain();
  // Rows of W_eff and of W from the cells of one output.
  void compose_output(Index output, const MatrixF& ratio_plus, const MatrixF& ratio_minus,
                      MatrixF& effective) const;
  void compose_output(Index output);
  void decode_output(Index output);
  template <typename Body>
  void for_each_output(const Body& body) const;
  [[nodiscard]] const Side& side(Polarity polarity) const {
    return polarity == Polarity::plus ? plus_ : minus_;
  }
  // Entries of one tile from a matrix slots x padded inputs, tile_rows x tile_columns.
  [[nodiscard]] Matrix tile_of(const MatrixF& matrix, Index tile) const;
  void check_column_order(const std::vector<Index>& slot_of_output) const;

  CrossbarOptions options_;
  Index outputs_ = 0;
  Index inputs_ = 0;
  float weight_range_ = 1;
  float g_min_ = 0;    // siemens
  float g_width_ = 1;  // g_max - g_min, siemens
  Index tile_row_count_ = 0;
  Index tile_column_count_ = 0;
  std::vector<Index> slot_of_output_;
  Side plus_;
  Side minus_;
  MatrixF weight_;
  MatrixF forward_;
  MatrixF backward_;
  MatrixF gain_;                    // outputs x tile rows
  std::vector<float> conductance_;  // tiles of one side, for the models
  std::vector<float> effective_;
  SurrogateChoice choice_;
  Certificate certificate_;
  int updates_since_refresh_ = 0;
  std::uint64_t update_count_ = 0;
};

}  // namespace xbar::mapping
