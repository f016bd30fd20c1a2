#pragma once

/// The weight store that lives in crossbar arrays.

#include <cstdint>
#include <optional>
#include <vector>

#include <xbar/mapping/crossbar_matrix.hpp>
#include <xbar/nn/weight_store.hpp>

namespace xbar::nn {

/// Weights in the wired tiles of a CrossbarMatrix: what is trained are the cells themselves.
class CrossbarWeight : public WeightStore {
 public:
  explicit CrossbarWeight(mapping::CrossbarMatrix matrix);

  [[nodiscard]] const MatrixF& weight() const override { return matrix_.weight(); }
  [[nodiscard]] const MatrixF& forward_weight() const override { return matrix_.forward_weight(); }
  [[nodiscard]] const MatrixF& backward_weight() const override {
    return matrix_.backward_weight();
  }
  [[nodiscard]] mapping::ConvertedRead* converted_forward() override;
  [[nodiscard]] mapping::ConvertedRead* converted_backward() override;
  void begin_read() override { matrix_.next_read(); }
  void update(const MatrixF& delta) override { matrix_.update(delta); }
  void set_weight(const MatrixF& weight) override { matrix_.program(weight); }
  void refresh() override { matrix_.refresh(); }
  /// Converters: setting them up for changed arrays, and the products through them.
  [[nodiscard]] StoreTimes times() const override;

  [[nodiscard]] mapping::CrossbarMatrix& matrix() { return matrix_; }
  [[nodiscard]] const mapping::CrossbarMatrix& matrix() const { return matrix_; }

  /// Arrays besides matrix(), and numbers in digital memory, that later updates depend on, with
  /// what follows the layer's name in files.
  struct FurtherArrays {
    const char* suffix;
    mapping::CrossbarMatrix* matrix;
  };
  struct DigitalState {
    const char* suffix;
    MatrixF* values;
  };
  [[nodiscard]] virtual std::vector<FurtherArrays> further_arrays() { return {}; }
  [[nodiscard]] virtual std::vector<DigitalState> digital_state() { return {}; }

  /// One direction's read through converters, without bringing its arrays up to date; nullptr:
  /// none.
  [[nodiscard]] mapping::ConvertedRead* read(mapping::Direction direction);

 private:
  struct Reads {
    mapping::ConvertedRead read;
    std::uint64_t version = ~std::uint64_t{0};  // CrossbarMatrix::version() of its arrays
  };
  [[nodiscard]] mapping::ConvertedRead* current(mapping::Direction direction);
  [[nodiscard]] std::optional<Reads>& reads(mapping::Direction direction) {
    return direction == mapping::Direction::forward ? forward_ : backward_;
  }

  mapping::CrossbarMatrix matrix_;
  std::optional<Reads> forward_;
  std::optional<Reads> backward_;
  double converter_seconds_ = 0;  // of setting up
};

}  // namespace xbar::nn
