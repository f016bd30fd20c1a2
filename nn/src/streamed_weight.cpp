#include <utility>

#include <xbar/core/error.hpp>
#include <xbar/nn/streamed_weight.hpp>

namespace xbar::nn {

using mapping::Direction;

StreamedWeight::StreamedWeight(MatrixF weight, Make make, const mapping::SurrogateChoice& choice,
                               std::shared_ptr<ArrayStream> stream)
    : weight_(std::move(weight)),
      make_(std::move(make)),
      stream_(std::move(stream)),
      choice_(choice) {}

StreamedWeight::~StreamedWeight() {
  if (stream_->present == this) stream_->present = nullptr;
}

CrossbarWeight& StreamedWeight::arrays() const {
  if (stream_->present == this) return *arrays_;
  if (stream_->present != nullptr) stream_->present->leave();
  arrays_ = make_(weight_, choice_);
  stream_->present = this;
  arrays_->matrix().resume_reads(reads_);
  if (forward_) arrays_->read(Direction::forward)->restore(*forward_);
  if (backward_) arrays_->read(Direction::backward)->restore(*backward_);
  return *arrays_;
}

void StreamedWeight::leave() const {
  choice_ = arrays_->matrix().choice();
  reads_ = arrays_->matrix().read_count();
  if (const auto* read = arrays_->read(Direction::forward)) forward_ = read->state();
  if (const auto* read = arrays_->read(Direction::backward)) backward_ = read->state();
  arrays_.reset();
  stream_->present = nullptr;
}

const MatrixF& StreamedWeight::forward_weight() const { return arrays().forward_weight(); }

const MatrixF& StreamedWeight::backward_weight() const { return arrays().backward_weight(); }

mapping::ConvertedRead* StreamedWeight::converted_forward() { return arrays().converted_forward(); }

mapping::ConvertedRead* StreamedWeight::converted_backward() {
  return arrays().converted_backward();
}

void StreamedWeight::begin_read() { arrays().begin_read(); }

void StreamedWeight::update(const MatrixF&) {
  throw InvalidArgument("streamed weights: expected evaluation, found training");
}

void StreamedWeight::set_weight(const MatrixF& weight) {
  if (arrays_) leave();
  weight_ = weight;
}

void StreamedWeight::check() {
  arrays().matrix().refresh();
  certificate_ = arrays().matrix().certificate();
  choice_ = arrays().matrix().choice();
}

}  // namespace xbar::nn
