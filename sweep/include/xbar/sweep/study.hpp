#pragma once

/// A study as a TOML file:
///
///     command = "evaluate"            # of xbar, run at every point
///
///     [flags]                         # what all points share; {point}: the folder of the point
///     model = "lenet5"
///     weights = "lenet5.safetensors"
///     data = "mnist"
///
///     [sweep]
///     sampling = "grid"               # or list, random, latin-hypercube
///     seeds = 5                       # runs of each setting, with --seed 1 to 5; or a list
///
///     [sweep.keys]
///     on-ohm = [10e3, 20e3, 50e3]
///
/// random and latin-hypercube take samples = N and seed = S beside sampling, and ranges in
/// [sweep.keys]:
///
///     wordline-ohm = {low = 0.1, high = 10, scale = "logarithmic"}    # or "linear"
///     tile-rows = {low = 16, high = 128, whole = true}
///
/// list takes tables [[sweep.points]] in place of [sweep.keys].

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <xbar/sweep/design.hpp>

namespace xbar::sweep {

struct Study {
  std::string command;
  Setting flags;
  Design design;
  std::vector<std::uint64_t> seeds;  ///< empty: the command's own
};

/// @param origin  for messages: the file's name
/// @throws InvalidArgument that names the file and the key: unknown (with the nearest), missing, of
///         the wrong type, both in [flags] and swept; IoError for text that is no TOML
[[nodiscard]] Study parse_study(std::string_view text, const std::string& origin);

/// One run of the command.
struct Point {
  Setting swept;         ///< with seed, where the study has several
  std::string config;    ///< the command's configuration file, TOML
  std::string identity;  ///< 16 hexadecimal digits of command and configuration
};

/// Every run of a study, those of a setting's seeds one after the other.
/// @throws InvalidArgument of settings_of(), or for more than a million points
[[nodiscard]] std::vector<Point> points_of(const Study& study);

}  // namespace xbar::sweep
