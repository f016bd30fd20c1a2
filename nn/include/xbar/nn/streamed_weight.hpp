#pragma once

/// Weights on arrays that exist only while their layer reads them: for networks whose conductances
/// do not fit into memory.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include <xbar/nn/crossbar_weight.hpp>
#include <xbar/nn/weight_store.hpp>

namespace xbar::nn {

class StreamedWeight;

/// The layers that share the memory of one: the arrays of the others are gone.
struct ArrayStream {
  const StreamedWeight* present = nullptr;
};

/// A digital weight that is put on arrays at every pass, always the same ones: cells are drawn from
/// the streams of CrossbarOptions, the noise of a pass goes on where it was, ranges of converters
/// stay. For evaluation; it is not trained.
class StreamedWeight final : public WeightStore {
 public:
  /// Makes the arrays for a weight, measured by the surrogate given.
  using Make = std::function<std::unique_ptr<CrossbarWeight>(
      const MatrixF& weight, const mapping::SurrogateChoice& choice)>;

  /// @param choice  to begin with
  StreamedWeight(MatrixF weight, Make make, const mapping::SurrogateChoice& choice,
                 std::shared_ptr<ArrayStream> stream);
  StreamedWeight(const StreamedWeight&) = delete;
  StreamedWeight& operator=(const StreamedWeight&) = delete;
  ~StreamedWeight() override;

  [[nodiscard]] const MatrixF& weight() const override { return weight_; }
  /// Both valid until another layer of the stream reads.
  [[nodiscard]] const MatrixF& forward_weight() const override;
  [[nodiscard]] const MatrixF& backward_weight() const override;
  [[nodiscard]] mapping::ConvertedRead* converted_forward() override;
  [[nodiscard]] mapping::ConvertedRead* converted_backward() override;
  void begin_read() override;
  /// @throws InvalidArgument
  void update(const MatrixF& delta) override;
  void set_weight(const MatrixF& weight) override;

  /// Measures the arrays against the circuit once, as CrossbarMatrix::refresh() does.
  void check();
  [[nodiscard]] const mapping::SurrogateChoice& choice() const { return choice_; }
  [[nodiscard]] const mapping::Certificate& certificate() const { return certificate_; }

 private:
  // The arrays, made if they are not there.
  [[nodiscard]] CrossbarWeight& arrays() const;
  void leave() const;

  MatrixF weight_;
  Make make_;
  std::shared_ptr<ArrayStream> stream_;
  // A cache: while they are there.
  mutable std::unique_ptr<CrossbarWeight> arrays_;
  // What outlives them:
  mutable mapping::SurrogateChoice choice_;
  mutable std::optional<mapping::ConvertedRead::State> forward_;
  mutable std::optional<mapping::ConvertedRead::State> backward_;
  mutable std::uint64_t reads_ = 0;
  mapping::Certificate certificate_;
};

}  // namespace xbar::nn
