#pragma once

/// Flags that several commands share.

#include <charconv>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <CLI/CLI.hpp>

#include <xbar/core/wires.hpp>
#include <xbar/mapping/technology.hpp>
#include <xbar/nn/data/data_set.hpp>
#include <xbar/surrogate/model.hpp>

namespace xbar::cli {

/// The whole of `text` as a number, if it is one.
template <typename Number>
[[nodiscard]] std::optional<Number> as_number(std::string_view text) {
  Number value{};
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

/// The type name of a flag that takes one of `words` or a file.
[[nodiscard]] std::string or_file(const std::vector<std::string>& words);

/// --conductance. @return for Command::require
CLI::Option* add_conductance_flag(CLI::App& app, std::string& path);

/// The names and numbers of a flag that may be repeated.
/// @param flag   for the message
/// @param texts  NAME=VALUE each
/// @throws InvalidArgument for anything else, and for a name given twice
[[nodiscard]] std::map<std::string, double> read_parameters(std::string_view flag,
                                                            const std::vector<std::string>& texts);

/// --source-ohm, --sink-ohm, --wordline-ohm, --bitline-ohm; defaults as they stand in `wires`.
void add_wire_flags(CLI::App& app, WireResistance& wires);

/// --weights of a trained network.
void add_weights_flag(CLI::App& app, std::string& path);

/// --order of its columns and rows.
void add_order_flag(CLI::App& app, std::string& path);

/// --seed.
void add_seed_flag(CLI::App& app, std::uint64_t& seed);

/// --model, --data, --train-images, --test-images, --pixel-mean, --pixel-deviation, --seed.
struct NetworkFlags {
  std::string model;
  std::string data;
  Index train_images = 0;  ///< the first ones; 0: all
  Index test_images = 0;   ///< likewise
  nn::Normalisation normalisation;
  std::uint64_t seed = 1;
  CLI::Option* model_option = nullptr;
  CLI::Option* data_option = nullptr;

  void add(CLI::App& app);
  /// The data set, cut short and normalised where asked for. @throws InvalidArgument, IoError
  [[nodiscard]] nn::DataSet load_data() const;
};

}  // namespace xbar::cli
