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

/// --seed.
void add_seed_flag(CLI::App& app, std::uint64_t& seed);

/// Cells, wires, tiles and how they are computed.
struct TechnologyFlags {
  mapping::Technology technology;  ///< all but on_ohm, which may be a list
  std::vector<double> on_ohm = {20e3, 100e3};
  std::string terminals = "keep";
  std::string gain = "none";

  void add(CLI::App& app);
  /// The technology with `on`, names parsed. @throws InvalidArgument
  [[nodiscard]] mapping::Technology with(double on) const;
  /// All of on_ohm. @throws InvalidArgument if the list is empty or a field is out of range
  [[nodiscard]] std::vector<mapping::Technology> all() const;
};

/// --model, --data, --pixel-mean, --pixel-deviation, --seed.
struct NetworkFlags {
  std::string model;
  std::string data;
  nn::Normalisation normalisation;
  std::uint64_t seed = 1;
  CLI::Option* model_option = nullptr;
  CLI::Option* data_option = nullptr;

  void add(CLI::App& app);
  /// The data set, normalised where asked for. @throws InvalidArgument, IoError
  [[nodiscard]] nn::DataSet load_data() const;
};

}  // namespace xbar::cli
