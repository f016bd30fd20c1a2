#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/crossbar_state.hpp>
#include <xbar/nn/training_files.hpp>

namespace xbar::nn {
namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
namespace {

constexpr const char* checkpoint_name = "checkpoint.safetensors";
constexpr const char* metrics_name = "metrics.jsonl";
constexpr const char* length_key = "metrics_bytes";

void add_part(TensorFile& whole, const std::string& prefix, const TensorFile& part) {
  for (const auto& [name, tensor] : part.tensors) whole.tensors[prefix + name] = tensor;
  for (const auto& [name, text] : part.metadata) whole.metadata[prefix + name] = text;
}

[[noreturn]] void fail_to_append(const fs::path& path) {
  throw IoError(fmt::format("{}: cannot write the file: {}", path.string(),
                            std::generic_category().message(errno)));
}

void append_bytes(const fs::path& path, std::string_view bytes) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor < 0) fail_to_append(path);
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const int reason = errno;
      ::close(descriptor);
      errno = reason;
      fail_to_append(path);
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::close(descriptor) != 0) fail_to_append(path);
}

// To the disk: what a checkpoint counts must be there after a power cut too.
void flush(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (descriptor < 0) return;                                        // no line yet
  const bool flushed = ::fsync(descriptor) == 0 || errno == EINVAL;  // a pipe has no disk
  const int reason = errno;
  ::close(descriptor);
  errno = reason;
  if (!flushed) fail_to_append(path);
}

std::string line_of(const Json& object) { return object.dump() + "\n"; }

std::string epoch_line(const EpochRecord& e) {
  Json phases;
  for (const Phase& phase : nn::phases) phases[phase.name] = e.phases.*phase.seconds;
  return line_of({{"kind", "epoch"},
                  {"epoch", e.epoch},
                  {"learning_rate", e.learning_rate},
                  {"train_loss", e.train_loss},
                  {"train_accuracy", e.train_accuracy},
                  {"test_loss", e.test_loss},
                  {"test_accuracy", e.test_accuracy},
                  {"seconds", e.seconds},
                  {"images_per_second", e.images_per_second},
                  {"phase_seconds", std::move(phases)}});
}

std::string step_line(const StepRecord& step) {
  return line_of({{"kind", "step"},
                  {"epoch", step.epoch},
                  {"step", step.step},
                  {"learning_rate", step.learning_rate},
                  {"loss", step.loss},
                  {"images_per_second", step.images_per_second}});
}

}  // namespace

void check_training_file_options(const TrainingFileOptions& options) {
  if (!(options.checkpoint_seconds >= 0)) {
    throw InvalidArgument(fmt::format("checkpoint_seconds: expected a number >= 0, got {}",
                                      options.checkpoint_seconds));
  }
  if (options.log_steps < 0) {
    throw InvalidArgument(
        fmt::format("log_steps: expected a number >= 0, got {}", options.log_steps));
  }
}

TrainingFiles::TrainingFiles(fs::path folder, const TrainingFileOptions& options,
                             Communicator* processes)
    : folder_(std::move(folder)), options_(options), processes_(processes) {}

bool TrainingFiles::together(bool stop) const {
  if (processes_ == nullptr) return stop;
  std::array<float, 1> any = {stop ? 1.0F : 0.0F};
  processes_->add_up(any);
  return any[0] > 0;
}

std::optional<TensorFile> TrainingFiles::go_on() {
  const fs::path path = file(checkpoint_name);
  if (!fs::exists(path)) {
    begin_anew();
    return {};
  }
  TensorFile whole = read_safetensors(path);
  const std::string& text = whole.metadata[length_key];
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), metrics_bytes_);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) {
    throw IoError(fmt::format("{}: metadata {}: expected a number, got '{}'", path.string(),
                              length_key, text));
  }
  const fs::path metrics = file(metrics_name);
  const bool there = fs::exists(metrics);  // not before the first line
  if ((there ? fs::file_size(metrics) : 0) < metrics_bytes_) {
    throw IoError(fmt::format("{}: expected at least {} bytes, as when {} was written",
                              metrics.string(), metrics_bytes_, path.string()));
  }
  if (there && writes()) fs::resize_file(metrics, metrics_bytes_);
  return whole;
}

