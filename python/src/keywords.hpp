#pragma once

/// Long lists of keywords, each with a default of its own.

#include <algorithm>
#include <concepts>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nanobind/nanobind.h>

#include <xbar/core/error.hpp>

namespace xbar::python {

namespace nb = nanobind;

/// What Python calls a type.
template <typename Type>
struct TypeName {
  static std::string text() {
    if constexpr (std::same_as<Type, bool>) {
      return "bool";
    } else if constexpr (std::integral<Type>) {
      return "int";
    } else if constexpr (std::floating_point<Type>) {
      return "float";
    } else if constexpr (std::same_as<Type, std::string>) {
      return "str";
    } else {
      return nb::cast<std::string>(nb::type<Type>().attr("__name__"));
    }
  }
};
template <typename Type>
struct TypeName<std::optional<Type>> {
  static std::string text() { return TypeName<Type>::text() + " | None"; }
};
template <typename Type>
struct TypeName<std::vector<Type>> {
  static std::string text() { return "collections.abc.Sequence[" + TypeName<Type>::text() + "]"; }
};
template <typename First, typename... Rest>
struct TypeName<std::variant<First, Rest...>> {
  static std::string text() {
    return (TypeName<First>::text() + ... + (" | " + TypeName<Rest>::text()));
  }
};

/// The keywords of one call. Take each, then finish(). With nothing stated it learns what there is:
/// parameters().
class Keywords {
 public:
  Keywords(const char* function, nb::dict stated)
      : function_(function), stated_(std::move(stated)) {}

  /// Whether the caller gave it.
  [[nodiscard]] bool given(const char* key) const {
    return stated_.contains(key) && !nb::object(stated_[key]).is_none();
  }

  /// Sets `target`, which holds the default, if it was given.
  /// @throws InvalidArgument for a value of another type
  template <typename Target>
  void take(const char* key, Target& target) {
    known_.push_back({key, TypeName<Target>::text(), default_text(target)});
    if (!given(key)) return;
    if (!nb::try_cast(nb::object(stated_[key]), target)) {
      throw InvalidArgument(fmt::format("{}: expected {}, got {}", key, known_.back().type,
                                        nb::str(nb::repr(nb::object(stated_[key]))).c_str()));
    }
  }

  /// @throws InvalidArgument for a keyword that nobody took
  void finish() const {
    std::vector<std::string> names;
    for (const Parameter& one : known_) names.push_back(one.name);
    for (const auto& [key, value] : stated_) {
      const auto name = nb::cast<std::string>(key);
      if (std::find(names.begin(), names.end(), name) == names.end()) {
        throw InvalidArgument(fmt::format("{}: expected keywords {}, got '{}'", function_,
                                          fmt::join(names, ", "), name));
      }
    }
  }

  /// What was taken as a signature has it: ", on_ohm: float = 20000.0, ...".
  [[nodiscard]] std::string parameters() const {
    std::string text;
    for (const Parameter& one : known_) {
      text += fmt::format(", {}: {} = {}", one.name, one.type, one.value);
    }
    return text;
  }

 private:
  struct Parameter {
    std::string name;
    std::string type;
    std::string value;
  };

  template <typename Target>
  static std::string default_text(const Target& target) {
    if constexpr (requires { target.begin() == target.end(); } &&
                  !std::same_as<Target, std::string>) {
      return "()";  // lists are empty unless given
    } else {
      return nb::str(nb::repr(nb::cast(target))).c_str();
    }
  }

  const char* function_;
  nb::dict stated_;
  std::vector<Parameter> known_;
};

/// The parameters of what takes keywords by `take`.
template <typename Take>
std::string parameters_of(Take&& take) {
  Keywords keywords("", nb::dict());
  std::forward<Take>(take)(keywords);
  return keywords.parameters();
}

}  // namespace xbar::python
