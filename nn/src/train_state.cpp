#include <charconv>
#include <span>
#include <string_view>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/trainer.hpp>

namespace xbar::nn {
namespace {

[[noreturn]] void fail(std::string_view key, std::string_view expected, std::string_view found) {
  throw InvalidArgument(
      fmt::format("training state: metadata {}: expected {}, found {}", key, expected, found));
}

// fmt writes doubles with as many digits as give the same double back; from_chars reads them.
template <typename Number>
Number parse(std::string_view key, std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) fail(key, "a number", text);
  return value;
}

const std::string& entry(const TensorFile& file, const std::string& key) {
  const auto place = file.metadata.find(key);
  if (place == file.metadata.end()) fail(key, "an entry", "none");
  return place->second;
}

template <typename Number>
Number number(const TensorFile& file, const std::string& key) {
  return parse<Number>(key, entry(file, key));
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// One value a phase, apart by commas.
std::string phases_text(const PhaseTimes& times) {
  std::string text;
  for (const Phase& phase : phases) {
    text += fmt::format("{}{}", text.empty() ? "" : ",", times.*phase.seconds);
  }
  return text;
}

PhaseTimes phases_from(std::string_view key, std::span<const std::string_view> fields) {
  if (fields.size() != phases.size()) {
    fail(key, fmt::format("{} times of phases", phases.size()), fmt::to_string(fields.size()));
  }
  PhaseTimes times;
  for (std::size_t k = 0; k < phases.size(); ++k) {
    times.*phases[k].seconds = parse<double>(key, fields[k]);
  }
  return times;
}

constexpr std::size_t fields_before_phases = 8;

std::string history_header() {
  std::string text =
      "epoch,learning_rate,train_loss,train_accuracy,test_loss,test_accuracy,seconds,"
      "images_per_second";
  for (const Phase& phase : phases) text += fmt::format(",{}", phase.name);
  return text;
}

std::string history_text(const std::vector<EpochRecord>& history) {
  std::string text = history_header();
  for (const EpochRecord& r : history) {
    text += fmt::format("\n{},{},{},{},{},{},{},{},{}", r.epoch, r.learning_rate, r.train_loss,
                        r.train_accuracy, r.test_loss, r.test_accuracy, r.seconds,
                        r.images_per_second, phases_text(r.phases));
  }
  return text;
}

std::vector<EpochRecord> history_from(std::string_view text) {
  const std::vector<std::string_view> lines = split(text, '\n');
  if (lines.front() != history_header()) fail("history", history_header(), lines.front());
  std::vector<EpochRecord> history;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::vector<std::string_view> fields = split(lines[i], ',');
    if (fields.size() != fields_before_phases + phases.size()) {
      fail("history", fmt::format("{} fields a line", fields_before_phases + phases.size()),
           lines[i]);
    }
    const auto real = [&](std::size_t field) { return parse<double>("history", fields[field]); };
    history.push_back(
        {.epoch = parse<Index>("history", fields[0]),
         .learning_rate = real(1),
         .train_loss = real(2),
         .train_accuracy = real(3),
         .test_loss = real(4),
         .test_accuracy = real(5),
         .phases = phases_from("history", std::span(fields).subspan(fields_before_phases)),
         .seconds = real(6),
         .images_per_second = real(7)});
  }
  return history;
}

}  // namespace

TensorFile to_tensor_file(const TrainState& state) {
  TensorFile file;
  file.tensors = state.optimizer;
  const TrainOptions& options = state.options;
  file.metadata = {
      {"epoch", fmt::to_string(state.epoch)},
      {"step", fmt::to_string(state.step)},
      {"loss_sum", fmt::to_string(state.loss_sum)},
      {"correct", fmt::to_string(state.correct)},
      {"phases", phases_text(state.phases)},
      {"train_images", fmt::to_string(state.train_images)},
      {"history", history_text(state.history)},
      {"options/epochs", fmt::to_string(options.epochs)},
      {"options/batch", fmt::to_string(options.batch)},
      {"options/learning_rate", fmt::to_string(options.learning_rate)},
      {"options/optimizer", std::string(optimizer_name(options.optimizer))},
      {"options/momentum", fmt::to_string(options.momentum)},
      {"options/beta1", fmt::to_string(options.beta1)},
      {"options/beta2", fmt::to_string(options.beta2)},
      {"options/epsilon", fmt::to_string(options.epsilon)},
      {"options/weight_decay", fmt::to_string(options.weight_decay)},
      {"options/augment", std::string(augmentation_name(options.augment))},
      {"options/trained", std::string(trained_name(options.trained))},
      {"options/seed", fmt::to_string(options.seed)},
      {"options/schedule", std::string(schedule_name(options.schedule.kind))},
      {"options/step_epochs", fmt::to_string(options.schedule.step_epochs)},
      {"options/step_factor", fmt::to_string(options.schedule.step_factor)},
      {"options/final_fraction", fmt::to_string(options.schedule.final_fraction)},
      {"options/warmup_epochs", fmt::to_string(options.schedule.warmup_epochs)},
  };
  return file;
}

TrainState train_state_from(const TensorFile& file) {
  TrainState state;
  state.epoch = number<Index>(file, "epoch");
  state.step = number<Index>(file, "step");
  state.loss_sum = number<double>(file, "loss_sum");
  state.correct = number<Index>(file, "correct");
  state.phases = phases_from("phases", split(entry(file, "phases"), ','));
  state.train_images = number<Index>(file, "train_images");
  state.history = history_from(entry(file, "history"));
  state.optimizer = file.tensors;
  TrainOptions& options = state.options;
  options.epochs = number<Index>(file, "options/epochs");
  options.batch = number<Index>(file, "options/batch");
  options.learning_rate = number<double>(file, "options/learning_rate");
  options.optimizer = optimizer_kind(entry(file, "options/optimizer"));
  options.momentum = number<double>(file, "options/momentum");
  options.beta1 = number<double>(file, "options/beta1");
  options.beta2 = number<double>(file, "options/beta2");
  options.epsilon = number<double>(file, "options/epsilon");
  options.weight_decay = number<double>(file, "options/weight_decay");
  options.augment = augmentation_of(entry(file, "options/augment"));
  const std::string& trained = entry(file, "options/trained");
  if (trained == trained_name(Trained::batch_norm)) {
    options.trained = Trained::batch_norm;
  } else if (trained != trained_name(Trained::all)) {
    fail("options/trained", "all or batch-norm", trained);
  }
  options.seed = number<std::uint64_t>(file, "options/seed");
  options.schedule.kind = schedule_kind(entry(file, "options/schedule"));
  options.schedule.step_epochs = number<Index>(file, "options/step_epochs");
  options.schedule.step_factor = number<double>(file, "options/step_factor");
  options.schedule.final_fraction = number<double>(file, "options/final_fraction");
  options.schedule.warmup_epochs = number<Index>(file, "options/warmup_epochs");
  if (state.epoch < 0 || static_cast<std::size_t>(state.epoch) != state.history.size()) {
    fail("epoch", fmt::format("{}, the lines of history", state.history.size()),
         fmt::to_string(state.epoch));
  }
  if (state.step < 0) fail("step", "a number >= 0", fmt::to_string(state.step));
  return state;
}

}  // namespace xbar::nn
