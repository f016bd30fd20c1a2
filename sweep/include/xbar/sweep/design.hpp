#pragma once

/// Which settings of a study's keys are run.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <xbar/core/matrix.hpp>

namespace xbar::sweep {

enum class Sampling {
  grid,            ///< every combination of the values, the last key fastest
  list,            ///< the settings given, one by one
  random,          ///< independent draws
  latin_hypercube  ///< of each key one draw from each of `samples` parts of equal probability, the
                   ///< parts of different keys paired at random [McKay1979]
};

/// @throws InvalidArgument for a name that is none
[[nodiscard]] Sampling parse_sampling(std::string_view name);
[[nodiscard]] std::string_view sampling_name(Sampling sampling);

/// A key of the configuration and what it may be: some values, or, without any, a range.
struct SweptKey {
  std::string name;
  std::vector<std::string> values;  ///< as TOML writes them
  double low = 0;
  double high = 0;
  bool is_logarithmic = false;
  bool is_whole = false;  ///< low to high, both included
};

/// Keys and values as TOML writes them.
using Setting = std::vector<std::pair<std::string, std::string>>;

struct Design {
  Sampling sampling = Sampling::grid;
  std::vector<SweptKey> keys;
  std::vector<Setting> list;  ///< of Sampling::list
  Index samples = 0;          ///< of random and latin_hypercube
  std::uint64_t seed = 1;     ///< of their draws: RandomStream "sweep", a substream a key
};

/// @throws InvalidArgument that names the key: no values, a range in a grid, an empty range, a
///         logarithmic one that is not positive, no samples; more than a million settings
[[nodiscard]] std::vector<Setting> settings_of(const Design& design);

}  // namespace xbar::sweep
