#include "phase_words.hpp"

#include <fmt/format.h>

namespace xbar::cli {

Json to_json(const nn::PhaseTimes& times) {
  Json json;
  for (const nn::Phase& phase : nn::phases) json[phase.name] = times.*phase.seconds;
  return json;
}

std::string phase_words(const nn::PhaseTimes& times) {
  const double all = times.training() + times.evaluation;
  std::string text;
  for (const nn::Phase& phase : nn::phases) {
    const double seconds = times.*phase.seconds;
    if (!(seconds > 0)) continue;
    text += fmt::format("{}{} {:.2f} s ({:.0f} %)", text.empty() ? "" : ", ", phase.name, seconds,
                        100 * seconds / all);
  }
  return text;
}

}  // namespace xbar::cli
