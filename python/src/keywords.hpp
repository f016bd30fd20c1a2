#pragma once

/// Long lists of keywords, each with a default of its own.

#include <algorithm>
#include <string>
#include <type_traits>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nanobind/nanobind.h>

#include <xbar/core/error.hpp>

namespace xbar::python {

namespace nb = nanobind;

/// The keywords of one call. Take each, then finish().
class Keywords {
 public:
  Keywords(const char* function, nb::dict stated)
      : function_(function), stated_(std::move(stated)) {}

  /// Whether the caller gave it.
  [[nodiscard]] bool given(const char* key) const {
    return stated_.contains(key) && !nb::object(stated_[key]).is_none();
  }

  /// Sets `target` if it was given.
  /// @throws InvalidArgument for a value of another type
  template <typename Target>
  void take(const char* key, Target& target) {
    known_.emplace_back(key);
    if (!given(key)) return;
    if (!nb::try_cast(nb::object(stated_[key]), target)) {
      throw InvalidArgument(fmt::format("{}: expected another type, got {}", key,
                                        nb::str(nb::repr(nb::object(stated_[key]))).c_str()));
    }
  }

  /// @throws InvalidArgument for a keyword that nobody took
  void finish() const {
    for (const auto& [key, value] : stated_) {
      const auto name = nb::cast<std::string>(key);
      if (std::find(known_.begin(), known_.end(), name) == known_.end()) {
        throw InvalidArgument(fmt::format("{}: expected keywords {}, got '{}'", function_,
                                          fmt::join(known_, ", "), name));
      }
    }
  }

 private:
  const char* function_;
  nb::dict stated_;
  std::vector<std::string> known_;
};

}  // namespace xbar::python