void TrainingFiles::begin_anew() {
  metrics_bytes_ = 0;
  if (!writes()) return;
  std::error_code error;
  fs::remove(file(checkpoint_name), error);
  fs::remove(file(metrics_name), error);
}

TrainReport TrainingFiles::train(Network& network, const DataSet& data, const TrainOptions& options,
                                 const TrainState* resume, const ProgressCallback& progress,
                                 const std::function<bool()>& stop) {
  TrainCallbacks callbacks;
  callbacks.progress = [&](const Progress& now) {
    if (progress) progress(now);
    // Between steps on_step stops, so that nothing is lost; a stop that one of several processes
    // notices in a test would leave the others waiting.
    if (now.phase != "train" && processes_ == nullptr && stop()) throw Interrupted("interrupted");
  };
  callbacks.on_step = [&](const StepRecord& step, const std::function<TrainState()>& state) {
    on_step(step, state, network, data.test.count > 0, together(stop()));
  };
  callbacks.on_epoch_end = [&](const TrainState& state, const Network& /*same*/) {
    before_test_.reset();
    append(epoch_line(state.history.back()));
    if (writes()) write_checkpoint(checkpoint(state, network));
  };
  if (writes()) {
    fs::create_directories(folder_);
    append_bytes(file(metrics_name), "");  // a training of no epochs has no lines, but the file
  }
  since_checkpoint_ = {};
  try {
    return nn::train(network, data, options, callbacks, resume, processes_);
  } catch (const Interrupted&) {
    if (before_test_) write_checkpoint(*before_test_);
    throw;
  } catch (const IoError& error) {
    if (!fs::exists(file(checkpoint_name))) throw;
    throw IoError(fmt::format("{}; {} is whole, make room and resume", error.what(),
                              file(checkpoint_name).string()));
  }
}

void TrainingFiles::on_step(const StepRecord& step, const std::function<TrainState()>& state,
                            Network& network, bool tested, bool stop) {
  const Index count = (step.epoch - 1) * step.steps + step.step;
  if (options_.log_steps > 0 && count % options_.log_steps == 0) append(step_line(step));
  const bool due =
      options_.checkpoint_seconds > 0 && since_checkpoint_.seconds() >= options_.checkpoint_seconds;
  const bool last = tested && step.step == step.steps;
  if (stop && !writes()) throw Interrupted("interrupted");
  if (!writes() || (!stop && !due && !last)) return;
  TensorFile now = checkpoint(state(), network);
  if (stop || due) write_checkpoint(now);
  if (stop) throw Interrupted("interrupted");
  if (last) before_test_ = std::move(now);
}

TensorFile TrainingFiles::checkpoint(const TrainState& state, Network& network) const {
  TensorFile whole;
  add_part(whole, "network/", network.state());
  add_part(whole, "train/", to_tensor_file(state));
  add_part(whole, "crossbar/", crossbar_state(network));
  whole.metadata[length_key] = std::to_string(metrics_bytes_);
  return whole;
}

void TrainingFiles::write_checkpoint(const TensorFile& checkpoint) {
  flush(file(metrics_name));
  write_safetensors(file(checkpoint_name), checkpoint);
  since_checkpoint_ = {};
}

void TrainingFiles::append(const std::string& line) {
  if (!writes()) return;
  append_bytes(file(metrics_name), line);
  metrics_bytes_ += line.size();
}

TensorFile checkpoint_part(const TensorFile& whole, const std::string& prefix) {
  TensorFile part;
  for (const auto& [name, tensor] : whole.tensors) {
    if (name.rfind(prefix, 0) == 0) part.tensors[name.substr(prefix.size())] = tensor;
  }
  for (const auto& [name, text] : whole.metadata) {
    if (name.rfind(prefix, 0) == 0) part.metadata[name.substr(prefix.size())] = text;
  }
  return part;
}

}  // namespace xbar::nn
