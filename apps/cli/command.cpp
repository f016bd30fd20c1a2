#include "command.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/suggest.hpp>

#include "config_file.hpp"
#include "flag_help.hpp"
#include "verbosity.hpp"

namespace xbar::cli {

void Command::attach(CLI::App& program) {
  app_ = program.add_subcommand(name(), description());
  app_->allow_extras();  // finish_parsing() refuses them with a suggestion
  app_->option_defaults()->always_capture_default();
  declare(*app_);
  app_->add_option("--config", config_path_,
                   reads_config() ? "the study, TOML" : "TOML file whose keys are these flags")
      ->type_name("FILE");
  add_verbosity_flags(*app_);
}

void Command::finish_parsing() {
  for (const std::string& extra : app_->remaining()) {
    if (extra.rfind("--", 0) != 0) {
      throw InvalidArgument(fmt::format("{}: unexpected argument '{}'", name(), extra));
    }
    const std::string flag = extra.substr(0, extra.find('='));
    throw InvalidArgument(fmt::format("{}: unknown flag {}; xbar {} --help lists them{}", name(),
                                      flag, name(), did_you_mean(flag, flag_names(*app_))));
  }
  if (!config_path_.empty() && !reads_config()) apply_config(config_path_, *app_);
  ask_for_missing();
}

void Command::check_config(std::string_view text, const std::string& origin) {
  CLI::Option* out = app_->get_option_no_throw("--out");
  if (out != nullptr) out->add_result("out");
  apply_config(text, origin, *app_);
  ask_for_missing();
}

void Command::ask_for_missing() const {
  for (const CLI::Option* option : required_) {
    if (option->count() == 0) {
      throw InvalidArgument(fmt::format("{}: {} is required ({})", name(), option->get_name(),
                                        option->get_description()));
    }
  }
  check_words(*app_);
}

std::vector<std::pair<std::string, std::string>> Command::settings() const {
  std::vector<std::pair<std::string, std::string>> result;
  for (const CLI::Option* option : app_->get_options()) {
    if (!is_setting(*option)) continue;
    const std::string flag = option->get_name();
    result.emplace_back(flag.substr(2), fmt::format("{}", fmt::join(flag_values(*option), ",")));
  }
  return result;
}

std::vector<std::pair<std::string, std::string>> Command::given() const {
  std::vector<std::pair<std::string, std::string>> result;
  for (const CLI::Option* option : app_->get_options()) {
    if (option->count() == 0 || !is_setting(*option)) continue;
    result.emplace_back(option->get_name().substr(2),
                        fmt::format("{}", fmt::join(option->results(), ",")));
  }
  return result;
}

std::string Command::config_text(const std::vector<std::string>& left_out) const {
  std::string text;
  for (const CLI::Option* option : app_->get_options()) {
    if (!is_setting(*option)) continue;
    const std::string flag = option->get_name();
    if (std::find(left_out.begin(), left_out.end(), flag.substr(2)) != left_out.end()) continue;
    const bool given = option->count() > 0;
    const bool acts = given || std::find(acts_when_given_.begin(), acts_when_given_.end(),
                                         option) == acts_when_given_.end();
    text += config_line(*option, acts);
  }
  return text;
}

}  // namespace xbar::cli
